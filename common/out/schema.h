/*
 * schema: what collectors are sent: an alert, a session or an event in a schema that they know.
 *
 * Every record is one line, carries an id that is the same whenever it is sent again (an alert's
 * with its revision, a session's with its state, an event's made of what it says), and obeys
 * `Privacy`: unlike out_event_json(), an event's names and command lines, too.
 *
 * Adding one: a file that defines `const struct out_schema schema_<name>` and a line in schema.def.
 */
#ifndef OUTERGATE_OUT_SCHEMA_H
#define OUTERGATE_OUT_SCHEMA_H

#include "out.h"

struct out_schema {
	const char *name;
	/* The contract of out.h: the length or -ENOSPC. OUT_RECORD_MAX is enough for any. */
	int (*alert)(const struct alert *a, const struct out_policy *p, char *buf, size_t cap);
	int (*session)(const struct session *s, const struct out_policy *p, char *buf, size_t cap);
	int (*event)(const struct event *e, const struct out_policy *p, char *buf, size_t cap);
	const char *repeat; /* what says that a record may have been sent before ... */
	unsigned closing;   /* ... put before so many bytes at its end: "}" of the own object */
};
#define OUT_RECORD_MAX 131072

const struct out_schema *out_schema_named(struct span name); /* NULL: none */
const struct out_schema *out_schema_at(unsigned i);	     /* NULL past the end */
/* Marks a record of len bytes as a repeat; the new length, or -ENOSPC and nothing is changed. */
int out_mark_repeat(const struct out_schema *s, char *buf, size_t len, size_t cap);

#endif
