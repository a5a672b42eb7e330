/*
 * gateway_text: sessions of VPN concentrators and other gateways, by the lines that they log.
 *
 * A gateway is another host: the kernel's records here say nothing of its sessions, so its words
 * are all there is. One session per gateway, service, account and origin. It opens at whatever
 * tells first that somebody is in (the password was right, the tunnel is up); what else is told of
 * the same login (the inner address, the client, the group) is put into it and opens nothing. It
 * ends at the first line that says so; where none does, an hour after a login that no tunnel
 * followed, a day after the last word of a tunnel.
 *
 * Gateways that spread a session over several lines name it by a number: what each line lacks is
 * taken from the lines before. The same number from another origin is a session that moved. An end
 * that names neither origin nor number ends the account's only session there.
 *
 * Tries are counted as Windows' are: per gateway and origin, two lines of one try as one. Whether
 * an account exists the gateways do not say, but for a few.
 *
 * Cannot see: what went through the tunnel; two clients of one account behind one address; a client
 * that is named before its session opens.
 *
 * Example: FortiGate's tunnel-up of a web session, tunnel-up of the tunnel with its address,
 * tunnel-down twice: one session.
 */
#include "core_internal.h"

#include "../decode/text.h"
#include "../decode/wireguard.h"

#include "core_detect.h"

#define LOGIN_IDLE_NS	  (3600 * SECOND_NS)
#define LINE_IDLE_NS	  DAY_NS
#define WIREGUARD_IDLE_NS ((WIREGUARD_LASTS_S + 30) * SECOND_NS) /* the agent says so before */
#define DENIED_NS	  (5 * SECOND_NS)
#define GIVEN_NS	  (5 * SECOND_NS) /* an address before the line that somebody is in */
#define GATE_ID		  (1ull << 62)	  /* no socket cookie gets there */

/* As conn_host: 0 is this host, whose VPN servers' lines the journal or its own files have. */
static uint32_t host_of(const struct core *c, const struct event *e)
{
	bool is_own = span_empty(e->host) ||
		      (c->id.kernel_sensor && (e->trust >= TRUST_TRANSPORT ||
					       host_is_same(e->host, span_of(c->id.host_name))));

	return is_own ? 0 : (uint32_t)hash_text(1, e->host);
}

static uint64_t key_of(const struct core *c, uint32_t host, const struct event *e)
{
	uint64_t h = hash_u64(windows_who(c, e->account), host);

	return hash_u64(hash_addr(h, &e->origin.addr), 128 + (uint64_t)e->service) >> 2 | GATE_ID;
}

uint64_t gateway_key_of(const struct core *c, const struct session *s)
{
	struct event e = {
		.service = s->service, .origin = s->origin, .account = span_of(s->account)};

	return key_of(c, s->gate.host, &e);
}

/*
 * What the lines before told of the session with that number: a connection that nobody made. Rows
 * of logins that lead nowhere are the first to be forgotten.
 */
static struct conn *row_of(struct core *c, const struct event *e)
{
	struct event told = *e;
	struct conn *n;

	if (!e->gate.session)
		return NULL;
	told.conn = hash_u64(hash_u64(c->seed + 4, host_of(c, e)), e->gate.session) >> 2 | GATE_ID;
	told.origin.port = 0;
	told.local = (struct endpoint){0};
	told.proc = (struct proc_id){0};
	n = conn_find(c, &told);
	if (n)
		told.local = n->local; /* the inner address, which joining would overwrite */
	n = conn_join(c, &told);
	if (n)
		n->gateway = true;
	return n;
}

static bool is_other_account(const struct core *c, const struct conn *n, const struct event *e)
{
	return n->account[0] && !span_empty(e->account) &&
	       windows_who(c, span_of(n->account)) != windows_who(c, e->account);
}

/*
 * Of gateways whose number is that of one try after the other (an address and port): some tell of
 * a failed one twice, and that the connection stands although nobody was let in.
 */
static bool is_no_news(struct conn *n, const struct event *e)
{
	bool denied = n->tried_ns && e->time_ns < n->tried_ns + DENIED_NS;

	if (!e->gate.by_port)
		return false;
	if (e->kind == EVENT_SESSION_OPEN)
		return denied;
	if (e->kind != EVENT_ATTEMPT)
		return false;
	n->tried_ns = e->outcome == OUTCOME_FAILURE ? e->time_ns : 0;
	return denied && e->outcome == OUTCOME_FAILURE && e->witness == WITNESS_PAM_LOG;
}

/* Who gave a password is it, whatever the certificate is called. */
static void exchange_names(struct conn *n, struct event *e)
{
	if (!e->gate.by_port)
		return;
	if (e->kind == EVENT_ATTEMPT)
		n->method = (uint8_t)(e->outcome == OUTCOME_SUCCESS ? e->method : METHOD_NONE);
	else if (n->method == METHOD_PASSWORD && n->account[0])
		e->account = span_of(n->account);
	if (e->kind == EVENT_SESSION_CLOSE) {
		n->method = METHOD_NONE;
		n->opened_ns = 0;
	}
}

/* What this line lacks and those before it told; what it tells is kept for those after it. */
static void exchange(const struct core *c, struct conn *n, struct event *e)
{
	if (is_other_account(c, n, e)) { /* the number is used again */
		n->origin.addr = n->local.addr = (struct addr){0};
		n->account[0] = '\0';
	}
	if (e->origin.addr.family)
		n->origin.addr = e->origin.addr;
	else
		e->origin.addr = n->origin.addr;
	if (e->gate.assigned.family) {
		n->local.addr = e->gate.assigned;
		n->opened_ns = e->time_ns;
	} else if (!e->gate.by_port || e->time_ns < n->opened_ns + GIVEN_NS) {
		e->gate.assigned = n->local.addr;
	}
	if (!span_empty(e->account))
		span_copy(n->account, sizeof(n->account), e->account);
	else
		e->account = span_of(n->account);
}

/* A live session of that gateway: by its number, or the account's only one. */
static struct csession *search(struct core *c, const struct event *e, bool by_number)
{
	uint64_t who = by_number ? 0 : windows_who(c, e->account);
	struct csession *found = NULL;

	for (uint32_t i = 0; i < c->sessions.fresh; i++) {
		struct csession *s = pool_at(&c->sessions, i);

		if (!pool_is_used(&c->sessions, i) || !s->pub.by_gateway ||
		    s->pub.state == SESSION_CLOSED || s->pub.gate.host != host_of(c, e) ||
		    s->pub.service != e->service)
			continue;
		if (by_number ? s->pub.gate.number != e->gate.session
			      : windows_who(c, span_of(s->pub.account)) != who)
			continue;
		if (found)
			return NULL;
		found = s;
	}
	return found;
}

/* The session that has its number, unless that is another account's by now. */
static struct csession *numbered(struct core *c, const struct event *e)
{
	struct csession *s = e->gate.session ? search(c, e, true) : NULL;

	if (s && !span_empty(e->account) &&
	    windows_who(c, span_of(s->pub.account)) != windows_who(c, e->account))
		return NULL;
	return s;
}

/* By its key alone. */
static struct csession *keyed(struct core *c, const struct event *e)
{
	struct event told = *e;
	struct csession *s;

	told.conn = key_of(c, host_of(c, e), e);
	told.proc = (struct proc_id){0};
	s = session_of(c, &told);
	return s && s->pub.state != SESSION_CLOSED ? s : NULL;
}

static struct csession *find(struct core *c, const struct event *e)
{
	struct csession *s = numbered(c, e);

	if (s || span_empty(e->account))
		return s;
	return e->origin.addr.family ? keyed(c, e) : search(c, e, false);
}

static bool is_wireguard(struct span key)
{
	return span_starts(key, SPAN_LIT(WIREGUARD_KEY));
}

static void given(struct core *c, struct csession *s, const struct event *e)
{
	struct cidr net = {.addr = e->gate.assigned,
			   .bits = e->gate.assigned.family == ADDR_V6 ? 128 : 32};
	uint64_t since_ns = e->flags & EVENT_EXISTING ? 1 : e->time_ns; /* whenever it was */
	struct span rest = is_wireguard(e->key) ? e->subject : text_none();

	vpn_given(c, s, &net, since_ns);
	while (!span_empty(rest))
		if (cidr_parse(text_cut_word(&rest), &net))
			vpn_given(c, s, &net, since_ns);
}

static void take(struct core *c, struct csession *s, const struct event *e)
{
	struct session *p = &s->pub;
	bool changed = !p->by_gateway;

	if (changed) {
		p->by_gateway = true;
		memset(&p->gate, 0, sizeof(p->gate));
		p->gate.host = host_of(c, e);
	}
	if (e->gate.session)
		p->gate.number = e->gate.session;
	if (e->gate.assigned.family && !addr_eq(&p->gate.assigned, &e->gate.assigned)) {
		p->gate.assigned = e->gate.assigned;
		changed = true;
	}
	given(c, s, e);
	if (!p->origin.port && e->origin.port && addr_eq(&p->origin.addr, &e->origin.addr)) {
		p->origin.port = e->origin.port;
		changed = true;
	}
	if (!span_empty(e->gate.group) && !p->gate.group[0]) {
		span_copy(p->gate.group, sizeof(p->gate.group), e->gate.group);
		changed = true;
	}
	if (e->bytes_in || e->bytes_out) {
		p->bytes_in = e->bytes_in;
		p->bytes_out = e->bytes_out;
		changed = p->bytes_known = true;
	}
	if (e->time_ns > p->last_ns)
		p->last_ns = e->time_ns;
	if (changed)
		session_changed(c, s);
}

static void idle_ends(struct core *c, struct csession *s, uint64_t after_ns)
{
	uint64_t due = s->pub.last_ns + after_ns;

	if (due > s->confirm_ns || s->confirm_ns == UINT64_MAX)
		s->confirm_ns = due;
	core_due(c, s->confirm_ns);
}

/* The live session that this one is, at the address where it was before. */
static struct csession *elsewhere(struct core *c, const struct event *e)
{
	struct csession *s = numbered(c, e);
	struct event told = *e;

	if (!s && e->dest.addr.family) {
		told.origin = e->dest;
		s = keyed(c, &told);
	}
	return s && !addr_eq(&s->pub.origin.addr, &e->origin.addr) ? s : NULL;
}

static void early_note(struct core *c, const struct event *e)
{
	if (e->service != SERVICE_VPN || !e->gate.assigned.family || span_empty(e->account))
		return;
	c->earlies[c->earlies_next++ % EARLIES] =
		(struct vpn_early){.who = windows_who(c, e->account),
				   .time_ns = e->time_ns,
				   .host = host_of(c, e),
				   .addr = e->gate.assigned};
}

static void early_take(struct core *c, struct event *e)
{
	uint64_t who = windows_who(c, e->account);

	for (unsigned i = 0; !e->gate.assigned.family && i < EARLIES; i++) {
		struct vpn_early *a = &c->earlies[i];

		if (!a->time_ns || a->who != who || a->host != host_of(c, e) ||
		    e->service != SERVICE_VPN || e->time_ns > a->time_ns + GIVEN_NS)
			continue;
		e->gate.assigned = a->addr;
		a->time_ns = 0;
	}
}

static void opened(struct core *c, const struct event *e, uint64_t idle_ns)
{
	struct csession *s, *former;
	struct endpoint from = {0};
	struct event told = *e;
	char client[CLIENT_MAX];
	bool is_new;

	if (!e->origin.addr.family || span_empty(e->account))
		return; /* the line that has it follows */
	former = elsewhere(c, e);
	if (former) {
		from = former->pub.origin;
		if (!told.gate.assigned.family)
			told.gate.assigned = former->pub.gate.assigned;
		span_copy(client, sizeof(client), span_of(former->pub.client));
		if (span_empty(told.client))
			told.client = span_of(client);
		logon_session_end(c, former, e->time_ns);
	}
	s = keyed(c, e);
	if (s)
		told.account = span_of(s->pub.account); /* in other letters perhaps */
	told.dest = (struct endpoint){0};
	early_take(c, &told);
	s = keyed_session(c, &told, key_of(c, host_of(c, e), e), &is_new);
	if (!s)
		return;
	if (is_new && pool_get(&c->conns, s->conn))
		((struct conn *)pool_get(&c->conns, s->conn))->gateway = true;
	take(c, s, &told);
	idle_ends(c, s, idle_ns);
	if (former)
		logon_moved(c, s, &told, &from);
}

static void noted(struct core *c, const struct event *e)
{
	struct csession *s = find(c, e);
	struct event told = *e;

	if (!s) {
		early_note(c, e);
		return;
	}
	told.account = (struct span){0}; /* in other letters perhaps */
	session_details(c, s, &told);
	take(c, s, e);
	idle_ends(c, s, LINE_IDLE_NS);
}

static void ended(struct core *c, const struct event *e)
{
	struct csession *s = find(c, e);

	if (!s)
		return;
	take(c, s, e);
	logon_session_end(c, s, e->time_ns);
}

static void tried(struct core *c, const struct event *e)
{
	uint64_t h;

	if (e->outcome == OUTCOME_SUCCESS) {
		if (e->service != SERVICE_OTHER) /* an application without remote access */
			opened(c, e, LOGIN_IDLE_NS);
	} else if (e->outcome == OUTCOME_FAILURE) {
		h = hash_u64(hash_addr(c->seed + 3, &e->origin.addr), host_of(c, e));
		group_failed(c, e, h >> 2 | GATE_ID);
	} else if (e->outcome == OUTCOME_REFUSED) {
		c->stats.attempts_refused += e->count;
	}
}

/* RemoteApplications, of a sign-in to something that is not known by itself. */
static bool is_remote_application(const struct core *c, const struct event *e)
{
	for (unsigned i = 0; e->service == SERVICE_OTHER && i < c->config.applications_count; i++)
		if (span_has_folded(e->gate.group, span_of(c->config.applications[i])))
			return true;
	return false;
}

void gateway_text(struct core *c, const struct event *e)
{
	struct event told = *e;
	struct conn *row = row_of(c, e);

	if (is_remote_application(c, e))
		told.service = SERVICE_WEB_REMOTE;
	if (row && is_no_news(row, &told))
		return;
	if (row) {
		exchange_names(row, &told);
		exchange(c, row, &told);
	}
	switch (e->kind) {
	case EVENT_ATTEMPT:
		tried(c, &told);
		break;
	case EVENT_SESSION_OPEN:
		opened(c, &told, is_wireguard(told.key) ? WIREGUARD_IDLE_NS : LINE_IDLE_NS);
		break;
	case EVENT_AUTH_NOTE:
		noted(c, &told);
		break;
	case EVENT_SESSION_CLOSE:
		ended(c, &told);
		break;
	case EVENT_MFA:
		mfa_told(c, &told);
		break;
	default:
		break;
	}
}

void gateway_restored(struct core *c, struct csession *s)
{
	struct conn *n = pool_get(&c->conns, s->conn);
	struct event e = {.gate.assigned = s->pub.gate.assigned, .time_ns = s->pub.open_ns};

	given(c, s, &e);

	if (n)
		n->gateway = true;
	s->confirm_ns = s->pub.last_ns + LINE_IDLE_NS;
	if (is_wireguard(span_of(s->pub.key)))
		s->confirm_ns = UINT64_MAX; /* it is told again, or is over */
	core_due(c, s->confirm_ns);
}
