/*
 * wire: kernel records (wire.h) become events. Every record is checked for its size by kind and
 * version before a field is read; text fields are bounded by their arrays.
 *
 * Sees what the kernel proved: sockets, processes, PAM calls. Cannot see: what happened between
 * two records, so it keeps no state; the core joins them by cookie and process.
 *
 * Example: WIRE_PAM, call authenticate, ret 7, service "sshd", user "root", 203.0.113.7:40022
 */
#include "first_bytes.h"
#include "../container_id.h"
#include "../exposure/exposure.h"
#include "../scope.h"
#include "../wire.h"

#include "container.h"
#include "decode.h"
#include "pam_text.h"
#include "spoken.h"
#include "wireguard.h"

#define FAMILY_V4 2 /* AF_INET and AF_INET6 of Linux, whatever this is built on */
#define FAMILY_V6 10

static const struct {
	uint32_t wire, event;
} flag_map[] = {
	{WIRE_F_PROVEN, EVENT_PROVEN},	     {WIRE_F_HELPER, EVENT_HELPER},
	{WIRE_F_USER_EXEC, EVENT_USER_EXEC}, {WIRE_F_STDIN_SOCKET, EVENT_STDIN_SOCKET},
	{WIRE_F_STDIN_TTY, EVENT_STDIN_TTY}, {WIRE_F_STDIN_PIPE, EVENT_STDIN_PIPE},
	{WIRE_F_SELF_EXEC, EVENT_SELF_EXEC}, {WIRE_F_ESTABLISHED, EVENT_ESTABLISHED},
	{WIRE_F_TRUNCATED, EVENT_TRUNCATED}, {WIRE_F_CHILD_CALL, EVENT_CHILD_CALL},
	{WIRE_F_ROOT, EVENT_ROOT},	     {WIRE_F_LOCAL_PEER, EVENT_LOCAL_PEER},
	{WIRE_F_WATCHED, EVENT_WATCHED},     {WIRE_F_MANAGED, EVENT_MANAGED},
};

static uint32_t flags_of(uint32_t wire)
{
	uint32_t flags = 0;

	for (size_t i = 0; i < sizeof(flag_map) / sizeof(flag_map[0]); i++)
		if (wire & flag_map[i].wire)
			flags |= flag_map[i].event;
	return flags;
}

static uint64_t wall_of(const struct decode_stream *s, uint64_t boot_ns)
{
	if (boot_ns == 0)
		return 0;
	return boot_ns + (uint64_t)s->boot_to_wall_ns; /* wraps to the right value when negative */
}

static struct endpoint endpoint_of(const struct wire_conn *c, const __u8 *bytes, __u16 port)
{
	struct endpoint e = {0};

	if (c->family == FAMILY_V4)
		e.addr = addr_from_bytes(bytes, 4);
	else if (c->family == FAMILY_V6)
		e.addr = addr_from_bytes(bytes, 16);
	if (e.addr.family != ADDR_NONE)
		e.port = port;
	return e;
}

/* The accepted connection an event is about. */
static void set_session(uint64_t cookie, struct event *e)
{
	if (cookie & WIRE_HANDOFF_ID)
		e->handoff = cookie;
	else
		e->conn = cookie;
}

static void set_conn(const struct decode_stream *s, const struct wire_conn *c, struct event *e)
{
	set_session(c->cookie, e);
	e->netns = c->netns;
	e->origin = endpoint_of(c, c->raddr, c->rport);
	e->local = endpoint_of(c, c->laddr, c->lport);
	e->service = service_behind(&s->ports, c->netns, c->lport, e->program);
}

static void set_proc(const struct wire_proc *p, struct event *e)
{
	e->proc = (struct proc_id){.pid = p->tgid, .start_ns = p->start};
	e->parent = (struct proc_id){.pid = p->ppid, .start_ns = p->pstart};
	e->uid = p->uid;
	e->euid = p->euid;
	e->loginuid = p->loginuid;
	e->audit_session = p->sessionid;
	e->cgroup = p->cgroup;
	e->program = span_of_array(p->comm, sizeof(p->comm));
}

static bool read_conn_open(struct decode_stream *s, const void *record, struct event *e)
{
	const struct wire_conn_open *w = record;

	(void)s;
	e->kind = EVENT_CONNECTION;
	e->flags = flags_of(w->flags);
	set_conn(s, &w->conn, e);
	return true;
}

static bool read_conn_close(struct decode_stream *s, const void *record, struct event *e)
{
	const struct wire_conn_close *w = record;

	e->kind = EVENT_CONNECTION_CLOSE;
	e->flags = flags_of(w->flags);
	set_conn(s, &w->conn, e);
	e->opened_ns = wall_of(s, w->opened);
	e->bytes_in = w->bytes_in;
	e->bytes_out = w->bytes_out;
	e->alive = w->alive;
	return true;
}

static bool read_pam(struct decode_stream *s, const void *record, struct event *e)
{
	const struct wire_pam *w = record;
	const struct pam_service *service;

	(void)s;
	e->kind = EVENT_PAM;
	e->flags = flags_of(w->flags);
	set_proc(&w->proc, e);
	set_conn(s, &w->conn, e);
	if (w->call < WIRE_PAM_AUTHENTICATE || w->call > WIRE_PAM_END)
		return false;
	e->pam_call = (enum pam_call)w->call;
	e->result = w->ret;
	e->pam_service = span_of_array(w->service, sizeof(w->service));
	e->account = span_of_array(w->user, sizeof(w->user));
	e->tty = span_of_array(w->tty, sizeof(w->tty));
	e->text = span_of_array(w->rhost, sizeof(w->rhost));
	service = pam_service_find(e->pam_service);
	if (service && service->service != SERVICE_NONE)
		e->service = service->service;
	return true;
}

static bool read_fork(struct decode_stream *s, const void *record, struct event *e)
{
	const struct wire_fork *w = record;

	(void)s;
	e->kind = EVENT_FORK;
	e->flags = flags_of(w->flags);
	set_proc(&w->proc, e);
	set_session(w->cookie, e);
	return true;
}

static bool read_exec(struct decode_stream *s, const void *record, struct event *e)
{
	const struct wire_exec *w = record;

	(void)s;
	if (w->args_len > sizeof(w->args))
		return false;
	e->kind = EVENT_EXEC;
	e->flags = flags_of(w->flags);
	set_proc(&w->proc, e);
	set_conn(s, &w->conn, e);
	if (w->path[0])
		e->program = span_of_array(w->path, sizeof(w->path));
	e->args = (struct span){w->args, w->args_len};
	return true;
}

static bool read_exit(struct decode_stream *s, const void *record, struct event *e)
{
	const struct wire_exit *w = record;

	(void)s;
	e->kind = EVENT_EXIT;
	e->flags = flags_of(w->flags);
	set_proc(&w->proc, e);
	set_session(w->cookie, e);
	e->result = w->code;
	e->alive = w->alive;
	return true;
}

static bool read_listen(struct decode_stream *s, const void *record, struct event *e)
{
	const struct wire_listen *w = record;

	(void)s;
	e->kind = EVENT_LISTEN;
	e->flags = flags_of(w->flags);
	set_proc(&w->proc, e);
	e->netns = w->conn.netns;
	set_session(w->session, e);
	e->dest = endpoint_of(&w->conn, w->conn.laddr, w->conn.lport);
	service_listens(&s->ports, w->conn.netns, w->conn.lport, e->program);
	e->service = service_behind(&s->ports, w->conn.netns, w->conn.lport, e->program);
	if (w->cgroup)
		e->cgroup = w->cgroup;
	return true;
}

static bool read_connect(struct decode_stream *s, const void *record, struct event *e)
{
	const struct wire_connect *w = record;

	(void)s;
	e->kind = w->hdr.kind == WIRE_ID_CONNECT ? EVENT_CONNECT : EVENT_CONNECT_CLOSE;
	e->flags = flags_of(w->flags);
	set_proc(&w->proc, e);
	set_session(w->session, e);
	e->netns = w->conn.netns;
	e->out_conn = w->conn.cookie;
	e->local = endpoint_of(&w->conn, w->conn.laddr, w->conn.lport);
	e->dest = endpoint_of(&w->conn, w->conn.raddr, w->conn.rport);
	e->bytes_in = w->bytes_in;
	e->bytes_out = w->bytes_out;
	return true;
}

static bool read_bytes(struct decode_stream *s, const void *record, struct event *e)
{
	const struct wire_bytes *w = record;

	(void)s;
	e->kind = EVENT_BYTES;
	set_session(w->session, e);
	e->out_conn = w->cookie == w->session ? 0 : w->cookie;
	e->bytes_in = w->bytes_in;
	e->bytes_out = w->bytes_out;
	return true;
}

static bool read_snapshot(struct decode_stream *s, const void *record, struct event *e)
{
	const struct wire_snapshot *w = record;

	(void)s;
	e->kind = EVENT_SNAPSHOT;
	e->flags = flags_of(w->flags & ~(uint32_t)WIRE_F_ESTABLISHED) | EVENT_EXISTING;
	if (w->flags & WIRE_F_LEADER) /* it holds the accepted socket */
		e->flags |= EVENT_ESTABLISHED;
	set_proc(&w->proc, e);
	set_conn(s, &w->conn, e);
	if (w->path[0])
		e->program = span_of_array(w->path, sizeof(w->path));
	e->bytes_in = w->bytes_in;
	e->bytes_out = w->bytes_out;
	return true;
}

#define UID_USERS 1000 /* Debian policy 9.2.2: below are root and the system's own */

/*
 * Did it accept that one? Of the connection that it serves that is sure. Else the word of the port
 * counts for the system's own daemons: a user could have listened there once.
 */
static bool peer_accepted(const struct wire_loopback *w, unsigned i)
{
	if (w->served && w->peers[i].cookie == w->served)
		return true;
	return w->proc.uid < UID_USERS && (w->accepted >> i & 1);
}

/*
 * Which of its other ends is the one that counts: the connection that it serves, else one that it
 * opened to a public address, else any that it opened, else one that it accepted.
 */
static unsigned peer_rank(const struct wire_loopback *w, unsigned i)
{
	struct endpoint p = endpoint_of(&w->peers[i], w->peers[i].raddr, w->peers[i].rport);

	if (w->served && w->peers[i].cookie == w->served)
		return 4;
	if (peer_accepted(w, i))
		return 1;
	return scope_counts_as_external(scope_of(&p.addr, NULL), NULL) ? 3 : 2;
}

/* Several clients of one proxy, or more than were looked at: whose it is cannot be told. */
static bool is_ambiguous(const struct wire_loopback *w, unsigned best)
{
	unsigned clients = 0;

	if (peer_rank(w, best) != 1)
		return false;
	for (unsigned i = 0; i < w->peers_count; i++)
		clients += peer_accepted(w, i);
	return clients > 1 || w->peers_count == WIRE_PEERS;
}

static bool read_loopback(struct decode_stream *s, const void *record, struct event *e)
{
	const struct wire_loopback *w = record;
	unsigned best = 0;

	(void)s;
	if (w->args_len > sizeof(w->args) || !w->peers_count || w->peers_count > WIRE_PEERS)
		return false;
	for (unsigned i = 1; i < w->peers_count; i++)
		if (peer_rank(w, i) > peer_rank(w, best))
			best = i;
	e->kind = EVENT_LOOPBACK;
	e->flags = flags_of(w->flags);
	if (peer_accepted(w, best))
		e->flags |= EVENT_ACCEPTED;
	set_proc(&w->proc, e);
	e->netns = w->conn.netns;
	e->out_conn = w->conn.cookie;
	e->origin = endpoint_of(&w->conn, w->conn.laddr, w->conn.lport);
	e->local = endpoint_of(&w->conn, w->conn.raddr, w->conn.rport);
	e->service = service_behind(&s->ports, w->conn.netns, w->conn.rport, (struct span){0});
	e->args = (struct span){w->args, w->args_len};
	if (is_ambiguous(w, best))
		return true; /* without a dest: a local proxy, whoever its client is */
	e->dest = endpoint_of(&w->peers[best], w->peers[best].raddr, w->peers[best].rport);
	return true;
}

_Static_assert(HANDOFF_SCREEN == WIRE_HANDOFF_SCREEN && HANDOFF_SYSTEMD == WIRE_HANDOFF_SYSTEMD,
	       "the kernel counts kinds as the event does");

static void set_broker(const struct wire_handoff *w, struct broker *b)
{
	b->kind = (enum handoff_kind)w->kind;
	b->proc = (struct proc_id){.pid = w->broker, .start_ns = w->broker_start};
	b->uid = w->broker_uid;
	b->held = w->held;
	b->held_by = w->held_by;
	b->others = w->others;
}

static bool read_handoff(struct decode_stream *s, const void *record, struct event *e)
{
	const struct wire_handoff *w = record;

	(void)s;
	if (w->args_len > sizeof(w->args) || w->kind > WIRE_HANDOFF_SCREEN)
		return false;
	e->flags = flags_of(w->flags);
	set_proc(&w->proc, e);
	set_session(w->cookie, e);
	e->args = (struct span){w->args, w->args_len};
	e->path = span_of_array(w->path, sizeof(w->path));
	if (w->flags & WIRE_F_REQUEST) {
		e->kind = EVENT_HANDOFF;
		return true;
	}
	if (!e->handoff)
		return false;
	e->kind = EVENT_EXEC;
	set_broker(w, &e->broker);
	e->subject = span_of_array(w->unit, sizeof(w->unit));
	e->api.pod = container_pod(span_of_array(w->above, sizeof(w->above)));
	if (w->exe[0])
		e->program = span_of_array(w->exe, sizeof(w->exe));
	return true;
}

static bool read_server_shell(struct decode_stream *s, const void *record, struct event *e)
{
	const struct wire_server_shell *w = record;

	(void)s;
	if (w->args_len > sizeof(w->args))
		return false;
	e->kind = EVENT_SERVER_SHELL;
	e->flags = flags_of(w->flags);
	if (w->conn.cookie)
		set_conn(s, &w->conn, e);
	e->conn = 0; /* it is the server's, not a session's */
	set_proc(&w->proc, e);
	e->program = span_of_array(w->server, sizeof(w->server));
	e->args = (struct span){w->args, w->args_len};
	return true;
}

/*
 * What its server speaks, where that is worth a word: not what its port is for, or SMB and RPC. The
 * text of the event is what the port is for, empty when that is what is spoken.
 */
static bool read_answer(const struct decode_stream *s, const struct wire_data_head *w,
			const uint8_t *data, struct event *e)
{
	struct span answer = {(const char *)data, w->len};
	enum service spoken, meant;
	const char *name;

	if (!(w->flags & WIRE_DATA_ANSWER) || w->off)
		return false;
	spoken = spoken_by(answer);
	name = port_is_for(w->conn.lport, &meant);
	if (!spoken || (meant == spoken && spoken != SERVICE_SMB && spoken != SERVICE_RPC) ||
	    (!name && spoken != SERVICE_SMB && spoken != SERVICE_RPC))
		return false;
	e->kind = EVENT_ANSWER;
	set_conn(s, &w->conn, e);
	e->service = spoken;
	if (name && meant != spoken)
		e->text = span_of(name);
	return true;
}

static bool feed(const struct decode_stream *s, const struct wire_data_head *w, const uint8_t *data,
		 struct event *e)
{
	enum service known;

	if (!w->conn.cookie)
		return false;
	if (w->flags & WIRE_DATA_LOOK || !s->first || !first_bytes_feed(s->first, w, data, e)) {
		(void)read_answer(s, w, data, e); /* kind NONE: nothing is said yet */
		return true;
	}
	known = e->service;
	set_conn(s, &w->conn, e);
	e->service =
		known ? known
		      : service_behind(&s->ports, w->conn.netns, w->conn.lport, (struct span){0});
	if (e->kind == EVENT_API)
		api_read(&s->first->words, e);
	return true;
}

static bool read_data(struct decode_stream *s, const void *record, struct event *e)
{
	const struct wire_data *w = record;

	return w->head.len <= sizeof(w->data) && feed(s, &w->head, w->data, e);
}

static bool read_data_long(struct decode_stream *s, const void *record, struct event *e)
{
	const struct wire_data_long *w = record;

	return w->head.len <= sizeof(w->data) && feed(s, &w->head, w->data, e);
}

/* For whoever attaches what sees the answer; nothing has happened yet. */
static bool read_look(struct decode_stream *s, const void *record, struct event *e)
{
	const struct wire_look *w = record;

	(void)s;
	e->flags = EVENT_LOOK;
	e->cgroup = w->cgroup;
	e->dest.port = w->conn.lport;
	return true;
}

static bool read_file(struct decode_stream *s, const void *record, struct event *e)
{
	const struct wire_file *w = record;

	(void)s;
	e->kind = EVENT_FILE;
	e->flags = flags_of(w->flags);
	set_proc(&w->proc, e);
	set_session(w->cookie, e);
	e->subject = span_of_array(w->subject, sizeof(w->subject));
	e->program = span_of_array(w->program, sizeof(w->program));
	e->path = span_of_array(w->path, sizeof(w->path));
	e->key = span_of_array(w->key, sizeof(w->key));
	e->before = span_of_array(w->before, sizeof(w->before));
	e->after = span_of_array(w->after, sizeof(w->after));
	e->text = span_of_array(w->text, sizeof(w->text));
	return true;
}

#define READ_LOOK read_look
#define READ_FILE read_file
/* Capabilities by number (linux/capability.h): together only a privileged container has them. */
#define CAPS_PRIVILEGED (1ull << 16 | 1ull << 17 | 1ull << 19 | 1ull << 21)
#define CAP_OF_ADMIN	(1ull << 21)

static uint32_t container_risks(const struct wire_container *w)
{
	uint32_t risks = 0;

	if ((w->caps & CAPS_PRIVILEGED) == CAPS_PRIVILEGED)
		risks |= RISK_PRIVILEGED;
	else if (w->caps & CAP_OF_ADMIN)
		risks |= RISK_CAPABILITY;
	risks |= w->shares & WIRE_SHARES_NET ? RISK_HOST_NETWORK : 0;
	risks |= w->shares & WIRE_SHARES_PID ? RISK_HOST_PID : 0;
	risks |= w->shares & WIRE_SHARES_IPC ? RISK_HOST_IPC : 0;
	return risks;
}

/*
 * By the id in its cgroup's name; of a runtime that names them otherwise (LXC, nspawn, runc by
 * hand) what root started as the first process of a pid namespace. Without either it is none:
 * a service of systemd has a mount namespace of its own, too.
 */
static bool read_container(struct decode_stream *s, const void *record, struct event *e)
{
	const struct wire_container *w = record;
	bool is_first = w->flags & WIRE_F_INIT;

	(void)s;
	if (w->args_len > sizeof(w->args))
		return false;
	e->kind = EVENT_CONTAINER;
	e->flags = flags_of(w->flags);
	set_proc(&w->proc, e);
	e->subject = span_of_array(w->unit, sizeof(w->unit));
	e->path = span_of_array(w->above, sizeof(w->above));
	e->via = span_of_array(w->above_comm, sizeof(w->above_comm));
	e->args = (struct span){w->args, w->args_len};
	if (w->exe[0])
		e->program = span_of_array(w->exe, sizeof(w->exe));
	if (!w->puid)
		e->flags |= EVENT_ROOT;
	e->api.action = is_first ? API_START : API_EXEC;
	e->api.risks = is_first ? container_risks(w) : 0;
	e->api.container = container_id(e->subject);
	if (span_empty(e->api.container))
		e->api.container = container_id(e->path);
	if (span_empty(e->api.container) && is_first && !w->puid)
		e->api.container = container_of_name(e->subject, e->path);
	return true;
}

static bool read_agent(struct decode_stream *s, const void *record, struct event *e)
{
	const struct wire_agent *w = record;

	if (w->args_len > sizeof(w->args) || !w->conn.cookie)
		return false;
	e->kind = EVENT_AGENT;
	e->flags = flags_of(w->flags);
	set_proc(&w->proc, e);
	set_conn(s, &w->conn, e);
	e->service = SERVICE_AGENT;
	e->args = (struct span){w->args, w->args_len};
	return true;
}

static bool read_exposure(struct decode_stream *s, const void *record, struct event *e)
{
	const struct wire_exposure *w = record;
	struct span service = span_of_array(w->service, sizeof(w->service));

	(void)s;
	e->kind = EVENT_EXPOSURE;
	e->flags = flags_of(w->flags);
	set_proc(&w->proc, e);
	set_session(w->session, e);
	if (!span_empty(service) && !service_from_name(service, &e->service))
		return false;
	e->netns = w->conn.netns;
	e->local = endpoint_of(&w->conn, w->conn.laddr, w->conn.lport);
	e->out_conn = w->key;
	e->alive = w->reach;
	e->result = (int32_t)w->auth;
	e->account = span_of_array(w->account, sizeof(w->account));
	e->via = span_of_array(w->package, sizeof(w->package));
	e->api.container = span_of_array(w->container, sizeof(w->container));
	e->path = span_of_array(w->path, sizeof(w->path));
	e->subject = span_of_array(w->words, sizeof(w->words));
	e->text = span_of_array(w->text, sizeof(w->text));
	return w->reach <= REACH_ANYONE && w->auth <= EXPOSED_NONE;
}

#define READ_EXPOSURE read_exposure
static bool read_outward(struct decode_stream *s, const void *record, struct event *e)
{
	static const char *const spoken[] = {
		[WIRE_SPOKEN_TCP] = "",
		[WIRE_SPOKEN_UDP] = "UDP",
		[WIRE_SPOKEN_WIREGUARD] = "WireGuard",
		[WIRE_SPOKEN_OPENVPN] = "OpenVPN",
		[WIRE_SPOKEN_IKE] = "IKE",
	};
	const struct wire_outward *w = record;

	(void)s;
	if (w->args_len > sizeof(w->args) || w->spoken >= sizeof(spoken) / sizeof(spoken[0]))
		return false;
	e->kind = EVENT_OUTWARD;
	e->subject = span_of(spoken[w->spoken]);
	e->flags = flags_of(w->flags);
	set_proc(&w->proc, e);
	set_session(w->session, e);
	e->netns = w->conn.netns;
	e->out_conn = w->conn.cookie;
	e->local = endpoint_of(&w->conn, w->conn.laddr, w->conn.lport);
	e->dest = endpoint_of(&w->conn, w->conn.raddr, w->conn.rport);
	e->args = (struct span){w->args, w->args_len};
	return true;
}

static bool read_wireguard(struct decode_stream *s, const void *record, struct event *e)
{
	const struct wire_wireguard *w = record;

	(void)s;
	set_proc(&w->proc, e);
	e->local.port = w->conn.lport;
	e->origin = endpoint_of(&w->conn, w->conn.raddr, w->conn.rport);
	return wireguard_read(w, e);
}

#define READ_WIREGUARD	   read_wireguard
#define READ_OUTWARD	   read_outward
#define READ_AGENT	   read_agent
#define READ_CONTAINER	   read_container
#define READ_DATA_LONG	   read_data_long
#define READ_DATA	   read_data
#define READ_HANDOFF	   read_handoff
#define READ_SERVER_SHELL  read_server_shell
#define READ_CONN_OPEN	   read_conn_open
#define READ_CONN_CLOSE	   read_conn_close
#define READ_PAM	   read_pam
#define READ_FORK	   read_fork
#define READ_EXEC	   read_exec
#define READ_EXIT	   read_exit
#define READ_LISTEN	   read_listen
#define READ_CONNECT	   read_connect
#define READ_CONNECT_CLOSE read_connect
#define READ_BYTES	   read_bytes
#define READ_SNAPSHOT	   read_snapshot
#define READ_BIND	   NULL /* later records of that process say it again */
#define READ_LOOPBACK	   read_loopback
#define READ_MAPPING	   NULL /* for the agent: where to attach */

struct wire_kind {
	uint32_t size;
	bool (*read)(struct decode_stream *s, const void *record, struct event *e);
};

#define WIRE_ROW(id, name, type, precious) [id] = {sizeof(struct type), READ_##name},
static const struct wire_kind kinds[] = {WIRE_KINDS(WIRE_ROW)};

/* NULL: *reason says why the record is no good. */
static const struct wire_kind *check_record(const void *record, size_t len, const char **reason)
{
	const struct wire_hdr *h = record;

	if (((uintptr_t)record & 7) || len < sizeof(*h))
		*reason = "a kernel record that is not aligned or shorter than its header";
	else if (h->kind == 0 || h->kind >= sizeof(kinds) / sizeof(kinds[0]))
		*reason = "a kernel record of unknown kind";
	else if (h->version != WIRE_VERSION)
		*reason = "a kernel record of another version";
	else if (h->size != kinds[h->kind].size || len < h->size)
		*reason = "a kernel record of wrong size";
	else
		return &kinds[h->kind];
	return NULL;
}

enum decode_result decode_wire(struct decode_stream *s, const void *record, size_t len,
			       struct event *ret, const char **reason)
{
	const struct wire_kind *k = check_record(record, len, reason);
	const struct wire_hdr *h = record;

	s->line++;
	if (!k)
		return DECODE_BAD;
	if (!k->read) {
		*reason = "a kernel record that no event is made of";
		return DECODE_SKIPPED;
	}
	*ret = (struct event){
		.trust = TRUST_KERNEL,
		.witness = WITNESS_KERNEL,
		.source = DECODER_wire,
		.boot_ns = h->time,
		.time_ns = wall_of(s, h->time),
		.line = s->line,
		.count = 1,
		.loginuid = UINT32_MAX,
		.audit_session = UINT32_MAX,
	};
	if (k->read(s, record, ret)) {
		*reason = "first bytes that say nothing yet";
		return ret->kind == EVENT_NONE ? DECODE_SKIPPED : DECODE_EVENT;
	}
	*reason = "a kernel record with a field out of range";
	return DECODE_BAD;
}

const struct decoder decoder_wire = {
	.name = "wire",
	.about = "records of the kernel sensor; in a file: OGWIRE1, clock offset, records",
	.example =
		"OGWIRE1\\n, 8 bytes (wall minus boot time, ns, little-endian), records of wire.h",
};
