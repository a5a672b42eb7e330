/*
 * bench_sources: how fast each decoder is on one core: the example of every source, and every file
 * of lines that is named, one row each: lines a second, and megabytes, since a record may be long.
 *
 *   bench_sources [--rounds N] [FILE...]
 *
 * Processor time, so that a busy machine does not count as much. With --rounds each is read N times
 * and nothing is timed: for who counts instructions (callgrind --toggle-collect=decode_line).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/decode/decode.h"

#define LINES_MAX  20000
#define BYTES_MAX  (16u << 20)
#define ROW_S	   0.3
#define ROUNDS	   256	    /* between two looks at the clock, which costs as much as a line */
#define BUDGET	   500000.0 /* lines a second of a core, of every decoder */
#define LONG	   1000	    /* bytes a line: of such records the megabytes count */
#define BUDGET_MBS 400.0

struct row {
	struct span lines[LINES_MAX];
	size_t count, bytes;
	unsigned long long events;
};

static struct decode_stream stream;
static unsigned rounds, slow;

static double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void cut_lines(struct row *r, const char *p, size_t len)
{
	const char *end = p + len;

	r->count = r->bytes = 0;
	while (p < end && r->count < LINES_MAX) {
		const char *eol = memchr(p, '\n', (size_t)(end - p));
		size_t n = eol ? (size_t)(eol - p) : (size_t)(end - p);

		r->lines[r->count++] = (struct span){p, n};
		r->bytes += n;
		p += n + 1;
	}
}

static void read_once(struct row *r)
{
	enum decode_result result;
	const char *reason;
	struct event e;

	if (stream.audit.execs_next || stream.audit.others_next) /* or each was told before */
		memset(&stream.audit, 0, sizeof(stream.audit));
	for (size_t i = 0; i < r->count; i++) {
		result = decode_line(&stream, r->lines[i], &e, &reason);
		r->events += result == DECODE_EVENT;
		while (decode_next(&stream, &e, &result, &reason))
			r->events += result == DECODE_EVENT;
	}
}

static void measure(struct row *r, const char *name)
{
	double start = now_s(), used, lines, bytes;
	unsigned n = 0;

	r->events = 0;
	memset(&stream, 0, sizeof(stream));
	stream.forced_source = -1;
	do {
		unsigned until = n + (rounds ? rounds : r->count < ROUNDS ? ROUNDS : 1);

		for (; n < until; n++)
			read_once(r);
		used = now_s() - start;
	} while (!rounds && used < ROW_S);
	lines = (double)r->count * n;
	bytes = (double)r->bytes * n;
	if (!r->count || rounds)
		return;
	printf("%-34.34s %6.0f bytes/line %10.0f lines/s %7.1f MB/s %5.2f events/line\n", name,
	       bytes / lines, lines / used, bytes / used / 1e6, (double)r->events / lines);
	if (lines / used < BUDGET) {
		bool is_long = bytes / lines >= LONG && bytes / used / 1e6 >= BUDGET_MBS;

		slow += !is_long;
		printf("%-34s %s\n", "",
		       is_long ? "(long records: 400 MB/s are asked of them)"
			       : "BELOW 500,000 lines/s");
	}
}

static int measure_file(struct row *r, const char *path, char *text)
{
	FILE *f = fopen(path, "rb");
	const char *name = strrchr(path, '/');

	if (!f) {
		fprintf(stderr, "bench_sources: cannot read %s\n", path);
		return -1;
	}
	cut_lines(r, text, fread(text, 1, BYTES_MAX, f));
	fclose(f);
	measure(r, name ? name + 1 : path);
	return 0;
}

int main(int argc, char **argv)
{
	static struct row row;
	static char text[BYTES_MAX];
	struct row *r = &row;
	int i = 1, failed = 0;

	if (argc > 2 && strcmp(argv[1], "--rounds") == 0) {
		rounds = (unsigned)atoi(argv[2]);
		i = 3;
	}
	for (int d = 0; d < DECODER_COUNT && (!rounds || i == argc); d++) {
		if (!decoders[d]->example)
			continue;
		cut_lines(r, decoders[d]->example, strlen(decoders[d]->example));
		measure(r, decoders[d]->name);
	}
	for (; i < argc; i++)
		failed |= measure_file(r, argv[i], text);
	printf("%u below their budget\n", slow);
	return failed ? 1 : 0;
}
