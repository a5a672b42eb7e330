/* json_pick: see json_pick.h. */
#include "json_pick.h"

#include "text.h"

void json_pick_visit(const struct json_picker *k, const struct json_path *p, struct span name,
		     struct span value, char type)
{
	unsigned from = p->depth > 1 && span_is(p->names[1], "properties") ? 2 : 1;

	if ((type != '"' && type != 'w') || !value.len)
		return;
	for (size_t i = 0; i < k->count; i++) {
		struct span *to = (struct span *)(void *)((char *)k->ret + k->wants[i].at);

		if (!to->len && json_path_is(p, from, name, k->wants[i].where, true))
			*to = value;
	}
}

static void visit(void *arg, const struct json_path *p, struct span name, struct span value,
		  char type)
{
	json_pick_visit(arg, p, name, value, type);
}

const char *json_pick(struct json *j, struct json_picker p)
{
	return json_walk(j, (struct json_visitor){visit, &p});
}
