/*
 * windows: one try and one logon out of what several Windows logs say about it (SPEC 4.1).
 *
 * A failed try is told by the Security log (4625), by RdpCoreTS (140) and by NTLM (4776): each log
 * counts alone per host and address, and the largest wins. A count that is behind for longer than
 * WITNESS_NS has missed tries and is made equal, so that a log which begins late still counts.
 * OpenSSH's 4625 has no address and the account NOUSER: it meets the text by its process id.
 *
 * A network logon (type 3) does not say of which service it was. It waits PROOF_NS for who knows:
 * 1149 of the same user and address is RDP (network level authentication comes first), a share
 * access is SMB, a shell of WinRM or a connection of that address and port proves those; after that
 * it is `network`, never guessed. One without an address takes that of the only connection that
 * the host had then; two of them are ambiguous and nobody's.
 *
 * Cannot see: the origin of NTLM on a domain controller (4776 names a workstation that the client
 * chose); tries over RDP and SMB from one address at once count as the larger of the two.
 *
 * Example: 131 from 203.0.113.9, 4625 type 3 from there, 140: one failure over RDP.
 */
#include "core_internal.h"

#include "core_detect.h"

#define PROOF_NS (15 * SECOND_NS) /* 1149 was seen 1 to 3 s after its 4624 */
#define NEAR_NS	 (5 * SECOND_NS)  /* between a connection and a logon without an address */

/* Kinds of try groups: NTLM or RDP, Kerberos. */
enum {
	GROUP_LOGON = 1,
	GROUP_DOMAIN = 2
};

uint64_t windows_who(const struct core *c, struct span account)
{
	char name[ACCOUNT_MAX];

	span_copy(name, sizeof(name), account);
	for (char *p = name; *p; p++)
		if (*p >= 'A' && *p <= 'Z')
			*p = (char)(*p | 0x20);
	return hash_text(c->seed, span_of(name)) | 1;
}

static uint64_t group_key(const struct core *c, const struct event *e, unsigned kind)
{
	return hash_u64(hash_addr(c->seed + kind, &e->origin.addr), conn_host(c, e)) | 1;
}

static void level(struct conn *n, uint64_t now_ns)
{
	if (attempts_level(n, now_ns))
		n->account[0] = '\0';
}

static struct conn *group_join(struct core *c, const struct event *e, uint64_t key,
			       struct event *ret)
{
	struct conn *n;

	if (!e->origin.addr.family)
		return NULL;
	*ret = *e;
	ret->conn = key;
	ret->origin.port = 0;		 /* every try has another one */
	ret->proc = (struct proc_id){0}; /* the service's own, of all its connections */
	n = conn_join(c, ret);
	if (n && (e->service == SERVICE_RDP || (e->gate.told && e->service == SERVICE_VPN)))
		n->service = (uint8_t)e->service;
	return n;
}

/* Two logs may tell of it. */
static bool is_first_denial(struct core *c, const struct event *e)
{
	for (unsigned i = 0; i < DENIED_MAX; i++) {
		const struct denied *d = &c->windows.denied[i];

		if (d->conn == e->conn && e->time_ns < d->time_ns + WITNESS_NS)
			return false;
	}
	c->windows.denied[c->windows.denied_next++ % DENIED_MAX] =
		(struct denied){e->conn, e->time_ns};
	return true;
}

/* The password was right. */
static void denied(struct core *c, struct conn *n, const struct event *e)
{
	static const uint32_t expired[] = {0xC0000071, 0xC0000193, 0xC0000224};
	const char *reason = "account-denied";
	struct event told = *e;

	if (!is_first_denial(c, e))
		return;
	for (unsigned i = 0; i < sizeof(expired) / sizeof(expired[0]); i++)
		if (e->win.status == expired[i])
			reason = "account-expired";
	told.outcome = OUTCOME_REFUSED;
	core_detect_one(c, DETECTION_auth_valid_password_denied, &told, n, NULL, reason);
}

void group_failed(struct core *c, const struct event *e, uint64_t key)
{
	struct event told;
	struct conn *n = group_join(c, e, key, &told);

	if (!n)
		return;
	n->gateway = e->gate.told;
	level(n, e->time_ns);
	n->status = STATUS_UNDECIDED;
	attempt_told(c, &told);
	if (e->flags & EVENT_PASSWORD_RIGHT)
		denied(c, n, &told);
}

void windows_failed(struct core *c, const struct event *e)
{
	unsigned kind = e->method == METHOD_DOMAIN ? GROUP_DOMAIN : GROUP_LOGON;

	if (e->service == SERVICE_SSH) /* its own words have the address */
		attempt_told(c, e);
	else
		group_failed(c, e, group_key(c, e, kind));
}

void windows_proof(struct core *c, const struct event *e, uint64_t who)
{
	c->windows.proofs[c->windows.proofs_next++ % PROOFS_MAX] = (struct proof){
		.time_ns = e->time_ns,
		.who = who,
		.host = conn_host(c, e),
		.service = e->service,
		.origin = e->origin,
	};
}

static bool within(uint64_t a, uint64_t b, uint64_t ns)
{
	return a < b ? b - a <= ns : a - b <= ns;
}

/* A proof about that host at about that time. */
static bool is_about(const struct proof *p, const struct pending *w, uint64_t ns)
{
	return p->time_ns && p->host == w->host && within(p->time_ns, w->time_ns, ns);
}

/* The service that was reached from the logon's address: by its very port, by its user, or, when
 * the logon names no port as RDP's never does, by an RDP connection. */
static enum service service_by_address(const struct core *c, const struct pending *w)
{
	const struct endpoint *from = &w->origin;
	enum service found = SERVICE_NONE;

	for (unsigned i = 0; i < PROOFS_MAX; i++) {
		const struct proof *p = &c->windows.proofs[i];

		if (!is_about(p, w, PROOF_NS) || !addr_eq(&p->origin.addr, &from->addr))
			continue;
		if ((from->port && p->origin.port == from->port) || p->who == w->who)
			return p->service;
		if (!from->port && !p->who && p->service == SERVICE_RDP)
			found = SERVICE_RDP;
	}
	return found;
}

/* The only connection that the host had then; false: none, or several. */
static bool address_by_time(const struct core *c, struct pending *w)
{
	const struct proof *only = NULL;

	for (unsigned i = 0; i < PROOFS_MAX; i++) {
		const struct proof *p = &c->windows.proofs[i];

		if (!is_about(p, w, NEAR_NS) || !p->origin.addr.family)
			continue;
		if (only &&
		    (!addr_eq(&p->origin.addr, &only->origin.addr) || p->service != only->service))
			return false;
		only = p;
	}
	if (!only)
		return false;
	w->origin.addr = only->origin.addr;
	w->proven = only->service;
	return true;
}

/* WinRM's own log names no address: a shell that opened then. */
static bool winrm_opened(const struct core *c, const struct pending *w)
{

	for (unsigned i = 0; i < PROOFS_MAX; i++)
		if (is_about(&c->windows.proofs[i], w, NEAR_NS) &&
		    c->windows.proofs[i].service == SERVICE_WINRM &&
		    !c->windows.proofs[i].origin.addr.family)
			return true;
	return false;
}

/* What was kept of it, as it was told. */
static struct event pending_event(const struct pending *w)
{
	struct event e = {.kind = EVENT_ATTEMPT,
			  .outcome = OUTCOME_SUCCESS,
			  .time_ns = w->time_ns,
			  .line = w->line,
			  .count = 1,
			  .flags = w->flags,
			  .service = w->service,
			  .method = w->method,
			  .trust = w->trust,
			  .source = w->source,
			  .origin = w->origin,
			  .win = w->win,
			  .account = span_of(w->account),
			  .client = span_of(w->client),
			  .host = span_of(w->host_name)};

	e.loginuid = e.audit_session = UINT32_MAX;
	return e;
}

static void settle(struct core *c, struct pending *w)
{
	struct pending p = *w;
	struct csession *s;
	struct event e;
	bool is_new;

	w->time_ns = 0;
	if (p.origin.addr.family && p.proven == SERVICE_NONE)
		p.proven = service_by_address(c, &p);
	if (!p.origin.addr.family && !address_by_time(c, &p))
		return;
	if (p.proven == SERVICE_NONE && winrm_opened(c, &p))
		p.proven = SERVICE_WINRM;
	if (p.proven != SERVICE_NONE)
		p.service = p.proven;
	e = pending_event(&p);
	if (p.proven == SERVICE_RDP)
		s = rdp_opened(c, &e);
	else
		s = logon_session(c, &e, &is_new);
	if (s)
		/* These end by their own words. */
		logon_add(c, &e, s, p.proven != SERVICE_RDP && p.proven != SERVICE_RDGATEWAY);
}

static struct pending *pending_slot(struct core *c)
{
	struct pending *oldest = &c->windows.pending[0];

	for (unsigned i = 0; i < PENDING_MAX; i++) {
		struct pending *w = &c->windows.pending[i];

		if (!w->time_ns)
			return w;
		if (w->due_ns < oldest->due_ns)
			oldest = w;
	}
	settle(c, oldest);
	return oldest;
}

static bool counts_as_external(const struct core *c, const struct event *e)
{
	return e->origin.addr.family &&
	       scope_counts_as_external(scope_of(&e->origin.addr, &c->config.scope),
					&c->config.scope);
}

/* Machine accounts, anonymous and loopback logons of the inside are how Windows talks to itself. */
static bool is_worth(const struct core *c, const struct event *e)
{
	bool is_machine = e->account.len && e->account.ptr[e->account.len - 1] == '$';

	if (counts_as_external(c, e))
		return true;
	return !is_machine && e->method != METHOD_NO_AUTH && !span_empty(e->account) &&
	       (!e->origin.addr.family ||
		scope_of(&e->origin.addr, &c->config.scope) != SCOPE_LOOPBACK);
}

static void network_logon(struct core *c, const struct event *e)
{
	struct pending *w;

	if (!is_worth(c, e))
		return;
	w = pending_slot(c);
	*w = (struct pending){.time_ns = e->time_ns,
			      .due_ns = e->time_ns + PROOF_NS,
			      .who = windows_who(c, e->account),
			      .line = e->line,
			      .host = conn_host(c, e),
			      .flags = e->flags,
			      .service = e->service,
			      .method = e->method,
			      .trust = e->trust,
			      .source = e->source,
			      .origin = e->origin,
			      .win = e->win};
	span_copy(w->account, sizeof(w->account), e->account);
	span_copy(w->client, sizeof(w->client), e->client);
	span_copy(w->host_name, sizeof(w->host_name), e->host);
	core_due(c, w->due_ns);
}

void windows_proven(struct core *c, const struct event *e, bool by_user)
{
	uint32_t host = conn_host(c, e);
	uint64_t who = windows_who(c, e->account);

	for (unsigned i = 0; i < PENDING_MAX; i++) {
		struct pending *w = &c->windows.pending[i];
		bool same;

		if (!w->time_ns || w->host != host)
			continue;
		same = e->win.logon && w->win.logon == e->win.logon;
		if (by_user)
			same |= w->who == who && addr_eq(&w->origin.addr, &e->origin.addr);
		if (!same)
			continue;
		w->proven = e->service;
		settle(c, w);
	}
}

void windows_used(struct core *c, const struct event *e)
{
	uint32_t host = conn_host(c, e);

	for (unsigned i = 0; i < PENDING_MAX; i++) {
		struct pending *w = &c->windows.pending[i];

		if (!w->time_ns || !e->win.logon || w->win.logon != e->win.logon || w->host != host)
			continue;
		if (e->service != SERVICE_NONE)
			w->proven = e->service;
		settle(c, w);
	}
}

static void succeeded(struct core *c, const struct event *e)
{
	struct csession *s;

	if (e->method == METHOD_DOMAIN || e->service == SERVICE_SSH)
		return; /* no session here; sshd's own words open its sessions */
	takeover_logged_on(c, e);
	if (e->service != SERVICE_RDP) {
		network_logon(c, e);
		return;
	}
	if (!e->origin.addr.family)
		return; /* LocalSessionManager has it */
	if (e->win.logon_type == 7 || e->win.logon_type == 13) {
		rdp_reconnected(c, e);
		return;
	}
	windows_proven(c, e, true);
	s = rdp_opened(c, e);
	if (!s)
		return;
	logon_add(c, e, s, true);
	loop_used(c, e, s);
}

static void tried(struct core *c, const struct event *e)
{
	if (e->outcome == OUTCOME_SUCCESS)
		succeeded(c, e);
	else if (e->outcome == OUTCOME_FAILURE)
		windows_failed(c, e);
}

/* 131, 261, 5156, Sysmon 3. */
static void connected(struct core *c, const struct event *e)
{
	struct event told;

	windows_proof(c, e, 0);
	if (e->service == SERVICE_RDP)
		group_join(c, e, group_key(c, e, GROUP_LOGON), &told);
}

static void noted(struct core *c, const struct event *e)
{
	if (e->service == SERVICE_RDP)
		rdp_noted(c, e);
	if (e->service != SERVICE_RDP && e->service != SERVICE_SMB)
		return;
	if (e->origin.addr.family && !span_empty(e->account))
		windows_proof(c, e, windows_who(c, e->account));
	/* 1149 names user and address; a share names the logon id. */
	windows_proven(c, e, e->service == SERVICE_RDP && e->origin.addr.family);
}

static void opened(struct core *c, const struct event *e)
{
	struct csession *s;

	if (e->service != SERVICE_RDP) {
		windows_proof(c, e, 0); /* WinRM: a shell, of whom is not said */
		return;
	}
	windows_proven(c, e, true);
	if (e->win.id == 21) {
		loop_used(c, e, rdp_opened(c, e));
		return;
	}
	s = rdp_reconnected(c, e);
	loop_used(c, e, s);
	if (e->win.id == 4778)
		takeover_arrived(c, e, s);
}

/* 4688 and Sysmon 1: what the decoder says is of RDP is tscon. With the rights of the system it
 * needs no password of the session that it moves. */
static void program_ran(struct core *c, const struct event *e)
{
	if (e->flags & EVENT_ROOT && e->service == SERVICE_RDP)
		core_detect_one(c, DETECTION_session_hijacked, e, NULL, NULL, "tscon");
	after_ran(c, e);
}

void windows_told(struct core *c, const struct event *e)
{
	if (gateway_told(c, e))
		return;
	switch (e->kind) {
	case EVENT_ATTEMPT:
		tried(c, e);
		break;
	case EVENT_CONNECTION:
		connected(c, e);
		break;
	case EVENT_AUTH_NOTE:
		noted(c, e);
		break;
	case EVENT_SESSION_OPEN:
		opened(c, e);
		break;
	case EVENT_SESSION_CLOSE:
		if (e->service == SERVICE_RDP)
			rdp_closed(c, e);
		else
			logon_ended(c, e);
		break;
	case EVENT_CONNECTION_CLOSE:
		rdp_dropped(c, e);
		if (e->win.id == 4779)
			takeover_left(c, e);
		break;
	case EVENT_EXEC:
		program_ran(c, e);
		break;
	case EVENT_CONNECT:
		after_connected(c, e);
		break;
	case EVENT_FILE:
		after_changed(c, e);
		break;
	default:
		break;
	}
}

void windows_expire(struct core *c)
{
	takeovers_expire(c);
	for (unsigned i = 0; i < PENDING_MAX; i++) {
		struct pending *w = &c->windows.pending[i];

		if (!w->time_ns)
			continue;
		if (w->due_ns <= c->now_ns)
			settle(c, w);
		else
			core_due(c, w->due_ns);
	}
}
