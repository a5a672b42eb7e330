/*
 * proftpd: ProFTPD's logins (and those of its SFTP), from syslog or its SystemLog.
 *
 * Sees each failure with account and address; each login from level info on. Cannot see: the port;
 * what AuthLog or SyslogLevel leave out.
 *
 * "SERVER (HOST[ADDR])" stands in front and is the daemon's. The name follows and what the daemon
 * says about it comes last, so it is cut from the right; a name that logged in exists.
 *
 * Example: srv (203.0.113.7[203.0.113.7]) - USER alice (Login failed): Incorrect password
 */
#include "daemon_text.h"

/* "SERVER (HOST[ADDR]) - TEXT", in its own file "SERVER (HOST[ADDR]): TEXT". HOST is what DNS says.
 */
static bool cut_client(struct span *s, struct endpoint *ret)
{
	size_t open = text_find(*s, SPAN_LIT(" ("), 0), end = text_find(*s, SPAN_LIT("])"), 0), at;
	struct span rest;

	if (open == TEXT_NOT_FOUND || end == TEXT_NOT_FOUND || end < open)
		return false;
	rest = span_skip(*s, end + 2);
	if (!text_cut(&rest, SPAN_LIT(" - ")) && !text_cut(&rest, SPAN_LIT(": ")))
		return false;
	*s = span_first(*s, end);
	at = text_find_last(*s, SPAN_LIT("["));
	if (at == TEXT_NOT_FOUND || at < open)
		return false;
	daemon_address(span_skip(*s, at + 1), ret);
	*s = rest;
	return true;
}

/* What it says of "USER U", from the right. */
static const struct {
	struct span words;
	bool last; /* nothing follows */
	enum outcome outcome;
	uint32_t flags;
} verdicts[] = {
	{SPAN_LIT(": Login successful"), false, OUTCOME_SUCCESS, EVENT_ACCOUNT_EXISTS},
	{SPAN_LIT(": no such user found from "), false, OUTCOME_FAILURE, EVENT_ACCOUNT_UNKNOWN},
	{SPAN_LIT(": no such user"), true, OUTCOME_FAILURE, EVENT_ACCOUNT_UNKNOWN},
	{SPAN_LIT(" (Login failed): "), false, OUTCOME_FAILURE, EVENT_ACCOUNT_EXISTS},
};

static bool ends_there(struct span rest, size_t i)
{
	if (span_is(verdicts[i].words, ": Login successful"))
		return span_empty(rest) || span_is(rest, ".");
	return !verdicts[i].last || span_empty(rest);
}

/* "U VERDICT": the one that stands furthest to the right. */
static bool read_user(struct span s, struct event *e)
{
	size_t most = 0, at;

	e->kind = EVENT_NONE;
	for (size_t i = 0; i < sizeof(verdicts) / sizeof(verdicts[0]); i++) {
		at = text_find_last(s, verdicts[i].words);
		if (at == TEXT_NOT_FOUND || (e->kind && at <= most) ||
		    !ends_there(span_skip(s, at + verdicts[i].words.len), i))
			continue;
		most = at;
		e->kind = EVENT_ATTEMPT;
		e->outcome = verdicts[i].outcome;
		e->flags &= ~(uint32_t)(EVENT_ACCOUNT_EXISTS | EVENT_ACCOUNT_UNKNOWN);
		e->flags |= verdicts[i].flags;
		e->account = span_first(s, at);
	}
	return true;
}

static bool read_root(struct span s, struct event *e)
{
	e->account = SPAN_LIT("root");
	return span_empty(s) || s.ptr[0] == '.';
}

static const struct daemon_form forms[] = {
	{SPAN_LIT("USER "), EVENT_ATTEMPT, OUTCOME_UNKNOWN, METHOD_PASSWORD, 0, read_user},
	{SPAN_LIT("SECURITY VIOLATION: Root login attempted"), EVENT_ATTEMPT, OUTCOME_FAILURE,
	 METHOD_PASSWORD, EVENT_ACCOUNT_EXISTS, read_root},
};

static bool wants(const struct frame *f)
{
	return span_is(f->ident, "proftpd");
}

static enum decode_result decode(const struct frame *f, struct event *ret, const char **reason)
{
	struct span msg = f->message;
	enum decode_result r;

	*reason = "ProFTPD's, and it tells of no login";
	if (!cut_client(&msg, &ret->origin))
		return DECODE_SKIPPED;
	ret->service = SERVICE_FTP;
	ret->witness = WITNESS_DAEMON;
	daemon_trust(f, "proftpd", ret);
	r = DAEMON_READ(forms, msg, ret, reason);
	return r == DECODE_EVENT && ret->kind == EVENT_NONE ? DECODE_SKIPPED : r;
}

const struct decoder decoder_proftpd = {
	.name = "proftpd",
	.about = "ProFTPD's logins; syslog or its own file",
	.example = "Nov 29 17:29:35 files proftpd[25378]: 192.0.2.1 (203.0.113.10[203.0.113.10]) - "
		   "USER alice (Login failed): Incorrect password",
	.wants = wants,
	.decode = decode,
};
