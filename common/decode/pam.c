/*
 * pam: PAM modules' log lines, and the words of su and sudo.
 *
 * Sees a second witness of an sshd try, logins of services that log nothing else (login, vsftpd,
 * cockpit), and elevation: which account a process becomes. Cannot see the origin's port; the
 * remote host may be a name (UseDNS). All are notes: verdicts are the service's own words or the
 * kernel's PAM calls. Cockpit has no words of its own, so its failures are verdicts.
 *
 * "rhost=" stands left of "user=", which is the client's word, so these are cut from the left; a
 * file server puts the client's word into "ruser=", too: of two hosts none is believed.
 *
 * Example: pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser=
 * rhost=203.0.113.7  user=root
 */
#include "pam_text.h"

#include "frame.h"
#include "text.h"

/* "PAM N more authentication failures". Bounded, so that one line cannot be a flood. */
#define MORE_MAX 100

static const struct pam_service services[] = {
	{"sshd", SERVICE_SSH, false},	      {"remote", SERVICE_TELNET, false},
	{"login", SERVICE_TELNET, false},     {"vsftpd", SERVICE_FTP, false},
	{"proftpd", SERVICE_FTP, false},      {"pure-ftpd", SERVICE_FTP, false},
	{"xrdp-sesman", SERVICE_RDP, false},  {"cockpit", SERVICE_WEB_REMOTE, false},
	{"ocserv", SERVICE_VPN, false},	      {"openvpn", SERVICE_VPN, false},
	{"dovecot", SERVICE_MAIL, false},     {"smtp", SERVICE_MAIL, false},
	{"imap", SERVICE_MAIL, false},	      {"su", SERVICE_NONE, false},
	{"su-l", SERVICE_NONE, false},	      {"sudo", SERVICE_NONE, false},
	{"sudo-i", SERVICE_NONE, false},      {"doas", SERVICE_NONE, false},
	{"cron", SERVICE_NONE, true},	      {"crond", SERVICE_NONE, true},
	{"atd", SERVICE_NONE, true},	      {"polkit-1", SERVICE_NONE, true},
	{"systemd-user", SERVICE_NONE, true}, {"gdm-launch-environment", SERVICE_NONE, true},
};

const struct pam_service *pam_service_find(struct span name)
{
	for (size_t i = 0; i < sizeof(services) / sizeof(services[0]); i++)
		if (span_is(name, services[i].name))
			return &services[i];
	return NULL;
}

/* "U(uid=1001)": the number is taken off. */
static uint32_t cut_uid(struct span *user, uint32_t otherwise)
{
	size_t at = text_find_last(*user, SPAN_LIT("(uid="));
	struct span digits;

	if (at == TEXT_NOT_FOUND || !text_ends(*user, SPAN_LIT(")")))
		return otherwise;
	digits = span_first(span_skip(*user, at + 5), user->len - at - 6);
	*user = span_first(*user, at);
	return text_u32(digits, otherwise);
}

/*
 * "L uid=0 euid=0 tty=T ruser=R rhost=H[  user=U]": word by word up to rhost, what follows is the
 * client's.
 */
static bool read_failure(struct span s, struct event *e)
{
	bool said = false; /* ruser= has something, which with a file server is the client's */
	struct span word;

	e->outcome = OUTCOME_FAILURE;
	do {
		if (span_empty(s))
			return false;
		word = text_cut_word(&s);
		if (text_cut(&word, SPAN_LIT("tty=")))
			e->tty = word;
		if (text_cut(&word, SPAN_LIT("ruser=")))
			said = !span_empty(word);
	} while (!text_cut(&word, SPAN_LIT("rhost=")));
	if ((said && text_find(s, SPAN_LIT("rhost="), 0) != TEXT_NOT_FOUND) ||
	    !addr_parse(word, &e->origin.addr, NULL))
		e->origin.addr = (struct addr){0};
	s = text_trim_left(s);
	if (text_cut(&s, SPAN_LIT("user=")) && !span_empty(s)) {
		e->account = s;
		e->flags |= EVENT_ACCOUNT_EXISTS; /* pam_unix names existing accounts only */
	}
	return true;
}

/* "U(uid=1001) by V(uid=0)"; before PAM 1.4 "U by (uid=0)". */
static bool read_opened(struct span s, struct event *e)
{
	size_t at = text_find_last(s, SPAN_LIT(" by "));
	struct span by;

	if (at == TEXT_NOT_FOUND)
		return false;
	by = span_skip(s, at + 4);
	s = span_first(s, at);
	e->uid = cut_uid(&by, 0);
	e->euid = cut_uid(&s, 0);
	e->account = s;
	e->flags |= EVENT_ACCOUNT_EXISTS;
	return true;
}

/* The end of a login's session; of su and sudo it is a note. */
static bool read_closed(struct span s, struct event *e)
{
	e->account = s;
	e->flags |= EVENT_ACCOUNT_EXISTS;
	if (e->service == SERVICE_SSH)
		e->kind = EVENT_SESSION_CLOSE;
	return true;
}

static bool read_unknown(struct span s, struct event *e)
{
	(void)s;
	e->flags |= EVENT_ACCOUNT_UNKNOWN;
	return true;
}

static bool read_user(struct span s, struct event *e)
{
	size_t at = text_find_last(s, SPAN_LIT(": "));

	e->account = at == TEXT_NOT_FOUND ? s : span_first(s, at);
	return true;
}

/* "[U]" */
static bool read_bracketed(struct span s, struct event *e)
{
	if (!text_cut(&s, SPAN_LIT("[")) || !text_cut_end(&s, SPAN_LIT("]")))
		return false;
	e->account = s;
	return true;
}

/* "`U' from `A'": pam_access. */
static bool read_access(struct span s, struct event *e)
{
	size_t at = text_find_last(s, SPAN_LIT("' from `"));
	struct span from;

	if (at == TEXT_NOT_FOUND || !text_cut_end(&s, SPAN_LIT("'")) || s.len < at + 8)
		return false;
	from = span_skip(s, at + 8);
	if (!addr_parse(from, &e->origin.addr, NULL))
		e->origin.addr = (struct addr){0};
	s = span_first(s, at);
	text_cut(&s, SPAN_LIT("`"));
	e->account = s;
	return true;
}

static const struct {
	struct span prefix;
	bool (*read)(struct span rest, struct event *e);
} texts[] = {
	{SPAN_LIT("authentication failure; logname="), read_failure},
	{SPAN_LIT("session opened for user "), read_opened},
	{SPAN_LIT("session closed for user "), read_closed},
	{SPAN_LIT("check pass; user unknown"), read_unknown},
	{SPAN_LIT("User unknown"), read_unknown},
	{SPAN_LIT("received for user "), read_user},
	{SPAN_LIT("auth could not identify password for "), read_bracketed},
	{SPAN_LIT("access denied for user "), read_access},
};

static enum decode_result read_text(struct span text, struct event *e, const char **reason)
{
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (!span_starts(text, texts[i].prefix))
			continue;
		if (texts[i].read(span_skip(text, texts[i].prefix.len), e))
			return DECODE_EVENT;
		*reason = "begins like a line of a PAM module, but is cut or goes on differently";
		return DECODE_BAD;
	}
	*reason = "a PAM module's, but it tells nothing about a login";
	return DECODE_SKIPPED;
}

static size_t find_char(struct span s, char c, size_t from)
{
	while (from < s.len && s.ptr[from] != c)
		from++;
	return from;
}

/* "pam_unix(sshd:auth): TEXT": sets *ret_service, *text becomes TEXT. */
static bool cut_module(struct span *text, struct span *ret_service)
{
	size_t open = find_char(*text, '(', 0), end = find_char(*text, ')', open);
	struct span inner, rest = span_skip(*text, end);

	if (!text_cut(&rest, SPAN_LIT("): ")))
		return false;
	inner = span_skip(span_first(*text, end), open + 1);
	*ret_service = span_first(inner, find_char(inner, ':', 0));
	*text = text_trim_left(rest);
	return true;
}

/* "PAM 5 more authentication failures; logname=...": the sum at the end of a connection. */
static bool is_more(struct span msg)
{
	return msg.len > 5 && span_starts(msg, SPAN_LIT("PAM ")) && text_is_digit(msg.ptr[4]);
}

static enum decode_result read_more(struct span msg, struct event *e, const char **reason)
{
	size_t at = text_find(msg, SPAN_LIT("; logname="), 0);
	struct span rest = span_skip(msg, 4);
	uint32_t n = text_u32(text_cut_word(&rest), 0);

	if (n == 0 || at == TEXT_NOT_FOUND || !read_failure(span_skip(msg, at + 2), e)) {
		*reason = "begins like PAM's sum of failures, but is cut or goes on differently";
		return DECODE_BAD;
	}
	e->count = n < MORE_MAX ? n : MORE_MAX;
	return DECODE_EVENT;
}

/* "sshd(pam_unix)": the service before the parenthesis, as PAM before 0.99 logged. */
static struct span old_service(struct span ident)
{
	size_t at = find_char(ident, '(', 0);

	return at == ident.len ? text_none() : span_first(ident, at);
}

bool pam_text_claims(struct span ident, struct span msg)
{
	return span_starts(msg, SPAN_LIT("pam_")) || is_more(msg) ||
	       !span_empty(old_service(ident));
}

/* Text of login(1) says TELNET only when it names a remote host: it serves the console too. */
static void set_service(struct event *e)
{
	const struct pam_service *s = pam_service_find(e->pam_service);

	e->service = s ? s->service : SERVICE_NONE;
}

enum decode_result pam_text_read(struct span ident, struct span msg, struct event *e,
				 const char **reason)
{
	bool is_unix = span_starts(msg, SPAN_LIT("pam_unix("));
	const struct pam_service *known;
	enum decode_result r;

	e->kind = EVENT_AUTH_NOTE;
	e->witness = WITNESS_PAM_LOG;
	e->pam_service = old_service(ident);
	if (is_more(msg)) {
		e->pam_service = SPAN_LIT("sshd");
		e->service = SERVICE_SSH;
		return read_more(msg, e, reason);
	}
	if (span_empty(e->pam_service) && !cut_module(&msg, &e->pam_service)) {
		*reason = "a PAM module's words without \"(service:type)\"";
		return DECODE_SKIPPED;
	}
	known = pam_service_find(e->pam_service);
	if (known && known->ignored) {
		*reason = "a PAM service that opens no remote session";
		return DECODE_SKIPPED;
	}
	set_service(e);
	r = read_text(msg, e, reason);
	if (e->outcome == OUTCOME_FAILURE && !is_unix)
		e->flags &= ~(uint32_t)EVENT_ACCOUNT_EXISTS;
	if (e->service == SERVICE_TELNET && e->origin.addr.family == ADDR_NONE)
		e->service = SERVICE_NONE;
	/* Cockpit says nothing of its own. */
	if (e->service == SERVICE_WEB_REMOTE && e->outcome == OUTCOME_FAILURE) {
		e->kind = EVENT_ATTEMPT;
		e->method = METHOD_PASSWORD;
	}
	return r;
}

/* "[FAILED SU ](to root) alice on pts/0" */
static enum decode_result read_su(struct span msg, struct event *e, const char **reason)
{
	size_t end, on;

	e->outcome = text_cut(&msg, SPAN_LIT("FAILED SU ")) ? OUTCOME_FAILURE : OUTCOME_SUCCESS;
	end = text_find(msg, SPAN_LIT(") "), 0);
	if (!text_cut(&msg, SPAN_LIT("(to ")) || end == TEXT_NOT_FOUND) {
		*reason = "su's, but it tells nothing about a change of account";
		return DECODE_SKIPPED;
	}
	e->account = span_first(msg, end - 4);
	on = text_find_last(msg, SPAN_LIT(" on "));
	if (on != TEXT_NOT_FOUND)
		e->tty = span_skip(msg, on + 4);
	e->pam_service = SPAN_LIT("su");
	return DECODE_EVENT;
}

/* The value of "NAME=" up to " ; ". */
static struct span sudo_field(struct span msg, struct span name)
{
	size_t at = text_find(msg, name, 0), end;

	if (at == TEXT_NOT_FOUND)
		return (struct span){0};
	msg = span_skip(msg, at + name.len);
	end = text_find(msg, SPAN_LIT(" ; "), 0);
	return end == TEXT_NOT_FOUND ? msg : span_first(msg, end);
}

/* "alice : [REASON ; ]TTY=pts/0 ; PWD=/home/alice ; USER=root ; COMMAND=/bin/ls" */
static enum decode_result read_sudo(struct span msg, struct event *e, const char **reason)
{
	size_t at = text_find(msg, SPAN_LIT(" ; COMMAND="), 0);
	struct span head = at == TEXT_NOT_FOUND ? msg : span_first(msg, at);

	e->account = sudo_field(head, SPAN_LIT(" ; USER="));
	if (at == TEXT_NOT_FOUND || span_empty(e->account)) {
		*reason = "sudo's, but it tells no command";
		return DECODE_SKIPPED;
	}
	e->args = span_skip(msg, at + 11);
	e->tty = sudo_field(head, SPAN_LIT("TTY="));
	e->pam_service = SPAN_LIT("sudo");
	e->outcome = text_find(head, SPAN_LIT(" : TTY="), 0) != TEXT_NOT_FOUND ? OUTCOME_SUCCESS
									       : OUTCOME_FAILURE;
	return DECODE_EVENT;
}

static bool wants(const struct frame *f)
{
	return pam_text_claims(f->ident, f->message) || span_is(f->ident, "su") ||
	       span_is(f->ident, "sudo");
}

static enum decode_result decode(const struct frame *f, struct event *ret, const char **reason)
{
	if (pam_text_claims(f->ident, f->message))
		return pam_text_read(f->ident, f->message, ret, reason);
	ret->kind = EVENT_AUTH_NOTE;
	ret->witness = WITNESS_DAEMON;
	return span_is(f->ident, "su") ? read_su(f->message, ret, reason)
				       : read_sudo(f->message, ret, reason);
}

const struct decoder decoder_pam = {
	.name = "pam",
	.about = "PAM modules of services other than sshd, and the words of su and sudo",
	.example = "Dec 10 09:33:01 bastion su[24701]: pam_unix(su:session): session opened for "
		   "user root(uid=0) by alice(uid=1001)",
	.wants = wants,
	.decode = decode,
};
