/*
 * clients: what a client is by the first bytes it sends, and whom a proxy says that it speaks for.
 * Both come before anybody has logged in, so they wait in a table by the connection's cookie; a
 * flood of connections overwrites it, and a detail is lost, never a session.
 *
 * A PROXY header is believed from TrustedProxies alone; the claim of anybody else is kept as one
 * and shown, and changes nothing.
 *
 * Example: 10.0.0.5:51000 to port 22, "PROXY TCP4 203.0.113.9 192.0.2.1 4711 22": the origin is
 * 203.0.113.9:4711, by way of 10.0.0.5.
 */
#include "core_internal.h"

#include "core_detect.h"

#define ENGINE_MET_NS (10 * SECOND_NS) /* what is armed stays so for longer */

static struct client_note *note_of(struct core *c, uint64_t cookie)
{
	struct client_note *t = &c->clients[cookie % CLIENT_NOTES];

	return cookie && t->cookie == cookie ? t : NULL;
}

static struct client_note *note_get(struct core *c, uint64_t cookie)
{
	struct client_note *t = &c->clients[cookie % CLIENT_NOTES];

	if (t->cookie != cookie)
		*t = (struct client_note){.cookie = cookie};
	return t;
}

void client_note_via(struct core *c, uint64_t cookie, const struct endpoint *via)
{
	note_get(c, cookie)->via = *via;
}

void client_take(struct core *c, const struct conn *n, struct csession *s)
{
	const struct client_note *t = note_of(c, n->cookie);

	if (!t)
		return;
	if (!s->pub.client[0])
		memcpy(s->pub.client, t->client, sizeof(t->client));
	memcpy(s->pub.fingerprint, t->fingerprint, sizeof(t->fingerprint));
	if (!s->pub.by_vpn)
		s->pub.via = t->via;
	s->pub.claimed = t->claimed;
}

/* What it asks for inside a log may tell, later than what comes of it begins. */
static void engine_met(struct core *c, const struct event *e)
{
	if (!is_container_api(e->service) || c->now_ns < c->engines.met_ns + ENGINE_MET_NS ||
	    api_allowed(c, e))
		return;
	c->engines.met_ns = c->now_ns;
	c->engines.asked = true;
}

void client_told(struct core *c, const struct event *e)
{
	struct conn *n = e->conn ? conn_find(c, e) : NULL;
	struct csession *s = conn_session(c, n);
	struct client_note *t;

	if (!e->conn)
		return;
	t = note_get(c, e->conn);
	span_copy(t->client, sizeof(t->client), e->client);
	span_copy(t->fingerprint, sizeof(t->fingerprint), e->fingerprint);
	if (s) {
		client_take(c, n, s);
		session_changed(c, s);
	}
	engine_met(c, e);
	core_detect(c, e, n, s);
}

bool proxy_is_trusted(const struct core *c, const struct addr *peer, uint16_t port,
		      enum proxy_kind kind)
{
	for (unsigned i = 0; i < c->config.proxies_count; i++) {
		const struct trusted_proxy *p = &c->config.proxies[i];

		if (p->kind == (uint32_t)kind && (!p->port || p->port == port) &&
		    cidr_has(&p->from, peer))
			return true;
	}
	return false;
}

/* Before anybody logs in: later it would rewrite what has been told. */
void proxy_told(struct core *c, const struct event *e)
{
	struct conn *n = e->conn ? conn_join(c, e) : NULL;
	struct client_note *t;

	if (!n || conn_session(c, n))
		return;
	t = note_get(c, e->conn);
	if (t->via.addr.family)
		return; /* one header a connection */
	if (!proxy_is_trusted(c, &n->origin.addr, n->local.port, PROXY_KIND_HEADER)) {
		t->claimed = e->dest;
		return;
	}
	t->via = n->origin;
	conn_move(c, n, &e->dest);
}

/* What the server speaks is the connection's service, whatever its port is for. */
void answer_told(struct core *c, const struct event *e)
{
	struct conn *n = e->conn ? conn_join(c, e) : NULL;

	if (!n)
		return;
	n->service = (uint8_t)e->service;
	core_detect(c, e, n, conn_session(c, n));
}

/* Takes the rightmost address off the list. False: what stands there is none. */
static bool via_cut(struct span *via, struct addr *ret)
{
	size_t n = via->len;
	struct span last;

	while (n && via->ptr[n - 1] != ',')
		n--;
	last = span_skip(*via, n);
	*via = span_first(*via, n ? n - 1 : 0);
	while (last.len && last.ptr[0] == ' ')
		last = span_skip(last, 1);
	while (last.len && last.ptr[last.len - 1] == ' ')
		last.len--;
	return last.len && addr_parse(last, ret, NULL) && ret->family != ADDR_NONE;
}

/* What a log does not tell is the port of the API itself. */
#define KUBE_API_PORT 6443

void proxy_forwarded(const struct core *c, struct event *e)
{
	uint16_t port = e->local.port ? e->local.port : KUBE_API_PORT;
	struct span via = e->via;
	struct addr a;

	while (proxy_is_trusted(c, &e->origin.addr, port, PROXY_KIND_XFF) && via_cut(&via, &a)) {
		e->dest = e->origin;
		e->origin = (struct endpoint){.addr = a};
	}
}
