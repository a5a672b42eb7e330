/* say: pieces of sentences, and questions that several detections ask. */
#include "core_detect.h"

enum scope detect_scope(const struct detect_ctx *x)
{
	if (x->session)
		return x->session->pub.scope;
	return x->conn ? scope_of(&conn_origin(x->core, x->conn)->addr, &x->core->config.scope)
		       : SCOPE_NONE;
}

bool detect_is_external(const struct detect_ctx *x)
{
	return scope_counts_as_external(detect_scope(x), &x->core->config.scope);
}

enum severity severity_by_scope(const struct detect_ctx *x, enum severity s)
{
	if (detect_is_external(x) || s == SEVERITY_INFO)
		return s;
	return (enum severity)(s - 1);
}

static bool is_in(const struct config *c, const struct known_remote *k, const struct addr *a)
{
	return k->ranges ? range_set_has(c->ranges[k->ranges - 1].set, a) : cidr_has(&k->cidr, a);
}

/* Who came through a VPN of this host is known by either address. */
static bool remote_matches(const struct config *c, const struct known_remote *k,
			   const struct session *s)
{
	const struct addr *inner = s->by_vpn ? &s->via.addr : NULL;

	if (!is_in(c, k, &s->origin.addr) && !(inner && is_in(c, k, inner)))
		return false;
	if (k->account[0] && strcmp(k->account, s->account) != 0)
		return false;
	if (k->key[0] && !strstr(s->key, k->key))
		return false;
	if (k->service != SERVICE_NONE && k->service != s->service)
		return false;
	if (k->hours.days && !hours_rule_fits(&c->hours, &k->hours, s->open_ns))
		return false;
	return !k->until_ns || s->open_ns <= k->until_ns;
}

bool known_origin(const struct core *c, const struct session *s)
{
	for (unsigned i = 0; i < c->config.known_count; i++)
		if (remote_matches(&c->config, &c->config.known[i], s))
			return true;
	for (unsigned i = 0; i < c->config.clients_count; i++) {
		const struct known_client *k = &c->config.clients[i];

		if (s->service != SERVICE_SSH)
			break;
		if (k->is_cidr ? cidr_has(&k->cidr, &s->origin.addr)
			       : k->key[0] && strstr(s->key, k->key) != NULL)
			return true;
	}
	return false;
}

bool travel_allows(const struct core *c, const struct session *s)
{
	for (unsigned i = 0; s->geo.country[0] && i < c->config.travel_count; i++) {
		const struct travel *t = &c->config.travel[i];

		if (strcmp(t->account, s->account) != 0 || s->open_ns < t->from_ns ||
		    (t->until_ns && s->open_ns > t->until_ns))
			continue;
		for (unsigned k = 0; k < t->countries_count; k++)
			if (strcmp(t->countries[k], s->geo.country) == 0)
				return true;
	}
	return false;
}

bool expected_onward(const struct core *c, const struct session *s, const struct session_dest *d)
{
	for (unsigned i = 0; i < c->config.onward_count; i++) {
		const struct expected_onward *o = &c->config.onward[i];
		bool anyone = !o->from[0] || strcmp(o->from, "*") == 0;

		if (!anyone && strcmp(o->from, s->account) != 0)
			continue;
		if (o->service != SERVICE_NONE && o->service != d->service)
			continue;
		if (cidr_has(&o->to, &d->dest.addr))
			return true;
	}
	return false;
}

bool shared_account(const struct core *c, const struct session *s)
{
	for (unsigned i = 0; i < c->config.shared_accounts_count; i++)
		if (strcmp(c->config.shared_accounts[i], s->account) == 0)
			return true;
	return false;
}

bool one_account_each(enum service s)
{
	return s == SERVICE_VPN || s == SERVICE_RDGATEWAY || s == SERVICE_CITRIX;
}

bool expected_automation(const struct core *c, const struct session *s)
{
	for (unsigned i = 0; i < c->config.expected_automation_count; i++)
		if (strcmp(c->config.expected_automation[i], s->account) == 0)
			return true;
	return false;
}

void alert_name_guessed(struct alert *a, const struct event *e)
{
	if (!a->account_unknown || e->flags & EVENT_ACCOUNT_UNKNOWN)
		return;
	span_copy(a->account, sizeof(a->account), e->account);
	a->account_unknown = false;
}

uint32_t source_failures(const struct detect_ctx *x, uint64_t at_ns)
{
	const struct core *c = x->core;

	if (!x->source)
		return 0;
	return window_count(window_exact(c, WINDOW_OF(&x->source->failures)), core_ds(c, at_ns),
			    core_window_ds(c));
}

static void say_endpoint(struct text *t, const struct endpoint *o)
{
	bool brackets = o->addr.family == ADDR_V6 && o->port;

	if (brackets)
		text_add(t, "[");
	text_addr(t, &o->addr);
	if (brackets)
		text_add(t, "]");
	if (o->port)
		text_add(t, ":%u", o->port);
}

void say_origin(struct text *t, const struct endpoint *o, enum scope s)
{
	say_endpoint(t, o);
	if (s != SCOPE_NONE)
		text_add(t, " (%s)", scope_name(s));
}

void say_name(struct text *t, const char *name)
{
	for (const char *p = name; *p; p++) {
		if (*p >= ' ' && *p <= '~' && !strchr("()'\"`;", *p))
			text_add(t, "%c", *p);
		else if (*p < 0 ? (*p & 0x40) != 0 : *p < ' ')
			text_add(t, "?"); /* one for each character beyond ASCII */
	}
}

void say_from_geo(struct text *t, const struct endpoint *o, enum scope s, const struct geo *g)
{
	if (s == SCOPE_NONE || (!g->country[0] && !g->asn)) {
		say_origin(t, o, s);
		return;
	}
	say_endpoint(t, o);
	text_add(t, " (%s", scope_name(s));
	if (g->country[0])
		text_add(t, ", %s", g->country);
	if (g->asn)
		text_add(t, ", AS%u%s", g->asn, g->as_org[0] ? " " : "");
	if (g->asn)
		say_name(t, g->as_org);
	text_add(t, ")");
}

void say_from(struct text *t, const struct session *s)
{
	if (s->by_vpn) {
		text_addr(t, &s->via.addr);
		text_add(t, " through the VPN session of ");
		text_quote(t, span_of(s->vpn.account), sizeof(s->vpn.account));
		text_add(t, " from ");
	}
	say_from_geo(t, &s->origin, s->scope, &s->geo);
}

void say_method(struct text *t, const struct session *s)
{
	static const char *const words[METHOD_COUNT] = {
		[METHOD_NONE] = "by an unknown method",
		[METHOD_PASSWORD] = "with a password",
		[METHOD_PUBLICKEY] = "with a key",
		[METHOD_KEYBOARD_INTERACTIVE] = "with keyboard-interactive",
		[METHOD_HOSTBASED] = "as a trusted host",
		[METHOD_GSSAPI] = "with Kerberos",
		[METHOD_NO_AUTH] = "without authentication",
		[METHOD_CERTIFICATE] = "with a certificate",
		[METHOD_OTHER] = "by another method",
	};

	text_add(t, "%s", words[s->method]);
	if (s->key[0]) {
		text_add(t, " ");
		text_plain(t, span_of(s->key), 70);
	}
}

void say_target(struct text *t, const struct session *s)
{
	if (s->service != SERVICE_RDGATEWAY || !s->target[0])
		return;
	text_add(t, " on to ");
	text_quote(t, span_of(s->target), sizeof(s->target));
}

void say_login(struct text *t, const struct session *s)
{
	text_quote(t, span_of(s->account), 48);
	text_add(t, " logged in over %s from ", service_name(s->service));
	say_from(t, s);
	text_add(t, " ");
	say_method(t, s);
	say_target(t, s);
}

void say_local_time(struct text *t, const struct zone *z, uint64_t time_ns)
{
	static const char *const days[] = {"Monday", "Tuesday",	 "Wednesday", "Thursday",
					   "Friday", "Saturday", "Sunday"};
	unsigned minute = (unsigned)(zone_local(z, time_ns) % 86400 / 60);

	text_add(t, "%s at %s%u:%s%u", days[zone_week_hour(z, time_ns) / 24],
		 minute < 600 ? "0" : "", minute / 60, minute % 60 < 10 ? "0" : "", minute % 60);
}

void say_bytes(struct text *t, uint64_t n)
{
	static const char *const units[] = {"bytes", "KiB", "MiB", "GiB", "TiB"};
	uint64_t rest = 0;
	unsigned unit = 0;

	while (n >= 1024 && unit < 4) {
		rest = n % 1024;
		n /= 1024;
		unit++;
	}
	if (unit == 0)
		text_add(t, "%u bytes", (unsigned)n);
	else
		text_add(t, "%u.%u %s", (unsigned)n, (unsigned)(rest * 10 / 1024), units[unit]);
}

void say_duration(struct text *t, uint64_t s)
{
	if (s >= 3600 && s % 3600 == 0)
		text_add(t, "%uh", (unsigned)(s / 3600));
	else if (s >= 60 && s % 60 == 0)
		text_add(t, "%um", (unsigned)(s / 60));
	else
		text_add(t, "%us", (unsigned)s);
}

#define COMMAND_HEAD 60 /* of a long command line; what it is for stands at its end, too */

void say_command(struct text *t, struct span args)
{
	char line[TUNNEL_ARGS];
	size_t n = 0;

	for (; n < args.len && n < sizeof(line); n++)
		line[n] = args.ptr[n] ? args.ptr[n] : ' ';
	while (n && line[n - 1] == ' ')
		n--;
	if (!n)
		return;
	/* privacy.c cuts here when command lines are not to be told */
	text_add(t, PRIVACY_COMMAND_MARK);
	if (n > COMMAND_MAX) {
		text_plain(t, (struct span){line, COMMAND_HEAD}, COMMAND_HEAD);
		text_add(t, " ... ");
		text_plain(t,
			   (struct span){line + n - (COMMAND_MAX - COMMAND_HEAD),
					 COMMAND_MAX - COMMAND_HEAD},
			   COMMAND_MAX);
	} else {
		text_plain(t, (struct span){line, n}, n);
	}
}
