/*
 * json_tree: see json_tree.h. No recursion: the open objects and arrays are a small stack, so that
 * a line of brackets costs nothing but itself. Whoever wants more than a tree holds walks.
 */
#include "json_tree.h"

#include "text.h"

static const char no_json[] = "not JSON: cut short or malformed";
static const char too_deep[] = "JSON nested deeper than 32";

/* To the end of what has just begun. Strings are read, for a bracket in one is none. */
static const char *pass_over(struct json *j)
{
	char *out = j->out;
	bool cut = j->cut;
	unsigned depth = 1;
	struct span text;

	j->deep = true;
	while (depth && j->p < j->end) {
		if (*j->p == '"') {
			if (!json_quoted(j, &text))
				return no_json;
			j->out = out;
			continue;
		}
		depth += *j->p == '{' || *j->p == '[';
		depth -= *j->p == '}' || *j->p == ']';
		j->p++;
	}
	j->cut = cut; /* nobody wanted those texts */
	return depth ? no_json : NULL;
}

/* Below the last level there is nothing to be seen, and *ret_opened is false. */
static const char *open_one(struct json *j, struct json_path *p, struct json_visitor v,
			    struct span name, char type, bool *ret_opened)
{
	*ret_opened = p->depth < JSON_DEPTH_MAX;
	if (!*ret_opened)
		return pass_over(j);
	v.visit(v.arg, p, name, text_none(), type);
	p->names[p->depth] = name;
	p->types[p->depth++] = type;
	return NULL;
}

static bool read_leaf(struct json *j, char type, struct span *ret)
{
	const char *start = j->p + 1;

	if (type == 'w')
		return json_bare(j, ret);
	if (json_quoted(j, ret))
		return true;
	if (j->p == j->end && start <= j->end) /* cut short: as it stands there */
		*ret = (struct span){start, (size_t)(j->end - start)};
	return false;
}

/* A value that begins here; *ret_opened when it is an object or array with something in it. */
static const char *read_value(struct json *j, struct json_path *p, struct json_visitor v,
			      struct span name, bool *ret_opened)
{
	struct span value = {0};
	bool whole;
	char type;

	if (json_char(j, '{'))
		return open_one(j, p, v, name, '{', ret_opened);
	if (json_char(j, '['))
		return open_one(j, p, v, name, '[', ret_opened);
	*ret_opened = false;
	json_space(j);
	type = j->p < j->end && *j->p == '"' ? '"' : 'w';
	whole = read_leaf(j, type, &value);
	if (type == 'w' && span_is(value, "null"))
		value.len = 0;
	if (whole || value.len)
		v.visit(v.arg, p, name, value, type);
	return whole ? NULL : no_json;
}

/* Closes what ends here; true when another member or element follows. */
static bool close_some(struct json *j, struct json_path *p, bool fresh)
{
	while (p->depth) {
		if (json_char(j, p->types[p->depth - 1] == '{' ? '}' : ']')) {
			p->depth--;
			fresh = false;
			continue;
		}
		return fresh || json_char(j, ',');
	}
	return false;
}

const char *json_walk(struct json *j, struct json_visitor v)
{
	struct json_path p;
	const char *wrong;
	bool opened;

	p.depth = 0;
	if (!json_char(j, '{'))
		return no_json;
	wrong = open_one(j, &p, v, text_none(), '{', &opened);
	while (!wrong && close_some(j, &p, opened)) {
		struct span name = {0};

		if (p.types[p.depth - 1] == '{' && (!json_quoted(j, &name) || !json_char(j, ':')))
			return no_json;
		wrong = read_value(j, &p, v, name, &opened);
	}
	return wrong ? wrong : p.depth ? no_json : NULL;
}

/*
 * One letter of a name, folded. Two letters outside of ASCII fold into it, and encoding/json takes
 * them for it: the long s and the Kelvin sign.
 */
static char fold_letter(struct span *s)
{
	char c;

	if (text_cut(s, SPAN_LIT("\xC5\xBF")))
		return 's';
	if (text_cut(s, SPAN_LIT("\xE2\x84\xAA")))
		return 'k';
	c = s->ptr[0];
	*s = span_skip(*s, 1);
	return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

static bool name_is(struct span name, struct span wanted, bool fold)
{
	if (!fold)
		return span_eq(name, wanted);
	while (name.len && wanted.len)
		if (fold_letter(&name) != fold_letter(&wanted))
			return false;
	return !name.len && !wanted.len;
}

/* The next part of a pattern: a name, or the empty one of an element. */
static struct span part_cut(struct span *pattern)
{
	struct span part = *pattern;
	size_t n = 0;

	if (text_cut(pattern, SPAN_LIT("[]"))) {
		(void)text_cut(pattern, SPAN_LIT("."));
		return text_none();
	}
	while (n < part.len && part.ptr[n] != '.' && part.ptr[n] != '[')
		n++;
	*pattern = span_skip(part, n);
	(void)text_cut(pattern, SPAN_LIT("."));
	return span_first(part, n);
}

bool json_path_is(const struct json_path *p, unsigned from, struct span name, const char *pattern,
		  bool fold)
{
	struct span rest = span_of(pattern);

	for (unsigned i = from; i <= p->depth; i++) {
		bool element = i && p->types[i - 1] == '[';
		struct span part;

		if (!rest.len)
			return false;
		part = part_cut(&rest);
		if (element != span_empty(part) ||
		    !(element || name_is(i < p->depth ? p->names[i] : name, part, fold)))
			return false;
	}
	return !rest.len;
}

struct maker {
	struct json_tree *t;
	uint16_t open[JSON_DEPTH_MAX]; /* nodes */
};

static uint16_t add(struct maker *m, const struct json_path *p, struct span name, char type)
{
	struct json_tree *t = m->t;

	if (t->count == JSON_NODES_MAX) {
		t->cut = true;
		return JSON_NO_NODE;
	}
	t->nodes[t->count] = (struct json_node){
		.name = name,
		.parent = p->depth ? m->open[p->depth - 1] : JSON_NO_NODE,
		.type = type,
	};
	return (uint16_t)t->count++;
}

static void make_node(void *arg, const struct json_path *p, struct span name, struct span value,
		      char type)
{
	struct maker *m = arg;
	uint16_t node = add(m, p, name, type);

	if (type == '{' || type == '[')
		m->open[p->depth] = node;
	else if (node != JSON_NO_NODE)
		m->t->nodes[node].value = value;
}

const char *json_tree_read(struct json *j, struct json_tree *ret)
{
	struct maker m = {.t = ret};
	const char *wrong;

	ret->count = 0;
	ret->cut = false;
	wrong = json_walk(j, (struct json_visitor){make_node, &m});
	json_space(j);
	if (j->deep)
		return too_deep; /* a tree is whole, or none */
	return wrong ? wrong : j->p != j->end ? no_json : NULL;
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
