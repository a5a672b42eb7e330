/*
 * json_pick: the values of a JSON record that somebody wants, by their paths. Internal to decode/.
 *
 * As long as the record is, whatever else is in it: it is walked, and no tree is made.
 */
#ifndef OUTERGATE_DECODE_JSON_PICK_H
#define OUTERGATE_DECODE_JSON_PICK_H

#include "json_tree.h"

/*
 * "client.ipAddress", "target[].type"; letter case does not matter, since one record has several
 * spellings on its way. A leading "properties." of the record, as Azure wraps what it exports, is
 * passed over. Of what is there twice the first counts.
 */
struct json_want {
	const char *where;
	size_t at; /* of a struct span */
};
#define JSON_WANT(type, where, field)                                                              \
	{                                                                                          \
		where, offsetof(type, field)                                                       \
	}

struct json_picker {
	const struct json_want *wants;
	size_t count;
	void *ret;
};

/* NULL, or why it is no JSON. */
const char *json_pick(struct json *j, struct json_picker p);
/* For a visitor of one's own. */
void json_pick_visit(const struct json_picker *k, const struct json_path *p, struct span name,
		     struct span value, char type);

#endif
