/*
 * learn: places an identity came from and edges it went on by, and what was there before us.
 *
 * A session teaches when it ends: with nothing of medium or above at once; else what it did is
 * learned on the third distinct day without a high alert (SPEC 4.4). So one quiet visit of an
 * intruder who guessed a password teaches nothing.
 */
#include "core_internal.h"

#include "core_detect.h"

#include "core_text.h"

uint64_t seen_key(const struct core *c, unsigned kind, uint64_t identity, const struct addr *a,
		  enum service s)
{
	struct addr at = kind == SEEN_PLACE ? net_addr(a) : *a;
	uint64_t h = hash_u64(hash_u64(c->seed, kind + 11), identity);

	return hash_u64(hash_addr(h, &at), s);
}

bool seen_is_learned(const struct core *c, uint64_t key)
{
	const struct seen *s = table_find(&c->seen, &c->seen_by, key, &key, sizeof(key));

	return s && s->learned && core_day(c->now_ns) <= s->last_day + PLACE_KEPT_DAYS;
}

void seen_add(struct core *c, uint64_t key, enum severity worst, uint32_t day)
{
	struct seen *s;

	if (worst >= SEVERITY_HIGH)
		return;
	s = table_get(&c->seen, &c->seen_by, key, &key, sizeof(key), NULL);
	if (!s)
		return;
	if (s->last_day != day && s->days < UINT8_MAX)
		s->days++;
	s->last_day = day;
	if (worst < SEVERITY_MEDIUM || s->days >= LEARN_DAYS)
		s->learned = 1;
	pool_touch(&c->seen, pool_slot(&c->seen, s), s->learned ? POOL_WORTH : POOL_HARMLESS);
}

enum severity session_worst(const struct csession *s)
{
	if (s->expected)
		return SEVERITY_INFO;
	return s->odd && s->pub.worst < SEVERITY_MEDIUM ? SEVERITY_MEDIUM : s->pub.worst;
}

bool seen_first(struct core *c, uint64_t key, uint32_t day, uint32_t days)
{
	struct seen *s = table_get(&c->seen, &c->seen_by, key, &key, sizeof(key), NULL);
	bool first = !s || !s->days || s->last_day + days < day;

	if (!s)
		return first;
	s->days = 1;
	if (day > s->last_day)
		s->last_day = day;
	pool_touch(&c->seen, pool_slot(&c->seen, s), POOL_WORTH);
	return first;
}

bool seen_few(struct core *c, unsigned kind, uint32_t uid, uint32_t day, unsigned few)
{
	static const struct addr nowhere;

	for (uint64_t i = 0; uid && i < few; i++) {
		uint64_t which = (uint64_t)day << 40 | (uint64_t)uid << 8 | i;

		if (seen_first(c, seen_key(c, kind, which, &nowhere, SERVICE_NONE), day, 0))
			return true;
	}
	return !uid;
}

void session_learn(struct core *c, struct csession *s)
{
	uint64_t account = hash_account(c, span_of(s->pub.account));
	uint32_t day = core_day(s->pub.open_ns);

	if (s->learned)
		return;
	s->learned = true;
	if (s->pub.service == SERVICE_AGENT)
		agent_learn(c, s, day);
	seen_add(c, seen_key(c, SEEN_PLACE, account, &s->pub.origin.addr, s->pub.service),
		 session_worst(s), day);
	for (unsigned i = 0; i < s->edges_used; i++)
		seen_add(c, s->edges[i], session_worst(s), day);
	profile_learn(c, s);
}

/*
 * A daemon's process before login is root or the daemon's own user, and runs the daemon. Its
 * loginuid says nothing: it is that of whoever started the daemon.
 */
static bool is_logged_in(const struct event *e)
{
	static const char *const daemons[] = {"sshd",	 "sshd-session", "sshd-auth",  "dropbear",
					      "telnetd", "in.telnetd",	 "login",      "vsftpd",
					      "xrdp",	 "unix_chkpwd",	 "xrdp-sesman"};
	struct span program = span_base(e->program);

	if (is_container_api(e->service)) /* one process serves all: its requests tell who asks */
		return false;
	if (e->flags & EVENT_PROVEN || !span_empty(e->account))
		return true;
	if (e->uid >= 1000 && e->uid < 65534)
		return true;
	for (size_t i = 0; i < sizeof(daemons) / sizeof(daemons[0]); i++)
		if (span_is(program, daemons[i]))
			return false;
	return !span_empty(program);
}

static void name_by_uid(const struct event *e, char account[ACCOUNT_MAX])
{
	struct text t = text_start(account, ACCOUNT_MAX);
	bool is_user = e->uid >= 1000 || e->loginuid == UINT32_MAX;

	text_add(&t, "uid:%u", is_user ? e->uid : e->loginuid);
}

static void existing_open(struct core *c, struct conn *n, const struct event *e)
{
	struct event opened = *e;
	struct csession *s;
	char account[ACCOUNT_MAX];

	name_by_uid(e, account);
	if (span_empty(opened.account))
		opened.account = span_of(account);
	opened.method = METHOD_NONE;
	s = session_start(c, n, &opened);
	if (!s)
		return;
	s->pub.existing = true;
	s->pub.proven = true;
	s->pub.origin_source = ORIGIN_SNAPSHOT;
	session_announce(c, s, n, &opened);
}

static void existing_confirm(struct core *c, struct csession *s, const struct event *e)
{
	if (!s->confirm_ns)
		return;
	s->confirm_ns = 0;
	s->pub.existing = true;
	s->pub.processes = 0;
	s->pub.last_ns = e->time_ns;
	session_changed(c, s);
}

static void snapshot_add(struct core *c, struct csession *s, const struct event *e)
{
	bool holds = e->bytes_in || e->bytes_out;

	if (s->pub.loginuid == UINT32_MAX)
		s->pub.loginuid = e->loginuid;
	if (s->pub.audit_session == UINT32_MAX)
		s->pub.audit_session = e->audit_session;
	if (holds) {
		s->pub.bytes_in = e->bytes_in;
		s->pub.bytes_out = e->bytes_out;
		s->pub.bytes_known = true;
	}
	session_changed(c, s);
}

/* One record a process; several tell of one connection. */
void session_snapshot(struct core *c, const struct event *e)
{
	struct conn *n = conn_join(c, e);
	struct csession *s = conn_session(c, n);
	bool is_new = !s;

	if (!n)
		return;
	if (!s && is_logged_in(e)) {
		existing_open(c, n, e);
		claims_settle(c, n); /* what the log said about it while nobody looked */
		s = conn_session(c, n);
	}
	if (!s)
		return;
	if (!is_new) {
		existing_confirm(c, s, e);
		s->pub.processes++;
	}
	snapshot_add(c, s, e);
}
