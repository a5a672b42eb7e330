/*
 * chain.t1133: an intruder's whole way in, as one story.
 *
 * Fires when a session from outside did something of medium or above, and it is linked with
 * guessing: its own source was over FailedLogonThreshold, or the source, the identity or the key
 * of the session belongs to a guessed login of the last 7 days; or the login itself is odd enough
 * for a stolen secret: one origin.* of medium or two of low; or nobody asked it for a login
 * (access.shell_without_auth), or it came by an agent that nobody knows; or it used a container API
 * that it should not reach, and had it start something. One alert that grows: what joins it is part
 * of it and is not sent again. A further session joins by source, identity or key. Cannot see: a
 * stolen secret used from where its owner is, at his hours.
 *
 * Example: 6 failures for alice from 203.0.113.9, a login, `tar`, 3 MiB out, ssh to 10.0.0.5.
 */
#include "../core/core_detect.h"

enum {
	LINKS = 3
};

static unsigned link_keys(const struct core *c, const struct session *s, uint64_t keys[LINKS])
{
	unsigned n = 0;

	keys[n++] = link_key(c, LINK_SOURCE, hash_addr(0, &s->origin.addr));
	/* Whoever asks an engine gets its account: that says nothing of who it is. */
	if (is_container_api(s->service) && s->method == METHOD_NO_AUTH)
		keys[n++] = keys[0];
	else
		keys[n++] = link_key(c, LINK_IDENTITY, hash_text(0, span_of(s->account)));
	if (s->key[0])
		keys[n++] = link_key(c, LINK_KEY, hash_text(0, span_of(s->key)));
	return n;
}

static struct link *linked(const struct core *c, const struct session *s)
{
	struct link *found = NULL;
	uint64_t keys[LINKS];

	for (unsigned i = 0, n = link_keys(c, s, keys); i < n; i++) {
		struct link *l = link_find(c, keys[i]);

		if (l && (!found || (l->chain[0] && !found->chain[0])))
			found = l;
	}
	return found;
}

/* The same source or key as a chain's: it is the same intruder, whatever this session does. */
static bool is_same_intruder(const struct detect_ctx *x, const struct calert *chain)
{
	uint64_t keys[LINKS];
	unsigned n = link_keys(x->core, &x->session->pub, keys);

	for (unsigned i = 0; i < n; i++) {
		const struct link *l = i == 1 ? NULL : link_find(x->core, keys[i]); /* 1: account */

		if (l && strcmp(l->chain, chain->pub.id) == 0)
			return true;
	}
	return false;
}

static bool was_guessing(const struct detect_ctx *x)
{
	const struct session *s = &x->session->pub;
	const struct source *source = source_find(x->core, &s->origin.addr);
	uint32_t fired = source ? source->fired_ds : 0;
	uint32_t at = core_ds(x->core, s->open_ns);

	if (s->failures_before > x->core->config.failed_logon_threshold)
		return true;
	return ds_within(fired, at, 7 * DAY_DS);
}

/* One origin.* of medium, or two of low: a stolen secret. */
static bool is_odd(const struct csession *s)
{
	unsigned low = 0;

	for (unsigned i = 0; i < DETECTION_COUNT; i++) {
		if (strncmp(detections[i]->id, "origin.", 7) != 0)
			continue; /* nothing runs in a mailbox's session */
		if (s->worst_by[i] >= SEVERITY_MEDIUM)
			return true;
		low += s->worst_by[i] == SEVERITY_LOW;
	}
	return low >= 2;
}

/* Something of the activity stage, medium or above, fired on that session. */
static bool has_activity(const struct detect_ctx *x)
{
	const struct core *c = x->core;

	for (unsigned i = 0; i < SESSION_ALERTS; i++) {
		const struct calert *a = pool_get(&c->alerts, x->session->alerts[i]);

		if (a && a->pub.severity >= SEVERITY_MEDIUM &&
		    strcmp(a->pub.detection->stage, "activity") == 0)
			return true;
	}
	return false;
}

/* What was typed last says more than what a login shell's profile ran first. */
static void say_commands(struct text *t, const struct session *s)
{
	bool by_hand = s->commands[0].text[0] == '-';
	unsigned kept = s->commands_kept, n = kept < 3 ? kept : 3, from = by_hand ? kept - n : 0;

	if (!n)
		return;
	text_add(t, " ran");
	for (unsigned i = 0; i < n; i++) {
		text_add(t, i ? ", " : " ");
		text_quote(t, span_of(s->commands[from + i].text), 48);
	}
	if (s->commands_total > n)
		text_add(t, by_hand ? " last, %u programs in all" : " and %u more",
			 by_hand ? s->commands_total : s->commands_total - n);
	text_add(t, ";");
}

static void say_onward(struct text *t, const struct session *s)
{
	unsigned told = 0;

	for (unsigned i = 0; i < s->dests_kept && told < 3; i++) {
		const struct session_dest *d = &s->dests[i];

		if (d->service == SERVICE_NONE)
			continue;
		text_add(t, told++ ? ", " : " went on to ");
		say_origin(t, &d->dest, SCOPE_NONE);
		text_add(t, " by ");
		text_plain(t, span_of(d->program), 20);
	}
	if (!told)
		return;
	if (s->dests_total > told)
		text_add(t, " (%u destinations)", s->dests_total);
	text_add(t, ";");
}

/* What it had the engine start. */
static void say_containers(struct text *t, const struct session *s)
{
	for (unsigned i = 0; i < s->handoffs_kept; i++) {
		const struct session_handoff *h = &s->handoffs[i];

		if (!h->to[0])
			continue; /* not a container: none else has a name in such a session */
		text_add(t, h->state == HANDOFF_JOINED ? " started container "
						       : " asked for container ");
		if (strchr(h->what, '('))
			text_plain(t, span_of(h->what), sizeof(h->what)); /* it has a name */
		else if (strchr(h->to, '/'))
			text_plain(t, span_of(h->to), sizeof(h->to)); /* a pod's */
		else
			text_plain(t, span_of(h->to), 12);
		text_add(t, ";");
	}
}

static void say_session(struct text *t, const struct session *s)
{
	if (s->failures_before)
		text_add(t, "After %u failed logins from there, ", s->failures_before);
	say_from(t, s);
	if (is_container_api(s->service)) {
		text_add(t, " used the %s API", service_name(s->service));
		if (s->local.port) /* an audit log names none */
			text_add(t, " on port %u", s->local.port);
		text_add(t, s->method == METHOD_NO_AUTH ? " without a login;" : " as ");
		if (s->method != METHOD_NO_AUTH) {
			text_quote(t, span_of(s->account), 48);
			text_add(t, ";");
		}
		say_containers(t, s);
	} else if (s->service == SERVICE_AGENT) {
		text_add(t, " has a shell of ");
		text_quote(t, span_of(s->account), 32);
		text_add(t, " through ");
		text_quote(t, span_of(s->client), 64);
		text_add(t, ", which went out to it;");
	} else if (s->method == METHOD_NO_AUTH) {
		text_add(t, " got a shell of ");
		text_quote(t, span_of(s->account), 32);
		text_add(t, " on port %u without a login;", s->local.port);
	} else {
		text_add(t, " logged in over %s as ", service_name(s->service));
		text_quote(t, span_of(s->account), 32);
		text_add(t, " ");
		say_method(t, s);
		text_add(t, ";");
	}
	if (s->effective_account[0]) {
		text_add(t, " became ");
		text_quote(t, span_of(s->effective_account), 32);
		text_add(t, ";");
	}
	say_commands(t, s);
	say_onward(t, s);
	if (s->bytes_known) {
		text_add(t, " ");
		say_bytes(t, s->bytes_out);
		text_add(t, " went out to it and ");
		say_bytes(t, s->bytes_in);
		text_add(t, " came in. ");
	} else {
		text_add(t, s->local.port ? " the bytes are not counted yet. "
					  : " bytes: not known. ");
	}
}

static void tell(struct core *c, struct calert *a)
{
	static const char advice[] = "To do: end the session, lock the account, block the source, "
				     "check the hosts it went to.";
	char story[ALERT_SENTENCE_MAX - sizeof(advice)];
	struct text t;

	if (a->prefix) { /* told before a restart; its sessions are only in the store now */
		size_t keep = a->prefix < 320 ? a->prefix : 320;

		span_copy(story, keep + 1, span_of(a->pub.sentence));
		t = text_more(story, sizeof(story));
		text_add(&t, " ... Then: ");
	} else {
		t = TEXT_IN(story);
	}
	for (unsigned i = 0; i < CHAIN_SESSIONS; i++) {
		const struct csession *s = pool_get(&c->sessions, a->chain_sessions[i]);

		if (s)
			say_session(&t, &s->pub);
	}
	t = TEXT_IN(a->pub.sentence);
	text_add(&t, "%s%s", story, advice);
}

/* Once a session: from then on it has the chain's name. */
static void chain_join(struct detect_ctx *x, struct calert *a)
{
	struct core *c = x->core;
	struct handle mine = pool_handle(&c->sessions, pool_slot(&c->sessions, x->session));
	uint64_t keys[LINKS];

	memcpy(x->session->pub.alert_chain, a->pub.id, ID_TEXT_MAX);
	session_changed(c, x->session);
	for (unsigned i = 0, n = link_keys(c, &x->session->pub, keys); i < n; i++) {
		struct link *l = link_get(c, keys[i], c->now_ns);

		memcpy(l->chain, a->pub.id, ID_TEXT_MAX); /* the oldest link made room */
	}
	for (unsigned i = 0; i < CHAIN_SESSIONS; i++) {
		if (pool_get(&c->sessions, a->chain_sessions[i]))
			continue;
		a->chain_sessions[i] = mine;
		break;
	}
}

static bool is_part(const struct calert *a, const struct csession *s)
{
	struct addr source = source_addr(&s->pub.origin.addr), from;
	bool is_guess;

	if (strcmp(a->pub.session, s->pub.id) == 0)
		return true;
	is_guess = a->pub.detection == detections[DETECTION_auth_bruteforce_success] &&
		   strcmp(a->pub.account, s->pub.account) == 0;
	if (a->pub.detection->key != KEY_SOURCE && !is_guess)
		return false;
	from = source_addr(&a->pub.origin.addr);
	return addr_eq(&from, &source);
}

static void take_parts(struct detect_ctx *x, struct calert *chain)
{
	struct core *c = x->core;
	struct calert *a;
	uint32_t at = 0;

	while ((a = alert_next(c, &at))) {
		if (a == chain || a->pub.part_of[0] || !is_part(a, x->session))
			continue;
		memcpy(a->pub.part_of, chain->pub.id, ID_TEXT_MAX);
		if (a->pub.revision == 0)
			continue; /* it fires in this very step: it is sent, then part of it */
		a->loud = false;
		alert_changed(c, a, false);
	}
}

static void numbers(struct calert *a, const struct session *s)
{
	struct text t = TEXT_IN(a->pub.numbers);

	text_add(&t, "%u failures before, %u programs, %u destinations", s->failures_before,
		 s->commands_total, s->dests_total);
}

static void grow(struct detect_ctx *x, const struct event *e, struct calert *a)
{
	struct fire f = {.severity = SEVERITY_HIGH, .reason = "", .count = 1};

	alert_grow(x, e, &f, a, false);
	chain_join(x, a);
	alert_changed(x->core, a, true); /* a new stage of the story */
	take_parts(x, a);
	tell(x->core, a);
	numbers(a, &x->session->pub);
}

static void start(struct detect_ctx *x, const struct event *e, const char *reason)
{
	struct fire f = {.severity = SEVERITY_HIGH, .reason = reason, .count = 1};
	struct calert *a;
	bool is_new;

	f.first_ns = conn_first(x->conn);
	a = alert_raise(x, e, &f, &is_new);
	if (!a)
		return;
	a->keep_ns = LINK_KEPT_NS;
	chain_join(x, a);
	take_parts(x, a);
	tell(x->core, a);
	numbers(a, &x->session->pub);
}

/* It is told already: its story goes on. Sent again only for a new stage. */
static void go_on(struct detect_ctx *x, const struct event *e, struct calert *a)
{
	uint64_t stage = x->session->pub.anomaly_mask & ~x->session->chain_stages;
	uint64_t own = 1ull << (x->index & 63);

	alert_seen(a, e->time_ns);
	tell(x->core, a);
	numbers(a, &x->session->pub);
	if (stage & ~own)
		alert_changed(x->core, a, true);
	else if (e->kind == EVENT_CONNECTION_CLOSE)
		alert_changed(x->core, a, true); /* its bytes are final */
	else if (e->kind == EVENT_SESSION_CLOSE || e->kind == EVENT_AUTH_NOTE)
		alert_changed(x->core, a, false);
	else
		alert_grew(x->core, a, false);
}

static struct calert *chain_of(const struct detect_ctx *x, const struct link *l)
{
	const char *id = x->session->pub.alert_chain;
	struct calert *a;

	if (!id[0])
		id = l ? l->chain : "";
	a = id[0] ? alert_by_id(x->core, id) : NULL;
	return a && a->pub.state != ALERT_CLOSED ? a : NULL;
}

static void step(struct detect_ctx *x, const struct event *e)
{
	struct link *l;
	struct calert *a;
	bool in_chain;

	if (!x->session || !detect_is_external(x))
		return;
	in_chain = x->session->pub.alert_chain[0];
	l = linked(x->core, &x->session->pub);
	a = chain_of(x, l);
	if (in_chain) {
		if (a)
			go_on(x, e, a);
	} else if (!has_activity(x) && !(a && is_same_intruder(x, a))) {
		return;
	} else if (a) {
		grow(x, e, a);
	} else if (was_guessing(x) || l) {
		start(x, e, "guessed");
	} else if (x->session->worst_by[DETECTION_container_api_external] >= SEVERITY_MEDIUM) {
		start(x, e, "api");
	} else if (x->session->pub.method == METHOD_NO_AUTH) {
		start(x, e, "no-auth");
	} else if (x->session->worst_by[DETECTION_access_agent_session] >= SEVERITY_HIGH) {
		start(x, e, "agent");
	} else if (is_odd(x->session)) {
		start(x, e, "stolen");
	}
	x->session->chain_stages = x->session->pub.anomaly_mask;
}

const struct detection detection_chain_t1133 = {
	.id = "chain.t1133",
	.number = 1901,
	.severity = SEVERITY_HIGH,
	.scope = DETECT_EXTERNAL,
	.stage = "chain",
	.title = "An intruder came in by an external remote service and went on",
	.attack = "T1133 T1110 T1078 T1021",
	.tactic = "TA0001 TA0006 TA0008",
	.analytic = "AN1004 AN1005 AN1007",
	.data_components = "Logon Session Creation (DC0067); User Account Authentication (DC0002); "
			   "Network Connection Creation (DC0082); Process Creation (DC0032)",
	.reasons = "guessed no-auth stolen api agent",
	.events = EVENT_BIT(SESSION_OPEN) | EVENT_BIT(AUTH_NOTE) | EVENT_BIT(EXEC) |
		  EVENT_BIT(CONNECT) | EVENT_BIT(CONNECT_CLOSE) | EVENT_BIT(BYTES) |
		  EVENT_BIT(CONNECTION_CLOSE) | EVENT_BIT(SESSION_CLOSE) | EVENT_BIT(ATTEMPT) |
		  EVENT_BIT(FILE) | EVENT_BIT(API),
	.triage = "Read the story; its parts are outergate alerts with part_of set to this id.",
	.contain = "End the session, lock the account and change its secrets, block the source, "
		   "look at every host it went on to.",
	.false_positive = "Somebody who forgot a password, then logged in and went to a host they "
			  "never went to from here.",
	.tune = "ExpectedOnward for the way on; nothing silences a guessed login.",
	.mitigation = "M1032 M1035 M1030 M1036",
	.step = step,
	.key = KEY_CHAIN,
};
