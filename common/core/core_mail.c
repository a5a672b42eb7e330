/*
 * mail: logins to a mailbox, and to a portal like RD Web Access, as text alone tells them; and such
 * logins to file servers, desktops and telnet as no kernel record is there of (core.c, is_loose).
 *
 * A mail client logs in many times an hour over several connections, and not every end of one is
 * told. So there is one session per host, account and origin; it ends an hour after its last
 * login (of a desktop a day), or when its end is told. Many people's mail must not keep a shell's
 * session out, so it is the first to be forgotten when the table is full. The kernel has no record
 * of these logins to hold the words against: they are believed as far as the text is.
 *
 * Cannot see: what was read; how long a connection really was there.
 *
 * Example: a telephone that looks every 15 minutes is one session all day.
 */
#include "core_internal.h"

#include "core_detect.h"

#define MAIL_IDLE_NS (3600 * SECOND_NS)
#define MAIL_ID	     (1ull << 62) /* no socket cookie gets there, and it is no hand-off's */

static uint64_t mail_id(const struct core *c, const struct event *e)
{
	uint64_t h = hash_u64(hash_text(c->seed, e->account), conn_host(c, e));

	h = hash_addr(h, &e->origin.addr);
	if (e->service != SERVICE_MAIL)
		h = hash_u64(h, e->service);
	if (e->outcome != OUTCOME_SUCCESS && e->service == SERVICE_MAIL) /* each connection's own */
		h = hash_u64(hash_text(h, e->tty), span_empty(e->tty) ? e->line : 0);
	else if (e->outcome != OUTCOME_SUCCESS) /* the audit system may tell them, too */
		h = hash_u64(h, OUTCOME_FAILURE);
	return (h >> 2) | MAIL_ID;
}

/* Of an account from there, told by one or by several logs. */
static void level(struct core *c, const struct event *e)
{
	struct conn *n = e->outcome == OUTCOME_FAILURE ? conn_find(c, e) : NULL;

	if (n && e->service != SERVICE_MAIL)
		attempts_level(n, e->time_ns);
}

static void ended(struct core *c, const struct event *e)
{
	struct event told = *e;
	struct csession *s;

	told.outcome = OUTCOME_SUCCESS;
	told.conn = mail_id(c, &told);
	told.proc = (struct proc_id){0};
	s = session_of(c, &told);
	if (s && s->pub.state != SESSION_CLOSED && s->pub.service == e->service)
		logon_session_end(c, s, e->time_ns);
}

void mail_told(struct core *c, const struct event *e)
{
	struct event told = *e;
	struct csession *s;

	if (e->kind == EVENT_SESSION_CLOSE) {
		ended(c, e);
		return;
	}
	told.conn = mail_id(c, e);
	told.origin.port = 0;
	level(c, &told);
	attempt_told(c, &told);
	s = session_of(c, &told);
	if (e->outcome != OUTCOME_SUCCESS || !s || s->pub.service != e->service)
		return;
	if (s->pub.state != SESSION_CLOSED) {
		if (e->time_ns > s->pub.last_ns)
			s->pub.last_ns = e->time_ns;
	} else {
		struct conn *n = conn_find(c, &told);

		n->closed = false;
		s = session_open(c, n, &told);
	}
	if (!s)
		return;
	s->confirm_ns = s->pub.last_ns + (e->service == SERVICE_RDP ? DAY_NS : MAIL_IDLE_NS);
	pool_touch(&c->sessions, pool_slot(&c->sessions, s), POOL_WORTH);
	core_due(c, s->confirm_ns);
}
