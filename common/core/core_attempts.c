/*
 * attempts: what is one authentication verdict (SPEC 4.1).
 *
 * One try is told by several witnesses: the daemon, pam_unix, the kernel's PAM calls, audit. Each
 * connection keeps a count per witness; it has had as many failures as the witness that saw the
 * most, so each try counts once whoever speaks first, late, twice ("message repeated 2 times") or
 * never. A key that was refused is no failure; a close before any verdict counts one at most.
 *
 * A verdict is credited to its source once the connection is confirmed (conn_confirmed), has an
 * origin, and it is settled whether the account exists: a log line says so at once, the kernel
 * does not know, so its verdicts wait a moment for the log.
 *
 * Example: three wrong passwords on one connection: the kernel tells 3, sshd 3, pam_unix 1 and at
 * the end 2 more: three failures.
 */
#include "core_internal.h"

#define LAG_MAX	  16384
#define COUNT_MAX 32768	  /* at once */
#define CROWD_MAX 1000000 /* of one event; "message repeated" has its own bound */

static unsigned total(const struct conn *n)
{
	unsigned most = 0;

	for (int i = 0; i < SLOT_COUNT; i++)
		if (n->counts[i] > most)
			most = n->counts[i];
	return most;
}

bool attempts_level(struct conn *n, uint64_t now_ns)
{
	unsigned most = total(n);

	if (n->tried_ns + WITNESS_NS > now_ns)
		return false;
	for (unsigned i = 0; i < SLOT_COUNT; i++)
		n->counts[i] = (uint16_t)most;
	return true;
}

static void learn_account(struct core *c, struct conn *n, const struct event *e)
{
	struct account *a;

	if (e->flags & EVENT_ACCOUNT_UNKNOWN)
		n->status = STATUS_UNKNOWN;
	else if (e->flags & EVENT_ACCOUNT_EXISTS ||
		 (e->kind == EVENT_ATTEMPT && e->witness == WITNESS_DAEMON &&
		  e->trust != TRUST_KERNEL && n->status == STATUS_UNDECIDED &&
		  e->service != SERVICE_MAIL &&
		  !e->gate.told)) /* which do not say whether there is one */
		n->status = STATUS_EXISTS;
	if (span_empty(e->account))
		return;
	span_copy(n->account, sizeof(n->account), e->account);
	if (n->status == STATUS_UNDECIDED || !conn_confirmed(c, n, e))
		return;
	if (core_needs_kernel(c, e) && e->trust != TRUST_TRANSPORT)
		return; /* anybody may have written that line */
	a = account_get(c, span_of(n->account));
	if (a && !a->methods)
		a->status = n->status;
}

static enum account_status status_of(const struct core *c, const struct conn *n)
{
	const struct account *a;

	if (n->status != STATUS_UNDECIDED)
		return n->status;
	a = account_find(c, span_of(n->account));
	return a ? a->status : STATUS_UNDECIDED;
}

/* Who infers tries from packets knows no account. */
static bool is_inferred(const struct conn *n)
{
	unsigned others = 0;

	for (int i = 0; i < SLOT_COUNT; i++)
		others += i == SLOT_NETWORK ? 0 : n->counts[i];
	return n->counts[SLOT_NETWORK] && !others && !n->account[0];
}

/* Room for the wait, or the account is taken to exist at once. */
static bool wait_for_status(struct core *c, struct conn *n)
{
	unsigned at;

	if (n->waiting)
		return true;
	if (c->waiting_used == WAITING_MAX)
		return false;
	at = (c->waiting_head + c->waiting_used++) % WAITING_MAX;
	c->waiting[at] = pool_handle(&c->conns, pool_slot(&c->conns, n));
	c->waiting_due[at] = (n->last_ns > c->now_ns ? n->last_ns : c->now_ns) + STATUS_GRACE_NS;
	n->waiting = true;
	core_due(c, c->waiting_due[at]);
	return true;
}

/* A success came before its failures were told: look at it again. */
static void look_back(struct core *c, const struct event *e)
{
	const struct source *s = c->credited;
	struct csession *last = s ? pool_get(&c->sessions, s->session) : NULL;
	struct event again;

	if (!last || last->pub.existing || last->pub.open_ns < e->time_ns)
		return;
	again = *e;
	again.kind = EVENT_SESSION_OPEN;
	again.outcome = OUTCOME_SUCCESS;
	again.time_ns = last->pub.open_ns;
	core_detect_one(c, DETECTION_auth_bruteforce_success, &again,
			pool_get(&c->conns, last->conn), last, NULL);
	core_detect_one(c, DETECTION_chain_t1133, &again, pool_get(&c->conns, last->conn), last,
			NULL);
}

static void credit(struct core *c, struct conn *n, const struct event *e, unsigned added)
{
	struct event derived =
		e ? *e : (struct event){.trust = n->kernel ? TRUST_KERNEL : TRUST_TEXT};

	n->credited += added;
	derived.kind = EVENT_ATTEMPT;
	derived.outcome = OUTCOME_FAILURE;
	derived.origin = *conn_origin(c, n);
	derived.local = n->local;
	derived.service = n->service;
	derived.method = n->method;
	derived.account = span_of(n->account);
	derived.count = added;
	derived.conn = n->cookie;
	derived.time_ns = n->tried_ns;
	derived.flags &= ~(uint32_t)(EVENT_ACCOUNT_UNKNOWN | EVENT_ACCOUNT_EXISTS);
	derived.flags |= n->status == STATUS_EXISTS ? EVENT_ACCOUNT_EXISTS : EVENT_ACCOUNT_UNKNOWN;
	derived.gate.told = n->gateway;
	derived.gate.unsure = n->status == STATUS_UNDECIDED;
	if (derived.trust == TRUST_KERNEL) /* a PAM call has no words; rhost is not evidence */
		derived.text = (struct span){0};
	c->stats.attempts += added;
	sources_credit(c, n, &derived);
	core_detect(c, &derived, n, conn_session(c, n));
	look_back(c, &derived);
	c->credited = NULL;
}

static void settle(struct core *c, struct conn *n, const struct event *e, bool is_last_word)
{
	unsigned all = total(n);
	enum account_status status;
	bool nobody_says;

	if (all <= n->credited || !n->origin.addr.family || !conn_confirmed(c, n, e))
		return;
	status = status_of(c, n);
	nobody_says = n->gateway || is_inferred(n);
	if (status == STATUS_UNDECIDED && n->service != SERVICE_MAIL && !nobody_says &&
	    !is_last_word && wait_for_status(c, n))
		return;
	if (status == STATUS_UNDECIDED &&
	    !nobody_says) /* whom nobody saw log in to mail, nobody knows */
		status = n->service == SERVICE_MAIL ? STATUS_UNKNOWN : STATUS_EXISTS;
	n->status = (uint8_t)status;
	credit(c, n, e, all - n->credited);
}

void attempts_settle(struct core *c, struct conn *n, const struct event *e)
{
	settle(c, n, e, false);
}

void attempts_settle_source(struct core *c, const struct addr *a, const struct event *e)
{
	struct addr wanted = source_addr(a), have;

	for (unsigned i = 0; i < c->waiting_used; i++) {
		struct handle h = c->waiting[(c->waiting_head + i) % WAITING_MAX];
		struct conn *n = pool_get(&c->conns, h);

		if (!n || !n->origin.addr.family)
			continue;
		have = source_addr(&conn_origin(c, n)->addr);
		if (addr_eq(&have, &wanted))
			settle(c, n, e, true);
	}
}

void attempts_expire(struct core *c)
{
	while (c->waiting_used && c->waiting_due[c->waiting_head] <= c->now_ns) {
		struct conn *n = pool_get(&c->conns, c->waiting[c->waiting_head]);

		c->waiting_head = (c->waiting_head + 1) % WAITING_MAX;
		c->waiting_used--;
		if (!n)
			continue;
		n->waiting = false;
		settle(c, n, NULL, true);
	}
	if (c->waiting_used)
		core_due(c, c->waiting_due[c->waiting_head]);
}

/*
 * Beyond what two bytes hold, what was credited long ago is forgotten; witnesses may be as far
 * behind as LAG_MAX. One connection that has tried so often is an address without ports. Returns
 * what is left.
 */
static unsigned counts_shift(struct conn *n, unsigned count)
{
	unsigned most = total(n), by = most > LAG_MAX ? most - LAG_MAX : 0;

	if (most + count <= UINT16_MAX)
		return most;
	for (unsigned i = 0; i < SLOT_COUNT; i++)
		n->counts[i] = (uint16_t)(n->counts[i] > by ? n->counts[i] - by : 0);
	n->credited = n->credited > by ? n->credited - by : 0;
	return total(n);
}

static void add(struct core *c, struct conn *n, const struct event *e, enum witness_slot slot,
		unsigned count)
{
	unsigned before = counts_shift(n, count);

	if (slot == SLOT_PREAUTH)
		n->counts[slot] = 1;
	else
		n->counts[slot] = (uint16_t)(n->counts[slot] + count);
	if (e->method != METHOD_NONE)
		n->method = (uint8_t)e->method;
	if (n->counts[slot] <= before)
		c->stats.attempts_merged += count;
	else
		n->tried_ns = e->time_ns;
	attempts_settle(c, n, e);
}

/* A crowd in one line comes in pieces. */
void attempt_add(struct core *c, struct conn *n, const struct event *e, enum witness_slot slot)
{
	unsigned left = e->count ? e->count : 1;

	left = left < CROWD_MAX ? left : CROWD_MAX;
	while (left) {
		unsigned piece = left < COUNT_MAX ? left : COUNT_MAX;

		add(c, n, e, slot, piece);
		left -= piece;
	}
}

static enum witness_slot slot_of(const struct event *e)
{
	if (e->witness == WITNESS_DAEMON && !e->origin.port)
		return SLOT_DAEMON_PORTLESS;
	return (enum witness_slot)e->witness;
}

/* A refused key or `none` is an offer, not a verdict. */
static bool is_verdict(const struct event *e)
{
	return e->method != METHOD_PUBLICKEY && e->method != METHOD_NO_AUTH;
}

/*
 * "Accepted ..." in a log. Alone it opens a session where text is all there is. With the kernel
 * sensor it must match a connection that the kernel knows; a line that nobody vouches for must not
 * contradict PAM calls seen on it. Else it waits for the kernel, which may be later.
 */
void attempt_accepted(struct core *c, struct conn *n, const struct event *e)
{
	struct csession *s = conn_session(c, n);

	if (s) {
		session_details(c, s, e);
		return;
	}
	if (core_needs_kernel(c, e) && !n->kernel && !e->origin.port && e->service != SERVICE_MAIL)
		return; /* of which connection it tells, nobody knows */
	if (core_needs_kernel(c, e) && e->service != SERVICE_MAIL) {
		/* From before the sensor: the snapshot tells whether it still is there. */
		bool is_old = c->sensor_since_ns && e->time_ns < c->sensor_since_ns;

		if (is_old || !n->kernel || (e->trust == TRUST_TEXT && n->kernel_verdict)) {
			claim_hold(c, n, e);
			return;
		}
	}
	session_open(c, n, e);
}

/* Of daemons that ask PAM and tell no port: the kernel has seen that very try. */
static bool is_seen_at_pam(const struct core *c, const struct event *e)
{
	return core_needs_kernel(c, e) && e->trust != TRUST_KERNEL && !span_empty(e->pam_service);
}

void attempt_told(struct core *c, const struct event *e)
{
	struct conn *n;

	if (is_seen_at_pam(c, e)) {
		c->stats.attempts_merged += e->count;
		return;
	}
	n = conn_join(c, e);
	if (!n)
		return;
	learn_account(c, n, e);
	if (e->trust == TRUST_KERNEL) /* what went over the wire: no line contradicts it */
		n->kernel_verdict = true;
	if (e->outcome == OUTCOME_SUCCESS) {
		conn_evidence(c, n);
		attempt_accepted(c, n, e);
	} else if (e->outcome == OUTCOME_FAILURE && is_verdict(e)) {
		conn_evidence(c, n);
		attempt_add(c, n, e, slot_of(e));
	} else if (e->outcome == OUTCOME_REFUSED) {
		c->stats.attempts_refused += e->count; /* nobody could try */
	}
	conn_touch(c, n);
}

/* "Starting session: subsystem 'sftp' for ...": what the kernel cannot see, or nobody else tells.
 */
static void channel_told(struct core *c, struct csession *s, struct conn *n, const struct event *e)
{
	if (span_empty(e->args))
		return;
	if (span_is(e->args, "subsystem 'sftp'"))
		core_detect_one(c, DETECTION_activity_file_transfer, e, n, s, NULL);
	else if (!n->kernel)
		core_detect_one(c, DETECTION_activity_remote_shell, e, n, s, NULL);
}

/*
 * The daemon's own word that somebody came with a name that is none: one try. Old ones tell no
 * port, and a verdict that does would be another connection's.
 */
static bool is_named(const struct event *e)
{
	return e->kind == EVENT_AUTH_NOTE && e->witness == WITNESS_DAEMON &&
	       e->flags & EVENT_ACCOUNT_UNKNOWN && !(e->flags & EVENT_PREAUTH) &&
	       e->outcome == OUTCOME_UNKNOWN && e->origin.port && !span_empty(e->account);
}

void attempt_noted(struct core *c, const struct event *e)
{
	struct conn *n = conn_join(c, e);
	struct csession *s;

	if (!n)
		return;
	learn_account(c, n, e);
	if (!span_empty(e->account))
		conn_evidence(c, n);
	s = conn_session(c, n);
	if (s) {
		session_details(c, s, e);
		channel_told(c, s, n, e);
	} else if (e->flags & EVENT_PREAUTH) {
		struct event close = *e;

		close.count = 1;
		close.method = n->method ? METHOD_NONE : METHOD_PUBLICKEY;
		if (n->account[0])
			attempt_add(c, n, &close, SLOT_PREAUTH);
		if (!n->kernel)
			n->closed = true;
	} else if (is_named(e)) {
		attempt_add(c, n, e, SLOT_NAMED);
	}
	attempts_settle(c, n, e);
	conn_touch(c, n);
}
