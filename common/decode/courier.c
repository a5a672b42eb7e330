/*
 * courier: logins to mailboxes by Courier's IMAP and POP3 servers, which log by syslog.
 *
 * Sees each login and each that failed, with account and address, since 2004 with the port. Cannot
 * see: whether an account exists; the end of a connection is no login.
 *
 * The name stands in front and may hold anything: what follows it is read from the right.
 *
 * Source: Courier IMAP, imap/imaplogin.c, imap/imapd.c, imap/pop3login.c.
 *
 * Example: imapd: LOGIN FAILED, user=alice, ip=[::ffff:203.0.113.9], port=[41234]
 */
#include "daemon_text.h"

static const char *const names[] = {
	"imapd",     "imapd-ssl",     "pop3d",	       "pop3d-ssl",	"imaplogin",
	"pop3login", "courier-imapd", "courier-pop3d", "imaplogin-ssl", "pop3login-ssl"};

static bool wants(const struct frame *f)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (span_is(f->ident, names[i]))
			return true;
	return false;
}

/* ", LABEL=[VALUE]" from the last of that label on; empty: there is none. */
static struct span bracketed(struct span s, struct span label)
{
	size_t at = text_find_last(s, label), end;

	if (at == TEXT_NOT_FOUND)
		return text_none();
	s = span_skip(s, at + label.len);
	end = text_find(s, SPAN_LIT("]"), 0);
	return span_first(s, end == TEXT_NOT_FOUND ? 0 : end);
}

/* "user=U, ip=[A][, port=[P]][, protocol=X]", or "method=M" in place of the name */
static bool read_who(struct span s, struct event *e)
{
	size_t at = text_find_last(s, SPAN_LIT(", ip=["));
	struct span rest = span_skip(s, at);

	if (at == TEXT_NOT_FOUND)
		return false;
	s = span_first(s, at);
	if (text_cut(&s, SPAN_LIT("user=")))
		e->account = s;
	daemon_address(bracketed(rest, SPAN_LIT(", ip=[")), &e->origin);
	if (e->origin.addr.family)
		e->origin.port =
			(uint16_t)(text_u32(bracketed(rest, SPAN_LIT(", port=[")), 0) & 0xffff);
	return e->origin.addr.family != ADDR_NONE;
}

#define TRY(outcome, flags) EVENT_ATTEMPT, OUTCOME_##outcome, METHOD_PASSWORD, flags, read_who

static const struct daemon_form forms[] = {
	{SPAN_LIT("LOGIN, "), TRY(SUCCESS, EVENT_ACCOUNT_EXISTS)},
	{SPAN_LIT("LOGIN FAILED, "), TRY(FAILURE, 0)},
};

static enum decode_result decode(const struct frame *f, struct event *ret, const char **reason)
{
	struct span msg = f->message;

	text_cut(&msg, SPAN_LIT("INFO: "));
	ret->service = SERVICE_MAIL;
	ret->witness = WITNESS_DAEMON;
	ret->proc = (struct proc_id){0};
	daemon_trust_alone(f, "courierlogger", ret);
	return DAEMON_READ(forms, msg, ret, reason);
}

const struct decoder decoder_courier = {
	.name = "courier",
	.about = "Courier's logins: IMAP and POP3; syslog",
	.example = "Nov 30 12:00:00 mail imapd: LOGIN, user=alice, ip=[::ffff:203.0.113.10], "
		   "port=[41234], protocol=IMAP",
	.wants = wants,
	.decode = decode,
};
