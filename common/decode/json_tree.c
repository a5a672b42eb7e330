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
	unsigned depth = 1;

	j->deep = true;
	while (depth && j->p < j->end) {
		if (*j->p == '"') {
			if (!json_pass_quoted(j))
				return no_json;
			continue;
		}
		depth += *j->p == '{' || *j->p == '[';
		depth -= *j->p == '}' || *j->p == ']';
		j->p++;
	}
	return depth ? no_json : NULL;
}

struct walk {
	struct json *j;
	struct json_visitor v;
	struct json_path p;
	unsigned quiet; /* what is open from this level on nobody wants; 0: all is wanted */
};

/* Below the last level there is nothing to be seen, and *ret_opened is false. */
static const char *open_one(struct walk *w, struct span name, char type, bool *ret_opened)
{
	struct json_path *p = &w->p;

	*ret_opened = p->depth < JSON_DEPTH_MAX;
	if (!*ret_opened)
		return pass_over(w->j);
	if (!w->quiet) {
		w->v.visit(w->v.arg, p, name, text_none(), type);
		if (w->v.enter && !w->v.enter(w->v.arg, p, name, type))
			w->quiet = p->depth + 1;
	}
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

static const char *tell_leaf(struct walk *w, struct span name, char type)
{
	struct span value = {0};
	bool whole = read_leaf(w->j, type, &value);

	if (type == 'w' && span_is(value, "null"))
		value.len = 0;
	if (whole || value.len)
		w->v.visit(w->v.arg, &w->p, name, value, type);
	return whole ? NULL : no_json;
}

static const char *pass_leaf(struct json *j, char type)
{
	struct span value;

	return (type == '"' ? json_pass_quoted(j) : json_bare(j, &value)) ? NULL : no_json;
}

/* A value that begins here; *ret_opened when it is an object or array with something in it. */
static const char *read_value(struct walk *w, struct span name, bool *ret_opened)
{
	struct json *j = w->j;
	char type;

	json_space(j);
	type = j->p < j->end ? *j->p : 'w';
	if (type == '{' || type == '[') {
		j->p++;
		return open_one(w, name, type, ret_opened);
	}
	*ret_opened = false;
	type = type == '"' ? '"' : 'w';
	return w->quiet ? pass_leaf(j, type) : tell_leaf(w, name, type);
}

/* Closes what ends here; true when another member or element follows. */
static bool close_some(struct walk *w, bool fresh)
{
	struct json_path *p = &w->p;
	struct json *j = w->j;

	while (p->depth) {
		json_space(j);
		if (j->p >= j->end)
			return fresh;
		if (*j->p != (p->types[p->depth - 1] == '{' ? '}' : ']')) {
			if (*j->p == ',' && !fresh) {
				j->p++;
				return true;
			}
			return fresh;
		}
		j->p++;
		p->depth--;
		if (p->depth < w->quiet)
			w->quiet = 0;
		fresh = false;
	}
	return false;
}

const char *json_walk(struct json *j, struct json_visitor v)
{
	struct walk w; /* its path is long, and not cleared for every record */
	const char *wrong;
	bool opened;

	w.j = j;
	w.v = v;
	w.p.depth = w.quiet = 0;
	if (!json_char(j, '{'))
		return no_json;
	wrong = open_one(&w, text_none(), '{', &opened);
	while (!wrong && close_some(&w, opened)) {
		struct span name = {0};

		if (w.p.types[w.p.depth - 1] == '{') {
			if (w.quiet ? !json_pass_quoted(j) : !json_quoted(j, &name))
				return no_json;
			if (!json_char(j, ':'))
				return no_json;
		}
		wrong = read_value(&w, name, &opened);
	}
	return wrong ? wrong : w.p.depth ? no_json : NULL;
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

bool json_name_is(struct span name, struct span wanted, bool fold)
{
	if (span_eq(name, wanted))
		return true;
	while (fold && name.len && wanted.len)
		if (fold_letter(&name) != fold_letter(&wanted))
			return false;
	return fold && !name.len && !wanted.len;
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
		    !(element || json_name_is(i < p->depth ? p->names[i] : name, part, fold)))
			return false;
	}
	return !rest.len;
}

static void nobody(void *arg, const struct json_path *p, struct span name, struct span value,
		   char type)
{
	(void)arg, (void)p, (void)name, (void)value, (void)type;
}

static bool never(void *arg, const struct json_path *p, struct span name, char type)
{
	(void)arg, (void)p, (void)name, (void)type;
	return false;
}

bool json_pass(struct json *j)
{
	return !json_walk(j, (struct json_visitor){nobody, NULL, never});
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
	wrong = json_walk(j, (struct json_visitor){make_node, &m, NULL});
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
