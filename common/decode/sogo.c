/*
 * sogo: logins to SOGo's webmail and calendars, in its file sogo.log or by syslog.
 *
 * Sees each login by its form and each that failed, with account and address. Cannot see: logins by
 * CalDAV, CardDAV and ActiveSync, which SOGo does not log as such; whether an account exists.
 *
 * The address is the X-Forwarded-For header where there is one, which the client may write: its
 * last one from outside counts. The name is read up to the last of what follows it.
 *
 * Source: Alinto/sogo, UI/MainUI/SOGoRootPage.m.
 *
 * Example: Mar 24 08:58:32 sogod [26818]: SOGoRootPage Login from '203.0.113.9' for user 'bob'
 * might not have worked - password policy: 65535  grace: -1  expire: -1  bound: 0
 */
#include "daemon_text.h"
#include "gateway.h"

#define HEAD_MAX 80 /* what the class is called, and where it is in memory */

/* In its own file its name stands where others have the host. */
static bool is_own(const struct frame *f)
{
	return span_is(f->host, "sogod") && span_empty(f->ident) && f->pid;
}

static bool wants(const struct frame *f)
{
	return span_is(f->ident, "sogod") || is_own(f);
}

/* "A" or "A, B, PEER", then "' for user 'U", then ends */
static bool read_who(struct span s, struct span ends, struct event *e)
{
	static const struct span label = SPAN_LIT("' for user '");
	size_t at = text_find(s, label, 0), end, last;
	struct span from;

	if (at == TEXT_NOT_FOUND)
		return false;
	from = span_first(s, at);
	s = span_skip(s, at + label.len);
	end = text_find_last(s, ends);
	if (end == TEXT_NOT_FOUND)
		return false;
	e->account = span_first(s, end);
	last = text_find_last(from, SPAN_LIT(", "));
	if (last == TEXT_NOT_FOUND)
		return gateway_forwarded(e, text_none(), from);
	return gateway_forwarded(e, span_first(from, last), span_skip(from, last + 2));
}

static enum decode_result decode(const struct frame *f, struct event *ret, const char **reason)
{
	static const struct span in = SPAN_LIT("successful login from '"),
				 failed = SPAN_LIT("Login from '");
	struct span head = span_first(f->message, HEAD_MAX), ends = SPAN_LIT("' - expire = ");
	size_t at = text_find(head, in, 0), skip = in.len;

	*reason = "SOGo's, and it tells of no login";
	if (text_find(head, SPAN_LIT("SOGoRootPage"), 0) == TEXT_NOT_FOUND)
		return DECODE_SKIPPED;
	ret->outcome = OUTCOME_SUCCESS;
	if (at == TEXT_NOT_FOUND) {
		at = text_find(head, failed, 0);
		skip = failed.len;
		ends = SPAN_LIT("' might not have worked - password policy: ");
		ret->outcome = OUTCOME_FAILURE;
	}
	if (at == TEXT_NOT_FOUND)
		return DECODE_SKIPPED;
	ret->kind = EVENT_ATTEMPT;
	ret->method = METHOD_PASSWORD;
	ret->service = SERVICE_MAIL;
	ret->witness = WITNESS_DAEMON;
	ret->proc = (struct proc_id){0};
	if (ret->outcome == OUTCOME_SUCCESS)
		ret->flags |= EVENT_ACCOUNT_EXISTS;
	if (is_own(f)) {
		ret->host = text_none();
		ret->program = f->host;
	}
	daemon_trust_system(f, ret);
	*reason = "begins like a login of SOGo, but is cut or names no address";
	return read_who(span_skip(f->message, at + skip), ends, ret) ? DECODE_EVENT : DECODE_BAD;
}

const struct decoder decoder_sogo = {
	.name = "sogo",
	.about = "SOGo's logins: webmail and calendars (sogo.log, or syslog)",
	.example = "Mar 24 08:58:32 sogod [26818]: SOGoRootPage Login from '203.0.113.10' for user "
		   "'bob' might not have worked - password policy: 65535  grace: -1  expire: -1  "
		   "bound: 0",
	.wants = wants,
	.decode = decode,
};
