/*
 * profile: what an identity usually does: where it comes from, when, with what, and how much it
 * sends; so that a backup is not taken for a theft and a new place is seen to be new.
 *
 * Kept for each identity (account and key), and for each account as a whole, so that a key nobody
 * has seen is measured by what its account is used to. A session teaches at its end (core_learn.c):
 * with nothing of medium or above at once, else from the third distinct day without a high alert
 * on. What was not seen for Retention.Profiles is forgotten.
 *
 * Traits are values with first and last day and a count, at most 24 a profile; of the kind that
 * has most, the one that is least used goes first. Hours are counted for each hour of the week, in
 * the time zone of BusinessHours; a full counter halves them all, so that the past fades, but none
 * to nothing. Sixteen counters say how much was sent, one for each power of two: the first is all
 * below 1 MiB, the last all from 16 GiB on; the 95th percentile is the middle of the counter it
 * falls into.
 *
 * Example: twenty sessions of about 100 MiB: the percentile is 96 MiB, and 480 MiB are not unusual.
 */
#include "core_internal.h"

#include <stdio.h>

#include "core_text.h"

#define PROFILE_FIRST_LOG2 20 /* everything smaller is in the first counter */
#define PROFILE_MIN	   5
#define HOUR_MAX	   15 /* half a byte */
#define FINGERPRINT_CHARS  12 /* 72 bits */

const char *trait_kind_name(enum trait_kind k)
{
	static const char *const names[TRAIT_KINDS] = {
		"",	  "country", "asn",    "network",     "service",
		"method", "key",     "client", "fingerprint",
	};

	return (unsigned)k < TRAIT_KINDS ? names[k] : "";
}

/* Nobody of that name was here for Retention.Profiles: it is as if nobody had ever been. */
static bool is_idle(const struct core *c, const struct profile *p, uint64_t now_ns)
{
	return (uint64_t)p->last_day * DAY_NS + c->config.retention_profiles_s * SECOND_NS < now_ns;
}

bool profile_is_worth(const struct core *c, const void *item)
{
	return !is_idle(c, item, c->now_ns);
}

static struct profile *profile_find(const struct core *c, uint64_t key)
{
	struct profile *p = table_find(&c->profiles, &c->profiles_by, key, &key, sizeof(key));

	return p && !is_idle(c, p, c->now_ns) ? p : NULL;
}

static bool has_key(const struct session *s)
{
	return s->key[0] != '\0';
}

static uint64_t account_key(const struct core *c, const struct session *s)
{
	return hash_account(c, span_of(s->account));
}

struct profile *profile_of_identity(const struct core *c, const struct session *s)
{
	return has_key(s) ? profile_find(c, session_identity(c, s)) : NULL;
}

struct profile *profile_of_account(const struct core *c, const struct session *s)
{
	return profile_find(c, account_key(c, s));
}

bool profile_is_mature(const struct profile *p, uint64_t days, uint64_t logins, uint64_t now_ns)
{
	return p && p->logins >= logins && core_day(now_ns) >= p->first_day + days;
}

/* --- how much */

static unsigned bucket_of(uint64_t bytes)
{
	unsigned n = 0;

	for (bytes >>= PROFILE_FIRST_LOG2; bytes && n < PROFILE_SIZES - 1; bytes >>= 1)
		n++;
	return n;
}

static uint64_t middle_of(unsigned bucket)
{
	uint64_t top = 1ull << (PROFILE_FIRST_LOG2 + bucket);

	return bucket ? top - top / 4 : top / 2;
}

uint64_t profile_p95(const struct core *c, uint64_t identity)
{
	const struct profile *p = profile_find(c, identity);
	unsigned all = 0, sum = 0, i = 0;

	for (unsigned k = 0; p && k < PROFILE_SIZES; k++)
		all += p->sizes[k];
	if (all < PROFILE_MIN)
		return 0;
	while (i < PROFILE_SIZES - 1 && (sum += p->sizes[i]) * 100 < all * 95)
		i++;
	return middle_of(i);
}

static void sizes_add(struct profile *p, uint64_t bytes)
{
	uint8_t *size = &p->sizes[bucket_of(bytes)];

	for (unsigned i = 0; *size == UINT8_MAX && i < PROFILE_SIZES; i++)
		p->sizes[i] /= 2;
	++*size;
}

/* --- when */

static unsigned hour_count(const struct profile *p, unsigned hour)
{
	return p->hours[hour / 2] >> (hour % 2 * 4) & HOUR_MAX;
}

static void hour_set(struct profile *p, unsigned hour, unsigned n)
{
	uint8_t *b = &p->hours[hour / 2];
	unsigned shift = hour % 2 * 4;

	*b = (uint8_t)((*b & ~((unsigned)HOUR_MAX << shift)) | n << shift);
}

static void hours_add(struct profile *p, unsigned hour)
{
	if (hour_count(p, hour) == HOUR_MAX)
		for (unsigned i = 0; i < WEEK_HOURS; i++)
			hour_set(p, i, (hour_count(p, i) + 1) / 2);
	hour_set(p, hour, hour_count(p, hour) + 1);
}

bool profile_uses_hour(const struct core *c, const struct profile *p, uint64_t time_ns)
{
	unsigned now = zone_week_hour(&c->config.hours.zone, time_ns);
	unsigned first = now / 24 < 5 ? 0 : 5, last = now / 24 < 5 ? 5 : 7;

	for (unsigned day = first; day < last; day++)
		for (unsigned near = 23; near <= 25; near++)
			if (hour_count(p, day * 24 + (now % 24 + near) % 24))
				return true;
	return false;
}

/* --- traits */

/* A fingerprint by its first characters; a certificate by its key id. */
static void key_value(const char *key, char ret[TRAIT_VALUE])
{
	struct span id = key_identity(key);
	const char *sha = strstr(key, "SHA256:");

	if (id.len == strlen(key) && sha)
		id = span_first(span_of(sha + 7), FINGERPRINT_CHARS);
	span_copy(ret, TRAIT_VALUE, id);
}

/* "OpenSSH_9.2p1 Debian-2" and "OpenSSH_9.7" are one: a version alone makes no new client. */
static void client_value(const char *client, char ret[TRAIT_VALUE])
{
	struct span s = span_of(client);
	size_t n = 0;

	if (span_starts(s, SPAN_LIT("SSH-2.0-")))
		s = span_skip(s, 8);
	while (n < s.len && s.ptr[n] != '_' && s.ptr[n] != ' ' && s.ptr[n] != '/' &&
	       !(n && s.ptr[n] == '-' && s.ptr[n + 1] >= '0' && s.ptr[n + 1] <= '9'))
		n++;
	span_copy(ret, TRAIT_VALUE, span_first(s, n));
}

static void network_value(const struct session *s, char ret[TRAIT_VALUE])
{
	struct addr net = net_addr(&s->origin.addr);
	char text[ADDR_TEXT_MAX];

	span_copy(ret, TRAIT_VALUE, span_of(addr_format(&net, text)));
}

void trait_of_session(const struct session *s, enum trait_kind kind, char ret[TRAIT_VALUE])
{
	ret[0] = '\0';
	if (kind == TRAIT_COUNTRY)
		memcpy(ret, s->geo.country, sizeof(s->geo.country));
	if (kind == TRAIT_ASN && s->geo.asn)
		snprintf(ret, TRAIT_VALUE, "%u", s->geo.asn);
	if (kind == TRAIT_NETWORK && s->origin.addr.family)
		network_value(s, ret);
	if (kind == TRAIT_SERVICE)
		span_copy(ret, TRAIT_VALUE, span_of(service_name(s->service)));
	if (kind == TRAIT_METHOD)
		span_copy(ret, TRAIT_VALUE, span_of(method_name(s->method)));
	if (kind == TRAIT_KEY && has_key(s))
		key_value(s->key, ret);
	if (kind == TRAIT_CLIENT)
		client_value(s->client, ret);
	if (kind == TRAIT_FINGERPRINT && s->fingerprint[0])
		snprintf(ret, TRAIT_VALUE, "%06x:%012llx",
			 (unsigned)(hash_text(1, span_of(s->client)) & 0xffffff),
			 (unsigned long long)(hash_text(1, span_of(s->fingerprint)) >> 16));
}

static bool is_kept(const struct core *c, const struct trait *t, uint64_t now_ns)
{
	return t->kind &&
	       (uint64_t)t->last_day * DAY_NS + c->config.retention_profiles_s * SECOND_NS >=
		       now_ns;
}

static struct trait *trait_find(const struct profile *p, enum trait_kind kind, const char *value)
{
	for (unsigned i = 0; i < TRAITS_MAX; i++) {
		const struct trait *t = &p->traits[i];

		if (t->kind == kind && strncmp(t->value, value, TRAIT_VALUE) == 0)
			return (struct trait *)(uintptr_t)t;
	}
	return NULL;
}

bool profile_has(const struct core *c, const struct profile *p, enum trait_kind kind,
		 const char *value)
{
	for (unsigned i = 0; p && i < TRAITS_MAX; i++) {
		const struct trait *t = &p->traits[i];

		if (t->kind == kind && t->learned && is_kept(c, t, c->now_ns) &&
		    (!value || strncmp(t->value, value, TRAIT_VALUE) == 0))
			return true;
	}
	return false;
}

bool profile_waits(const struct core *c, const struct profile *p, enum trait_kind kind,
		   const char *value)
{
	const struct trait *t = p ? trait_find(p, kind, value) : NULL;

	return t && !t->learned && is_kept(c, t, c->now_ns);
}

bool profile_has_banner(const struct core *c, const struct profile *p, const char *value)
{
	for (unsigned i = 0; p && i < TRAITS_MAX; i++) {
		const struct trait *t = &p->traits[i];

		if (t->kind == TRAIT_FINGERPRINT && t->learned && is_kept(c, t, c->now_ns) &&
		    strncmp(t->value, value, 7) == 0)
			return true;
	}
	return false;
}

/* The least used of the kind that has most; what is waiting goes before what is learned. */
static struct trait *trait_victim(struct profile *p)
{
	unsigned by_kind[TRAIT_KINDS] = {0}, most = 0;
	struct trait *worst = NULL;

	for (unsigned i = 0; i < TRAITS_MAX; i++)
		by_kind[p->traits[i].kind]++;
	if (by_kind[TRAIT_NONE])
		return trait_find(p, TRAIT_NONE, "");
	for (unsigned k = 0; k < TRAIT_KINDS; k++)
		if (by_kind[k] > by_kind[most])
			most = k;
	for (unsigned i = 0; i < TRAITS_MAX; i++) {
		struct trait *t = &p->traits[i];

		if (t->kind != most)
			continue;
		if (!worst || t->learned < worst->learned ||
		    (t->learned == worst->learned && t->last_day < worst->last_day))
			worst = t;
	}
	return worst;
}

static void trait_add(struct core *c, struct profile *p, enum trait_kind kind, const char *value,
		      const struct csession *s)
{
	uint16_t day = (uint16_t)core_day(s->pub.open_ns);
	struct trait *t = value[0] ? trait_find(p, kind, value) : NULL;

	if (!value[0])
		return;
	if (t && !is_kept(c, t, s->pub.open_ns))
		memset(t, 0, sizeof(*t));
	if (!t)
		t = trait_victim(p);
	if (t->kind != kind || strncmp(t->value, value, TRAIT_VALUE) != 0) {
		memset(t, 0, sizeof(*t));
		t->kind = (uint8_t)kind;
		t->first_day = day;
		span_copy(t->value, TRAIT_VALUE, span_of(value));
	}
	if ((!t->count || t->last_day != day) && t->days < UINT8_MAX)
		t->days++;
	if (day > t->last_day)
		t->last_day = day;
	if (t->count < UINT16_MAX)
		t->count++;
	if (session_worst(s) < SEVERITY_MEDIUM || t->days >= LEARN_DAYS)
		t->learned = 1;
}

/* --- all of it */

static void name_of(const struct session *s, bool by_key, char ret[PROFILE_NAME])
{
	char value[TRAIT_VALUE];
	struct text t = text_start(ret, PROFILE_NAME);

	text_plain(&t, span_of(s->account), 44);
	if (!by_key)
		return;
	key_value(s->key, value);
	text_add(&t, " ");
	text_plain(&t, span_of(value), TRAIT_VALUE);
}

/* Three distinct days of the unusual, and it is usual. */
static bool odd_day_teaches(struct profile *p, uint32_t day)
{
	if ((!p->odd_days || p->odd_day != day) && p->odd_days < LEARN_DAYS)
		p->odd_days++;
	p->odd_day = (uint16_t)day;
	return p->odd_days >= LEARN_DAYS;
}

static void teach(struct core *c, uint64_t key, bool by_key, const struct csession *s)
{
	struct profile *p = table_get(&c->profiles, &c->profiles_by, key, &key, sizeof(key), NULL);
	uint32_t day = core_day(s->pub.open_ns);
	char value[TRAIT_VALUE];

	if (!p)
		return;
	if (p->days && is_idle(c, p, s->pub.open_ns))
		*p = (struct profile){.key = key};
	if (!p->days)
		p->first_day = day;
	name_of(&s->pub, by_key, p->name);
	if (p->last_day != day && p->days < UINT8_MAX)
		p->days++;
	if (day > p->last_day)
		p->last_day = day;
	pool_touch(&c->profiles, pool_slot(&c->profiles, p), POOL_WORTH);
	for (enum trait_kind k = TRAIT_COUNTRY; k < TRAIT_KINDS; k++) {
		trait_of_session(&s->pub, k, value);
		trait_add(c, p, k, value, s);
	}
	if (session_worst(s) >= SEVERITY_MEDIUM && !odd_day_teaches(p, day))
		return;
	p->logins++;
	hours_add(p, zone_week_hour(&c->config.hours.zone, s->pub.open_ns));
	if (s->pub.bytes_known)
		sizes_add(p, session_sent(s));
}

void profile_learn(struct core *c, const struct csession *s)
{
	if (session_worst(s) >= SEVERITY_HIGH || !s->pub.account[0] ||
	    strncmp(s->pub.account, "uid:", 4) == 0)
		return;
	teach(c, account_key(c, &s->pub), false, s);
	if (has_key(&s->pub))
		teach(c, session_identity(c, &s->pub), true, s);
}

unsigned profile_forget(struct core *c, struct span name)
{
	unsigned n = 0;

	for (uint32_t i = 0; i < c->profiles.fresh; i++) {
		struct profile *p = pool_at(&c->profiles, i);
		struct span own = span_of(p->name);

		if (!pool_is_used(&c->profiles, i) || !span_starts(own, name) ||
		    (own.len > name.len && own.ptr[name.len] != ' '))
			continue;
		index_remove(&c->profiles_by, i);
		pool_give(&c->profiles, i);
		n++;
	}
	return n;
}

static void trait_merge(struct profile *p, const struct trait *other)
{
	struct trait *t = trait_find(p, other->kind, other->value);

	if (!t) {
		*trait_victim(p) = *other;
		return;
	}
	if (other->first_day < t->first_day)
		t->first_day = other->first_day;
	if (other->last_day > t->last_day)
		t->last_day = other->last_day;
	t->count = (uint16_t)(other->count > UINT16_MAX - t->count ? UINT16_MAX
								   : t->count + other->count);
	t->days = (uint8_t)(other->days > UINT8_MAX - t->days ? UINT8_MAX : t->days + other->days);
	t->learned |= other->learned;
}

void profile_merge(struct core *c, struct profile *p, const struct profile *other)
{
	if (!p->days) {
		*p = *other;
		return;
	}
	if (other->first_day < p->first_day)
		p->first_day = other->first_day;
	if (other->last_day > p->last_day)
		p->last_day = other->last_day;
	p->logins += other->logins;
	for (unsigned i = 0; i < PROFILE_SIZES; i++)
		p->sizes[i] = (uint8_t)(other->sizes[i] > UINT8_MAX - p->sizes[i]
						? UINT8_MAX
						: p->sizes[i] + other->sizes[i]);
	for (unsigned i = 0; i < WEEK_HOURS; i++) {
		unsigned n = hour_count(p, i) + hour_count(other, i);

		hour_set(p, i, n > HOUR_MAX ? HOUR_MAX : n);
	}
	for (unsigned i = 0; i < TRAITS_MAX; i++)
		if (other->traits[i].kind && is_kept(c, &other->traits[i], c->now_ns))
			trait_merge(p, &other->traits[i]);
}
