/*
 * xrdp: logins to a desktop by xrdp's session manager, versions 0.6 to 0.10, from syslog or its own
 * file ("[20261128-17:00:00] [INFO ] ...").
 *
 * Sees each failure, each session that begins, is taken up again or ends, with account and address.
 * Cannot see: the port of a failure; a client's name. It asks PAM, so where the kernel's records
 * are, those decide and these lines add nothing to count (pam_service says so).
 *
 * Names are cut from the right: what follows them is xrdp's.
 *
 * Example: [INFO ] AUTHFAIL: user=alice ip=::ffff:203.0.113.7 time=1795324273
 */
#include "daemon_text.h"

/* "ADDR:PORT - socket: N", or since 0.10 "ADDR". The port is left out: a failure has none. */
static bool read_client(struct span s, struct endpoint *ret)
{
	struct endpoint end;
	size_t at = text_find_last(s, SPAN_LIT(" - socket: "));

	if (at != TEXT_NOT_FOUND) {
		if (!daemon_endpoint(span_first(s, at), &end))
			return false;
		ret->addr = end.addr;
		return true;
	}
	daemon_address(s, ret);
	return true;
}

/* "U ip=ADDR time=N" */
static bool read_failed(struct span s, struct event *e)
{
	struct span time = text_cut_end_word(&s);
	size_t at = text_find_last(s, SPAN_LIT(" ip="));

	if (!text_cut(&time, SPAN_LIT("time=")) || at == TEXT_NOT_FOUND)
		return false;
	e->account = span_first(s, at);
	daemon_address(span_skip(s, at + 4), &e->origin);
	return true;
}

/* "U[, display :N.0, session_pid N], ip CLIENT" */
static bool read_session(struct span s, struct event *e)
{
	size_t at;

	s = text_trim_left(s);
	if (!text_cut(&s, SPAN_LIT("username ")))
		return false;
	at = text_find_last(s, SPAN_LIT(", ip "));
	if (at == TEXT_NOT_FOUND || !read_client(span_skip(s, at + 5), &e->origin))
		return false;
	s = span_first(s, at);
	at = text_find_last(s, SPAN_LIT(", display :"));
	e->account = at == TEXT_NOT_FOUND ? s : span_first(s, at);
	return !span_empty(e->account);
}

#define OPENED EVENT_ATTEMPT, OUTCOME_SUCCESS, METHOD_PASSWORD, EVENT_ACCOUNT_EXISTS, read_session

static const struct daemon_form forms[] = {
	{SPAN_LIT("AUTHFAIL: user="), EVENT_ATTEMPT, OUTCOME_FAILURE, METHOD_PASSWORD, 0,
	 read_failed},
	{SPAN_LIT("++ created session (access granted): "), OPENED},
	{SPAN_LIT("++ created session: "), OPENED},
	{SPAN_LIT("++ reconnected session: "), OPENED},
	{SPAN_LIT("++ terminated session: "), EVENT_SESSION_CLOSE, OUTCOME_UNKNOWN, METHOD_NONE, 0,
	 read_session},
};

static bool wants(const struct frame *f)
{
	return span_is(f->ident, "xrdp-sesman") || span_is(f->ident, "xrdp-sesexec");
}

/* "(10471)(140145709626688)[INFO ] ": numbers in a debugging build, then the level. */
static void cut_level(struct span *msg)
{
	struct span s = *msg;
	size_t end;

	while (s.len && s.ptr[0] == '(') {
		end = text_find(s, SPAN_LIT(")"), 0);
		if (end == TEXT_NOT_FOUND)
			return;
		s = span_skip(s, end + 1);
	}
	end = text_find(span_first(s, 10), SPAN_LIT("] "), 0);
	if (s.len && s.ptr[0] == '[' && end != TEXT_NOT_FOUND)
		*msg = span_skip(s, end + 2);
}

static enum decode_result decode(const struct frame *f, struct event *ret, const char **reason)
{
	struct span msg = f->message;

	cut_level(&msg);
	ret->service = SERVICE_RDP;
	ret->witness = WITNESS_DAEMON;
	ret->proc = (struct proc_id){0}; /* the manager's, of all its sessions */
	daemon_trust(f, "xrdp-sesman", ret);
	ret->pam_service = SPAN_LIT("xrdp-sesman");
	return DAEMON_READ(forms, msg, ret, reason);
}

const struct decoder decoder_xrdp = {
	.name = "xrdp",
	.about = "xrdp's session manager: desktops by RDP; syslog or its own file",
	.example = "Nov 29 17:28:30 desk xrdp-sesman[21919]: [INFO ] AUTHFAIL: user=alice "
		   "ip=::ffff:203.0.113.10 time=1795324273",
	.wants = wants,
	.decode = decode,
};
