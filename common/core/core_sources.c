/*
 * sources: who fails, how often, on what accounts. Fixed tables; what is forgotten first is what
 * did the least: a source with one failure goes before one in the middle of an attack.
 *
 * Example: 1,000,000 addresses with one failure each: the table stays as it is, sources_evicted
 * says 934,464, and the source with five failures still fires at its sixth.
 */
#include "core_internal.h"

struct addr source_addr(const struct addr *a)
{
	return a->family == ADDR_V6 ? addr_mask(a, 64) : *a;
}

struct addr net_addr(const struct addr *a)
{
	return addr_mask(a, a->family == ADDR_V6 ? 48 : 24);
}

/* Keys are hashes or addresses: sizes that the compiler knows need no call. */
static inline bool is_key(const void *item, const void *key, size_t size)
{
	if (size == sizeof(uint64_t))
		return memcmp(item, key, sizeof(uint64_t)) == 0;
	if (size == sizeof(struct addr))
		return memcmp(item, key, sizeof(struct addr)) == 0;
	return memcmp(item, key, size) == 0;
}

void *table_find(const struct pool *p, const struct index *x, uint64_t hash, const void *key,
		 size_t key_size)
{
	uint32_t cursor = NIL, slot;

	while ((slot = index_next(x, hash, &cursor)) != NIL)
		if (is_key(pool_at(p, slot), key, key_size))
			return pool_at(p, slot);
	return NULL;
}

void *table_get(struct pool *p, struct index *x, uint64_t hash, const void *key, size_t key_size,
		uint64_t *evicted)
{
	void *item = table_find(p, x, hash, key, key_size);
	uint32_t slot;

	if (item)
		return item;
	slot = pool_take(p);
	if (slot == NIL) {
		slot = pool_victim(p);
		if (slot == NIL)
			return NULL;
		index_remove(x, slot);
		pool_give(p, slot);
		if (evicted)
			++*evicted;
		slot = pool_take(p);
	}
	item = pool_at(p, slot);
	memcpy(item, key, key_size);
	index_add(x, slot, hash);
	return item;
}

struct source *source_find(const struct core *c, const struct addr *a)
{
	struct addr key = source_addr(a);

	return table_find(&c->sources, &c->sources_by, hash_addr(c->seed, &key), &key, sizeof(key));
}

void table_demote(const struct core *c, struct pool *p, uint32_t (*last_ds)(const void *item),
		  uint32_t keep_ds)
{
	uint32_t slot = p->tail[POOL_WORTH];

	if (slot == NIL || p->used < p->limit)
		return;
	if (core_ds(c, c->now_ns) > last_ds(pool_at(p, slot)) + keep_ds ||
	    p->count[POOL_HARMLESS] < p->limit / 8)
		pool_touch(p, slot, POOL_HARMLESS);
}

static uint32_t last_ds(const void *item)
{
	return ((const struct source *)item)->last_ds;
}

struct source *source_get(struct core *c, const struct addr *a)
{
	struct addr key = source_addr(a);
	struct source *s = source_find(c, a);

	if (s)
		return s;
	table_demote(c, &c->sources, last_ds, DAY_DS);
	s = table_get(&c->sources, &c->sources_by, hash_addr(c->seed, &key), &key, sizeof(key),
		      &c->stats.sources_evicted);
	if (s)
		s->session = s->alert = HANDLE_NONE;
	return s;
}

struct net *net_get(struct core *c, const struct addr *a)
{
	struct addr key = net_addr(a);

	return table_get(&c->nets, &c->nets_by, hash_addr(c->seed, &key), &key, sizeof(key), NULL);
}

struct spray *spray_find(const struct core *c, const struct addr *a)
{
	struct addr key = source_addr(a);

	return table_find(&c->sprays, &c->sprays_by, hash_addr(c->seed, &key), &key, sizeof(key));
}

struct spray *spray_get(struct core *c, const struct addr *a)
{
	struct addr key = source_addr(a);

	return table_get(&c->sprays, &c->sprays_by, hash_addr(c->seed, &key), &key, sizeof(key),
			 NULL);
}

struct account *account_find(const struct core *c, struct span name)
{
	uint64_t key = hash_account(c, name);

	return table_find(&c->accounts, &c->accounts_by, key, &key, sizeof(key));
}

struct account *account_get(struct core *c, struct span name)
{
	uint64_t key = hash_account(c, name);

	return span_empty(name) ? NULL
				: table_get(&c->accounts, &c->accounts_by, key, &key, sizeof(key),
					    &c->stats.accounts_evicted);
}

struct digest *digest_get(struct core *c, enum service s, uint16_t port, uint64_t time_ns)
{
	uint32_t day = core_day(time_ns);
	struct digest *pick = &c->digests[0];

	for (unsigned i = 0; i < DIGESTS_MAX; i++) {
		struct digest *d = &c->digests[i];

		if (d->used && d->service == s && d->port == port && d->day == day)
			return d;
		if (pick->used && (!d->used || d->day < pick->day))
			pick = d;
	}
	*pick = (struct digest){.used = true,
				.alert = HANDLE_NONE,
				.service = (uint8_t)s,
				.port = port,
				.day = day};
	return pick;
}

static uint8_t keep(char *dst, size_t cap, struct span s)
{
	struct span cut = span_first(s, cap < UINT8_MAX ? cap : UINT8_MAX);

	if (cut.len)
		memcpy(dst, cut.ptr, cut.len);
	return (uint8_t)cut.len;
}

void clue_add(struct core *c, const struct conn *n, const struct event *e)
{
	struct clue *k = &c->clues[c->clues_next++ % CLUES_MAX];
	struct addr key = source_addr(&conn_origin(c, n)->addr);

	k->source = hash_addr(c->seed, &key);
	k->time_ns = e->time_ns;
	k->line = e->line;
	k->origin = *conn_origin(c, n);
	k->trust = (uint8_t)e->trust;
	k->method = (uint8_t)e->method;
	k->unknown = e->flags & EVENT_ACCOUNT_UNKNOWN;
	k->account_len = keep(k->account, sizeof(k->account), e->account);
	k->text_len = keep(k->text, sizeof(k->text), e->text);
}

static void clue_tell(const struct clue *k, struct alert_evidence *ret)
{
	struct event e = {.kind = EVENT_ATTEMPT,
			  .outcome = OUTCOME_FAILURE,
			  .method = k->method,
			  .flags = k->unknown ? EVENT_ACCOUNT_UNKNOWN : 0,
			  .origin = k->origin,
			  .account = {k->account, k->account_len},
			  .text = {k->text, k->text_len}};

	*ret = (struct alert_evidence){
		.time_ns = k->time_ns, .kind = EVENT_ATTEMPT, .trust = k->trust, .line = k->line};
	alert_evidence_text(&e, ret->text);
}

unsigned clues_of(const struct core *c, const struct addr *source, struct alert_evidence *ret,
		  unsigned max)
{
	struct addr key = source_addr(source);
	uint64_t wanted = hash_addr(c->seed, &key);
	unsigned ages[ALERT_EVIDENCE], used = 0;

	for (unsigned age = 1; age <= CLUES_MAX && age <= c->clues_next; age++) {
		const struct clue *k = &c->clues[(c->clues_next - age) % CLUES_MAX];

		if (used == max || used == ALERT_EVIDENCE)
			break;
		if (k->source == wanted)
			ages[used++] = age;
	}
	for (unsigned i = 0; i < used; i++)
		clue_tell(&c->clues[(c->clues_next - ages[used - 1 - i]) % CLUES_MAX], &ret[i]);
	return used;
}

static bool is_password(enum method m)
{
	return m == METHOD_PASSWORD || m == METHOD_KEYBOARD_INTERACTIVE;
}

/*
 * Is the guessed method on for that account? A daemon that gives a password verdict takes
 * passwords; but for root sshd asks and always refuses (PermitRootLogin prohibit-password, the
 * default), so root counts only when root was seen to log in that way.
 */
static bool is_guessable(const struct event *e, const struct account *a)
{
	unsigned passwords = 1u << METHOD_PASSWORD | 1u << METHOD_KEYBOARD_INTERACTIVE;

	if (e->method == METHOD_PUBLICKEY || e->method == METHOD_CERTIFICATE)
		return false;
	if (!span_is(e->account, "root"))
		return true;
	return a && a->methods & (is_password(e->method) ? passwords : 1u << e->method);
}

static void account_credit(struct core *c, const struct event *e, uint32_t ds, struct source *s,
			   struct net *net)
{
	struct account *a = NULL;
	bool exists = !(e->flags & EVENT_ACCOUNT_UNKNOWN), guessable;

	if (exists)
		a = account_get(c, e->account);
	if (a) {
		window_note(c, WINDOW_OF(&a->guesses), ds, e->count, UINT32_MAX);
		a->guessed_ds[e->method] = ds;
		pool_touch(&c->accounts, pool_slot(&c->accounts, a), POOL_WORTH);
	}
	/* RdpCoreTS tells of tries without an account: whether it exists is not known. */
	guessable = exists && !span_empty(e->account) && is_guessable(e, a);
	if (guessable && ds > s->exists_ds)
		s->exists_ds = ds;
	/* Whether one of a gateway's exists is not known either. */
	if ((exists || e->gate.unsure) && ds > s->weak_ds)
		s->weak_ds = ds;
	if (net && s->exists_ds > net->exists_ds)
		net->exists_ds = s->exists_ds;
	if (net && s->weak_ds > net->weak_ds)
		net->weak_ds = s->weak_ds;
}

static void spray_add(struct spray *p, uint32_t who, uint32_t ds, bool exists)
{
	unsigned at = 0;

	for (unsigned i = 0; i < SPRAY_ACCOUNTS; i++) {
		if (p->who[i] == who) {
			at = i;
			break;
		}
		if (p->stamp[i] < p->stamp[at])
			at = i;
	}
	if (p->who[at] != who && ds < p->stamp[at])
		return; /* older than all that are remembered */
	p->who[at] = who;
	if (ds > p->stamp[at])
		p->stamp[at] = ds;
	p->exists &= ~(1u << at);
	if (exists)
		p->exists |= 1u << at;
}

static uint32_t who_hash(const struct core *c, struct span account)
{
	return ((uint32_t)hash_account(c, account) | 2) & ~1u;
}

bool source_tried(const struct core *c, const struct source *s, struct span account)
{
	const struct spray *p = spray_find(c, &s->addr);
	uint32_t who = who_hash(c, account);

	for (unsigned i = 0; p && i < SPRAY_ACCOUNTS; i++)
		if (p->who[i] == who)
			return true;
	return (s->who & ~1u) == who;
}

/* Most sources try one account only: those have no entry. */
static void spray_credit(struct core *c, const struct event *e, uint32_t ds, struct source *s)
{
	uint32_t who = who_hash(c, e->account), before = s->who;
	bool exists = !(e->flags & EVENT_ACCOUNT_UNKNOWN);
	struct spray *p;

	if (span_empty(e->account))
		return;
	s->who = who | exists;
	if (!before || (before & ~1u) == who) {
		p = spray_find(c, &e->origin.addr);
	} else {
		p = spray_get(c, &e->origin.addr);
		if (p && !p->who[0])
			p->alert = HANDLE_NONE;
		if (p && !p->who[0])
			spray_add(p, before & ~1u, s->last_ds, before & 1);
	}
	c->credited_spray = p;
	if (!p)
		return;
	spray_add(p, who, ds, exists);
	pool_touch(&c->sprays, pool_slot(&c->sprays, p), p->who[2] ? POOL_WORTH : POOL_HARMLESS);
}

/* NetworkThreshold of auth.bruteforce. */
static uint32_t network_threshold(const struct core *c)
{
	uint64_t n = c->config.detections[DETECTION_auth_bruteforce].params[0];

	return n < UINT32_MAX ? (uint32_t)n : UINT32_MAX;
}

static bool is_alerted(uint32_t alerted_ds, uint32_t ds)
{
	return alerted_ds && ds < alerted_ds + DAY_DS;
}

void sources_credit(struct core *c, const struct conn *n, const struct event *e)
{
	struct source *s = source_get(c, &conn_origin(c, n)->addr);
	struct net *net = net_get(c, &conn_origin(c, n)->addr);
	uint32_t ds = core_ds(c, e->time_ns);
	bool is_alone;

	clue_add(c, n, e);
	c->credited = s;
	c->credited_net = net;
	c->credited_spray = NULL;
	c->credited_asn = NULL;
	c->credited_slow = NULL;
	c->credited_spread = spread_credit(c, e, ds);
	if (!s)
		return;
	c->credited_slow = slow_credit(c, s, e);
	window_note(c, WINDOW_OF(&s->failures), ds, e->count, c->config.failed_logon_threshold);
	s->total += e->count;
	spray_credit(c, e, ds, s);
	if (ds > s->last_ds)
		s->last_ds = ds;
	is_alone = !is_alerted(s->alerted_ds, ds); /* only the most specific counts */
	if (net && is_alone)
		window_note(c, WINDOW_OF(&net->failures), ds, e->count, network_threshold(c));
	if (net)
		pool_touch(&c->nets, pool_slot(&c->nets, net),
			   net->failures.used > 1 ? POOL_WORTH : POOL_HARMLESS);
	account_credit(c, e, ds, s, net);
	if (is_alone && !(net && is_alerted(net->alerted_ds, ds)))
		c->credited_asn = asn_credit(c, s, e);
	pool_touch(&c->sources, pool_slot(&c->sources, s),
		   window_count(WINDOW_OF(&s->failures), s->last_ds, DAY_DS) > 1 || s->fired_ds
			   ? POOL_WORTH
			   : POOL_HARMLESS);
}

void account_succeeded(struct core *c, struct span name, enum method m)
{
	struct account *a = account_get(c, name);

	if (!a)
		return;
	a->status = STATUS_EXISTS;
	a->methods = (uint16_t)(a->methods | 1u << m);
	pool_touch(&c->accounts, pool_slot(&c->accounts, a), POOL_WORTH);
}
