/*
 * auditd: records of Linux' audit system that programs write when somebody logs in, from audit.log,
 * raw or enriched, by audisp's syslog plugin, the journal (transport audit) or the kernel's log.
 *
 *   [node=H ]type=USER_AUTH msg=audit(SECONDS.MS:N): pid=P uid=0 auid=A ses=S[ subj=C] msg='op=...'
 *   audit: type=1100 audit(SECONDS.MS:N): pid=...                   kernel, when no auditd runs
 *   USER_AUTH pid=...                                               journal, ident "audit"
 *
 * Sees what PAM did for sshd and other daemons: a password that was wrong (USER_AUTH), a session
 * that begins and ends (USER_START, USER_END), and of sshd that a name is none (USER_LOGIN). One
 * try is told by several records: USER_AUTH alone counts, as a witness of its own, since PAM's text
 * and sshd's own words tell of that try, too. USER_LOGIN with res=failed is a note: sshd writes one
 * for refused keys and for "none" as well. USER_ACCT, CRED_* and USER_LOGOUT repeat what the others
 * say; USER_ERR of PAM says that it was not asked. EXECVE and SYSCALL are no logins, whatever
 * addresses are in them: what a session runs the kernel's own records tell.
 *
 * What stands before msg=' is the kernel's word; the rest is the program's, and it must be root's.
 * acct is quoted, or hex where it has a space, a quote or a control character, so no name moves a
 * field; hostname is not encoded (it may be a name of DNS), so of what follows it the last counts.
 * Names are cut at 32 bytes by libaudit: a name of that length is not told of a success.
 *
 * Cannot see: the port; who logs in by a daemon that gives PAM no host (addr=?: xrdp); ocserv,
 * openvpn and dovecot, whose own lines tell the same tries and do not name the process; a try by
 * keyboard-interactive as one with sshd's line where no kernel record joins them (PAM's process
 * there is a child); what root in a container with CAP_AUDIT_WRITE makes up.
 *
 * Sources: audit-userspace, lib/audit_logging.c (audit_log_acct_message) and lib/libaudit.h;
 * Linux-PAM, libpam/pam_audit.c; OpenSSH, audit.c and audit-linux.c; systemd, journald-audit.c.
 *
 * Example: type=USER_AUTH msg=audit(1700000000.123:456): pid=4711 uid=0 auid=4294967295 ...
 */
#include "daemon_text.h"
#include "gateway.h"

#define NAME_CUT 32 /* UT_NAMESIZE, where libaudit cuts */
#define ENRICHED SPAN_LIT("\x1d")

enum record {
	RECORD_OTHER,
	RECORD_AUTH,
	RECORD_START,
	RECORD_END,
	RECORD_LOGIN,
};

static const struct {
	struct span name, number;
	enum record record;
} types[] = {
	{SPAN_LIT("USER_AUTH"), SPAN_LIT("1100"), RECORD_AUTH},
	{SPAN_LIT("USER_START"), SPAN_LIT("1105"), RECORD_START},
	{SPAN_LIT("USER_END"), SPAN_LIT("1106"), RECORD_END},
	{SPAN_LIT("USER_LOGIN"), SPAN_LIT("1112"), RECORD_LOGIN},
};

static const struct program {
	const char *name, *pam_service;
	enum service service;
} programs[] = {
	{"sshd", "sshd", SERVICE_SSH},
	{"sshd-session", "sshd", SERVICE_SSH},
	{"sshd-auth", "sshd", SERVICE_SSH},
	{"dropbear", "sshd", SERVICE_SSH}, /* it asks PAM in sshd's name */
	{"login", "login", SERVICE_TELNET},
	{"vsftpd", "vsftpd", SERVICE_FTP},
	{"proftpd", "proftpd", SERVICE_FTP},
	{"pure-ftpd", "pure-ftpd", SERVICE_FTP},
	{"xrdp-sesman", "xrdp-sesman", SERVICE_RDP},
	{"xrdp-sesexec", "xrdp-sesman", SERVICE_RDP},
	{"cockpit-session", "cockpit", SERVICE_WEB_REMOTE},
};

struct audit {
	enum record record;
	struct span pid, uid, auid, ses;		   /* the kernel's */
	struct span op, acct, exe, addr, terminal, result; /* the program's */
	struct span id_name;				   /* enriched */
	const struct program *program;
};

static enum record record_of(struct span type)
{
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (span_eq(type, types[i].name) || span_eq(type, types[i].number))
			return types[i].record;
	return RECORD_OTHER;
}

/* The message from its type on, of any of the ways; false: it is no audit record. */
static bool starts(const struct frame *f, struct span *ret)
{
	struct span s = f->message;

	if (span_is(f->ident, "kernel")) {
		if (span_starts(s, SPAN_LIT("["))) /* "[  12.345] " */
			s = span_skip(s, text_find(span_first(s, 32), SPAN_LIT("] "), 0) + 2);
		text_cut(&s, SPAN_LIT("audit: "));
	} else if (span_is(f->ident, "audit")) {
		*ret = s;
		return true;
	} else if (span_starts(s, SPAN_LIT("node="))) {
		text_cut_word(&s);
	}
	*ret = s;
	return text_cut(&s, SPAN_LIT("type=")) &&
	       text_find(span_first(s, 48), SPAN_LIT("audit("), 0) != TEXT_NOT_FOUND;
}

/* auditd's own word for the host (name_format). */
static struct span node_of(struct span s)
{
	return text_cut(&s, SPAN_LIT("node=")) ? text_cut_word(&s) : text_none();
}

/* "audit(SECONDS.MS:N): " at the start of *s; the time, or 0. */
static uint64_t cut_stamp(struct span *s)
{
	size_t end = text_find(span_first(*s, 64), SPAN_LIT("): "), 0), dot;
	struct span stamp;
	uint32_t ms;

	if (!text_cut(s, SPAN_LIT("audit(")) || end == TEXT_NOT_FOUND)
		return 0;
	stamp = span_first(*s, end - 6);
	*s = span_skip(*s, end - 6 + 3);
	dot = text_find(stamp, SPAN_LIT("."), 0);
	if (dot == TEXT_NOT_FOUND)
		return 0;
	ms = text_u32(span_first(span_skip(stamp, dot + 1), 3), 0);
	return gateway_epoch(span_first(stamp, dot)) + (uint64_t)ms * 1000000;
}

/* "TYPE msg=audit(...): REST" or "TYPE REST": *ret_ns is the time that it tells, or 0. */
static enum record cut_head(struct span *s, uint64_t *ret_ns)
{
	enum record r;

	text_cut(s, SPAN_LIT("type="));
	r = record_of(text_cut_word(s));
	text_cut(s, SPAN_LIT("msg="));
	*ret_ns = span_starts(*s, SPAN_LIT("audit(")) ? cut_stamp(s) : 0;
	return r;
}

/* "NAME=VALUE" into what is wanted; of the last ones the last counts, else the first. */
static inline void take(struct span word, struct span name, struct span *to, bool last)
{
	if (!word.len || word.ptr[0] != name.ptr[0] || !text_cut(&word, name) || (to->len && !last))
		return;
	*to = word;
}

static void read_kernel(struct span s, struct audit *a)
{
	while (s.len) {
		struct span word = text_cut_word(&s);

		take(word, SPAN_LIT("pid="), &a->pid, false);
		take(word, SPAN_LIT("uid="), &a->uid, false);
		take(word, SPAN_LIT("auid="), &a->auid, false);
		take(word, SPAN_LIT("ses="), &a->ses, false);
	}
}

/* The older "(hostname=H, addr=A, terminal=T res=R)" has a comma or a parenthesis at the end. */
static struct span bare(struct span s)
{
	if (s.len && (s.ptr[s.len - 1] == ',' || s.ptr[s.len - 1] == ')'))
		s.len--;
	return s;
}

static void read_program(struct span s, struct audit *a)
{
	while (s.len) {
		struct span word = text_cut_word(&s);

		take(word, SPAN_LIT("op="), &a->op, false);
		take(word, SPAN_LIT("acct="), &a->acct, false);
		take(word, SPAN_LIT("exe="), &a->exe, false);
		take(word, SPAN_LIT("addr="), &a->addr, true);
		take(word, SPAN_LIT("terminal="), &a->terminal, true);
		take(word, SPAN_LIT("res="), &a->result, true);
	}
	a->addr = bare(a->addr);
	a->terminal = bare(a->terminal);
	a->result = bare(a->result);
}

/* `UID="root" AUID="unset" ID="alice"`, of which the account is wanted. */
static void read_enriched(struct span s, struct audit *a)
{
	size_t at = text_find(s, SPAN_LIT(" ID=\""), 0), end;

	if (at == TEXT_NOT_FOUND)
		return;
	s = span_skip(s, at + 5);
	end = text_find(s, SPAN_LIT("\""), 0);
	a->id_name = span_first(s, end == TEXT_NOT_FOUND ? 0 : end);
}

static bool read_fields(struct span s, struct audit *a)
{
	size_t begin = text_find(s, SPAN_LIT("msg='"), 0), rich, end;

	if (begin == TEXT_NOT_FOUND)
		return false;
	read_kernel(span_first(s, begin), a);
	s = span_skip(s, begin + 5);
	rich = text_find(s, ENRICHED, 0);
	if (rich != TEXT_NOT_FOUND) {
		read_enriched(span_skip(s, rich), a);
		s = span_first(s, rich);
	}
	end = text_find_last(s, SPAN_LIT("'"));
	if (end == TEXT_NOT_FOUND)
		return false;
	read_program(span_first(s, end), a);
	return true;
}

static bool is_quoted(struct span s)
{
	return s.len >= 2 && s.ptr[0] == '"' && s.ptr[s.len - 1] == '"';
}

static struct span unquoted(struct span s)
{
	return is_quoted(s) ? span_first(span_skip(s, 1), s.len - 2) : s;
}

static const struct program *program_of(struct span exe)
{
	struct span name = span_base(unquoted(exe));

	for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++)
		if (span_is(name, programs[i].name))
			return &programs[i];
	return NULL;
}

static int digit(char c)
{
	if (text_is_digit(c))
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* False: it is no hex. */
static bool unhex(struct span s, char *spare, struct span *ret)
{
	if (s.len % 2 || s.len / 2 > FRAME_SPARE || !s.len)
		return false;
	for (size_t i = 0; i < s.len; i += 2) {
		int high = digit(s.ptr[i]), low = digit(s.ptr[i + 1]);

		if (high < 0 || low < 0)
			return false;
		spare[i / 2] = (char)(high << 4 | low);
	}
	*ret = (struct span){spare, s.len / 2};
	return true;
}

/* What sshd and PAM put there when there is no such account, or they do not say which. */
static bool is_nobody(struct event *e, struct span name)
{
	if (span_is(name, "?") || span_is(name, "(invalid user)")) {
		e->flags |= EVENT_ACCOUNT_UNKNOWN;
		return true;
	}
	return span_is(name, "(unknown)") || span_is(name, "(unknown user)");
}

/* A name in hex may be a password; it stays out of the text. */
static bool read_account(const struct frame *f, const struct audit *a, struct event *e)
{
	struct span name = unquoted(a->acct);

	e->account = a->id_name;
	if (!name.len)
		return true;
	if (!is_quoted(a->acct) && !span_is(name, "?")) {
		if (!f->spare || !unhex(name, f->spare, &name))
			return false;
		e->text = span_first(e->text, (size_t)(a->acct.ptr - e->text.ptr));
	}
	if (is_nobody(e, name)) {
		e->account = text_none(); /* whatever ID= says: libaudit writes one of both */
		return true;
	}
	if (name.len >= NAME_CUT)
		e->flags |= EVENT_TRUNCATED;
	e->account = name;
	return true;
}

/* Whose word it is: the kernel says of the record who wrote it, journald of the line. */
static void set_trust(const struct frame *f, const struct audit *a, struct event *e)
{
	bool is_root = span_is(a->uid, "0");

	if (frame_has_writer(f) && f->uid != UINT32_MAX)
		e->trust = f->uid == 0 && is_root ? TRUST_TRANSPORT : TRUST_FORGED;
	else if (!is_root && a->program->service == SERVICE_SSH)
		e->trust = TRUST_FORGED;
}

static void set_fields(const struct audit *a, struct event *e)
{
	e->service = a->program->service;
	e->program = unquoted(a->exe);
	e->proc.pid = text_u32(a->pid, 0);
	e->loginuid = text_u32(a->auid, UINT32_MAX);
	e->audit_session = text_u32(a->ses, UINT32_MAX);
	e->witness = WITNESS_AUDIT;
	if (!span_is(a->terminal, "?") && !span_is(a->terminal, "ssh"))
		e->tty = a->terminal;
	if (span_starts(a->op, SPAN_LIT("PAM:")))
		e->pam_service = span_of(a->program->pam_service);
}

/* Services whose sessions are told by account and origin alone have no opening of their own. */
static void opens(struct event *e)
{
	e->kind = e->service == SERVICE_SSH ? EVENT_SESSION_OPEN : EVENT_ATTEMPT;
	e->outcome = OUTCOME_SUCCESS;
	if (e->flags & EVENT_TRUNCATED)
		e->account = text_none();
	if (!span_empty(e->account))
		e->flags |= EVENT_ACCOUNT_EXISTS;
}

/* False: the record says nothing that another one does not. */
static bool set_kind(const struct audit *a, struct event *e)
{
	bool well = span_is(a->result, "success");

	e->kind = EVENT_AUTH_NOTE;
	e->outcome = OUTCOME_UNKNOWN;
	switch (a->record) {
	case RECORD_AUTH:
		if (well || !span_is(a->op, "PAM:authentication"))
			return false;
		e->kind = EVENT_ATTEMPT;
		e->outcome = OUTCOME_FAILURE;
		e->method = METHOD_PASSWORD;
		return true;
	case RECORD_START:
		if (well && span_is(a->op, "PAM:session_open"))
			opens(e);
		return e->outcome == OUTCOME_SUCCESS;
	case RECORD_END:
		e->kind = EVENT_SESSION_CLOSE;
		return span_is(a->op, "PAM:session_close");
	case RECORD_LOGIN:
		if (well)
			opens(e);
		return span_is(a->op, "login") &&
		       (well ? !span_empty(e->account) : e->service == SERVICE_SSH);
	default:
		return false;
	}
}

static bool wants(const struct frame *f)
{
	struct span s;

	if (!span_empty(f->ident) && !span_starts(f->ident, SPAN_LIT("audi")) &&
	    !span_is(f->ident, "kernel"))
		return false;
	return starts(f, &s);
}

static enum decode_result decode(const struct frame *f, struct event *e, const char **reason)
{
	struct audit a = {0};
	struct span s;
	uint64_t ns;

	starts(f, &s);
	if (span_empty(e->host))
		e->host = node_of(f->message);
	a.record = cut_head(&s, &ns);
	*reason = "an audit record that tells of no remote login";
	if (a.record == RECORD_OTHER)
		return DECODE_SKIPPED;
	*reason = "an audit record that is cut short";
	if (!read_fields(s, &a) || !a.result.len)
		return DECODE_BAD;
	a.program = program_of(a.exe);
	*reason = "an audit record of a program that opens no remote session";
	if (!a.program)
		return DECODE_SKIPPED;
	set_fields(&a, e);
	gateway_time(e, ns);
	daemon_address(a.addr, &e->origin);
	*reason = "an audit record of a login that is not told to be from another host";
	if (!e->origin.addr.family)
		return DECODE_SKIPPED;
	*reason = "an audit record whose account is neither quoted nor hex";
	if (!read_account(f, &a, e))
		return DECODE_BAD;
	set_trust(f, &a, e);
	*reason = "an audit record that repeats what another one tells";
	return set_kind(&a, e) ? DECODE_EVENT : DECODE_SKIPPED;
}

const struct decoder decoder_auditd = {
	.name = "auditd",
	.about = "Linux' audit records of logins: audit.log (raw, enriched), audisp, the journal",
	.example = "type=USER_AUTH msg=audit(1700000000.123:456): pid=4711 uid=0 auid=4294967295 "
		   "ses=4294967295 subj=unconfined msg='op=PAM:authentication grantors=? "
		   "acct=\"alice\" exe=\"/usr/sbin/sshd\" hostname=203.0.113.10 "
		   "addr=203.0.113.10 terminal=ssh res=failed'",
	.wants = wants,
	.decode = decode,
};
