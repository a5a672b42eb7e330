/* Payloads of ETW events made by hand, and what is read of them. Include after cmocka.h. */
#ifndef OUTERGATE_ETW_WORLD_H
#define OUTERGATE_ETW_WORLD_H

#include "common/decode/windows_etw.h"

struct made {
	uint8_t bytes[8192];
	size_t n;
};

static inline void put(struct made *m, uint64_t v, unsigned size)
{
	for (; size; size--, v >>= 8)
		m->bytes[m->n++] = (uint8_t)v;
}

static inline void put_wide(struct made *m, const char *text)
{
	for (; *text; text++)
		put(m, (unsigned char)*text, 2);
	put(m, 0, 2);
}

static inline void put_bytes(struct made *m, const void *p, size_t n)
{
	memcpy(m->bytes + m->n, p, n);
	m->n += n;
}

/* "S-1-5-18": its authority and parts, in the order of a payload. */
static inline void put_sid(struct made *m, const char *text)
{
	char *end = NULL;
	uint8_t *count;

	put(m, strtoul(text + 2, &end, 10), 1);
	count = &m->bytes[m->n];
	put(m, 0, 1);
	put(m, 0, 5);
	put(m, strtoul(end + 1, &end, 10), 1);
	for (; *end == '-'; (*count)++)
		put(m, strtoul(end + 1, &end, 10), 4);
}

/* What is read of it, in a block of its own size: one byte past it would be seen. */
struct reading {
	struct windows_event w;
	char scratch[65536];
	uint8_t *payload;
	const char *reason;
	bool any;
};

static inline struct reading *reading_of(const struct etw_template *t, const uint8_t *bytes,
					 size_t n, bool is_64)
{
	struct reading *r = test_calloc(1, sizeof(*r));
	struct json scratch = {.out = r->scratch, .out_end = r->scratch + sizeof(r->scratch)};

	r->payload = test_malloc(n ? n : 1);
	memcpy(r->payload, bytes, n);
	r->any = windows_from_etw(t, (struct span){(const char *)r->payload, n}, is_64, &scratch,
				  &r->w, &r->reason);
	return r;
}

static inline void end(struct reading *r)
{
	test_free(r->payload);
	test_free(r);
}

static inline void assert_text(struct span got, const char *want)
{
	char text[512];

	(void)snprintf(text, sizeof(text), "%.*s", (int)got.len, got.len ? got.ptr : "");
	assert_string_equal(text, want);
}

#endif
