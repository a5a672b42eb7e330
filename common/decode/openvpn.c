/*
 * openvpn: the server's own log, by syslog ("openvpn[7]: alice/203.0.113.9:59321 MULTI: ...") or in
 * a file of its own ("2023-10-31 15:09:59 203.0.113.9:59321 [alice] Peer Connection ..."), and the
 * same as Access Server passes it on ("... [stdout#info] [OVPN 4] OUT: '2023-10-31 15:09:59 ...'").
 *
 * Sees passwords that were right or wrong, certificates that were refused, the session, its inner
 * address, its end. What a client's lines have in common is its address and port, by which the core
 * joins them. Cannot see: the account of a wrong password, which OpenVPN does not log; words of its
 * plugins and Access Server's own (AUTH SUCCESS), which name no address.
 *
 * In front of the address stands the certificate's name, or the user's once it has logged in.
 *
 * Source: OpenVPN 2.4 to 2.6, ssl.c, ssl_verify.c, multi.c, push.c; lines of openvpnas.log in
 * Google SecOps' documents.
 *
 * Example: 2023-10-31 15:09:59 203.0.113.9:59321 [alice] Peer Connection Initiated with
 * [AF_INET]203.0.113.9:59321
 */
#include "daemon_text.h"
#include "gateway.h"

#define WORDS_MAX 6 /* of a certificate's name */

/* "203.0.113.9:59321" or "alice/203.0.113.9:59321": the address has a port. */
static bool read_peer(struct span word, struct endpoint *ret, struct span *address)
{
	size_t slash = text_find_last(word, SPAN_LIT("/"));
	struct addr a;
	uint16_t port;

	*address = slash == TEXT_NOT_FOUND ? word : span_skip(word, slash + 1);
	if (!addr_parse(*address, &a, &port) || !a.family || !port)
		return false;
	*ret = (struct endpoint){.addr = a, .port = port};
	return true;
}

static bool is_daemon(struct span ident)
{
	return span_starts(ident, SPAN_LIT("openvpn")) || span_starts(ident, SPAN_LIT("ovpn"));
}

/* The first words of a file of its own, which a frame takes for a host and a program. */
static bool is_subject(struct span ident)
{
	return span_is(ident, "MULTI") || span_is(ident, "MULTI_sva") || span_is(ident, "TLS") ||
	       span_is(ident, "VERIFY") || span_is(ident, "PUSH") || span_is(ident, "SENT");
}

/* From the peer on; *ret_name what stood in front of its address, *msg what follows it. */
static bool cut_peer(struct span *msg, struct endpoint *ret, struct span *address,
		     struct span *ret_name)
{
	struct span rest = span_first(*msg, 512), word;

	for (unsigned n = 0; n < WORDS_MAX && rest.len; n++) {
		word = text_cut_word(&rest);
		if (!read_peer(word, ret, address))
			continue;
		*ret_name = span_first(*msg, (size_t)(address->ptr - msg->ptr));
		text_cut_end(ret_name, SPAN_LIT("/"));
		*msg = span_skip(*msg, (size_t)(rest.ptr - msg->ptr));
		return true;
	}
	return false;
}

/* "Tue Aug 12 08:26:30 2025 us=340080 " of 2.4 goes; *ret its time as if it were UTC, or 0. */
static struct span skip_time(struct span s, uint64_t *ret)
{
	static const struct span months = SPAN_LIT("JanFebMarAprMayJunJulAugSepOctNovDec");
	char date[10] = {'y', 'y', 'y', 'y', '-', '0', '0', '-', '0', '0'};
	struct span rest = s, word;
	size_t month;

	*ret = 0;
	if (s.len < 26 || s.ptr[3] != ' ' || s.ptr[7] != ' ' || s.ptr[13] != ':' ||
	    s.ptr[24] != ' ')
		return s;
	month = text_find(months, span_first(span_skip(s, 4), 3), 0);
	if (month == TEXT_NOT_FOUND || month % 3)
		return s;
	memcpy(date, s.ptr + 20, 4);
	date[5] = (char)('0' + (month / 3 + 1) / 10);
	date[6] = (char)('0' + (month / 3 + 1) % 10);
	date[8] = s.ptr[8] == ' ' ? '0' : s.ptr[8];
	date[9] = s.ptr[9];
	*ret = gateway_clock((struct span){date, 10}, span_first(span_skip(s, 11), 8), text_none());
	rest = span_skip(s, 25);
	word = span_first(rest, 3);
	if (span_is(word, "us="))
		text_cut_word(&rest);
	return rest;
}

/* "2023-10-31 15:09:59 " */
static struct span skip_plain_time(struct span s)
{
	bool is_time = s.len > 20 && s.ptr[4] == '-' && s.ptr[10] == ' ' && s.ptr[13] == ':' &&
		       s.ptr[19] == ' ' && text_is_digit(s.ptr[0]) && text_is_digit(s.ptr[18]);

	return is_time ? span_skip(s, 20) : s;
}

/* What Access Server puts around a line goes: "[stdout#info] [OVPN 4] OUT: 'TIME LINE'". */
static bool cut_access_server(struct span *s)
{
	size_t at = text_find(span_first(*s, 64), SPAN_LIT("] OUT: "), 0);
	struct span rest = *s, quote;
	uint64_t ns;

	if (at == TEXT_NOT_FOUND || !span_starts(rest, SPAN_LIT("[stdout#")) ||
	    text_find(span_first(rest, at), SPAN_LIT("] [OVPN "), 0) == TEXT_NOT_FOUND)
		return false;
	rest = span_skip(rest, at + 7);
	quote = span_first(rest, 1);
	if (!span_is(quote, "'") && !span_is(quote, "\""))
		return false;
	rest = span_skip(rest, 1);
	text_cut_end(&rest, quote);
	*s = skip_time(skip_plain_time(rest), &ns);
	return true;
}

/* The whole line behind its time. */
static struct span whole(const struct frame *f)
{
	struct span inner = f->message;
	uint64_t ns;

	if (span_empty(f->ident) && cut_access_server(&inner))
		return inner;
	if (span_empty(f->ident))
		return skip_time(f->message, &ns);
	if (span_empty(f->ident) || is_daemon(f->ident) || span_empty(f->host))
		return f->message;
	return (struct span){f->host.ptr, /* one piece of the line */
			     (size_t)(f->message.ptr + f->message.len - f->host.ptr)};
}

static bool wants(const struct frame *f)
{
	struct span msg, name, address, word;
	struct endpoint peer;
	uint64_t ns;

	if (is_daemon(f->ident)) /* Sophos UTM has it log in a form of its own */
		return !span_starts(f->message, SPAN_LIT("id=\""));
	if (frame_has_writer(f))
		return false;
	if (is_subject(f->ident))
		return !f->pid && read_peer(f->host, &peer, &address);
	if (!span_empty(f->ident))
		return false;
	msg = f->message;
	if (cut_access_server(&msg))
		return true;
	msg = skip_time(f->message, &ns);
	word = text_cut_word(&msg); /* what other daemons begin with is no peer */
	msg = skip_time(f->message, &ns);
	return read_peer(word, &peer, &address) ||
	       (text_find(span_first(msg, 80), SPAN_LIT("/"), 0) != TEXT_NOT_FOUND &&
		cut_peer(&msg, &peer, &address, &name) && span_starts(msg, SPAN_LIT("MULTI")));
}

static bool read_failure(struct span s, struct event *e)
{
	e->outcome = OUTCOME_FAILURE;
	e->method = METHOD_PASSWORD;
	(void)s;
	return true;
}

/* "TLS: Username/Password authentication succeeded for username 'U' [CN SET]" */
static bool read_password(struct span s, struct event *e)
{
	size_t end = text_find_last(s, SPAN_LIT("'"));

	if (end == TEXT_NOT_FOUND)
		return false;
	gateway_account(e, span_first(s, end));
	e->method = METHOD_PASSWORD;
	if (e->kind == EVENT_ATTEMPT)
		gateway_success(e);
	return true;
}

/* "[alice] Peer Connection Initiated with ..." */
static bool read_initiated(struct span s, struct event *e)
{
	size_t end = text_find_last(s, SPAN_LIT("] Peer Connection Initiated with "));

	if (end == TEXT_NOT_FOUND)
		return false;
	gateway_account(e, span_first(s, end));
	gateway_success(e);
	return true;
}

/* "10.8.0.6 -> alice/..." and "IPv4=10.8.0.6, IPv6=(Not enabled)" and "alice/...: 10.8.0.6" */
static bool read_inner(struct span s, struct event *e)
{
	struct span ip = text_trim_right(s);
	size_t at = text_find(s, SPAN_LIT(","), 0);

	if (text_cut(&s, SPAN_LIT("IPv4=")))
		ip = span_first(s, at == TEXT_NOT_FOUND ? s.len : at - 5);
	else if (text_find(s, SPAN_LIT(" -> "), 0) != TEXT_NOT_FOUND)
		ip = text_cut_word(&s);
	else
		ip = text_cut_end_word(&ip);
	gateway_assigned(e, ip);
	return true;
}

static bool read_client(struct span s, struct event *e)
{
	e->client = s;
	return true;
}

static bool read_certificate(struct span s, struct event *e)
{
	e->outcome = OUTCOME_FAILURE;
	e->method = METHOD_CERTIFICATE;
	e->gate.reason = gateway_after(s, SPAN_LIT("error="), SPAN_LIT(": "));
	e->account = gateway_after(s, SPAN_LIT("CN="), SPAN_LIT(","));
	return true;
}

/* "SIGTERM[soft,remote-exit] received, client-instance exiting" */
static bool read_exit(struct span s, struct event *e)
{
	size_t end = text_find(s, SPAN_LIT("] received, client-instance "), 0);

	if (end == TEXT_NOT_FOUND)
		return false;
	e->gate.reason = span_first(s, end);
	return true;
}

static const struct {
	const char *begins;
	enum event_kind kind;
	enum witness witness;
	bool (*read)(struct span s, struct event *e);
} rows[] = {
	{"TLS: Username/Password authentication succeeded for username '", EVENT_ATTEMPT,
	 WITNESS_DAEMON, read_password},
	{"TLS: Username/Password authentication deferred for username '", EVENT_AUTH_NOTE,
	 WITNESS_DAEMON, read_password},
	{"TLS Auth Error: Auth Username/Password verification failed for peer", EVENT_ATTEMPT,
	 WITNESS_DAEMON, read_failure},
	{"SENT CONTROL [UNDEF]: 'AUTH_FAILED", EVENT_ATTEMPT, WITNESS_PAM_LOG, read_failure},
	{"[", EVENT_SESSION_OPEN, WITNESS_DAEMON, read_initiated},
	{"MULTI: primary virtual IP for ", EVENT_AUTH_NOTE, WITNESS_DAEMON, read_inner},
	{"MULTI: Learn: ", EVENT_AUTH_NOTE, WITNESS_DAEMON, read_inner},
	{"MULTI_sva: pool returned ", EVENT_AUTH_NOTE, WITNESS_DAEMON, read_inner},
	{"peer info: IV_GUI_VER=", EVENT_AUTH_NOTE, WITNESS_DAEMON, read_client},
	{"VERIFY ERROR: ", EVENT_ATTEMPT, WITNESS_DAEMON, read_certificate},
	{"SIGTERM[soft,", EVENT_SESSION_CLOSE, WITNESS_DAEMON, read_exit},
	{"SIGUSR1[soft,", EVENT_SESSION_CLOSE, WITNESS_DAEMON, read_exit},
};

static enum decode_result decode(const struct frame *f, struct event *ret, const char **reason)
{
	struct span msg = whole(f), name, address;
	struct endpoint peer;
	uint64_t ns;

	*reason = "OpenVPN's, and about no client";
	if (is_daemon(f->ident))
		daemon_trust_service(f, "openvpn", ret);
	if (!cut_peer(&msg, &peer, &address, &name))
		return DECODE_SKIPPED;
	if (!is_daemon(f->ident))
		ret->host = text_none();
	skip_time(f->message, &ns);
	if (ns && ret->flags & EVENT_TIME_APPROXIMATE && span_empty(f->ident))
		ret->time_ns = ns; /* local time */
	*reason = "OpenVPN's, and neither a verdict nor about a session";
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct span s = msg;

		if (!text_cut(&s, span_of(rows[i].begins)))
			continue;
		gateway_begin(ret, rows[i].kind, SERVICE_VPN);
		ret->origin = peer;
		ret->program = is_daemon(f->ident) ? f->ident : text_none();
		ret->gate.session = gateway_number(address);
		ret->gate.by_port = true;
		ret->witness = rows[i].witness;
		gateway_account(ret, name);
		if (rows[i].read(s, ret))
			return DECODE_EVENT;
	}
	return DECODE_SKIPPED;
}

const struct decoder decoder_openvpn = {
	.name = "openvpn",
	.about =
		"OpenVPN servers: verdicts, sessions, inner addresses; syslog or a file of its own",
	.example = "2023-10-31 15:09:59 203.0.113.10:59321 [alice] Peer Connection Initiated with "
		   "[AF_INET]203.0.113.10:59321",
	.wants = wants,
	.decode = decode,
};
