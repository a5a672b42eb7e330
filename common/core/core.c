/*
 * core: events in, alerts and session changes out. See core.h for the contract.
 *
 *   event -> model (attempts, sessions, processes) -> detections -> life of alerts -> out
 *
 * A raw verdict is not what detections look at: log lines and PAM calls first become one attempt
 * or one session, and detections see that (core_attempts.c, core_pam.c, core_sessions.c).
 */
#include "core_internal.h"
#include "core_text.h"

#include <stdlib.h>

#include "core_detect.h"

/* Straight to the detections. */
static void pass(struct core *c, const struct event *e)
{
	core_detect(c, e, NULL, NULL);
}

/* Whose doing it was, where the event names a connection; its process is none's to be found by. */
static void sensor_told(struct core *c, const struct event *e)
{
	struct event of = *e;

	of.proc = (struct proc_id){0};
	core_detect(c, e, NULL, of.conn || of.origin.port ? session_of(c, &of) : NULL);
}

/* In a recording nobody has looked up who that user is. */
static void server_shell_told(struct core *c, const struct event *e)
{
	struct event told = *e;
	char account[ACCOUNT_MAX];
	struct text t = TEXT_IN(account);

	if (span_empty(e->account)) {
		text_add(&t, "uid:%u", e->uid);
		told.account = span_of(account);
	}
	core_detect(c, &told, NULL, NULL);
}

/* By a process of a session; what others change is their own affair. */
static void file_changed(struct core *c, const struct event *e)
{
	struct conn *n = e->conn ? conn_find(c, e) : NULL;
	struct csession *s = conn_session(c, n);

	if (!s)
		return;
	s->pub.last_ns = e->time_ns;
	session_changed(c, s);
	handoff_file(c, s, e);
	core_detect(c, e, n, s);
}

static void (*const handlers[EVENT_COUNT])(struct core *c, const struct event *e) = {
	[EVENT_CONNECTION] = conn_opened,
	[EVENT_CONNECTION_CLOSE] = conn_closed,
	[EVENT_BYTES] = proc_bytes,
	[EVENT_ATTEMPT] = attempt_told,
	[EVENT_AUTH_NOTE] = attempt_noted,
	[EVENT_PAM] = pam_called,
	[EVENT_SESSION_OPEN] = session_told,
	[EVENT_SESSION_CLOSE] = session_close_told,
	[EVENT_FORK] = proc_forked,
	[EVENT_EXEC] = proc_execed,
	[EVENT_EXIT] = proc_exited,
	[EVENT_CONNECT] = proc_connected,
	[EVENT_CONNECT_CLOSE] = proc_connect_closed,
	[EVENT_SNAPSHOT] = session_snapshot,
	[EVENT_LISTEN] = proc_listened,
	[EVENT_LOOPBACK] = tunnel_told,
	[EVENT_API] = api_told,
	[EVENT_CONTAINER] = container_told,
	[EVENT_CLIENT] = client_told,
	[EVENT_PROXY_HEADER] = proxy_told,
	[EVENT_SERVER_SHELL] = server_shell_told,
	[EVENT_LOSS] = pass,
	[EVENT_SENSOR] = sensor_told,
	[EVENT_FILE] = file_changed,
	[EVENT_HANDOFF] = handoff_told,
	[EVENT_MFA] = mfa_told,
	[EVENT_AGENT] = agent_told,
	[EVENT_ANSWER] = answer_told,
	[EVENT_EXPOSURE] = exposure_told,
	[EVENT_OUTWARD] = outward_told,
	[EVENT_LEASE] = device_leased,
	[EVENT_CLOUD_ADDRESS] = pass,
};

/* Who failed before; looked up for the kinds that ask, since most events are not about that. */
static struct source *source_of(struct core *c, const struct event *e, const struct conn *n,
				const struct csession *s)
{
	const struct addr *from = s   ? &s->pub.origin.addr
				  : n ? &conn_origin(c, n)->addr
				      : &e->origin.addr;
	uint64_t asking = EVENT_BIT(ATTEMPT) | EVENT_BIT(SESSION_OPEN) | EVENT_BIT(CONNECT);

	if (e->kind == EVENT_ATTEMPT && c->credited)
		return c->credited;
	return from->family && asking >> e->kind & 1 ? source_find(c, from) : NULL;
}

void core_detect_one(struct core *c, unsigned index, const struct event *e, struct conn *n,
		     struct csession *s, const char *reason)
{
	struct detect_ctx x = {
		.core = c,
		.detection = detections[index],
		.index = index,
		.conn = n,
		.session = s,
		.source = source_of(c, e, n, s),
		.reason = reason,
	};

	detections[index]->step(&x, e);
}

void core_detect(struct core *c, const struct event *e, struct conn *n, struct csession *s)
{
	struct detect_ctx x = {.core = c, .conn = n, .session = s, .source = source_of(c, e, n, s)};

	for (uint64_t left = c->by_kind[e->kind]; left; left &= left - 1) {
		x.index = (unsigned)__builtin_ctzll(left);
		x.detection = detections[x.index];
		x.detection->step(&x, e);
	}
}

_Static_assert(DETECTION_COUNT <= 64, "by_kind is a mask of 64 bits");

static void registry_init(struct core *c)
{
	uint64_t host = hash_text(0, span_of(c->id.host_id));
	uint8_t slots = 0;

	for (unsigned i = 0; i < DETECTION_COUNT; i++) {
		c->key_base[i] = hash_text(host, span_of(detections[i]->id));
		c->alert_slots[i] = NO_SLOT;
		if (detections[i]->key == KEY_SESSION && slots < SESSION_ALERTS)
			c->alert_slots[i] = slots++;
		for (unsigned k = 0; k < EVENT_COUNT && !detections[i]->asked; k++)
			c->by_kind[k] |= (detections[i]->events >> k & 1) << i;
	}
}

/* Of what a broker started: whose is it? */
static void handed_off(struct core *c, const struct event *e)
{
	char via[HANDOFF_VIA];
	struct event of = *e;

	/* What became of the agent is told, whoever did it. */
	if ((handoff_resolve(c, &of, via) || e->kind == EVENT_SENSOR) && handlers[e->kind])
		handlers[e->kind](c, &of);
}

/*
 * Logins of which text alone tells, without a port: the next ones of that account from there are
 * the same session. With the kernel's records those of services with connections of their own go
 * by these.
 */
static bool is_loose(const struct core *c, const struct event *e)
{
	if (e->trust == TRUST_KERNEL ||
	    !(e->kind == EVENT_ATTEMPT || e->kind == EVENT_SESSION_CLOSE))
		return false;
	if (e->service == SERVICE_MAIL || e->service == SERVICE_WEB_REMOTE)
		return e->kind == EVENT_ATTEMPT;
	return !core_needs_kernel(c, e) && !e->origin.port && e->origin.addr.family &&
	       (e->service == SERVICE_FTP || e->service == SERVICE_TELNET ||
		e->service == SERVICE_RDP || e->service == SERVICE_VNC);
}

/*
 * Where the kernel's records are, they are better than what is inferred from packets: of other
 * hosts, whose sensor sends it here, there are none. Whom a firewall did not let in, nobody else
 * saw.
 */
static bool is_outdone(const struct core *c, const struct event *e)
{
	return e->witness == WITNESS_NETWORK &&
	       (e->outcome == OUTCOME_REFUSED || core_needs_kernel(c, e) ||
		(c->id.kernel_sensor && conn_is_ours(c, e)));
}

static void count_outdone(struct core *c, const struct event *e)
{
	if (e->outcome == OUTCOME_REFUSED)
		c->stats.attempts_refused += e->count;
	else if (e->kind == EVENT_ATTEMPT)
		c->stats.attempts_merged += e->count;
}

void core_step(struct core *c, const struct event *e, struct core_out *ret_out)
{
	ret_out->count = 0;
	c->stats.events++;
	core_clock(c, e);
	core_expire(c);
	if (e->trust == TRUST_FORGED) {
		c->stats.forged_lines++;
		core_detect_one(c, DETECTION_sensor_mismatch, e, NULL, NULL, "forged-writer");
	} else if (is_outdone(c, e)) {
		count_outdone(c, e);
	} else if (e->gate.told) {
		gateway_text(c, e);
	} else if (e->win.id) {
		windows_told(c, e);
	} else if (is_loose(c, e)) {
		mail_told(c, e);
	} else if (e->handoff) {
		handed_off(c, e);
	} else if (e->kind < EVENT_COUNT && handlers[e->kind]) {
		handlers[e->kind](c, e);
	}
	alerts_flush(c, ret_out);
}

struct table_row {
	size_t pool, index, item_size;
};

#define ROW(pool_name, index_name, type)                                                           \
	{                                                                                          \
		offsetof(struct core, pool_name), offsetof(struct core, index_name),               \
			sizeof(struct type)                                                        \
	}

static const struct table_row tables[] = {
	ROW(conns, conns_by_cookie, conn),
	ROW(sessions, conns_by_peer, csession),
	ROW(sources, sources_by, source),
	ROW(nets, nets_by, net),
	ROW(sprays, sprays_by, spray),
	ROW(accounts, accounts_by, account),
	ROW(seen, seen_by, seen),
	ROW(links, links_by, link),
	ROW(alerts, alerts_by_key, calert),
	ROW(profiles, profiles_by, profile),
	ROW(asns, asns_by, asn),
	ROW(slows, slows_by, slow),
	ROW(spreads, spreads_by, spread),
	ROW(last_places, last_places_by, last_place),
	ROW(mfas, mfas_by, mfa),
};
#define TABLES (sizeof(tables) / sizeof(tables[0]))

/* Items by table; an aggregate or a list of accounts is needed by few of the sources. */
static void limits_of(const struct config_limits *l, uint32_t items[TABLES], uint32_t keys[TABLES])
{
	uint32_t all = l->conns + l->sessions, few = l->sources / 64 < 64 ? 64 : l->sources / 64;
	const uint32_t wanted[TABLES] = {
		all,	     l->sessions,     l->sources, few,	       few,	 l->accounts,
		SEEN_MAX,    LINKS_MAX,	      l->alerts,  l->profiles, ASNS_MAX, few,
		SPREADS_MAX, LAST_PLACES_MAX, MFAS_MAX,
	};

	memcpy(items, wanted, sizeof(wanted));
	memcpy(keys, wanted, sizeof(wanted));
	keys[1] = all; /* sessions are found by their connection */
}

static int tables_init(struct core *c)
{
	const struct config_limits *l = &c->config.limits;
	uint32_t items[TABLES], keys[TABLES];

	limits_of(l, items, keys);
	for (size_t i = 0; i < TABLES; i++) {
		struct pool *p = (struct pool *)(void *)((char *)c + tables[i].pool);
		struct index *x = (struct index *)(void *)((char *)c + tables[i].index);

		if (pool_init(p, tables[i].item_size, items[i]) || index_init(x, keys[i]))
			return -1;
	}
	if (index_init(&c->conns_by_pid, keys[0]))
		return -1;
	c->walks = calloc(WALKS, sizeof(*c->walks));
	c->known = calloc(1, sizeof(*c->known));
	c->rings = calloc(RINGS_MAX, sizeof(*c->rings));
	c->ages_cap = l->conns;
	c->ages = calloc(c->ages_cap, sizeof(*c->ages));
	c->ages_due = calloc(c->ages_cap, sizeof(*c->ages_due));
	c->changed_alerts = calloc(l->alerts, sizeof(*c->changed_alerts));
	c->changed_sessions = calloc(l->sessions, sizeof(*c->changed_sessions));
	return c->walks && c->known && c->rings && c->ages && c->ages_due && c->changed_alerts &&
			       c->changed_sessions
		       ? 0
		       : -1;
}

size_t core_memory(const struct core *c)
{
	const struct config_limits *l = &c->config.limits;
	uint32_t items[TABLES], keys[TABLES];
	size_t sum = sizeof(*c);

	limits_of(l, items, keys);
	for (size_t i = 0; i < TABLES; i++) {
		sum += pool_memory(
			(const struct pool *)(const void *)((const char *)c + tables[i].pool));
		sum += index_memory(
			(const struct index *)(const void *)((const char *)c + tables[i].index),
			keys[i]);
	}
	sum += index_memory(&c->conns_by_pid, keys[0]);
	sum += RINGS_MAX * sizeof(*c->rings);
	sum += l->conns * (sizeof(*c->ages) + sizeof(*c->ages_due));
	sum += sizeof(*c->known);
	return sum + (l->alerts + l->sessions) * sizeof(uint32_t);
}

struct core *core_new(const struct config *config, const struct core_identity *id)
{
	struct core *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->config = *config;
	c->id = *id;
	c->seed = hash_u64(id->hash_seed, 0x6f75746572676174);
	c->deadline_ns = UINT64_MAX;
	registry_init(c);
	for (unsigned i = 0; i < CLAIMS_MAX; i++)
		c->claims[i].conn = HANDLE_NONE;
	for (unsigned i = 0; i < CALLERS_MAX; i++)
		c->callers[i] = HANDLE_NONE;
	for (unsigned i = 0; i < HELD_MAX; i++)
		c->held[i].conn = HANDLE_NONE;
	for (unsigned i = 0; i < UNSETTLED_MAX; i++)
		c->unsettled[i].session = HANDLE_NONE;
	if (tables_init(c)) {
		core_free(c);
		return NULL;
	}
	return c;
}

void core_free(struct core *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < TABLES; i++) {
		pool_free((struct pool *)(void *)((char *)c + tables[i].pool));
		index_free((struct index *)(void *)((char *)c + tables[i].index));
	}
	index_free(&c->conns_by_pid);
	free(c->walks);
	free(c->known);
	free(c->rings);
	free(c->ages);
	free(c->ages_due);
	free(c->changed_alerts);
	free(c->changed_sessions);
	free(c);
}

/* Table sizes stay as they were at the start. */
void core_set_config(struct core *c, const struct config *config)
{
	struct config_limits limits = c->config.limits;

	c->config = *config;
	c->config.limits = limits;
	memset(c->excepted, 0, sizeof(c->excepted));
}

struct stats *core_stats(struct core *c)
{
	return &c->stats;
}

uint64_t core_next_tick(const struct core *c)
{
	if (c->changed_alerts_used || c->changed_sessions_used)
		return c->now_ns; /* what did not fit into the last output */
	return c->deadline_ns;
}
