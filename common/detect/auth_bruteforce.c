/*
 * auth.bruteforce: more than FailedLogonThreshold failures of one source in TimeWindow.
 *
 * A source is an address (v6: a /64). A /24 or /48 has its own threshold and counts only sources
 * that have no alert of their own; an autonomous system, where a database tells it, only sources
 * whose network has none either: only the most specific fires. Severity says whether it can
 * succeed: accounts that do not exist are info, kept in the store and sent only as a number in
 * the day's auth.noise; an existing account and a method that is on is medium; else low. For root a
 * password verdict proves nothing, since sshd asks and refuses always when root may log in by key
 * only: low, until root was seen to log in that way. Of low ones only the first few a day and
 * listener are sent; all are stored. Cannot see: a guess an hour (auth.slow_bruteforce), one guess
 * from each of many networks (auth.distributed).
 *
 * Example: 6 wrong passwords for alice from 203.0.113.9 in 15 minutes.
 */
#include "../core/core_detect.h"

enum {
	PARAM_NETWORK,
	PARAM_LOUD,
	PARAM_ASN,
	PARAM_ASN_ADDRESSES
};

static bool is_recent(const struct detect_ctx *x, uint32_t then, uint32_t now)
{
	return now < then + core_window_ds(x->core);
}

static enum severity severity_of(const struct detect_ctx *x, uint32_t exists_ds, uint32_t weak_ds,
				 uint32_t now)
{
	if (is_recent(x, exists_ds, now))
		return SEVERITY_MEDIUM;
	return is_recent(x, weak_ds, now) ? SEVERITY_LOW : SEVERITY_INFO;
}

enum severity guess_severity(const struct detect_ctx *x, const struct event *e)
{
	const struct source *s = x->source;

	return s ? severity_of(x, s->exists_ds, s->weak_ds, core_ds(x->core, e->time_ns))
		 : SEVERITY_INFO;
}

static uint32_t most(const struct detect_ctx *x, const struct event *e)
{
	return window_most_at(window_exact(x->core, WINDOW_OF(&x->source->failures)),
			      core_ds(x->core, e->time_ns), core_window_ds(x->core));
}

static bool had_alert(uint32_t then, uint32_t now)
{
	return now < then + DAY_DS;
}

/* n: the most that a window held, where the caller knows it already. */
static bool is_alerted(const struct detect_ctx *x, const struct event *e, const uint32_t *n)
{
	if (!x->core->config.detections[DETECTION_auth_bruteforce].enabled)
		return false;
	if (had_alert(x->source->alerted_ds, core_ds(x->core, e->time_ns)))
		return true;
	return (n ? *n : most(x, e)) > x->core->config.failed_logon_threshold &&
	       guess_severity(x, e) > SEVERITY_INFO;
}

bool guess_is_alerted(const struct detect_ctx *x, const struct event *e)
{
	return is_alerted(x, e, NULL);
}

bool digest_allows(struct detect_ctx *x, const struct event *e)
{
	struct digest *d = digest_get(x->core, e->service, e->local.port, e->time_ns);
	const struct config *c = &x->core->config;

	if (d->loud >= c->detections[DETECTION_auth_bruteforce].params[PARAM_LOUD])
		return false;
	d->loud++;
	return true;
}

static const char *const chances[SEVERITY_COUNT] = {
	[SEVERITY_INFO] = "It guesses names that do not exist; nothing to do.",
	[SEVERITY_LOW] = "The account exists; whether the method is on for it was not seen.",
	[SEVERITY_MEDIUM] = "It guesses an account that exists, by a method that is on.",
};

static void say_origins(struct text *t, const struct alert *a)
{
	if (strcmp(a->reason, "asn") == 0) {
		text_add(t, "AS%u", a->geo.asn);
		if (a->geo.as_org[0])
			text_add(t, ", ");
		text_plain(t, span_of(a->geo.as_org), GEO_ORG_MAX);
		return;
	}
	text_addr(t, &a->origin.addr);
	if (a->reason[0])
		text_add(t, "/%u", a->origin.addr.family == ADDR_V6 ? 48u : 24u);
}

static void say(struct detect_ctx *x, const struct event *e, struct alert *a, uint32_t n,
		uint32_t threshold)
{
	struct text t = TEXT_IN(a->sentence);

	if (a->reason[0])
		text_add(&t, "Sources in ");
	say_origins(&t, a);
	text_add(&t, " (%s) guessed %s logins: %llu failures, the last for ", scope_name(a->scope),
		 service_name(a->service), (unsigned long long)a->count);
	if (e->gate.unsure)
		text_add(&t, span_empty(e->account)
				     ? "an account that the log does not name."
				     : "an account of which the log does not say whether it "
				       "exists.");
	else if (e->flags & EVENT_ACCOUNT_UNKNOWN) /* people type passwords into that field */
		text_add(&t, "an account that does not exist here. ");
	else if (span_empty(e->account)) /* RdpCoreTS */
		text_add(&t, "an account that the log does not name. ");
	else
		text_quote(&t, e->account, 48);
	if (!(e->flags & EVENT_ACCOUNT_UNKNOWN) && !e->gate.unsure && !span_empty(e->account))
		text_add(&t, ". ");
	if (!span_empty(e->account) && !e->gate.unsure)
		text_add(&t, "%s", chances[guess_severity(x, e)]);
	if (n <= threshold)
		return; /* it goes on, slower; the numbers that made it fire stay */
	t = TEXT_IN(a->numbers);
	text_add(&t, "%u failures > %u in ", n, threshold);
	say_duration(&t, x->core->config.time_window_s);
}

/* What is in the digest is not sent; of low ones the first few. a: the alert that is open. */
static bool is_quiet(struct detect_ctx *x, const struct event *e, const struct calert *a,
		     enum severity severity, bool in_digest)
{
	if (in_digest)
		return true;
	if (severity > SEVERITY_LOW || (a && a->pub.severity >= severity))
		return false;
	return !digest_allows(x, e);
}

/* Only the most specific counts: what has an alert of its own is nobody else's. */
static void source_forget(struct core *c, const struct source *s, struct window failures)
{
	struct net *net = c->credited_net;
	struct window exact;

	if (c->credited_asn)
		asn_forget_source(c, c->credited_asn, failures, &s->addr);
	exact = window_exact(c, WINDOW_OF(&net->failures));
	if (exact.stamp != net->failures.stamp)
		window_subtract(exact, failures);
	window_subtract(WINDOW_OF(&net->failures), failures);
}

/* e has the time; the first of those that count is in the window, which held n at most. */
static void fire_source(struct detect_ctx *x, const struct event *e, enum severity severity,
			uint32_t n)
{
	struct source *s = x->source;
	struct window failures = window_exact(x->core, WINDOW_OF(&s->failures));
	uint32_t window = core_window_ds(x->core), now = core_ds(x->core, e->time_ns);
	struct fire f = {.severity = severity_by_scope(x, severity), .reason = ""};
	struct calert *a = pool_get(&x->core->alerts, s->alert);
	bool is_new, was_told = had_alert(s->alerted_ds, now);

	if (!a || a->pub.state == ALERT_CLOSED)
		a = alert_find(x, e, &f);
	f.count = a ? e->count : n;
	if (f.count < e->count) /* a window counts to 65,535 */
		f.count = e->count;
	f.first_ns = core_ds_ns(x->core, window_first(failures, now, window));
	if (f.first_ns < (a ? a->pub.first_ns : 0))
		f.first_ns = a->pub.first_ns;
	f.quiet = is_quiet(x, e, a, f.severity, severity == SEVERITY_INFO);
	if (severity > SEVERITY_INFO && !was_told)
		source_forget(x->core, s, failures);
	if (severity > SEVERITY_INFO || was_told)
		s->alerted_ds = now; /* it takes all until a day is quiet */
	if (!a && (was_told || f.severity == SEVERITY_INFO) &&
	    alert_told_before(x, s->alert, f.severity))
		return;
	f.open = a;
	a = alert_raise(x, e, &f, &is_new);
	s->alert = a ? pool_handle(&x->core->alerts, pool_slot(&x->core->alerts, a)) : HANDLE_NONE;
	if (a)
		alert_name_guessed(&a->pub, e);
	if (a)
		say(x, e, &a->pub, n, x->core->config.failed_logon_threshold);
}

/* f: reason and kind; severity as if from outside. */
static void fire_aggregate(struct detect_ctx *x, const struct event *e, struct fire *f, uint32_t n,
			   uint32_t threshold)
{
	struct calert *a;
	bool is_new;

	f->severity = severity_by_scope(x, f->severity);
	a = alert_find(x, e, f);
	f->count = a ? e->count : n;
	f->quiet = is_quiet(x, e, a, f->severity, false);
	a = alert_raise(x, e, f, &is_new);
	if (a)
		say(x, e, &a->pub, n, threshold);
}

static bool fire_network(struct detect_ctx *x, const struct event *e)
{
	struct net *net = x->core->credited_net;
	uint32_t now = core_ds(x->core, e->time_ns), n;
	struct fire f = {.reason = "network", .by_network = true};
	struct window failures;

	failures = window_exact(x->core, WINDOW_OF(&net->failures));
	n = window_most_at(failures, now, core_window_ds(x->core));
	f.severity = severity_of(x, net->exists_ds, net->weak_ds, now);
	if (n <= detect_param(x, PARAM_NETWORK) || f.severity == SEVERITY_INFO)
		return false;
	if (x->core->credited_asn)
		asn_forget_net(x->core, x->core->credited_asn, failures, &net->addr);
	net->alerted_ds = now;
	fire_aggregate(x, e, &f, n, (uint32_t)detect_param(x, PARAM_NETWORK));
	return true;
}

static void fire_asn(struct detect_ctx *x, const struct event *e)
{
	const struct asn *asn = x->core->credited_asn;
	struct fire f = {.reason = "asn", .by_asn = true};
	uint32_t n = asn ? asn_count(x->core, asn) : 0;

	if (!asn || n <= detect_param(x, PARAM_ASN) ||
	    asn_addresses(x->core, asn) < detect_param(x, PARAM_ASN_ADDRESSES))
		return;
	f.severity = severity_of(x, asn->exists_ds, asn->weak_ds, core_ds(x->core, e->time_ns));
	if (f.severity > SEVERITY_INFO)
		fire_aggregate(x, e, &f, n, (uint32_t)detect_param(x, PARAM_ASN));
}

/* Of an attempt there always is a source, and its network: the harmless make room. */
static void step(struct detect_ctx *x, const struct event *e)
{
	uint32_t n = most(x, e);
	bool over = n > x->core->config.failed_logon_threshold;

	if (over)
		x->source->fired_ds = core_ds(x->core, e->time_ns);
	if (over || is_alerted(x, e, &n))
		fire_source(x, e, guess_severity(x, e), n);
	if (!is_alerted(x, e, &n) && !fire_network(x, e))
		fire_asn(x, e);
}

const struct detection detection_auth_bruteforce = {
	.id = "auth.bruteforce",
	.number = 1102,
	.severity = SEVERITY_LOW,
	.scope = DETECT_ALL,
	.stage = "attempts",
	.title = "Password guessing",
	.attack = "T1110.001",
	.tactic = "TA0006",
	.analytic = "AN1004 AN1005 AN1006",
	.data_components = "User Account Authentication (DC0002)",
	.reasons = "network asn",
	.events = EVENT_BIT(ATTEMPT),
	.params = {{"Network", 30, UNIT_COUNT, "fires on more failures of a /24 or /48 than this"},
		   {"LowSentPerDay", 3, UNIT_COUNT,
		    "low alerts about guessing sent a day and listener; the rest is stored"},
		   {"Asn", 300, UNIT_COUNT,
		    "fires on more failures of an autonomous system than this"},
		   {"AsnAddresses", 10, UNIT_COUNT, "... of at least so many addresses"}},
	.triage = "Did the source succeed? auth.bruteforce_success says so. Is it a person who "
		  "forgot "
		  "a password, or a job with an old one?",
	.contain = "Block the source at the firewall; change the account's password if it is weak.",
	.false_positive = "A script or mail client with an outdated password.",
	.tune = "FailedLogonThreshold and TimeWindow; an exception for the address of the job.",
	.mitigation = "M1032 M1036 M1027 M1035",
	.step = step,
	.param_max = {0, 0, WINDOW_HUGE - 1, ASN_ADDRESSES},
	.key = KEY_SOURCE,
};
