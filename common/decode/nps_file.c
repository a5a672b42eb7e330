/*
 * nps_file: Network Policy Server's own text log, in the format for databases ("IN2403.log").
 *
 * Sees who was accepted (2) or rejected (3), and the stop of an account (4), with its bytes. An
 * answer does not repeat the client's address: its Class is that of the request (1), so the
 * stream remembers the last of them. Means the same as 6272 and 6273 and goes their way. Times are
 * local, without a zone. Cannot see: an answer whose request is more than 32 requests ago.
 *
 * Sources: learn.microsoft.com, "Interpret NPS Database Format Log Files": columns 1 to 38.
 *
 * Example: "VPN1","RAS",03/05/2024,10:11:12,3,,"CORP\bob",,"203.0.113.9",...,16,"311 1 ...", ...
 */
#include "nps_file.h"

#include "text.h"
#include "time_text.h"
#include "windows.h"

enum { /* from 0 */
	AT_COMPUTER = 0,
	AT_DATE = 2,
	AT_TIME = 3,
	AT_TYPE = 4,
	AT_USER = 5,
	AT_FULL_USER = 6,
	AT_CALLING = 8,
	AT_CLIENT = 15,
	AT_AUTHENTICATION = 23,
	AT_REASON = 25,
	AT_CLASS = 26,
	AT_STATUS = 31,
	AT_INPUT = 33,
	AT_OUTPUT = 34,
	AT_SECONDS = 37,
	AT_COUNT
};

enum {
	TYPE_REQUEST = 1,
	TYPE_ACCEPT = 2,
	TYPE_REJECT = 3,
	TYPE_ACCOUNTING = 4,
	ACCOUNTING_STOP = 2
};

/* The next column without its quotes. */
static struct span cut_column(struct span *rest)
{
	bool quoted = rest->len && rest->ptr[0] == '"';
	struct span text = quoted ? span_skip(*rest, 1) : *rest;
	size_t end = text_find(text, quoted ? SPAN_LIT("\"") : SPAN_LIT(","), 0);
	struct span value = span_first(text, end == TEXT_NOT_FOUND ? text.len : end);

	*rest = span_skip(text, value.len + quoted);
	if (rest->len && rest->ptr[0] == ',')
		*rest = span_skip(*rest, 1);
	else
		*rest = text_none();
	return value;
}

static bool is_us_date(struct span d)
{
	return d.len == 10 && d.ptr[2] == '/' && d.ptr[5] == '/';
}

static unsigned read_columns(struct span line, struct span at[AT_COUNT])
{
	unsigned n = 0;

	line = text_trim_right(line);
	while (line.len && n < AT_COUNT)
		at[n++] = cut_column(&line);
	return n;
}

bool nps_file_is(struct span line)
{
	struct span at[AT_COUNT] = {0};

	return span_starts(line, SPAN_LIT("\"")) && read_columns(line, at) > AT_TYPE &&
	       is_us_date(at[AT_DATE]) && at[AT_TIME].len == 8 && at[AT_TIME].ptr[2] == ':';
}

static unsigned digits(struct span s, size_t at)
{
	return text_u32(span_first(span_skip(s, at), 2), 0);
}

static bool read_time(struct decode_stream *s, const struct span at[AT_COUNT], uint64_t *ret)
{
	struct span d = at[AT_DATE], t = at[AT_TIME];
	unsigned year = text_u32(span_skip(d, 6), 0), month = digits(d, 0), day = digits(d, 3);
	int64_t seconds;

	if (year < 1970 || year > 9999 || month < 1 || month > 12 || day < 1 || day > 31)
		return false;
	seconds = time_days(year, month, day) * 86400 + digits(t, 0) * 3600 + digits(t, 3) * 60 +
		  digits(t, 6) - s->tz_offset_s;
	if (seconds < 0)
		return false;
	*ret = s->seen_ns = (uint64_t)seconds * 1000000000;
	return true;
}

static uint64_t class_of(struct span text)
{
	uint64_t h = 0xcbf29ce484222325;

	for (size_t i = 0; i < text.len; i++)
		h = (h ^ (unsigned char)text.ptr[i]) * 0x100000001b3;
	return span_empty(text) ? 0 : h | 1;
}

static void remember(struct nps_requests *r, const struct span at[AT_COUNT])
{
	struct nps_request *q = &r->rows[r->next++ % NPS_REQUESTS];

	q->class = class_of(at[AT_CLASS]);
	if (!addr_parse(at[AT_CALLING], &q->calling, NULL))
		q->calling = (struct addr){0};
}

static void find_origin(const struct nps_requests *r, const struct span at[AT_COUNT],
			struct event *e)
{
	uint64_t class = class_of(at[AT_CLASS]);

	if (addr_parse(at[AT_CALLING], &e->origin.addr, NULL) && e->origin.addr.family)
		return;
	e->origin = (struct endpoint){0};
	for (unsigned i = 0; class && i < NPS_REQUESTS; i++)
		if (r->rows[i].class == class)
			e->origin.addr = r->rows[i].calling;
}

static void fill(struct decode_stream *s, const struct span at[AT_COUNT], uint64_t time_ns,
		 struct event *e)
{
	memset(e, 0, sizeof(*e));
	e->kind = EVENT_ATTEMPT;
	e->trust = TRUST_TEXT;
	e->witness = WITNESS_PAM_LOG; /* the event log tells of it, too */
	e->time_ns = time_ns;
	e->line = s->line;
	e->count = 1;
	e->source = DECODER_nps_file;
	e->flags = s->tz_offset_s ? 0 : EVENT_TIME_APPROXIMATE;
	e->loginuid = e->audit_session = UINT32_MAX;
	e->program = SPAN_LIT("IAS");
	e->host = at[AT_COMPUTER];
	e->service = SERVICE_VPN;
	windows_account(span_empty(at[AT_FULL_USER]) ? at[AT_USER] : at[AT_FULL_USER], e);
	if (!addr_parse(at[AT_CLIENT], &e->local.addr, NULL))
		e->local = (struct endpoint){0};
	find_origin(&s->nps, at, e);
	/* 1 PAP, 2 CHAP, 3 and 4 MS-CHAP; EAP says nothing */
	e->method = text_u32(at[AT_AUTHENTICATION], 0) - 1u < 4 ? METHOD_PASSWORD : METHOD_NONE;
}

enum decode_result nps_file_read(struct decode_stream *s, struct span line, struct event *ret,
				 const char **reason)
{
	struct span at[AT_COUNT] = {0};
	unsigned n = read_columns(line, at), type = text_u32(at[AT_TYPE], 0);
	uint64_t time_ns;

	*reason = "an NPS line whose time is none";
	if (!read_time(s, at, &time_ns))
		return DECODE_BAD;
	*reason = "an NPS line that is cut short";
	if (n <= AT_CLASS)
		return DECODE_BAD;
	fill(s, at, time_ns, ret);
	switch (type) {
	case TYPE_REQUEST:
		remember(&s->nps, at);
		*reason = "a request; its answer follows";
		return DECODE_SKIPPED;
	case TYPE_ACCEPT:
		ret->win.id = 6272;
		ret->outcome = OUTCOME_SUCCESS;
		ret->flags |= EVENT_ACCOUNT_EXISTS;
		return DECODE_EVENT;
	case TYPE_REJECT:
		ret->win.id = 6273;
		windows_radius_reason(ret, text_u32(at[AT_REASON], 16));
		return DECODE_EVENT;
	case TYPE_ACCOUNTING:
		*reason = "accounting that ends nothing";
		ret->kind = EVENT_SESSION_CLOSE;
		ret->win.id = 20272;
		ret->bytes_in = windows_value(at[AT_INPUT], 0);
		ret->bytes_out = windows_value(at[AT_OUTPUT], 0);
		return text_u32(at[AT_STATUS], 0) == ACCOUNTING_STOP ? DECODE_EVENT
								     : DECODE_SKIPPED;
	default:
		*reason = "a packet of RADIUS that says nothing about a login";
		return DECODE_SKIPPED;
	}
}

const struct decoder decoder_nps_file = {
	.name = "nps",
	.about = "Network Policy Server's text log (database format): VPN logins and refusals",
	.example = "\"VPN1\",\"RAS\",03/05/2024,10:11:12,3,\"bob\",\"CORP\\bob\",\"198.51.100.1\","
		   "\"203.0.113.9\",,,\"VPN1\",\"10.0.0.5\",1519,,\"10.0.0.5\",\"VPN1\",,,5,,1,2,4,"
		   "\"VPN\",16,\"311 1 10.0.0.5 08/25/2022 03:41:37 317092\"",
};
