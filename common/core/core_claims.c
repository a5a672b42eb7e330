/*
 * claims: log lines that say "Accepted" before the kernel said anything. The journal and the
 * kernel's ring are two roads; a line may be the faster one. It waits a few seconds; if the kernel
 * never saw such a connection, or saw it fail, the line lied: sensor.mismatch, and nobody's
 * session opens. A line from before the sensor ran opens nothing either, but names the session
 * that the snapshot finds.
 */
#include "core_internal.h"

/* Copies a span into the claim's own memory. */
static void keep(struct span *s, char *buf, size_t cap)
{
	span_copy(buf, cap, *s);
	*s = span_of(buf);
}

static struct claim *claim_slot(struct core *c)
{
	struct claim *oldest = &c->claims[0];

	for (unsigned i = 0; i < CLAIMS_MAX; i++) {
		if (c->claims[i].conn.slot == NIL)
			return &c->claims[i];
		if (c->claims[i].due_ns < oldest->due_ns)
			oldest = &c->claims[i];
	}
	return oldest;
}

static void claim_fail(struct core *c, struct claim *k)
{
	struct conn *n = pool_get(&c->conns, k->conn);
	struct csession *s = conn_session(c, n);

	k->conn.slot = NIL;
	if (s)
		session_details(c, s, &k->e);
	else if (k->e.time_ns >= c->sensor_since_ns) /* before that nobody looked */
		core_detect_one(c, DETECTION_sensor_mismatch, &k->e, n, NULL,
				n && n->kernel ? "result-differs" : "unknown-connection");
}

/* A line may be a little ahead of the clock; before the clock runs the wait has not begun: 0. */
static uint64_t claim_due(const struct core *c, const struct event *e)
{
	bool ahead = e->time_ns > c->now_ns && e->time_ns < c->now_ns + CLAIM_GRACE_NS;

	return c->now_ns ? (ahead ? e->time_ns : c->now_ns) + CLAIM_GRACE_NS : 0;
}

void claim_hold(struct core *c, struct conn *n, const struct event *e)
{
	struct claim *k = claim_slot(c);

	if (k->conn.slot != NIL)
		claim_fail(c, k);
	k->conn = pool_handle(&c->conns, pool_slot(&c->conns, n));
	k->due_ns = claim_due(c, e);
	k->e = *e;
	keep(&k->e.account, k->account, sizeof(k->account));
	key_store(k->key, e->key);
	k->e.key = span_of(k->key);
	keep(&k->e.client, k->client, sizeof(k->client));
	keep(&k->e.text, k->text, sizeof(k->text));
	keep(&k->e.program, k->program, sizeof(k->program));
	k->e.host = k->e.args = k->e.pam_service = k->e.tty = (struct span){0};
	n->claimed = true;
	core_due(c, k->due_ns);
}

/* The kernel has spoken of that connection. */
void claims_settle(struct core *c, struct conn *n)
{
	struct handle h = pool_handle(&c->conns, pool_slot(&c->conns, n));

	if (!n->claimed)
		return;
	n->claimed = false;
	for (unsigned i = 0; i < CLAIMS_MAX; i++) {
		struct claim *k = &c->claims[i];
		struct claim copy;

		if (k->conn.slot != h.slot || k->conn.generation != h.generation)
			continue;
		copy = *k;
		copy.e.account = span_of(copy.account);
		copy.e.key = span_of(copy.key);
		copy.e.client = span_of(copy.client);
		copy.e.text = span_of(copy.text);
		copy.e.program = span_of(copy.program);
		k->conn.slot = NIL;
		attempt_accepted(c, n, &copy.e);
	}
}

void claims_expire(struct core *c)
{
	for (unsigned i = 0; i < CLAIMS_MAX; i++) {
		struct claim *k = &c->claims[i];

		if (k->conn.slot == NIL)
			continue;
		if (!k->due_ns)
			k->due_ns = c->now_ns + CLAIM_GRACE_NS;
		if (k->due_ns <= c->now_ns)
			claim_fail(c, k);
		else
			core_due(c, k->due_ns);
	}
}
