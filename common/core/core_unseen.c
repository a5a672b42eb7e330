/*
 * unseen: shells on an accepted connection that no verdict explains (SENSORS section 5).
 *
 * A shell with a terminal waits 2 s for its verdict, and so does a command behind the pipes of a
 * watched daemon. Below such a daemon (sshd, dropbear,
 * telnetd) it then is a login whose method nobody told: a session opens, and the sensor says that
 * it is blind there. Anywhere else nobody was asked who they are: access.shell_without_auth. A
 * shell without a terminal whose stdin and stdout are the connection must live 5 s and start two
 * programs first: inetd scripts and CGI do not. So must a shell that reads what to do from a pipe
 * (`nc -l | sh`): one that was given a script or words to run is CGI, a hook, a mail filter.
 *
 * Cannot see: a shell without a login daemon, or one of root's, that lives shorter than this;
 * behind pipes one that was given words to run.
 *
 * Example: socat TCP-LISTEN:4445,fork EXEC:bash,pty and a stranger who types `id`.
 */
#include "core_internal.h"
#include "core_text.h"

#define TERMINAL_GRACE_NS (2 * SECOND_NS)
#define SOCKET_GRACE_NS	  (5 * SECOND_NS)
#define CHILDREN_WANTED	  2

/* A daemon whose connections are reported and which authenticates by itself. */
static bool is_login_daemon(const struct conn *n)
{
	return n->opened_ns || n->service == SERVICE_SSH;
}

/*
 * A command without a terminal: a login daemon connects it by pipes or local sockets, while its
 * own helpers before the login (AuthorizedKeysCommand) read /dev/null.
 */
static bool is_command(const struct conn *n, const struct event *e)
{
	return (e->flags & EVENT_STDIN_PIPE) && is_login_daemon(n) &&
	       !span_starts(span_base(e->program), SPAN_LIT("sshd"));
}

/* A shell to which nobody said what to run: it asks its stdin. */
static bool is_bare_shell(const struct event *e)
{
	struct span name = span_base(e->program), rest = e->args, word;

	if (name.len < 2 || name.len > 4 || !span_is(span_skip(name, name.len - 2), "sh"))
		return false;
	if (!span_cut_arg(&rest, &word))
		return false;
	while (span_cut_arg(&rest, &word))
		if (!span_starts(word, SPAN_LIT("-")) ||
		    (!span_starts(word, SPAN_LIT("--")) && memchr(word.ptr, 'c', word.len)))
			return false;
	return true;
}

/* What must live a while and start programs before it is anybody's shell. */
static bool must_last(const struct event *e)
{
	return (e->flags & (EVENT_STDIN_SOCKET | EVENT_STDIN_PIPE)) &&
	       !(e->flags & EVENT_STDIN_TTY);
}

static struct unseen *unseen_find(struct core *c, struct handle conn)
{
	for (unsigned i = 0; i < UNSEEN_MAX; i++)
		if (c->unseen[i].due_ns && c->unseen[i].conn.slot == conn.slot &&
		    c->unseen[i].conn.generation == conn.generation)
			return &c->unseen[i];
	return NULL;
}

void unseen_note(struct core *c, struct conn *n, const struct event *e)
{
	struct handle mine = pool_handle(&c->conns, pool_slot(&c->conns, n));
	struct unseen *u = unseen_find(c, mine);
	bool terminal = e->flags & EVENT_STDIN_TTY;

	if (u) {
		if (u->children < UINT8_MAX)
			u->children++;
		if (u->children >= CHILDREN_WANTED)
			core_due(c, u->due_ns);
		return;
	}
	if (!terminal && !(e->flags & EVENT_STDIN_SOCKET) && !is_command(n, e) &&
	    !((e->flags & EVENT_STDIN_PIPE) && is_bare_shell(e)))
		return;
	u = &c->unseen[c->unseen_next++ % UNSEEN_MAX];
	c->stats.procs_evicted += u->due_ns != 0;
	*u = (struct unseen){.conn = mine, .e = *e};
	u->due_ns = e->time_ns +
		    (must_last(e) && !is_command(n, e) ? SOCKET_GRACE_NS : TERMINAL_GRACE_NS);
	span_copy(u->program, sizeof(u->program), e->program);
	span_copy(u->user, sizeof(u->user), e->user);
	event_drop_texts(&u->e);
	u->e.program = span_of(u->program);
	core_due(c, u->due_ns);
}

static struct csession *unseen_open(struct core *c, struct conn *n, const struct unseen *u,
				    enum method method)
{
	struct event opened = u->e;
	char account[ACCOUNT_MAX];
	struct text t = TEXT_IN(account);
	struct csession *s;

	if (u->user[0])
		text_add(&t, "%s", u->user);
	else
		text_add(&t, "uid:%u", u->e.uid);
	opened.account = span_of(account);
	opened.method = method;
	if (!n->service)
		n->service = SERVICE_OTHER;
	s = session_start(c, n, &opened);
	if (!s)
		return NULL;
	s->pub.method_inferred = false;
	s->pub.has_pty = u->e.flags & EVENT_STDIN_TTY;
	session_announce(c, s, n, &opened);
	return s;
}

static void login_by_unknown_means(struct core *c, struct conn *n, const struct unseen *u)
{
	char text[128];
	struct text t = TEXT_IN(text);
	struct event blind = {
		.kind = EVENT_SENSOR, .trust = TRUST_KERNEL, .time_ns = u->e.time_ns, .count = 1};

	if (!unseen_open(c, n, u, METHOD_NONE))
		return;
	text_add(&t,
		 "no-evidence: a shell appeared on port %u, and neither PAM nor a log said how its "
		 "user logged in",
		 n->local.port);
	blind.text = span_of(text);
	core_detect(c, &blind, NULL, NULL);
}

static void shell_without_auth(struct core *c, struct conn *n, const struct unseen *u)
{
	struct csession *s = unseen_open(c, n, u, METHOD_NO_AUTH);

	if (s)
		core_detect_one(c, DETECTION_access_shell_without_auth, &u->e, n, s, "shell");
}

/*
 * Is over before its time to wait is: what a login daemon ran as a user was a login all the same,
 * however short (`ssh host command`). Of root's it may have been a helper.
 */
static bool ran_as_user(const struct conn *n, const struct unseen *u)
{
	return is_login_daemon(n) && u->e.uid && !(u->e.flags & EVENT_STDIN_SOCKET);
}

static void has_left(struct core *c, struct conn *n)
{
	struct csession *s = conn_session(c, n);
	struct event e = {.kind = EVENT_CONNECTION_CLOSE,
			  .trust = TRUST_KERNEL,
			  .time_ns = n->last_ns,
			  .bytes_in = n->bytes_in,
			  .bytes_out = n->bytes_out};

	if (!s)
		return;
	session_conn_closed(c, s, &e);
	session_update_state(c, s, e.time_ns);
}

static void unseen_decide(struct core *c, struct unseen *u)
{
	struct conn *n = pool_get(&c->conns, u->conn);
	bool on_socket = u->e.flags & EVENT_STDIN_SOCKET;

	if (!n || conn_session(c, n) || n->evidence || !n->origin.addr.family ||
	    (n->closed && !ran_as_user(n, u))) {
		u->due_ns = 0;
		return;
	}
	if (must_last(&u->e) && !(is_login_daemon(n) && !on_socket) &&
	    u->children < CHILDREN_WANTED)
		return; /* its next program may be the second */
	u->due_ns = 0;
	if (is_login_daemon(n) && !on_socket)
		login_by_unknown_means(c, n, u);
	else
		shell_without_auth(c, n, u);
	held_replay(c, n);
	if (n->closed)
		has_left(c, n);
}

void unseen_expire(struct core *c)
{
	for (unsigned i = 0; i < UNSEEN_MAX; i++) {
		struct unseen *u = &c->unseen[i];
		bool waits;

		if (!u->due_ns)
			continue;
		if (u->due_ns <= c->now_ns)
			unseen_decide(c, u);
		waits = u->due_ns && u->due_ns > c->now_ns;
		if (waits)
			core_due(c, u->due_ns);
	}
}
