/*
 * softether: SoftEther VPN Server: its server log, its hubs' security logs, both as files or by its
 * own syslog ("[srv/VPN/HUB] (2024-01-01 12:00:00.123) <SECURITY_LOG>: ...").
 *
 * Sees who was let in to which hub or not, the session, its inner address, its end with bytes, and
 * logins of administrators. A verdict names a connection (CID), whose address another line told
 * before: the core joins them. From the session on it is called by its own name (SID), which has
 * the user's in capitals. Cannot see: the inner address when no host on the hub is its DHCP server.
 *
 * A user's name stands last in its line or is read from the right; of the line in which a client
 * says its host, product and user, the address alone counts, which comes before them.
 *
 * Sources: SoftEtherVPN/SoftEtherVPN, src/bin/hamcore/strtable_en.stb (LS_, LH_ and LA_ words;
 * since 5.02 LH_AUTH_NG ends with the address), src/Cedar/Server.c (syslog), src/Cedar/Session.c
 * (SID).
 *
 * Example: 2024-01-01 12:00:00.123 [HUB "VPN"] Connection "CID-2": The new session "SID-BOB-1" has
 * been created. (IP address: 203.0.113.9, Port number: 5555, Physical underlying protocol: "...")
 */
#include "gateway.h"
#include "time_text.h"

/* What the server says of a connection, its name in front; behind the user's name stands `ends`. */
static const struct {
	struct span begins, ends;
	enum outcome outcome;
} verdicts[] = {
	{SPAN_LIT("Successfully authenticated as user \""), SPAN_LIT("\"."), OUTCOME_SUCCESS},
	{SPAN_LIT("User authentication failed. The user name that has been provided was \""),
	 SPAN_LIT("\"."), OUTCOME_FAILURE},
	{SPAN_LIT("The remote login has been refused because of the password for user \""),
	 SPAN_LIT("\" is blank."), OUTCOME_REFUSED},
	{SPAN_LIT("Access has beens refused to user \""),
	 SPAN_LIT("\" based on the security policy."), OUTCOME_REFUSED},
	{SPAN_LIT("Access has been refused to user \""),
	 SPAN_LIT("\" because of the expiration date has been expired."), OUTCOME_REFUSED},
};

/* What a frame takes for a host and a program: the first words of a file's line. */
static bool is_split(const struct frame *f)
{
	return (span_is(f->host, "Connection") && span_starts(f->ident, SPAN_LIT("\"CID-"))) ||
	       (span_is(f->host, "Session") && span_starts(f->ident, SPAN_LIT("\"SID-")));
}

static struct span whole(const struct frame *f)
{
	if (!is_split(f))
		return f->message;
	return (struct span){f->host.ptr, /* one piece of the line */
			     (size_t)(f->message.ptr + f->message.len - f->host.ptr)};
}

/* "[HOST/VPN/HUB] (TIME) <TYPE>: " */
static bool cut_syslog(struct span *s, struct span *host, struct span *hub, struct span *time)
{
	struct span rest = *s;
	size_t end = text_find(span_first(rest, 400), SPAN_LIT("] ("), 0), at;

	if (end == TEXT_NOT_FOUND || !text_cut(&rest, SPAN_LIT("[")))
		return false;
	*host = span_first(rest, end - 1);
	at = text_find(*host, SPAN_LIT("/VPN"), 0);
	if (at == TEXT_NOT_FOUND)
		return false;
	*hub = span_skip(*host, at + 5);
	*host = span_first(*host, at);
	*time = span_skip(rest, end + 2);
	at = text_find(*time, SPAN_LIT(") <"), 0);
	end = text_find(*time, SPAN_LIT("_LOG>: "), 0);
	if (at == TEXT_NOT_FOUND || end == TEXT_NOT_FOUND || at > 40 || end > at + 30)
		return false;
	*s = span_skip(*time, end + 7);
	*time = span_first(*time, at);
	return true;
}

/* "[HUB "VPN"] " */
static bool cut_hub(struct span *s, struct span *hub)
{
	size_t end = text_find(span_first(*s, 300), SPAN_LIT("\"] "), 0);

	if (end == TEXT_NOT_FOUND || !span_starts(*s, SPAN_LIT("[HUB \"")))
		return false;
	*hub = span_skip(span_first(*s, end), 6);
	*s = span_skip(*s, end + 3);
	return true;
}

static bool is_ours(struct span s)
{
	return span_starts(s, SPAN_LIT("Connection \"CID-")) ||
	       span_starts(s, SPAN_LIT("Session \"SID-")) ||
	       span_starts(s, SPAN_LIT("The connection \"CID-")) ||
	       span_starts(s, SPAN_LIT("For the client (IP address: "));
}

/* The words; what is told in front of them. */
static bool find_line(const struct frame *f, struct span *msg, struct span *host, struct span *hub,
		      struct span *time)
{
	*host = *hub = *time = text_none();
	*msg = whole(f);
	if (frame_has_writer(f) || (!span_empty(f->ident) && !is_split(f)))
		return false;
	if (!cut_hub(msg, hub))
		cut_syslog(msg, host, hub, time);
	return is_ours(*msg);
}

static bool wants(const struct frame *f)
{
	struct span msg, host, hub, time;

	return find_line(f, &msg, &host, &hub, &time);
}

/* "A, " behind the label. */
static bool set_origin(struct span s, struct span port_label, struct event *e)
{
	size_t at = text_find(s, SPAN_LIT(", "), 0);
	struct span port;

	if (at == TEXT_NOT_FOUND || !gateway_origin(e, span_first(s, at)))
		return false;
	port = span_skip(s, at + 2); /* next to it, or behind a name that the client's DNS has */
	if (text_cut(&port, port_label)) {
		at = text_find(port, SPAN_LIT(","), 0);
		port = span_first(port, at == TEXT_NOT_FOUND ? 0 : at);
		e->origin.port = (uint16_t)(text_u32(port, 0) & 0xffff);
	}
	return true;
}

/* "SID-BOB-[L2TP]-3": without what surrounds the name. */
static struct span user_of(struct span sid)
{
	size_t at;

	text_cut(&sid, SPAN_LIT("SID-"));
	at = text_find_last(sid, SPAN_LIT("-"));
	sid = span_first(sid, at == TEXT_NOT_FOUND ? sid.len : at);
	at = text_find_last(sid, SPAN_LIT("-["));
	return text_ends(sid, SPAN_LIT("]")) && at != TEXT_NOT_FOUND ? span_first(sid, at) : sid;
}

static void set_session(struct span sid, struct event *e)
{
	e->gate.session = gateway_number(sid);
	gateway_account(e, user_of(sid));
}

/* "NAME": REST" */
static bool cut_name(struct span *s, struct span until, struct span *ret)
{
	size_t end = text_find(*s, until, 0);

	if (end == TEXT_NOT_FOUND)
		return false;
	*ret = span_first(*s, end);
	*s = span_skip(*s, end + until.len);
	return true;
}

/* "The new session "SID" has been created. (IP address: A, Port number: P, ..." */
static bool read_opened(struct span s, struct event *e)
{
	struct span sid;

	if (!cut_name(&s, SPAN_LIT("\" has been created. (IP address: "), &sid))
		return false;
	gateway_begin(e, EVENT_SESSION_OPEN, SERVICE_VPN);
	gateway_success(e);
	set_session(sid, e);
	return set_origin(s, SPAN_LIT("Port number: "), e);
}

/* Up to 5.01 "... was "U".", then "... was "U", from A.". */
static bool cut_user(struct span s, struct span ends, struct event *e)
{
	size_t at;

	if (text_cut_end(&s, ends)) {
		gateway_account(e, s);
		return true;
	}
	at = text_find_last(s, SPAN_LIT("\", from "));
	if (at == TEXT_NOT_FOUND || !text_cut_end(&s, SPAN_LIT(".")))
		return false;
	gateway_account(e, span_first(s, at));
	return gateway_origin(e, span_skip(s, at + 8));
}

/* "CID-2": WORDS; or without a colon, of administrators. */
static bool read_connection(struct span s, struct event *e)
{
	size_t end = text_find(s, SPAN_LIT("\""), 0);
	struct span cid;

	if (end == TEXT_NOT_FOUND)
		return false;
	cid = span_first(s, end);
	s = span_skip(s, end + 1);
	e->gate.session = gateway_number(cid);
	if (span_is(s, " successfully logged in using administration mode.")) {
		gateway_row(e, EVENT_ATTEMPT, SERVICE_WEB_REMOTE, OUTCOME_SUCCESS);
		return true;
	}
	if (text_cut(&s, SPAN_LIT(" was unable to log in using administration mode. "))) {
		gateway_row(e, EVENT_ATTEMPT, SERVICE_WEB_REMOTE, OUTCOME_FAILURE);
		e->gate.reason = s;
		return true;
	}
	if (!text_cut(&s, SPAN_LIT(": ")))
		return false;
	if (text_cut(&s, SPAN_LIT("The new session \"")))
		return read_opened(s, e);
	for (size_t i = 0; i < sizeof(verdicts) / sizeof(verdicts[0]); i++) {
		if (!text_cut(&s, verdicts[i].begins))
			continue;
		gateway_row(e, EVENT_ATTEMPT, SERVICE_VPN, verdicts[i].outcome);
		return cut_user(s, verdicts[i].ends, e);
	}
	return false;
}

/* "SID": WORDS */
static bool read_session(struct span s, struct event *e)
{
	struct span sid, inner;

	if (!cut_name(&s, SPAN_LIT("\": "), &sid))
		return false;
	if (text_cut(&s, SPAN_LIT("The session has been terminated. "))) {
		gateway_begin(e, EVENT_SESSION_CLOSE, SERVICE_VPN);
		set_session(sid, e);
		e->bytes_out = gateway_count(
			gateway_after(s, SPAN_LIT("outgoing data size: "), SPAN_LIT(" ")));
		e->bytes_in = gateway_count(
			gateway_after(s, SPAN_LIT("incoming data size: "), SPAN_LIT(" ")));
		return true;
	}
	if (!text_cut(&s, SPAN_LIT("The DHCP server of host \"")) ||
	    !cut_name(&s, SPAN_LIT("\" on another session \""), &inner) ||
	    !cut_name(&s, SPAN_LIT("\", the new IP address "), &sid))
		return false;
	gateway_begin(e, EVENT_AUTH_NOTE, SERVICE_VPN);
	set_session(sid, e);
	text_cut_end(&s, SPAN_LIT("."));
	gateway_assigned(e, s);
	return e->gate.assigned.family != ADDR_NONE;
}

/* ""CID-7" (IP address: A, Host name: ..." of who asks for a hub. */
static bool read_asking(struct span s, struct event *e)
{
	struct span cid;

	if (!cut_name(&s, SPAN_LIT("\" (IP address: "), &cid))
		return false;
	gateway_begin(e, EVENT_AUTH_NOTE, SERVICE_VPN);
	e->gate.session = gateway_number(cid);
	return set_origin(s, SPAN_LIT("Port number: "), e);
}

/* "A, host name: "H", port number: P), connection "CID-7" has been created." */
static bool read_client(struct span s, struct event *e)
{
	size_t at;

	if (!text_cut_end(&s, SPAN_LIT("\" has been created.")))
		return false;
	at = text_find_last(s, SPAN_LIT("), connection \""));
	if (at == TEXT_NOT_FOUND)
		return false;
	gateway_begin(e, EVENT_AUTH_NOTE, SERVICE_VPN);
	e->gate.session = gateway_number(span_skip(s, at + 15));
	return set_origin(s, SPAN_LIT("port number: "), e);
}

static const struct {
	struct span begins;
	bool (*read)(struct span s, struct event *e);
} rows[] = {
	{SPAN_LIT("Connection \""), read_connection},
	{SPAN_LIT("Session \""), read_session},
	{SPAN_LIT("The connection \""), read_asking},
	{SPAN_LIT("For the client (IP address: "), read_client},
};

static enum decode_result decode(const struct frame *f, struct event *ret, const char **reason)
{
	struct span msg, host, hub, time;
	struct time_text t;

	*reason = "SoftEther's, and neither a verdict nor about a session";
	if (!find_line(f, &msg, &host, &hub, &time))
		return DECODE_SKIPPED;
	ret->program = text_none();
	ret->host = is_split(f) || !span_empty(host) ? host : f->host;
	if (time.len > 10 && time.ptr[10] == 'T' && time_take_utc(&time, &t))
		gateway_time(ret, t.time_ns);
	else
		gateway_local(ret, time);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct span s = msg;

		if (!text_cut(&s, rows[i].begins))
			continue;
		if (!rows[i].read(s, ret))
			return DECODE_SKIPPED;
		ret->gate.group = hub;
		return DECODE_EVENT;
	}
	return DECODE_SKIPPED;
}

const struct decoder decoder_softether = {
	.name = "softether",
	.about =
		"SoftEther VPN Server: verdicts, sessions, administrators; its files or its syslog",
	.example = "2024-01-01 12:00:00.123 [HUB \"VPN\"] Connection \"CID-2\": The new session "
		   "\"SID-BOB-1\" has been created. (IP address: 203.0.113.10, Port number: 5555, "
		   "Physical underlying protocol: \"Standard TCP/IP (IPv4)\")",
	.wants = wants,
	.decode = decode,
};
