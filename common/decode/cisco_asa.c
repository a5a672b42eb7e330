/*
 * cisco_asa: ASA and FTD ("%ASA-6-113039: ..."): AnyConnect, WebVPN and IKEv2 remote access, and
 * administrators.
 *
 * Sees verdicts, the start of a session, the inner address, the client, a session that comes back
 * from another address, its end with bytes and reason. AAA's line (113005, 113015) and WebVPN's
 * (716039) are about one try. Cannot see: the origin of an AAA success (113004, 113012), which
 * opens nothing; names that ASA hides ("*****"); sessions that the standby unit tells again.
 *
 * Names stand in <>, but ASA keeps a '>' in them: the address is that of the last "> IP <", which
 * ASA itself writes. In 113019 and AAA's lines it is told from the right likewise.
 *
 * Sources: cisco.com, "Cisco Secure Firewall ASA Series Syslog Messages": the numbers in rows[].
 *
 * Example: %ASA-6-113039: Group <VPN> User <alice> IP <203.0.113.9> AnyConnect parent session
 * started.
 */
#include "gateway.h"

#define PREFIX_MAX 300

/*
 * The text behind "%ASA-6-". In front of it may stand a host and a colon, nothing else: a name in
 * another program's line must not bring a line of its own.
 */
static bool find_tag(const struct frame *f, struct span *ret, struct span *host)
{
	struct span rest = span_first(f->message, PREFIX_MAX), word = f->ident;

	*host = span_is(f->host, ":") ? text_none() : f->host;
	*ret = f->message;
	if (frame_has_writer(f))
		return false;
	if (!span_empty(word)) /* the frame took it for a program's name */
		return span_starts(word, SPAN_LIT("%ASA-")) || span_starts(word, SPAN_LIT("%FTD-"));
	for (unsigned n = 0; n < 3; n++) {
		if (span_starts(rest, SPAN_LIT("%ASA-")) || span_starts(rest, SPAN_LIT("%FTD-"))) {
			*ret = span_skip(f->message, (size_t)(rest.ptr - f->message.ptr));
			return true;
		}
		word = text_cut_word(&rest);
		if (n == 0 && !span_is(word, ":") && span_empty(*host)) {
			text_cut_end(&word, SPAN_LIT(":"));
			*host = word;
		} else if (!span_is(word, ":")) {
			return false;
		}
	}
	return false;
}

static bool wants(const struct frame *f)
{
	struct span msg, host;

	return find_tag(f, &msg, &host);
}

/* "Group <G> User <U> IP <A> rest": the rest is left in *s. */
static bool read_group(struct span *s, struct event *e)
{
	size_t user, ip, end;
	struct span rest;

	if (!text_cut(s, SPAN_LIT("Group <")))
		return false;
	user = text_find(*s, SPAN_LIT("> User <"), 0);
	ip = text_find_last(*s, SPAN_LIT("> IP <"));
	if (user == TEXT_NOT_FOUND || ip == TEXT_NOT_FOUND || ip < user + 8)
		return false;
	e->gate.group = span_first(*s, user);
	gateway_account(e, span_first(span_skip(*s, user + 8), ip - user - 8));
	rest = span_skip(*s, ip + 6);
	end = text_find(rest, SPAN_LIT("> "), 0);
	if (end == TEXT_NOT_FOUND || !gateway_origin(e, span_first(rest, end)))
		return false;
	*s = span_skip(rest, end + 2);
	return true;
}

static bool read_started(struct span s, struct event *e)
{
	gateway_success(e);
	return read_group(&s, e);
}

static bool read_note(struct span s, struct event *e)
{
	return read_group(&s, e);
}

static bool read_client(struct span s, struct event *e)
{
	if (!read_group(&s, e))
		return false;
	text_cut(&s, SPAN_LIT("Client Type: "));
	e->client = s;
	return true;
}

/* "IPv4 Address <A> IPv6 address <B> assigned to session"; older: "Address <A> assigned ..." */
static bool read_assigned(struct span s, struct event *e)
{
	static const struct span labels[] = {SPAN_LIT("IPv6 address <"), SPAN_LIT("Address <")};

	gateway_success(e);
	if (!read_group(&s, e))
		return false;
	for (size_t i = 0; i < 2; i++) {
		size_t at = text_find(s, labels[i], 0), end;
		struct span rest;

		if (at == TEXT_NOT_FOUND)
			continue;
		rest = span_skip(s, at + labels[i].len);
		end = text_find(rest, SPAN_LIT(">"), 0);
		gateway_assigned(e, span_first(rest, end == TEXT_NOT_FOUND ? 0 : end));
	}
	return true;
}

/* "AnyConnect session resumed connection from IP <B>." */
static bool read_resumed(struct span s, struct event *e)
{
	struct endpoint former;
	size_t at;

	gateway_success(e);
	if (!read_group(&s, e))
		return false;
	at = text_find_last(s, SPAN_LIT(" IP <"));
	former = e->origin;
	s = span_skip(s, at == TEXT_NOT_FOUND ? s.len : at + 5);
	at = text_find(s, SPAN_LIT(">"), 0);
	if (at == TEXT_NOT_FOUND || !gateway_origin(e, span_first(s, at)))
		return false;
	if (!addr_eq(&former.addr, &e->origin.addr))
		e->dest = former;
	return true;
}

static bool read_terminated(struct span s, struct event *e)
{
	size_t at;

	if (!read_group(&s, e))
		return false;
	at = text_find(s, SPAN_LIT(": "), 0);
	e->gate.reason = at == TEXT_NOT_FOUND ? s : span_skip(s, at + 2);
	return true;
}

static bool read_webvpn_verdict(struct span s, struct event *e)
{
	if (!read_group(&s, e))
		return false;
	if (span_starts(s, SPAN_LIT("Authentication: successful")))
		gateway_success(e);
	else
		e->outcome = OUTCOME_FAILURE;
	e->method = METHOD_PASSWORD;
	return true;
}

/* "Group = G, Username = U, IP = A, Session disconnected. Session Type: T, Duration: 2h:28m:09s,
 * Bytes xmt: N, Bytes rcv: N, Reason: R" */
static bool read_disconnected(struct span s, struct event *e)
{
	size_t user, ip, end;

	if (!text_cut(&s, SPAN_LIT("Group = ")))
		return false;
	user = text_find(s, SPAN_LIT(", Username = "), 0);
	ip = text_find_last(s, SPAN_LIT(", IP = "));
	if (user == TEXT_NOT_FOUND || ip == TEXT_NOT_FOUND || ip < user + 13)
		return false;
	e->gate.group = span_first(s, user);
	gateway_account(e, span_first(span_skip(s, user + 13), ip - user - 13));
	s = span_skip(s, ip + 7);
	end = text_find(s, SPAN_LIT(", "), 0);
	if (end == TEXT_NOT_FOUND || !gateway_origin(e, span_first(s, end)))
		return false;
	e->bytes_out = gateway_count(gateway_after(s, SPAN_LIT("Bytes xmt: "), SPAN_LIT(",")));
	e->bytes_in = gateway_count(gateway_after(s, SPAN_LIT("Bytes rcv: "), SPAN_LIT(",")));
	e->gate.reason = gateway_after(s, SPAN_LIT("Reason: "), SPAN_LIT(", "));
	return true;
}

/* "... Rejected : reason = R : server = S : user = U : user IP = A" */
static bool read_rejected(struct span s, struct event *e)
{
	size_t reason = text_find(s, SPAN_LIT(" : reason = "), 0);
	size_t user = text_find(s, SPAN_LIT(" : user = "), 0);
	size_t ip = text_find_last(s, SPAN_LIT(" : user IP = "));
	size_t end;

	if (reason == TEXT_NOT_FOUND || user == TEXT_NOT_FOUND)
		return false;
	if (ip == TEXT_NOT_FOUND || ip < user + 10)
		ip = s.len;
	gateway_account(e, text_trim_right(span_first(span_skip(s, user + 10), ip - user - 10)));
	gateway_origin(e, text_trim_right(span_skip(s, ip + 13)));
	e->gate.reason = span_skip(span_first(s, user), reason + 12);
	end = text_find(e->gate.reason, SPAN_LIT(" : "), 0);
	e->gate.reason =
		span_first(e->gate.reason, end == TEXT_NOT_FOUND ? e->gate.reason.len : end);
	e->outcome = OUTCOME_FAILURE;
	e->method = METHOD_PASSWORD;
	e->witness = WITNESS_PAM_LOG; /* WebVPN tells of the same try */
	if (span_is(e->gate.reason, "User was not found"))
		e->flags |= EVENT_ACCOUNT_UNKNOWN;
	else if (span_is(e->gate.reason, "Invalid password"))
		e->flags |= EVENT_ACCOUNT_EXISTS;
	return true;
}

/* "AAA user authentication Successful : server = S : user = U": from where is not said. */
static bool read_accepted(struct span s, struct event *e)
{
	size_t user = text_find(s, SPAN_LIT(" : user = "), 0);

	if (user == TEXT_NOT_FOUND)
		return false;
	gateway_account(e, text_trim_right(span_skip(s, user + 10)));
	e->service = SERVICE_OTHER;
	gateway_success(e);
	return true;
}

/* "User authentication succeeded: IP address: A, Uname: U"; 605005 says of which service. */
static bool read_uname(struct span s, struct event *e)
{
	size_t ip = text_find(s, SPAN_LIT("IP address: "), 0);
	size_t user = text_find(s, SPAN_LIT(", Uname: "), 0);

	if (ip == TEXT_NOT_FOUND || user == TEXT_NOT_FOUND || user < ip + 12)
		return false;
	gateway_account(e, text_trim_right(span_skip(s, user + 9)));
	e->service = SERVICE_OTHER;
	e->witness = WITNESS_PAM_LOG;
	if (e->kind == EVENT_AUTH_NOTE)
		gateway_success(e);
	else
		e->outcome = OUTCOME_FAILURE;
	return gateway_origin(e, span_first(span_skip(s, ip + 12), user - ip - 12));
}

/* "Login permitted from A/port to inside:B/ssh for user "U"" */
static bool read_admin(struct span s, struct event *e)
{
	size_t from = text_find(s, SPAN_LIT(" from "), 0);
	size_t user = text_find(s, SPAN_LIT(" for user \""), 0), slash;
	struct span peer, way;

	if (from == TEXT_NOT_FOUND || user == TEXT_NOT_FOUND || user < from + 6)
		return false;
	if (span_starts(s, SPAN_LIT("Login permitted")))
		gateway_success(e);
	else
		e->outcome = OUTCOME_FAILURE;
	way = span_skip(span_first(s, user), from + 6);
	s = text_trim_right(span_skip(s, user + 11));
	text_cut_end(&s, SPAN_LIT("\""));
	gateway_account(e, s);
	peer = text_cut_word(&way);
	slash = text_find_last(peer, SPAN_LIT("/"));
	if (slash == TEXT_NOT_FOUND || !gateway_origin(e, span_first(peer, slash)))
		return false;
	slash = text_find_last(way, SPAN_LIT("/"));
	e->service = gateway_way(span_skip(way, slash == TEXT_NOT_FOUND ? way.len : slash + 1));
	e->method = METHOD_PASSWORD;
	return true;
}

/* "Local:A:4500 Remote:B:4500 Username:U IKEv2 Group:G IPv4 Address=C IPv6 address=D assigned to
 * session" */
static bool read_ikev2(struct span s, struct event *e)
{
	size_t remote = text_find(s, SPAN_LIT(" Remote:"), 0);
	size_t user = text_find(s, SPAN_LIT(" Username:"), 0);
	size_t group = text_find_last(s, SPAN_LIT(" IKEv2 Group:"));

	if (remote == TEXT_NOT_FOUND || user == TEXT_NOT_FOUND || user < remote + 8 ||
	    group == TEXT_NOT_FOUND || group < user + 10)
		return false;
	gateway_success(e);
	gateway_account(e, span_first(span_skip(s, user + 10), group - user - 10));
	if (!gateway_origin(e, span_first(span_skip(s, remote + 8), user - remote - 8)))
		return false;
	s = span_skip(s, group + 13);
	e->gate.group = text_cut_word(&s);
	gateway_assigned(e, gateway_after(s, SPAN_LIT("IPv4 Address="), SPAN_LIT(" ")));
	return true;
}

static const struct {
	uint32_t id;
	enum event_kind kind;
	bool (*read)(struct span s, struct event *e);
} rows[] = {
	{113004, EVENT_AUTH_NOTE, read_accepted},
	{113005, EVENT_ATTEMPT, read_rejected},
	{113012, EVENT_AUTH_NOTE, read_accepted},
	{113015, EVENT_ATTEMPT, read_rejected},
	{113019, EVENT_SESSION_CLOSE, read_disconnected},
	{113039, EVENT_SESSION_OPEN, read_started},
	{605004, EVENT_ATTEMPT, read_admin},
	{605005, EVENT_ATTEMPT, read_admin},
	{611101, EVENT_AUTH_NOTE, read_uname},
	{611102, EVENT_ATTEMPT, read_uname},
	{716001, EVENT_SESSION_OPEN, read_started},
	{716002, EVENT_SESSION_CLOSE, read_terminated},
	{716038, EVENT_ATTEMPT, read_webvpn_verdict},
	{716039, EVENT_ATTEMPT, read_webvpn_verdict},
	{716059, EVENT_SESSION_OPEN, read_resumed},
	{722012, EVENT_AUTH_NOTE, read_note},
	{722022, EVENT_AUTH_NOTE, read_note},
	{722023, EVENT_AUTH_NOTE, read_note},
	{722032, EVENT_AUTH_NOTE, read_note},
	{722033, EVENT_AUTH_NOTE, read_note},
	{722034, EVENT_AUTH_NOTE, read_note},
	{722051, EVENT_SESSION_OPEN, read_assigned},
	{722055, EVENT_AUTH_NOTE, read_client},
	{751025, EVENT_SESSION_OPEN, read_ikev2},
};

static enum decode_result decode(const struct frame *f, struct event *ret, const char **reason)
{
	struct span msg, tag, host;
	uint32_t id;

	*reason = "begins like a line of ASA, but is cut";
	if (!find_tag(f, &msg, &host))
		return DECODE_BAD;
	tag = span_empty(f->ident) ? text_cut_word(&msg) : f->ident;
	text_cut_end(&tag, SPAN_LIT(":"));
	id = text_u32(text_find_last(tag, SPAN_LIT("-")) == TEXT_NOT_FOUND
			      ? text_none()
			      : span_skip(tag, text_find_last(tag, SPAN_LIT("-")) + 1),
		      0);
	ret->host = host;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (rows[i].id != id)
			continue;
		gateway_begin(ret, rows[i].kind, SERVICE_VPN);
		return rows[i].read(text_trim_left(msg), ret) ? DECODE_EVENT : DECODE_BAD;
	}
	*reason = "ASA's, and neither a verdict nor about a session of remote access";
	return DECODE_SKIPPED;
}

const struct decoder decoder_cisco_asa = {
	.name = "cisco-asa",
	.about = "Cisco ASA and FTD: AnyConnect, WebVPN, IKEv2 remote access, administrators",
	.example = "%ASA-6-113039: Group <VPN> User <alice> IP <203.0.113.10> AnyConnect parent "
		   "session started.",
	.wants = wants,
	.decode = decode,
};
