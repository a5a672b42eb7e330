/*
 * export: what the core must remember across a restart beside sessions and alerts, as one blob.
 *
 * Little-endian: magic, version, seed (keys are hashes under it), times, then sections: tag, row
 * size, number of rows, rows. A section whose tag or row size this version does not know is another
 * version's and is passed over; the rest is taken. Sizes and counts are checked before anything is
 * taken, so a damaged blob changes nothing.
 *
 * Sections: sources that failed lately (within a TimeWindow, or more than once in a day), networks,
 * autonomous systems, accounts, who fails slowly, who guesses an account, who tries many, places
 * and edges, links, how much identities send, where they were last, digests, connections whose
 * tries were counted just now, prompts for a second factor that were denied, logon ids, services
 * that listened.
 */
#include "core_internal.h"

#include <errno.h>

#define BLOB_MAGIC	  0x4f47434f52453131ull /* "OGCORE11" */
#define BLOB_VERSION	  5
#define BLOB_TAGGED	  5 /* the first whose sections have a tag; before, their order says it */
#define BLOB_OLDEST	  3
#define BLOB_SECTIONS_MAX 64
#define TRIED_NS	  (60 * SECOND_NS) /* a journal is seconds late, not minutes */

struct blob_head {
	uint64_t magic;
	uint32_t version, sections;
	uint64_t seed, base_ns, now_ns;
};

struct blob_section {
	uint32_t tag, row_size, rows, pad;
};

struct writer {
	uint8_t *buf;
	size_t cap, len; /* len grows beyond cap; what does not fit is not copied */
};

static void put(struct writer *w, const void *p, size_t n)
{
	if (w->buf && w->len + n <= w->cap)
		memcpy(w->buf + w->len, p, n);
	w->len += n;
}

/* A pool whose items are plain data (handles in them are dropped on import). */
struct table_section {
	enum blob_tag tag;
	size_t pool, index;
	uint32_t key_size;
	uint64_t (*hash)(const struct core *c, const void *item);
	bool (*worth)(const struct core *c, const void *item);
	void (*clean)(void *item);
};

static uint64_t hash_of_addr(const struct core *c, const void *item)
{
	return hash_addr(c->seed, item);
}

static uint64_t hash_of_key(const struct core *c, const void *item)
{
	uint64_t key;

	(void)c;
	memcpy(&key, item, sizeof(key));
	return key;
}

static uint64_t hash_of_number(const struct core *c, const void *item)
{
	return hash_u64(c->seed, hash_of_key(c, item));
}

static bool source_worth(const struct core *c, const void *item)
{
	const struct source *s = item;
	uint32_t now = core_ds(c, c->now_ns);

	if (s->last_ds + core_window_ds(c) > now || (s->fired_ds && s->fired_ds + 7 * DAY_DS > now))
		return true;
	return s->last_ds + DAY_DS > now &&
	       window_count(WINDOW_OF((struct window_small *)(uintptr_t)&s->failures), s->last_ds,
			    DAY_DS) > 1;
}

static bool net_worth(const struct core *c, const void *item)
{
	const struct net *n = item;

	return window_most(WINDOW_OF((struct window_large *)(uintptr_t)&n->failures),
			   core_window_ds(c)) > 1;
}

static bool slow_worth(const struct core *c, const void *item)
{
	const struct slow *s = item;

	return s->failures.used &&
	       s->failures.stamp[s->failures.used - 1] + DAY_DS > core_ds(c, c->now_ns);
}

static bool asn_worth(const struct core *c, const void *item)
{
	return asn_count(c, item) > 1;
}

static bool spread_worth(const struct core *c, const void *item)
{
	return spread_usual(item) || spread_networks(c, item) > 1;
}

static bool spray_worth(const struct core *c, const void *item)
{
	(void)c;
	return ((const struct spray *)item)->who[2] != 0;
}

static bool always(const struct core *c, const void *item)
{
	(void)c;
	(void)item;
	return true;
}

static void source_clean(void *item)
{
	((struct source *)item)->session = ((struct source *)item)->alert = HANDLE_NONE;
	((struct source *)item)->failures.ring = 0;
}

static void net_clean(void *item)
{
	((struct net *)item)->failures.ring = 0;
}

static void account_clean(void *item)
{
	((struct account *)item)->guesses.ring = 0;
}

static void slow_clean(void *item)
{
	((struct slow *)item)->failures.ring = 0;
	((struct slow *)item)->alert = HANDLE_NONE;
}

static void asn_clean(void *item)
{
	((struct asn *)item)->failures.ring = 0;
}

static void spread_clean(void *item)
{
	((struct spread *)item)->alert = HANDLE_NONE;
}

static void spray_clean(void *item)
{
	((struct spray *)item)->alert = HANDLE_NONE;
}

void profile_clean(void *item)
{
	struct profile *p = item;

	p->name[PROFILE_NAME - 1] = '\0';
	for (unsigned i = 0; i < TRAITS_MAX; i++) {
		p->traits[i].value[TRAIT_VALUE - 1] = '\0';
		if (p->traits[i].kind >= TRAIT_KINDS)
			p->traits[i] = (struct trait){0};
	}
}

static bool mfa_worth(const struct core *c, const void *item)
{
	const struct mfa *m = item;

	return m->denied.used &&
	       m->denied.stamp[m->denied.used - 1] + DAY_DS > core_ds(c, c->now_ns);
}

static void mfa_clean(void *item)
{
	struct mfa *m = item;

	m->denied.ring = 0;
	if (m->denied.used > WINDOW_LARGE)
		m->denied.used = 0;
}

static void place_clean(void *item)
{
	struct last_place *p = item;

	p->country[sizeof(p->country) - 1] = p->city[sizeof(p->city) - 1] = '\0';
}

static void nothing(void *item)
{
	(void)item;
}

#define TABLE(tag, name, key, hash, worth, clean)                                                  \
	{                                                                                          \
		tag, offsetof(struct core, name), offsetof(struct core, name##_by), key, hash,     \
			worth, clean                                                               \
	}

static const struct table_section sections[] = {
	TABLE(TAG_SOURCES, sources, sizeof(struct addr), hash_of_addr, source_worth, source_clean),
	TABLE(TAG_NETS, nets, sizeof(struct addr), hash_of_addr, net_worth, net_clean),
	TABLE(TAG_ACCOUNTS, accounts, sizeof(uint64_t), hash_of_key, always, account_clean),
	TABLE(TAG_SEEN, seen, sizeof(uint64_t), hash_of_key, always, nothing),
	TABLE(TAG_LINKS, links, sizeof(uint64_t), hash_of_key, always, nothing),
	TABLE(TAG_PROFILES, profiles, sizeof(uint64_t), hash_of_key, profile_is_worth,
	      profile_clean),
	TABLE(TAG_SLOWS, slows, sizeof(struct addr), hash_of_addr, slow_worth, slow_clean),
	TABLE(TAG_ASNS, asns, sizeof(uint64_t), hash_of_number, asn_worth, asn_clean),
	TABLE(TAG_SPREADS, spreads, sizeof(uint64_t), hash_of_key, spread_worth, spread_clean),
	TABLE(TAG_SPRAYS, sprays, sizeof(struct addr), hash_of_addr, spray_worth, spray_clean),
	TABLE(TAG_LAST_PLACES, last_places, sizeof(uint64_t), hash_of_key, always, place_clean),
	TABLE(TAG_MFAS, mfas, sizeof(uint64_t), hash_of_key, mfa_worth, mfa_clean),
};
#define SECTIONS ((uint32_t)(sizeof(sections) / sizeof(sections[0])))

static const struct pool *pool_of(const struct core *c, const struct table_section *s)
{
	return (const struct pool *)(const void *)((const char *)c + s->pool);
}

/* Counts, or writes when w is given. */
static uint32_t table_rows(const struct core *c, const struct table_section *s, struct writer *w)
{
	const struct pool *p = pool_of(c, s);
	uint32_t n = 0;

	for (uint32_t i = 0; i < p->fresh; i++) {
		if (!pool_is_used(p, i) || !s->worth(c, pool_at(p, i)))
			continue;
		n++;
		if (w)
			put(w, pool_at(p, i), p->item_size);
	}
	return n;
}

static void tried_rows(const struct core *c, struct writer *w)
{
	struct blob_section s = {.tag = TAG_TRIED, .row_size = sizeof(struct tried)};
	struct tried rows[TRIED_MAX];

	memset(rows, 0, sizeof(rows));
	for (uint32_t i = 0; i < c->conns.fresh && s.rows < TRIED_MAX; i++) {
		const struct conn *n = pool_at(&c->conns, i);
		struct tried *t = &rows[s.rows];

		if (!pool_is_used(&c->conns, i) || !n->credited || !n->origin.port ||
		    n->last_ns + TRIED_NS < c->now_ns)
			continue;
		t->origin = n->origin;
		t->last_ns = n->last_ns;
		memcpy(t->counts, n->counts, sizeof(t->counts));
		t->credited = n->credited;
		s.rows++;
	}
	put(w, &s, sizeof(s));
	put(w, rows, s.rows * sizeof(rows[0]));
}

static void logon_rows(const struct core *c, struct writer *w)
{
	struct blob_section s = {.tag = TAG_LOGONS, .row_size = sizeof(struct kept_logon)};
	struct kept_logon rows[KEPT_LOGONS];

	s.rows = logons_export(c, rows);
	put(w, &s, sizeof(s));
	put(w, rows, s.rows * sizeof(rows[0]));
}

/* A connection that has just been made: what it had counted before the restart; once. */
void tried_take(struct core *c, struct conn *n)
{
	unsigned left = 0;

	for (unsigned i = 0; i < c->tried_used; i++) {
		struct tried *t = &c->tried[i];

		if (!t->origin.addr.family || n->last_ns > t->last_ns + CONN_STALE_NS)
			continue;
		left++;
		if (t->origin.port != n->origin.port || !addr_eq(&t->origin.addr, &n->origin.addr))
			continue;
		memcpy(n->counts, t->counts, sizeof(n->counts));
		n->credited = t->credited;
		t->origin = (struct endpoint){0};
		return;
	}
	if (!left)
		c->tried_used = 0;
}

size_t core_export(const struct core *c, void *buf, size_t cap)
{
	struct writer w = {buf, cap, 0};
	struct blob_head head = {.magic = BLOB_MAGIC,
				 .version = BLOB_VERSION,
				 .sections = SECTIONS + 4,
				 .seed = c->seed,
				 .base_ns = c->base_ns,
				 .now_ns = c->now_ns};
	struct blob_section s = {
		.tag = TAG_DIGESTS, .row_size = sizeof(struct digest), .rows = DIGESTS_MAX};

	put(&w, &head, sizeof(head));
	put(&w, &s, sizeof(s));
	put(&w, c->digests, sizeof(c->digests));
	for (uint32_t i = 0; i < SECTIONS; i++) {
		s = (struct blob_section){.tag = sections[i].tag,
					  .row_size = pool_of(c, &sections[i])->item_size,
					  .rows = table_rows(c, &sections[i], NULL)};
		put(&w, &s, sizeof(s));
		table_rows(c, &sections[i], &w);
	}
	tried_rows(c, &w);
	logon_rows(c, &w);
	s = (struct blob_section){
		.tag = TAG_EXPOSED, .row_size = sizeof(struct exposed), .rows = EXPOSED_MAX};
	put(&w, &s, sizeof(s));
	put(&w, c->exposed, sizeof(c->exposed));
	return w.len;
}

struct blob {
	const uint8_t *p;
	size_t len, at;
	struct blob_head head;
};

/* Head of section i, and past it; its rows are all there. */
static bool section_read(struct blob *b, uint32_t i, struct blob_section *ret)
{
	size_t skip = b->head.version >= BLOB_TAGGED ? 0 : sizeof(uint32_t);
	size_t size = skip ? 2 * sizeof(uint32_t) : sizeof(*ret);

	if (b->len - b->at < size)
		return false;
	*ret = (struct blob_section){.tag = i + 1}; /* the order of old is that of the tags */
	memcpy((uint8_t *)ret + skip, b->p + b->at, size);
	b->at += size;
	return ret->row_size && ret->rows <= (b->len - b->at) / ret->row_size;
}

/* Every size before any row. */
static bool is_sound(struct blob *b)
{
	struct blob_section s;

	if (b->len < sizeof(b->head))
		return false;
	memcpy(&b->head, b->p, sizeof(b->head));
	b->at = sizeof(b->head);
	if (b->head.magic != BLOB_MAGIC || b->head.version > BLOB_VERSION ||
	    b->head.version < BLOB_OLDEST || b->head.sections > BLOB_SECTIONS_MAX)
		return false;
	for (uint32_t i = 0; i < b->head.sections; i++) {
		if (!section_read(b, i, &s))
			return false;
		b->at += (size_t)s.rows * s.row_size;
	}
	return b->at == b->len;
}

/* Bounds inside rows: indices that code relies on. */
static bool row_is_sound(const struct table_section *s, const void *row)
{
	switch (s->tag) {
	case TAG_SOURCES:
		return ((const struct source *)row)->failures.used <= WINDOW_SMALL;
	case TAG_NETS:
		return ((const struct net *)row)->failures.used <= WINDOW_LARGE;
	case TAG_ACCOUNTS:
		return ((const struct account *)row)->guesses.used <= WINDOW_SMALL;
	case TAG_SLOWS:
		return ((const struct slow *)row)->failures.used <= WINDOW_LARGE;
	case TAG_ASNS:
		return ((const struct asn *)row)->failures.used <= WINDOW_HUGE;
	default:
		return true;
	}
}

/* Room for the largest row, aligned. */
union row {
	struct source source;
	struct net net;
	struct account account;
	struct seen seen;
	struct link link;
	struct profile profile;
	struct slow slow;
	struct asn asn;
	struct spread spread;
	struct spray spray;
	struct last_place last_place;
};

static void table_import(struct core *c, const struct table_section *s, const uint8_t *rows,
			 uint32_t n)
{
	struct pool *p = (struct pool *)(void *)((char *)c + s->pool);
	struct index *x = (struct index *)(void *)((char *)c + s->index);

	for (uint32_t i = 0; i < n && p->used < p->limit; i++) {
		union row row;
		void *item;

		memcpy(&row, rows + (size_t)i * p->item_size, p->item_size);
		if (!row_is_sound(s, &row))
			continue;
		item = table_get(p, x, s->hash(c, &row), &row, s->key_size, NULL);
		if (!item)
			return;
		memcpy(item, &row, p->item_size);
		s->clean(item);
		pool_touch(p, pool_slot(p, item), POOL_WORTH);
	}
}

/* Before identities had more habits than how much they send. */
struct sizes_row {
	uint64_t key;
	uint32_t last_day;
	uint8_t days, pad[3];
	uint8_t sizes[PROFILE_SIZES];
};

static void sizes_import(struct core *c, const uint8_t *rows, uint32_t n)
{
	struct sizes_row row;

	for (uint32_t i = 0; i < n && c->profiles.used < c->profiles.limit; i++) {
		struct profile *p;

		memcpy(&row, rows + (size_t)i * sizeof(row), sizeof(row));
		p = table_get(&c->profiles, &c->profiles_by, row.key, &row.key, sizeof(row.key),
			      NULL);
		if (!p)
			return;
		p->first_day = p->last_day = row.last_day;
		p->days = row.days;
		memcpy(p->sizes, row.sizes, sizeof(p->sizes));
	}
}

/* Slots of this run's tables mean nothing in another; texts end. */
static void rows_clean(struct core *c)
{
	for (unsigned i = 0; i < DIGESTS_MAX; i++)
		c->digests[i].alert = HANDLE_NONE;
	for (uint32_t i = 0; i < c->links.fresh; i++) {
		struct link *l = pool_at(&c->links, i);

		l->why[sizeof(l->why) - 1] = l->chain[ID_TEXT_MAX - 1] = '\0';
	}
}

/* Plain arrays of the core, of this version's size. */
static void array_import(struct core *c, const struct blob_section *s, const uint8_t *rows)
{
	size_t size = (size_t)s->rows * s->row_size;

	if (s->tag == TAG_DIGESTS && size == sizeof(c->digests))
		memcpy(c->digests, rows, size);
	if (s->tag == TAG_EXPOSED && size == sizeof(c->exposed))
		memcpy(c->exposed, rows, size);
	if (s->tag == TAG_TRIED && s->row_size == sizeof(c->tried[0]) && s->rows <= TRIED_MAX) {
		memcpy(c->tried, rows, size);
		c->tried_used = s->rows;
	}
	if (s->tag == TAG_LOGONS && s->row_size == sizeof(c->windows.kept[0]) &&
	    s->rows <= KEPT_LOGONS)
		memcpy(c->windows.kept, rows, size);
}

int blob_each(struct core *c, const void *buf, size_t len, uint64_t *ret_seed,
	      void (*take)(struct core *c, enum blob_tag tag, size_t row_size, const uint8_t *rows,
			   uint32_t n))
{
	struct blob b = {.p = buf, .len = len};
	struct blob_section s;

	if (!is_sound(&b))
		return -EINVAL;
	*ret_seed = b.head.seed;
	b.at = sizeof(b.head);
	for (uint32_t i = 0; take && i < b.head.sections && section_read(&b, i, &s); i++) {
		take(c, (enum blob_tag)s.tag, s.row_size, b.p + b.at, s.rows);
		b.at += (size_t)s.rows * s.row_size;
	}
	return 0;
}

int core_import(struct core *c, const void *buf, size_t len)
{
	struct blob b = {.p = buf, .len = len};
	struct blob_section s;

	if (!is_sound(&b))
		return -EINVAL;
	c->seed = b.head.seed;
	c->base_ns = b.head.base_ns;
	c->now_ns = b.head.now_ns;
	b.at = sizeof(b.head);
	for (uint32_t i = 0; i < b.head.sections && section_read(&b, i, &s); i++) {
		array_import(c, &s, b.p + b.at);
		if (s.tag == TAG_PROFILES && s.row_size == sizeof(struct sizes_row))
			sizes_import(c, b.p + b.at, s.rows);
		for (uint32_t k = 0; k < SECTIONS; k++)
			if (sections[k].tag == s.tag &&
			    pool_of(c, &sections[k])->item_size == s.row_size)
				table_import(c, &sections[k], b.p + b.at, s.rows);
		b.at += (size_t)s.rows * s.row_size;
	}
	rows_clean(c);
	return 0;
}
