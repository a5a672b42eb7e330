/*
 * mfa: the prompts of second factors that were denied or ran out of time, by account.
 *
 * Kept for the accounts that had one lately, as many as MFAS_MAX; a full table forgets whose last
 * one is the longest ago. It outlives a restart (core_export.c).
 */
#include "core_internal.h"

#include "core_detect.h"

struct mfa *mfa_find(const struct core *c, struct span account)
{
	uint64_t key = hash_account(c, account);

	return table_find(&c->mfas, &c->mfas_by, key, &key, sizeof(key));
}

uint32_t mfa_denied(const struct core *c, const struct event *e, uint64_t width_s)
{
	uint64_t width = width_s * 10 > DAY_DS ? DAY_DS : width_s * 10;
	struct mfa *m = mfa_find(c, e->account);
	uint32_t at = core_ds(c, e->time_ns);

	if (!m)
		return 0;
	if (e->outcome == OUTCOME_SUCCESS)
		return window_count(WINDOW_OF(&m->denied), at, (uint32_t)width);
	return window_most_at(WINDOW_OF(&m->denied), at, (uint32_t)width);
}

void mfa_told(struct core *c, const struct event *e)
{
	uint64_t key = hash_account(c, e->account);
	struct mfa *m;

	if (span_empty(e->account))
		return;
	if (e->outcome == OUTCOME_FAILURE) {
		m = table_get(&c->mfas, &c->mfas_by, key, &key, sizeof(key),
			      &c->stats.mfas_evicted);
		if (m) {
			window_add(WINDOW_OF(&m->denied), core_ds(c, e->time_ns), e->count, DAY_DS);
			pool_touch(&c->mfas, pool_slot(&c->mfas, m), POOL_HARMLESS);
		}
	}
	core_detect(c, e, NULL, NULL);
}
