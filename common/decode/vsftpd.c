/*
 * vsftpd: logins to a file server, from syslog (syslog_enable) or from its own log, whose lines
 * begin with a time that has a year ("Sat Nov 28 17:00:00 2026 [pid 2] ...").
 *
 * Sees each login and each failure with account and address. Cannot see: the port, a file that was
 * refused, the end of a connection; who an anonymous user is, whose "password" is what he likes.
 * Of others it asks PAM: where the kernel's records are, those decide and these lines add nothing.
 *
 * A name that failed is cut from the right, since behind it there is the address alone. A name that
 * logged in exists here, and what an anonymous user says stands behind the address: so that one is
 * cut from the left. vsftpd puts no space into what he says, so he cannot write the words of a
 * failure.
 *
 * Example: [pid 2] [alice] FAIL LOGIN: Client "203.0.113.7"
 */
#include "daemon_text.h"

/* "[pid N] ", in its own file alone. */
static bool cut_pid(struct span *s, uint32_t *ret)
{
	size_t end = text_find(*s, SPAN_LIT("] "), 0);
	struct span pid = *s;

	if (!text_cut(&pid, SPAN_LIT("[pid ")))
		return true;
	if (end == TEXT_NOT_FOUND || end < 5)
		return false;
	*ret = text_u32(span_first(pid, end - 5), 0);
	*s = span_skip(*s, end + 2);
	return true;
}

/* "[U] FAIL LOGIN: Client \"ADDR\"" */
static bool read_failed(struct span s, struct event *e)
{
	if (!text_cut_end(&s, SPAN_LIT("\"")) || !text_cut(&s, SPAN_LIT("[")) ||
	    !daemon_cut_name(&s, SPAN_LIT("] FAIL LOGIN: Client \""), &e->account))
		return false;
	daemon_address(s, &e->origin);
	e->outcome = OUTCOME_FAILURE;
	return true;
}

/* "[U] OK LOGIN: Client \"ADDR\"[, anon password \"TEXT\"]" */
static bool read_login(struct span s, struct event *e)
{
	size_t at = text_find(s, SPAN_LIT("] OK LOGIN: Client \""), 0), end;

	if (at == TEXT_NOT_FOUND || !text_cut(&s, SPAN_LIT("[")))
		return false;
	e->account = span_first(s, at - 1);
	s = span_skip(s, at + 19);
	end = text_find(s, SPAN_LIT("\""), 0);
	if (end == TEXT_NOT_FOUND)
		return false;
	daemon_address(span_first(s, end), &e->origin);
	if (span_starts(span_skip(s, end), SPAN_LIT("\", anon password \"")))
		e->method = METHOD_NO_AUTH;
	e->outcome = OUTCOME_SUCCESS;
	return true;
}

static bool wants(const struct frame *f)
{
	return span_is(f->ident, "vsftpd") && span_starts(f->message, SPAN_LIT("["));
}

static enum decode_result decode(const struct frame *f, struct event *ret, const char **reason)
{
	struct span msg = f->message;
	bool failed;

	if (!cut_pid(&msg, &ret->proc.pid)) {
		*reason = "begins like a line of vsftpd, but is cut";
		return DECODE_BAD;
	}
	ret->kind = EVENT_ATTEMPT;
	ret->service = SERVICE_FTP;
	ret->method = METHOD_PASSWORD;
	ret->witness = WITNESS_DAEMON;
	daemon_trust(f, "vsftpd", ret);
	failed = text_find(msg, SPAN_LIT("] FAIL LOGIN: Client \""), 0) != TEXT_NOT_FOUND;
	*reason = "vsftpd's, and it tells of no login";
	if (!failed && text_find(msg, SPAN_LIT("] OK LOGIN: Client \""), 0) == TEXT_NOT_FOUND)
		return DECODE_SKIPPED;
	*reason = "begins like a login of vsftpd, but is cut or goes on differently";
	if (failed ? !read_failed(msg, ret) : !read_login(msg, ret))
		return DECODE_BAD;
	if (ret->method == METHOD_PASSWORD)
		ret->pam_service = SPAN_LIT("vsftpd");
	return DECODE_EVENT;
}

const struct decoder decoder_vsftpd = {
	.name = "vsftpd",
	.about = "vsftpd's logins: syslog or its own file",
	.example = "Sat Nov 28 17:00:00 2026 [pid 2] [alice] FAIL LOGIN: Client \"203.0.113.10\"",
	.wants = wants,
	.decode = decode,
};
