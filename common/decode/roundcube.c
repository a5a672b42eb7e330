/*
 * roundcube: logins to Roundcube's webmail (log_logins), by syslog or in its file userlogins.log.
 *
 * Sees each login and each that failed, with account and address. Cannot see: whether an account
 * exists; the end of a session.
 *
 * Behind a proxy the headers stand behind the address, in brackets. The name is in front of the
 * last address before them.
 *
 * Source: roundcube/roundcubemail, program/include/rcmail.php (log_login), program/lib/Roundcube/
 * rcube_utils.php (remote_ip), rcube.php (write_log).
 *
 * Example: [30-Nov-2026 12:00:00 +0000]: <k2j4> Failed login for alice from 203.0.113.9 in session
 * k2j4 (error: 0)
 */
#include "daemon_text.h"
#include "gateway.h"

#define TIME_MAX 32

/* "[30-Nov-2026 12:00:00 +0000]: " as ISO has it; 0: none. */
static uint64_t read_time(struct span s)
{
	static const struct span months = SPAN_LIT("JanFebMarAprMayJunJulAugSepOctNovDec");
	char date[10] = {'y', 'y', 'y', 'y', '-', '0', '0', '-', '0', '0'};
	size_t month;

	if (s.len < 26 || s.ptr[2] != '-' || s.ptr[6] != '-')
		return 0;
	month = text_find(months, span_first(span_skip(s, 3), 3), 0);
	if (month == TEXT_NOT_FOUND || month % 3)
		return 0;
	memcpy(date, s.ptr + 7, 4);
	date[5] = (char)('0' + (month / 3 + 1) / 10);
	date[6] = (char)('0' + (month / 3 + 1) % 10);
	memcpy(date + 8, s.ptr, 2);
	return gateway_clock((struct span){date, 10}, span_first(span_skip(s, 12), 8),
			     span_first(span_skip(s, 21), 5));
}

/* "[TIME]: <SESSION> " goes; *time what stood between the brackets. */
static struct span cut_head(struct span s, struct span *time)
{
	size_t end = text_find(span_first(s, TIME_MAX + 4), SPAN_LIT("]: "), 0);

	*time = text_none();
	if (span_starts(s, SPAN_LIT("[")) && end != TEXT_NOT_FOUND) {
		*time = span_skip(span_first(s, end), 1);
		s = span_skip(s, end + 3);
	}
	end = text_find(span_first(s, 128), SPAN_LIT("> "), 0);
	return span_starts(s, SPAN_LIT("<")) && end != TEXT_NOT_FOUND ? span_skip(s, end + 2) : s;
}

static bool is_ours(struct span s)
{
	return span_starts(s, SPAN_LIT("Successful login for ")) ||
	       span_starts(s, SPAN_LIT("Failed login for "));
}

static bool wants(const struct frame *f)
{
	struct span time;

	if (span_is(f->ident, "roundcube"))
		return true;
	return span_empty(f->ident) && !frame_has_writer(f) &&
	       span_starts(f->message, SPAN_LIT("[")) && is_ours(cut_head(f->message, &time));
}

/* "A" and "A(X-Real-IP: B,X-Forwarded-For: C, D)" */
static bool set_origin(struct span peer, struct span headers, struct event *e)
{
	struct span hops = gateway_after(headers, SPAN_LIT("X-Forwarded-For: "), SPAN_LIT(")"));

	if (span_empty(hops))
		hops = gateway_after(headers, SPAN_LIT("X-Real-IP: "), SPAN_LIT(")"));
	return gateway_forwarded(e, hops, peer);
}

/* "U[ (ID: N)] from A in session S[ (error: N)]" */
static bool read_who(struct span s, struct event *e)
{
	size_t end = text_find_last(s, SPAN_LIT(" in session ")), at;
	struct span headers = text_none();

	if (end == TEXT_NOT_FOUND)
		return false;
	s = span_first(s, end);
	at = text_find(s, SPAN_LIT("(X-"), 0);
	if (at != TEXT_NOT_FOUND && text_ends(s, SPAN_LIT(")"))) {
		headers = span_skip(s, at);
		s = span_first(s, at);
	}
	at = text_find_last(s, SPAN_LIT(" from "));
	if (at == TEXT_NOT_FOUND || !set_origin(text_trim_right(span_skip(s, at + 6)), headers, e))
		return false;
	e->account = span_first(s, at);
	at = text_find_last(e->account, SPAN_LIT(" (ID: "));
	if (e->outcome == OUTCOME_SUCCESS && at != TEXT_NOT_FOUND)
		e->account = span_first(e->account, at);
	return true;
}

#define TRY(outcome, flags) EVENT_ATTEMPT, OUTCOME_##outcome, METHOD_PASSWORD, flags, read_who

static const struct daemon_form forms[] = {
	{SPAN_LIT("Successful login for "), TRY(SUCCESS, EVENT_ACCOUNT_EXISTS)},
	{SPAN_LIT("Failed login for "), TRY(FAILURE, 0)},
};

static enum decode_result decode(const struct frame *f, struct event *ret, const char **reason)
{
	struct span time, msg = cut_head(f->message, &time);

	ret->service = SERVICE_MAIL;
	ret->witness = WITNESS_DAEMON;
	ret->proc = (struct proc_id){0};
	gateway_time(ret, read_time(time));
	daemon_trust_system(f, ret);
	return DAEMON_READ(forms, msg, ret, reason);
}

const struct decoder decoder_roundcube = {
	.name = "roundcube",
	.about = "Roundcube's logins (userlogins.log, or syslog)",
	.example = "[30-Nov-2026 12:00:00 +0000]: <k2j4> Failed login for alice from 203.0.113.10 "
		   "in session k2j4 (error: 0)",
	.wants = wants,
	.decode = decode,
};
