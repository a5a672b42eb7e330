/*
 * pam: verdicts from the order of PAM calls that the kernel saw (SENSORS.md section 4).
 *
 *   authenticate 0, account 0 or 12   success: password (same process) or keyboard-interactive
 *                                     (a child of sshd's asked)
 *   account 0 or 12 alone             success: a key; sshd asks PAM about the account only
 *   authenticate 7, 10, 11            failure
 *   authenticate 0, account 6 or 13   failure: the password was right, policy said no
 *   anything else                     no verdict (9 19 20 26: the module or the talk broke off)
 *   open_session 0                    opens only when nothing did
 *
 * su and sudo inside a session change its effective account and nothing else; cron, atd, polkit
 * and systemd --user are no remote service. A call by a program that a session's user started is
 * never a verdict about his connection.
 */
#include "core_internal.h"

enum pam_role {
	PAM_LOGIN,
	PAM_ELEVATION,
	PAM_IGNORED
};

struct pam_row {
	const char *name;
	enum pam_role role;
	enum service service;
};

static const struct pam_row rows[] = {
	{"sshd", PAM_LOGIN, SERVICE_SSH},
	{"ssh", PAM_LOGIN, SERVICE_SSH},
	{"dropbear", PAM_LOGIN, SERVICE_SSH},
	{"login", PAM_LOGIN, SERVICE_TELNET},
	{"remote", PAM_LOGIN, SERVICE_TELNET},
	{"vsftpd", PAM_LOGIN, SERVICE_FTP},
	{"proftpd", PAM_LOGIN, SERVICE_FTP},
	{"ftp", PAM_LOGIN, SERVICE_FTP},
	{"cockpit", PAM_LOGIN, SERVICE_WEB_REMOTE},
	{"xrdp-sesman", PAM_LOGIN, SERVICE_RDP},
	{"vnc", PAM_LOGIN, SERVICE_VNC},
	{"ocserv", PAM_LOGIN, SERVICE_VPN},
	{"openvpn", PAM_LOGIN, SERVICE_VPN},
	{"dovecot", PAM_LOGIN, SERVICE_MAIL},
	{"su", PAM_ELEVATION, SERVICE_NONE},
	{"su-l", PAM_ELEVATION, SERVICE_NONE},
	{"sudo", PAM_ELEVATION, SERVICE_NONE},
	{"sudo-i", PAM_ELEVATION, SERVICE_NONE},
	{"runuser", PAM_ELEVATION, SERVICE_NONE},
	{"runuser-l", PAM_ELEVATION, SERVICE_NONE},
	{"cron", PAM_IGNORED, SERVICE_NONE},
	{"crond", PAM_IGNORED, SERVICE_NONE},
	{"atd", PAM_IGNORED, SERVICE_NONE},
	{"systemd-user", PAM_IGNORED, SERVICE_NONE},
	{"polkit-1", PAM_IGNORED, SERVICE_NONE},
	{"chfn", PAM_IGNORED, SERVICE_NONE},
	{"chsh", PAM_IGNORED, SERVICE_NONE},
	{"passwd", PAM_IGNORED, SERVICE_NONE},
};

static const struct pam_row *row_of(struct span name)
{
	/* A daemon on a connection whose PAM service nobody listed still logs people in. */
	static const struct pam_row other = {"", PAM_LOGIN, SERVICE_OTHER};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (span_is(name, rows[i].name))
			return &rows[i];
	return &other;
}

enum {
	PAM_R_OK = 0,
	PAM_R_DENIED = 6,
	PAM_R_AUTH = 7,
	PAM_R_USER = 10,
	PAM_R_TRIES = 11,
	PAM_R_NEW_TOKEN = 12,
	PAM_R_EXPIRED = 13
};

static bool is_failure(int32_t result)
{
	return result == PAM_R_AUTH || result == PAM_R_USER || result == PAM_R_TRIES;
}

/*
 * Of the account check. Debian's stack ends in pam_deny, which says 7 whatever the reason was
 * (common-account: default=ignore, then requisite pam_deny.so).
 */
static bool is_denial(int32_t result)
{
	return result == PAM_R_DENIED || result == PAM_R_EXPIRED || is_failure(result);
}

static enum method method_now(const struct conn *n)
{
	static const enum method by_auth[] = {
		[PAM_AUTH_NONE] = METHOD_PUBLICKEY,
		[PAM_AUTH_OWN] = METHOD_PASSWORD,
		[PAM_AUTH_CHILD] = METHOD_KEYBOARD_INTERACTIVE,
	};

	return by_auth[n->pam_auth];
}

/* Of sshd's; telnetd's child is login(1), which asks for a password. */
static bool is_child_of_sshd(const struct conn *n, const struct event *e)
{
	return e->flags & EVENT_CHILD_CALL && n->service == SERVICE_SSH;
}

static void fail(struct core *c, struct conn *n, const struct event *e, enum method m)
{
	struct event told = *e;

	told.method = m;
	told.count = 1;
	n->kernel_verdict = true;
	attempt_add(c, n, &told, SLOT_KERNEL);
}

static void succeed(struct core *c, struct conn *n, const struct event *e)
{
	struct event told = *e;
	struct csession *s = conn_session(c, n);
	bool first = !n->kernel_success;

	told.method = method_now(n);
	told.account = span_of(n->account);
	n->kernel_verdict = n->kernel_success = true;
	if (!s)
		session_open(c, n, &told);
	else if (first && !s->pub.existing)
		session_details(c, s, &told);
	if (s && !s->pub.existing && e->time_ns < s->pub.open_ns)
		s->pub.open_ns = e->time_ns; /* the line was read before, but written after */
	claims_settle(c, n);
}

static void authenticated(struct core *c, struct conn *n, const struct event *e)
{
	bool child = is_child_of_sshd(n, e);

	if (e->result == PAM_R_OK)
		n->pam_auth = child ? PAM_AUTH_CHILD : PAM_AUTH_OWN;
	else if (is_failure(e->result))
		fail(c, n, e, child ? METHOD_KEYBOARD_INTERACTIVE : METHOD_PASSWORD);
}

/* The password was right. */
static void denied(struct core *c, struct conn *n, const struct event *e)
{
	struct event told = *e;

	told.method = method_now(n);
	told.outcome = OUTCOME_REFUSED;
	told.account = span_of(n->account);
	told.text = (struct span){0};
	core_detect_one(c, DETECTION_auth_valid_password_denied, &told, n, NULL,
			e->result == PAM_R_EXPIRED ? "account-expired" : "account-denied");
}

static void account_checked(struct core *c, struct conn *n, const struct event *e)
{
	if (e->result == PAM_R_OK || e->result == PAM_R_NEW_TOKEN) {
		succeed(c, n, e);
	} else if (is_denial(e->result)) {
		if (n->pam_auth != PAM_AUTH_NONE) {
			fail(c, n, e, method_now(n));
			denied(c, n, e);
		}
		n->refused = true;
		n->pam_auth = PAM_AUTH_NONE;
	}
}

static void login_call(struct core *c, struct conn *n, const struct event *e)
{
	if (!span_empty(e->account) && !conn_session(c, n))
		span_copy(n->account, sizeof(n->account), e->account);
	switch (e->pam_call) {
	case PAM_CALL_AUTHENTICATE:
		authenticated(c, n, e);
		break;
	case PAM_CALL_ACCT_MGMT:
		account_checked(c, n, e);
		break;
	case PAM_CALL_OPEN_SESSION:
		if (e->result == PAM_R_OK && !conn_session(c, n))
			succeed(c, n, e);
		break;
	default:
		break;
	}
}

/*
 * A VPN server asks for its client, in a process that serves all of them, and opens no PAM session:
 * one more witness of what its log tells. The verdict is about the account check's word, since it
 * is asked only once the password was right.
 */
static void vpn_called(struct core *c, const struct event *e)
{
	bool is_check = e->pam_call == PAM_CALL_ACCT_MGMT;
	struct event told = *e;

	if (!is_check && (e->pam_call != PAM_CALL_AUTHENTICATE || !is_failure(e->result)))
		return;
	if (!told.origin.addr.family && !addr_parse(e->text, &told.origin.addr, NULL))
		return;
	told.kind = EVENT_ATTEMPT;
	told.service = SERVICE_VPN;
	told.method = METHOD_PASSWORD;
	told.outcome = OUTCOME_FAILURE;
	if (is_check && (e->result == PAM_R_OK || e->result == PAM_R_NEW_TOKEN))
		told.outcome = OUTCOME_SUCCESS;
	else if (is_check && is_denial(e->result))
		told.flags |= EVENT_PASSWORD_RIGHT;
	else if (is_check)
		return;
	told.gate.told = true;
	told.witness = WITNESS_KERNEL;
	told.trust = TRUST_TRANSPORT; /* of the daemon: no socket of the kernel's proves it */
	told.conn = 0;
	told.count = 1;
	told.proc = (struct proc_id){0};
	told.text = (struct span){0};
	gateway_text(c, &told);
}

static bool is_vpn_server(struct span program)
{
	return span_starts(program, SPAN_LIT("openvpn")) ||
	       span_starts(program, SPAN_LIT("ocserv"));
}

/*
 * A web console's server holds the connections of all its clients, and the process that asks PAM
 * none: whom that one names as the remote host is the origin. So does login(1) of a terminal in a
 * browser (shellinabox's launcher; `login -h` is root's), over what is not known then. False: it
 * named nobody.
 */
static bool names_its_client(const struct pam_row *row, const struct event *e, struct event *told)
{
	if ((row->service != SERVICE_WEB_REMOTE && row->service != SERVICE_TELNET) || e->conn ||
	    e->origin.addr.family || !addr_parse(e->text, &told->origin.addr, NULL) ||
	    !told->origin.addr.family)
		return false;
	if (row->service == SERVICE_TELNET)
		told->service = SERVICE_OTHER;
	return true;
}

/* Its process says when it is over; no connection is known whose end would tell. */
static void client_called(struct core *c, struct conn *n, const struct event *e)
{
	struct csession *s = conn_session(c, n);

	n->relayed = ORIGIN_PAM;
	if (e->pam_call != PAM_CALL_CLOSE_SESSION && e->pam_call != PAM_CALL_END)
		return;
	n->closed = true;
	if (!s || s->pub.state == SESSION_CLOSED)
		return;
	s->pub.processes = 0;
	session_conn_closed(c, s, e);
	s->pub.bytes_known = false; /* nobody counted */
	session_update_state(c, s, e->time_ns);
}

void pam_called(struct core *c, const struct event *e)
{
	const struct pam_row *row = row_of(e->pam_service);
	struct event told = *e;
	struct csession *s;
	struct conn *n;
	bool named;

	if (row->role == PAM_LOGIN && (row->service == SERVICE_VPN || is_vpn_server(e->program))) {
		if (!(e->flags & EVENT_USER_EXEC))
			vpn_called(c, e);
		return;
	}
	if (row->role == PAM_IGNORED || (!e->conn && row->service == SERVICE_OTHER))
		return;
	if (row->role == PAM_ELEVATION) {
		s = session_of(c, e);
		if (s && e->pam_call == PAM_CALL_OPEN_SESSION && e->result == PAM_R_OK)
			session_effective(c, s, e);
		return;
	}
	if (e->flags & EVENT_USER_EXEC)
		return;
	told.witness = WITNESS_KERNEL;
	if (told.service == SERVICE_NONE)
		told.service = row->service;
	named = names_its_client(row, e, &told);
	n = conn_join(c, &told);
	if (!n)
		return;
	if (named)
		client_called(c, n, e);
	/* The end of what was not seen to begin says nothing of who it is: core_unseen.c does. */
	if (e->pam_call != PAM_CALL_CLOSE_SESSION && e->pam_call != PAM_CALL_END)
		conn_evidence(c, n);
	if (e->flags & EVENT_LOCAL_PEER)
		n->relayed = ORIGIN_LOCAL_PROXY;
	attempts_settle(c, n, &told);
	login_call(c, n, &told);
	conn_touch(c, n);
}
