/*
 * windows: which Windows events tell of a remote session, and what every one of them has.
 *
 * Sees the Security log, the Terminal Services managers, RdpCoreTS, OpenSSH, WinRM and Sysmon's
 * network connections; everything else is skipped with a sentence. A provider is told by its name
 * or, where an exporter dropped it, by its channel. Cannot see: who wrote a forwarded event, so
 * all of it is text (TRUST_TEXT).
 *
 * Example: provider Microsoft-Windows-Security-Auditing, id 4625, LogonType 10, IpAddress
 * 203.0.113.9 is one failed RDP logon.
 */
#include "windows.h"

#include "text.h"

struct span windows_field(const struct windows_event *w, const char *name)
{
	struct span wanted = span_of(name);

	for (unsigned i = 0; i < w->count; i++)
		if (w->fields[i].name.len == wanted.len &&
		    windows_same_name(w->fields[i].name, wanted))
			return span_is(w->fields[i].value, "-") ? text_none() : w->fields[i].value;
	return text_none();
}

int windows_hex(char c)
{
	if (text_is_digit(c))
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

uint64_t windows_value(struct span s, uint64_t otherwise)
{
	uint64_t v = 0;

	if (!text_cut(&s, SPAN_LIT("0x")) && !text_cut(&s, SPAN_LIT("0X")))
		return span_u64(s, &v) ? v : otherwise;
	if (!s.len || s.len > 16)
		return otherwise;
	for (size_t i = 0; i < s.len; i++) {
		if (windows_hex(s.ptr[i]) < 0)
			return otherwise;
		v = v << 4 | (uint64_t)windows_hex(s.ptr[i]);
	}
	return v;
}

uint64_t windows_number(const struct windows_event *w, const char *name, uint64_t otherwise)
{
	return windows_value(windows_field(w, name), otherwise);
}

void windows_add(struct windows_event *w, struct span name, struct span value)
{
	if (w->count < WINDOWS_FIELDS_MAX)
		w->fields[w->count++] = (struct windows_field){name, value};
}

static struct span trim(struct span s)
{
	while (s.len && (unsigned char)s.ptr[0] <= ' ')
		s = span_skip(s, 1);
	while (s.len && (unsigned char)s.ptr[s.len - 1] <= ' ')
		s.len--;
	return s;
}

/* A heading ends with its colon. */
static size_t find_value(struct span line)
{
	if (text_ends(line, SPAN_LIT(":")))
		return TEXT_NOT_FOUND;
	for (size_t i = 0; i + 1 < line.len; i++)
		if (line.ptr[i] == ':' && (line.ptr[i + 1] == ' ' || line.ptr[i + 1] == '\t'))
			return i + 1;
	return TEXT_NOT_FOUND;
}

unsigned windows_message(struct span text, struct span ret[WINDOWS_LINES_MAX])
{
	unsigned n = 0;

	while (text.len && n < WINDOWS_LINES_MAX) {
		size_t eol = text_find(text, SPAN_LIT("\n"), 0), at;
		struct span line = trim(eol == TEXT_NOT_FOUND ? text : span_first(text, eol));

		text = span_skip(text, eol == TEXT_NOT_FOUND ? text.len : eol + 1);
		at = find_value(line);
		if (at != TEXT_NOT_FOUND)
			ret[n++] = trim(span_skip(line, at));
	}
	return n;
}

void windows_account(struct span name, struct event *e)
{
	size_t at = text_find_last(name, SPAN_LIT("\\"));

	if (at != TEXT_NOT_FOUND)
		name = span_skip(name, at + 1);
	if (span_is(name, "-"))
		name = text_none();
	e->account = name;
}

void windows_origin(struct span address, struct span port, struct event *e)
{
	struct endpoint o = {0};
	uint32_t number = text_u32(port, 0);

	if (!addr_parse(address, &o.addr, &o.port))
		return;
	if (!o.port && number <= UINT16_MAX)
		o.port = (uint16_t)number;
	if (o.addr.family != ADDR_NONE)
		e->origin = o;
}

/* An id only has to be told apart from others: 64 bits of FNV-1a over its hex digits. */
uint64_t windows_activity(struct span guid)
{
	uint64_t h = 0xcbf29ce484222325;
	bool any = false;

	for (size_t i = 0; i < guid.len; i++) {
		int v = windows_hex(guid.ptr[i]);

		if (v < 0)
			continue;
		any |= v != 0;
		h = (h ^ (uint64_t)v) * 0x100000001b3;
	}
	return any ? h >> 12 : 0; /* a double holds it */
}

/* S-1-5-18, 19, 20: what the system does by itself is nobody's. */
uint64_t windows_sid(struct span sid)
{
	uint64_t h = 0xcbf29ce484222325;

	if (!span_starts(sid, SPAN_LIT("S-1-5-21-")) && !span_starts(sid, SPAN_LIT("S-1-12-1-")))
		return 0;
	for (size_t i = 0; i < sid.len; i++)
		h = (h ^ (unsigned char)sid.ptr[i]) * 0x100000001b3;
	return (h >> 12) | 1; /* a double holds it */
}

const struct windows_provider windows_providers[] = {
	{"Microsoft-Windows-Security-Auditing", "Security", windows_security_rows},
	{"Microsoft-Windows-RemoteDesktopServices-RdpCoreTS",
	 "Microsoft-Windows-RemoteDesktopServices-RdpCoreTS/", windows_rdp_rows},
	{"Microsoft-Windows-TerminalServices-LocalSessionManager",
	 "Microsoft-Windows-TerminalServices-LocalSessionManager/", windows_session_rows},
	{"Microsoft-Windows-TerminalServices-RemoteConnectionManager",
	 "Microsoft-Windows-TerminalServices-RemoteConnectionManager/", windows_connection_rows},
	{"OpenSSH", "OpenSSH/", windows_openssh_rows},
	{"Microsoft-Windows-WinRM", "Microsoft-Windows-WinRM/", windows_winrm_rows},
	{"Microsoft-Windows-Sysmon", "Microsoft-Windows-Sysmon/", windows_sysmon_rows},
	{"Linux-Sysmon", "Linux-Sysmon/", windows_linux_sysmon_rows},
	{"Microsoft-Windows-TerminalServices-Gateway",
	 "Microsoft-Windows-TerminalServices-Gateway/", windows_gateway_rows},
	{"Microsoft-Windows-SMBServer", "Microsoft-Windows-SMBServer/", windows_smb_rows},
	{"RemoteAccess", NULL, windows_rras_rows},
	{"Service Control Manager", NULL, windows_service_rows},
	{"Microsoft-Windows-Eventlog", NULL, windows_log_rows},
	{"Microsoft-Windows-Windows Firewall With Advanced Security",
	 "Microsoft-Windows-Windows Firewall With Advanced Security/Firewall",
	 windows_firewall_rows},
	{"Microsoft-Windows-PowerShell", "Microsoft-Windows-PowerShell/", windows_script_rows},
};

const unsigned windows_providers_count = sizeof(windows_providers) / sizeof(windows_providers[0]);

static const struct windows_row *row_of(const struct windows_event *w, const char **reason)
{
	for (size_t i = 0; i < windows_providers_count; i++) {
		struct span channel = span_of(windows_providers[i].channel);
		bool ours = span_empty(w->provider)
				    ? channel.len && w->channel.len >= channel.len &&
					      windows_same_name(span_first(w->channel, channel.len),
								channel)
				    : windows_same_name(w->provider,
							span_of(windows_providers[i].name));

		if (!ours)
			continue;
		for (const struct windows_row *r = windows_providers[i].rows; r->id; r++)
			if (r->id == w->id)
				return r;
		*reason = "a Windows event that tells of no remote session";
		return NULL;
	}
	*reason = "a Windows event of a provider that is not read";
	return NULL;
}

static void fill(const struct decode_stream *s, const struct windows_event *w, struct event *e)
{
	memset(e, 0, sizeof(*e));
	e->kind = EVENT_AUTH_NOTE;
	e->trust = TRUST_TEXT;
	e->witness = WITNESS_DAEMON;
	e->time_ns = w->time_ns ? w->time_ns : s->seen_ns;
	e->line = s->line;
	e->count = 1;
	e->flags = w->time_approximate || !w->time_ns ? (uint32_t)EVENT_TIME_APPROXIMATE : 0;
	e->loginuid = e->audit_session = UINT32_MAX;
	e->host = w->computer;
	e->program = w->provider;
	e->win.id = w->id;
	e->win.activity = windows_activity(w->activity);
	e->win.sid = windows_sid(w->user_sid);
}

enum decode_result windows_decode(struct decode_stream *s, const struct windows_event *w,
				  enum decoder_index source, struct event *ret, const char **reason)
{
	const struct windows_row *row = row_of(w, reason);

	if (w->time_ns)
		s->seen_ns = w->time_ns;
	if (!row)
		return DECODE_SKIPPED;
	fill(s, w, ret);
	ret->source = (uint16_t)source;
	*reason = "a Windows event that tells of no remote session";
	return row->read(w, ret, reason) ? DECODE_EVENT : DECODE_SKIPPED;
}

const struct decoder decoder_windows_evtx = {
	.name = "windows-evtx",
	.about =
		"Windows event logs (.evtx files), and event XML as wevtutil prints it, one a line",
	.example = "<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System>"
		   "<Provider Name='Microsoft-Windows-Security-Auditing'/><EventID>4625</EventID>"
		   "<TimeCreated SystemTime='2024-03-05T10:11:12.5000000Z'/>"
		   "<Channel>Security</Channel><Computer>srv1</Computer></System><EventData>"
		   "<Data Name='TargetUserName'>alice</Data><Data Name='Status'>0xc000006d</Data>"
		   "<Data Name='SubStatus'>0xc000006a</Data><Data Name='LogonType'>10</Data>"
		   "<Data Name='IpAddress'>203.0.113.9</Data></EventData></Event>",
};

const struct decoder decoder_windows_json = {
	.name = "windows-json",
	.about = "Windows events as JSON: winlogbeat and ECS, NXLog, evtx_dump, Wazuh, RawXml",
	.example = "{\"@timestamp\":\"2024-03-05T10:11:12.500Z\",\"winlog\":{\"channel\":"
		   "\"Security\",\"provider_name\":\"Microsoft-Windows-Security-Auditing\","
		   "\"event_id\":4624,\"computer_name\":\"srv1\",\"event_data\":{"
		   "\"TargetUserName\":\"alice\",\"TargetLogonId\":\"0xa96e8\",\"LogonType\":"
		   "\"10\",\"IpAddress\":\"203.0.113.9\",\"IpPort\":\"0\"}}}",
};
