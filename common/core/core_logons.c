/*
 * logons: which logon ids and which numbers of Terminal Services belong to the sessions that live,
 * across a restart. Without them nothing that the logs say afterwards would find its session: no
 * logoff would end it, and the next logon would be another one.
 *
 * A row names its session by a hash of its id, since places in tables mean nothing in another run;
 * it takes effect when that session is restored. Of more than KEPT_LOGONS the rest is forgotten, as
 * it was before.
 */
#include "core_internal.h"

static uint64_t hash_of(const struct session *s)
{
	return hash_text(0, span_of(s->id)) | 1;
}

static const struct csession *live(const struct core *c, struct handle h)
{
	const struct csession *s = pool_get(&c->sessions, h);

	return s && s->pub.state != SESSION_CLOSED ? s : NULL;
}

unsigned logons_export(const struct core *c, struct kept_logon rows[KEPT_LOGONS])
{
	const struct windows *w = &c->windows;
	unsigned n = 0;

	memset(rows, 0, KEPT_LOGONS * sizeof(rows[0]));
	for (unsigned i = 0; i < RDPS_MAX && n < KEPT_LOGONS; i++) {
		const struct rdp *r = &w->rdps[i];
		const struct csession *s = r->used ? live(c, r->session) : NULL;

		if (s)
			rows[n++] = (struct kept_logon){.session = hash_of(&s->pub),
							.is_rdp = true,
							.id = r->who,
							.time_ns = r->reconnect_ns,
							.host = r->host,
							.number = r->number};
	}
	for (unsigned i = 0; i < LOGON_SETS * LOGON_WAYS && n < KEPT_LOGONS; i++) {
		const struct logon *l = &w->logons[i / LOGON_WAYS][i % LOGON_WAYS];
		const struct csession *s = l->id ? live(c, l->session) : NULL;

		if (s)
			rows[n++] = (struct kept_logon){.session = hash_of(&s->pub),
							.id = l->id,
							.sid = l->sid,
							.host = l->host,
							.own = l->own};
	}
	return n;
}

static void logon_restore(struct core *c, const struct kept_logon *k, struct handle h)
{
	struct logon *set = c->windows.logons[hash_u64(k->host, k->id) % LOGON_SETS];

	for (unsigned i = 0; i < LOGON_WAYS; i++)
		if (!set[i].id) {
			set[i] = (struct logon){k->id, k->host, k->own, h, k->sid};
			return;
		}
}

static void rdp_restore(struct core *c, const struct kept_logon *k, struct handle h)
{
	for (unsigned i = 0; i < RDPS_MAX; i++)
		if (!c->windows.rdps[i].used) {
			c->windows.rdps[i] = (struct rdp){.used = true,
							  .who = k->id,
							  .reconnect_ns = k->time_ns,
							  .host = k->host,
							  .number = k->number,
							  .session = h};
			return;
		}
}

void logons_restore(struct core *c, const struct session *s, struct handle h)
{
	uint64_t session = hash_of(s);

	for (unsigned i = 0; i < KEPT_LOGONS; i++) {
		struct kept_logon *k = &c->windows.kept[i];

		if (k->session != session)
			continue;
		if (k->is_rdp)
			rdp_restore(c, k, h);
		else
			logon_restore(c, k, h);
		k->session = 0;
	}
}

/* The services whose sessions are found by account and origin; of others text has a port. */
uint64_t logon_key_of(const struct core *c, const struct session *s)
{
	struct event e = {
		.service = s->service, .origin = s->origin, .account = span_of(s->account)};

	if (s->by_gateway)
		return gateway_key_of(c, s);
	switch (s->service) {
	case SERVICE_RDP:
	case SERVICE_WINRM:
	case SERVICE_SMB:
	case SERVICE_RPC:
	case SERVICE_NETWORK:
	case SERVICE_RDGATEWAY:
	case SERVICE_VPN:
		return c->id.kernel_sensor ? 0 : logon_session_key(c, &e);
	default:
		return 0;
	}
}
