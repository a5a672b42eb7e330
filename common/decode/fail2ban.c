/*
 * fail2ban: fail2ban's own log, from its file or syslog.
 *
 * "Ban" is an attempt that was refused: from then on nobody can try. "Found" is left out: it is
 * what fail2ban read in another log, whose lines tell the same try with account and port, and it
 * says nothing by which the two could be known as one. "Restore Ban" and "Unban" are no news.
 *
 * Cannot see: the account, the port; which service a jail of one's own is for.
 *
 * Sources: fail2ban 1.0, fail2ban/server/server.py (the format), actions.py, filter.py; lines of
 * 1.0.2 as it wrote them.
 *
 * Example: 2024-01-01 00:00:00,123 fail2ban.actions        [123]: NOTICE  [sshd] Ban 203.0.113.10
 */
#include "daemon_text.h"

static const struct {
	const char *jail;
	enum service service;
} jails[] = {
	{"sshd", SERVICE_SSH},
	{"sshd-ddos", SERVICE_SSH},
	{"dropbear", SERVICE_SSH},
	{"vsftpd", SERVICE_FTP},
	{"proftpd", SERVICE_FTP},
	{"pure-ftpd", SERVICE_FTP},
	{"dovecot", SERVICE_MAIL},
	{"courier-auth", SERVICE_MAIL},
	{"cyrus-imap", SERVICE_MAIL},
	{"postfix-sasl", SERVICE_MAIL},
	{"webmin-auth", SERVICE_WEB_REMOTE},
};

static enum service service_of(struct span jail)
{
	for (size_t i = 0; i < sizeof(jails) / sizeof(jails[0]); i++)
		if (span_is(jail, jails[i].jail))
			return jails[i].service;
	return SERVICE_NONE;
}

static bool wants(const struct frame *f)
{
	return span_starts(f->ident, SPAN_LIT("fail2ban"));
}

/* "NOTICE  [sshd] Ban 203.0.113.10" */
static enum decode_result decode(const struct frame *f, struct event *e, const char **reason)
{
	struct span s = f->message, jail;
	size_t end;

	if (span_starts(s, SPAN_LIT("fail2ban."))) { /* syslog, with its own format inside */
		end = text_find(span_first(s, 64), SPAN_LIT("]: "), 0);
		s = end == TEXT_NOT_FOUND ? s : span_skip(s, end + 3);
	}
	if (!span_starts(s, SPAN_LIT("["))) {
		text_cut_word(&s); /* the level */
		s = text_trim_left(s);
	}
	end = text_find(s, SPAN_LIT("] "), 0);
	*reason = "fail2ban's, and it tells of no measure";
	if (!text_cut(&s, SPAN_LIT("[")) || end == TEXT_NOT_FOUND)
		return DECODE_SKIPPED;
	jail = span_first(s, end - 1);
	s = span_skip(s, end + 1);
	if (span_starts(s, SPAN_LIT("Found ")))
		*reason = "what fail2ban read in another log, which tells it itself";
	if (!text_cut(&s, SPAN_LIT("Ban ")))
		return DECODE_SKIPPED;
	e->kind = EVENT_ATTEMPT;
	e->outcome = OUTCOME_REFUSED;
	e->witness = WITNESS_NETWORK;
	e->service = service_of(jail);
	e->proc = (struct proc_id){0};
	daemon_trust(f, "fail2ban-server", e);
	daemon_address(text_cut_word(&s), &e->origin);
	*reason = "a ban without an address";
	if (!e->origin.addr.family)
		return DECODE_BAD;
	*reason = "a ban by a jail that is not known to be a remote service's";
	return e->service == SERVICE_NONE ? DECODE_SKIPPED : DECODE_EVENT;
}

const struct decoder decoder_fail2ban = {
	.name = "fail2ban",
	.about = "fail2ban's own log: bans; what it found other logs tell",
	.example = "2024-01-01 00:00:00,123 fail2ban.actions        [123]: NOTICE  [sshd] Ban "
		   "203.0.113.10",
	.wants = wants,
	.decode = decode,
};
