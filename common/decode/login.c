/*
 * login: what login(1) says of those who come by telnet or rlogin: of shadow (Debian up to 12), of
 * util-linux, of busybox.
 *
 * Sees each failure with the host it was told (-h), util-linux' and root's logins by busybox; of
 * shadow's logins only PAM tells. Without a host it is the console, which is no remote service.
 * Cannot see: the port; an address where the telnet server resolves names.
 *
 * Terminal and host stand in front and are not the client's to choose; the name is cut from the
 * right. Shadow writes UNKNOWN for one that does not exist.
 *
 * Example: FAILED LOGIN (1) on '/dev/pts/0' from '203.0.113.7' FOR 'alice', Authentication failure
 */
#include "daemon_text.h"

/* "'VALUE' REST" */
static bool cut_quoted(struct span *s, struct span *ret)
{
	size_t end;

	if (!text_cut(s, SPAN_LIT("'")))
		return false;
	end = text_find(*s, SPAN_LIT("'"), 0);
	*ret = span_first(*s, end);
	*s = span_skip(*s, end + 1);
	return end != TEXT_NOT_FOUND;
}

/* "[ on 'TTY'][ from 'HOST']": false when it is cut; without a host there is no origin. */
static bool cut_place(struct span *s, struct event *e)
{
	struct span host = text_none();

	if (text_cut(s, SPAN_LIT(" on ")) && !cut_quoted(s, &e->tty))
		return false;
	if (text_cut(s, SPAN_LIT(" from ")) && !cut_quoted(s, &host))
		return false;
	daemon_address(host, &e->origin);
	return true;
}

static void set_name(struct span name, struct event *e)
{
	if (span_is(name, "UNKNOWN")) {
		e->flags |= EVENT_ACCOUNT_UNKNOWN;
		return;
	}
	e->account = name;
}

/* "(N)[ on 'TTY'][ from 'HOST'] FOR 'U', REASON" */
static bool read_shadow(struct span s, struct event *e)
{
	size_t end = text_find(s, SPAN_LIT(")"), 0), at;

	if (end == TEXT_NOT_FOUND)
		return false;
	s = span_skip(s, end + 1);
	if (!cut_place(&s, e) || !text_cut(&s, SPAN_LIT(" FOR '")))
		return false;
	at = text_find_last(s, SPAN_LIT("', "));
	set_name(span_first(s, at), e);
	return at != TEXT_NOT_FOUND;
}

/* "[N|SESSION ]FROM HOST FOR U, REASON"; U is "(unknown)" of one that was not asked for. */
static bool read_failed(struct span s, struct event *e)
{
	size_t at;

	if (span_starts(s, SPAN_LIT("(")))
		return read_shadow(s, e);
	text_cut_word(&s); /* N, or SESSION */
	if (!text_cut(&s, SPAN_LIT("FROM ")))
		return false;
	at = text_find(s, SPAN_LIT(" FOR "), 0);
	if (at == TEXT_NOT_FOUND)
		return false;
	daemon_address(span_first(s, at), &e->origin);
	s = span_skip(s, at + 5);
	at = text_find_last(s, SPAN_LIT(", "));
	e->account = span_is(span_first(s, at), "(unknown)") ? text_none() : span_first(s, at);
	return at != TEXT_NOT_FOUND;
}

/* "TTY BY U[ FROM HOST]" */
static bool read_login(struct span s, struct event *e)
{
	size_t at;

	e->tty = text_cut_word(&s);
	at = text_find_last(s, SPAN_LIT(" FROM "));
	if (at != TEXT_NOT_FOUND)
		daemon_address(span_skip(s, at + 6), &e->origin);
	e->account = at == TEXT_NOT_FOUND ? s : span_first(s, at);
	return text_cut(&e->account, SPAN_LIT("BY "));
}

/* "TTY[ FROM HOST]" */
static bool read_root(struct span s, struct event *e)
{
	e->tty = text_cut_word(&s);
	e->account = SPAN_LIT("root");
	if (text_cut(&s, SPAN_LIT("FROM ")))
		daemon_address(s, &e->origin);
	return true;
}

/* busybox: "root login on 'TTY'[ from 'HOST']" */
static bool read_root_busybox(struct span s, struct event *e)
{
	e->account = SPAN_LIT("root");
	e->pam_service = text_none();
	return cut_place(&s, e) && span_empty(s);
}

/* busybox: "'U' on 'TTY'[ from 'HOST']" */
static bool read_failed_busybox(struct span s, struct event *e)
{
	size_t at = text_find_last(s, SPAN_LIT("' on '"));
	struct span name = s;

	if (at == TEXT_NOT_FOUND || !text_cut(&name, SPAN_LIT("'")) || at == 0)
		return false;
	set_name(span_first(name, at - 1), e);
	e->pam_service = text_none();
	s = span_skip(s, at + 1);
	return cut_place(&s, e) && span_empty(s);
}

#define TRY(outcome, flags, read) EVENT_ATTEMPT, OUTCOME_##outcome, METHOD_PASSWORD, flags, read

static const struct daemon_form forms[] = {
	{SPAN_LIT("FAILED LOGIN "), TRY(FAILURE, 0, read_failed)},
	{SPAN_LIT("LOGIN ON "), TRY(SUCCESS, EVENT_ACCOUNT_EXISTS, read_login)},
	{SPAN_LIT("ROOT LOGIN ON "), TRY(SUCCESS, EVENT_ACCOUNT_EXISTS, read_root)},
	{SPAN_LIT("root login"), TRY(SUCCESS, EVENT_ACCOUNT_EXISTS, read_root_busybox)},
	{SPAN_LIT("invalid password for "), TRY(FAILURE, 0, read_failed_busybox)},
};

static bool wants(const struct frame *f)
{
	return span_is(f->ident, "login");
}

static enum decode_result decode(const struct frame *f, struct event *ret, const char **reason)
{
	enum decode_result r;

	ret->service = SERVICE_TELNET;
	ret->witness = WITNESS_DAEMON;
	ret->pam_service = SPAN_LIT("login");
	daemon_trust(f, "login", ret);
	r = DAEMON_READ(forms, f->message, ret, reason);
	if (r == DECODE_EVENT && ret->origin.addr.family == ADDR_NONE) {
		*reason = "login's, and not from another host";
		return DECODE_SKIPPED;
	}
	return r;
}

const struct decoder decoder_login = {
	.name = "login",
	.about = "login(1) behind telnet and rlogin: shadow, util-linux, busybox; syslog",
	.example = "Nov 29 17:29:52 old login[25558]: FAILED LOGIN (1) on '/dev/pts/0' from "
		   "'203.0.113.10' FOR 'alice', Authentication failure",
	.wants = wants,
	.decode = decode,
};
