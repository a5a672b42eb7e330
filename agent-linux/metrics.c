/* metrics: what `status` says, as numbers; for a forwarder that asks (forward.c). */
#include "metrics.h"

#include <sys/resource.h>
#include <unistd.h>

#include "common/out/metrics.h"
#include "common/store/outbox.h"
#include "engine.h"

static void put_kernel(const struct engine *e, struct writer *w)
{
#define KERNEL(name)                                                                               \
	metric_one(w, "kernel_" #name, "counted by the kernel programs", true,                     \
		   e->setup.counters[WIRE_STAT_##name]);
	WIRE_STATS(KERNEL)
#undef KERNEL
}

static void put_sensors(const struct engine *e, struct writer *w)
{
	metric_begin(w, "sensor_on", "1: that sensor sees what it should", false);
	for (unsigned i = 0; i < SENSOR_PARTS; i++)
		metric_put(w, "sensor_on", false, "sensor", e->setup.rows[i].name,
			   engine_row_on(e, i));
	metric_begin(w, "source_on", "1: that log is read", false);
	for (unsigned i = 0; i < e->sources_count; i++)
		metric_put(w, "source_on", false, "source", e->sources[i].name,
			   e->sources[i].state == SOURCE_ON);
	metric_begin(w, "source_lines", "lines read of that log", true);
	for (unsigned i = 0; i < e->sources_count; i++)
		metric_put(w, "source_lines", true, "source", e->sources[i].name,
			   e->sources[i].lines);
}

static void put_sessions(const struct engine *e, struct writer *w)
{
	const struct session *s;
	uint64_t live = 0;

	for (unsigned i = 0; (s = core_session_at(e->core, i)); i++)
		live += s->state != SESSION_CLOSED;
	metric_one(w, "sessions_live", "sessions open or lingering now", false, live);
}

/* It keeps what it sees, and every sensor that is no mere detail is on. */
static bool is_healthy(const struct engine *e)
{
	bool well = !e->store_failing;

	for (unsigned i = 0; i < SENSOR_UNIX; i++)
		well &= engine_row_on(e, i);
	return well;
}

void metrics_put(const struct engine *e, struct writer *w)
{
	struct rusage ru;

	getrusage(RUSAGE_SELF, &ru);
	metric_begin(w, "build_info", "the version that runs", false);
	metric_put(w, "build_info", false, "version", OUTERGATE_VERSION, 1);
	metric_one(w, "healthy", "1: it stores what it sees, and its sensors are on", false,
		   is_healthy(e));
	metric_one(w, "start_time_seconds", "when it started, since 1970", false,
		   e->started_ns / UINT64_C(1000000000));
	metric_one(w, "resident_bytes", "most memory that the engine has had", false,
		   (uint64_t)ru.ru_maxrss * 1024);
	metric_one(w, "store_failing", "1: what is written to the store fails", false,
		   e->store_failing);
	put_sessions(e, w);
	put_sensors(e, w);
	forward_metrics(e, w);
	metrics_stats(w, core_stats(e->core));
	put_kernel(e, w);
}
