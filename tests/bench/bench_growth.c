/*
 * bench_growth: what one more event costs as events and sources grow; correlation alone, one core.
 *
 *   events    10^3 to 10^7 failing logins of 1,000 addresses
 *   sources   10 to 10^6 addresses, 2,000,000 failing logins in all
 *
 * ns an event and the memory that the process holds after it; flat is the aim.
 * usage: bench_growth
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/core/core.h"

#define T0 1700000000000000000ull

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Resident KiB of this process. */
static unsigned long resident(void)
{
	unsigned long total = 0, pages = 0;
	FILE *f = fopen("/proc/self/statm", "r");

	if (!f || fscanf(f, "%lu %lu", &total, &pages) != 2)
		pages = 0;
	if (f)
		fclose(f);
	return pages * (unsigned long)sysconf(_SC_PAGESIZE) / 1024;
}

/* Twenty guesses a second a thousand sources, whatever their number: time goes with events. */
static int one(const struct config *config, uint64_t events, uint32_t sources)
{
	struct core_identity id = {.host_id = "bench"};
	struct core *core = core_new(config, &id);
	static struct core_out out;
	double start;

	if (!core)
		return 1;
	start = seconds();
	for (uint64_t i = 0; i < events; i++) {
		uint32_t s = (uint32_t)((i * 2654435761u) % sources);
		uint8_t bytes[4] = {(uint8_t)(20 + (s >> 24)), (uint8_t)(s >> 16),
				    (uint8_t)(s >> 8), (uint8_t)s};
		struct event e = {.kind = EVENT_ATTEMPT,
				  .outcome = OUTCOME_FAILURE,
				  .method = METHOD_PASSWORD,
				  .time_ns = T0 + i * 50000,
				  .service = SERVICE_SSH,
				  .trust = TRUST_TEXT,
				  .witness = WITNESS_DAEMON,
				  .count = 1,
				  .origin = {.addr = addr_from_bytes(bytes, 4),
					     .port = (uint16_t)(1024 + i % 60000)},
				  .proc = {.pid = (uint32_t)(1000 + i % 30000)},
				  .account = SPAN_LIT("root")};

		core_step(core, &e, &out);
	}
	printf("%10llu events %9u sources  %7.0f ns/event  %7lu KiB\n", (unsigned long long)events,
	       sources, (seconds() - start) * 1e9 / (double)events, resident());
	core_free(core);
	return 0;
}

int main(void)
{
	struct config *config = calloc(1, sizeof(*config));
	int r = 0;

	if (!config)
		return 1;
	setvbuf(stdout, NULL, _IOLBF, 0);
	config_defaults(config);
	for (uint64_t n = 1000; n <= 10000000 && !r; n *= 10)
		r = one(config, n, 1000);
	for (uint32_t s = 10; s <= 1000000 && !r; s *= 10)
		r = one(config, 2000000, s);
	free(config);
	return r;
}
