/*
 * links: why a source, an identity or a key belongs to an intruder, kept 7 days, so that what he
 * does tomorrow from another address joins the chain of today. Bounded; the oldest goes first.
 */
#include "core_internal.h"

uint64_t link_key(const struct core *c, unsigned kind, uint64_t value)
{
	return hash_u64(hash_u64(c->seed, kind + 1), value);
}

struct link *link_find(const struct core *c, uint64_t key)
{
	struct link *l = table_find(&c->links, &c->links_by, key, &key, sizeof(key));

	return l && c->now_ns < l->time_ns + LINK_KEPT_NS ? l : NULL;
}

struct link *link_get(struct core *c, uint64_t key, uint64_t time_ns)
{
	struct link *l = table_find(&c->links, &c->links_by, key, &key, sizeof(key));

	if (l && c->now_ns >= l->time_ns + LINK_KEPT_NS)
		l->chain[0] = '\0';
	if (!l)
		l = table_get(&c->links, &c->links_by, key, &key, sizeof(key), NULL);
	if (l && time_ns > l->time_ns)
		l->time_ns = time_ns;
	return l;
}
