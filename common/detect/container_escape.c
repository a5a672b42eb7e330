/*
 * container.escape: what somebody outside had a container run reaches the host itself.
 *
 * Sees a program that enters the host's namespaces or root (nsenter, chroot), and files of the host
 * by which one can come back that such a process changed (keys, cron, units, accounts).
 * Cannot see: reading; other files; an exploit of the kernel by itself, before it does either.
 *
 * Example: in a container with "/:/host": echo KEY >> /host/root/.ssh/authorized_keys
 */
#include "../core/core_detect.h"

static bool is_way_in(struct span name)
{
	return span_is(name, "nsenter") || span_is(name, "chroot");
}

static bool enters_host(const struct event *e)
{
	struct span name = span_base(e->program), args = e->args, word;

	/* busybox and its like are told apart by their first words */
	for (unsigned i = 0; i < 2 && span_is(name, "busybox") && span_cut_arg(&args, &word); i++)
		name = span_base(word);
	return is_way_in(name);
}

static void step(struct detect_ctx *x, const struct event *e)
{
	struct fire f = {.severity = SEVERITY_CRITICAL, .count = 1};
	struct calert *a;
	struct text t;
	bool is_new;

	if (!is_container_api(x->session->pub.service))
		return;
	if (e->kind == EVENT_EXEC && !enters_host(e))
		return;
	f.reason = e->kind == EVENT_FILE ? "file" : "namespace";
	a = alert_raise(x, e, &f, &is_new);
	if (!is_new)
		return;
	t = TEXT_IN(a->pub.sentence);
	text_add(&t, "A container that ");
	say_from(&t, &x->session->pub);
	text_add(&t, " had started reaches this host: ");
	if (e->kind == EVENT_FILE) {
		text_add(&t, "it changed ");
		text_quote(&t, e->path, 120);
	} else {
		text_add(&t, "it runs ");
		text_quote(&t, span_base(e->program), 32);
	}
	text_add(&t, ".");
	t = TEXT_IN(a->pub.numbers);
	text_add(&t, "%u programs of it", x->session->pub.commands_total);
}

const struct detection detection_container_escape = {
	.id = "container.escape",
	.number = 1704,
	.severity = SEVERITY_CRITICAL,
	.scope = DETECT_ALL,
	.stage = "activity",
	.title = "A container started from outside reaches its host",
	.attack = "T1611",
	.tactic = "TA0004",
	.analytic = "AN1007",
	.data_components = "Process Creation (DC0032); File Modification (DC0061)",
	.reasons = "file namespace",
	.events = EVENT_BIT(EXEC) | EVENT_BIT(FILE),
	.triage = "Take the host for lost: what did it change, and who has logged in since?",
	.contain = "Cut the host off, keep the container and its image, rebuild the host.",
	.false_positive =
		"None that is known: nobody outside AllowedCIDRs should start a container.",
	.tune = "AllowedCIDRs lists who may use the API.",
	.mitigation = "M1048 M1026 M1035",
	.step = step,
	.key = KEY_SESSION,
};
