/*
 * access.smb_rpc_internet: SMB or RPC with an address on the internet.
 *
 * Sees that a server here answered an outside client in SMB or RPC (its first bytes), whatever the
 * port; one alert a listener and day. Reason outbound: a process of this host has such a connection
 * to an outside address (ports 135, 139, 445, 593); one alert a process's name, account and day:
 * how passwords' hashes leave (a file link to \\198.51.100.7\x), and how worms go on. Cannot see: a
 * port that is not watched; SMB over QUIC; what is inside a tunnel.
 *
 * Example: smbd answered 203.0.113.9 on port 445.
 */
#include "../core/core_detect.h"

static void say_inbound(struct text *t, const struct detect_ctx *x, const struct event *e)
{
	text_add(t, "A server of this host answered ");
	say_origin(t, &e->origin, scope_of(&e->origin.addr, &x->core->config.scope));
	text_add(t, " in %s on port %u: file and administration services belong on no internet.",
		 service_name(e->service), e->local.port);
}

static void outbound(struct detect_ctx *x, const struct event *e)
{
	const struct scope_rules *rules = &x->core->config.scope;
	struct fire f = {.severity = SEVERITY_HIGH, .reason = "outbound", .count = 1};
	enum service service = service_of_port(e->dest.port);
	uint64_t of_the_day = (uint64_t)core_day(e->time_ns) << 8 | (uint64_t)service;
	struct calert *a;
	uint32_t days;
	struct text t;

	if (outward_is_udp(e) || (service != SERVICE_SMB && service != SERVICE_RPC) ||
	    !scope_counts_as_external(scope_of(&e->dest.addr, rules), rules))
		return;
	a = outward_raise(x, e, &f, outward_is_new(x->core, SEEN_SMB, e, of_the_day, &days));
	if (!a)
		return;
	t = TEXT_IN(a->pub.sentence);
	say_outward(&t, x, e);
	text_add(&t, " (%s): passwords' hashes leave that way.", service_name(service));
	say_command(&t, e->args);
	t = TEXT_IN(a->pub.numbers);
	text_add(&t, "a connection to port %u outside", e->dest.port);
}

static void step(struct detect_ctx *x, const struct event *e)
{
	struct fire f = {.severity = SEVERITY_HIGH, .reason = "", .count = 1};
	struct calert *a;
	struct text t;
	bool is_new;

	if (e->kind == EVENT_OUTWARD) {
		outbound(x, e);
		return;
	}
	if ((e->service != SERVICE_SMB && e->service != SERVICE_RPC) || !detect_is_external(x))
		return;
	a = alert_raise(x, e, &f, &is_new);
	if (!a)
		return;
	t = TEXT_IN(a->pub.sentence);
	say_inbound(&t, x, e);
	t = TEXT_IN(a->pub.numbers);
	text_add(&t, "the first bytes are %s's", service_name(e->service));
}

const struct detection detection_access_smb_rpc_internet = {
	.id = "access.smb_rpc_internet",
	.number = 1207,
	.severity = SEVERITY_HIGH,
	.scope = DETECT_EXTERNAL,
	.stage = "access",
	.title = "SMB or RPC with the internet",
	.attack = "T1021.002 T1133",
	.tactic = "TA0008 TA0001",
	.analytic = "AN1005",
	.data_components = "Network Traffic Content (DC0085)",
	.reasons = "outbound",
	.events = EVENT_BIT(ANSWER) | EVENT_BIT(OUTWARD),
	.triage =
		"Is the port meant to be reached from outside? What did that address read or write "
		"(the server's own log)?",
	.contain = "Close the ports 135, 139, 445 and 593 to the internet, both ways.",
	.false_positive = "A file server in a cloud that is reached by its public address.",
	.tune = "KnownRemoteIPs does not lower it; an exception with the origin and its reason.",
	.mitigation = "M1037 M1042",
	.step = step,
	.key = KEY_PROGRAM,
};
