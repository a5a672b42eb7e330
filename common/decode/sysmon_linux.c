/*
 * sysmon_linux: Sysmon for Linux, whose events are Windows' event XML in syslog.
 *
 * Sees connections that came in to a port of a remote service (event 3, Initiated = false), with
 * the process that took them: the origin and port that the service's own lines name, too. Beside
 * the kernel's records they are nothing new. What programs began (1), where they went (3, Initiated
 * = true) and which files they made (11) is left out: Sysmon names the user and the audit session,
 * not the connection that somebody is behind, so no session could be said to have done it.
 *
 * Its time is that of SystemTime: UtcTime is counted from the boot and may be off (seen in recorded
 * events).
 *
 * Sources: github.com/microsoft/SysmonForLinux (README, manifest); recorded events of version 1.
 *
 * Example: sysmon: <Event><System><Provider Name="Linux-Sysmon" .../><EventID>3</EventID>...
 */
#include "netsensor.h"
#include "windows.h"

static bool read_connection(const struct windows_event *w, struct event *e, const char **reason)
{
	e->source = DECODER_sysmon_linux;
	e->win.id = 0; /* no event of Windows' */
	*reason = "a connection that is not of TCP, or went out";
	if (!span_is(windows_field(w, "Protocol"), "tcp") ||
	    !span_is(windows_field(w, "Initiated"), "false"))
		return false;
	e->kind = EVENT_CONNECTION;
	e->witness = WITNESS_NETWORK;
	e->program = windows_field(w, "Image");
	e->proc.pid = (uint32_t)windows_number(w, "ProcessId", 0);
	windows_origin(windows_field(w, "SourceIp"), windows_field(w, "SourcePort"), e);
	e->local.port = (uint16_t)(windows_number(w, "DestinationPort", 0) & UINT16_MAX);
	if (!addr_parse(windows_field(w, "DestinationIp"), &e->local.addr, NULL))
		e->local = (struct endpoint){.port = e->local.port};
	e->service = netsensor_by_port(e->local.port);
	*reason = "a connection to a port of no remote service";
	return e->service != SERVICE_NETWORK && e->origin.addr.family;
}

static bool read_other(const struct windows_event *w, struct event *e, const char **reason)
{
	(void)w, (void)e;
	*reason = "what Sysmon for Linux does not tell the connection of";
	return false;
}

const struct windows_row windows_linux_sysmon_rows[] = {
	{1, read_other}, {3, read_connection}, {11, read_other}, {0, NULL}};

const struct decoder decoder_sysmon_linux = {
	.name = "sysmon-linux",
	.about = "Sysmon for Linux in syslog: connections that came in to remote services",
	.example = "Jan 15 10:00:00 web1 sysmon: <Event><System><Provider Name=\"Linux-Sysmon\"/>"
		   "<EventID>3</EventID><TimeCreated SystemTime=\"2024-01-15T10:00:00.5Z\"/>"
		   "<Computer>web1</Computer></System><EventData><Data Name=\"ProcessId\">815"
		   "</Data><Data Name=\"Image\">/usr/sbin/sshd</Data><Data Name=\"Protocol\">tcp"
		   "</Data><Data Name=\"Initiated\">false</Data><Data Name=\"SourceIp\">"
		   "203.0.113.10</Data><Data Name=\"SourcePort\">40022</Data><Data Name="
		   "\"DestinationIp\">192.0.2.1</Data><Data Name=\"DestinationPort\">22</Data>"
		   "</EventData></Event>",
};
