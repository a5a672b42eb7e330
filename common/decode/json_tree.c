/*
 * json_tree: see json_tree.h. No recursion: the open objects and arrays are a small stack, so that
 * a line of brackets costs nothing but itself.
 */
#include "json_tree.h"

#include "text.h"

struct walk {
	struct json *j;
	struct json_tree *t;
	uint16_t open[JSON_DEPTH_MAX]; /* nodes */
	char types[JSON_DEPTH_MAX];
	unsigned depth;
};

static const char no_json[] = "not JSON: cut short or malformed";
static const char too_deep[] = "JSON nested deeper than 32";

static uint16_t add(struct walk *w, struct span name, char type)
{
	struct json_tree *t = w->t;

	if (t->count == JSON_NODES_MAX) {
		t->cut = true;
		return JSON_NO_NODE;
	}
	t->nodes[t->count] = (struct json_node){
		.name = name,
		.parent = w->depth ? w->open[w->depth - 1] : JSON_NO_NODE,
		.type = type,
	};
	return (uint16_t)t->count++;
}

static const char *open_one(struct walk *w, struct span name, char type)
{
	uint16_t node;

	if (w->depth == JSON_DEPTH_MAX)
		return too_deep;
	node = add(w, name, type);
	w->open[w->depth] = node;
	w->types[w->depth++] = type;
	return NULL;
}

/* A value that begins here; *ret_opened when it is an object or array with something in it. */
static const char *read_value(struct walk *w, struct span name, bool *ret_opened)
{
	struct json *j = w->j;
	struct span value = {0};
	uint16_t node;
	char type;

	*ret_opened = true;
	if (json_char(j, '{'))
		return open_one(w, name, '{');
	if (json_char(j, '['))
		return open_one(w, name, '[');
	*ret_opened = false;
	json_space(j);
	type = j->p < j->end && *j->p == '"' ? '"' : 'w';
	if (type == '"' ? !json_quoted(j, &value) : !json_bare(j, &value))
		return no_json;
	if (type == 'w' && span_is(value, "null"))
		value.len = 0;
	node = add(w, name, type);
	if (node != JSON_NO_NODE)
		w->t->nodes[node].value = value;
	return NULL;
}

/* Closes what ends here; true when another member or element follows. */
static bool close_some(struct walk *w, bool fresh)
{
	while (w->depth) {
		if (json_char(w->j, w->types[w->depth - 1] == '{' ? '}' : ']')) {
			w->depth--;
			fresh = false;
			continue;
		}
		return fresh || json_char(w->j, ',');
	}
	return false;
}

const char *json_tree_read(struct json *j, struct json_tree *ret)
{
	struct walk w = {.j = j, .t = ret};
	const char *wrong;
	bool opened = true;

	ret->count = 0;
	ret->cut = false;
	if (!json_char(j, '{'))
		return no_json;
	wrong = open_one(&w, text_none(), '{');
	while (!wrong && close_some(&w, opened)) {
		struct span name = {0};

		if (w.types[w.depth - 1] == '{' && (!json_quoted(j, &name) || !json_char(j, ':')))
			return no_json;
		wrong = read_value(&w, name, &opened);
	}
	if (wrong)
		return wrong;
	json_space(j);
	return w.depth || j->p != j->end ? no_json : NULL;
}

const struct json_node *json_parent(const struct json_tree *t, const struct json_node *n)
{
	return n->parent < t->count ? &t->nodes[n->parent] : NULL;
}

struct span json_root_value(const struct json_tree *t, const char *name)
{
	for (unsigned i = 1; i < t->count; i++)
		if (t->nodes[i].parent == 0 && t->nodes[i].type != '{' && t->nodes[i].type != '[' &&
		    span_is(t->nodes[i].name, name))
			return t->nodes[i].value;
	return text_none();
}
