/*
 * json_pick: the values of a JSON record that somebody wants, by their paths. Internal to decode/.
 *
 * As long as the record is, whatever else is in it: it is walked, no tree is made, and of what is
 * open the wants that it can still hold are known, so that what holds none is passed over.
 */
#ifndef OUTERGATE_DECODE_JSON_PICK_H
#define OUTERGATE_DECODE_JSON_PICK_H

#include "json_tree.h"

#define JSON_WANTS_MAX	32 /* a word of bits */
#define JSON_WANT_DEPTH 4

/*
 * {"client", "ipAddress"}, {"target", "[]", "type"}; letter case does not matter, since one record
 * has several spellings on its way. A leading "properties" of the record, as Azure wraps what it
 * exports, is passed over. Of what is there twice the first counts.
 */
struct json_want {
	const char *names[JSON_WANT_DEPTH]; /* NULL: no more */
	size_t first_len;		    /* of names[0] */
	size_t at;			    /* of a struct span */
};
#define JSON_WANT_FIRST(first, ...) (first)
#define JSON_WANT(type, field, ...)                                                                \
	{                                                                                          \
		{__VA_ARGS__}, sizeof(JSON_WANT_FIRST(__VA_ARGS__, 0)) - 1, offsetof(type, field)  \
	}

struct json_picker {
	const struct json_want *wants;
	size_t count; /* JSON_WANTS_MAX at most */
	void *ret;
	bool exact; /* letter case matters, there is no "properties", and of two the last counts */
};

/* NULL, or why it is no JSON. */
const char *json_pick(struct json *j, struct json_picker p);

/* The same for a visitor of one's own: begin, then what json_walk() asks and tells. */
struct json_picking {
	struct json_picker k;
	unsigned from;			 /* the level at which the wants begin */
	uint32_t open[JSON_WANT_DEPTH];	 /* [n]: those whose first n names are open */
	uint32_t by_len[JSON_WANTS_MAX]; /* those whose first name has that length */
};
void json_pick_begin(struct json_picking *ret, struct json_picker k);
void json_pick_visit(struct json_picking *k, const struct json_path *p, struct span name,
		     struct span value, char type);
bool json_pick_enter(struct json_picking *k, const struct json_path *p, struct span name,
		     char type);

#endif
