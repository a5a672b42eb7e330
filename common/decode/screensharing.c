/*
 * screensharing: macOS' Screen Sharing and Remote Desktop (screensharingd), from the unified log or
 * syslog, up to Ventura. Later ones spread a login over lines that name either the account or the
 * address; those are not read.
 *
 * Sees each login and each failure with account and address. Cannot see: the port, the end of a
 * session, whether the account exists.
 *
 * The name may hold anything; address and type are cut from the right.
 *
 * Example: Authentication: FAILED :: User Name: alice :: Viewer Address: 203.0.113.7 :: Type: DH
 */
#include "daemon_text.h"

/* "U :: Viewer Address: ADDR[ :: Type: T]" */
static bool read_who(struct span s, struct event *e)
{
	size_t type = text_find_last(s, SPAN_LIT(" :: Type: ")), at;

	if (type != TEXT_NOT_FOUND)
		s = span_first(s, type);
	at = text_find_last(s, SPAN_LIT(" :: Viewer Address: "));
	if (at == TEXT_NOT_FOUND)
		return false;
	e->account = span_first(s, at);
	daemon_address(span_skip(s, at + 20), &e->origin);
	return true;
}

static const struct daemon_form forms[] = {
	{SPAN_LIT("Authentication: FAILED :: User Name: "), EVENT_ATTEMPT, OUTCOME_FAILURE,
	 METHOD_PASSWORD, 0, read_who},
	{SPAN_LIT("Authentication: SUCCEEDED :: User Name: "), EVENT_ATTEMPT, OUTCOME_SUCCESS,
	 METHOD_PASSWORD, EVENT_ACCOUNT_EXISTS, read_who},
};

static bool wants(const struct frame *f)
{
	return span_is(f->ident, "screensharingd");
}

static enum decode_result decode(const struct frame *f, struct event *ret, const char **reason)
{
	ret->service = SERVICE_VNC;
	ret->witness = WITNESS_DAEMON;
	ret->proc = (struct proc_id){0};
	return DAEMON_READ(forms, f->message, ret, reason);
}

const struct decoder decoder_screensharing = {
	.name = "screensharing",
	.about = "macOS Screen Sharing and Remote Desktop; log stream, log show, syslog",
	.example = "2026-03-14 13:21:28.183000+0100 0x15e23a   Default     0x0                  600"
		   "    0    screensharingd: Authentication: FAILED :: User Name: alice :: Viewer "
		   "Address: 203.0.113.10 :: Type: DH",
	.wants = wants,
	.decode = decode,
};
