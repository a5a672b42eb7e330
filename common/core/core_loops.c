/*
 * loops: Remote Desktop of Windows reached over loopback, which is how a tunnel looks from here.
 *
 * Who holds the client end of the loopback connection is told by 5156 or Sysmon 3, where that
 * process is connected to outside by the same. Told once somebody logs on through it: from
 * 127.0.0.1 nobody comes by himself. A user's own mstsc is no tunnel. Where no log tells of
 * connections the logon alone is, since nobody can say which process it was.
 *
 * A program that has the name of one of Windows' own, or whose service calls itself Windows' or
 * Microsoft's, but lies elsewhere, is a masquerade. Cannot see: a program of Windows that is made
 * to forward (svchost with netsh portproxy: its rule is told when it is made, core_after.c); an
 * outer connection that was opened before it was looked at.
 *
 * Example: C:\ProgramData\wd\MsMpEng.exe, a tor, is connected to 198.51.100.7:443 and to
 * 127.0.0.1:3389; somebody logs on from 127.0.0.1.
 */
#include "core_detect.h"

#define LOOP_NS	 (600 * SECOND_NS) /* from the connection to the logon: a password is typed */
#define TEXT_CUT 200

static bool is_loopback(const struct core *c, const struct addr *a)
{
	return a->family && scope_of(a, &c->config.scope) == SCOPE_LOOPBACK;
}

static bool is_outside(const struct core *c, const struct addr *a)
{
	return a->family &&
	       scope_counts_as_external(scope_of(a, &c->config.scope), &c->config.scope);
}

static struct outer *outer_of(struct core *c, uint32_t pid, uint32_t host)
{
	for (unsigned i = 0; i < OUTERS_MAX; i++) {
		struct outer *o = &c->windows.outers[i];

		if (o->time_ns && o->pid == pid && o->host == host)
			return o;
	}
	return NULL;
}

static void outer_note(struct core *c, const struct event *e)
{
	uint32_t host = conn_host(c, e);
	struct outer *o = outer_of(c, e->proc.pid, host);

	for (unsigned i = 0; !o && i < OUTERS_MAX; i++)
		if (!c->windows.outers[i].time_ns)
			o = &c->windows.outers[i];
	for (unsigned i = 0; !o && i < OUTERS_MAX; i++) /* the oldest */
		if (i == 0 || c->windows.outers[i].time_ns < o->time_ns)
			o = &c->windows.outers[i];
	*o = (struct outer){e->time_ns, e->proc.pid, host, e->dest};
	for (unsigned i = 0; i < LOOPS_MAX; i++) /* the other way round */
		if (c->windows.loops[i].pid == e->proc.pid && c->windows.loops[i].host == host)
			c->windows.loops[i].outer = e->dest;
}

static void loop_note(struct core *c, const struct event *e)
{
	uint32_t host = conn_host(c, e);
	const struct outer *o = outer_of(c, e->proc.pid, host);
	struct loop *l = &c->windows.loops[c->windows.loops_next % LOOPS_MAX];

	for (unsigned i = 0; i < LOOPS_MAX; i++)
		if (c->windows.loops[i].pid == e->proc.pid && c->windows.loops[i].host == host)
			l = &c->windows.loops[i];
	if (l == &c->windows.loops[c->windows.loops_next % LOOPS_MAX])
		c->windows.loops_next++;
	*l = (struct loop){.time_ns = e->time_ns, .pid = e->proc.pid, .host = host, .at = e->dest};
	if (o)
		l->outer = o->dest;
	span_copy(l->path, sizeof(l->path), e->program);
}

void loop_outgoing(struct core *c, const struct event *e)
{
	if (!e->proc.pid)
		return;
	if (is_outside(c, &e->dest.addr))
		outer_note(c, e);
	else if (is_loopback(c, &e->dest.addr) && service_of_port(e->dest.port) == SERVICE_RDP)
		loop_note(c, e);
}

/* Of that moment the one that leads outside, else the latest. */
static const struct loop *loop_at(const struct core *c, const struct event *e)
{
	uint32_t host = conn_host(c, e);
	const struct loop *best = NULL;

	for (unsigned i = 0; i < LOOPS_MAX; i++) {
		const struct loop *l = &c->windows.loops[i];

		if (!l->time_ns || l->host != host || l->time_ns > e->time_ns + SECOND_NS ||
		    l->time_ns + LOOP_NS < e->time_ns)
			continue;
		if (!best || !!l->outer.addr.family > !!best->outer.addr.family ||
		    (!l->outer.addr.family == !best->outer.addr.family &&
		     l->time_ns > best->time_ns))
			best = l;
	}
	return best;
}

/* Without its drive or device, in small letters: "\windows\system32\svchost.exe". */
static void plain_path(struct span path, char ret[TEXT_CUT])
{
	static const char device[] = "\\device\\";
	size_t n;

	span_copy(ret, TEXT_CUT, path);
	for (char *p = ret; *p; p++)
		*p = *p >= 'A' && *p <= 'Z' ? (char)(*p | 0x20) : *p == '/' ? '\\' : *p;
	n = ret[0] && ret[1] == ':' ? 2 : 0;
	if (strncmp(ret, device, sizeof(device) - 1) == 0) {
		const char *end = strchr(ret + sizeof(device) - 1, '\\');

		n = end ? (size_t)(end - ret) : 0;
	}
	memmove(ret, ret + n, strlen(ret + n) + 1);
}

static bool is_below(const char *path, const char *const *directories)
{
	for (; *directories; directories++)
		if (strncmp(path, *directories, strlen(*directories)) == 0)
			return true;
	return false;
}

static const char *const vendor[] = {"\\windows\\", "\\program files\\windows defender",
				     "\\programdata\\microsoft\\windows defender\\", NULL};
static const char *const installed[] = {"\\windows\\", "\\program files\\",
					"\\program files (x86)\\",
					"\\programdata\\microsoft\\windows defender\\", NULL};

/* A user's own client of Remote Desktop. */
static bool is_client(const struct loop *l)
{
	char path[TEXT_CUT];

	plain_path(span_of(l->path), path);
	return strcmp(path, "\\windows\\system32\\mstsc.exe") == 0 ||
	       strcmp(path, "\\windows\\syswow64\\mstsc.exe") == 0;
}

void loop_used(struct core *c, const struct event *e, struct csession *s)
{
	const struct loop *l;
	struct event told = *e;

	if (!s || !is_loopback(c, &s->pub.origin.addr))
		return;
	l = loop_at(c, e);
	if ((l && is_client(l)) || !after_is_first(c, hash_text(1, span_of(s->pub.id)), e->time_ns))
		return;
	told.kind = EVENT_LOOPBACK;
	told.outcome = OUTCOME_UNKNOWN;
	told.method = METHOD_NONE;
	told.origin = s->pub.origin;
	told.service = s->pub.service;
	told.program = told.path = told.args = (struct span){0};
	if (l) {
		told.local = l->at;
		told.dest = l->outer;
		told.proc = (struct proc_id){.pid = l->pid};
		told.path = span_of(l->path);
		told.program = windows_base(told.path);
	}
	core_detect_one(c, DETECTION_access_loopback_forwarded, &told, NULL, s, "tunnel");
}

/* "C:\x y.exe" -a, or without quotes up to its ".exe". */
static struct span program_of(struct span command)
{
	size_t n = 0;

	if (command.len && command.ptr[0] == '"') {
		command = span_skip(command, 1);
		while (n < command.len && command.ptr[n] != '"')
			n++;
		return span_first(command, n);
	}
	for (n = 0; n + 4 <= command.len; n++)
		if (windows_same_name(span_first(span_skip(command, n), 4), SPAN_LIT(".exe")))
			return span_first(command, n + 4);
	return command;
}

void loop_service(struct core *c, const struct event *e)
{
	static const char *const names[] = {"windows",	"microsoft", "windefend", "defender",
					    "security", "msmpsvc",   NULL};
	char path[TEXT_CUT], name[TEXT_CUT];
	struct false_service *f;

	plain_path(program_of(e->args), path);
	plain_path(e->path, name);
	if (is_below(path, installed) || path[0] != '\\' || !is_below(name, names))
		return;
	f = &c->windows.false_services[c->windows.false_next++ % FALSE_SERVICES];
	f->file = hash_text(c->seed, span_of(path)) | 1;
	span_copy(f->name, sizeof(f->name), e->path);
}

struct span windows_masquerades_as(const struct core *c, struct span path)
{
	static const char *const names[] = {"audiodg.exe",
					    "conhost.exe",
					    "csrss.exe",
					    "ctfmon.exe",
					    "dllhost.exe",
					    "dwm.exe",
					    "explorer.exe",
					    "lsass.exe",
					    "lsm.exe",
					    "mpcmdrun.exe",
					    "mpdefendercoreservice.exe",
					    "msdtc.exe",
					    "msmpeng.exe",
					    "nissrv.exe",
					    "runtimebroker.exe",
					    "searchindexer.exe",
					    "securityhealthservice.exe",
					    "services.exe",
					    "sihost.exe",
					    "smss.exe",
					    "spoolsv.exe",
					    "svchost.exe",
					    "taskhostw.exe",
					    "tiworker.exe",
					    "trustedinstaller.exe",
					    "userinit.exe",
					    "wininit.exe",
					    "winlogon.exe",
					    "wmiprvse.exe",
					    "wuauclt.exe"};
	char plain[TEXT_CUT];
	uint64_t file;

	plain_path(path, plain);
	file = hash_text(c->seed, span_of(plain)) | 1;
	for (unsigned i = 0; i < FALSE_SERVICES; i++)
		if (c->windows.false_services[i].file == file)
			return span_of(c->windows.false_services[i].name);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (windows_same_name(windows_base(span_of(plain)), span_of(names[i])) &&
		    !is_below(plain, vendor))
			return span_of(names[i]);
	return (struct span){0};
}
