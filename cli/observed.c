/* observed: see observed.h. */
#include "observed.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define ROWS_MAX 1000000
#define DAY_NS	 (86400 * UINT64_C(1000000000))

bool observed_plain_name(const char *name)
{
	static const char also[] = "._-@$+\\ ";
	size_t n = strlen(name);

	if (!n || n >= ACCOUNT_TEXT_MAX || name[0] == ' ' || name[n - 1] == ' ')
		return false;
	for (; *name; name++) {
		bool letter = (*name >= 'a' && *name <= 'z') || (*name >= 'A' && *name <= 'Z') ||
			      (*name >= '0' && *name <= '9');

		if (!letter && !strchr(also, *name))
			return false;
	}
	return true;
}

/* Room for one more row of a growing array; NULL: none. */
static void *room(void **rows, size_t *count, size_t *cap, size_t size)
{
	if (*count == *cap) {
		size_t bigger = *cap ? 2 * *cap : 256;
		void *p = realloc(*rows, bigger * size);

		if (!p)
			return NULL;
		*rows = p;
		*cap = bigger;
	}
	return memset((char *)*rows + (*count)++ * size, 0, size);
}

static struct addr network_of(const struct addr *a)
{
	return addr_mask(a, a->family == ADDR_V6 ? 48 : 24);
}

/* --- what speaks against */

static int addr_order(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct addr));
}

static int id_order(const void *a, const void *b)
{
	return strcmp(a, b);
}

static bool take_alert(void *arg, const struct alert *a)
{
	struct observed *o = arg;

	if (o->bad_addrs_count == o->bad_cap) {
		size_t cap = o->bad_cap ? 2 * o->bad_cap : 256;
		void *addrs = realloc(o->bad_addrs, cap * sizeof(*o->bad_addrs));
		void *ids;

		if (addrs)
			o->bad_addrs = addrs;
		ids = realloc(o->bad_sessions, cap * sizeof(*o->bad_sessions));
		if (ids)
			o->bad_sessions = ids;
		o->failed = !addrs || !ids;
		if (o->failed)
			return false;
		o->bad_cap = cap;
	}
	o->bad_addrs[o->bad_addrs_count++] = a->origin.addr;
	memcpy(o->bad_sessions[o->bad_sessions_count++], a->session, ID_TEXT_MAX);
	return true;
}

static bool is_suspicious(const struct observed *o, const struct session *s)
{
	if (s->worst >= SEVERITY_MEDIUM || s->alert_chain[0])
		return true;
	if (!o->bad_addrs_count)
		return false;
	return bsearch(&s->origin.addr, o->bad_addrs, o->bad_addrs_count, sizeof(*o->bad_addrs),
		       addr_order) ||
	       bsearch(s->id, o->bad_sessions, o->bad_sessions_count, sizeof(*o->bad_sessions),
		       id_order);
}

/* --- rows */

static void copy_key(const char *key, char ret[CONFIG_TEXT_MAX])
{
	const char *at = strstr(key, "SHA256:");
	struct span print = at ? span_of(at) : (struct span){NULL, 0};

	if (at && config_fingerprint(span_first(print, 50)) && (at[50] == '\0' || at[50] == ' '))
		span_copy(ret, CONFIG_TEXT_MAX, span_first(print, 50));
}

static uint16_t week_minute(const struct config *c, uint64_t time_ns)
{
	unsigned hour = zone_week_hour(&c->hours.zone, time_ns);
	unsigned minute = (unsigned)(zone_local(&c->hours.zone, time_ns) % 3600 / 60);

	return (uint16_t)(hour * 60 + minute);
}

static void add_onwards(struct observed *o, const struct session *s)
{
	for (unsigned i = 0; i < s->dests_kept && i < SESSION_DESTS; i++) {
		const struct session_dest *d = &s->dests[i];
		struct onward *w;

		if (d->service == SERVICE_NONE || d->scope == SCOPE_LOOPBACK)
			continue;
		w = room((void **)&o->onwards, &o->onwards_count, &o->onwards_cap, sizeof(*w));
		o->failed |= !w;
		if (!w)
			return;
		span_copy(w->account, sizeof(w->account), span_of(s->account));
		w->addr = d->dest.addr;
		w->net = network_of(&d->dest.addr);
		w->service = d->service;
		w->day = (uint32_t)(s->open_ns / DAY_NS);
	}
}

static bool take_session(void *arg, const struct session *s)
{
	struct observed *o = arg;
	struct login *l;

	if (!s->proven || s->existing || !s->origin.addr.family)
		return true;
	if (is_suspicious(o, s)) {
		o->suspicious++;
		return true;
	}
	if (!observed_plain_name(s->account)) {
		o->unnamed++;
		return true;
	}
	l = room((void **)&o->logins, &o->logins_count, &o->logins_cap, sizeof(*l));
	if (!l) {
		o->failed = true;
		return false;
	}
	span_copy(l->account, sizeof(l->account), span_of(s->account));
	copy_key(s->key, l->key);
	l->addr = s->origin.addr;
	l->net = network_of(&s->origin.addr);
	memcpy(l->country, s->geo.country, sizeof(l->country));
	l->service = s->service;
	l->day = (uint32_t)(s->open_ns / DAY_NS);
	l->week_minute = week_minute(o->config, s->open_ns);
	l->external = scope_counts_as_external(s->scope, &o->config->scope);
	l->has_pty = s->has_pty;
	l->by_key = s->method == METHOD_PUBLICKEY || s->method == METHOD_CERTIFICATE;
	l->onward = s->dests_kept;
	if (!o->first_day || l->day < o->first_day)
		o->first_day = l->day;
	if (l->day > o->last_day)
		o->last_day = l->day;
	add_onwards(o, s);
	return !o->failed;
}

int observed_read(struct store *s, uint64_t since_ns, const struct config *c, struct observed *ret)
{
	struct store_filter loud = {.severity = SEVERITY_MEDIUM, .limit = ROWS_MAX};
	struct store_filter all = {.since_ns = since_ns, .limit = ROWS_MAX};
	int r;

	*ret = (struct observed){.config = c};
	r = store_alerts(s, &loud, take_alert, ret);
	if (!r && ret->bad_addrs_count) {
		qsort(ret->bad_addrs, ret->bad_addrs_count, sizeof(*ret->bad_addrs), addr_order);
		qsort(ret->bad_sessions, ret->bad_sessions_count, sizeof(*ret->bad_sessions),
		      id_order);
	}
	if (!r)
		r = store_sessions(s, &all, take_session, ret);
	return ret->failed ? -ENOMEM : r;
}

void observed_free(struct observed *o)
{
	free(o->logins);
	free(o->onwards);
	free(o->bad_addrs);
	free(o->bad_sessions);
}
