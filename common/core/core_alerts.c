/*
 * alerts: the life of an alert (SPEC 4.4). It fires once about one thing, grows while that goes
 * on, and closes; changes of one step are one revision. Sent at first fire, on a rise in
 * severity, at 10 and 100 times the count, and at its close; anything else is stored only.
 *
 * Full tables: closed and unsent alerts are forgotten first; an alert of medium or above may take
 * the place of an open low one, one of high or above that of any lower one, never the other way
 * round: a crowd of guesses does not keep a chain out. Nor does it keep out a login: what tells of
 * more than attempts takes the place of the low one, or else of the medium one about attempts, that
 * was quiet for longest. It was told; should it go on, it is told again when it is worse than low
 * (alert_told_before()).
 */
#include "core_internal.h"

#include "core_detect.h"

static uint64_t key_base(const struct core *c, const struct detection *d)
{
	unsigned i = 0;

	while (detections[i] != d)
		i++;
	return c->key_base[i];
}

static uint64_t key_of_source(const struct core *c, const struct alert *a, uint64_t h)
{
	bool network = strcmp(a->reason, "network") == 0;
	struct addr at = network ? net_addr(&a->origin.addr) : source_addr(&a->origin.addr);

	(void)c;
	if (strcmp(a->reason, "asn") == 0)
		return hash_u64(hash_u64(h, a->geo.asn), 2);
	return hash_u64(hash_addr(h, &at), network);
}

uint64_t alert_key(const struct core *c, const struct alert *a)
{
	uint64_t h = key_base(c, a->detection);
	struct addr net = net_addr(&a->origin.addr);

	switch (a->detection->key) {
	case KEY_SOURCE:
		return key_of_source(c, a, h);
	case KEY_SESSION:
		return hash_text(h, span_of(a->session[0] ? a->session : a->account));
	case KEY_ACCESS:
		h = hash_u64(hash_u64(h, a->service), core_day(a->first_ns));
		return hash_text(hash_addr(h, &net), span_of(a->account));
	case KEY_API:
		h = hash_u64(hash_u64(h, a->service), core_day(a->first_ns));
		return hash_addr(h, &net);
	case KEY_LISTENER:
		h = hash_u64(hash_u64(h, a->service), core_day(a->first_ns));
		return hash_u64(h, a->local.port);
	case KEY_ACCOUNT:
		return hash_text(hash_u64(h, a->service), span_of(a->account));
	case KEY_REASON:
		return hash_text(hash_u64(h, a->local.port), span_of(a->reason));
	case KEY_PLACE:
		h = hash_text(hash_u64(h, a->geo.asn), span_of(a->geo.country));
		return hash_text(hash_text(h, span_of(a->reason)), span_of(a->account));
	case KEY_SOURCE_REASON:
		return hash_text(hash_addr(h, &a->origin.addr), span_of(a->reason));
	case KEY_CLIENT:
		h = hash_text(hash_text(h, span_of(a->key)), span_of(a->client));
		return hash_text(hash_text(h, span_of(a->reason)), span_of(a->account));
	case KEY_ACCOUNT_DAY:
		h = hash_u64(hash_u64(h, a->service), core_day(a->first_ns));
		return hash_text(h, span_of(a->account));
	case KEY_EXPOSURE:
		h = hash_u64(hash_u64(h, a->service), a->first_ns);
		return hash_u64(h, a->local.port);
	case KEY_PROGRAM:
		h = hash_u64(hash_u64(h, a->service), core_day(a->first_ns));
		h = hash_text(hash_u64(h, a->local.port), span_of(a->client));
		return hash_text(h, span_of(a->account));
	case KEY_CHAIN:
		return hash_text(hash_addr(h, &a->origin.addr), span_of(a->account));
	}
	return h;
}

static void fill_about(const struct detect_ctx *x, const struct event *e, struct alert *a)
{
	const struct conn *n = x->conn;

	a->service = e->service ? e->service : n ? n->service : SERVICE_NONE;
	a->local = n ? n->local : e->local;
	if (x->session)
		return;
	a->origin = n && n->origin.addr.family ? *conn_origin(x->core, n) : e->origin;
	a->scope = scope_of(&a->origin.addr, &x->core->config.scope);
	if (!a->origin.addr.family)
		a->origin_source = ORIGIN_NONE;
	else if (n)
		a->origin_source = conn_origin_source(x->core, n);
	else
		a->origin_source = e->trust == TRUST_KERNEL ? ORIGIN_SOCKET : ORIGIN_LOG;
	geo_of(x->core, &a->origin.addr, &a->geo);
	if (a->origin_source == ORIGIN_VPN)
		a->via = n->origin;
	if (e->kind == EVENT_API && e->dest.addr.family) {
		a->via = e->dest;
		a->origin_source = ORIGIN_TRUSTED_PROXY;
	}
	a->account_unknown = e->flags & EVENT_ACCOUNT_UNKNOWN;
	a->method = e->method;
	span_copy(a->account, sizeof(a->account), e->account);
	span_copy(a->client, sizeof(a->client), e->client);
}

static void fill_session(const struct session *s, struct alert *a)
{
	a->service = s->service;
	a->origin = s->origin;
	a->local = s->local;
	a->scope = s->scope;
	a->origin_source = s->origin_source;
	a->geo = s->geo;
	a->method = s->method;
	a->via = s->via;
	memcpy(a->session, s->id, sizeof(a->session));
	memcpy(a->account, s->account, sizeof(a->account));
	memcpy(a->effective_account, s->effective_account, sizeof(a->effective_account));
	memcpy(a->key, s->key, sizeof(a->key));
	memcpy(a->client, s->client, sizeof(a->client));
}

/* Everything but id, counts, words and evidence. */
static void fill(const struct detect_ctx *x, const struct event *e, const struct fire *f,
		 struct alert *a)
{
	memset(a, 0, offsetof(struct alert, evidence));
	a->evidence_count = 0;
	a->detection = x->detection;
	a->severity = f->severity;
	a->first_ns = f->first_ns ? f->first_ns : e->time_ns;
	a->last_ns = e->time_ns > a->first_ns ? e->time_ns : a->first_ns;
	span_copy(a->reason, sizeof(a->reason), span_of(f->reason));
	span_copy(a->stage, sizeof(a->stage), span_of(x->detection->stage));
	fill_about(x, e, a);
	if (x->session && !f->by_listener)
		fill_session(&x->session->pub, a);
	if (x->detection->key == KEY_EXPOSURE) { /* about what listens, whoever opened it */
		a->service = e->service;
		a->local = e->local;
	}
	if (f->by_network) {
		a->origin.addr = net_addr(&a->origin.addr);
		a->origin.port = 0;
	}
	if (f->by_asn)
		a->origin.port = 0; /* one of many */
	if (f->by_account) {
		a->origin = (struct endpoint){0};
		a->geo = (struct geo){0};
		a->origin_source = ORIGIN_NONE;
		a->scope = SCOPE_NONE;
		a->client[0] = '\0';
	}
	if (f->by_listener) {
		a->origin = (struct endpoint){0};
		a->geo = (struct geo){0};
		a->scope = SCOPE_NONE;
		a->account[0] = a->client[0] = '\0';
		a->account_unknown = false;
		a->method = METHOD_NONE;
	}
}

static bool text_is(const char *want, const char *have)
{
	return !want[0] || strcmp(want, have) == 0;
}

bool core_exception_fits(const struct config_exception *x, const struct alert *a)
{
	if (x->until_ns && a->first_ns > x->until_ns)
		return false;
	if (x->has_origin && !cidr_has(&x->origin, &a->origin.addr))
		return false;
	if ((x->service != SERVICE_NONE && x->service != a->service) ||
	    (x->method != METHOD_NONE && x->method != a->method))
		return false;
	if ((x->port && x->port != a->local.port) || (x->asn && x->asn != a->geo.asn))
		return false;
	if (x->key[0] && !strstr(a->key, x->key))
		return false;
	return text_is(x->account, a->account) && text_is(x->country, a->geo.country) &&
	       text_is(x->cause, a->reason) && text_is(x->client, a->client) &&
	       text_is(x->effective_account, a->effective_account);
}

static bool is_excepted(struct core *c, unsigned index, const struct alert *a)
{
	for (unsigned i = 0; i < c->config.exceptions_count; i++) {
		if (c->config.exceptions[i].detection != index ||
		    !core_exception_fits(&c->config.exceptions[i], a))
			continue;
		c->excepted[i]++;
		return true;
	}
	return false;
}

static struct calert *find_by_key(const struct core *c, uint64_t key, const struct fire *f,
				  bool closed)
{
	uint32_t cursor = NIL, slot;
	struct calert *best = NULL;

	while ((slot = index_next(&c->alerts_by_key, key, &cursor)) != NIL) {
		struct calert *a = pool_at(&c->alerts, slot);

		if (a->key != key || (a->pub.state == ALERT_CLOSED) != closed)
			continue;
		if (f->match_key && f->match_key[0] && a->pub.key[0] &&
		    strcmp(a->pub.key, f->match_key) != 0)
			continue;
		if (!best || a->pub.last_ns > best->pub.last_ns)
			best = a;
	}
	return best;
}

enum pool_class alert_class(const struct calert *a)
{
	if (a->pub.state == ALERT_CLOSED)
		return POOL_HARMLESS;
	if (a->quiet && a->pub.detection->key != KEY_LISTENER)
		return POOL_HARMLESS; /* a number in the digest: no reason to refuse another */
	return a->pub.severity >= SEVERITY_MEDIUM ? POOL_PINNED : POOL_WORTH;
}

static bool about_attempts(const struct detection *d)
{
	return strcmp(d->stage, "attempts") == 0;
}

/* For what tells of more than attempts. */
static uint32_t quiet_victim(const struct core *c)
{
	for (unsigned k = POOL_WORTH; k < POOL_CLASSES; k++) {
		uint32_t slot = c->alerts.tail[k];

		for (; slot != NIL; slot = c->alerts.links[slot].prev) {
			const struct calert *a = pool_at(&c->alerts, slot);

			if (!a->changed && (k == POOL_WORTH || (a->pub.severity < SEVERITY_HIGH &&
								about_attempts(a->pub.detection))))
				return slot;
		}
	}
	return NIL;
}

/* One that is to be told in this step stays. */
static uint32_t alert_victim(const struct core *c, const struct detection *d,
			     enum severity severity)
{
	static const enum severity least[POOL_CLASSES] = {
		[POOL_WORTH] = SEVERITY_MEDIUM, [POOL_PINNED] = SEVERITY_HIGH};

	for (unsigned k = 0; k < POOL_CLASSES && severity >= least[k]; k++) {
		uint32_t slot = c->alerts.tail[k];

		for (; slot != NIL; slot = c->alerts.links[slot].prev) {
			const struct calert *a = pool_at(&c->alerts, slot);

			if (!a->changed && (k < POOL_PINNED || a->pub.severity < SEVERITY_HIGH))
				return slot;
		}
	}
	return severity >= SEVERITY_LOW && !about_attempts(d) ? quiet_victim(c) : NIL;
}

static struct calert *alert_make(struct core *c, const struct detection *d, enum severity severity)
{
	uint32_t slot = pool_take(&c->alerts);
	struct calert *old;

	if (slot != NIL)
		return pool_at(&c->alerts, slot);
	slot = alert_victim(c, d, severity);
	if (slot == NIL) {
		c->stats.alerts_refused++;
		return NULL;
	}
	old = pool_at(&c->alerts, slot);
	if (old->pub.state != ALERT_CLOSED && old->pub.last_ns >= c->gone_alerts_ns)
		c->gone_alerts_ns = old->pub.last_ns;
	c->stale_alerts -= old->stale;
	index_remove(&c->alerts_by_key, slot);
	pool_give(&c->alerts, slot);
	return pool_at(&c->alerts, pool_take(&c->alerts));
}

/* nth: of those whose like had to go; time alone would not tell them apart, logs have seconds. */
static void make_id(const struct core *c, const struct alert *a, uint64_t key, uint32_t nth,
		    char *out)
{
	struct id_hash h = id_start();

	id_add(&h, span_of(c->id.host_id));
	id_add(&h, span_of(a->detection->id));
	id_add_u64(&h, key);
	id_add_u64(&h, a->first_ns);
	if (nth)
		id_add_u64(&h, nth);
	id_text(&h, out);
}

/* "POST /v1.41/containers/create 201 by "curl/7.88.1": chroot /host": never the body, where secrets
 * are. */
static void api_evidence(struct text *t, const struct event *e)
{
	text_plain(t, e->subject, 16);
	text_add(t, " ");
	text_plain(t, api_target(e), 100);
	if (e->result > 0)
		text_add(t, " %u", (unsigned)e->result);
	if (!span_empty(e->account)) {
		text_add(t, " for ");
		text_quote(t, e->account, 48);
	}
	if (!span_empty(e->client)) {
		text_add(t, " by ");
		text_quote(t, e->client, 32);
	}
}

void alert_evidence_text(const struct event *e, char out[ALERT_EVIDENCE_MAX])
{
	struct text t = text_start(out, ALERT_EVIDENCE_MAX);

	if (e->kind == EVENT_API) {
		api_evidence(&t, e);
		return;
	}
	if (e->flags & EVENT_ELSEWHERE) {
		text_plain(&t, e->host, 48);
		text_add(&t, ": ");
	}
	if (!span_empty(e->text)) {
		text_plain(&t, e->text, ALERT_EVIDENCE_MAX - 4);
		return;
	}
	text_add(&t, "%s", event_name(e->kind));
	if (e->outcome != OUTCOME_UNKNOWN)
		text_add(&t, " %s", outcome_name(e->outcome));
	if (e->method != METHOD_NONE)
		text_add(&t, " by %s", method_name(e->method));
	if (!span_empty(e->account)) {
		text_add(&t, e->flags & EVENT_ACCOUNT_UNKNOWN ? " for invalid user " : " for ");
		text_quote(&t, e->account, 32);
	}
	if (e->origin.addr.family) {
		text_add(&t, " from ");
		text_addr(&t, &e->origin.addr);
		text_add(&t, ":%u", e->origin.port);
	}
	if (!span_empty(e->program)) {
		text_add(&t, " by ");
		text_plain(&t, e->program, 40);
	}
	if (!span_empty(e->args)) {
		text_add(&t, ": ");
		for (size_t i = 0; i < e->args.len && i < 100; i++)
			text_add(&t, "%c",
				 e->args.ptr[i] >= 0x20 && e->args.ptr[i] < 0x7f ? e->args.ptr[i]
										 : ' ');
	}
	if (e->dest.addr.family) {
		text_add(&t, " to ");
		text_addr(&t, &e->dest.addr);
		text_add(&t, ":%u", e->dest.port);
	}
	if (!span_empty(e->via)) {
		text_add(&t, ", via ");
		text_plain(&t, e->via, 64);
	}
}

/* The first six and the last six stay. */
static struct alert_evidence *evidence_slot(struct alert *a)
{
	unsigned half = ALERT_EVIDENCE / 2;

	if (a->evidence_count < ALERT_EVIDENCE)
		return &a->evidence[a->evidence_count++];
	memmove(&a->evidence[half], &a->evidence[half + 1], (half - 1) * sizeof(a->evidence[0]));
	return &a->evidence[ALERT_EVIDENCE - 1];
}

static void evidence_add(struct alert *a, const struct event *e)
{
	struct alert_evidence *v;

	if (e->kind == EVENT_TICK)
		return;
	v = evidence_slot(a);
	*v = (struct alert_evidence){
		.time_ns = e->time_ns, .kind = e->kind, .trust = e->trust, .line = e->line};
	alert_evidence_text(e, v->text);
}

/* What the source did before it fired; its last event is in there too. */
static void evidence_of_source(const struct core *c, struct alert *a)
{
	a->evidence_count = clues_of(c, &a->origin.addr, a->evidence, ALERT_EVIDENCE - 2);
}

static void note_on_session(struct detect_ctx *x, enum severity severity)
{
	struct session *s = x->session ? &x->session->pub : NULL;
	uint64_t bit = 1ull << (x->index & 63);

	if (!s)
		return;
	if (!(s->anomaly_mask & bit))
		s->fired++;
	s->anomaly_mask |= bit;
	if (severity > s->worst)
		s->worst = severity;
	if (severity > x->session->worst_by[x->index])
		x->session->worst_by[x->index] = (uint8_t)severity;
	session_changed(x->core, x->session);
}

/* So that a session finds its own alerts without a search. */
void session_take_alert(struct core *c, const struct calert *a)
{
	struct csession *s = pool_get(&c->sessions, a->session);
	unsigned i = 0;

	if (!s || a->pub.detection->key != KEY_SESSION)
		return;
	while (detections[i] != a->pub.detection)
		i++;
	if (c->alert_slots[i] != NO_SLOT)
		s->alerts[c->alert_slots[i]] = pool_handle(&c->alerts, pool_slot(&c->alerts, a));
	if (a->pub.severity > s->worst_by[i])
		s->worst_by[i] = (uint8_t)a->pub.severity;
}

static struct calert *alert_start(struct detect_ctx *x, const struct event *e, const struct fire *f,
				  const struct alert *probe, uint64_t key)
{
	struct core *c = x->core;
	struct calert *old = find_by_key(c, key, f, true);
	char previous[ID_TEXT_MAX] = "";
	struct calert *a;
	bool again, had_to_go;

	if (old)
		memcpy(previous, old->pub.id, sizeof(previous));
	again = old && probe->first_ns <= old->pub.last_ns;
	a = alert_make(c, probe->detection, probe->severity);
	if (!a)
		return NULL;
	memcpy(&a->pub, probe, offsetof(struct alert, evidence));
	memcpy(a->pub.previous, previous, sizeof(previous));
	/* What the one before has told is not told again, and two have not one id: also not when
	 * the one before had to go, which nobody remembers. */
	had_to_go = probe->first_ns <= c->gone_alerts_ns;
	if (again || had_to_go)
		a->pub.first_ns = e->time_ns;
	a->key = key;
	a->session = x->session && !f->by_listener
			     ? pool_handle(&c->sessions, pool_slot(&c->sessions, x->session))
			     : HANDLE_NONE;
	for (unsigned i = 0; i < CHAIN_SESSIONS; i++)
		a->chain_sessions[i] = HANDLE_NONE;
	make_id(c, &a->pub, key, had_to_go ? ++c->gone_alerts : 0, a->pub.id);
	a->pub.observe = c->config.detections[x->index].observe;
	a->keep_ns = ALERT_IDLE_NS;
	a->quiet = f->quiet;
	session_take_alert(c, a);
	index_add(&c->alerts_by_key, pool_slot(&c->alerts, a), key);
	c->stats.alerts_fired++;
	if (x->detection->key == KEY_SOURCE && e->kind == EVENT_ATTEMPT && !f->by_network &&
	    !f->by_asn)
		evidence_of_source(c, &a->pub);
	else
		evidence_add(&a->pub, e);
	return a;
}

struct calert *alert_next(const struct core *c, uint32_t *at)
{
	for (uint32_t i = *at; i < c->alerts.fresh; i++) {
		if (!pool_is_used(&c->alerts, i))
			continue;
		*at = i + 1;
		return pool_at(&c->alerts, i);
	}
	return NULL;
}

void alert_seen(struct calert *a, uint64_t time_ns)
{
	if (time_ns > a->pub.last_ns)
		a->pub.last_ns = time_ns;
}

void alert_grow(struct detect_ctx *x, const struct event *e, const struct fire *f, struct calert *a,
		bool is_new)
{
	enum severity before = a->pub.severity, now = f->severity;
	struct core *c = x->core;
	bool loud = is_new;

	a->pub.count = f->restart ? f->count : a->pub.count + f->count;
	if (!is_new && now > before) {
		a->pub.severity = now;
		loud = true;
		a->quiet = a->quiet && f->quiet;
	}
	if (!a->notify_at)
		a->notify_at = a->pub.count * 10;
	while (a->pub.count >= a->notify_at && a->notify_at) {
		loud = true;
		a->notify_at *= 10;
	}
	alert_seen(a, e->time_ns);
	if (f->first_ns && f->first_ns < a->pub.first_ns && x->detection->key != KEY_ACCESS)
		a->pub.first_ns = f->first_ns;
	if (!is_new)
		evidence_add(&a->pub, e);
	pool_touch(&c->alerts, pool_slot(&c->alerts, a), alert_class(a));
	core_due(c, alert_due(a));
	note_on_session(x, a->pub.severity);
	if (x->session && x->session->pub.alert_chain[0] && x->detection->key != KEY_CHAIN &&
	    !a->pub.part_of[0])
		memcpy(a->pub.part_of, x->session->pub.alert_chain, sizeof(a->pub.part_of));
	alert_grew(c, a, loud);
}

static void probe_fill(struct detect_ctx *x, const struct event *e, const struct fire *f,
		       struct alert *probe)
{
	const struct config_detection *d = &x->core->config.detections[x->index];

	fill(x, e, f, probe);
	if (d->has_severity)
		probe->severity = d->severity;
}

/* The open alert about the session itself; no key needed. */
static struct calert *alert_of_session(const struct detect_ctx *x)
{
	uint8_t slot = x->core->alert_slots[x->index];
	struct calert *a;

	if (!x->session || slot == NO_SLOT)
		return NULL;
	a = pool_get(&x->core->alerts, x->session->alerts[slot]);
	return a && a->pub.state != ALERT_CLOSED ? a : NULL;
}

struct calert *alert_find(struct detect_ctx *x, const struct event *e, const struct fire *f)
{
	struct calert *own = alert_of_session(x);
	struct alert probe;

	if (own || (x->session && x->detection->key == KEY_SESSION))
		return own;
	probe_fill(x, e, f, &probe);
	return find_by_key(x->core, alert_key(x->core, &probe), f, false);
}

bool alert_told_before(struct detect_ctx *x, struct handle alert, enum severity severity)
{
	if (severity > SEVERITY_LOW || !handle_gone(&x->core->alerts, alert))
		return false;
	x->core->stats.alerts_refused++;
	return true;
}

struct calert *alert_raise(struct detect_ctx *x, const struct event *e, const struct fire *f,
			   bool *ret_new)
{
	struct core *c = x->core;
	struct fire fire = *f;
	struct alert probe;
	struct calert *a;
	uint64_t key;

	*ret_new = false;
	if (!c->config.detections[x->index].enabled)
		return NULL;
	a = f->open && f->open->pub.state != ALERT_CLOSED ? f->open : alert_of_session(x);
	if (a && !c->config.exceptions_count) {
		if (c->config.detections[x->index].has_severity)
			fire.severity = a->pub.severity;
		alert_grow(x, e, &fire, a, false);
		return a;
	}
	probe_fill(x, e, f, &probe);
	if (is_excepted(c, x->index, &probe)) {
		c->stats.alerts_suppressed++;
		return NULL;
	}
	fire.severity = probe.severity;
	key = alert_key(c, &probe);
	a = find_by_key(c, key, &fire, false);
	*ret_new = !a;
	if (!a)
		a = alert_start(x, e, &fire, &probe, key);
	if (!a) {
		*ret_new = false;
		return NULL;
	}
	alert_grow(x, e, &fire, a, *ret_new);
	return a;
}
