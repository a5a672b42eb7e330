/*
 * fuzz_own: any lines against descriptions of every shape. Beyond
 * memory errors: spans lie within the line, and no line takes more than its steps.
 */
#include <stdio.h>
#include "fuzz.h"

#include "common/config.h"
#include "common/decode/own.h"
#include "common/out/out.h"

#define MUST(what)                                                                                 \
	do {                                                                                       \
		if (!(what)) {                                                                     \
			fprintf(stderr, "not so: %s\n", #what);                                    \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

static const char text[] =
	"Decoders:\n"
	"- {name: vpn, program: acmed, service: vpn, lines: ["
	"{pattern: '(?<time>[\\d:TZ.+-]+ )?in user=(?<account>.*) ip=(?<origin>\\S+) got "
	"(?<inner>\\S+) id (?<session>\\w+)', "
	"event: session_open, example: 'in user=a ip=203.0.113.9 got 10.8.0.2 id 7'}, "
	"{pattern: 'out id (?<session>\\w+) (?<reason>.*)', event: session_close, example: 'out id "
	"7 x'}]}\n"
	"- {name: ways, contains: 'w ', service: ftp, lines: ["
	"{pattern: '(?:w "
	"|(?<host>h\\w+)\\K|a)*(?<origin>[0-9a-f.:]+)(?=(?<group>.*))((a+)+|(a|aa)*|\\3)*(?<port>"
	"\\d*)(?<client>.*)', "
	"outcome: refused, example: 'w 203.0.113.9'}]}\n"
	"- {name: json, contains: 'portal', service: web-remote, lines: ["
	"{pattern: "
	"'\\{\"time\":(?<time>.*),\"portal\":\"(?<account>.*?)\",\"ip\":\"(?<origin>.*?)\",\"how\":"
	"\"(?<method>.*)\"\\}', "
	"outcome: success, example: "
	"'{\"time\":1732961234,\"portal\":\"a\",\"ip\":\"203.0.113.9\",\"how\":\"password\"}'}]}\n";

static struct own *own;

static void begin(void)
{
	static struct config c;
	char err[CONFIG_ERROR_MAX];

	if (config_parse(text, sizeof(text) - 1, "t", &c, err)) {
		fprintf(stderr, "%s\n", err);
		abort();
	}
	MUST(!config_own_new(&c, &own) && own);
}

static void within(struct span s, const char *from, size_t len)
{
	MUST(!s.len || (s.ptr >= from && s.ptr + s.len <= from + len));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct decode_stream *d;
	const char *reason = NULL;
	struct event e;
	char *copy, shown[OUT_EVENT_MAX];
	enum decode_result r;

	if (!own)
		begin();
	if (!size)
		return 0;
	d = calloc(1, sizeof(*d));
	copy = malloc(size);
	MUST(d && copy);
	memcpy(copy, data + 1, size - 1);
	d->own = own;
	d->forced_source = data[0] & 4 ? DECODER_own : -1;
	d->forced_own = data[0] & 3;
	r = decode_line(d, (struct span){copy, size - 1}, &e, &reason);
	if (r != DECODE_EVENT) {
		MUST(reason && *reason);
	} else if (e.source == DECODER_own) {
		MUST(own_find(own, e.own) >= 0);
		within(e.account, copy, size - 1);
		within(e.client, copy, size - 1);
		within(e.gate.group, copy, size - 1);
		within(e.gate.reason, copy, size - 1);
		MUST(out_event_json(&e, shown, sizeof(shown)) > 0);
	}
	free(copy);
	free(d);
	return 0;
}
