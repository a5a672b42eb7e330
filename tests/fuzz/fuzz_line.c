/*
 * fuzz_line: any bytes as log lines, through decode_line() and out_event_json().
 *
 * The first byte picks --source; the rest is split into lines of one stream, so that the state
 * between lines (year, last time, scratch) is fuzzed too. RECORD instead means one record that may
 * hold newlines (journal export format, event XML). Every line is copied to its own block,
 * so that reading one byte past it is caught.
 */
#include "fuzz.h"
#include "fuzz_schemas.h"

#include "common/decode/decode.h"
#include "common/out/out.h"

#define LINES_MAX 16
#define RECORD	  0xfe

/* Inside the line, inside the stream, or one of the few words that decoders put in themselves. */
static bool span_is_sound(struct span s, struct span line, const struct decode_stream *d)
{
	static const char *const words[] = {
		"root",
		"sshd",
		"dropbear",
		"vsftpd",
		"proftpd",
		"pure-ftpd",
		"cockpit",
		"xrdp-sesman",
		"x11vnc",
		"Xvnc",
		"login",
		"anonymous",
		"su",
		"sudo",
		"w3wp",
		"IAS",
		"PowerShell",
		"fDenyTSConnections",
		"Security",
		"service-unit",
		"remote-tool",
		"tor-service",
		"account",
		"scheduled-task",
		"group",
		"firewall",
		"rdp-enabled",
		"port-forward",
		"log-cleared: somebody emptied a log",
	};

	if (s.len == 0 || (s.ptr >= line.ptr && s.ptr + s.len <= line.ptr + line.len) ||
	    (s.ptr >= (const char *)d && s.ptr + s.len <= (const char *)(d + 1)))
		return true;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (span_is(s, words[i]))
			return true;
	return span_starts(s, SPAN_LIT("audit-policy-off: auditing of "));
}

static void check_spans(const struct event *e, struct span line, const struct decode_stream *d)
{
	const struct span all[] = {e->account,	  e->client,	    e->key,	  e->host,
				   e->program,	  e->args,	    e->tty,	  e->pam_service,
				   e->text,	  e->subject,	    e->path,	  e->via,
				   e->user,	  e->api.container, e->api.image, e->api.detail,
				   e->gate.group, e->gate.reason};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		CHECK(span_is_sound(all[i], line, d));
}

static void check_event(const struct event *e, struct span line, const struct decode_stream *d)
{
	static char buf[OUT_EVENT_MAX];
	const uint32_t both = EVENT_ACCOUNT_EXISTS | EVENT_ACCOUNT_UNKNOWN;
	int n = out_event_json(e, buf, sizeof(buf));

	CHECK(e->kind > EVENT_NONE && e->kind < EVENT_COUNT);
	CHECK(e->outcome < OUTCOME_COUNT && e->method < METHOD_COUNT);
	CHECK(e->service < SERVICE_COUNT && e->source < DECODER_COUNT);
	CHECK(e->count >= 1 && e->count <= 10000);
	CHECK(e->trust != TRUST_KERNEL);
	CHECK((e->flags & both) != both);
	/* What was replayed before keeps its place in the first input. */
	CHECK(e->line == d->line || (line.len && memchr(line.ptr, '{', line.len)));
	check_spans(e, line, d);
	CHECK(n > 0 && buf[0] == '{' && buf[n - 1] == '}' && buf[n] == '\0');
	for (int i = 0; i < n; i++)
		CHECK((unsigned char)buf[i] >= ' ');
	check_schemas(e);
}

static void one_line(struct decode_stream *d, const uint8_t *data, size_t len)
{
	char *copy = malloc(len ? len : 1);
	struct span line = {copy, len};
	const char *reason = NULL;
	enum decode_result r;
	struct event e;

	CHECK(copy);
	if (len)
		memcpy(copy, data, len);
	memset(&e, 0xa5, sizeof(e));
	r = decode_line(d, line, &e, &reason);
	for (unsigned n = 0; n <= len; n++) { /* each takes a byte at least */
		CHECK(n < len || n == 0);
		if (r == DECODE_EVENT)
			check_event(&e, line, d);
		else
			CHECK(reason && reason[0]);
		if (!decode_next(d, &e, &r, &reason))
			break;
	}
	free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct decode_stream *d = calloc(1, sizeof(*d));
	size_t at = 1;

	CHECK(d);
	if (size && data[0] == RECORD) {
		d->forced_source = -1;
		one_line(d, data + 1, size - 1);
		free(d);
		return 0;
	}
	d->forced_source = size && data[0] < DECODER_COUNT ? data[0] : -1;
	for (unsigned n = 0; n < LINES_MAX && at < size; n++) {
		const uint8_t *eol = memchr(data + at, '\n', size - at);
		size_t len = eol ? (size_t)(eol - (data + at)) : size - at;

		one_line(d, data + at, len);
		at += len + 1;
	}
	free(d);
	return 0;
}
