/*
 * activity.external_vpn: a process of this host joins an outside VPN or a remote access service.
 *
 * Sees TCP connections to outside addresses by tools known by their name (OpenVPN, Tailscale,
 * cloudflared, ngrok, TeamViewer, AnyDesk, RustDesk, frp, chisel, Tor ...), or to ports that are
 * theirs alone. Once for each program and tool in 180 days. Such a tool lets people in from the
 * outside without an open port, and things out past the firewall. Over UDP what a client of
 * OpenVPN, WireGuard or IKE says first (a server's answers are not), and anything of tools that
 * have no servers here, in the cgroup of a program with the name of such a tool during the first
 * minute of it or of the agent; and a WireGuard peer that everything is sent to. Cannot see: over
 * UDP a tool under another name elsewhere; SSTP's own words, which are inside TLS (its client is
 * known by its name); a tool under another name on port 443 (what it does is seen by
 * access.loopback_forwarded and access.agent_session).
 *
 * Example: '/usr/local/bin/cloudflared' of uid 33 is connected to 198.51.100.7:7844.
 */
#include "../core/core_detect.h"

static void step(struct detect_ctx *x, const struct event *e)
{
	const struct scope_rules *rules = &x->core->config.scope;
	struct fire f = {.severity = SEVERITY_MEDIUM, .reason = "", .count = 1};
	const char *by, *tool = outward_tool(e, &by);
	struct calert *a;
	uint32_t days;
	struct text t;

	if (!tool || !scope_counts_as_external(scope_of(&e->dest.addr, rules), rules) ||
	    !outward_is_new(x->core, SEEN_TOOL, e, hash_text(1, span_of(tool)), &days))
		return;
	f.reason = by;
	a = outward_raise(x, e, &f, true);
	if (!a)
		return;
	t = TEXT_IN(a->pub.sentence);
	say_outward(&t, x, e);
	text_add(&t,
		 strcmp(by, "port") == 0   ? ", a port of %s: "
		 : strcmp(by, "name") == 0 ? " and is %s: "
					   : ", as a client of %s begins: ",
		 tool);
	text_add(&t, "by it others may come in without an open port.");
	say_command(&t, e->args);
	t = TEXT_IN(a->pub.numbers);
	text_add(&t, "not seen here in %u days", PLACE_KEPT_DAYS);
}

const struct detection detection_activity_external_vpn = {
	.id = "activity.external_vpn",
	.number = 1306,
	.severity = SEVERITY_MEDIUM,
	.scope = DETECT_ALL,
	.stage = "activity",
	.title = "A process joins an outside VPN or remote access service",
	.attack = "T1572 T1219",
	.tactic = "TA0011",
	.analytic = "AN1005",
	.data_components = "Network Connection Creation (DC0082); Process Creation (DC0032)",
	.reasons = "name port first-bytes",
	.events = EVENT_BIT(OUTWARD),
	.triage = "Who installed that tool, and whose account is it joined to?",
	.contain = "End the process, remove the tool and what starts it, block the service's "
		   "addresses.",
	.false_positive = "A tool that the organisation itself uses, on its first connection.",
	.tune = "An exception with the client (the program) and its reason.",
	.mitigation = "M1037 M1038",
	.step = step,
	.key = KEY_PROGRAM,
};
