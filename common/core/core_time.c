/*
 * time: the core's clock is the time of events. In a replay every event moves it; with the kernel
 * sensor only kernel records and ticks do, so that a log line with a far date closes nothing.
 * It never goes back: a late event is late, not yesterday.
 */
#include "core_internal.h"

#define DS_NS (SECOND_NS / 10)

/* Room before the first event for late ones; 310 days, and 13 years after it. */
#define DS_BEFORE (1u << 28)

uint32_t core_ds(const struct core *c, uint64_t ns)
{
	uint64_t ds = ns < c->base_ns ? 0 : (ns - c->base_ns) / DS_NS + 1;

	if (ds < DS_FIRST)
		return DS_FIRST;
	return ds < UINT32_MAX ? (uint32_t)ds : UINT32_MAX - 1;
}

uint64_t core_ds_ns(const struct core *c, uint32_t ds)
{
	return c->base_ns + (uint64_t)(ds - 1) * DS_NS;
}

uint32_t core_window_ds(const struct core *c)
{
	return c->config.time_window_s * 10;
}

uint32_t core_day(uint64_t ns)
{
	return (uint32_t)(ns / DAY_NS);
}

void core_due(struct core *c, uint64_t ns)
{
	if (ns < c->deadline_ns)
		c->deadline_ns = ns;
}

static bool moves_clock(const struct core *c, const struct event *e)
{
	return !c->id.kernel_sensor || e->trust == TRUST_KERNEL || e->kind == EVENT_TICK;
}

void core_clock(struct core *c, const struct event *e)
{
	uint64_t before = DS_BEFORE * DS_NS;

	if (!c->base_ns && e->time_ns)
		c->base_ns = e->time_ns > before ? e->time_ns - before : 1;
	if (!moves_clock(c, e))
		return;
	if (!c->sensor_since_ns)
		c->sensor_since_ns = e->time_ns;
	if (e->time_ns > c->now_ns)
		c->now_ns = e->time_ns;
}

void core_expire(struct core *c)
{
	if (c->now_ns < c->deadline_ns)
		return;
	c->deadline_ns = UINT64_MAX;
	claims_expire(c);
	attempts_expire(c);
	unseen_expire(c);
	settle_expire(c);
	multiplexers_expire(c);
	conns_expire(c);
	windows_expire(c);
	sessions_expire(c);
	alerts_expire(c);
}
