/*
 * api: requests to container and cluster APIs. Who asks for something from one address is one
 * session of that service, however many connections it takes; it ends when nothing was asked for
 * API_IDLE_NS and nothing lives that it had started.
 *
 * What a request has the engine start joins the session by the container's id, which the engine's
 * answer names and the container's cgroup carries; a program in a container that was there before
 * by its words. Never by time alone: what somebody at this host starts in that second is theirs.
 *
 * Cannot see: inside TLS (the connection alone, and what the client is); a request whose answer
 * names no id in its first bytes.
 *
 * Example: POST /containers/create from 203.0.113.10, 201 {"Id":"4f5e..."}; then a shell in cgroup
 * /docker/4f5e...
 */
#include "core_internal.h"

#include "core_detect.h"

#define API_IDLE_NS    (900 * SECOND_NS)
#define API_AUDITED_NS (3600 * SECOND_NS) /* a cluster asks itself all the time */
#define API_ID	       (1ull << 61) /* no socket cookie gets there; nor mail's, which is above */

static uint64_t api_id(const struct core *c, const struct event *e)
{
	/* A log names no port; not always is the connection of its line still known. */
	uint16_t port = e->trust == TRUST_KERNEL ? e->local.port : 0;
	uint64_t h = hash_u64(hash_u64(c->seed, e->service), port);

	h = hash_text(hash_addr(hash_u64(h, conn_host(c, e)), &e->origin.addr), e->account);
	return (h >> 3) | API_ID;
}

bool api_is_audited(const struct core *c, enum service s)
{
	return s == SERVICE_KUBE_API && c->engines.kube_audited_ns &&
	       c->now_ns < c->engines.kube_audited_ns + API_AUDITED_NS;
}

bool is_container_api(enum service s)
{
	return s == SERVICE_DOCKER || s == SERVICE_KUBELET || s == SERVICE_KUBE_API ||
	       s == SERVICE_KUBE_DASHBOARD;
}

struct span api_target(const struct event *e)
{
	const char *query = e->path.len ? memchr(e->path.ptr, '?', e->path.len) : NULL;

	return query ? span_first(e->path, (size_t)(query - e->path.ptr)) : e->path;
}

bool api_allowed(const struct core *c, const struct event *e)
{
	const struct scope_rules *rules = &c->config.scope;
	const struct addr *origin = &e->origin.addr;

	/* This host, by its own outer address: the API server asks the kubelet. */
	if (origin->family && addr_eq(origin, &e->local.addr))
		return true;
	if (!scope_counts_as_external(scope_of(origin, rules), rules))
		return true;
	for (unsigned i = 0; i < c->config.allowed_count; i++)
		if (cidr_has(&c->config.allowed[i], origin))
			return true;
	return false;
}

/* The session of that origin; opened by the first request that was answered with more than no. */
static struct csession *session_get(struct core *c, const struct event *e, struct conn **ret_conn)
{
	struct event told = *e;
	struct csession *s;
	struct conn *n;

	if (e->trust != TRUST_KERNEL && e->opened_ns) /* a log tells when a request has ended */
		told.time_ns = e->opened_ns;
	told.conn = api_id(c, e);
	told.origin.port = 0;
	told.method = e->api.anonymous || e->service == SERVICE_DOCKER ? METHOD_NO_AUTH : e->method;
	told.outcome = OUTCOME_SUCCESS;
	if (span_empty(told.account)) /* what the engine runs as, it gives to whoever asks */
		told.account = SPAN_LIT("root");
	n = conn_join(c, &told);
	*ret_conn = n;
	s = conn_session(c, n);
	if (s && s->pub.state != SESSION_CLOSED) {
		if (e->time_ns > s->pub.last_ns)
			s->pub.last_ns = e->time_ns;
	} else if (n) {
		if (e->dest.addr.family) { /* the trusted proxy it came by */
			client_note_via(c, n->cookie, &e->dest);
			n->relayed = ORIGIN_TRUSTED_PROXY;
		}
		n->closed = false;
		s = session_open(c, n, &told);
	}
	if (!s)
		return NULL;
	s->pub.method_inferred = false;
	c->engines.asked = true;
	s->confirm_ns = s->pub.last_ns + API_IDLE_NS;
	pool_touch(&c->sessions, pool_slot(&c->sessions, s), POOL_PINNED);
	core_due(c, s->confirm_ns);
	session_changed(c, s);
	return s;
}

void api_told(struct core *c, const struct event *e)
{
	struct event told = *e;
	struct csession *s = NULL;
	struct conn *n = NULL;
	struct conn *own = e->conn || e->origin.port ? conn_find(c, e) : NULL;

	if (e->service == SERVICE_KUBE_API && e->trust == TRUST_TEXT)
		c->engines.kube_audited_ns = c->now_ns;
	/* Who asked: the connection's origin, else what the log says; behind a proxy whom that
	 * names. */
	if (own) {
		conn_evidence(c, own);
		if (own->origin.addr.family)
			told.origin = *conn_origin(c, own);
		if (!told.local.addr.family)
			told.local = own->local;
	}
	proxy_forwarded(c, &told);
	if (told.outcome == OUTCOME_REFUSED && !api_allowed(c, &told))
		c->stats.apis_refused += told.count;
	if (!is_container_api(e->service) || !told.origin.addr.family) {
		core_detect(c, &told, NULL, NULL);
		return;
	}
	/* What every cluster shows to anybody is no visit; an engine shows nothing to anybody. */
	if (e->outcome == OUTCOME_SUCCESS && !api_allowed(c, &told) &&
	    (e->api.action != API_HARMLESS || e->service == SERVICE_DOCKER))
		s = session_get(c, &told, &n);
	if (s && (e->api.action == API_CREATE || e->api.action == API_START ||
		  e->api.action == API_EXEC))
		handoff_api(c, s, &told);
	core_detect(c, &told, n, s);
}

bool core_engine_asked(struct core *c)
{
	bool asked = c->engines.asked;

	c->engines.asked = false;
	return asked;
}
