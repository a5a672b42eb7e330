/*
 * access.loopback_forwarded: a remote service reached by a tunnel that ends on this host.
 *
 * Sees that the process which owns the client end of a loopback connection to a remote service
 * holds a connection to an outside host which it opened itself: by that structure, never by its
 * name. Reason masquerade (critical): it calls itself a daemon of the system, or a thread of the
 * kernel, which it is not (core_masquerade.c). The alert's origin is that outside host; one alert a
 * host. On Windows a logon over Remote Desktop from 127.0.0.1 is told even where no record tells of
 * the process (core_loops.c); medium where the process is known and leads nowhere. Cannot see: a
 * tunnel whose two ends are held by different processes; an outer end over UDP. A process that had
 * accepted the outer connection is a local proxy: its peer is the session's origin (core_tunnels.c)
 * and nothing fires here.
 *
 * Example: 'ssh' (ssh -R 2222:localhost:22 relay) is connected to 198.51.100.7:443 and reaches
 * ssh on port 22.
 */
#include "../core/core_detect.h"
#include "../core/core_masquerade.h"

/* A logon on Windows of which no record tells the tunnel, or not where it leads. */
static void say_unknown(struct text *t, const struct event *e)
{
	text_add(t, "Somebody logged in over %s from this host itself, ", service_name(e->service));
	if (span_empty(e->program)) {
		text_add(t, "as a tunnel does: which process forwards it no record tells.");
		return;
	}
	text_add(t, "through ");
	text_quote(t, e->program, 32);
	text_add(t, " (pid %u): where that leads no record tells.", e->proc.pid);
}

static void say_tunnel(struct text *t, const struct event *e)
{
	text_add(t, "Somebody reaches %s on port %u of this host over loopback, through ",
		 e->service ? service_name(e->service) : "a remote service", e->local.port);
	text_quote(t, e->program, 32);
	text_add(t, " (pid %u", e->proc.pid);
	if (!e->win.id)
		text_add(t, ", uid %u", e->uid);
	text_add(t, "), which is connected to ");
	text_addr(t, &e->dest.addr);
	text_add(t, ":%u outside: a tunnel around the firewall.", e->dest.port);
}

static void say(struct alert *a, const struct event *e, struct span mask)
{
	struct text t = TEXT_IN(a->sentence);

	if (e->dest.addr.family)
		say_tunnel(&t, e);
	else
		say_unknown(&t, e);
	if (!span_empty(mask)) {
		text_add(&t, " It calls itself ");
		text_quote(&t, mask, 32);
		text_add(&t, ", but its program is ");
		text_quote(&t, e->path, 80);
		text_add(&t, ".");
	}
	say_command(&t, e->args);
	t = TEXT_IN(a->numbers);
	text_add(&t, e->dest.addr.family ? "1 outer connection that it opened itself"
					 : "a logon from 127.0.0.1");
}

static void step(struct detect_ctx *x, const struct event *e)
{
	struct fire f = {.severity = SEVERITY_HIGH, .reason = "", .count = 1};
	const struct scope_rules *rules = &x->core->config.scope;
	struct csession *s = x->session;
	struct span mask = e->win.id ? windows_masquerades_as(x->core, e->path)
				     : masquerades_as(e->program, e->args, e->path);
	bool leads_outside = scope_counts_as_external(scope_of(&e->dest.addr, rules), rules);
	struct event outer = *e;
	struct calert *a;
	bool is_new;

	if ((e->flags & EVENT_ACCEPTED) || (!leads_outside && !e->win.id))
		return;
	if (!leads_outside && !span_empty(e->program))
		f.severity = SEVERITY_MEDIUM; /* it may be a client that somebody here uses */
	if (!span_empty(mask)) {
		f.severity = SEVERITY_CRITICAL;
		f.reason = "masquerade";
	}
	if (leads_outside) /* the far end; who sits behind it is not to be seen from here */
		outer.origin = e->dest;
	x->conn = NULL;
	x->session = NULL;
	a = strcmp(x->reason, "session") == 0 ? alert_find(x, &outer, &f)
					      : alert_raise(x, &outer, &f, &is_new);
	if (!a)
		return;
	if (s) {
		memcpy(a->pub.session, s->pub.id, sizeof(a->pub.session));
		alert_grew(x->core, a, false);
	}
	say(&a->pub, e, mask);
}

const struct detection detection_access_loopback_forwarded = {
	.id = "access.loopback_forwarded",
	.number = 1203,
	.severity = SEVERITY_HIGH,
	.scope = DETECT_LOOPBACK,
	.stage = "access",
	.title = "A remote service reached through a tunnel",
	.attack = "T1572 T1090.003",
	.tactic = "TA0011",
	.analytic = "AN1005",
	.data_components = "Network Connection Creation (DC0082); Process Creation (DC0032)",
	.reasons = "masquerade",
	.events = EVENT_BIT(LOOPBACK),
	.triage = "Who started that process, when, and does anybody know the outside host? Look at "
		  "the sessions from 127.0.0.1 since then.",
	.contain = "End the process, block the outside host, and look for what starts it again "
		   "(units, cron, authorized_keys).",
	.false_positive = "A support tunnel that was agreed on; a tool that checks a login on this "
			  "host and reports elsewhere.",
	.tune = "An exception with the outside host as origin, its reason and an end.",
	.mitigation = "M1037 M1042",
	.step = step,
	.asked = true, /* by core_tunnels.c */
	.key = KEY_SOURCE,
};
