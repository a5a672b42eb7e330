/*
 * bench_decode: lines a second on one core, decode alone and decode with correlation, over a file
 * of sshd text held in memory (OpenSSH_2k.log of OUTERGATE_DATA, or the file named).
 *
 *   bench_decode [FILE [SECONDS]]
 *
 * Budget (README): decode and correlate at least 2,000,000 lines a second. The same lines are read
 * again and again, each round a day later and with other process ids and ports than the one before,
 * so that windows fill and empty as they would and no connection is seen twice.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/core/core.h"
#include "common/decode/decode.h"

#define LINES_MAX   100000
#define ROUNDS_MAX  20000 /* days that fit the offset of a stream */
#define NUMBER_STEP 1009
#define BYTES_MAX   (64u << 20)

struct bench {
	struct span lines[LINES_MAX];
	size_t count;
	struct decode_stream stream;
	struct core *core;
	struct core_out out;
	unsigned long long events;
	unsigned rounds;
};

/* Processor time, so that a busy machine does not count. */
static double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* The first BYTES_MAX of the file, cut into lines. */
static int load(struct bench *b, const char *path, char **ret_text)
{
	FILE *f = fopen(path, "rb");
	char *p = malloc(BYTES_MAX), *end = p;

	if (f && p)
		end += fread(p, 1, BYTES_MAX, f);
	if (f)
		fclose(f);
	*ret_text = p;
	while (p < end && b->count < LINES_MAX) {
		char *eol = memchr(p, '\n', (size_t)(end - p));
		size_t n = eol ? (size_t)(eol - p) : (size_t)(end - p);

		b->lines[b->count++] = (struct span){p, n};
		p += n + 1;
	}
	return b->count ? 0 : -1;
}

/* Five digits after `before` become others between 10000 and 59999. */
static void renumber(struct span line, const char *before)
{
	char *p = memmem(line.ptr, line.len, before, strlen(before)), digits[16];
	unsigned value = 0;

	if (!p)
		return;
	p += strlen(before);
	for (int i = 0; i < 5; i++) {
		if (p + i >= line.ptr + line.len || p[i] < '0' || p[i] > '9')
			return;
		value = value * 10 + (unsigned)(p[i] - '0');
	}
	snprintf(digits, sizeof(digits), "%05u", 10000 + (value + NUMBER_STEP) % 50000);
	memcpy(p, digits, 5);
}

/* The processor time that one pass over the lines took. */
static double round_once(struct bench *b)
{
	const char *reason;
	struct event e;
	double start;

	for (size_t i = 0; i < b->count; i++) {
		renumber(b->lines[i], "sshd[");
		renumber(b->lines[i], " port ");
	}
	b->stream.line = b->stream.last_ns = b->stream.seen_ns = 0;
	b->stream.year = 0;
	b->stream.tz_offset_s = -(int)(b->rounds++ % ROUNDS_MAX) * 86400;
	start = now_s();
	for (size_t i = 0; i < b->count; i++) {
		if (decode_line(&b->stream, b->lines[i], &e, &reason) != DECODE_EVENT)
			continue;
		b->events++;
		if (b->core)
			core_step(b->core, &e, &b->out);
	}
	return now_s() - start;
}

static void measure(struct bench *b, const char *what, double seconds)
{
	double used = 0;
	unsigned long long lines = 0;

	round_once(b); /* warm */
	b->events = 0;
	do {
		used += round_once(b);
		lines += b->count;
	} while (used < seconds);
	printf("%-22s %10.0f lines/s  %6.1f ns/line  (%llu lines, %llu events)\n", what,
	       (double)lines / used, used * 1e9 / (double)lines, lines, b->events);
}

int main(int argc, char **argv)
{
	const char *data = getenv("OUTERGATE_DATA");
	struct core_identity id = {.host_id = "bench"};
	struct config *config = calloc(1, sizeof(*config));
	struct bench *b = calloc(1, sizeof(*b));
	double seconds = argc > 2 ? atof(argv[2]) : 2.0;
	char path[4096], *text = NULL;

	if (!b || !config)
		return 1;
	snprintf(path, sizeof(path), "%s/text/OpenSSH_2k.log", data ? data : "../shared/data");
	if (load(b, argc > 1 ? argv[1] : path, &text)) {
		fprintf(stderr, "bench_decode: cannot read %s; set OUTERGATE_DATA\n",
			argc > 1 ? argv[1] : path);
		return 1;
	}
	b->stream.forced_source = -1;
	measure(b, "decode", seconds);
	config_defaults(config);
	b->core = core_new(config, &id);
	if (b->core)
		measure(b, "decode and correlate", seconds);
	core_free(b->core);
	free(text);
	free(config);
	free(b);
	return 0;
}
