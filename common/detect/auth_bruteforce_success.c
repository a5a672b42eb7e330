/*
 * auth.bruteforce_success: a guess that worked.
 *
 * Sees a success of a source that itself failed more often than FailedLogonThreshold in
 * TimeWindow, or was over it in the last 24 h: high. And a success of another source on an account
 * that is being guessed, by the guessed method, from a place that is neither known nor learned:
 * medium; high when its ASN or its client is that of another source that guesses the account.
 * Slow guessing (auth.slow_bruteforce) counts for the account and method that were guessed. An
 * admin's key login while a botnet guesses his password is nothing; nor is his password login from
 * where he always is. Cannot see: a password that was guessed elsewhere.
 *
 * Example: 6 failures for alice from 203.0.113.9, then "Accepted password for alice" from there.
 */
#include "../core/core_detect.h"

enum {
	PARAM_GUESSES
};

static bool same_source(const struct detect_ctx *x, const struct event *e)
{
	const struct source *s = x->source;
	uint32_t at = core_ds(x->core, e->time_ns);

	if (source_failures(x, e->time_ns) > x->core->config.failed_logon_threshold)
		return true;
	return s && (ds_within(s->fired_ds, at, DAY_DS) || ds_within(s->alerted_ds, at, DAY_DS));
}

static bool is_secret(enum method m)
{
	return m == METHOD_PASSWORD || m == METHOD_KEYBOARD_INTERACTIVE;
}

/*
 * A day of slow guesses, the last of this very account, by this method: a job with an old password
 * behind the same address taints nobody else's login.
 */
static bool same_slow_source(const struct detect_ctx *x, const struct event *e)
{
	const struct core *c = x->core;
	const struct source *s = x->source;
	const struct session *in = &x->session->pub;
	const struct slow *w = s ? slow_find(c, &s->addr) : NULL;
	uint32_t at = core_ds(c, e->time_ns);

	if (!w || !is_secret(in->method) || !source_tried(c, s, span_of(in->account)))
		return false;
	return window_count(WINDOW_OF((struct window_large *)(uintptr_t)&w->failures), at, DAY_DS) >
	       c->config.detections[DETECTION_auth_slow_bruteforce].params[0];
}

static bool is_guessed_by(const struct detect_ctx *x, const struct account *a, enum method m,
			  uint32_t at)
{
	uint32_t then = a->guessed_ds[m];

	/* One secret asked for in two ways. */
	if (m == METHOD_PASSWORD && a->guessed_ds[METHOD_KEYBOARD_INTERACTIVE] > then)
		then = a->guessed_ds[METHOD_KEYBOARD_INTERACTIVE];
	if (m == METHOD_KEYBOARD_INTERACTIVE && a->guessed_ds[METHOD_PASSWORD] > then)
		then = a->guessed_ds[METHOD_PASSWORD];
	return ds_within(then, at, core_window_ds(x->core));
}

static uint32_t guesses_of_others(const struct detect_ctx *x, const struct event *e)
{
	const struct core *c = x->core;
	const struct session *s = &x->session->pub;
	struct account *a = account_find(c, span_of(s->account));
	uint32_t at = core_ds(c, e->time_ns), all, own = source_failures(x, e->time_ns);
	uint64_t who = hash_account(c, span_of(s->account));

	if (!a || !is_guessed_by(x, a, s->method, at) || known_origin(c, s))
		return 0;
	if (seen_is_learned(c, seen_key(c, SEEN_PLACE, who, &s->origin.addr, s->service)))
		return 0;
	all = window_count(window_exact(c, WINDOW_OF(&a->guesses)), at, core_window_ds(c));
	return all > own ? all - own : 0;
}

static bool looks_like_guessers(const struct detect_ctx *x, const struct event *e)
{
	const struct session *s = &x->session->pub;
	const struct spread *p = spread_find(x->core, span_of(s->account));

	return p && spread_shows(x->core, p, s, e->time_ns);
}

static void remember(const struct detect_ctx *x, const struct event *e)
{
	const struct session *s = &x->session->pub;
	struct core *c = x->core;

	(void)link_get(c, link_key(c, LINK_SOURCE, hash_addr(0, &s->origin.addr)), e->time_ns);
	(void)link_get(c, link_key(c, LINK_IDENTITY, hash_text(0, span_of(s->account))),
		       e->time_ns);
	if (s->key[0])
		(void)link_get(c, link_key(c, LINK_KEY, hash_text(0, span_of(s->key))), e->time_ns);
}

/* The story of that source and account is being told: one more session of it is no news. */
static void join_chain(const struct detect_ctx *x, struct calert *a)
{
	const struct session *s = &x->session->pub;
	const struct link *l =
		link_find(x->core, link_key(x->core, LINK_SOURCE, hash_addr(0, &s->origin.addr)));
	const struct calert *chain = l ? alert_by_id(x->core, l->chain) : NULL;

	if (!chain || chain->pub.state == ALERT_CLOSED ||
	    strcmp(chain->pub.account, s->account) != 0)
		return;
	memcpy(a->pub.part_of, chain->pub.id, ID_TEXT_MAX);
	a->loud = false;
}

static void say_numbers(const struct detect_ctx *x, struct alert *a, uint32_t failures, bool own,
			bool in_window)
{
	uint32_t threshold = x->core->config.failed_logon_threshold;
	struct text t = TEXT_IN(a->numbers);

	if (!in_window) {
		text_add(&t, "%u failures in all, the guessing at most 24h ago", failures);
		return;
	}
	text_add(&t, "%u failures %s %u in ", failures,
		 own ? ">" : ">=", own ? threshold : (unsigned)detect_param(x, PARAM_GUESSES));
	say_duration(&t, x->core->config.time_window_s);
}

static void say(struct detect_ctx *x, struct alert *a, uint32_t failures, bool own, bool in_window)
{
	const struct session *s = &x->session->pub;
	struct text t = TEXT_IN(a->sentence);

	text_quote(&t, span_of(s->account), 48);
	text_add(&t, " logged in over %s from ", service_name(s->service));
	say_from(&t, s);
	text_add(&t, " ");
	say_method(&t, s);
	if (own)
		text_add(&t, " after that source was guessing: %u failures before it got in.",
			 failures);
	else
		text_add(&t,
			 " while other sources guess that account (%u failures), from a place it "
			 "was never seen at.",
			 failures);
	text_add(&t, " If nobody explains it, end the session and change the password.");
	say_numbers(x, a, failures, own, in_window);
}

static void step(struct detect_ctx *x, const struct event *e)
{
	struct fire f = {.severity = SEVERITY_HIGH, .reason = "same-source", .restart = true};
	uint32_t failures;
	struct calert *a;
	bool own, in_window, is_new;

	if (x->session->pub.existing)
		return;
	if (e->kind == EVENT_AUTH_NOTE) {
		/* The log names the key after the kernel has told of the login. */
		if (x->session->pub.anomaly_mask >> x->index & 1)
			remember(x, e);
		return;
	}
	own = same_source(x, e) || same_slow_source(x, e);
	failures = own ? source_failures(x, e->time_ns) : guesses_of_others(x, e);
	in_window = !own || failures > x->core->config.failed_logon_threshold;
	if (!in_window)
		failures = x->source->total; /* it guessed earlier that day, or slowly */
	if (!own && failures < detect_param(x, PARAM_GUESSES))
		return;
	if (!own) {
		f.severity = looks_like_guessers(x, e) ? SEVERITY_HIGH : SEVERITY_MEDIUM;
		f.reason = "other-source";
	}
	f.severity = severity_by_scope(x, f.severity);
	f.first_ns = conn_first(x->conn);
	f.count = 1;
	a = alert_raise(x, e, &f, &is_new);
	if (!a)
		return;
	if (own)
		x->session->pub.failures_before = failures;
	say(x, &a->pub, failures, own, in_window);
	join_chain(x, a);
	if (detect_is_external(x))
		remember(x, e);
}

const struct detection detection_auth_bruteforce_success = {
	.id = "auth.bruteforce_success",
	.number = 1104,
	.severity = SEVERITY_HIGH,
	.scope = DETECT_ALL,
	.stage = "access",
	.title = "A guessed login worked",
	.attack = "T1110 T1078",
	.tactic = "TA0006 TA0001",
	.analytic = "AN1004 AN1005 AN1006",
	.data_components = "User Account Authentication (DC0002); Logon Session Creation (DC0067)",
	.reasons = "same-source other-source",
	.events = EVENT_BIT(SESSION_OPEN) | EVENT_BIT(AUTH_NOTE),
	.params = {{"Guesses", 10, UNIT_COUNT,
		    "failures on the account by other sources before a success counts"}},
	.triage = "Ask the account's owner whether it was them. outergate explain shows what the "
		  "session did.",
	.contain = "End the session, lock the account, change its password, look at its "
		   "authorized_keys.",
	.false_positive = "Somebody who forgot a password and then remembered it.",
	.tune = "FailedLogonThreshold; KnownRemoteIPs does not silence it, on purpose.",
	.mitigation = "M1032 M1036 M1027",
	.step = step,
	.key = KEY_SESSION,
};
