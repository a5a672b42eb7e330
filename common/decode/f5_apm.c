/*
 * f5_apm: BIG-IP Access Policy Manager: "apmd[1]: 01490102:5: /Common/VPN:Common:76220fff: ...".
 *
 * One session is told by many lines that have only its id in common: origin, user, verdict of the
 * authentication, result of the policy, inner address, bytes, end. The core joins them by that id.
 * "Logon_Denied" and the module's own "failed" are about one try. Cannot see: whether an account
 * exists, but where the directory says so.
 *
 * A user's name stands between quotes; it is read from the right.
 *
 * Sources: techdocs.f5.com, "BIG-IP APM: messages" (01490010, 01490017, 01490102, 01490500 to
 * 01490506, 01490521, 01490549).
 *
 * Example: Sep 11 07:54:59 f5 notice apmd[14311]: 01490102:5: /Common/VPN:Common:76220fff: Access
 * policy result: Network_Access
 */
#include "gateway.h"

static bool is_apm(struct span word)
{
	return span_starts(word, SPAN_LIT("apmd[")) || span_starts(word, SPAN_LIT("tmm[")) ||
	       span_starts(word, SPAN_LIT("tmm1["));
}

static bool is_level(struct span w)
{
	static const char *const levels[] = {"emerg",	"alert",  "crit", "err",
					     "warning", "notice", "info", "debug"};

	for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++)
		if (span_is(w, levels[i]))
			return true;
	return false;
}

static bool is_hex8(struct span s)
{
	for (size_t i = 0; i < s.len; i++)
		if (!text_is_digit(s.ptr[i]) && !(s.ptr[i] >= 'a' && s.ptr[i] <= 'f'))
			return false;
	return s.len == 8;
}

/* "/Common/VPN:Common:76220fff: " goes. False: something else. */
static bool cut_session(struct span *s, struct span *ret)
{
	struct span word = span_first(*s, 256), id;
	size_t end = text_find(word, SPAN_LIT(": "), 0), colon;

	if (end == TEXT_NOT_FOUND || (word.ptr[0] != '/' && end != 8))
		return false;
	id = span_first(word, end);
	colon = text_find_last(id, SPAN_LIT(":"));
	if (colon != TEXT_NOT_FOUND)
		id = span_skip(id, colon + 1);
	if (!is_hex8(id))
		return false;
	*ret = id;
	*s = span_skip(*s, end + 2);
	return true;
}

/* The message behind "apmd[1]: ", which the frame does not know behind a level's name. */
static bool find_line(const struct frame *f, struct span *ret, struct span *host)
{
	struct span rest = f->message, word, id;

	*host = f->host;
	*ret = rest;
	if (frame_has_writer(f))
		return false;
	if (!span_empty(f->ident))
		return span_is(f->ident, "apmd") || span_is(f->ident, "tmm") ||
		       span_is(f->ident, "tmm1");
	if (rest.len && rest.ptr[0] == '/')
		return cut_session(&rest, &id);
	*host = text_cut_word(&rest);
	word = text_cut_word(&rest);
	if (!is_level(word) || !is_apm(text_cut_word(&rest)))
		return false;
	*ret = rest;
	return true;
}

static bool wants(const struct frame *f)
{
	struct span msg, host;

	return find_line(f, &msg, &host);
}

/* "New session from client IP A (ST=/CC=/C=) at VIP B ..." */
static void read_new(struct span s, struct event *e)
{
	gateway_origin(e, text_cut_word(&s));
}

static void read_agent(struct span s, struct event *e)
{
	e->client = s;
}

static void read_user(struct span s, struct event *e)
{
	text_cut_end(&s, SPAN_LIT("'"));
	gateway_account(e, s);
}

static void read_result(struct span s, struct event *e)
{
	if (!span_starts(s, SPAN_LIT("Logon_Denied"))) {
		gateway_success(e);
		return;
	}
	e->kind = EVENT_ATTEMPT;
	e->outcome = OUTCOME_FAILURE;
	e->method = METHOD_PASSWORD;
}

/* "A ID: ... Tunnel Type: T Resource: R Client IP: B - ..." */
static void read_assigned(struct span s, struct event *e)
{
	struct span ip = gateway_after(s, SPAN_LIT("Client IP: "), SPAN_LIT(" "));

	gateway_success(e);
	gateway_origin(e, ip);
	gateway_assigned(e, text_cut_word(&s));
}

/* "bytes in: N, bytes out: M" */
static void read_bytes(struct span s, struct event *e)
{
	e->bytes_in = gateway_count(gateway_after(s, SPAN_LIT("bytes in: "), SPAN_LIT(",")));
	e->bytes_out = gateway_count(gateway_after(s, SPAN_LIT("bytes out: "), SPAN_LIT(",")));
}

static void read_deleted(struct span s, struct event *e)
{
	e->gate.reason = text_trim_left(s);
}

static const struct {
	const char *begins;
	enum event_kind kind;
	void (*read)(struct span s, struct event *e);
} rows[] = {
	{"New session from client IP ", EVENT_AUTH_NOTE, read_new},
	{"Received User-Agent header: ", EVENT_AUTH_NOTE, read_agent},
	{"Username '", EVENT_AUTH_NOTE, read_user},
	{"Access policy result: ", EVENT_SESSION_OPEN, read_result},
	{"Assigned PPP Dynamic IPv4: ", EVENT_SESSION_OPEN, read_assigned},
	{"Assigned PPP Static IPv4: ", EVENT_SESSION_OPEN, read_assigned},
	{"Session statistics - ", EVENT_AUTH_NOTE, read_bytes},
	{"Session deleted", EVENT_SESSION_CLOSE, read_deleted},
};

/* "AD module: authentication with 'U' failed: R"; "AD module: authenticate with 'U' successfully"
 */
static bool read_module(struct span s, struct event *e)
{
	size_t at = text_find(span_first(s, 64), SPAN_LIT(" module: authenticat"), 0);
	size_t good = text_find_last(s, SPAN_LIT("' successful"));
	size_t bad = text_find_last(s, SPAN_LIT("' failed")), end, quote;

	quote = at == TEXT_NOT_FOUND ? at : text_find(s, SPAN_LIT(" with '"), at);
	if (quote == TEXT_NOT_FOUND || (good == TEXT_NOT_FOUND && bad == TEXT_NOT_FOUND))
		return false;
	end = bad == TEXT_NOT_FOUND || (good != TEXT_NOT_FOUND && good > bad) ? good : bad;
	if (end < quote + 7)
		return false;
	gateway_begin(e, end == bad ? EVENT_ATTEMPT : EVENT_AUTH_NOTE, SERVICE_VPN);
	gateway_account(e, span_first(span_skip(s, quote + 7), end - quote - 7));
	e->witness = WITNESS_PAM_LOG;
	e->method = METHOD_PASSWORD;
	if (end == bad) {
		e->outcome = OUTCOME_FAILURE;
		e->gate.reason = gateway_after(s, SPAN_LIT("' failed: "), SPAN_LIT("\n"));
	} else {
		gateway_success(e);
	}
	return true;
}

static enum decode_result decode(const struct frame *f, struct event *ret, const char **reason)
{
	struct span msg, host, id, rest;

	*reason = "BIG-IP's, and about no session of an access policy";
	if (!find_line(f, &msg, &host))
		return DECODE_SKIPPED;
	ret->host = host;
	rest = msg;
	if (rest.len > 12 && text_is_digit(rest.ptr[0]) && rest.ptr[8] == ':' &&
	    rest.ptr[10] == ':')
		rest = text_trim_left(span_skip(rest, 11)); /* "01490102:5: " */
	if (!cut_session(&rest, &id))
		return DECODE_SKIPPED;
	*reason = "APM's, and neither a verdict nor about the life of a session";
	ret->gate.session = gateway_number(id);
	if (read_module(rest, ret))
		return DECODE_EVENT;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (!text_cut(&rest, span_of(rows[i].begins)))
			continue;
		gateway_begin(ret, rows[i].kind, SERVICE_VPN);
		rows[i].read(rest, ret);
		return DECODE_EVENT;
	}
	return DECODE_SKIPPED;
}

const struct decoder decoder_f5_apm = {
	.name = "f5-apm",
	.about = "F5 BIG-IP Access Policy Manager: verdicts and sessions, joined by their id",
	.example =
		"Sep 11 07:54:59 f5 notice apmd[14311]: 01490500:5: /Common/VPN:Common:76220fff: "
		"New session from client IP 203.0.113.10 (ST=/CC=/C=) at VIP 192.0.2.1 Listener "
		"/Common/vpn (Reputation=Unknown)",
	.wants = wants,
	.decode = decode,
};
