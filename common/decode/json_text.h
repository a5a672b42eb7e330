/*
 * json_text: the words of JSON (RFC 8259), bounded and without allocation. Internal to decode/.
 *
 * Sees one value at a time; what is around it is the caller's (a journal entry is flat, json_tree.c
 * walks any shape). A surrogate without its pair becomes U+FFFD; control characters inside strings
 * and invalid UTF-8 are passed on, since output escapes them anyway.
 *
 * Example: "a\u0041" gives the span "aA" in the scratch.
 */
#ifndef OUTERGATE_DECODE_JSON_TEXT_H
#define OUTERGATE_DECODE_JSON_TEXT_H

#include "decode.h"

/* What is left to read; unescaped text goes to out. */
struct json {
	const char *p, *end;
	char *out, *out_end;
	bool cut;  /* the scratch was full */
	bool deep; /* something was nested too deep to be looked at, and passed over */
};

void json_space(struct json *j);
/* Takes that character, and the spaces before it. */
bool json_char(struct json *j, char c);
/* One byte to the scratch, if it has room. */
void json_byte(struct json *j, unsigned byte);
bool json_quoted(struct json *j, struct span *ret);
/* A number or a word (true, null); its text. */
bool json_bare(struct json *j, struct span *ret);

#endif
