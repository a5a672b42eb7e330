/* json_pick: see json_pick.h. */
#include "json_pick.h"

#include "text.h"

#define LENGTHS	     JSON_WANTS_MAX /* longer ones share a row with shorter ones */
#define ALL_WANTS(n) ((n) < JSON_WANTS_MAX ? (UINT32_C(1) << (n)) - 1 : UINT32_MAX)

void json_pick_begin(struct json_picking *ret, struct json_picker k)
{
	ret->k = k;
	ret->from = 1;
	ret->open[0] = ALL_WANTS(k.count);
	memset(ret->by_len, 0, sizeof(ret->by_len));
	for (size_t i = 0; i < k.count; i++)
		ret->by_len[k.wants[i].first_len % LENGTHS] |= UINT32_C(1) << i;
}

/* Letters outside of ASCII fold into some of it, so that such a name is longer than what it is. */
static bool is_ascii(struct span s)
{
	const uint64_t high = UINT64_C(0x8080808080808080);
	uint64_t all = 0, word;
	size_t i = 0;

	for (; i + sizeof(word) <= s.len; i += sizeof(word)) {
		memcpy(&word, s.ptr + i, sizeof(word));
		all |= word;
	}
	if (i && i < s.len) { /* the last ones, some of them for the second time */
		memcpy(&word, s.ptr + s.len - sizeof(word), sizeof(word));
		all |= word;
	}
	for (; i < s.len && s.len < sizeof(word); i++)
		all |= (unsigned char)s.ptr[i];
	return !(all & high);
}

static bool is_bracket(const char *name)
{
	return name[0] == '[';
}

/* Those of some wants whose n-th name that value has. */
static uint32_t match(const struct json_picking *k, uint32_t some, unsigned n, struct span name,
		      bool is_element)
{
	uint32_t matches = 0;

	if (!n && !is_element && (k->k.exact || is_ascii(name)))
		some &= k->by_len[name.len % LENGTHS];
	for (; some; some &= some - 1) {
		unsigned i = (unsigned)__builtin_ctz(some);
		const char *wanted = k->k.wants[i].names[n];

		if (wanted && is_bracket(wanted) == is_element &&
		    (is_element || json_name_is(name, span_of(wanted), !k->k.exact)))
			matches |= UINT32_C(1) << i;
	}
	return matches;
}

/* Which name of the wants the value's own is; JSON_WANT_DEPTH: none can be that deep. */
static unsigned level_of(struct json_picking *k, const struct json_path *p)
{
	if (p->depth <= 1)
		k->from = 1;
	return p->depth >= k->from && p->depth - k->from < JSON_WANT_DEPTH ? p->depth - k->from
									   : JSON_WANT_DEPTH;
}

static bool is_element(const struct json_path *p)
{
	return p->types[p->depth - 1] == '[';
}

static bool has_more(const struct json_want *w, unsigned n)
{
	return n + 1 < JSON_WANT_DEPTH && w->names[n + 1];
}

void json_pick_visit(struct json_picking *k, const struct json_path *p, struct span name,
		     struct span value, char type)
{
	unsigned n = level_of(k, p);
	uint32_t found;

	if ((type != '"' && type != 'w') || (!value.len && !k->k.exact) || n == JSON_WANT_DEPTH)
		return;
	for (found = match(k, k->open[n], n, name, is_element(p)); found; found &= found - 1) {
		const struct json_want *w = &k->k.wants[__builtin_ctz(found)];
		struct span *to = (struct span *)(void *)((char *)k->k.ret + w->at);

		if (!has_more(w, n) && (k->k.exact || !to->len))
			*to = value;
	}
}

bool json_pick_enter(struct json_picking *k, const struct json_path *p, struct span name, char type)
{
	unsigned n = level_of(k, p);
	uint32_t found;

	if (!p->depth) /* the root itself */
		return true;
	if (p->depth == 1 && !k->k.exact && type == '{' && span_is(name, "properties")) {
		k->from = 2;
		return true;
	}
	if (n + 1 >= JSON_WANT_DEPTH)
		return false;
	found = match(k, k->open[n], n, name, is_element(p));
	k->open[n + 1] = 0;
	for (; found; found &= found - 1)
		if (has_more(&k->k.wants[__builtin_ctz(found)], n))
			k->open[n + 1] |= found & -found;
	return k->open[n + 1] != 0;
}

static void visit(void *arg, const struct json_path *p, struct span name, struct span value,
		  char type)
{
	json_pick_visit(arg, p, name, value, type);
}

static bool enter(void *arg, const struct json_path *p, struct span name, char type)
{
	return json_pick_enter(arg, p, name, type);
}

const char *json_pick(struct json *j, struct json_picker p)
{
	struct json_picking k;

	json_pick_begin(&k, p);
	return json_walk(j, (struct json_visitor){visit, &k, enter});
}
