/*
 * windows_logon: the Security log's logons, OpenSSH's and WinRM's own logs.
 *
 *   4624 4625   a logon by its type: 10, 12 and a remote 7 are RDP, by sshd.exe SSH, 3 and 8 the
 *               network: which service it was is the core's to prove, never guessed here
 *   4776        NTLM's own word about the same try; on a domain controller the only one
 *   4768 4771   Kerberos: a try that opens no session on that host
 *   4778 4779   an RDP session got or lost its connection;  4825: may not use RDP
 *   4634 4647   the end of a logon;  4648 4672 4740 5140 5145: what explains one
 *   what is done after it: windows_after.c; NPS: windows_gateway.c
 *
 * Local logons (console, service, batch) are skipped. A status says whether it was a verdict: a
 * locked account is refused and no attempt; a right password that policy refuses is a failure
 * marked as such; an unreachable controller is neither. Cannot see: which account OpenSSH was
 * asked for, when it does not exist (NOUSER); its own line says so.
 *
 * Example: 4625, LogonType 3, SubStatus 0xc0000064, IpAddress 203.0.113.9.
 */
#include "frame.h"
#include "sshd.h"
#include "text.h"
#include "time_text.h"
#include "windows.h"

enum {
	LOGON_NETWORK = 3,
	LOGON_UNLOCK = 7,
	LOGON_CLEARTEXT = 8,
	LOGON_RDP = 10,
	LOGON_CACHED_RDP = 12,
	LOGON_CACHED_UNLOCK = 13
};

#define VERDICT_RIGHT EVENT_PASSWORD_RIGHT | EVENT_ACCOUNT_EXISTS

struct status_row {
	uint32_t status;
	enum outcome outcome;
	uint32_t flags;
};

/* Those not listed are failures. [MS-ERREF] 2.3.1; SPEC 4.2 names the ones with a right password.
 */
static const struct status_row ntstatus_rows[] = {
	{0, OUTCOME_SUCCESS, EVENT_ACCOUNT_EXISTS},
	{0xC0000064, OUTCOME_FAILURE, EVENT_ACCOUNT_UNKNOWN},
	{0xC000006A, OUTCOME_FAILURE, EVENT_ACCOUNT_EXISTS},
	{0xC000006F, OUTCOME_FAILURE, VERDICT_RIGHT}, /* hours */
	{0xC0000070, OUTCOME_FAILURE, VERDICT_RIGHT}, /* workstation */
	{0xC0000071, OUTCOME_FAILURE, VERDICT_RIGHT}, /* password expired */
	{0xC0000072, OUTCOME_FAILURE, EVENT_ACCOUNT_EXISTS},
	{0xC000015B, OUTCOME_FAILURE, VERDICT_RIGHT},	     /* logon type not granted */
	{0xC0000193, OUTCOME_FAILURE, VERDICT_RIGHT},	     /* account expired */
	{0xC0000224, OUTCOME_FAILURE, VERDICT_RIGHT},	     /* must change the password */
	{0xC0000234, OUTCOME_REFUSED, EVENT_ACCOUNT_EXISTS}, /* locked out */
	{0xC000005E, OUTCOME_UNKNOWN, 0},		     /* no controller */
	{0xC00000DC, OUTCOME_UNKNOWN, 0},
	{0xC0000133, OUTCOME_UNKNOWN, 0}, /* clocks differ */
	{0xC000018C, OUTCOME_UNKNOWN, 0},
	{0xC000018D, OUTCOME_UNKNOWN, 0},
	{0xC0000192, OUTCOME_UNKNOWN, 0},
	{0xC0000225, OUTCOME_UNKNOWN, 0},
};

/* RFC 4120 7.5.9. */
static const struct status_row kerberos_rows[] = {
	{0, OUTCOME_SUCCESS, EVENT_ACCOUNT_EXISTS},
	{0x06, OUTCOME_FAILURE, EVENT_ACCOUNT_UNKNOWN},
	{0x12, OUTCOME_REFUSED, EVENT_ACCOUNT_EXISTS}, /* locked, disabled or at the wrong hour */
	{0x17, OUTCOME_REFUSED, EVENT_ACCOUNT_EXISTS}, /* key expired */
	{0x18, OUTCOME_FAILURE, EVENT_ACCOUNT_EXISTS},
	{0x0E, OUTCOME_UNKNOWN, 0}, /* no common encryption */
	{0x19, OUTCOME_UNKNOWN, 0}, /* preauthentication wanted: part of the protocol */
	{0x25, OUTCOME_UNKNOWN, 0}, /* clocks differ */
	{0x34, OUTCOME_UNKNOWN, 0}, /* answer too big for UDP */
};

#define SET_STATUS(rows, e, status) set_status(rows, sizeof(rows) / sizeof((rows)[0]), e, status)

static void set_status(const struct status_row *rows, size_t n, struct event *e, uint64_t status)
{
	e->win.status = (uint32_t)status;
	e->outcome = OUTCOME_FAILURE;
	for (size_t i = 0; i < n; i++)
		if (rows[i].status == (uint32_t)status) {
			e->outcome = rows[i].outcome;
			e->flags |= rows[i].flags;
		}
}

void windows_ntstatus(struct event *e, uint64_t status)
{
	SET_STATUS(ntstatus_rows, e, status);
}

/* The last part of a path with backslashes. */
bool windows_is_program(struct span path, const char *name)
{
	size_t at = text_find_last(path, SPAN_LIT("\\"));

	return windows_same_name(at == TEXT_NOT_FOUND ? path : span_skip(path, at + 1),
				 span_of(name));
}

static bool is_remote(const struct event *e)
{
	return e->origin.addr.family != ADDR_NONE && !windows_is_loopback(&e->origin.addr);
}

/* Which service a logon of that type is of; NONE: a local one. */
static enum service service_of(const struct windows_event *w, const struct event *e)
{
	if (windows_is_program(windows_field(w, "ProcessName"), "sshd.exe"))
		return span_is(windows_field(w, "TargetDomainName"), "VIRTUAL USERS")
			       ? SERVICE_NONE /* sshd's own separated process */
			       : SERVICE_SSH;
	switch (e->win.logon_type) {
	case LOGON_RDP:
	case LOGON_CACHED_RDP:
		return SERVICE_RDP;
	case LOGON_UNLOCK:
	case LOGON_CACHED_UNLOCK:
		return is_remote(e) ? SERVICE_RDP : SERVICE_NONE;
	case LOGON_NETWORK:
	case LOGON_CLEARTEXT:
		return SERVICE_NETWORK;
	default:
		return is_remote(e) ? SERVICE_NETWORK : SERVICE_NONE;
	}
}

/* NTLM and what asks for a password here; a Kerberos ticket does not say how it was got. */
static enum method method_of(const struct windows_event *w)
{
	struct span package = windows_field(w, "AuthenticationPackageName");

	return span_is(package, "Kerberos") || span_empty(package) ? METHOD_NONE : METHOD_PASSWORD;
}

static bool is_anonymous(struct span account)
{
	return span_is(account, "ANONYMOUS LOGON");
}

/* What 4624 and 4625 have in common. */
static bool read_logon(const struct windows_event *w, struct event *e, const char **reason)
{
	e->kind = EVENT_ATTEMPT;
	windows_account(windows_field(w, "TargetUserName"), e);
	windows_origin(windows_field(w, "IpAddress"), windows_field(w, "IpPort"), e);
	e->win.logon_type = (uint32_t)windows_number(w, "LogonType", 0);
	e->win.logon = windows_number(w, "TargetLogonId", 0);
	e->win.linked = windows_number(w, "TargetLinkedLogonId", 0);
	e->win.sid = windows_sid(windows_field(w, "TargetUserSid"));
	e->method = method_of(w);
	e->service = service_of(w, e);
	if (e->service == SERVICE_NONE) {
		*reason = "a local logon";
		return false;
	}
	if (e->service == SERVICE_NETWORK) /* of the others it is this host's own name */
		e->client = windows_field(w, "WorkstationName");
	if (e->service == SERVICE_SSH) {
		e->witness = WITNESS_PAM_LOG;
		e->proc.pid = (uint32_t)windows_number(w, "ProcessId", 0);
	}
	return true;
}

static bool read_success(const struct windows_event *w, struct event *e, const char **reason)
{
	if (!read_logon(w, e, reason))
		return false;
	e->outcome = OUTCOME_SUCCESS;
	e->flags |= EVENT_ACCOUNT_EXISTS;
	if (is_anonymous(e->account))
		e->method = METHOD_NO_AUTH;
	return true;
}

static bool read_failure(const struct windows_event *w, struct event *e, const char **reason)
{
	uint64_t sub = windows_number(w, "SubStatus", 0);

	if (!read_logon(w, e, reason))
		return false;
	SET_STATUS(ntstatus_rows, e, sub ? sub : windows_number(w, "Status", 0xC000006D));
	if (e->outcome == OUTCOME_SUCCESS) /* a failure without a status is still one */
		e->outcome = OUTCOME_FAILURE;
	if (e->service == SERVICE_SSH && span_is(e->account, "NOUSER")) {
		e->account = text_none();
		e->flags |= EVENT_ACCOUNT_UNKNOWN;
	}
	if (e->flags & EVENT_ACCOUNT_UNKNOWN)
		e->flags &= ~(uint32_t)EVENT_ACCOUNT_EXISTS;
	return true;
}

/* Does that workstation's name begin the computer's? */
static bool is_this_host(const struct windows_event *w, struct span workstation)
{
	size_t dot = text_find(w->computer, SPAN_LIT("."), 0);

	return !span_empty(workstation) &&
	       windows_same_name(workstation,
				 span_first(w->computer, dot == TEXT_NOT_FOUND ? SIZE_MAX : dot));
}

/* Of a logon at this very host: 4624 or 4625 tell it, too, and know the address. */
static bool read_ntlm(const struct windows_event *w, struct event *e, const char **reason)
{
	struct span workstation = windows_field(w, "Workstation");

	(void)reason;
	windows_account(windows_field(w, "TargetUserName"), e);
	SET_STATUS(ntstatus_rows, e, windows_number(w, "Status", 0xC000006D));
	e->client = workstation;
	e->service = SERVICE_NETWORK;
	e->method = METHOD_DOMAIN;
	if (!is_this_host(w, workstation))
		e->kind = EVENT_ATTEMPT;
	if (span_is(e->account, "NOUSER"))
		e->account = text_none();
	return true;
}

static bool read_kerberos(const struct windows_event *w, struct event *e, const char **reason)
{
	(void)reason;
	e->kind = EVENT_ATTEMPT;
	windows_account(windows_field(w, "TargetUserName"), e);
	windows_origin(windows_field(w, "IpAddress"), windows_field(w, "IpPort"), e);
	SET_STATUS(kerberos_rows, e, windows_number(w, "Status", 0x18));
	e->service = SERVICE_NETWORK;
	e->method = METHOD_DOMAIN;
	return true;
}

static bool read_logoff(const struct windows_event *w, struct event *e, const char **reason)
{
	uint64_t type = windows_number(w, "LogonType", LOGON_NETWORK);

	if (type != LOGON_NETWORK && type < LOGON_UNLOCK) {
		*reason = "the end of a local logon";
		return false;
	}
	e->kind = EVENT_SESSION_CLOSE;
	windows_account(windows_field(w, "TargetUserName"), e);
	e->win.logon = windows_number(w, "TargetLogonId", 0);
	e->win.logon_type = (uint32_t)type;
	return true;
}

static bool read_explicit(const struct windows_event *w, struct event *e, const char **reason)
{
	(void)reason;
	windows_account(windows_field(w, "TargetUserName"), e);
	windows_origin(windows_field(w, "IpAddress"), windows_field(w, "IpPort"), e);
	return true;
}

static bool read_privileges(const struct windows_event *w, struct event *e, const char **reason)
{
	(void)reason;
	windows_account(windows_field(w, "SubjectUserName"), e);
	e->win.logon = windows_number(w, "SubjectLogonId", 0);
	return true;
}

static bool read_lockout(const struct windows_event *w, struct event *e, const char **reason)
{
	(void)reason;
	windows_account(windows_field(w, "TargetUserName"), e);
	e->client = windows_field(w, "TargetDomainName"); /* the computer that caused it */
	e->flags |= EVENT_ACCOUNT_EXISTS;
	return true;
}

static bool read_nps_lockout(const struct windows_event *w, struct event *e, const char **reason)
{
	(void)reason;
	windows_account(windows_field(w, "SubjectUserName"), e);
	e->service = SERVICE_VPN;
	e->flags |= EVENT_ACCOUNT_EXISTS;
	return true;
}

/* 4778, 4779 and 4825. */
static bool read_rdp_client(const struct windows_event *w, struct event *e, const char **reason)
{
	struct span address = windows_field(w, "ClientAddress"), lines[WINDOWS_LINES_MAX] = {0};

	windows_account(windows_field(w, "AccountName"), e);
	if (span_empty(address) && windows_message(w->message, lines) == WINDOWS_LINES_MAX) {
		windows_account(lines[0], e); /* user, domain, logon id, address of 4825 */
		address = w->id == 4825 ? lines[3] : text_none();
	}
	windows_origin(address, text_none(), e);
	e->client = windows_field(w, "ClientName");
	e->win.logon = windows_number(w, "LogonID", 0);
	e->service = SERVICE_RDP;
	if (e->origin.addr.family == ADDR_NONE)
		*reason = "a session at the console";
	return e->origin.addr.family != ADDR_NONE;
}

static bool read_reconnect(const struct windows_event *w, struct event *e, const char **reason)
{
	e->kind = EVENT_SESSION_OPEN;
	e->outcome = OUTCOME_SUCCESS;
	return read_rdp_client(w, e, reason);
}

static bool read_disconnect(const struct windows_event *w, struct event *e, const char **reason)
{
	e->kind = EVENT_CONNECTION_CLOSE;
	return read_rdp_client(w, e, reason);
}

static bool read_not_allowed(const struct windows_event *w, struct event *e, const char **reason)
{
	e->kind = EVENT_ATTEMPT;
	e->outcome = OUTCOME_FAILURE;
	e->witness = WITNESS_PAM_LOG;
	e->method = METHOD_PASSWORD;
	e->flags |= VERDICT_RIGHT;
	return read_rdp_client(w, e, reason);
}

static bool read_share(const struct windows_event *w, struct event *e, const char **reason)
{
	(void)reason;
	windows_account(windows_field(w, "SubjectUserName"), e);
	windows_origin(windows_field(w, "IpAddress"), windows_field(w, "IpPort"), e);
	e->win.logon = windows_number(w, "SubjectLogonId", 0);
	e->service = SERVICE_SMB;
	return true;
}

/* sshd's own words. The account loses its domain, as in every other Windows event. */
static bool read_openssh(const struct windows_event *w, struct event *e, const char **reason)
{
	struct frame f = {.host = w->computer, .pid = w->pid, .uid = UINT32_MAX};
	struct span rest = w->message;
	size_t at;

	f.ident = windows_field(w, "process");
	f.message = windows_field(w, "payload");
	if (span_empty(f.message) && (at = text_find(rest, SPAN_LIT(": "), 0)) != TEXT_NOT_FOUND) {
		f.ident = span_first(rest, at);
		f.message = text_trim_right(span_skip(rest, at + 2));
	}
	if (!frame_is_sshd(f.ident)) {
		*reason = "of the ssh programs only the server tells of logins";
		return false;
	}
	e->kind = EVENT_NONE;
	e->win.id = 0; /* from here on it is text of sshd like any other */
	e->program = f.ident;
	e->text = f.message;
	e->proc.pid = w->pid;
	if (sshd_decode(&f, e, reason) != DECODE_EVENT)
		return false;
	if (!(e->flags & EVENT_ACCOUNT_UNKNOWN)) {
		windows_account(e->account, e);
		at = text_find_last(e->account, SPAN_LIT("@"));
		if (at != TEXT_NOT_FOUND)
			e->account = span_first(e->account, at);
	}
	return true;
}

static bool read_winrm_shell(const struct windows_event *w, struct event *e, const char **reason)
{
	(void)w;
	(void)reason;
	e->kind = EVENT_SESSION_OPEN;
	e->service = SERVICE_WINRM;
	return true;
}

static bool read_winrm_user(const struct windows_event *w, struct event *e, const char **reason)
{
	(void)reason;
	e->service = SERVICE_WINRM;
	windows_account(windows_field(w, "username"), e);
	return true;
}

/* This host as a client: where it went, and whether it was let in there. */
static bool read_winrm_out(const struct windows_event *w, struct event *e, const char **reason)
{
	struct span to = windows_field(w, "connection");
	size_t end = text_find(to, SPAN_LIT("/"), 0);

	to = span_first(to, end == TEXT_NOT_FOUND ? to.len : end);
	*reason = "a WinRM client that does not say where it goes";
	e->kind = EVENT_CONNECT;
	e->service = SERVICE_WINRM;
	e->program = text_none(); /* which of the client's it was is not told */
	e->subject = to;
	if (!addr_parse(to, &e->dest.addr, &e->dest.port))
		e->dest = (struct endpoint){0};
	if (!e->dest.port)
		e->dest.port = 5985;
	return !span_empty(to);
}

static bool read_winrm_refused(const struct windows_event *w, struct event *e, const char **reason)
{
	(void)reason;
	e->service = SERVICE_WINRM;
	e->outcome = OUTCOME_REFUSED;
	e->text = windows_field(w, "authFailureMessage");
	return true;
}

const struct windows_row windows_security_rows[] = {
	{4624, read_success},
	{4625, read_failure},
	{4634, read_logoff},
	{4647, read_logoff},
	{4648, read_explicit},
	{4672, read_privileges},
	{4688, windows_read_process},
	{4697, windows_read_change},
	{4698, windows_read_change},
	{4719, windows_read_policy},
	{4720, windows_read_change},
	{4722, windows_read_change},
	{4728, windows_read_change},
	{4732, windows_read_change},
	{4740, read_lockout},
	{4756, windows_read_change},
	{4768, read_kerberos},
	{4771, read_kerberos},
	{4776, read_ntlm},
	{4778, read_reconnect},
	{4779, read_disconnect},
	{4825, read_not_allowed},
	{5140, read_share},
	{5145, read_share},
	{5156, windows_read_filtered},
	{6272, windows_read_granted},
	{6273, windows_read_granted},
	{6274, windows_read_granted},
	{6276, windows_read_granted},
	{6277, windows_read_granted},
	{6278, windows_read_granted},
	{6279, read_nps_lockout},
	{0, NULL},
};
const struct windows_row windows_openssh_rows[] = {
	{2, read_openssh}, {3, read_openssh}, {4, read_openssh}, {0, NULL}};
const struct windows_row windows_winrm_rows[] = {{6, read_winrm_out},
						 {91, read_winrm_shell},
						 {161, read_winrm_refused},
						 {169, read_winrm_user},
						 {0, NULL}};
