/*
 * outward: which process here is connected to a remote service elsewhere, or belongs to an outside
 * VPN or a remote access tool. The kernel tells of known ports and names; here they get words, and
 * what was seen before is remembered (core_learn.c). Over UDP it tells what a VPN's client says
 * first, in the cgroup of a program with the name of such a tool.
 *
 * Cannot see: a tool under another name on another port.
 *
 * Example: /usr/bin/cloudflared is connected to 198.51.100.7:7844.
 */
#include "core_outward.h"

#include "core_internal.h"

#include "core_detect.h"
#include "core_text.h"

#define NEW_OF_USER 16 /* a day; anybody may copy a program to a thousand names */

static const struct {
	const char *begin; /* of the program's name; comm has 15 characters */
	const char *tool;
} by_name[] = {
	{"openvpn", "OpenVPN"},
	{"openconnect", "OpenConnect"},
	{"vpnc", "vpnc"},
	{"sstpc", "SSTP"},
	{"pptp", "PPTP"},
	{"tailscale", "Tailscale"},
	{"zerotier-", "ZeroTier"},
	{"cloudflared", "cloudflared"},
	{"ngrok", "ngrok"},
	{"teamviewer", "TeamViewer"},
	{"TeamViewer", "TeamViewer"},
	{"anydesk", "AnyDesk"},
	{"rustdesk", "RustDesk"},
	{"frpc", "frp"},
	{"chisel", "chisel"},
	{"gs-netcat", "gsocket"},
	{"meshagent", "MeshCentral"},
	{"netbird", "NetBird"},
	{"wstunnel", "wstunnel"},
	{"wireguard", "WireGuard"},
	{"boringtun", "WireGuard"},
	{"dwagsvc", "DWService"},
	{"charon", "IKE"},
	{"pluto", "IKE"},
};

/* The products' own documents; IANA for 1194 and 1723. */
static const struct {
	uint16_t first, last;
	const char *tool;
} by_port[] = {
	{1194, 1194, "OpenVPN"}, {1723, 1723, "PPTP"},	      {5938, 5938, "TeamViewer"},
	{6568, 6568, "AnyDesk"}, {7844, 7844, "cloudflared"}, {21115, 21119, "RustDesk"},
};

struct span outward_program(const struct event *e)
{
	return span_empty(e->path) ? e->program : e->path;
}

static const char *tool_of(struct span name)
{
	if (span_is(name, "tor"))
		return "Tor";
	for (size_t i = 0; i < sizeof(by_name) / sizeof(by_name[0]); i++)
		if (span_starts(name, span_of(by_name[i].begin)))
			return by_name[i].tool;
	return NULL;
}

static const char *const by_bytes[] = {"WireGuard", "OpenVPN", "IKE"};

bool outward_is_udp(const struct event *e)
{
	return !span_empty(e->subject);
}

const char *outward_tool(const struct event *e, const char **by)
{
	const char *tool = tool_of(span_base(outward_program(e)));

	*by = "name";
	if (!tool)
		tool = tool_of(e->program);
	for (size_t i = 0; !tool && i < sizeof(by_bytes) / sizeof(by_bytes[0]); i++) {
		if (!span_is(e->subject, by_bytes[i]))
			continue;
		*by = "first-bytes";
		tool = by_bytes[i];
	}
	for (size_t i = 0; !tool && i < sizeof(by_port) / sizeof(by_port[0]); i++) {
		if (e->dest.port < by_port[i].first || e->dest.port > by_port[i].last)
			continue;
		*by = "port";
		tool = by_port[i].tool;
	}
	return tool;
}

/* Since when anything of that kind is watched: its row is touched, not written. */
static uint32_t watched_days(struct core *c, unsigned kind, uint32_t day)
{
	static const struct addr nowhere;
	uint64_t since = seen_key(c, kind, 0, &nowhere, SERVICE_NONE);
	const struct seen *s = table_find(&c->seen, &c->seen_by, since, &since, sizeof(since));

	if (!s) {
		(void)seen_first(c, since, day, PLACE_KEPT_DAYS);
		return 0;
	}
	pool_touch(&c->seen, pool_slot(&c->seen, s), POOL_WORTH);
	return day > s->last_day ? day - s->last_day : 0;
}

bool outward_is_new(struct core *c, unsigned kind, const struct event *e, uint64_t what,
		    uint32_t *days)
{
	static const struct addr nowhere;
	uint64_t program = hash_text(c->seed, outward_program(e));
	uint64_t key = seen_key(c, kind, hash_u64(program, what), &nowhere, SERVICE_OTHER);
	const struct seen *s = table_find(&c->seen, &c->seen_by, key, &key, sizeof(key));
	uint32_t day = core_day(e->time_ns);

	*days = watched_days(c, kind, day);
	if ((!s || !s->days || s->last_day + PLACE_KEPT_DAYS < day) &&
	    !seen_few(c, SEEN_OUTWARD, e->uid, day, NEW_OF_USER)) {
		c->stats.outward_refused++;
		return false;
	}
	return seen_first(c, key, day, PLACE_KEPT_DAYS);
}

void say_outward(struct text *t, const struct detect_ctx *x, const struct event *e)
{
	text_quote(t, outward_program(e), 80);
	if (e->proc.pid)
		text_add(t, " (pid %u, uid %u)", e->proc.pid, e->uid);
	text_add(t, outward_is_udp(e) ? " sends over UDP to " : " is connected to ");
	say_origin(t, &e->dest, scope_of(&e->dest.addr, &x->core->config.scope));
}

struct calert *outward_raise(struct detect_ctx *x, const struct event *e, const struct fire *f,
			     bool is_new)
{
	const struct csession *s = x->session;
	struct event outer = *e;
	char account[ACCOUNT_MAX];
	struct text t = TEXT_IN(account);
	struct calert *a;
	bool made;

	if (s)
		text_plain(&t, span_of(s->pub.account), ACCOUNT_MAX - 1);
	else if (span_empty(e->user))
		text_add(&t, "uid:%u", e->uid);
	else
		text_plain(&t, e->user, ACCOUNT_MAX - 1);
	outer.account = span_of(account);
	outer.client = outward_program(e);
	outer.origin = e->dest;
	outer.local = (struct endpoint){0};
	outer.service = service_of_port(e->dest.port);
	x->conn = NULL;
	x->session = NULL;
	if (!is_new && !alert_find(x, &outer, f))
		return NULL;
	a = alert_raise(x, &outer, f, &made);
	if (a && s)
		memcpy(a->pub.session, s->pub.id, sizeof(a->pub.session));
	return a;
}

void outward_told(struct core *c, const struct event *e)
{
	struct csession *s = session_of(c, e);
	struct conn *n = s ? pool_get(&c->conns, s->conn) : NULL;

	core_detect(c, e, n, s);
}
