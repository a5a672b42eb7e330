/*
 * exposure: which remote services listen where somebody outside can reach them.
 *
 * Until all that listen at the first start have been told, what is told is the baseline: it is kept
 * and raises nothing. Later a service raises each of its findings once: that it is reachable from
 * outside, that it asks for nothing, that it is weak. What is kept outlives restarts (of the
 * service, too: the key names what it is, not the process).
 *
 * Cannot see: what listens where nobody outside reaches it is kept without a finding, so that it
 * may still become one.
 */
#include "../exposure/exposure.h"
#include "core_detect.h"

enum {
	FOUND_REACHED = 1u << 0,
	FOUND_WEAK = 1u << 1,
	FOUND_NONE = 1u << 2,
};

#define BASELINE_DONE 1u

/* The row of that service; one that was not seen for the longest time makes room. */
static struct exposed *exposed_get(struct core *c, uint64_t wide)
{
	struct exposed *free = NULL, *oldest = &c->exposed[1];
	uint32_t key = (uint32_t)(wide ^ wide >> 32) | 1u;

	for (unsigned i = 1; i < EXPOSED_MAX; i++) {
		struct exposed *x = &c->exposed[i];

		if (x->key == key)
			return x;
		if (!x->key && !free)
			free = x;
		if (x->day < oldest->day)
			oldest = x;
	}
	if (!free) {
		free = oldest;
		c->stats.exposed_evicted++;
	}
	*free = (struct exposed){.key = key};
	return free;
}

static uint32_t findings(const struct event *e)
{
	uint32_t bits = FOUND_REACHED;

	if (e->alive != REACH_ANYONE)
		return 0;
	if ((uint32_t)e->result == EXPOSED_WEAK)
		bits |= FOUND_WEAK;
	if ((uint32_t)e->result == EXPOSED_NONE)
		bits |= FOUND_NONE;
	return bits;
}

void exposure_told(struct core *c, const struct event *e)
{
	static const struct {
		uint32_t bit;
		unsigned detection;
	} told[] = {
		{FOUND_REACHED, DETECTION_exposure_new_listener},
		{FOUND_NONE, DETECTION_exposure_unauthenticated},
		{FOUND_WEAK, DETECTION_exposure_weak},
	};
	struct conn *n = e->conn ? conn_find(c, e) : NULL;
	struct exposed *x;
	uint32_t new;

	if (e->service == SERVICE_NONE) {
		c->exposed[0].bits |= BASELINE_DONE;
		return;
	}
	x = exposed_get(c, e->out_conn);
	new = findings(e) & ~x->bits;
	x->bits |= (uint16_t) new;
	x->day = (uint16_t)core_day(e->time_ns);
	if (!(c->exposed[0].bits & BASELINE_DONE))
		return;
	for (size_t i = 0; i < sizeof(told) / sizeof(told[0]); i++)
		if (new &told[i].bit)
			core_detect_one(c, told[i].detection, e, NULL, conn_session(c, n), NULL);
}
