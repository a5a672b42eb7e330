/*
 * sensor.loss: records were lost: how many, of what, where.
 *
 * Sees what the rings, the journal and the file tail count as lost. Cannot see what was in them;
 * that is why it is told.
 *
 * Example: 312 records lost: exec, bulk ring full
 */
#include "../core/core_detect.h"

static void step(struct detect_ctx *x, const struct event *e)
{
	struct fire f = {.severity = SEVERITY_MEDIUM,
			 .count = e->count ? e->count : 1,
			 .reason = "",
			 .by_listener = true};
	struct calert *a;
	struct text t;
	bool is_new;

	a = alert_raise(x, e, &f, &is_new);
	if (!a)
		return;
	t = TEXT_IN(a->pub.sentence);
	text_add(&t, "%llu records were lost", (unsigned long long)a->pub.count);
	if (!span_empty(e->text)) {
		text_add(&t, "; lately: ");
		text_plain(&t, e->text, 300);
	}
	text_add(&t, ". What they told is not in any alert.");
	t = TEXT_IN(a->pub.numbers);
	text_add(&t, "%llu records", (unsigned long long)a->pub.count);
}

const struct detection detection_sensor_loss = {
	.id = "sensor.loss",
	.number = 1003,
	.severity = SEVERITY_MEDIUM,
	.scope = DETECT_HOST,
	.stage = "sensor",
	.title = "Records were lost",
	.attack = "T1562",
	.tactic = "TA0005",
	.analytic = "AN1004 AN1005",
	.data_components = "Host Status (DC0018)",
	.reasons = "",
	.events = EVENT_BIT(LOSS),
	.triage = "outergate status counts losses by kind; a flood of connections or programs at "
		  "that "
		  "time explains them.",
	.contain = "Look at the time of the loss in the services' own logs.",
	.false_positive = "An overloaded host.",
	.tune = "Give the agent more CPU, or watch fewer listeners.",
	.mitigation = "M1047",
	.step = step,
	.key = KEY_REASON,
};
