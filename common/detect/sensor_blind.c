/*
 * sensor.blind: something that should be seen is not.
 *
 * Sees: at least so many connections of one watched listener past the banner, or over 10 s old,
 * with no evidence of any login on that listener in TimeWindow; and what the agent says about its
 * own probes ("probe-missing: ...").
 * Cannot see: blindness on a listener nobody connects to.
 *
 * Example: sshd moved to a statically linked build: 20 logins, no PAM call, no log line.
 */
#include "../core/core_detect.h"

enum {
	PARAM_CONNECTIONS
};

/* The word before ':' if the row lists it; else NULL. */
static const char *listed_reason(struct span text)
{
	static const char *const listed[] = {
		"audit-policy-off", "log-cleared",	"etw-lost",    "origin-hidden",
		"probe-missing",    "container-libpam", "no-evidence",
	};

	for (size_t i = 0; i < sizeof(listed) / sizeof(listed[0]); i++)
		if (span_starts(text, span_of(listed[i])))
			return listed[i];
	return NULL;
}

static void from_sensor(struct detect_ctx *x, const struct event *e)
{
	struct fire f = {.severity = SEVERITY_MEDIUM, .count = 1, .by_listener = true};
	struct calert *a;
	struct text t;
	bool is_new;

	f.reason = listed_reason(e->text);
	if (!f.reason)
		return; /* news of a sensor that is well */
	a = alert_raise(x, e, &f, &is_new);
	if (!a)
		return;
	t = TEXT_IN(a->pub.sentence);
	text_add(&t, "A part of the sensor is blind: ");
	text_plain(&t, e->text, 400);
	if (!span_empty(e->subject)) { /* Windows: which log, and by whom */
		text_add(&t, " (");
		text_plain(&t, e->subject, 80);
		text_add(&t, ")");
	}
	if (!span_empty(e->account)) {
		text_add(&t, ", by ");
		text_quote(&t, e->account, 48);
	}
	text_add(&t, ".");
	t = TEXT_IN(a->pub.numbers);
	if (strcmp(f.reason, "no-evidence") != 0) {
		text_add(&t, a->pub.count == 1 ? "%u time" : "%u times", (unsigned)a->pub.count);
		return;
	}
	text_add(&t, "%u shells or terminals that no login explains > 0", (unsigned)a->pub.count);
}

static void from_silence(struct detect_ctx *x, const struct event *e)
{
	struct fire f = {.severity = SEVERITY_MEDIUM,
			 .restart = true,
			 .count = e->count,
			 .by_listener = true};
	struct calert *a;
	struct text t;
	bool is_new;

	f.reason = "no-evidence";
	if (f.count < detect_param(x, PARAM_CONNECTIONS))
		return;
	a = alert_raise(x, e, &f, &is_new);
	if (!a)
		return;
	t = TEXT_IN(a->pub.sentence);
	text_add(&t,
		 "%u connections to port %u talked, and neither PAM nor a log said who: "
		 "logins there would not be seen.",
		 (unsigned)f.count, x->conn->local.port);
	t = TEXT_IN(a->pub.numbers);
	text_add(&t, "%u connections >= %u without evidence in ", (unsigned)f.count,
		 (unsigned)detect_param(x, PARAM_CONNECTIONS));
	say_duration(&t, x->core->config.time_window_s);
}

static void step(struct detect_ctx *x, const struct event *e)
{
	if (e->kind == EVENT_SENSOR)
		from_sensor(x, e);
	else /* core_conns.c counts them */
		from_silence(x, e);
}

const struct detection detection_sensor_blind = {
	.id = "sensor.blind",
	.number = 1002,
	.severity = SEVERITY_MEDIUM,
	.scope = DETECT_HOST,
	.stage = "sensor",
	.title = "A sensor does not see what it should",
	.attack = "T1562 T1070.001",
	.tactic = "TA0005",
	.analytic = "AN1004 AN1005",
	.data_components = "Host Status (DC0018)",
	.reasons = "no-evidence audit-policy-off log-cleared etw-lost origin-hidden probe-missing "
		   "container-libpam",
	.events = EVENT_BIT(SENSOR),
	.params = {{"Connections", 20, UNIT_COUNT,
		    "connections of a listener past the banner or over 10 s without evidence"}},
	.triage = "outergate status and outergate probe say what is hooked and what is missing.",
	.contain = "Treat logins since the first of these connections as unknown; read the "
		   "service's own log.",
	.false_positive = "A port scanner that holds connections open on a listener nobody logs "
			  "in to.",
	.tune = "Raise Connections, or take the port out of WatchPorts.",
	.mitigation = "M1047",
	.step = step,
	.key = KEY_REASON,
};
