/*
 * procs: what the processes of a session do: programs, connections, bytes, ends.
 *
 * The kernel marks a connection's processes and says with each record whose it is. Programs that
 * ran before the verdict (AuthorizedKeysCommand), inside a PAM call (pam_motd's shell,
 * unix_chkpwd) or that are the daemon itself are not what the person did. Records of programs may
 * overtake the verdict on their way, so the first few of a connection wait for it.
 *
 * Cannot see: builtins of a shell; what a program does without an exec or a connection.
 */
#include "core_internal.h"

#include "core_text.h"

struct port_service {
	uint16_t first, last;
	enum service service;
};

static const struct port_service ports[] = {
	{22, 22, SERVICE_SSH},		 {23, 23, SERVICE_TELNET},
	{135, 135, SERVICE_RPC},	 {139, 139, SERVICE_SMB},
	{445, 445, SERVICE_SMB},	 {512, 514, SERVICE_OTHER}, /* rexec, rlogin, rsh */
	{2222, 2222, SERVICE_SSH},	 {2375, 2376, SERVICE_DOCKER},
	{3389, 3389, SERVICE_RDP},	 {5900, 5905, SERVICE_VNC},
	{5985, 5986, SERVICE_WINRM},	 {6443, 6443, SERVICE_KUBE_API},
	{10250, 10250, SERVICE_KUBELET},
};

enum service service_of_port(uint16_t port)
{
	for (size_t i = 0; i < sizeof(ports) / sizeof(ports[0]); i++)
		if (port >= ports[i].first && port <= ports[i].last)
			return ports[i].service;
	return SERVICE_NONE;
}

void proc_forked(struct core *c, const struct event *e)
{
	struct csession *s = session_of(c, e);

	if (s && !(e->flags & EVENT_HELPER))
		s->pub.processes++;
}

static void join_args(struct span args, char *out, size_t cap)
{
	size_t n = args.len;

	while (n && !args.ptr[n - 1])
		n--;
	if (n > cap - 1)
		n = cap - 1;
	for (size_t i = 0; i < n; i++)
		out[i] = args.ptr[i] ? args.ptr[i] : ' ';
	out[n] = '\0';
}

/*
 * Whose first word is another program's name than the one that runs. A script is among the words
 * of its interpreter; a login shell has a dash before its name.
 */
static bool calls_itself_otherwise(const struct event *e)
{
	struct span rest = e->args, word, name, real = span_base(e->program);
	size_t end = 0;

	if (!span_starts(e->program, SPAN_LIT("/")) || !span_cut_arg(&rest, &word))
		return false;
	while (end < word.len && word.ptr[end] != ' ')
		end++;
	name = span_base(span_first(word, end));
	if (span_starts(name, SPAN_LIT("-")))
		name = span_skip(name, 1);
	if (span_eq(name, real))
		return false;
	for (int i = 0; i < 3 && span_cut_arg(&rest, &word); i++)
		if (span_eq(word, e->program))
			return false;
	return true;
}

static void say_command(const struct event *e, char out[COMMAND_MAX])
{
	size_t n = 0;

	if (span_empty(e->args)) {
		join_args(e->program, out, COMMAND_MAX);
		return;
	}
	if (calls_itself_otherwise(e)) {
		struct text t = text_start(out, COMMAND_MAX);

		text_add(&t, "[");
		text_plain(&t, e->program, COMMAND_MAX / 2);
		text_add(&t, "] ");
		n = strlen(out);
	}
	join_args(e->args, out + n, COMMAND_MAX - n);
}

/* The first half of what is kept says how it began, the rest is the latest. */
static struct session_command *command_slot(struct session *s)
{
	const unsigned first = SESSION_CMDS / 2;

	if (s->commands_kept < SESSION_CMDS)
		return &s->commands[s->commands_kept++];
	memmove(&s->commands[first], &s->commands[first + 1],
		(SESSION_CMDS - first - 1) * sizeof(s->commands[0]));
	return &s->commands[SESSION_CMDS - 1];
}

void session_ran(struct core *c, struct csession *s, struct conn *n, const struct event *e)
{
	struct session_command *k;

	if (e->time_ns < s->pub.open_ns && !s->pub.existing)
		return; /* before the verdict: the daemon's own doing */
	s->pub.commands_total++;
	k = command_slot(&s->pub);
	k->time_ns = e->time_ns;
	k->proc = e->proc;
	k->uid = e->uid;
	k->via = e->via_entry;
	say_command(e, k->text);
	/* A build or a loop starts thousands: the session is told of at most once a second. */
	if (s->pub.commands_total <= SESSION_CMDS || e->time_ns > s->commands_told_ns + SECOND_NS) {
		s->commands_told_ns = e->time_ns;
		session_changed(c, s);
	}
	if (e->flags & (EVENT_STDIN_TTY | EVENT_PTY))
		s->pub.has_pty = true;
	s->pub.last_ns = e->time_ns;
	handoff_ran(c, s, e);
	core_detect(c, e, n, s);
}

/*
 * The oldest of root's that this connection holds: where no PAM call is seen, what ran before the
 * login (pam_motd's scripts) gives way to what its user runs.
 */
static struct held *held_of_root(struct core *c, struct handle conn)
{
	for (unsigned i = 0; i < HELD_MAX; i++) {
		struct held *h = &c->held[(c->held_next + i) % HELD_MAX];

		if (h->conn.slot == conn.slot && h->conn.generation == conn.generation && !h->e.uid)
			return h;
	}
	return NULL;
}

/* Room for one more; NULL: all of it is worth as much. */
static struct held *held_slot(struct core *c, struct conn *n, const struct event *e)
{
	struct handle mine = pool_handle(&c->conns, pool_slot(&c->conns, n));
	struct held *old = NULL, *h = &c->held[c->held_next % HELD_MAX];
	struct conn *other;

	if (n->held >= HELD_PER_CONN) {
		old = e->uid ? held_of_root(c, mine) : NULL;
		c->stats.procs_evicted++;
		if (!old)
			return NULL;
		old->conn.slot = NIL;
		n->held--;
	}
	other = pool_get(&c->conns, h->conn);
	if (other) {
		c->stats.procs_evicted++;
		if (other->held)
			other->held--;
	}
	c->held_next++;
	n->held++;
	h->conn = mine;
	return h;
}

static void hold(struct core *c, struct conn *n, const struct event *e)
{
	struct held *h = held_slot(c, n, e);
	size_t len = e->args.len < sizeof(h->args) ? e->args.len : sizeof(h->args);

	if (!h)
		return;
	h->e = *e;
	event_drop_texts(&h->e);
	span_copy(h->program, sizeof(h->program), e->program);
	h->e.program = span_of(h->program);
	if (len)
		memcpy(h->args, e->args.ptr, len);
	h->e.args = (struct span){h->args, len};
}

void held_replay(struct core *c, struct conn *n)
{
	struct handle mine = pool_handle(&c->conns, pool_slot(&c->conns, n));
	struct csession *s = conn_session(c, n);
	unsigned start = c->held_next;

	if (!n->held)
		return;
	n->held = 0;
	for (unsigned i = 0; i < HELD_MAX; i++) {
		struct held *h = &c->held[(start + i) % HELD_MAX];

		if (h->conn.slot != mine.slot || h->conn.generation != mine.generation)
			continue;
		h->conn.slot = NIL;
		if (s && h->e.kind == EVENT_CONNECT)
			session_went(c, s, n, &h->e);
		else if (s)
			session_ran(c, s, n, &h->e);
	}
}

void proc_execed(struct core *c, const struct event *e)
{
	struct conn *n;
	struct csession *s;

	if (e->flags & (EVENT_HELPER | EVENT_SELF_EXEC))
		return;
	n = conn_join(c, e);
	if (!n)
		return;
	s = conn_session(c, n);
	if (s) {
		session_ran(c, s, n, e);
		return;
	}
	hold(c, n, e);
	if (n->outward)
		agent_session(c, n, e);
	else
		unseen_note(c, n, e);
}

void proc_exited(struct core *c, const struct event *e)
{
	struct csession *s = session_of(c, e);

	if (!s)
		return;
	s->pub.processes = e->alive;
	session_update_state(c, s, e->time_ns);
}

/* What a path is called stands at its end; what the kernel calls a program is short, and no path.
 */
static struct span short_name(struct span program, size_t cap)
{
	size_t at = program.len;

	while (program.len >= cap && at && program.ptr[at - 1] != '\\' &&
	       program.ptr[at - 1] != '/')
		at--;
	return program.len >= cap ? span_skip(program, at) : program;
}

static struct session_dest *dest_of(struct session *s, const struct event *e, bool make)
{
	struct session_dest *d;

	for (unsigned i = 0; i < s->dests_kept; i++)
		if (s->dests[i].dest.port == e->dest.port &&
		    addr_eq(&s->dests[i].dest.addr, &e->dest.addr))
			return &s->dests[i];
	if (!make)
		return NULL;
	s->dests_total++;
	if (s->dests_kept == SESSION_DESTS)
		return NULL;
	d = &s->dests[s->dests_kept++];
	d->dest = e->dest;
	d->service = (uint8_t)service_of_port(e->dest.port);
	d->first_ns = e->time_ns;
	d->via = (uint16_t)e->via_entry;
	span_copy(d->program, sizeof(d->program), short_name(e->program, sizeof(d->program)));
	return d;
}

static struct outgoing *out_of(struct csession *s, uint64_t cookie)
{
	for (unsigned i = 0; i < SESSION_DESTS; i++)
		if (s->outs[i].cookie == cookie)
			return &s->outs[i];
	return NULL;
}

/* What stays on this host is not sent away. */
static bool leaves_host(const struct core *c, const struct event *e)
{
	return scope_of(&e->dest.addr, &c->config.scope) != SCOPE_LOOPBACK;
}

/* When there are more at a time, the rest counts when it closes. */
static void out_opened(const struct core *c, struct csession *s, const struct event *e)
{
	struct outgoing *o;

	if (!e->out_conn || !leaves_host(c, e) || out_of(s, e->out_conn))
		return;
	o = out_of(s, 0);
	if (o)
		o->cookie = e->out_conn;
}

static void out_closed(const struct core *c, struct csession *s, const struct event *e)
{
	struct outgoing *o = e->out_conn ? out_of(s, e->out_conn) : NULL;

	if (o)
		*o = (struct outgoing){0};
	if (leaves_host(c, e))
		s->outs_closed += e->bytes_out;
}

/*
 * Forwarded bytes come in by one connection and leave by the other: they are sent once, whichever
 * way they go, since only what leaves is counted.
 */
uint64_t session_sent(const struct csession *s)
{
	uint64_t sum = s->pub.bytes_out + s->outs_closed;

	for (unsigned i = 0; i < SESSION_DESTS; i++)
		sum += s->outs[i].bytes;
	return sum;
}

void session_went(struct core *c, struct csession *s, struct conn *n, const struct event *e)
{
	struct session_dest *d;

	out_opened(c, s, e);
	d = dest_of(&s->pub, e, true);
	if (d) {
		d->source = e->local.addr;
		d->source_ports[d->count ? 1 : 0] = e->local.port;
		d->count++;
		d->last_ns = e->time_ns;
		d->scope = (uint8_t)scope_of(&e->dest.addr, &c->config.scope);
	}
	s->pub.last_ns = e->time_ns;
	session_changed(c, s);
	core_detect(c, e, n, s);
}

void proc_connected(struct core *c, const struct event *e)
{
	struct conn *n = conn_find(c, e);
	struct csession *s = conn_session(c, n);

	if (!e->dest.addr.family)
		return;
	if (s)
		session_went(c, s, n, e);
	else if (n &&
		 e->uid) /* a user's, before a log has told that he is in; root's ask a directory */
		hold(c, n, e);
}

void proc_connect_closed(struct core *c, const struct event *e)
{
	struct conn *n = conn_find(c, e);
	struct csession *s = conn_session(c, n);
	struct session_dest *d = s ? dest_of(&s->pub, e, false) : NULL;

	if (!s)
		return;
	out_closed(c, s, e);
	if (d) {
		d->bytes_in += e->bytes_in;
		d->bytes_out += e->bytes_out;
		d->last_ns = e->time_ns;
	}
	session_changed(c, s);
	core_detect(c, e, n, s);
}

/* A session that listens itself: ssh -R, or a server that somebody started. */
void proc_listened(struct core *c, const struct event *e)
{
	struct conn *n = e->conn ? conn_find(c, e) : NULL;
	struct csession *s = conn_session(c, n);

	if (s) {
		s->pub.has_forward = true;
		s->pub.listens_total++;
		if (s->pub.listens_kept < SESSION_LISTENS)
			s->pub.listens[s->pub.listens_kept++].at = e->dest;
		s->pub.last_ns = e->time_ns;
		session_changed(c, s);
	}
	core_detect(c, e, n, s);
}

/* Counters so far, of the accepted socket and of those that the session opened. */
void proc_bytes(struct core *c, const struct event *e)
{
	struct conn *n = conn_find(c, e);
	struct csession *s = conn_session(c, n);

	if (!s)
		return;
	if (e->out_conn && e->out_conn != e->conn) {
		struct outgoing *o = out_of(s, e->out_conn);

		if (!o || e->bytes_out <= o->bytes)
			return;
		o->bytes = e->bytes_out;
		core_detect(c, e, n, s);
		return;
	}
	if (e->bytes_in > s->pub.bytes_in)
		s->pub.bytes_in = e->bytes_in;
	if (e->bytes_out > s->pub.bytes_out)
		s->pub.bytes_out = e->bytes_out;
	s->pub.bytes_known = true;
	session_changed(c, s);
	core_detect(c, e, n, s);
}
