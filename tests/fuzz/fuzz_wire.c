/*
 * fuzz_wire: any bytes as kernel records back to back, through decode_wire() and
 * out_event_json(). Each record is copied to its own aligned block of the length at hand, so that
 * reading past a short one is caught.
 */
#include "fuzz.h"
#include "fuzz_schemas.h"

#include "common/decode/decode.h"
#include "common/decode/first_bytes.h"
#include "common/out/out.h"
#include "common/wire.h"

#define RECORDS_MAX 16

static const struct first_table *table;

static void check_span(struct span s, const char *record, size_t len)
{
	const char *first = (const char *)table;

	if (s.ptr >= first && s.ptr + s.len <= first + sizeof(*table))
		return;
	CHECK(s.len == 0 || (s.ptr >= record && s.ptr + s.len <= record + len));
}

static void check_event(const struct event *e, const char *record, size_t len)
{
	static char buf[OUT_EVENT_MAX];
	int n = out_event_json(e, buf, sizeof(buf));

	CHECK(e->kind > EVENT_NONE && e->kind < EVENT_COUNT);
	CHECK((e->trust == TRUST_KERNEL || e->gate.told) && e->count == 1 &&
	      e->source == DECODER_wire);
	CHECK(e->service < SERVICE_COUNT);
	CHECK(e->kind != EVENT_PAM ||
	      (e->pam_call >= PAM_CALL_AUTHENTICATE && e->pam_call <= PAM_CALL_END));
	check_span(e->account, record, len);
	check_span(e->program, record, len);
	check_span(e->args, record, len);
	check_span(e->tty, record, len);
	check_span(e->pam_service, record, len);
	check_span(e->text, record, len);
	check_span(e->key, record, len);
	check_span(e->subject, record, len);
	check_span(e->gate.group, record, len);
	CHECK(n > 0 && buf[0] == '{' && buf[n - 1] == '}');
	for (int i = 0; i < n; i++)
		CHECK((unsigned char)buf[i] >= ' ');
	check_schemas(e);
}

static size_t one_record(struct decode_stream *d, const uint8_t *data, size_t left)
{
	char *copy = malloc(left); /* malloc aligns to 16 */
	struct wire_hdr h = {0};
	const char *reason = NULL;
	size_t len = left;
	struct event e;

	CHECK(copy);
	memcpy(copy, data, left);
	if (left >= sizeof(h))
		memcpy(&h, data, sizeof(h));
	memset(&e, 0xa5, sizeof(e));
	if (decode_wire(d, copy, left, &e, &reason) == DECODE_EVENT) {
		check_event(&e, copy, left);
		len = h.size;
		CHECK(len >= sizeof(h) && len <= left);
	} else {
		CHECK(reason && reason[0]);
		if (h.size >= sizeof(h) && h.size < left)
			len = h.size;
	}
	free(copy);
	return len;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct decode_stream *d = calloc(1, sizeof(*d));
	size_t at = 0;

	CHECK(d);
	d->first = calloc(1, sizeof(*d->first));
	CHECK(d->first);
	table = d->first;
	d->boot_to_wall_ns = 1700000000000000000;
	for (unsigned n = 0; n < RECORDS_MAX && at < size; n++)
		at += one_record(d, data + at, size - at);
	free(d->first);
	free(d);
	return 0;
}
