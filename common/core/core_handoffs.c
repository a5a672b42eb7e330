/*
 * handoffs: what a session has others start. A request is a session's program that reaches a
 * broker (systemd, D-Bus, atd, cron, a container engine, a terminal multiplexer), or a file that
 * makes one start something. What the broker forks then is followed by the kernel under an id; here
 * it joins the session when something names it: the unit, the command line, the job's file, or the
 * connection that the broker holds. Then its programs and connections are the session's, marked by
 * `via`. What fits nothing but the time and the user may have come of it: it is shown as possible
 * and never counted. Everything else is let go of.
 *
 * A service that was installed before (systemctl restart docker) is named but not followed: its
 * later work is not the session's.
 *
 * Cannot see: what is asked by a program of its own making without words that name it; a second
 * requester with the very same command line at the same moment is told by the broker's other
 * clients alone. Example: systemd-run sleep 60, and run-r0a1b.service 20 ms later.
 */
#include "core_internal.h"

#include "../container_id.h"
#include "core_text.h"

#define REQUEST_NS    (60 * SECOND_NS) /* containers fetch images first */
#define PROMPT_NS     (5 * SECOND_NS)  /* everybody else */
#define FILE_NS	      DAY_NS	       /* jobs and units */
#define OF_SESSION    8
#define UNDECIDED_MAX 12 /* programs until somebody must be named: a container's runtime */

/* --- what a session's record tells */

static bool is_same(struct handle a, struct handle b)
{
	return a.slot == b.slot && a.generation == b.generation;
}

static bool is_free(const struct session_handoff *h)
{
	return h->state == HANDOFF_ASKED;
}

/* Another takes its place: who asked for it has none any more. */
static void entry_clear(struct core *c, struct handle session, unsigned entry)
{
	for (unsigned i = 0; i < HANDOFF_REQUESTS; i++)
		if (is_same(c->handoff_requests[i].session, session) &&
		    c->handoff_requests[i].entry == entry)
			c->handoff_requests[i].entry = SESSION_HANDOFFS;
}

/*
 * Of the same program about the same, one entry; else what came to nothing makes room, then what
 * is only possible, the oldest first.
 */
static unsigned entry_of(struct session *s, enum handoff_kind kind, struct span by, struct span to)
{
	unsigned oldest = SESSION_HANDOFFS;

	for (unsigned i = 0; i < s->handoffs_kept; i++) {
		const struct session_handoff *h = &s->handoffs[i];

		if (is_free(h) && h->kind == kind && span_is(by, h->by) &&
		    (span_empty(to) || !h->to[0] || span_is(to, h->to)))
			return i;
		if (h->state != HANDOFF_JOINED &&
		    (oldest == SESSION_HANDOFFS || h->state < s->handoffs[oldest].state ||
		     (h->state == s->handoffs[oldest].state &&
		      h->time_ns < s->handoffs[oldest].time_ns)))
			oldest = i;
	}
	return s->handoffs_kept < SESSION_HANDOFFS ? s->handoffs_kept++ : oldest;
}

static unsigned entry_note(struct core *c, struct csession *s, const struct event *e,
			   enum handoff_kind kind, struct span to)
{
	struct span by = span_base(e->program);
	bool attaches = multiplexer_attaches(kind, e->args);
	unsigned i;

	by = span_first(by, sizeof(s->pub.handoffs[0].by) - 1);
	to = span_first(to, sizeof(s->pub.handoffs[0].to) - 1);
	s->pub.handoffs_total++;
	i = entry_of(&s->pub, kind, by, to);
	session_changed(c, s);
	if (i == SESSION_HANDOFFS)
		return i;
	if (!is_free(&s->pub.handoffs[i]) || s->pub.handoffs[i].kind != kind ||
	    !span_is(by, s->pub.handoffs[i].by)) {
		entry_clear(c, pool_handle(&c->sessions, pool_slot(&c->sessions, s)), i);
		s->pub.handoffs[i] = (struct session_handoff){.kind = kind, .attached = true};
	}
	s->pub.handoffs[i].attached &= attaches;
	s->pub.handoffs[i].time_ns = e->time_ns;
	s->pub.handoffs[i].count++;
	span_copy(s->pub.handoffs[i].by, sizeof(s->pub.handoffs[i].by), by);
	if (!span_empty(to))
		span_copy(s->pub.handoffs[i].to, sizeof(s->pub.handoffs[i].to), to);
	return i;
}

/* --- requests */

static uint64_t request_end(const struct handoff_request *q)
{
	if (q->is_file)
		return q->time_ns + FILE_NS;
	if (q->kinds & (KIND_BIT(TMUX) | KIND_BIT(SCREEN)))
		return UINT64_MAX; /* the kernel knows whether its client still is there */
	return q->time_ns + (q->kinds & KIND_BIT(CONTAINER) ? REQUEST_NS : PROMPT_NS);
}

/* A free one, or one of that session's when it has its share, or the oldest. */
static struct handoff_request *request_slot(struct core *c, struct handle session)
{
	struct handoff_request *free = NULL, *own = NULL, *oldest = &c->handoff_requests[0];
	unsigned mine = 0;

	for (unsigned i = 0; i < HANDOFF_REQUESTS; i++) {
		struct handoff_request *q = &c->handoff_requests[i];

		if (!q->time_ns || request_end(q) < c->now_ns) {
			free = q;
			continue;
		}
		if (q->time_ns < oldest->time_ns)
			oldest = q;
		if (!is_same(q->session, session))
			continue;
		mine++;
		if (!own || q->time_ns < own->time_ns)
			own = q;
	}
	if (mine >= OF_SESSION)
		return own;
	return free ? free : oldest;
}

static struct handoff_request *request_of(struct core *c, struct handle session,
					  const struct event *e)
{
	for (unsigned i = 0; i < HANDOFF_REQUESTS; i++) {
		struct handoff_request *q = &c->handoff_requests[i];

		if (q->time_ns && !q->is_file && is_same(q->session, session) &&
		    q->proc.pid == e->proc.pid && q->proc.start_ns == e->proc.start_ns)
			return q;
	}
	return NULL;
}

static void request_fill(struct handoff_request *q, struct handle session, const struct event *e,
			 const struct handoff_tool *t)
{
	*q = (struct handoff_request){.session = session,
				      .time_ns = e->time_ns,
				      .proc = e->proc,
				      .uid = e->euid,
				      .kinds = t->kinds,
				      .entry = SESSION_HANDOFFS,
				      .is_cut = e->flags & EVENT_TRUNCATED};
	q->len = e->args.len < sizeof(q->text) ? (uint16_t)e->args.len : sizeof(q->text);
	q->is_cut |= q->len < e->args.len;
	if (q->len && e->args.ptr)
		memcpy(q->text, e->args.ptr, q->len);
}

static void request_note(struct core *c, struct csession *s, const struct event *e,
			 const struct handoff_tool *t, struct span to)
{
	struct handle mine = pool_handle(&c->sessions, pool_slot(&c->sessions, s));
	struct handoff_request *q = request_of(c, mine, e);

	if (q) { /* the tool is known by its name, and now its socket */
		struct session_handoff *h =
			q->entry < SESSION_HANDOFFS ? &s->pub.handoffs[q->entry] : NULL;

		q->kinds |= t->kinds;
		if (h && is_free(h) && !h->to[0])
			span_copy(h->to, sizeof(h->to), to);
		return;
	}
	q = request_slot(c, mine);
	request_fill(q, mine, e, t);
	q->entry = (uint8_t)entry_note(c, s, e, t->kind, to);
}

void handoff_ran(struct core *c, struct csession *s, const struct event *e)
{
	const struct handoff_tool *t = handoff_program(e->program);

	if (t)
		request_note(c, s, e, t, (struct span){0});
}

/* Somebody in no session asks at the same time: what is theirs must not be the session's. */
static void stranger_told(struct core *c, const struct event *e)
{
	struct span args = e->args, name;
	const struct handoff_tool *t;
	struct handoff_request *q;

	name = span_first(args, strnlen(args.ptr ? args.ptr : "", args.len));
	t = handoff_program(name);
	if (!t)
		return;
	q = request_slot(c, HANDLE_NONE);
	request_fill(q, HANDLE_NONE, e, t);
	q->is_stranger = true;
}

/* A session's process connects to a local socket. */
void handoff_told(struct core *c, const struct event *e)
{
	struct conn *n = e->conn ? conn_find(c, e) : NULL;
	struct csession *s = conn_session(c, n);
	struct handoff_tool t = handoff_socket(e->path);

	if (!e->conn)
		stranger_told(c, e);
	if (!s || t.kind == HANDOFF_NONE || (t.kind == HANDOFF_AGENT && e->flags & EVENT_OWN))
		return;
	if (t.kind == HANDOFF_AGENT)
		entry_note(c, s, e, t.kind, e->path);
	else
		request_note(c, s, e, &t, e->path);
	multiplexer_reached(c, s, t.kind, e);
}

/* A session left a job or a unit: what is started by it is the session's doing. */
void handoff_file(struct core *c, struct csession *s, const struct event *e)
{
	bool is_unit = span_is(e->subject, "service-unit") || span_is(e->subject, "remote-tool") ||
		       span_is(e->subject, "tor-service") || span_has(e->path, SPAN_LIT(".timer"));
	bool is_at = span_has(e->path, SPAN_LIT("/atjobs/")) ||
		     span_has(e->path, SPAN_LIT("/spool/at/"));
	struct span text = e->text;
	struct handoff_request *q;

	if (!is_unit && !span_is(e->subject, "scheduled-task"))
		return;
	q = request_slot(c, pool_handle(&c->sessions, pool_slot(&c->sessions, s)));
	*q = (struct handoff_request){
		.session = pool_handle(&c->sessions, pool_slot(&c->sessions, s)),
		.time_ns = e->time_ns,
		.proc = e->proc,
		.uid = e->euid,
		.is_file = true,
		.is_new = span_empty(e->before),
		.is_crontab = span_has(e->path, SPAN_LIT("/cron/")) && !is_at,
	};
	q->kinds = is_unit ? KIND_BIT(SYSTEMD) : is_at ? KIND_BIT(AT) : KIND_BIT(CRON);
	q->entry = (uint8_t)entry_note(c, s, e,
				       is_unit ? HANDOFF_SYSTEMD
				       : is_at ? HANDOFF_AT
					       : HANDOFF_CRON,
				       e->path);
	span_copy(q->path, sizeof(q->path), e->path);
	text = span_first(text, sizeof(q->text));
	memcpy(q->text, text.ptr ? text.ptr : "", text.len);
	q->len = (uint16_t)text.len;
}

/* --- births */

static struct handoff_birth *birth_of(struct core *c, uint64_t id)
{
	for (unsigned i = 0; i < HANDOFF_BIRTHS; i++)
		if (c->handoff_births[i].id == id)
			return &c->handoff_births[i];
	return NULL;
}

static struct handoff_birth *birth_make(struct core *c, const struct event *e)
{
	struct handoff_birth *best = &c->handoff_births[0];

	for (unsigned i = 0; i < HANDOFF_BIRTHS; i++) {
		struct handoff_birth *b = &c->handoff_births[i];

		if (!b->id) {
			best = b;
			break;
		}
		if (best->joined != b->joined ? best->joined : b->born_ns < best->born_ns)
			best = b;
	}
	if (best->id)
		core_let_go(c, best->id);
	*best = (struct handoff_birth){
		.id = e->handoff, .session = HANDLE_NONE, .born_ns = e->time_ns};
	return best;
}

void core_let_go(struct core *c, uint64_t id)
{
	if (c->let_go_used < LET_GO_MAX)
		c->let_go[c->let_go_used++] = id;
}

bool core_next_let_go(struct core *c, uint64_t *ret_id)
{
	if (!c->let_go_used)
		return false;
	*ret_id = c->let_go[--c->let_go_used];
	return true;
}

enum fit {
	FIT_NONE,
	FIT_POSSIBLE, /* time and user */
	FIT_NAMED,    /* it is that one, but its work is its own */
	FIT_SURE,
	FIT_THEIRS /* a stranger's: nothing of it may be the session's */
};

/* Could that user have had it done? root's brokers do what root says. */
static bool user_fits(const struct handoff_request *q, const struct event *e)
{
	return q->uid == e->broker.uid || (q->uid == 0 && e->broker.kind == HANDOFF_SCREEN);
}

static enum fit fit_systemd(const struct handoff_request *q, const struct event *e)
{
	struct span asked = {q->text, q->len};
	bool is_cut = q->is_cut || e->flags & EVENT_TRUNCATED;

	if (q->is_file)
		return handoff_file_fits(span_of(q->path), e->subject) ? FIT_SURE : FIT_NONE;
	if (handoff_args_fit(asked, e->args, is_cut) && !span_empty(e->subject)) {
		/* Asked for once and born twice: whose is it? */
		if (q->taken || (q->uid != e->broker.uid && e->broker.uid != 0))
			return FIT_POSSIBLE;
		return FIT_SURE;
	}
	if (handoff_unit_fits(asked, e->subject))
		return handoff_unit_is_transient(e->subject) ? FIT_SURE : FIT_NAMED;
	return user_fits(q, e) ? FIT_POSSIBLE : FIT_NONE;
}

static enum fit fit_cron(const struct handoff_request *q, const struct event *e)
{
	/* A table that was not there before holds nobody else's lines. */
	if (q->is_crontab)
		return e->uid != q->uid ? FIT_NONE : q->is_new ? FIT_SURE : FIT_POSSIBLE;
	return handoff_job_fits((struct span){q->text, q->len}, e->args) ? FIT_SURE : FIT_NONE;
}

static enum fit fit_of(struct core *c, const struct handoff_request *q, const struct event *e)
{
	const struct csession *s = pool_get(&c->sessions, q->session);
	bool is_held = s && e->broker.held && e->broker.held == s->pub.conn;

	if ((!s && !q->is_stranger) || !(q->kinds >> e->broker.kind & 1) ||
	    request_end(q) < e->time_ns || e->time_ns + PROMPT_NS < q->time_ns)
		return FIT_NONE;
	switch (e->broker.kind) {
	case HANDOFF_SYSTEMD:
		return fit_systemd(q, e);
	case HANDOFF_CRON:
		return fit_cron(q, e);
	case HANDOFF_AT:
		return handoff_file_fits(span_of(q->path), e->path) ? FIT_SURE : FIT_NONE;
	case HANDOFF_CONTAINER:
		if (q->is_pod)
			return handoff_pod_is(span_of(q->path), e->api.pod) ? FIT_SURE : FIT_NONE;
		if (q->is_api && q->path[0])
			return handoff_container_is(span_of(q->path), e->subject) ||
					       container_is_of_pod(c, e->subject, span_of(q->path))
				       ? FIT_SURE
				       : FIT_NONE;
		if (q->is_api)
			return !q->taken && handoff_words_are((struct span){q->text, q->len},
							      e->args)
				       ? FIT_SURE
				       : FIT_NONE;
		if (handoff_args_fit((struct span){q->text, q->len}, e->args,
				     q->is_cut || e->flags & EVENT_TRUNCATED))
			return q->taken ? FIT_POSSIBLE : FIT_SURE;
		return FIT_POSSIBLE;
	case HANDOFF_TMUX:
		return !is_held ? FIT_NONE : e->broker.others ? FIT_POSSIBLE : FIT_SURE;
	default:
		return user_fits(q, e) ? FIT_POSSIBLE : FIT_NONE;
	}
}

/* unit, container or job; else the broker and its number. */
static void what_of(struct core *c, const struct event *e, char *ret, size_t cap)
{
	struct text t;

	if (e->broker.kind == HANDOFF_CONTAINER && container_say(c, e->subject, ret, cap))
		return;
	t = text_start(ret, cap);
	if (e->broker.kind == HANDOFF_AT)
		text_plain(&t, e->path, cap - 1);
	else if (e->broker.kind == HANDOFF_CRON)
		text_add(&t, "cron of uid %u", e->uid);
	else if (e->broker.kind == HANDOFF_TMUX || e->broker.kind == HANDOFF_SCREEN)
		text_add(&t, "%s server %u", handoff_name(e->broker.kind), e->broker.proc.pid);
	else if (!span_empty(e->subject))
		text_plain(&t, e->subject, cap - 1);
	else
		text_plain(&t, e->program, cap - 1);
}

static void entry_born(struct core *c, struct csession *s, unsigned entry, const struct event *e,
		       enum handoff_state state)
{
	struct session_handoff *h;

	if (entry >= SESSION_HANDOFFS || s->pub.handoffs[entry].state >= state)
		return;
	h = &s->pub.handoffs[entry];
	h->state = state;
	h->born_ns = e->time_ns;
	h->pid = e->proc.pid;
	h->id = state == HANDOFF_JOINED ? e->handoff : 0;
	what_of(c, e, h->what, sizeof(h->what));
	session_changed(c, s);
}

/* A job that begins when its session is over goes on with it. */
static void session_goes_on(struct core *c, struct csession *s)
{
	struct conn *n = pool_get(&c->conns, s->conn);

	if (s->pub.state != SESSION_CLOSED)
		return;
	s->pub.state = SESSION_LINGERING;
	pool_touch(&c->sessions, pool_slot(&c->sessions, s), POOL_PINNED);
	if (n)
		conn_touch(c, n);
	session_changed(c, s);
}

static void birth_join(struct core *c, struct handoff_birth *b, struct handoff_request *q,
		       const struct event *e)
{
	struct csession *s = pool_get(&c->sessions, q->session);

	b->joined = b->seen = true;
	b->unit = hash_text(c->seed, e->subject);
	b->session = q->session;
	b->via = q->entry + 1;
	if (!q->is_file && e->broker.kind != HANDOFF_TMUX && !(q->is_api && q->path[0]))
		q->taken = true; /* a container's id is taken by all that runs in it */
	entry_born(c, s, q->entry, e, HANDOFF_JOINED);
}

/* Nobody's, or only possibly: its later records are not wanted. */
static void birth_drop(struct core *c, struct handoff_birth *b)
{
	core_let_go(c, b->id);
	*b = (struct handoff_birth){0};
}

/*
 * runc, crun, containerd-shim-runc-v2, conmon; and "runc init", the container's first process,
 * which is runc by /proc/self/exe and then by a copy of it without a name (CVE-2019-5736).
 */
static bool is_runtime(const struct event *e)
{
	return span_has(e->program, SPAN_LIT("run")) || span_has(e->program, SPAN_LIT("conmon")) ||
	       span_has(e->program, SPAN_LIT("shim")) ||
	       span_starts(e->args, (struct span){"runc\0init", 9}) ||
	       span_is(e->program, "/proc/self/exe");
}

static bool is_plumbing(const struct event *e)
{
	return e->broker.kind == HANDOFF_CONTAINER || e->broker.kind == HANDOFF_SYSTEMD ||
	       e->broker.kind == HANDOFF_CRON || e->broker.kind == HANDOFF_AT ||
	       e->broker.kind == HANDOFF_DBUS;
}

/* Who fits best, of sessions or of strangers; the latest of those that fit alike. */
static struct handoff_request *best_request(struct core *c, const struct event *e, bool strangers,
					    enum fit *ret_fit)
{
	struct handoff_request *best = NULL;
	enum fit fit = FIT_NONE;

	for (unsigned i = 0; i < HANDOFF_REQUESTS; i++) {
		struct handoff_request *q = &c->handoff_requests[i];
		enum fit now;

		if (!q->time_ns || q->is_stranger != strangers)
			continue;
		now = fit_of(c, q, e);
		if (now == FIT_NONE || now < fit || (now == fit && q->time_ns < best->time_ns))
			continue;
		fit = now;
		best = q;
	}
	*ret_fit = fit;
	return best;
}

static unsigned strangers_now(const struct core *c, const struct event *e)
{
	unsigned n = 0;

	for (unsigned i = 0; i < HANDOFF_REQUESTS; i++) {
		const struct handoff_request *q = &c->handoff_requests[i];

		n += q->time_ns && q->is_stranger && request_end(q) >= e->time_ns;
	}
	return n;
}

/*
 * The session's alone? Not when a stranger's words fit as well, or when the broker has clients
 * whose words nobody heard: they began before the session asked.
 */
static enum fit weigh(struct core *c, const struct event *e, enum fit ours)
{
	enum fit theirs;
	struct handoff_request *q = best_request(c, e, true, &theirs);

	if (theirs >= FIT_NAMED && ours < FIT_NAMED) {
		q->taken = true;
		return FIT_THEIRS;
	}
	if (ours != FIT_SURE || e->broker.kind == HANDOFF_TMUX)
		return ours;
	if (theirs == FIT_SURE && !(e->broker.held && !e->broker.others))
		return FIT_POSSIBLE;
	return e->broker.others > strangers_now(c, e) ? FIT_POSSIBLE : FIT_SURE;
}

/* A program of something that nobody has claimed yet. */
static void birth_decide(struct core *c, struct handoff_birth *b, const struct event *e)
{
	enum fit fit;
	struct handoff_request *best = best_request(c, e, false, &fit);

	if (fit != FIT_SURE || !best->is_api || !best->path[0])
		fit = weigh(c, e, fit); /* a container's id is nobody else's */
	if (fit == FIT_SURE) {
		birth_join(c, b, best, e);
		return;
	}
	/* A runtime's own programs come before what it was asked for. What runs in a container and
	 * fits nobody is its own program: what somebody later runs in there is another birth. */
	if (fit != FIT_NAMED && fit != FIT_THEIRS && is_plumbing(e) &&
	    ++b->programs < UNDECIDED_MAX &&
	    (is_runtime(e) || (fit == FIT_NONE && span_empty(container_id(e->subject)))))
		return;
	if (fit == FIT_POSSIBLE || fit == FIT_NAMED)
		entry_born(c, pool_get(&c->sessions, best->session), best->entry, e,
			   fit == FIT_NAMED ? HANDOFF_JOINED : HANDOFF_POSSIBLE);
	if (fit == FIT_NONE && e->broker.kind == HANDOFF_CONTAINER && !is_runtime(e))
		unclaimed_note(c, e);
	birth_drop(c, b);
}

static void birth_ended(struct core *c, struct handoff_birth *b, const struct event *e)
{
	struct csession *s = pool_get(&c->sessions, b->session);

	if (e->alive)
		return;
	*b = (struct handoff_birth){0};
	if (s)
		session_update_state(c, s, e->time_ns);
}

bool handoffs_live(const struct core *c, const struct csession *s)
{
	struct handle mine = pool_handle(&c->sessions, pool_slot(&c->sessions, s));

	for (unsigned i = 0; i < HANDOFF_BIRTHS; i++)
		if (c->handoff_births[i].seen && c->handoff_births[i].joined &&
		    is_same(c->handoff_births[i].session, mine))
			return true;
	return false;
}

/* The engine's own programs around a container, and runc as its first process, are no command. */
static bool is_engines_own(const struct core *c, const struct handoff_birth *b,
			   const struct event *e)
{
	if (e->kind != EVENT_EXEC || e->broker.kind != HANDOFF_CONTAINER || !b->via ||
	    b->via > SESSION_HANDOFFS)
		return false;
	if (span_starts(e->args, (struct span){"runc\0init", 9}))
		return true;
	return is_runtime(e) && b->unit && b->unit != hash_text(c->seed, e->subject);
}

bool handoff_resolve(struct core *c, struct event *e, char via[HANDOFF_VIA])
{
	struct handoff_birth *b = birth_of(c, e->handoff);
	struct csession *s;
	struct conn *n;

	if (!b && e->kind == EVENT_EXEC && e->broker.kind)
		b = birth_make(c, e);
	if (!b)
		return false;
	if (!b->joined && e->kind == EVENT_EXEC)
		birth_decide(c, b, e);
	if (e->kind == EVENT_EXIT)
		birth_ended(c, b, e);
	s = b->joined ? pool_get(&c->sessions, b->session) : NULL;
	if (!s || e->kind == EVENT_EXIT || e->kind == EVENT_FORK || e->kind == EVENT_PAM)
		return false;
	if (is_engines_own(c, b, e))
		return false;
	b->seen = true;
	session_goes_on(c, s);
	n = pool_get(&c->conns, s->conn); /* of a log's session it has no socket behind it */
	e->conn = n ? n->cookie : s->pub.conn;
	e->via_entry = b->via;
	e->via = span_of(session_via(&s->pub, b->via, via));
	return true;
}

/* What was begun while that request was under way, and told before it. */
static void claim(struct core *c, struct csession *s, struct handoff_request *q,
		  const struct event *e)
{
	struct event *begun = e->opened_ns ? unclaimed_find(c, e) : NULL;
	struct conn *n = pool_get(&c->conns, s->conn);
	char via[HANDOFF_VIA];
	struct event of;

	if (!begun || !n)
		return;
	of = *begun;
	*begun = (struct event){0};
	q->taken = true;
	entry_born(c, s, q->entry, &of, HANDOFF_JOINED);
	of.handoff = 0;
	of.conn = n->cookie;
	of.via_entry = q->entry + 1;
	of.via = span_of(session_via(&s->pub, of.via_entry, via));
	proc_execed(c, &of);
}

/*
 * An API request has the engine start something. A container's id is its own name for it; a program
 * in a container that is there is known by its words.
 */
void handoff_api(struct core *c, struct csession *s, const struct event *e)
{
	static const struct handoff_tool engine = {"", HANDOFF_CONTAINER, KIND_BIT(CONTAINER)};
	struct handle mine = pool_handle(&c->sessions, pool_slot(&c->sessions, s));
	struct event asked = *e;
	struct handoff_request *q;

	asked.program = span_of(service_name(e->service));
	for (unsigned i = 0; i < HANDOFF_REQUESTS && e->api.action == API_START; i++) {
		q = &c->handoff_requests[i];
		if (q->time_ns && is_same(q->session, mine) && span_is(e->api.container, q->path)) {
			q->time_ns = e->time_ns; /* created before; it counts from now */
			return;
		}
	}
	q = request_slot(c, mine);
	request_fill(q, mine, &asked, &engine);
	q->is_api = true;
	q->is_pod = !span_empty(e->api.pod);
	if (e->api.action != API_EXEC)
		span_copy(q->path, sizeof(q->path), q->is_pod ? e->api.pod : e->api.container);
	q->entry = (uint8_t)entry_note(c, s, &asked, HANDOFF_CONTAINER, e->api.container);
	if (e->api.action == API_EXEC)
		claim(c, s, q, e);
}

void handoffs_restore(struct core *c, struct handle session, const struct session *s)
{
	for (unsigned i = 0; i < s->handoffs_kept && i < SESSION_HANDOFFS; i++) {
		const struct session_handoff *h = &s->handoffs[i];
		struct event e = {.handoff = h->id, .time_ns = h->born_ns};
		struct handoff_birth *b;

		if (h->state != HANDOFF_JOINED || !h->id || birth_of(c, h->id))
			continue;
		b = birth_make(c, &e);
		b->joined = true;
		b->session = session;
		b->via = (uint8_t)(i + 1);
	}
}
