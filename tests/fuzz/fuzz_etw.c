/*
 * fuzz_etw: any bytes as a template and a payload of an ETW event, through windows_decode() and
 * out_event_json().
 *
 * First bits and which provider and id; a count and four bytes a field: which name, type, where its
 * length is, length (its high bit: an address). What is left is the payload, in a block of its own
 * size.
 */
#include <stdio.h>
#include "fuzz.h"
#include "fuzz_schemas.h"

#include "common/decode/windows_etw.h"
#include "common/out/out.h"

#define IS_64	  1
#define IS_NARROW 2 /* no room for texts */

static const char *const names[] = {
	"TargetUserName", "TargetLogonId",   "TargetLinkedLogonId",
	"LogonType",	  "ProcessName",     "IpAddress",
	"IpPort",	  "Status",	     "SubStatus",
	"User",		  "SessionID",	     "Address",
	"ClientIP",	  "IPString",	     "Param1",
	"Param3",	  "payload",	     "process",
	"ClientAddress",  "TargetSession",   "Session",
	"ClientName",	  "NewProcessName",  "CommandLine",
	"SourceAddress",  "DestinationIp",   "Direction",
	"LogonID",	  "TargetUserSid",   "AuthenticationPackageName",
	"Message",	  "WorkstationName",
};

static const uint32_t ids[] = {21,   24,   25,	 39,   40,   91,   131,	 140,  261,  1149,
			       4624, 4625, 4634, 4648, 4672, 4688, 4740, 4768, 4771, 4776,
			       4778, 4779, 4825, 5140, 5156, 1,	   3,	 4};

struct input {
	const uint8_t *p;
	size_t left;
};

static unsigned take(struct input *in)
{
	if (!in->left)
		return 0;
	in->left--;
	return *in->p++;
}

static void take_template(struct input *in, struct etw_template *t)
{
	t->count = take(in);
	for (unsigned i = 0; i < t->count && i < ETW_FIELDS_MAX; i++) {
		struct etw_field *f = &t->fields[i];
		unsigned length;

		(void)snprintf(f->name, sizeof(f->name), "%s",
			       names[take(in) % (sizeof(names) / sizeof(names[0]))]);
		f->type = (uint8_t)(take(in) % 26);
		f->length_from = (uint8_t)take(in);
		length = take(in);
		f->length = (uint16_t)((length & 0x7f) == 0x7f ? 0xffff : length & 0x7f);
		f->is_address = length & 0x80;
	}
}

/* Every value lies in the payload or in the scratch. */
static void check_values(const struct windows_event *w, struct span payload, const char *scratch,
			 size_t room)
{
	for (unsigned i = 0; i < w->count; i++) {
		struct span v = w->fields[i].value;

		CHECK(v.len == 0 ||
		      (v.ptr >= payload.ptr && v.ptr + v.len <= payload.ptr + payload.len) ||
		      (v.ptr >= scratch && v.ptr + v.len <= scratch + room));
	}
}

static void check_event(struct decode_stream *d, const struct windows_event *w)
{
	static char buf[OUT_EVENT_MAX];
	const char *reason = NULL;
	struct event e;
	int n;

	if (windows_decode(d, w, DECODER_windows_evtx, &e, &reason) != DECODE_EVENT) {
		CHECK(reason && reason[0]);
		return;
	}
	CHECK(e.trust != TRUST_KERNEL && e.outcome < OUTCOME_COUNT && e.service < SERVICE_COUNT);
	n = out_event_json(&e, buf, sizeof(buf));
	CHECK(n > 0 && buf[0] == '{' && buf[n - 1] == '}' && buf[n] == '\0');
	for (int i = 0; i < n; i++)
		CHECK((unsigned char)buf[i] >= ' ');
	check_schemas(&e);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = {data, size};
	struct decode_stream *d = calloc(1, sizeof(*d));
	struct etw_template *t = calloc(1, sizeof(*t));
	struct windows_event w = {.time_ns = 1};
	unsigned bits = take(&in), which = take(&in);
	struct json scratch;
	const char *reason = NULL;
	char *copy;
	bool any;

	CHECK(d && t);
	scratch =
		(struct json){.out = d->scratch,
			      .out_end = d->scratch + (bits & IS_NARROW ? 64 : sizeof(d->scratch))};
	w.provider = span_of(windows_providers[which % windows_providers_count].name);
	w.id = ids[(which / windows_providers_count) % (sizeof(ids) / sizeof(ids[0]))];
	take_template(&in, t);
	copy = malloc(in.left ? in.left : 1);
	CHECK(copy);
	if (in.left)
		memcpy(copy, in.p, in.left);
	any = windows_from_etw(t, (struct span){copy, in.left}, bits & IS_64, &scratch, &w,
			       &reason);
	CHECK(w.count <= t->count && w.count <= ETW_FIELDS_MAX);
	CHECK(any || (w.count == 0 && reason));
	CHECK(reason || w.count == t->count || t->count > ETW_FIELDS_MAX);
	check_values(&w, (struct span){copy, in.left}, d->scratch, sizeof(d->scratch));
	check_event(d, &w);
	free(copy);
	free(t);
	free(d);
	return 0;
}
