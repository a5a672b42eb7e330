/*
 * activity.lateral_movement: the session goes on to another host.
 *
 * Sees a connection by one of the session's processes to a remote-access port of another host.
 * Info on an edge (identity, destination, service) that is expected or learned, and for accounts
 * of ExpectedAutomation; medium on a new
 * one; high when the session is already anomalous or reached many new destinations in a short
 * time. One alert a session, with every destination.
 * Cannot see: tunnels through an allowed connection; what happens on the other host.
 *
 * Example: alice from 203.0.113.10 connects by ssh to 10.0.0.5:22.
 */
#include "../core/core_detect.h"

enum {
	PARAM_DESTINATIONS,
	PARAM_TIME,
	PARAM_PORT
};

static enum service service_reached(const struct detect_ctx *x, const struct event *e)
{
	if (detect_param(x, PARAM_PORT) && e->dest.port == detect_param(x, PARAM_PORT))
		return SERVICE_OTHER;
	return service_of_port(e->dest.port);
}

static bool is_another_host(const struct detect_ctx *x, const struct event *e)
{
	enum scope s = scope_of(&e->dest.addr, &x->core->config.scope);

	return s != SCOPE_LOOPBACK && s != SCOPE_NONE &&
	       !addr_eq(&e->dest.addr, &x->session->pub.local.addr);
}

/* How many new destinations within the time, this one included. */
static unsigned burst(struct detect_ctx *x, const struct event *e)
{
	struct csession *s = x->session;
	uint64_t since = detect_param(x, PARAM_TIME) * SECOND_NS;
	unsigned n = 0;

	s->burst[s->burst_used++ % BURST_MAX] = e->time_ns;
	for (unsigned i = 0; i < BURST_MAX; i++)
		n += s->burst[i] + since > e->time_ns;
	return n;
}

/* The edge as it is remembered; true when this session takes it for the first time. */
static bool note_edge(struct csession *s, uint64_t key)
{
	for (unsigned i = 0; i < s->edges_used; i++)
		if (s->edges[i] == key)
			return false;
	if (s->edges_used < BURST_MAX)
		s->edges[s->edges_used++] = key;
	return true;
}

static enum severity weigh(struct detect_ctx *x, const struct event *e, enum service service,
			   unsigned *ret_burst)
{
	struct csession *s = x->session;
	struct session_dest d = {.dest = e->dest, .service = service};
	uint64_t key = seen_key(x->core, SEEN_EDGE, session_identity(x->core, &s->pub),
				&e->dest.addr, service);

	if (expected_onward(x->core, &s->pub, &d) || expected_automation(x->core, &s->pub) ||
	    seen_is_learned(x->core, key)) {
		note_edge(s, key);
		return SEVERITY_INFO;
	}
	if (note_edge(s, key))
		s->new_dests = burst(x, e);
	*ret_burst = s->new_dests;
	if (session_worst_but(s, x->index) >= SEVERITY_MEDIUM ||
	    s->new_dests >= detect_param(x, PARAM_DESTINATIONS))
		return SEVERITY_HIGH;
	return SEVERITY_MEDIUM;
}

static void say_dests(struct text *t, const struct session *s, uint64_t extra_port)
{
	unsigned told = 0;

	for (unsigned i = 0; i < s->dests_kept; i++) {
		const struct session_dest *d = &s->dests[i];

		if (d->service == SERVICE_NONE && (!extra_port || d->dest.port != extra_port))
			continue;
		text_add(t, told++ ? ", " : " ");
		say_origin(t, &d->dest, d->scope);
		text_add(t, " (%s, by ",
			 service_name(d->service == SERVICE_NONE ? SERVICE_OTHER : d->service));
		text_plain(t, span_of(d->program), 24);
		text_add(t, ")");
	}
}

static void say(struct detect_ctx *x, struct alert *a, unsigned n)
{
	const struct session *s = &x->session->pub;
	struct text t = TEXT_IN(a->sentence);

	text_quote(&t, span_of(s->account), 48);
	text_add(&t, " from ");
	say_from(&t, s);
	text_add(&t, " went on to");
	say_dests(&t, s, detect_param(x, PARAM_PORT));
	if (s->dests_total > s->dests_kept)
		text_add(&t, " and %u more", s->dests_total - s->dests_kept);
	text_add(&t, a->severity == SEVERITY_INFO ? ", as it does."
						  : ", where this identity was not seen to go.");
	t = TEXT_IN(a->numbers);
	text_add(&t, "%u new destinations", n);
	if (n >= detect_param(x, PARAM_DESTINATIONS)) {
		text_add(&t, " >= %u in ", (unsigned)detect_param(x, PARAM_DESTINATIONS));
		say_duration(&t, detect_param(x, PARAM_TIME));
	}
}

static void step(struct detect_ctx *x, const struct event *e)
{
	struct fire f = {.reason = "", .count = 1};
	enum service service;
	struct calert *a;
	unsigned n = 0;
	bool is_new;

	service = service_reached(x, e);
	if (service == SERVICE_NONE || !is_another_host(x, e))
		return;
	f.severity = severity_by_scope(x, weigh(x, e, service, &n));
	a = alert_raise(x, e, &f, &is_new);
	if (a)
		say(x, &a->pub, n);
}

const struct detection detection_activity_lateral_movement = {
	.id = "activity.lateral_movement",
	.number = 1303,
	.severity = SEVERITY_MEDIUM,
	.scope = DETECT_ALL,
	.stage = "activity",
	.title = "A remote session goes on to another host",
	.attack = "T1021",
	.tactic = "TA0008",
	.analytic = "AN1004 AN1005",
	.data_components = "Network Connection Creation (DC0082); Process Creation (DC0032)",
	.reasons = "",
	.events = EVENT_BIT(CONNECT),
	.params = {{"NewDestinations", 5, UNIT_COUNT, "high at so many new ones"},
		   {"WithinTime", 600, UNIT_SECONDS, "... within this"},
		   {"ExtraPort", 0, UNIT_COUNT,
		    "one more port that counts as remote access; 0 none"}},
	.triage = "Does this account have business on that host? Look at that host's own logins.",
	.contain = "End the session here and on the destination; rotate the keys the account could "
		   "use.",
	.false_positive = "A bastion, Ansible, a deployment: say so in ExpectedOnward.",
	.tune = "ExpectedOnward (from, to, service), ExpectedAutomation (accounts); it is learned "
		"after clean sessions.",
	.mitigation = "M1030 M1035 M1026",
	.step = step,
	.key = KEY_SESSION,
	.param_max = {BURST_MAX},
};
