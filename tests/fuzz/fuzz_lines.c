/*
 * fuzz_lines: a stream that a receiver gets, in any pieces: it comes from the network. However it
 * is cut, the same lines come of it, none is empty or longer than the buffer.
 *
 * The first byte is the size of the pieces.
 */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "common/decode/stream_lines.h"

struct sum {
	uint64_t hash;
	size_t lines;
};

static void take(void *arg, struct span line, bool cut)
{
	struct sum *s = arg;

	if (!line.len || line.len > DECODE_RECORD_MAX || (cut && line.len < DECODE_RECORD_MAX / 2))
		abort();
	for (size_t i = 0; i < line.len; i++)
		s->hash = (s->hash ^ (uint8_t)line.ptr[i]) * UINT64_C(1099511628211);
	s->hash = (s->hash ^ 0x100) * UINT64_C(1099511628211);
	s->lines++;
}

static struct sum run(const char *data, size_t len, size_t piece)
{
	struct stream_lines *s = calloc(1, sizeof(*s));
	struct sum sum = {0};

	if (!s)
		abort();
	for (size_t at = 0; at < len; at += piece) {
		size_t n = piece < len - at ? piece : len - at;
		char *copy = malloc(n); /* a byte past it is caught */

		if (!copy)
			abort();
		memcpy(copy, data + at, n);
		stream_lines_feed(s, (struct span){copy, n}, take, &sum);
		free(copy);
	}
	stream_lines_end(s, take, &sum);
	free(s);
	return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sum whole, cut;

	if (size < 2)
		return 0;
	whole = run((const char *)data + 1, size - 1, size);
	cut = run((const char *)data + 1, size - 1, 1u + data[0]);
	if (whole.hash != cut.hash || whole.lines != cut.lines)
		abort();
	return 0;
}
