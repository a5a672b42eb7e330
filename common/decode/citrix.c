/*
 * citrix: NetScaler (Citrix ADC) and its Gateway: "MM/DD/YYYY:hh:mm:ss GMT host 0-PPE-0 : default
 * SSLVPN LOGIN n 0 : ...".
 *
 * Sees failed logins with their reason, the start and end of a session with bytes, administrators'
 * logins and logouts by GUI, CLI and API. The client's type says whether a session is a tunnel
 * (vpn) or desktops and applications (citrix). Cannot see: the inner address; the end of one
 * application.
 *
 * A user's name and the browser's are not marked off: a line in which " - Client_ip " stands twice
 * is refused.
 *
 * Sources: support.citrix.com CTX550269 and CTX200891; "NetScaler Syslog Message Reference".
 *
 * Example: 05/06/2023:15:28:29 GMT ns 0-PPE-0 : default SSLVPN LOGIN 36493 0 : Context
 * alice@203.0.113.9 - SessionId: 1767 - User alice - Client_ip 203.0.113.9 - Nat_ip "Mapped Ip" -
 * ...
 */
#include "gateway.h"

/* "05/06/2023:15:28:29", the day first in some locales. */
static bool is_date(struct span w)
{
	return w.len == 19 && w.ptr[2] == '/' && w.ptr[5] == '/' && w.ptr[10] == ':' &&
	       w.ptr[13] == ':' && w.ptr[16] == ':' && text_is_digit(w.ptr[0]);
}

/* The date may stand behind a host, and behind "<local0.info>" and a host; nothing else. */
static bool find_date(const struct frame *f, struct span *ret, struct span *host)
{
	struct span rest = f->message, word;

	*host = f->host;
	if (!span_empty(f->ident) || frame_has_writer(f))
		return false;
	word = text_cut_word(&rest);
	if (span_starts(word, SPAN_LIT("<local"))) {
		rest = text_trim_left(rest);
		word = text_cut_word(&rest);
	}
	if (!is_date(word)) {
		*host = word;
		rest = text_trim_left(rest);
		word = text_cut_word(&rest);
	}
	*ret = (struct span){word.ptr, (size_t)(rest.ptr + rest.len - word.ptr)};
	return is_date(word);
}

static bool wants(const struct frame *f)
{
	struct span msg, host;

	return find_date(f, &msg, &host);
}

static void read_time(struct span date, struct span zone, struct event *e)
{
	char iso[10];

	memcpy(iso, date.ptr + 6, 4);
	iso[4] = iso[7] = '-';
	memcpy(iso + 5, date.ptr, 2);
	memcpy(iso + 8, date.ptr + 3, 2);
	if (span_is(zone, "GMT"))
		gateway_time(e, gateway_clock((struct span){iso, 10}, span_skip(date, 11), zone));
}

/* "name value" between " - ": the first of that name. */
static struct span value(struct span s, struct span name)
{
	size_t at = text_find(s, name, 0), end;

	if (at == TEXT_NOT_FOUND)
		return text_none();
	s = span_skip(s, at + name.len);
	end = text_find(s, SPAN_LIT(" - "), 0);
	s = text_trim_right(span_first(s, end == TEXT_NOT_FOUND ? s.len : end));
	if (s.len > 1 && s.ptr[0] == '"' && s.ptr[s.len - 1] == '"')
		s = span_first(span_skip(s, 1), s.len - 2);
	return s;
}

/* "User U - Client_ip A - ...": what follows the address is left in *s. */
static bool read_who(struct span *s, struct event *e)
{
	size_t user = text_find(*s, SPAN_LIT("User "), 0);
	size_t ip = text_find(*s, SPAN_LIT(" - Client_ip "), 0);

	if (user == TEXT_NOT_FOUND || ip == TEXT_NOT_FOUND || ip < user + 5 ||
	    gateway_times(*s, SPAN_LIT(" - Client_ip ")) != 1)
		return false;
	gateway_account(e, span_first(span_skip(*s, user + 5), ip - user - 5));
	e->gate.session = gateway_number(value(span_first(*s, user), SPAN_LIT("SessionId: ")));
	*s = span_skip(*s, ip + 13);
	return gateway_origin(e, text_cut_word(s));
}

static bool read_login(struct span s, struct event *e)
{
	gateway_success(e);
	if (!read_who(&s, e))
		return false;
	e->client = value(s, SPAN_LIT("- Browser_type "));
	e->gate.group = gateway_word(gateway_after(s, SPAN_LIT("Group(s) \""), SPAN_LIT("\"")));
	if (span_is(value(s, SPAN_LIT("SSLVPN_client_type ")), "ICA"))
		e->service = SERVICE_CITRIX;
	return true;
}

static bool read_logout(struct span s, struct event *e)
{
	if (!read_who(&s, e))
		return false;
	e->bytes_out = gateway_count(value(s, SPAN_LIT("- Total_bytes_send ")));
	e->bytes_in = gateway_count(value(s, SPAN_LIT("- Total_bytes_recv ")));
	e->gate.reason = value(s, SPAN_LIT("- LogoutMethod "));
	return true;
}

static bool read_failed(struct span s, struct event *e)
{
	e->outcome = OUTCOME_FAILURE;
	e->method = METHOD_PASSWORD;
	if (!read_who(&s, e))
		return false;
	e->gate.reason = value(s, SPAN_LIT("- Failure_reason "));
	return true;
}

/* "Authentication is rejected for U (client ip : A  , vserver ip: B ), extended error, ..." */
static bool read_rejected(struct span s, struct event *e)
{
	size_t at;

	text_cut(&s, SPAN_LIT("\""));
	at = text_find_last(s, SPAN_LIT(" (client ip : "));
	if (!text_cut(&s, SPAN_LIT("Authentication is rejected for ")) || at == TEXT_NOT_FOUND ||
	    at < 31)
		return false;
	gateway_account(e, span_first(s, at - 31));
	s = span_skip(s, at - 31 + 14);
	e->outcome = OUTCOME_FAILURE;
	e->method = METHOD_PASSWORD;
	e->witness = WITNESS_PAM_LOG; /* LOGIN_FAILED tells of the same try */
	return gateway_origin(e, text_cut_word(&s));
}

/* "User U - ADM_User NONE - Remote_ip A - Command "login U" - Status "Success"" */
static bool read_command(struct span s, struct event *e)
{
	struct span command = value(s, SPAN_LIT(" - Command "));
	size_t end = text_find(s, SPAN_LIT(" - "), 0);

	if (end == TEXT_NOT_FOUND || !text_cut(&s, SPAN_LIT("User ")) ||
	    !gateway_origin(e, value(s, SPAN_LIT(" - Remote_ip "))))
		return false;
	gateway_account(e, span_first(s, end - 5));
	if (span_starts(command, SPAN_LIT("logout")))
		e->kind = EVENT_SESSION_CLOSE;
	else if (!span_starts(command, SPAN_LIT("login")))
		e->kind = EVENT_NONE;
	else if (span_is(value(s, SPAN_LIT(" - Status ")), "Success"))
		gateway_success(e);
	else
		e->outcome = OUTCOME_FAILURE;
	return true;
}

static const struct {
	const char *event;
	enum event_kind kind;
	enum service service;
	bool (*read)(struct span s, struct event *e);
} rows[] = {
	{"SSLVPN LOGIN", EVENT_SESSION_OPEN, SERVICE_VPN, read_login},
	{"SSLVPN LOGOUT", EVENT_SESSION_CLOSE, SERVICE_VPN, read_logout},
	{"AAA LOGIN_FAILED", EVENT_ATTEMPT, SERVICE_VPN, read_failed},
	{"GUI CMD_EXECUTED", EVENT_ATTEMPT, SERVICE_WEB_REMOTE, read_command},
	{"API CMD_EXECUTED", EVENT_ATTEMPT, SERVICE_WEB_REMOTE, read_command},
	{"CLI CMD_EXECUTED", EVENT_ATTEMPT, SERVICE_SSH, read_command},
};

static enum decode_result read_event(struct span s, struct event *e, const char **reason)
{
	struct span feature = text_cut_word(&s), event = text_cut_word(&s), both;
	size_t at = text_find(s, SPAN_LIT(" : "), 0);

	both = (struct span){feature.ptr, feature.len + 1 + event.len};
	s = text_trim_left(span_skip(s, at == TEXT_NOT_FOUND ? s.len : at + 3));
	*reason = "begins like a line of NetScaler, but is cut or has a field twice";
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (!span_is(both, rows[i].event))
			continue;
		gateway_begin(e, rows[i].kind, rows[i].service);
		if (!rows[i].read(s, e))
			return DECODE_BAD;
		*reason = "a command that is no login";
		return e->kind == EVENT_NONE ? DECODE_SKIPPED : DECODE_EVENT;
	}
	if (span_is(both, "AAA Message") &&
	    span_starts(s, SPAN_LIT("\"Authentication is rejected for "))) {
		gateway_begin(e, EVENT_ATTEMPT, SERVICE_VPN);
		return read_rejected(s, e) ? DECODE_EVENT : DECODE_BAD;
	}
	*reason = "NetScaler's, and neither a verdict nor about a session";
	return DECODE_SKIPPED;
}

static enum decode_result decode(const struct frame *f, struct event *ret, const char **reason)
{
	struct span msg, host, date, zone, rest;
	size_t at;

	*reason = "begins like a line of NetScaler, but is cut";
	if (!find_date(f, &msg, &host))
		return DECODE_BAD;
	date = text_cut_word(&msg);
	rest = text_trim_left(msg);
	zone = text_cut_word(&rest);
	read_time(date, zone, ret);
	if (!span_is(zone, "GMT"))
		rest = text_trim_left(msg);
	at = text_find(rest, SPAN_LIT(" : "), 0);
	if (at == TEXT_NOT_FOUND)
		return DECODE_BAD;
	ret->host = text_cut_word(&rest);
	if (span_is(ret->host, "0-PPE-0") || span_empty(ret->host))
		ret->host = host;
	msg = span_skip(msg, text_find(msg, SPAN_LIT(" : "), 0) + 3);
	text_cut(&msg, SPAN_LIT("default "));
	return read_event(msg, ret, reason);
}

const struct decoder decoder_citrix = {
	.name = "citrix",
	.about = "Citrix NetScaler (ADC) and Gateway: verdicts, sessions, administrators",
	.example = "05/06/2023:15:28:29 GMT ns1 0-PPE-0 : default SSLVPN LOGIN 36493 0 : Context "
		   "alice@203.0.113.10 - SessionId: 1767 - User alice - Client_ip 203.0.113.10 - "
		   "Nat_ip \"Mapped Ip\" - Vserver 192.0.2.1:443 - Browser_type \"Mozilla/5.0\" - "
		   "SSLVPN_client_type ICA - Group(s) \"N/A\"",
	.wants = wants,
	.decode = decode,
};
