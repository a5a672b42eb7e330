/*
 * dovecot: logins to mailboxes (IMAP, POP3, ManageSieve, submission) as Dovecot 2.0 to 2.4 logs
 * them, by syslog or in a file of its own.
 *
 * Sees one line a login, with account, method, the client's address without its port and the id of
 * the connection; and one line when a connection ends after failures, with how many there were.
 * Cannot see: whether an account that was guessed exists (auth_verbose is off by default); the
 * client program; a login_log_format of one's own without user, rip and lip.
 *
 * "user=<...>" holds what the client sent. All that follows it is Dovecot's, so its end is looked
 * for from the right: no name can bring a rip of its own. One process logs for all the others, so
 * the process id says nothing.
 *
 * Example: imap-login: Login: user=<alice>, method=PLAIN, rip=203.0.113.9, lip=192.0.2.1, mpid=77,
 * TLS, session=<5zVFvKxEnAB>
 */
#include "frame.h"
#include "text.h"

#define ATTEMPTS_MAX 100 /* of one connection; Dovecot lets go of it long before */

static const char *const logins[] = {"imap-login", "pop3-login", "managesieve-login",
				     "submission-login"};

static bool is_login(struct span name)
{
	for (size_t i = 0; i < sizeof(logins) / sizeof(logins[0]); i++)
		if (span_is(name, logins[i]))
			return true;
	return false;
}

static bool wants(const struct frame *f)
{
	return span_is(f->ident, "dovecot") || is_login(f->ident);
}

/* "imap-login: " goes, and the level that Dovecot's own files have. False: another process's. */
static bool cut_process(const struct frame *f, struct span *msg)
{
	size_t at = text_find(*msg, SPAN_LIT(": "), 0);

	*msg = f->message;
	if (!is_login(f->ident)) {
		if (at == TEXT_NOT_FOUND || !is_login(span_first(*msg, at)))
			return false;
		*msg = span_skip(*msg, at + 2);
	}
	text_cut(msg, SPAN_LIT("Info: "));
	return true;
}

static enum method method_of(struct span name)
{
	static const struct {
		const char *name;
		enum method method;
	} rows[] = {{"PLAIN", METHOD_PASSWORD},	      {"LOGIN", METHOD_PASSWORD},
		    {"CRAM-MD5", METHOD_PASSWORD},    {"DIGEST-MD5", METHOD_PASSWORD},
		    {"APOP", METHOD_PASSWORD},	      {"NTLM", METHOD_PASSWORD},
		    {"SCRAM-SHA-1", METHOD_PASSWORD}, {"SCRAM-SHA-256", METHOD_PASSWORD},
		    {"EXTERNAL", METHOD_CERTIFICATE}, {"GSSAPI", METHOD_GSSAPI},
		    {"GSS-SPNEGO", METHOD_GSSAPI},    {"ANONYMOUS", METHOD_NO_AUTH}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (span_is(name, rows[i].name))
			return rows[i].method;
	return METHOD_OTHER;
}

static void set_address(struct span value, struct endpoint *to)
{
	if (!addr_parse(value, &to->addr, &to->port))
		*to = (struct endpoint){0};
}

/* "method=M, rip=A, lip=A, mpid=N, TLS, session=<S>": each only once. */
static void read_rest(struct span s, struct event *e)
{
	while (!span_empty(s)) {
		size_t end = text_find(s, SPAN_LIT(", "), 0);
		struct span word = end == TEXT_NOT_FOUND ? s : span_first(s, end);

		s = span_skip(s, end == TEXT_NOT_FOUND ? s.len : end + 2);
		if (text_cut(&word, SPAN_LIT("method=")))
			e->method = method_of(word);
		else if (text_cut(&word, SPAN_LIT("rip=")))
			set_address(word, &e->origin);
		else if (text_cut(&word, SPAN_LIT("lip=")))
			set_address(word, &e->local);
		else if (text_cut(&word, SPAN_LIT("session=<")) &&
			 text_cut_end(&word, SPAN_LIT(">")))
			e->tty = word;
	}
}

/* "user=<U>, REST", or REST alone when no name was sent. */
static bool read_who(struct span s, struct event *e)
{
	size_t method, rip, at;

	if (text_cut(&s, SPAN_LIT("user=<"))) {
		method = text_find_last(s, SPAN_LIT(">, method="));
		rip = text_find_last(s, SPAN_LIT(">, rip="));
		if (method == TEXT_NOT_FOUND && rip == TEXT_NOT_FOUND)
			return false;
		at = method == TEXT_NOT_FOUND || (rip != TEXT_NOT_FOUND && rip > method) ? rip
											 : method;
		e->account = span_first(s, at);
		s = span_skip(s, at + 3);
	}
	read_rest(s, e);
	return e->origin.addr.family != ADDR_NONE;
}

/*
 * "Disconnected: Connection closed (auth failed, 2 attempts in 8 secs)[ (auth_failed)]: REST", and
 * what older and newer ones put in front. Dovecot's own words end before the first "): ".
 */
static bool cut_failure(struct span *msg, struct event *e)
{
	static const struct span begins[] = {SPAN_LIT("Disconnected"), SPAN_LIT("Aborted login"),
					     SPAN_LIT("Login aborted")};
	size_t failed = text_find(*msg, SPAN_LIT(" (auth failed, "), 0), end;
	bool ours = false;
	struct span rest;
	uint32_t n;

	for (size_t i = 0; i < sizeof(begins) / sizeof(begins[0]); i++)
		ours |= span_starts(*msg, begins[i]);
	end = text_find(*msg, SPAN_LIT("): "), 0);
	if (!ours || failed == TEXT_NOT_FOUND || end == TEXT_NOT_FOUND || failed > end)
		return false;
	rest = span_skip(*msg, failed + 15);
	n = text_u32(text_cut_word(&rest), 1);
	e->count = n == 0 ? 1 : n < ATTEMPTS_MAX ? n : ATTEMPTS_MAX;
	*msg = span_skip(*msg, end + 3);
	return true;
}

static void set_trust(const struct frame *f, struct event *e)
{
	if (!frame_has_writer(f) || f->uid == UINT32_MAX)
		return;
	e->trust = f->uid == 0 ? TRUST_TRANSPORT : TRUST_FORGED; /* its log process is root's */
}

static enum decode_result decode(const struct frame *f, struct event *ret, const char **reason)
{
	struct span msg = f->message;

	*reason = "Dovecot's, and it tells of no login";
	if (!cut_process(f, &msg))
		return DECODE_SKIPPED;
	ret->kind = EVENT_ATTEMPT;
	ret->service = SERVICE_MAIL;
	ret->witness = WITNESS_DAEMON;
	ret->proc = (struct proc_id){0};
	if (text_cut(&msg, SPAN_LIT("Login: ")) || text_cut(&msg, SPAN_LIT("Logged in: "))) {
		ret->outcome = OUTCOME_SUCCESS;
		ret->flags |= EVENT_ACCOUNT_EXISTS;
	} else if (cut_failure(&msg, ret)) {
		ret->outcome = OUTCOME_FAILURE;
	} else {
		return DECODE_SKIPPED;
	}
	set_trust(f, ret);
	*reason = "begins like a line of Dovecot, but is cut or names no address";
	if (!read_who(msg, ret) || (ret->outcome == OUTCOME_SUCCESS && span_empty(ret->account)))
		return DECODE_BAD;
	return DECODE_EVENT;
}

const struct decoder decoder_dovecot = {
	.name = "dovecot",
	.about = "Dovecot's logins: IMAP, POP3, ManageSieve, submission; syslog or its own file",
	.example = "Dec 10 09:32:20 mail dovecot: imap-login: Login: user=<alice>, method=PLAIN, "
		   "rip=203.0.113.10, lip=192.0.2.1, mpid=4711, TLS, session=<5zVFvKxEnAB/AAAB>",
	.wants = wants,
	.decode = decode,
};
