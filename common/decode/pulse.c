/*
 * pulse: Ivanti Connect Secure, which was Pulse Connect Secure and Juniper SA: its user access log,
 * as WELF ("id=firewall ... msg=\"AUT24414: ...\"") or in the standard form ("PulseSecure: 2024-...
 * - ive - [203.0.113.9] Root::alice(Users)[Role] - Login succeeded for ...").
 *
 * Sees verdicts, the tunnel with its inner address, logouts and timeouts. "Primary authentication"
 * is about the same try as the login. Cannot see: whether an account exists.
 *
 * WELF does not quote the user's name: a line in which the origin, the user, the realm or the
 * message stands twice is refused, and so is a standard line with two ends of a name.
 *
 * Sources: help.ivanti.com, "Logging and Monitoring" of Connect Secure; recorded lines.
 *
 * Example: id=firewall time="2024-01-28 14:14:04" pri=6 fw=192.0.2.1 vpn=vpn1 ivs=Root user=alice
 * realm="Users" roles="" proto=auth src=203.0.113.9 type=vpn msg="AUT23457: Login failed using auth
 * server AD.  Reason: Failed"
 */
#include "gateway.h"

static bool is_ours(struct span ident)
{
	text_cut_end(&ident, SPAN_LIT(":"));
	return span_is(ident, "PulseSecure") || span_is(ident, "Juniper") ||
	       span_is(ident, "Ivanti");
}

static bool find_welf(const struct frame *f, struct span *msg, struct span *host)
{
	*msg = f->message;
	*host = f->host;
	if (is_ours(f->ident) && !frame_has_writer(f))
		return span_starts(*msg, SPAN_LIT("id=firewall time="));
	return gateway_starts(f, SPAN_LIT("id=firewall time="), msg, host) &&
	       text_find(span_first(*msg, 512), SPAN_LIT(" vpn="), 0) != TEXT_NOT_FOUND;
}

static bool is_standard(const struct frame *f)
{
	return is_ours(f->ident) && !frame_has_writer(f);
}

static bool wants(const struct frame *f)
{
	struct span msg, host;

	return is_standard(f) || find_welf(f, &msg, &host);
}

static const struct {
	const char *begins;
	enum event_kind kind;
	enum outcome outcome;
	enum witness witness;
} rows[] = {
	{"Login succeeded for ", EVENT_ATTEMPT, OUTCOME_SUCCESS, WITNESS_DAEMON},
	{"Agent login succeeded for ", EVENT_ATTEMPT, OUTCOME_SUCCESS, WITNESS_DAEMON},
	{"Login failed", EVENT_ATTEMPT, OUTCOME_FAILURE, WITNESS_DAEMON},
	{"Primary authentication failed for ", EVENT_ATTEMPT, OUTCOME_FAILURE, WITNESS_PAM_LOG},
	{"Primary authentication successful for ", EVENT_AUTH_NOTE, OUTCOME_SUCCESS,
	 WITNESS_PAM_LOG},
	{"VPN Tunneling: Session started for user with ", EVENT_SESSION_OPEN, OUTCOME_SUCCESS,
	 WITNESS_DAEMON},
	{"Network Connect: Session started for user with ", EVENT_SESSION_OPEN, OUTCOME_SUCCESS,
	 WITNESS_DAEMON},
	{"VPN Tunneling: Session ended for user with ", EVENT_SESSION_CLOSE, OUTCOME_UNKNOWN,
	 WITNESS_DAEMON},
	{"Network Connect: Session ended for user with ", EVENT_SESSION_CLOSE, OUTCOME_UNKNOWN,
	 WITNESS_DAEMON},
	{"Logout from ", EVENT_SESSION_CLOSE, OUTCOME_UNKNOWN, WITNESS_DAEMON},
	{"Session timed out for ", EVENT_SESSION_CLOSE, OUTCOME_UNKNOWN, WITNESS_DAEMON},
	{"Max session timeout for ", EVENT_SESSION_CLOSE, OUTCOME_UNKNOWN, WITNESS_DAEMON},
};

/* "AUT24414: " goes. */
static void cut_code(struct span *s)
{
	if (s->len > 10 && text_is_alpha(s->ptr[0]) && text_is_digit(s->ptr[3]) && s->ptr[8] == ':')
		*s = text_trim_left(span_skip(*s, 9));
}

/* "... for user with IPv4 address 10.1.2.3, hostname PC" */
static void read_inner(struct span s, struct event *e)
{
	struct span ip = gateway_after(s, SPAN_LIT("IPv4 address "), SPAN_LIT(","));

	if (span_empty(ip))
		ip = gateway_after(s, SPAN_LIT("user with IP "), SPAN_LIT(","));
	gateway_assigned(e, text_cut_word(&ip));
	e->client = gateway_after(s, SPAN_LIT("hostname "), SPAN_LIT(" "));
}

static enum decode_result read_message(struct span s, struct event *e, const char **reason)
{
	cut_code(&s);
	gateway_begin(e, EVENT_NONE, SERVICE_VPN);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (!span_starts(s, span_of(rows[i].begins)))
			continue;
		e->kind = rows[i].kind;
		e->outcome = rows[i].outcome;
		e->witness = rows[i].witness;
	}
	*reason = "Connect Secure's, and neither a verdict nor about a session";
	if (e->kind == EVENT_NONE)
		return DECODE_SKIPPED;
	if (e->outcome == OUTCOME_SUCCESS)
		gateway_success(e);
	if (e->kind == EVENT_ATTEMPT)
		e->method = METHOD_PASSWORD;
	read_inner(s, e);
	e->gate.reason = gateway_after(s, SPAN_LIT("Reason: "), SPAN_LIT("\n"));
	return DECODE_EVENT;
}

static enum decode_result read_welf(struct span msg, struct event *e, const char **reason)
{
	struct span user, realm, src, text;
	struct fields f;
	size_t from = text_find(msg, SPAN_LIT(" user="), 0), end;

	fields_read(msg, &f);
	*reason = "a line of Connect Secure in which a field stands twice, or none";
	end = text_find(msg, SPAN_LIT(" realm="), 0);
	if (from == TEXT_NOT_FOUND || end == TEXT_NOT_FOUND || end < from + 6 ||
	    !fields_once(&f, "user", &user) || !fields_once(&f, "realm", &realm) ||
	    !fields_once(&f, "src", &src) || !fields_once(&f, "msg", &text))
		return DECODE_BAD;
	if (!span_empty(fields_first(&f, "vpn")))
		e->host = fields_first(&f, "vpn");
	gateway_local(e, fields_first(&f, "time"));
	gateway_account(e, span_first(span_skip(msg, from + 6), end - from - 6));
	gateway_origin(e, src);
	e->gate.group = realm;
	return read_message(text, e, reason);
}

/* "2024-01-28 14:14:04 - ive - [203.0.113.9] Root::alice(Users)[Role] - text" */
static enum decode_result read_standard(struct span msg, struct event *e, const char **reason)
{
	size_t at = text_find(msg, SPAN_LIT(" - ["), 0), end;
	struct span who, text;

	*reason = "a line of Connect Secure that is cut, or where a name has two ends";
	if (at == TEXT_NOT_FOUND || gateway_times(msg, SPAN_LIT(")[")) != 1)
		return DECODE_BAD;
	gateway_local(e, msg);
	who = span_skip(msg, at + 4);
	end = text_find(who, SPAN_LIT("] "), 0);
	if (end == TEXT_NOT_FOUND || !gateway_origin(e, span_first(who, end)))
		return DECODE_BAD;
	who = span_skip(who, end + 2);
	end = text_find(who, SPAN_LIT(")["), 0);
	text = span_skip(who, end + 2);
	at = text_find(text, SPAN_LIT("] - "), 0);
	who = span_first(who, end);
	end = text_find_last(who, SPAN_LIT("("));
	if (end == TEXT_NOT_FOUND || at == TEXT_NOT_FOUND)
		return DECODE_BAD;
	e->gate.group = span_skip(who, end + 1);
	who = span_first(who, end);
	end = text_find(who, SPAN_LIT("::"), 0);
	gateway_account(e, end == TEXT_NOT_FOUND ? who : span_skip(who, end + 2));
	return read_message(span_skip(text, at + 4), e, reason);
}

static enum decode_result decode(const struct frame *f, struct event *ret, const char **reason)
{
	struct span msg, host;

	if (is_standard(f) && !find_welf(f, &msg, &host))
		return read_standard(f->message, ret, reason);
	*reason = "begins like a line of Connect Secure, but is cut";
	if (!find_welf(f, &msg, &host))
		return DECODE_BAD;
	ret->host = host;
	return read_welf(msg, ret, reason);
}

const struct decoder decoder_pulse = {
	.name = "pulse",
	.about = "Ivanti (Pulse) Connect Secure: verdicts, tunnels, logouts (WELF or standard)",
	.example =
		"id=firewall time=\"2024-01-28 14:14:04\" pri=6 fw=192.0.2.1 vpn=vpn1 ivs=Root "
		"user=alice realm=\"Users\" roles=\"\" proto=auth src=203.0.113.10 dst= type=vpn "
		"msg=\"AUT23457: Login failed using auth server AD.  Reason: Failed\"",
	.wants = wants,
	.decode = decode,
};
