/*
 * takeover: a desktop of Windows that comes to somebody else's client. Whoever runs tscon with the
 * rights of the system moves any session to his own client without its password: his own session
 * leaves that client (4779), another account's arrives there (4778), and nobody logged on.
 *
 * An arrival waits ARRIVAL_NS, since the logs of one moment are that far apart: without network
 * level authentication the logon (type 7) comes up to 3 s after 4778. Then it is a takeover when
 * another account left the same client name and address within the detection's Window, and the
 * arriving account did not log on from there within its LogonWindow.
 *
 * Cannot see: a takeover to a console; one whose 4779 went to a log that is not here. More logons
 * in the minute than there is room for could hide the one that explains an arrival.
 *
 * Example: 4779 of alice on WS7 at 203.0.113.9, 4778 of bob there 1 s later, no 4624 of bob.
 */
#include "core_detect.h"

#define ARRIVAL_NS (10 * SECOND_NS)

static uint64_t client_hash(const struct core *c, const struct event *e)
{
	return windows_who(c, e->client); /* names of computers have no case either */
}

static bool is_same_client(const struct rdp_moment *a, const struct rdp_moment *b)
{
	return a->time_ns && a->host == b->host && addr_eq(&a->addr, &b->addr);
}

static uint64_t apart(uint64_t a, uint64_t b)
{
	return a < b ? b - a : a - b;
}

static struct rdp_moment moment_of(const struct core *c, const struct event *e)
{
	return (struct rdp_moment){.time_ns = e->time_ns,
				   .who = windows_who(c, e->account),
				   .client = client_hash(c, e),
				   .host = conn_host(c, e),
				   .addr = e->origin.addr};
}

void takeover_logged_on(struct core *c, const struct event *e)
{
	struct takeovers *t = &c->windows.takeovers;

	if (!e->origin.addr.family || span_empty(e->account) ||
	    e->account.ptr[e->account.len - 1] == '$')
		return; /* a computer's: a domain controller has hundreds a minute */
	t->logons[t->logons_next++ % TAKEOVER_LOGONS] = moment_of(c, e);
}

void takeover_left(struct core *c, const struct event *e)
{
	struct takeovers *t = &c->windows.takeovers;
	struct rdp_leave *l;

	if (!e->origin.addr.family || span_empty(e->account))
		return;
	l = &t->leaves[t->leaves_next++ % TAKEOVER_LEAVES];
	l->at = moment_of(c, e);
	span_copy(l->account, sizeof(l->account), e->account);
}

static bool has_logged_on(const struct core *c, const struct rdp_moment *m)
{
	uint64_t before = c->config.detections[DETECTION_session_hijacked].params[1] * SECOND_NS;

	for (unsigned i = 0; i < TAKEOVER_LOGONS; i++) {
		const struct rdp_moment *l = &c->windows.takeovers.logons[i];

		if (is_same_client(l, m) && l->who == m->who &&
		    apart(l->time_ns, m->time_ns) <=
			    (l->time_ns < m->time_ns ? before : ARRIVAL_NS))
			return true;
	}
	return false;
}

static const struct rdp_leave *who_left(const struct core *c, const struct rdp_moment *m)
{
	uint64_t window = c->config.detections[DETECTION_session_hijacked].params[0] * SECOND_NS;

	for (unsigned i = 0; i < TAKEOVER_LEAVES; i++) {
		const struct rdp_leave *l = &c->windows.takeovers.leaves[i];

		if (is_same_client(&l->at, m) && l->at.client == m->client && l->at.who != m->who &&
		    apart(l->at.time_ns, m->time_ns) <= window)
			return l;
	}
	return NULL;
}

static void judge(struct core *c, struct rdp_arrival *a)
{
	struct csession *s = pool_get(&c->sessions, a->session);
	const struct rdp_leave *left = who_left(c, &a->at);
	struct event e = {.kind = EVENT_SESSION_OPEN,
			  .outcome = OUTCOME_SUCCESS,
			  .service = SERVICE_RDP,
			  .trust = TRUST_TEXT,
			  .time_ns = a->at.time_ns,
			  .line = a->line,
			  .count = 1,
			  .origin = {.addr = a->at.addr},
			  .account = span_of(a->account),
			  .client = span_of(a->client)};

	a->due_ns = 0;
	if (!left || has_logged_on(c, &a->at))
		return;
	e.user = span_of(left->account);
	core_detect_one(c, DETECTION_session_hijacked, &e, s ? pool_get(&c->conns, s->conn) : NULL,
			s, "takeover");
}

void takeover_arrived(struct core *c, const struct event *e, const struct csession *s)
{
	struct takeovers *t = &c->windows.takeovers;
	struct rdp_arrival *a = &t->arrivals[t->arrivals_next++ % TAKEOVER_ARRIVALS];

	if (!e->origin.addr.family || span_empty(e->account))
		return;
	if (a->due_ns)
		judge(c, a); /* full: with what is known by now */
	*a = (struct rdp_arrival){
		.at = moment_of(c, e),
		.due_ns = e->time_ns + ARRIVAL_NS,
		.line = e->line,
		.session = s ? pool_handle(&c->sessions, pool_slot(&c->sessions, s)) : HANDLE_NONE};
	span_copy(a->account, sizeof(a->account), e->account);
	span_copy(a->client, sizeof(a->client), e->client);
	core_due(c, a->due_ns);
}

void takeovers_expire(struct core *c)
{
	for (unsigned i = 0; i < TAKEOVER_ARRIVALS; i++) {
		struct rdp_arrival *a = &c->windows.takeovers.arrivals[i];

		if (!a->due_ns)
			continue;
		if (a->due_ns <= c->now_ns)
			judge(c, a);
		else
			core_due(c, a->due_ns);
	}
}
