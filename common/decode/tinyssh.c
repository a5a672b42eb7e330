/*
 * tinyssh: a small SSH server that knows keys alone, behind tcpserver, inetd or a socket unit;
 * syslog
 * (-l), with -v or more.
 *
 * Sees who connected, and which account logged in with which key. Cannot see: without -vv,
 * anything; a key that it refused, which is no guess.
 *
 * A name is whatever the client calls itself: a line tells of a login only where it ends with the
 * daemon's own word and place, and the name is cut from the right.
 *
 * Example: n6s7SQjA: info: auth: alice: ssh-ed25519 AAAAC3Nz... accepted {packet_auth.c:170}
 */
#include "daemon_text.h"

#define ID_LEN 8 /* of the connection; the process is one, too */

/* "ADDR:PORT" */
static bool read_connection(struct span s, struct event *e)
{
	return daemon_endpoint(s, &e->origin);
}

/* "U: TYPE KEY accepted" */
static bool read_auth(struct span s, struct event *e)
{
	size_t at;

	if (!text_cut_end(&s, SPAN_LIT(" accepted"))) {
		e->kind = EVENT_NONE;
		return true;
	}
	at = text_find_last(s, SPAN_LIT(": "));
	if (at == TEXT_NOT_FOUND || !at)
		return false;
	e->account = span_first(s, at);
	return true;
}

static const struct daemon_form forms[] = {
	{SPAN_LIT("connection from "), EVENT_CONNECTION, OUTCOME_UNKNOWN, METHOD_NONE, 0,
	 read_connection},
	{SPAN_LIT("auth: "), EVENT_ATTEMPT, OUTCOME_SUCCESS, METHOD_PUBLICKEY, EVENT_ACCOUNT_EXISTS,
	 read_auth},
};

/* "ID: info: TEXT {FILE:LINE}" */
static bool cut_frame(struct span *s)
{
	size_t at = text_find_last(*s, SPAN_LIT("{"));

	if (s->len < ID_LEN || s->ptr[s->len - 1] != '}' || at == TEXT_NOT_FOUND)
		return false;
	*s = span_first(*s, at);
	while (s->len && s->ptr[s->len - 1] == ' ')
		s->len--;
	*s = span_skip(*s, ID_LEN);
	return text_cut(s, SPAN_LIT(": info: "));
}

static bool wants(const struct frame *f)
{
	return span_is(f->ident, "tinysshd");
}

static enum decode_result decode(const struct frame *f, struct event *ret, const char **reason)
{
	struct span msg = f->message;
	enum decode_result r;

	*reason = "TinySSH's, and it tells of no login";
	if (!cut_frame(&msg))
		return DECODE_SKIPPED;
	ret->service = SERVICE_SSH;
	ret->witness = WITNESS_DAEMON;
	daemon_trust(f, "tinysshd", ret);
	r = DAEMON_READ(forms, msg, ret, reason);
	if (r == DECODE_EVENT && ret->kind == EVENT_NONE)
		return DECODE_SKIPPED;
	return r;
}

const struct decoder decoder_tinyssh = {
	.name = "tinyssh",
	.about = "TinySSH: logins by key; syslog with -l and -vv",
	.example =
		"Nov 22 05:14:10 router tinysshd[24460]: n6s7SQjA: info: auth: alice: ssh-ed25519 "
		"AAAAC3NzaC1lZDI1NTE5AAAAIEkeyofalicekeyofalicekeyofalicekeyofali accepted "
		"{packet_auth.c:170}",
	.wants = wants,
	.decode = decode,
};
