/*
 * fuzz_json: the fast ways through a JSON record say what the slow ones say. What nobody wants is
 * read as strictly as what somebody does; wants are found as by their whole path; a word is seen
 * where a search finds it.
 *
 * Every input is copied to its own block, so that reading one byte past it is caught.
 */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "common/decode/json_pick.h"
#include "common/decode/json_words.h"
#include "common/decode/text.h"

#define WANTS 6

struct values {
	struct span at[WANTS];
};

#define AT(i) at[i]
static const struct json_want wants[WANTS] = {
	JSON_WANT(struct values, AT(0), "uid"),
	JSON_WANT(struct values, AT(1), "user", "name"),
	JSON_WANT(struct values, AT(2), "target", "[]", "type"),
	JSON_WANT(struct values, AT(3), "status", "errorCode"),
	JSON_WANT(struct values, AT(4), "user"),
	JSON_WANT(struct values, AT(5), "target", "[]"),
};
static const char *const paths[WANTS] = {"uid",	 "user.name", "target[].type", "status.errorCode",
					 "user", "target[]"};

static const struct {
	struct span text;
	enum json_word word;
} words[] = {
	{SPAN_LIT("serPrincipalName\""), WORD_ENTRA},
	{SPAN_LIT("\"LogonType\""), WORD_MDE},
	{SPAN_LIT("\"eventType\""), WORD_OKTA},
	{SPAN_LIT("\"isotimestamp\""), WORD_DUO},
	{SPAN_LIT("\"eventSource\""), WORD_CLOUDTRAIL},
	{SPAN_LIT("\"connection-log-type\""), WORD_AWS_VPN},
	{SPAN_LIT("\"BastionAuditLogs\""), WORD_BASTION},
	{SPAN_LIT("\"protoPayload\""), WORD_GCP},
	{SPAN_LIT("\"yandex.cloud.audit."), WORD_YANDEX},
	{SPAN_LIT("\"id.orig_h\""), WORD_ZEEK},
	{SPAN_LIT("\"uid\""), WORD_TELEPORT},
	{SPAN_LIT("\"event_type\""), WORD_SURICATA},
	{SPAN_LIT("\"eventMessage\""), WORD_MAC},
	{SPAN_LIT("\"audit.k8s.io"), WORD_K8S_AUDIT},
	{SPAN_LIT("\"published\""), WORD_PUBLISHED},
	{SPAN_LIT("\"event\""), WORD_EVENT},
};

static void by_path(void *arg, const struct json_path *p, struct span name, struct span value,
		    char type)
{
	unsigned from = p->depth > 1 && span_is(p->names[1], "properties") ? 2 : 1;
	struct values *v = arg;

	if ((type != '"' && type != 'w') || !value.len)
		return;
	for (unsigned i = 0; i < WANTS; i++)
		if (!v->at[i].len && json_path_is(p, from, name, paths[i], true))
			v->at[i] = value;
}

static void check_words(struct span line)
{
	uint32_t seen = json_words(line);

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		CHECK(json_has_word(seen, words[i].word) ==
		      (text_find(line, words[i].text, 0) != TEXT_NOT_FOUND));
}

static void check_walks(struct span line)
{
	static char scratch[2][DECODE_RECORD_MAX];
	struct values slow = {0}, fast = {0};
	struct json j[3];
	const char *wrong, *same;

	for (unsigned i = 0; i < 3; i++)
		j[i] = (struct json){.p = line.ptr,
				     .end = line.ptr + line.len,
				     .out = i < 2 ? scratch[i] : NULL,
				     .out_end = i < 2 ? scratch[i] + sizeof(scratch[i]) : NULL};
	wrong = json_walk(&j[0], (struct json_visitor){by_path, &slow, NULL});
	same = json_pick(&j[1], (struct json_picker){wants, WANTS, &fast, false});
	CHECK(wrong == same && json_pass(&j[2]) == !wrong);
	CHECK(j[0].p == j[1].p && j[0].p == j[2].p);
	CHECK(j[0].deep == j[1].deep && j[0].deep == j[2].deep);
	for (unsigned i = 0; i < WANTS; i++)
		CHECK(span_eq(slow.at[i], fast.at[i]));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *copy = malloc(size ? size : 1);
	struct span line = {copy, size};

	CHECK(copy);
	if (size)
		memcpy(copy, data, size);
	check_words(line);
	check_walks(line);
	free(copy);
	return 0;
}
