/*
 * origin.new_device: a network card that was never seen reaches a remote service from this host's
 * own network, or a known address has another card.
 *
 * Sees the hardware address that the neighbour table has for an inside origin when a session opens;
 * who comes through a router has none there, but a DHCP server's lease may tell (such an address
 * has another card in turn, which is no change). In the first LearningDays of watching it is info
 * and marked as learning. A card is known from its first session on. Cannot see: IPv6 neighbours; a
 * card that takes the hardware address of another; other hosts' neighbours, in a replay of their
 * logs.
 *
 * Example: 10.20.0.2, for weeks 52:54:00:aa:00:01, logs in as 52:54:00:bb:00:07.
 */
#include "../core/core_detect.h"

enum {
	PARAM_DAYS
};

static void say(struct alert *a, const struct session *s, struct span mac,
		const struct device_lease *lease, bool has_changed, unsigned watched)
{
	struct text t = TEXT_IN(a->sentence);

	say_login(&t, s);
	text_add(&t, has_changed ? "; that address has another network card than before (now "
				 : ", with a network card that was never seen (");
	text_plain(&t, mac, 20);
	if (lease) {
		text_add(&t, ", as a DHCP lease says");
		text_add(&t, lease->name[0] ? ", called " : "");
		text_plain(&t, span_of(lease->name), sizeof(lease->name));
	}
	text_add(&t, a->learning ? "); the network is still being learned." : ").");
	t = TEXT_IN(a->numbers);
	text_add(&t, watched == 1 ? "%u day of watching" : "%u days of watching", watched);
}

static void step(struct detect_ctx *x, const struct event *e)
{
	struct fire f = {.severity = SEVERITY_LOW, .count = 1};
	const struct device_lease *lease = NULL;
	const struct addr *from;
	struct device_word w;
	struct span mac = e->mac;
	struct calert *a;
	bool is_new, learning;

	if (x->session->pub.existing || detect_is_external(x))
		return;
	from = &x->session->pub.origin.addr;
	if (span_empty(mac))
		lease = device_lease_of(x->core, from, e->time_ns);
	if (lease)
		mac = span_of(lease->mac);
	w = device_note(x->core, from, mac, core_day(e->time_ns));
	if (lease)
		w.has_changed = false;
	if (!w.is_new && !w.has_changed)
		return;
	learning = w.watched_days < detect_param(x, PARAM_DAYS);
	if (learning)
		f.severity = SEVERITY_INFO;
	f.quiet = learning;
	f.reason = w.has_changed ? "changed" : "new";
	a = alert_raise(x, e, &f, &is_new);
	if (!a)
		return;
	a->pub.learning = learning;
	say(&a->pub, &x->session->pub, mac, lease, w.has_changed, w.watched_days);
}

const struct detection detection_origin_new_device = {
	.id = "origin.new_device",
	.number = 1407,
	.severity = SEVERITY_LOW,
	.scope = DETECT_ALL,
	.stage = "anomaly",
	.title = "A network card never seen before, from the own network",
	.attack = "T1078",
	.tactic = "TA0001",
	.analytic = "AN1004",
	.data_components = "Logon Session Metadata (DC0088)",
	.reasons = "new changed",
	.events = EVENT_BIT(SESSION_OPEN),
	.params = {{"LearningDays", 14, UNIT_COUNT, "days until the network's cards are known"}},
	.triage =
		"Whose computer is it, and where is it plugged in? The switch and the DHCP server "
		"know.",
	.contain = "Take the port or the wireless client off the network, end the session.",
	.false_positive = "A new computer, a new network card, a virtual machine that was made "
			  "anew; addresses that DHCP gives in turn.",
	.tune = "An exception for the addresses that DHCP gives (origin, reason: changed).",
	.mitigation = "M1035 M1030",
	.step = step,
	.key = KEY_SOURCE_REASON,
};
