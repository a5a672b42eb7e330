/*
 * pureftpd: Pure-FTPd's logins, as it tells syslog.
 *
 * Sees each login and each failure with account and address. Cannot see: the port, whether an
 * account exists, how a password was checked; with name resolution on (no -H) the host is a name
 * and there is no address. It logs without a process id.
 *
 * "(U@HOST)" stands in front; before a login U is "?" and cannot be chosen. The name that failed
 * stands last and between brackets, and is never looked into.
 *
 * Example: (?@203.0.113.7) [WARNING] Authentication failed for user [alice]
 */
#include "daemon_text.h"

static bool read_failed(struct span s, struct event *e)
{
	if (!text_cut_end(&s, SPAN_LIT("]")))
		return false;
	e->account = s;
	return true;
}

static bool read_login(struct span s, struct event *e)
{
	if (!text_cut_end(&s, SPAN_LIT(" is now logged in")))
		e->kind = EVENT_NONE; /* another notice */
	e->account = s;
	return true;
}

static bool read_anonymous(struct span s, struct event *e)
{
	e->account = SPAN_LIT("anonymous");
	return span_empty(s);
}

#define TRY(outcome, method, read) EVENT_ATTEMPT, OUTCOME_##outcome, METHOD_##method, 0, read

static const struct daemon_form forms[] = {
	{SPAN_LIT("[WARNING] Authentication failed for user ["),
	 TRY(FAILURE, PASSWORD, read_failed)},
	{SPAN_LIT("[INFO] Anonymous user logged in"), TRY(SUCCESS, NO_AUTH, read_anonymous)},
	{SPAN_LIT("[INFO] "), TRY(SUCCESS, PASSWORD, read_login)},
};

static bool wants(const struct frame *f)
{
	return span_is(f->ident, "pure-ftpd") && span_starts(f->message, SPAN_LIT("("));
}

static enum decode_result decode(const struct frame *f, struct event *ret, const char **reason)
{
	struct span msg = f->message;
	size_t end = text_find(msg, SPAN_LIT(") ["), 0);
	enum decode_result r;

	*reason = "Pure-FTPd's, and it tells of no login";
	if (!text_cut(&msg, SPAN_LIT("(?@"))) /* of one who is logged in */
		return DECODE_SKIPPED;
	if (end == TEXT_NOT_FOUND) {
		*reason = "begins like a line of Pure-FTPd, but is cut";
		return DECODE_BAD;
	}
	ret->service = SERVICE_FTP;
	ret->witness = WITNESS_DAEMON;
	daemon_trust(f, "pure-ftpd", ret);
	daemon_address(span_first(msg, end - 3), &ret->origin);
	r = DAEMON_READ(forms, span_skip(f->message, end + 2), ret, reason);
	return r == DECODE_EVENT && ret->kind == EVENT_NONE ? DECODE_SKIPPED : r;
}

const struct decoder decoder_pureftpd = {
	.name = "pure-ftpd",
	.about = "Pure-FTPd's logins; syslog",
	.example = "Nov 29 17:28:30 files pure-ftpd: (?@203.0.113.10) [WARNING] Authentication "
		   "failed for user [alice]",
	.wants = wants,
	.decode = decode,
};
