/*
 * iis: requests to Exchange (OWA, ECP, EWS, ActiveSync, MAPI, Outlook Anywhere) and RD Web Access
 * in the log of IIS, W3C format.
 *
 * Which columns there are says the line "#Fields:", which comes anew whenever the server starts and
 * is kept in the stream; without one it is the set that IIS has by default. Times are UTC. A name
 * of a user is there when the server has authenticated him, so a request with one that was not
 * refused is a login (mail, web-remote). A failure is a 401 with the error of a logon (1326 and its
 * like; the 401s of NTLM's own handshake are none), OWA's login page with reason=2, or a POST to RD
 * Web's login page that is answered with that page again.
 *
 * Cannot see: who failed (the column is empty then); where a client really is that comes through
 * a load balancer without its address (c-ip is the balancer's).
 *
 * Sources: learn.microsoft.com, "W3C Logging", "System Error Codes (1300-1699)".
 *
 * Example: POST /Microsoft-Server-ActiveSync/default.eas ... CORP\alice 203.0.113.9 ... 200 0 0 62
 */
#include "iis.h"

#include "text.h"
#include "time_text.h"
#include "windows.h"

enum column {
	COLUMN_OTHER,
	COLUMN_DATE,
	COLUMN_TIME,
	COLUMN_METHOD,
	COLUMN_STEM,
	COLUMN_QUERY,
	COLUMN_USER,
	COLUMN_CLIENT,
	COLUMN_AGENT,
	COLUMN_STATUS,
	COLUMN_WIN32,
	COLUMN_LOCAL,
	COLUMN_PORT,
	COLUMN_HOST,
	COLUMNS
};

static const char *const names[COLUMNS] = {
	[COLUMN_DATE] = "date",		  [COLUMN_TIME] = "time",
	[COLUMN_METHOD] = "cs-method",	  [COLUMN_STEM] = "cs-uri-stem",
	[COLUMN_QUERY] = "cs-uri-query",  [COLUMN_USER] = "cs-username",
	[COLUMN_CLIENT] = "c-ip",	  [COLUMN_AGENT] = "cs(User-Agent)",
	[COLUMN_STATUS] = "sc-status",	  [COLUMN_WIN32] = "sc-win32-status",
	[COLUMN_LOCAL] = "s-ip",	  [COLUMN_PORT] = "s-port",
	[COLUMN_HOST] = "s-computername",
};

static const uint8_t usual[] = {COLUMN_DATE,   COLUMN_TIME,  COLUMN_LOCAL, COLUMN_METHOD,
				COLUMN_STEM,   COLUMN_QUERY, COLUMN_PORT,  COLUMN_USER,
				COLUMN_CLIENT, COLUMN_AGENT, COLUMN_OTHER, COLUMN_STATUS,
				COLUMN_OTHER,  COLUMN_WIN32, COLUMN_OTHER};

static bool is_date(struct span line)
{
	return line.len > 20 && line.ptr[4] == '-' && line.ptr[7] == '-' && line.ptr[10] == ' ' &&
	       text_is_digit(line.ptr[0]) && text_is_digit(line.ptr[11]) && line.ptr[13] == ':';
}

static unsigned words_of(struct span line)
{
	unsigned n = 1;

	for (size_t i = 0; i < line.len; i++)
		n += line.ptr[i] == ' ';
	return n;
}

bool iis_is(const struct decode_stream *s, struct span line)
{
	line = text_trim_right(line);
	if (span_starts(line, SPAN_LIT("#Fields: ")) || span_starts(line, SPAN_LIT("#Date: ")) ||
	    span_starts(line, SPAN_LIT("#Software: Microsoft Internet Information Services")))
		return true;
	if (s->iis.count)
		return words_of(line) == s->iis.count && (is_date(line) || s->iis.date.len);
	return is_date(line) && words_of(line) == sizeof(usual) &&
	       text_find(line, SPAN_LIT(" /"), 20) != TEXT_NOT_FOUND;
}

static void read_fields(struct iis_columns *c, struct span rest)
{
	c->count = 0;
	while (rest.len && c->count < IIS_COLUMNS_MAX) {
		struct span name = text_cut_word(&rest);
		uint8_t what = COLUMN_OTHER;

		if (span_empty(name))
			continue;
		for (unsigned i = 1; i < COLUMNS; i++)
			if (span_is(name, names[i]))
				what = (uint8_t)i;
		c->column[c->count++] = what;
	}
	if (rest.len) /* more than anybody has: not to be read by position */
		c->count = 0;
}

static enum decode_result read_directive(struct decode_stream *s, struct span line,
					 const char **reason)
{
	*reason = "what the lines after it hold";
	if (text_cut(&line, SPAN_LIT("#Fields: "))) {
		read_fields(&s->iis, line);
	} else if (text_cut(&line, SPAN_LIT("#Date: ")) && line.len >= 10) {
		memcpy(s->iis.day, line.ptr, 10);
		s->iis.date = (struct span){s->iis.day, 10};
	}
	return DECODE_SKIPPED;
}

struct request {
	struct span value[COLUMNS];
};

static bool below(struct span stem, const char *prefix)
{
	return windows_same_name(span_first(stem, strlen(prefix)), span_of(prefix));
}

static enum service service_of(const struct request *q)
{
	static const char *const mail[] = {
		"/owa/",  "/ecp/", "/ews/",	    "/microsoft-server-activesync",
		"/mapi/", "/oab/", "/autodiscover/"};
	struct span stem = q->value[COLUMN_STEM];

	if (below(stem, "/rdweb/"))
		return SERVICE_WEB_REMOTE;
	for (size_t i = 0; i < sizeof(mail) / sizeof(mail[0]); i++)
		if (below(stem, mail[i]))
			return SERVICE_MAIL;
	/* RD Gateway asks there, too, and tells of itself. */
	return below(stem, "/rpc/rpcproxy.dll") && !windows_has(q->value[COLUMN_QUERY], ":3388")
		       ? SERVICE_MAIL
		       : SERVICE_NONE;
}

/* Of a logon, and not of a handshake. winerror.h */
static bool is_logon_error(uint32_t error)
{
	static const uint32_t errors[] = {1326, 1327, 1328, 1329, 1330,
					  1331, 1385, 1793, 1907, 1909};

	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
		if (errors[i] == error)
			return true;
	return false;
}

static bool has_failed(const struct request *q, uint32_t status)
{
	struct span stem = q->value[COLUMN_STEM];

	if (status == 401)
		return is_logon_error(text_u32(q->value[COLUMN_WIN32], 0));
	if (windows_has(stem, "/auth/logon.aspx"))
		return windows_has(q->value[COLUMN_QUERY], "reason=2");
	return status == 200 && span_is(q->value[COLUMN_METHOD], "POST") &&
	       below(stem, "/rdweb/") && windows_has(stem, "/login.aspx");
}

/* A plus sign stands for a space. */
static struct span unplussed(struct decode_stream *s, struct span text)
{
	text = span_first(text, sizeof(s->scratch) / 2);
	for (size_t i = 0; i < text.len; i++)
		s->scratch[i] = text.ptr[i] == '+' ? ' ' : text.ptr[i];
	return (struct span){s->scratch, text.len};
}

static bool read_time(struct decode_stream *s, const struct request *q, struct event *e)
{
	char text[20];
	struct span day = q->value[COLUMN_DATE], time = q->value[COLUMN_TIME], both = {text, 19};
	struct time_text t;

	if (span_empty(day))
		day = s->iis.date;
	if (day.len != 10 || time.len != 8)
		return false;
	memcpy(text, day.ptr, 10);
	text[10] = ' ';
	memcpy(text + 11, time.ptr, 8);
	if (!time_take_utc(&both, &t))
		return false;
	e->time_ns = s->seen_ns = t.time_ns;
	return true;
}

static void fill(struct decode_stream *s, const struct request *q, struct event *e)
{
	memset(e, 0, sizeof(*e));
	e->kind = EVENT_ATTEMPT;
	e->trust = TRUST_TEXT;
	e->line = s->line;
	e->count = 1;
	e->source = DECODER_iis;
	e->loginuid = e->audit_session = UINT32_MAX;
	e->program = SPAN_LIT("w3wp");
	e->host = q->value[COLUMN_HOST];
	e->client = unplussed(s, q->value[COLUMN_AGENT]);
	e->local.port = (uint16_t)(text_u32(q->value[COLUMN_PORT], 0) & UINT16_MAX);
	if (!addr_parse(q->value[COLUMN_LOCAL], &e->local.addr, NULL))
		e->local = (struct endpoint){.port = e->local.port};
}

static enum decode_result read_request(struct decode_stream *s, const struct request *q,
				       struct event *e, const char **reason)
{
	uint32_t status = text_u32(q->value[COLUMN_STATUS], 0);

	fill(s, q, e);
	e->service = service_of(q);
	*reason = "a request to nothing by which one comes in";
	if (e->service == SERVICE_NONE)
		return DECODE_SKIPPED;
	*reason = "a request without time, address or status";
	if (!status || !read_time(s, q, e) ||
	    !addr_parse(q->value[COLUMN_CLIENT], &e->origin.addr, NULL) || !e->origin.addr.family)
		return DECODE_BAD;
	windows_account(q->value[COLUMN_USER], e);
	e->outcome = has_failed(q, status) ? OUTCOME_FAILURE : OUTCOME_SUCCESS;
	*reason = "a request that nobody was logged in for";
	if (e->outcome == OUTCOME_FAILURE)
		return DECODE_EVENT;
	/* Whom the form named, whether or not he was let in. */
	if (span_empty(e->account) || status >= 400 ||
	    windows_has(q->value[COLUMN_STEM], "/auth.owa"))
		return DECODE_SKIPPED;
	return DECODE_EVENT;
}

enum decode_result iis_read(struct decode_stream *s, struct span line, struct event *ret,
			    const char **reason)
{
	const uint8_t *columns = s->iis.count ? s->iis.column : usual;
	unsigned count = s->iis.count ? s->iis.count : sizeof(usual);
	struct request q = {0};

	line = text_trim_right(line);
	if (line.ptr[0] == '#')
		return read_directive(s, line, reason);
	for (unsigned i = 0; i < count; i++) {
		struct span word = text_cut_word(&line);

		q.value[columns[i]] = span_is(word, "-") ? text_none() : word;
	}
	return read_request(s, &q, ret, reason);
}

const struct decoder decoder_iis = {
	.name = "iis",
	.about = "IIS, W3C format: Exchange (OWA, ECP, EWS, ActiveSync, MAPI) and RD Web Access",
	.example = "2024-03-05 10:11:12 192.0.2.1 POST /Microsoft-Server-ActiveSync/default.eas "
		   "Cmd=Ping 443 CORP\\alice 203.0.113.9 Apple-iPhone5C2/1104.257 - 200 0 0 62",
};
