/*
 * cloud.no_ddos_protection: a network in a cloud got an address of the internet that nobody
 * protects from floods.
 *
 * Sees Yandex Cloud's audit trails. Cannot see: addresses that a machine is given as it is created;
 * protection that is turned on or off later; what filters before the cloud.
 *
 * Example: alice creates 198.51.100.7 without a provider of DDoS protection.
 */
#include "../core/core_detect.h"

static void say(const struct event *e, struct alert *a)
{
	struct text t = TEXT_IN(a->sentence);
	char addr[ADDR_TEXT_MAX];

	text_add(&t, "The public address %s (", addr_format(&e->dest.addr, addr));
	text_quote(&t, e->subject, 48);
	text_add(&t, ") was created without DDoS protection");
	if (!span_empty(e->account)) {
		text_add(&t, " by ");
		text_quote(&t, e->account, 48);
	}
	if (e->origin.addr.family) {
		text_add(&t, " from ");
		say_from_geo(&t, &e->origin, a->scope, &a->geo);
	}
	text_add(&t, ": who is reached there can be flooded.");
	t = TEXT_IN(a->numbers);
	text_add(&t, "no ddos_protection_provider");
}

static void step(struct detect_ctx *x, const struct event *e)
{
	struct fire f = {.severity = SEVERITY_LOW, .count = e->count};
	struct calert *a;
	bool is_new;

	if (!span_empty(e->gate.reason))
		return;
	a = alert_raise(x, e, &f, &is_new);
	if (a)
		say(e, &a->pub);
}

const struct detection detection_cloud_no_ddos_protection = {
	.id = "cloud.no_ddos_protection",
	.number = 1902,
	.severity = SEVERITY_LOW,
	.scope = DETECT_ALL,
	.stage = "finding",
	.title = "A public address was created in the cloud without DDoS protection",
	.attack = "T1133",
	.tactic = "TA0001 TA0003",
	.analytic = "AN1004 AN1005",
	.data_components = "Cloud Service Modification (DC0069)",
	.reasons = "",
	.events = EVENT_BIT(CLOUD_ADDRESS),
	.triage = "What is to be reached at that address, and does whoever created it know that "
		  "it is open to the internet?",
	.contain = "Delete the address, or create one with protection.",
	.false_positive = "An address for outgoing connections alone; a protection of somebody "
			  "else's before it.",
	.tune = "An exception for the account; Mode observe where protection is bought elsewhere.",
	.mitigation = "M1037 M1035",
	.step = step,
	.key = KEY_EXPOSURE,
};
