/*
 * sessions: one origin + service + identity, from the verdict to the last process.
 *
 * A session opens at the first believed success of its connection and takes in what others say of
 * it later: the daemon's own words replace what was inferred from PAM. It lingers when its
 * connection is gone and a process lives on, and is closed when both are gone. What it did without
 * a medium alert is learned when it closes: the place it came from and where it went on to.
 *
 * Cannot see: who is behind an account that several people share.
 */
#include "core_internal.h"

#include "core_detect.h"

void session_changed(struct core *c, struct csession *s)
{
	if (s->changed)
		return;
	s->changed = true;
	c->changed_sessions[c->changed_sessions_used++] = pool_slot(&c->sessions, s);
}

void session_clear(struct csession *s)
{
	s->conn = s->access = HANDLE_NONE;
	for (unsigned i = 0; i < SESSION_ALERTS; i++)
		s->alerts[i] = HANDLE_NONE;
}

static uint8_t tag_of(const struct session *s)
{
	return (uint8_t)hash_addr(s->service, &s->origin.addr);
}

void session_tag(struct core *c, const struct csession *s)
{
	c->sessions.links[pool_slot(&c->sessions, s)].tag = tag_of(&s->pub);
}

const struct csession *session_next_live(const struct core *c, uint32_t *at)
{
	for (uint32_t i = *at; i < c->sessions.fresh; i++) {
		if (!pool_is_used(&c->sessions, i) || c->sessions.links[i].class == POOL_HARMLESS)
			continue;
		*at = i + 1;
		return pool_at(&c->sessions, i);
	}
	return NULL;
}

const struct csession *session_next_alike(const struct core *c, const struct session *s,
					  uint32_t *at)
{
	uint8_t tag = tag_of(s);

	for (uint32_t i = *at; i < c->sessions.fresh; i++) {
		const struct csession *found = pool_at(&c->sessions, i);

		if (c->sessions.links[i].tag != tag || !pool_is_used(&c->sessions, i) ||
		    found->pub.service != s->service ||
		    !addr_eq(&found->pub.origin.addr, &s->origin.addr))
			continue;
		*at = i + 1;
		return found;
	}
	return NULL;
}

/* A free slot; closed sessions make room, live ones never do. */
static struct csession *session_make(struct core *c)
{
	uint32_t slot = pool_take(&c->sessions);
	struct csession *s;

	if (slot == NIL) {
		slot = pool_victim(&c->sessions);
		s = slot == NIL ? NULL : pool_at(&c->sessions, slot);
		if (!s || s->changed)
			return NULL;
		pool_give(&c->sessions, slot);
		c->stats.sessions_evicted++;
		slot = pool_take(&c->sessions);
	}
	pool_touch(&c->sessions, slot, POOL_PINNED);
	s = pool_at(&c->sessions, slot);
	session_clear(s);
	return s;
}

static void session_id(const struct core *c, const struct conn *n, const struct event *e,
		       char out[ID_TEXT_MAX])
{
	struct id_hash h = id_start();
	char text[ADDR_TEXT_MAX];

	if (n->cookie && n->kernel) {
		id_add(&h, span_of(c->id.boot_id));
		id_add_u64(&h, n->cookie);
	} else {
		id_add(&h, e->host);
		id_add(&h, span_of(addr_format(&n->origin.addr, text)));
		id_add_u64(&h, n->origin.port);
		id_add_u64(&h, e->time_ns);
		if (n->cookie) /* Windows: several may log on from there at once */
			id_add(&h, e->account);
	}
	id_text(&h, out);
}

void geo_of(const struct core *c, const struct addr *a, struct geo *ret)
{
	*ret = (struct geo){0};
	if (c->id.geo && a->family)
		c->id.geo->lookup(c->id.geo, a, ret);
}

static void fill_vpn(const struct core *c, const struct conn *n, struct session *s)
{
	const struct csession *vpn = vpn_of(c, n);

	if (!vpn)
		return;
	s->by_vpn = true;
	s->via = n->origin;
	memcpy(s->vpn.session, vpn->pub.id, sizeof(s->vpn.session));
	span_copy(s->vpn.account, sizeof(s->vpn.account), span_of(vpn->pub.account));
}

static void fill_origin(const struct core *c, const struct conn *n, struct session *s)
{
	s->conn = n->kernel ? n->cookie : 0;
	s->netns = n->netns;
	s->service = n->service;
	s->origin = *conn_origin(c, n);
	s->local = n->local;
	s->scope = scope_of(&s->origin.addr, &c->config.scope);
	geo_of(c, &s->origin.addr, &s->geo);
	s->origin_source = conn_origin_source(c, n);
	fill_vpn(c, n, s);
	s->conn_open_ns = n->opened_ns;
	s->bytes_in = n->bytes_in;
	s->bytes_out = n->bytes_out;
	s->bytes_known = n->kernel && n->closed;
}

/* Whose log tells of it, where that is not this host's. */
static void fill_teller(const struct core *c, const struct event *e, struct session *s)
{
	if (!c->id.kernel_sensor || !(e->flags & EVENT_ELSEWHERE || e->gate.told) ||
	    e->trust >= TRUST_TRANSPORT || core_is_own_host(c, e->host))
		return;
	s->elsewhere = true;
	span_copy(s->told_by, sizeof(s->told_by), e->host);
}

void session_ends_unheard(struct core *c, struct csession *s)
{
	s->confirm_ns = s->pub.last_ns + DAY_NS;
	core_due(c, s->confirm_ns);
}

static uint32_t failures_now(const struct core *c, const struct conn *n, uint64_t time_ns)
{
	struct source *s = source_find(c, &conn_origin(c, n)->addr);

	return s ? window_count(window_exact(c, WINDOW_OF(&s->failures)), core_ds(c, time_ns),
				core_window_ds(c))
		 : 0;
}

enum severity session_worst_but(const struct csession *s, unsigned index)
{
	unsigned worst = 0;

	for (unsigned i = 0; i < DETECTION_COUNT; i++)
		if (i != index && i != DETECTION_chain_t1133 && s->worst_by[i] > worst)
			worst = s->worst_by[i];
	return (enum severity)worst;
}

void session_announce(struct core *c, struct csession *s, struct conn *n, const struct event *e)
{
	struct event opened = *e;
	struct source *source = source_find(c, &conn_origin(c, n)->addr);

	if (source)
		source->session = pool_handle(&c->sessions, pool_slot(&c->sessions, s));
	opened.kind = EVENT_SESSION_OPEN;
	opened.outcome = OUTCOME_SUCCESS;
	opened.origin = *conn_origin(c, n);
	opened.local = n->local;
	opened.service = s->pub.service;
	opened.account = span_of(s->pub.account);
	opened.method = s->pub.method;
	opened.count = 1;
	opened.conn = n->cookie;
	core_detect(c, &opened, n, s);
	settle_opened(c, s, &opened);
}

/* Not followed, and said: 70,000 idle sessions must not hide one login. */
static void session_refuse(struct core *c, struct conn *n, const struct event *e)
{
	struct event loss = {.kind = EVENT_LOSS,
			     .trust = TRUST_KERNEL,
			     .time_ns = e->time_ns,
			     .count = 1,
			     .text = SPAN_LIT("a session that is not followed: the table is full "
					      "(Limits.Sessions)")};

	if (n->session_refused)
		return;
	n->session_refused = true;
	c->stats.sessions_refused++;
	core_detect(c, &loss, NULL, NULL);
}

struct csession *session_start(struct core *c, struct conn *n, const struct event *e)
{
	struct csession *s = session_make(c);

	if (!s) {
		session_refuse(c, n, e);
		return NULL;
	}
	vpn_joins(c, n);
	session_id(c, n, e, s->pub.id);
	fill_origin(c, n, &s->pub);
	session_tag(c, s);
	fill_teller(c, e, &s->pub);
	span_copy(s->pub.account, sizeof(s->pub.account),
		  span_empty(e->account) ? span_of(n->account) : e->account);
	key_store(s->pub.key, e->key);
	span_copy(s->pub.client, sizeof(s->pub.client), e->client);
	client_take(c, n, s);
	if (!span_empty(e->api.container) && e->kind != EVENT_API)
		container_name(c, &s->pub, e->api.container);
	s->pub.method = e->method;
	s->pub.method_inferred = e->trust == TRUST_KERNEL && e->kind != EVENT_ATTEMPT;
	s->pub.proven = e->trust >= TRUST_TRANSPORT;
	s->pub.existing = e->flags & EVENT_EXISTING;
	s->pub.open_ns = s->pub.last_ns = e->time_ns;
	s->pub.loginuid = s->pub.audit_session = UINT32_MAX;
	s->pub.leader = e->proc;
	s->pub.processes = 1;
	s->gone = n->closed;
	if (s->pub.elsewhere)
		session_ends_unheard(c, s);
	s->conn = pool_handle(&c->conns, pool_slot(&c->conns, n));
	n->session = pool_handle(&c->sessions, pool_slot(&c->sessions, s));
	conn_evidence(c, n);
	conn_touch(c, n);
	session_changed(c, s);
	c->stats.sessions_opened++;
	return s;
}

struct csession *session_open(struct core *c, struct conn *n, const struct event *e)
{
	struct csession *s;

	if (!n->origin.addr.family)
		return NULL; /* no socket, no line said from where: not a remote session */
	attempts_settle_source(c, &conn_origin(c, n)->addr, e);
	s = session_start(c, n, e);
	if (!s)
		return NULL;
	s->pub.failures_before = failures_now(c, n, e->time_ns);
	session_announce(c, s, n, e);
	account_succeeded(c, span_of(s->pub.account), s->pub.method);
	held_replay(c, n);
	if (s->gone) {
		s->pub.processes = 0;
		session_update_state(c, s, n->last_ns);
	}
	return s;
}

/* A log that tells of a session without having told of the success (pam_unix "session opened"). */
void session_told(struct core *c, const struct event *e)
{
	struct conn *n = conn_find(c, e);
	struct csession *s = conn_session(c, n);

	if (s)
		session_details(c, s, e);
	else if (!core_needs_kernel(c, e) && e->outcome == OUTCOME_SUCCESS && e->origin.addr.family)
		attempt_told(c, e);
}

static bool take_text(char *dst, size_t cap, struct span s)
{
	char now[CLIENT_MAX + KEY_MAX];

	if (span_empty(s))
		return false;
	span_copy(now, cap < sizeof(now) ? cap : sizeof(now), s);
	if (strcmp(dst, now) == 0)
		return false;
	span_copy(dst, cap, s);
	return true;
}

/* "uid:1001" stands for an account whose name nobody said yet. */
static bool is_nameless(const char *account)
{
	return !account[0] || strncmp(account, "uid:", 4) == 0;
}

static void contradicted(struct core *c, struct csession *s, const struct event *e,
			 const char *reason)
{
	core_detect_one(c, DETECTION_sensor_mismatch, e, pool_get(&c->conns, s->conn), s, reason);
}

/*
 * The kernel knows who logged in; text that says otherwise lies, or one of them is wrong: nothing
 * of it is taken.
 */
static bool account_agrees(struct core *c, struct csession *s, const struct event *e)
{
	char said[ACCOUNT_MAX];

	span_copy(said, sizeof(said), e->account);
	if (span_empty(e->account) || strcmp(s->pub.account, said) == 0)
		return true;
	if (is_nameless(s->pub.account)) {
		span_copy(s->pub.account, sizeof(s->pub.account), e->account);
		session_changed(c, s);
		return true;
	}
	if (e->outcome == OUTCOME_SUCCESS || e->kind == EVENT_PAM)
		contradicted(c, s, e, "account-differs");
	return false;
}

/* The first to tell the key is believed, until somebody more trusted tells another. */
static bool take_key(struct core *c, struct csession *s, const struct event *e)
{
	char said[KEY_MAX];

	if (e->outcome != OUTCOME_SUCCESS || e->trust == TRUST_KERNEL || span_empty(e->key))
		return false;
	key_store(said, e->key);
	if (s->pub.key[0] && strcmp(s->pub.key, said) != 0 && e->trust <= s->key_trust) {
		contradicted(c, s, e, "key-differs");
		return false;
	}
	s->key_trust = e->trust;
	return take_text(s->pub.key, sizeof(s->pub.key), span_of(said));
}

static bool take_method(struct csession *s, const struct event *e)
{
	bool own_words = e->trust != TRUST_KERNEL;

	if (e->outcome != OUTCOME_SUCCESS || !own_words || e->method == METHOD_NONE)
		return false;
	if (!s->pub.method_inferred && s->pub.method != METHOD_NONE)
		return false;
	s->pub.method_inferred = false;
	if (s->pub.method == e->method)
		return false;
	s->pub.method = e->method;
	return true;
}

void session_details(struct core *c, struct csession *s, const struct event *e)
{
	struct conn *n = pool_get(&c->conns, s->conn);
	struct event told = *e;
	bool changed;

	if (!account_agrees(c, s, e))
		return;
	changed = take_method(s, e);
	changed |= take_key(c, s, e);
	changed |= take_text(s->pub.client, sizeof(s->pub.client), e->client);
	if (e->flags & EVENT_PTY && !s->pub.has_pty)
		changed = s->pub.has_pty = true;
	if (e->trust >= TRUST_TRANSPORT && !s->pub.proven)
		changed = s->pub.proven = true;
	account_succeeded(c, span_of(s->pub.account), s->pub.method);
	if (!changed)
		return;
	session_changed(c, s);
	told.kind = EVENT_AUTH_NOTE;
	told.time_ns = s->pub.open_ns > e->time_ns ? s->pub.open_ns : e->time_ns;
	core_detect(c, &told, n, s);
	settle_told(c, s, &told);
}

void session_effective(struct core *c, struct csession *s, const struct event *e)
{
	if (take_text(s->pub.effective_account, sizeof(s->pub.effective_account), e->account))
		session_changed(c, s);
}

struct csession *session_of(struct core *c, const struct event *e)
{
	return conn_session(c, conn_find(c, e));
}

uint64_t session_identity(const struct core *c, const struct session *s)
{
	uint64_t h = hash_account(c, span_of(s->account));

	return s->key[0] ? hash_text(h, key_identity(s->key)) : h;
}

static void session_end(struct core *c, struct csession *s, uint64_t time_ns)
{
	struct event e = {.kind = EVENT_SESSION_CLOSE,
			  .trust = TRUST_KERNEL,
			  .time_ns = time_ns,
			  .service = s->pub.service,
			  .origin = s->pub.origin,
			  .account = span_of(s->pub.account)};
	struct conn *n = pool_get(&c->conns, s->conn);

	s->pub.state = SESSION_CLOSED;
	s->pub.processes = 0;
	s->pub.close_ns = time_ns;
	session_changed(c, s);
	settle_closed(c, s, &e);
	session_learn(c, s);
	core_detect(c, &e, n, s);
	alerts_of_session_close(c, s, time_ns);
	pool_touch(&c->sessions, pool_slot(&c->sessions, s), POOL_HARMLESS);
	if (n)
		conn_touch(c, n);
}

void session_update_state(struct core *c, struct csession *s, uint64_t time_ns)
{
	if (s->pub.state == SESSION_CLOSED || !s->gone)
		return;
	if (s->pub.processes == 0 && !handoffs_live(c, s)) {
		session_end(c, s, time_ns);
	} else if (s->pub.state == SESSION_OPEN) {
		s->pub.state = SESSION_LINGERING;
		s->pub.close_ns = time_ns;
		session_changed(c, s);
	}
}

/*
 * The last words about bytes come before the session ends, so that alerts can still tell them.
 * alive: processes that still carry the session's mark, as the kernel counts them.
 */
void session_conn_closed(struct core *c, struct csession *s, const struct event *e)
{
	s->pub.bytes_in = e->bytes_in > s->pub.bytes_in ? e->bytes_in : s->pub.bytes_in;
	s->pub.bytes_out = e->bytes_out > s->pub.bytes_out ? e->bytes_out : s->pub.bytes_out;
	s->pub.bytes_known = true;
	s->pub.last_ns = e->time_ns;
	s->pub.processes = e->alive;
	s->gone = true;
	session_changed(c, s);
}

/* "Disconnected from user alice ...": the end, where nothing else can say so. */
void session_close_told(struct core *c, const struct event *e)
{
	struct conn *n = conn_find(c, e);
	struct csession *s = conn_session(c, n);

	if (e->flags & EVENT_PREAUTH) {
		attempt_noted(c, e);
		return;
	}
	if (!s || n->kernel || s->pub.state == SESSION_CLOSED)
		return;
	n->closed = s->gone = true;
	s->pub.processes = 0;
	session_update_state(c, s, e->time_ns);
}

void sessions_expire(struct core *c)
{
	for (uint32_t i = 0; i < c->sessions.fresh; i++) {
		struct csession *s = pool_at(&c->sessions, i);

		if (!pool_is_used(&c->sessions, i) || !s->confirm_ns)
			continue;
		if (s->confirm_ns == UINT64_MAX)
			s->confirm_ns = c->now_ns + CONFIRM_NS;
		if (s->confirm_ns > c->now_ns) {
			core_due(c, s->confirm_ns);
			continue;
		}
		s->confirm_ns = 0;
		s->gone = true;
		s->pub.processes = 0;
		session_update_state(c, s, s->pub.last_ns);
	}
}
