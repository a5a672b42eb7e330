/*
 * activity.exfiltration: a session sends more than it has reason to.
 *
 * Sees the bytes out over the accepted connection, every few seconds while it is open, and those
 * of the session's own connections to other hosts; forwarded traffic (ssh -L, -R) counts once,
 * since only what leaves is counted. Fires above max(MinBytes, TimesP95 times what 95 % of the
 * identity's clean sessions sent; core_profile.c); high when something else of medium or above
 * fired on the session; info for an account of ExpectedAutomation whose habit is not known yet: a
 * backup's first nights. Told again when it doubles, and when the connection closes.
 * Cannot see: what was in it, and the sizes before compression; a theft in small pieces over many
 * sessions; connections that a session's process held before the agent saw it.
 *
 * Example: alice from 203.0.113.10 sent 300 MiB > 256 MiB.
 */
#include "../core/core_detect.h"

enum {
	PARAM_MIN,
	PARAM_TIMES
};

struct verdict {
	uint64_t sent, usual, limit;
};

static struct verdict weigh(const struct detect_ctx *x)
{
	uint64_t identity = session_identity(x->core, &x->session->pub);
	uint64_t min = detect_param(x, PARAM_MIN), times = detect_param(x, PARAM_TIMES);
	struct verdict v = {.sent = session_sent(x->session)};

	if (v.sent <= min)
		return (struct verdict){.sent = v.sent, .limit = min};
	v.usual = profile_p95(x->core, identity);
	v.limit = v.usual && times > UINT64_MAX / v.usual ? UINT64_MAX : v.usual * times;
	if (v.limit < min)
		v.limit = min;
	return v;
}

static void say(const struct detect_ctx *x, struct alert *a, const struct verdict *v)
{
	const struct session *s = &x->session->pub;
	struct text t = TEXT_IN(a->sentence);

	text_quote(&t, span_of(s->account), 48);
	text_add(&t, " from ");
	say_from(&t, s);
	text_add(&t, " sent ");
	say_bytes(&t, v->sent);
	text_add(&t, ": ");
	say_bytes(&t, s->bytes_out);
	text_add(&t, " over its own connection, ");
	say_bytes(&t, v->sent - s->bytes_out);
	text_add(&t, " to other hosts");
	if (v->usual) {
		text_add(&t, "; nearly all of its sessions send at most about ");
		say_bytes(&t, v->usual);
	}
	text_add(&t, ".");
	if (v->sent <= v->limit)
		return; /* more is usual by now: the numbers that made it fire stay */
	t = TEXT_IN(a->numbers);
	text_add(&t, "%llu bytes out > %llu", (unsigned long long)v->sent,
		 (unsigned long long)v->limit);
	if (v->limit > detect_param(x, PARAM_MIN))
		text_add(&t, " (%llu times the usual)",
			 (unsigned long long)detect_param(x, PARAM_TIMES));
}

/* Its numbers moved; not sent for that. */
static void revise(struct detect_ctx *x, const struct event *e, struct calert *a,
		   const struct verdict *v)
{
	bool is_last = e->kind == EVENT_CONNECTION_CLOSE;

	if (!is_last && v->sent / 2 < x->session->told_sent)
		return;
	x->session->told_sent = v->sent;
	alert_seen(a, e->time_ns);
	say(x, &a->pub, v);
	alert_changed(x->core, a, false);
}

static bool has_own_severity(const struct detect_ctx *x)
{
	return x->core->config.detections[x->index].has_severity;
}

static void step(struct detect_ctx *x, const struct event *e)
{
	struct fire f = {.severity = SEVERITY_MEDIUM, .reason = "", .count = 1};
	struct calert *a;
	struct verdict v;
	bool is_new;

	if (!x->session)
		return;
	v = weigh(x);
	a = alert_find(x, e, &f);
	if (v.sent <= v.limit && !a)
		return;
	if (session_worst_but(x->session, x->index) >= SEVERITY_MEDIUM)
		f.severity = SEVERITY_HIGH;
	else if (!v.usual && expected_automation(x->core, &x->session->pub))
		f.severity = SEVERITY_INFO;
	f.severity = severity_by_scope(x, f.severity);
	if (a && (has_own_severity(x) || a->pub.severity >= f.severity)) {
		revise(x, e, a, &v);
		return;
	}
	f.count = a ? 0 : 1; /* the same bytes, worse company */
	a = alert_raise(x, e, &f, &is_new);
	if (!a)
		return;
	x->session->told_sent = v.sent;
	say(x, &a->pub, &v);
}

const struct detection detection_activity_exfiltration = {
	.id = "activity.exfiltration",
	.number = 1305,
	.severity = SEVERITY_MEDIUM,
	.scope = DETECT_ALL,
	.stage = "activity",
	.title = "A remote session sends unusually much",
	.attack = "T1048 T1041",
	.tactic = "TA0010",
	.analytic = "AN1004 AN1005",
	.data_components = "Network Traffic Flow (DC0078); Logon Session Metadata (DC0088)",
	.reasons = "",
	.events = EVENT_BIT(BYTES) | EVENT_BIT(CONNECT_CLOSE) | EVENT_BIT(CONNECTION_CLOSE),
	.params = {{"MinBytes", 256 << 20, UNIT_BYTES, "more than this in one session"},
		   {"TimesP95", 5, UNIT_COUNT,
		    "... and this many times what 95 % of the identity's sessions send"}},
	.triage = "What did the session run and where did the bytes go? See its destinations.",
	.contain = "End the session, lock the account, find out what it could read.",
	.false_positive = "A backup, a mirror, a desktop over X11, a large deployment; a habit is "
			  "learned after five clean sessions.",
	.tune = "MinBytes and TimesP95, or an exception for the account and address of the backup.",
	.mitigation = "M1057 M1031 M1037",
	.step = step,
	.key = KEY_SESSION,
};
