/*
 * fields: the shapes in which gateways log: name=value pairs, CEF, LEEF, name:"value", CSV.
 *
 * Nothing is copied or unescaped; values keep their backslashes. A value may be chosen by somebody
 * who wants in, and not every vendor escapes it, so a name may stand there twice: ask for the first
 * of what the vendor writes before such a value, for the last of what it writes after it.
 */
#ifndef OUTERGATE_DECODE_FIELDS_H
#define OUTERGATE_DECODE_FIELDS_H

#include "text.h"

#define FIELDS_MAX 128 /* Palo Alto's longest have 101; the rest is not looked at */

struct field {
	struct span name, value;
};

struct fields {
	struct field at[FIELDS_MAX];
	unsigned count;
};

struct cef {
	struct span vendor, product, id, name;
	struct fields fields;
};

/* name=value and name="value with \" in it", between spaces, tabs, ';' or ','. */
void fields_read(struct span s, struct fields *ret);
/* name:"value"; ... as Check Point writes it. */
void fields_read_colon(struct span s, struct fields *ret);
/* name=value, NAME=value, ... as Cisco ISE writes it: a comma in a value is "\,". */
void fields_read_commas(struct span s, struct fields *ret);
/* "CEF:0|vendor|product|version|id|name|severity|extension"; "LEEF:1.0|vendor|product|version|id|".
 * False: neither. */
bool cef_read(struct span s, struct cef *ret);
bool leef_read(struct span s, struct cef *ret);

/* Empty when there is none. */
struct span fields_first(const struct fields *f, const char *name);
struct span fields_last(const struct fields *f, const char *name);
/* For what stands between two such values: false when the name is there with two values. */
bool fields_once(const struct fields *f, const char *name, struct span *ret);

/* The next column of a CSV line without its quotes; a doubled quote in it stays doubled. False: the
 * end. */
bool csv_cut(struct span *rest, struct span *ret);

#endif
