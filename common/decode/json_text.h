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

static inline void json_space(struct json *j)
{
	if (j->p < j->end && (unsigned char)*j->p > ' ')
		return; /* most often */
	while (j->p < j->end && (*j->p == ' ' || *j->p == '\t' || *j->p == '\n' || *j->p == '\r'))
		j->p++;
}

/* Takes that character, and the spaces before it. */
static inline bool json_char(struct json *j, char c)
{
	json_space(j);
	if (j->p >= j->end || *j->p != c)
		return false;
	j->p++;
	return true;
}

/* One byte to the scratch, if it has room. */
void json_byte(struct json *j, unsigned byte);
/* A string; points into the input when it holds no escape, else into the scratch. */
bool json_quoted(struct json *j, struct span *ret);
/* The same of one that nobody wants: nothing is written. */
bool json_pass_quoted(struct json *j);
/* A number or a word (true, null); its text. */
bool json_bare(struct json *j, struct span *ret);

#endif
