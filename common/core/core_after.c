/*
 * after: what a session of Windows does. A logon id says whose a program or a change is; a program
 * says whose a connection is; where neither is told (7045, the firewall) the SID of who did it is
 * that of a remote session which lives.
 *
 * The same is told by several logs (4688 and Sysmon 1, 4697 and 7045, 4720 and 4722): once within
 * 10 s. What switches Remote Desktop on or forwards a port is known by its command line, too.
 * A logon whose service nobody has told yet is settled by the first program that runs under it.
 *
 * Cannot see: which of two sessions of one account a change without a logon id is of; somebody at
 * the console whose account has a remote session, too.
 *
 * Example: 4688 with the logon id of alice's RDP session, sc.exe create; 4697 with the same id.
 */
#include "core_detect.h"

#define AGAIN_NS (10 * SECOND_NS)

bool after_is_first(struct core *c, uint64_t what, uint64_t time_ns)
{
	struct windows *w = &c->windows;

	for (unsigned i = 0; i < LATELY_MAX; i++) {
		const struct told_lately *l = &w->lately[i];

		if (l->what == what && l->time_ns < time_ns + AGAIN_NS &&
		    time_ns < l->time_ns + AGAIN_NS)
			return false;
	}
	w->lately[w->lately_next++ % LATELY_MAX] = (struct told_lately){what, time_ns};
	return true;
}

struct span windows_base(struct span path)
{
	for (size_t i = path.len; i > 0; i--)
		if (path.ptr[i - 1] == '\\' || path.ptr[i - 1] == '/')
			return span_skip(path, i);
	return path;
}

static struct handle handle_of(const struct core *c, const struct csession *s)
{
	return pool_handle(&c->sessions, pool_slot(&c->sessions, s));
}

static struct logon_process *process_set(struct core *c, uint32_t pid, uint32_t host)
{
	return c->windows.processes[hash_u64(host, pid) % PROCESS_SETS];
}

static struct csession *process_owner(struct core *c, uint32_t pid, uint32_t host)
{
	const struct logon_process *set = process_set(c, pid, host);

	for (unsigned i = 0; pid && i < PROCESS_WAYS; i++)
		if (set[i].pid == pid && set[i].host == host) {
			struct csession *s = pool_get(&c->sessions, set[i].session);

			return s && s->pub.state != SESSION_CLOSED ? s : NULL;
		}
	return NULL;
}

/* s NULL: a number that is used again, by nobody's. */
static void process_note(struct core *c, uint32_t pid, uint32_t host, struct csession *s)
{
	struct logon_process *set = process_set(c, pid, host), *pick = NULL;

	for (unsigned i = 0; i < PROCESS_WAYS; i++)
		if (set[i].pid == pid && set[i].host == host)
			pick = &set[i];
	for (unsigned i = 0; s && !pick && i < PROCESS_WAYS; i++)
		if (!set[i].pid || !pool_get(&c->sessions, set[i].session))
			pick = &set[i];
	if (s && !pick)
		pick = &set[c->windows.processes_next++ % PROCESS_WAYS];
	if (pick)
		*pick = s ? (struct logon_process){pid, host, handle_of(c, s)}
			  : (struct logon_process){0};
}

static struct conn *conn_of(struct core *c, const struct csession *s)
{
	return pool_get(&c->conns, s->conn);
}

static bool is_called(struct span path, const char *name)
{
	struct span base = windows_base(path);

	return windows_same_name(base, span_of(name));
}

/* By its logon id; what a program of the session starts under another id is the session's. */
static struct csession *owner_of(struct core *c, const struct event *e)
{
	struct event used = *e;
	struct csession *s;

	used.service =
		is_called(e->program, "wsmprovhost.exe") || is_called(e->program, "winrshost.exe")
			? SERVICE_WINRM
			: SERVICE_NONE;
	windows_used(c, &used);
	s = logon_owner(c, e);
	return s ? s : process_owner(c, e->parent.pid, conn_host(c, e));
}

/* A command line that changes what no log of its own tells. */
static void implied(struct core *c, const struct event *e)
{
	struct event told = *e;

	told.kind = EVENT_FILE;
	told.path = e->args;
	told.args = (struct span){0};
	if (windows_enables_rdp(e->args))
		told.subject = SPAN_LIT("rdp-enabled");
	else if (windows_forwards_port(e->args))
		told.subject = SPAN_LIT("port-forward");
	else
		return;
	after_changed(c, &told);
}

void after_ran(struct core *c, const struct event *e)
{
	uint32_t host = conn_host(c, e);
	struct csession *s = owner_of(c, e);
	struct event told = *e;
	uint64_t what;

	process_note(c, e->proc.pid, host, s);
	if (!s)
		return;
	what = hash_u64(hash_u64(handle_of(c, s).slot, e->proc.pid), host);
	if (!after_is_first(c, hash_text(what, windows_base(e->program)), e->time_ns))
		return;
	told.uid = told.euid = UINT32_MAX;
	session_ran(c, s, conn_of(c, s), &told);
	implied(c, e);
}

void after_connected(struct core *c, const struct event *e)
{
	uint32_t host = conn_host(c, e);
	struct csession *s = process_owner(c, e->proc.pid, host);
	struct event told = *e;
	uint64_t what = hash_u64(hash_addr(host, &e->dest.addr),
				 (uint64_t)e->local.port << 16 | e->dest.port);

	loop_outgoing(c, e);
	if (!s && e->win.sid && e->service == SERVICE_WINRM)
		s = logon_owner_sid(c, e);
	if (!s || !e->dest.addr.family ||
	    scope_of(&e->dest.addr, &c->config.scope) == SCOPE_LOOPBACK ||
	    !after_is_first(c, what, e->time_ns))
		return;
	told.program = windows_base(e->program);
	session_went(c, s, conn_of(c, s), &told);
}

static struct csession *changer(struct core *c, const struct event *e)
{
	struct csession *s = owner_of(c, e);

	if (!s)
		s = process_owner(c, e->proc.pid, conn_host(c, e));
	return s ? s : logon_owner_sid(c, e);
}

/* "service 'x' (C:\x.exe)" */
static void say_change(struct text *t, const struct event *e)
{
	static const struct {
		const char *reason, *words;
	} rows[] = {
		{"service-unit", "service"},
		{"remote-tool", "service of a remote access tool"},
		{"tor-service", "service of Tor"},
		{"scheduled-task", "scheduled task"},
		{"group", "new member of group"},
		{"firewall", "firewall rule that lets in"},
		{"rdp-enabled", "Remote Desktop switched on:"},
		{"port-forward", "port forwarded:"},
	};
	const char *words = e->win.id == 4722 ? "account switched on" : "new account";

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (span_is(e->subject, rows[i].reason))
			words = rows[i].words;
	text_add(t, "%s ", words);
	text_quote(t, e->path, 80);
	if (!span_empty(e->args)) {
		text_add(t, " (");
		text_plain(t, e->args, 80);
		text_add(t, ")");
	}
}

static uint64_t change_of(const struct core *c, const struct csession *s, const struct event *e)
{
	uint64_t what = hash_text(handle_of(c, s).slot + 1, e->subject);

	/* A command line and the registry name these differently. */
	if (span_is(e->subject, "rdp-enabled") || span_is(e->subject, "port-forward"))
		return what;
	return hash_text(span_is(e->subject, "group") ? hash_text(what, e->args) : what, e->path);
}

void after_changed(struct core *c, const struct event *e)
{
	struct csession *s = changer(c, e);
	struct event told = *e;
	char words[ALERT_EVIDENCE_MAX];
	struct text t = TEXT_IN(words);

	if (e->win.id == 7045 || e->win.id == 4697)
		loop_service(c, e);
	if (!s || !after_is_first(c, change_of(c, s, e), e->time_ns))
		return;
	say_change(&t, e);
	told.text = span_of(words);
	told.service = s->pub.service;
	s->pub.last_ns = e->time_ns;
	session_changed(c, s);
	core_detect(c, &told, conn_of(c, s), s);
}
