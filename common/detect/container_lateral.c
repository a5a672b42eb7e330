/*
 * container.lateral: what somebody outside had a container run goes on: to another host's
 * remote-access or cluster port, or to the cloud's metadata service.
 *
 * Sees connections of processes that joined an API's session by their container.
 * Cannot see: UDP; what goes through a proxy inside the cluster.
 *
 * Example: in a container that 203.0.113.10 had created, `nc 10.20.0.2 22`.
 */
#include "../core/core_detect.h"

static const uint16_t ports[] = {22, 2375, 2376, 2379, 3389, 5985, 6443, 10250, 10255};

static bool is_metadata(const struct addr *a)
{
	static const struct addr v4 = {.family = ADDR_V4, .bytes = {169, 254, 169, 254}};
	static const struct addr v6 = {.family = ADDR_V6,
				       .bytes = {0xfd, 0, 0x0e, 0xc2, [14] = 2, [15] = 0x54}};

	return addr_eq(a, &v4) || addr_eq(a, &v6);
}

static bool is_way_on(const struct endpoint *to)
{
	if (is_metadata(&to->addr))
		return true;
	for (size_t i = 0; i < sizeof(ports) / sizeof(ports[0]); i++)
		if (to->port == ports[i])
			return true;
	return false;
}

static void step(struct detect_ctx *x, const struct event *e)
{
	struct fire f = {.severity = SEVERITY_HIGH, .reason = "", .count = 1};
	struct calert *a;
	struct text t;
	bool is_new;

	if (!is_container_api(x->session->pub.service) || !(e->flags & EVENT_ESTABLISHED) ||
	    !is_way_on(&e->dest))
		return;
	a = alert_raise(x, e, &f, &is_new);
	if (!is_new)
		return;
	t = TEXT_IN(a->pub.sentence);
	text_add(&t, "A container that ");
	say_from(&t, &x->session->pub);
	text_add(&t, " had started goes on to ");
	say_origin(&t, &e->dest, SCOPE_NONE);
	text_add(&t, is_metadata(&e->dest.addr) ? " (the cloud's metadata) by " : " by ");
	text_quote(&t, e->program, 32);
	text_add(&t, ".");
	t = TEXT_IN(a->pub.numbers);
	text_add(&t, "%u destinations", x->session->pub.dests_total);
}

const struct detection detection_container_lateral = {
	.id = "container.lateral",
	.number = 1703,
	.severity = SEVERITY_HIGH,
	.scope = DETECT_ALL,
	.stage = "activity",
	.title = "A container started from outside goes on to other hosts",
	.attack = "T1021",
	.tactic = "TA0008",
	.analytic = "AN1007",
	.data_components = "Network Connection Creation (DC0082)",
	.reasons = "",
	.events = EVENT_BIT(CONNECT),
	.triage = "Which host, which port, and did anything log in there?",
	.contain = "Stop the container; look at the host it reached; change the secrets it could "
		   "read.",
	.false_positive =
		"None that is known: nobody outside AllowedCIDRs should start a container.",
	.tune = "AllowedCIDRs lists who may use the API.",
	.mitigation = "M1030 M1035",
	.step = step,
	.key = KEY_SESSION,
};
