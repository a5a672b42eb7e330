/*
 * windows_after: what is done on a Windows host once somebody is in: programs, connections, and
 * changes by which one can come back.
 *
 *   4688  Sysmon 1      a program has begun. Whose it is says its logon id
 *   5156  Sysmon 3      a connection in or out; of those that came in only the ports of remote
 *                       services
 *   4697  7045          a service was installed;  4698: a scheduled task
 *   4720 4722           an account was made or switched on;  4728 4732 4756: put into a group that
 *                       may log in from afar or administer, by the group's well-known SID, since
 *                       names are translated
 *   2004 2071 2097      the firewall lets something in
 *   Sysmon 13, 4104     Remote Desktop was switched on, a port is forwarded
 *   4719 1102 104       auditing was taken back, a log emptied: sensor.blind
 *
 * A change by the system itself has no SID that counts and a logon id of 0x3e7: the core finds no
 * session for it. Cannot see: the registry without Sysmon; what a program does without any of
 * these.
 *
 * Sources: event-4697.md ... event-4756.md of windows-itpro-docs; 2004, 2097: the provider's
 * manifest (Direction 1 in, Action 3 allow); 7045: Service Control Manager's message table;
 * Sysmon's schema.
 *
 * Example: 4697, SubjectLogonId 0xa96e8, ServiceName AnyDesk, ServiceFileName C:\...\AnyDesk.exe.
 */
#include "text.h"
#include "time_text.h"
#include "windows.h"

bool windows_is_loopback(const struct addr *a)
{
	static const uint8_t one[16] = {[15] = 1};

	return (a->family == ADDR_V4 && a->bytes[0] == 127) ||
	       (a->family == ADDR_V6 && memcmp(a->bytes, one, sizeof(one)) == 0);
}

static enum service service_at(uint16_t port)
{
	static const struct {
		uint16_t port;
		enum service service;
	} rows[] = {{22, SERVICE_SSH},	   {135, SERVICE_RPC},	  {139, SERVICE_SMB},
		    {445, SERVICE_SMB},	   {3389, SERVICE_RDP},	  {5900, SERVICE_VNC},
		    {5985, SERVICE_WINRM}, {5986, SERVICE_WINRM}, {23, SERVICE_TELNET}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].port == port)
			return rows[i].service;
	return SERVICE_NONE;
}

static bool connection(struct event *e, struct span local, struct span local_port,
		       const char **reason)
{
	e->kind = EVENT_CONNECTION;
	e->local.port = (uint16_t)(text_u32(local_port, 0) & UINT16_MAX);
	if (!addr_parse(local, &e->local.addr, NULL))
		e->local = (struct endpoint){.port = e->local.port};
	e->service = service_at(e->local.port);
	*reason = "a connection to a port of no remote service";
	return e->service != SERVICE_NONE && e->origin.addr.family != ADDR_NONE;
}

/* To where, by which program; the port here tells two of them apart. */
static bool outgoing(struct event *e, struct span to, struct span to_port, const char **reason)
{
	e->kind = EVENT_CONNECT;
	e->local = e->origin; /* read as the other end */
	e->origin = (struct endpoint){0};
	*reason = "a connection that does not say where it goes";
	e->dest.port = (uint16_t)(text_u32(to_port, 0) & UINT16_MAX);
	return addr_parse(to, &e->dest.addr, NULL) && e->dest.addr.family && e->dest.port;
}

/* In both directions "Source" is this host (seen in recorded events); %%14592 came in, %%14593 went
 * out. */
bool windows_read_filtered(const struct windows_event *w, struct event *e, const char **reason)
{
	struct span direction = windows_field(w, "Direction");
	bool in = span_is(direction, "%%14592");

	*reason = "a connection that is not of TCP";
	if (windows_number(w, "Protocol", 0) != 6 || (!in && !span_is(direction, "%%14593")))
		return false;
	e->program = windows_field(w, "Application");
	e->proc.pid = (uint32_t)windows_number(w, "ProcessID", 0);
	windows_origin(windows_field(w, in ? "DestAddress" : "SourceAddress"),
		       windows_field(w, in ? "DestPort" : "SourcePort"), e);
	if (!in)
		return outgoing(e, windows_field(w, "DestAddress"), windows_field(w, "DestPort"),
				reason);
	return connection(e, windows_field(w, "SourceAddress"), windows_field(w, "SourcePort"),
			  reason);
}

/* Sysmon's events are written seconds after what they tell. */
static void sysmon_time(const struct windows_event *w, struct event *e)
{
	struct span at = windows_field(w, "UtcTime");
	struct time_text t;

	if (!time_take_utc(&at, &t))
		return;
	e->time_ns = t.time_ns;
	e->flags &= ~(uint32_t)EVENT_TIME_APPROXIMATE;
}

static bool read_sysmon(const struct windows_event *w, struct event *e, const char **reason)
{
	*reason = "a connection that is not of TCP";
	if (!span_is(windows_field(w, "Protocol"), "tcp"))
		return false;
	sysmon_time(w, e);
	e->program = windows_field(w, "Image");
	e->proc.pid = (uint32_t)windows_number(w, "ProcessId", 0);
	windows_origin(windows_field(w, "SourceIp"), windows_field(w, "SourcePort"), e);
	if (span_is(windows_field(w, "Initiated"), "true"))
		return outgoing(e, windows_field(w, "DestinationIp"),
				windows_field(w, "DestinationPort"), reason);
	return connection(e, windows_field(w, "DestinationIp"), windows_field(w, "DestinationPort"),
			  reason);
}

/* tscon, whose first name Sysmon knows even when its file was renamed. */
static bool moves_sessions(struct span path, struct span original)
{
	return windows_is_program(path, "tscon.exe") ||
	       windows_same_name(original, SPAN_LIT("tscon.exe"));
}

#define SYSTEM_LOGON 0x3e7 /* of every Windows, in every language */

/* What moves sessions is told as of RDP. */
static void program_began(struct event *e, struct span path, struct span original, bool is_system)
{
	e->kind = EVENT_EXEC;
	e->service = moves_sessions(path, original) ? SERVICE_RDP : SERVICE_NONE;
	e->program = path;
	if (is_system)
		e->flags |= EVENT_ROOT;
}

/* From the second version on the account that it runs as has a logon id, too; 0: the same. */
bool windows_read_process(const struct windows_event *w, struct event *e, const char **reason)
{
	uint64_t by = windows_number(w, "SubjectLogonId", 0);
	uint64_t as = windows_number(w, "TargetLogonId", 0);

	*reason = "a program without a name";
	windows_account(windows_field(w, "SubjectUserName"), e);
	e->args = windows_field(w, "CommandLine");
	e->win.logon = as && by != SYSTEM_LOGON ? as : by;
	e->win.linked = by != e->win.logon ? by : 0;
	e->proc.pid = (uint32_t)windows_number(w, "NewProcessId", 0);
	e->parent.pid = (uint32_t)windows_number(w, "ProcessId", 0);
	program_began(e, windows_field(w, "NewProcessName"), text_none(),
		      by == SYSTEM_LOGON ||
			      span_is(windows_field(w, "SubjectUserSid"), "S-1-5-18") ||
			      span_is(windows_field(w, "TargetUserSid"), "S-1-5-18"));
	return !span_empty(e->program);
}

static bool read_sysmon_process(const struct windows_event *w, struct event *e, const char **reason)
{
	*reason = "a program without a name";
	sysmon_time(w, e);
	windows_account(windows_field(w, "User"), e);
	e->args = windows_field(w, "CommandLine");
	e->win.logon = windows_number(w, "LogonId", 0);
	e->proc.pid = (uint32_t)windows_number(w, "ProcessId", 0);
	e->parent.pid = (uint32_t)windows_number(w, "ParentProcessId", 0);
	program_began(e, windows_field(w, "Image"), windows_field(w, "OriginalFileName"),
		      e->win.logon == SYSTEM_LOGON);
	return !span_empty(e->program);
}

/* --- changes */

static bool has_one(struct span text, const char *const *words)
{
	for (; *words; words++)
		if (windows_has(text, *words))
			return true;
	return false;
}

/* Programs by which somebody sits at a machine from afar, or a way to it is kept open. */
static const char *const remote_tools[] = {
	"action1_",    "ammyy",	    "anydesk",	   "ateraagent", "chisel",     "cloudflared",
	"connectwise", "dwagsvc",   "dwagent",	   "fleetdeck",	 "frpc",       "g2comm",
	"gotoassist",  "logmein",   "lmiguardian", "meshagent",	 "netsupport", "client32.exe",
	"ngrok",       "radmin",    "remotepc",	   "rustdesk",	 "rutserv",    "screenconnect",
	"simplehelp",  "splashtop", "srservice",   "supremo",	 "tailscaled", "teamviewer",
	"tightvnc",    "tvnserver", "ultraviewer", "uvnc",	 "vncserver",  "winvnc",
	"zohoassist",  "zaservice", "sshd.exe",	   NULL};
static const char *const tor_tools[] = {"\\tor.exe", "/tor.exe", "torrc", "\"tor.exe", NULL};

static const char *service_reason(struct span name, struct span file)
{
	if (has_one(file, tor_tools) || windows_same_name(name, SPAN_LIT("tor")))
		return "tor-service";
	return has_one(name, remote_tools) || has_one(file, remote_tools) ? "remote-tool"
									  : "service-unit";
}

static void by_subject(const struct windows_event *w, struct event *e)
{
	uint64_t sid = windows_sid(windows_field(w, "SubjectUserSid"));

	e->kind = EVENT_FILE;
	windows_account(windows_field(w, "SubjectUserName"), e);
	e->win.logon = windows_number(w, "SubjectLogonId", 0);
	if (sid)
		e->win.sid = sid;
}

/* What stands between two tags; empty when they are not there. */
static struct span between(struct span text, const char *begin, const char *end)
{
	size_t at = text_find(text, span_of(begin), 0), to;

	if (at == TEXT_NOT_FOUND)
		return text_none();
	text = span_skip(text, at + strlen(begin));
	to = text_find(text, span_of(end), 0);
	return to == TEXT_NOT_FOUND ? text_none() : span_first(text, to);
}

static void read_service(const struct windows_event *w, struct event *e)
{
	struct span file = windows_field(w, w->id == 4697 ? "ServiceFileName" : "ImagePath");

	e->path = windows_field(w, "ServiceName");
	e->args = file;
	e->subject = span_of(service_reason(e->path, file));
}

/* Each user's own OneDrive keeps itself up to date by a task, made at the first logon. */
static bool is_onedrive(struct span name, struct span command)
{
	return span_starts(name, SPAN_LIT("\\OneDrive ")) &&
	       windows_same_name(command, SPAN_LIT("%localappdata%\\Microsoft\\OneDrive\\"
						   "OneDriveStandaloneUpdater.exe"));
}

static void read_task(const struct windows_event *w, struct event *e)
{
	struct span xml = windows_field(w, "TaskContent");

	e->path = windows_field(w, "TaskName");
	e->args = between(xml, "<Command>", "</Command>");
	e->subject = SPAN_LIT("scheduled-task");
	if (is_onedrive(e->path, e->args))
		e->flags |= EVENT_MANAGED;
}

/* Administrators, Remote Desktop Users, Remote Management Users, Backup Operators, Power Users,
 * Account and Server Operators; of a domain: Admins, Schema and Enterprise Admins, Key Admins. */
static bool is_weighty(struct span sid)
{
	static const char *const local[] = {"544", "555", "580", "551", "547", "548", "549"};
	static const char *const domain[] = {"-512", "-518", "-519", "-526", "-527"};

	if (text_cut(&sid, SPAN_LIT("S-1-5-32-"))) {
		for (size_t i = 0; i < sizeof(local) / sizeof(local[0]); i++)
			if (span_is(sid, local[i]))
				return true;
		return false;
	}
	for (size_t i = 0;
	     span_starts(sid, SPAN_LIT("S-1-5-21-")) && i < sizeof(domain) / sizeof(domain[0]); i++)
		if (text_ends(sid, span_of(domain[i])))
			return true;
	return false;
}

static bool read_member(const struct windows_event *w, struct event *e, const char **reason)
{
	*reason = "a group that gives nobody a way in";
	e->path = windows_field(w, "TargetUserName");
	e->args = windows_field(w, "MemberName");
	if (span_empty(e->args)) /* of local accounts there is no name */
		e->args = windows_field(w, "MemberSid");
	e->subject = SPAN_LIT("group");
	return is_weighty(windows_field(w, "TargetSid"));
}

bool windows_read_change(const struct windows_event *w, struct event *e, const char **reason)
{
	by_subject(w, e);
	switch (w->id) {
	case 4697:
	case 7045:
		read_service(w, e);
		return true;
	case 4698:
		read_task(w, e);
		return true;
	case 4720:
	case 4722:
		e->path = windows_field(w, "TargetUserName");
		e->subject = SPAN_LIT("account");
		return true;
	default:
		return read_member(w, e, reason);
	}
}

static bool read_firewall(const struct windows_event *w, struct event *e, const char **reason)
{
	struct span direction = windows_field(w, "Direction");

	*reason = "a firewall rule that lets nothing in";
	e->kind = EVENT_FILE;
	e->win.sid = windows_sid(windows_field(w, "ModifyingUser"));
	e->path = windows_field(w, "RuleName");
	e->args = windows_field(w, "LocalPorts");
	if (span_empty(e->args) || span_is(e->args, "*"))
		e->args = windows_field(w, "ApplicationPath");
	e->program = windows_field(w, "ModifyingApplication");
	e->subject = SPAN_LIT("firewall");
	return (span_is(direction, "1") || span_is(direction, "%%14592")) &&
	       windows_number(w, "Action", 0) == 3 && windows_number(w, "Active", 1) == 1;
}

static bool read_sysmon_registry(const struct windows_event *w, struct event *e,
				 const char **reason)
{
	struct span key = windows_field(w, "TargetObject"), value = windows_field(w, "Details");

	*reason = "a part of the registry that lets nobody in";
	e->kind = EVENT_FILE;
	sysmon_time(w, e);
	windows_account(windows_field(w, "User"), e);
	e->proc.pid = (uint32_t)windows_number(w, "ProcessId", 0);
	e->program = windows_field(w, "Image");
	e->path = key;
	e->args = value;
	if (windows_has(key, "\\Terminal Server\\fDenyTSConnections")) {
		e->subject = SPAN_LIT("rdp-enabled");
		return span_is(value, "DWORD (0x00000000)");
	}
	e->subject = SPAN_LIT("port-forward");
	return windows_has(key, "\\Services\\PortProxy\\v") && windows_has(key, "\\tcp\\");
}

/* Of PowerShell's script blocks only one that switches Remote Desktop on in the registry. */
static bool read_script(const struct windows_event *w, struct event *e, const char **reason)
{
	*reason = "a script that switches no remote access on";
	e->kind = EVENT_FILE;
	e->path = SPAN_LIT("fDenyTSConnections");
	e->args = windows_field(w, "ScriptBlockText");
	e->program = SPAN_LIT("PowerShell");
	e->subject = SPAN_LIT("rdp-enabled");
	return windows_enables_rdp(e->args);
}

/* --- what makes blind */

/* Which audit events are no longer written: %%8448 successes, %%8450 failures. */
bool windows_read_policy(const struct windows_event *w, struct event *e, const char **reason)
{
	static const struct {
		const char *guid, *text;
	} rows[] = {
		{"0cce9215-", "audit-policy-off: auditing of Logon was taken back"},
		{"0cce9216-", "audit-policy-off: auditing of Logoff was taken back"},
		{"0cce9217-", "audit-policy-off: auditing of Account Lockout was taken back"},
		{"0cce921b-", "audit-policy-off: auditing of Special Logon was taken back"},
		{"0cce921c-",
		 "audit-policy-off: auditing of Other Logon/Logoff Events was taken back"},
		{"0cce922b-", "audit-policy-off: auditing of Process Creation was taken back"},
		{"0cce923f-", "audit-policy-off: auditing of Credential Validation was taken back"},
	};
	struct span changes = windows_field(w, "AuditPolicyChanges");
	struct span guid = windows_field(w, "SubcategoryGuid");

	by_subject(w, e);
	e->kind = EVENT_SENSOR;
	*reason = "a change of audit policy that takes nothing away, or one of the system's own";
	if (!e->win.sid || (!windows_has(changes, "%%8448") && !windows_has(changes, "%%8450")))
		return false;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (windows_has(guid, rows[i].guid)) {
			e->text = span_of(rows[i].text);
			e->win.id = 0; /* a sensor's state like any other */
			return true;
		}
	return false;
}

static bool read_cleared(const struct windows_event *w, struct event *e, const char **reason)
{
	(void)reason;
	by_subject(w, e);
	e->kind = EVENT_SENSOR;
	e->text = SPAN_LIT("log-cleared: somebody emptied a log");
	e->subject = w->id == 1102 ? SPAN_LIT("Security") : windows_field(w, "Channel");
	e->win.id = 0;
	return true;
}

const struct windows_row windows_sysmon_rows[] = {
	{1, read_sysmon_process}, {3, read_sysmon}, {13, read_sysmon_registry}, {0, NULL}};
const struct windows_row windows_service_rows[] = {{7045, windows_read_change}, {0, NULL}};
const struct windows_row windows_log_rows[] = {
	{104, read_cleared}, {1102, read_cleared}, {0, NULL}};
const struct windows_row windows_firewall_rows[] = {
	{2004, read_firewall}, {2071, read_firewall}, {2097, read_firewall}, {0, NULL}};
const struct windows_row windows_script_rows[] = {{4104, read_script}, {0, NULL}};
