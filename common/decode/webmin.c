/*
 * webmin: logins to Webmin and Usermin, which manage a host by its web browser, as they tell
 * syslog.
 *
 * Sees each login and each failure with account and address, and whether the account exists. Cannot
 * see: the port, the end of a session; an address where names are resolved.
 *
 * A name may hold anything; the address stands last.
 *
 * Example: Invalid login as root from 203.0.113.7
 */
#include "daemon_text.h"

static bool read_who(struct span s, struct event *e)
{
	if (!daemon_cut_name(&s, SPAN_LIT(" from "), &e->account))
		return false;
	daemon_address(s, &e->origin);
	return true;
}

#define TRY(outcome, flags) EVENT_ATTEMPT, OUTCOME_##outcome, METHOD_PASSWORD, flags, read_who

static const struct daemon_form forms[] = {
	{SPAN_LIT("Successful login as "), TRY(SUCCESS, EVENT_ACCOUNT_EXISTS)},
	{SPAN_LIT("Invalid login as "), TRY(FAILURE, EVENT_ACCOUNT_EXISTS)},
	{SPAN_LIT("Non-existent login as "), TRY(FAILURE, EVENT_ACCOUNT_UNKNOWN)},
};

static bool wants(const struct frame *f)
{
	return span_is(f->ident, "webmin") || span_is(f->ident, "usermin");
}

static enum decode_result decode(const struct frame *f, struct event *ret, const char **reason)
{
	ret->service = SERVICE_WEB_REMOTE;
	ret->witness = WITNESS_DAEMON;
	ret->proc = (struct proc_id){0};
	ret->gate.told = true; /* the kernel has no record to hold it against */
	daemon_trust_alone(f, "perl", ret);
	return DAEMON_READ(forms, f->message, ret, reason);
}

const struct decoder decoder_webmin = {
	.name = "webmin",
	.about = "Webmin and Usermin: their logins; syslog",
	.example = "Nov 29 17:30:00 web webmin[4711]: Invalid login as root from 203.0.113.10",
	.wants = wants,
	.decode = decode,
};
