/* Logons as payloads of ETW events: the same as their XML, in every version, cut at every byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/out/out.h"

#include "etw_world.h"

#define SECURITY "Microsoft-Windows-Security-Auditing"

/* One event, from which its payload and its XML are made. */
struct row {
	const char *name;
	uint8_t type;
	const char *value;
	unsigned since; /* the first version that has it */
};

static const struct row logon_rows[] = {
	{"SubjectUserSid", ETW_SID, "S-1-5-18", 0},
	{"SubjectUserName", ETW_UNICODE, "SRV1$", 0},
	{"SubjectDomainName", ETW_UNICODE, "CORP", 0},
	{"SubjectLogonId", ETW_HEX64, "0x3e7", 0},
	{"TargetUserSid", ETW_SID, "S-1-5-21-1-2-3-1104", 0},
	{"TargetUserName", ETW_UNICODE, "alice", 0},
	{"TargetDomainName", ETW_UNICODE, "CORP", 0},
	{"TargetLogonId", ETW_HEX64, "0xa96e8", 0},
	{"LogonType", ETW_UINT32, "10", 0},
	{"LogonProcessName", ETW_UNICODE, "User32 ", 0},
	{"AuthenticationPackageName", ETW_UNICODE, "Negotiate", 0},
	{"WorkstationName", ETW_UNICODE, "SRV1", 0},
	{"LogonGuid", ETW_GUID, "{00000000-0000-0000-0000-000000000000}", 0},
	{"TransmittedServices", ETW_UNICODE, "-", 0},
	{"LmPackageName", ETW_UNICODE, "-", 0},
	{"KeyLength", ETW_UINT32, "0", 0},
	{"ProcessId", ETW_POINTER, "0x3d0", 0},
	{"ProcessName", ETW_UNICODE, "C:\\Windows\\System32\\svchost.exe", 0},
	{"IpAddress", ETW_UNICODE, "203.0.113.9", 0},
	{"IpPort", ETW_UNICODE, "4711", 0},
	{"ImpersonationLevel", ETW_UNICODE, "%%1833", 1},
	{"RestrictedAdminMode", ETW_UNICODE, "-", 2},
	{"RemoteCredentialGuard", ETW_UNICODE, "-", 3},
	{"TargetOutboundUserName", ETW_UNICODE, "-", 2},
	{"TargetOutboundDomainName", ETW_UNICODE, "-", 2},
	{"VirtualAccount", ETW_UNICODE, "%%1843", 2},
	{"TargetLinkedLogonId", ETW_HEX64, "0xa96b3", 2},
	{"ElevatedToken", ETW_UNICODE, "%%1842", 2},
	{NULL, 0, NULL, 0},
};

static const struct row failure_rows[] = {
	{"SubjectUserSid", ETW_SID, "S-1-0-0", 0},
	{"SubjectUserName", ETW_UNICODE, "-", 0},
	{"SubjectDomainName", ETW_UNICODE, "-", 0},
	{"SubjectLogonId", ETW_HEX64, "0x0", 0},
	{"TargetUserSid", ETW_SID, "S-1-0-0", 0},
	{"TargetUserName", ETW_UNICODE, "administrator", 0},
	{"TargetDomainName", ETW_UNICODE, "", 0},
	{"Status", ETW_HEX32, "0xc000006d", 0},
	{"FailureReason", ETW_UNICODE, "%%2313", 0},
	{"SubStatus", ETW_HEX32, "0xc0000064", 0},
	{"LogonType", ETW_UINT32, "3", 0},
	{"LogonProcessName", ETW_UNICODE, "NtLmSsp ", 0},
	{"AuthenticationPackageName", ETW_UNICODE, "NTLM", 0},
	{"WorkstationName", ETW_UNICODE, "workstation", 0},
	{"TransmittedServices", ETW_UNICODE, "-", 0},
	{"LmPackageName", ETW_UNICODE, "-", 0},
	{"KeyLength", ETW_UINT32, "0", 0},
	{"ProcessId", ETW_POINTER, "0x0", 0},
	{"ProcessName", ETW_UNICODE, "-", 0},
	{"IpAddress", ETW_UNICODE, "2001:db8::9", 0},
	{"IpPort", ETW_UNICODE, "0", 0},
	{NULL, 0, NULL, 0},
};

static bool has_row(const struct row *r, unsigned version)
{
	return r->since <= version;
}

static void put_value(struct made *m, const struct row *r, bool is_64)
{
	switch (r->type) {
	case ETW_UNICODE:
		put_wide(m, r->value);
		break;
	case ETW_SID:
		put_sid(m, r->value);
		break;
	case ETW_GUID:
		put(m, 0, 8);
		put(m, 0, 8);
		break;
	case ETW_POINTER:
		put(m, strtoull(r->value, NULL, 0), is_64 ? 8 : 4);
		break;
	default:
		put(m, strtoull(r->value, NULL, 0), r->type == ETW_HEX64 ? 8 : 4);
	}
}

static void make(const struct row *rows, unsigned version, bool is_64, struct etw_template *t,
		 struct made *m)
{
	*t = (struct etw_template){0};
	*m = (struct made){0};
	for (const struct row *r = rows; r->name; r++) {
		struct etw_field *f = &t->fields[t->count];

		if (!has_row(r, version))
			continue;
		t->count++;
		(void)snprintf(f->name, sizeof(f->name), "%s", r->name);
		f->type = r->type;
		f->length_from = ETW_NO_LENGTH;
		put_value(m, r, is_64);
	}
}

static struct decode_stream *stream(void)
{
	struct decode_stream *d = test_calloc(1, sizeof(*d));

	d->forced_source = -1;
	return d;
}

static const char *json_of(const struct event *e)
{
	static char text[2][OUT_EVENT_MAX];
	static unsigned turn;
	char *buf = text[turn++ % 2];

	assert_true(out_event_json(e, buf, OUT_EVENT_MAX) > 0);
	return buf;
}

static void decode(struct windows_event *w, struct event *ret)
{
	struct decode_stream *d = stream();
	const char *reason = NULL;

	assert_int_equal(windows_decode(d, w, DECODER_windows_evtx, ret, &reason), DECODE_EVENT);
	test_free(d);
}

static void put_xml(char *text, size_t cap, const struct row *rows, uint32_t id, unsigned version)
{
	size_t n = (size_t)snprintf(
		text, cap,
		"<Event><System><Provider Name='" SECURITY "'/><EventID>%u</EventID>"
		"<Version>%u</Version><TimeCreated SystemTime='2024-03-05T10:11:12.5000000Z'/>"
		"<Correlation ActivityID='{F4200001-0000-0000-0000-000000000001}'/>"
		"<Execution ProcessID='716' ThreadID='4'/><Channel>Security</Channel>"
		"<Computer>srv1</Computer></System><EventData>",
		id, version);

	for (const struct row *r = rows; r->name; r++)
		if (has_row(r, version))
			n += (size_t)snprintf(text + n, cap - n, "<Data Name='%s'>%s</Data>",
					      r->name, r->value);
	(void)snprintf(text + n, cap - n, "</EventData></Event>");
}

/* What the header of the record says; the rest is its payload's. */
static void set_header(struct windows_event *w, uint32_t id, unsigned version)
{
	w->provider = SPAN_LIT(SECURITY);
	w->channel = SPAN_LIT("Security");
	w->computer = SPAN_LIT("srv1");
	w->activity = SPAN_LIT("{F4200001-0000-0000-0000-000000000001}");
	w->id = id;
	w->version = version;
	w->pid = 716;
	w->time_ns = 1709633472500000000;
}

static void check_twins(const struct row *rows, uint32_t id, unsigned version, bool is_64)
{
	static char xml[8192], scratch[65536];
	struct json room = {.out = scratch, .out_end = scratch + sizeof(scratch)};
	struct decode_stream *d = stream();
	struct windows_event w;
	struct event told, read;
	struct etw_template t;
	struct made m;
	struct reading *r;
	const char *reason = NULL;

	make(rows, version, is_64, &t, &m);
	r = reading_of(&t, m.bytes, m.n, is_64);
	assert_true(r->any);
	assert_null(r->reason);
	assert_int_equal(r->w.count, t.count);
	set_header(&r->w, id, version);
	decode(&r->w, &read);
	put_xml(xml, sizeof(xml), rows, id, version);
	assert_true(windows_from_xml(d, span_of(xml), &room, &w, &reason));
	assert_int_equal(w.count, r->w.count);
	for (unsigned i = 0; i < w.count; i++) {
		assert_true(span_eq(w.fields[i].name, r->w.fields[i].name));
		assert_true(span_eq(w.fields[i].value, r->w.fields[i].value));
	}
	decode(&w, &told);
	assert_string_equal(json_of(&read), json_of(&told));
	assert_memory_equal(&read.win, &told.win, sizeof(read.win));
	assert_int_equal(read.flags, told.flags);
	assert_int_equal(read.method, told.method);
	assert_int_equal(read.witness, told.witness);
	test_free(d);
	end(r);
}

static void the_same_as_its_xml(void **state)
{
	(void)state;
	for (unsigned version = 0; version <= 3; version++)
		for (unsigned wide = 0; wide < 2; wide++)
			check_twins(logon_rows, 4624, version, wide);
	check_twins(failure_rows, 4625, 0, true);
	check_twins(failure_rows, 4625, 0, false);
}

/* Version 3 has a field where version 2 has another: by its name, its linked logon is still it. */
static void a_field_that_came_between(void **state)
{
	static const unsigned counts[] = {20, 21, 27, 28};

	(void)state;
	for (unsigned version = 0; version <= 3; version++) {
		struct etw_template t;
		struct made m;
		struct reading *r;
		struct event e;

		make(logon_rows, version, true, &t, &m);
		assert_int_equal(t.count, counts[version]);
		r = reading_of(&t, m.bytes, m.n, true);
		set_header(&r->w, 4624, version);
		decode(&r->w, &e);
		assert_text(e.account, "alice");
		assert_int_equal(e.origin.port, 4711);
		assert_int_equal(e.win.logon, 0xa96e8);
		assert_int_equal(e.win.linked, version >= 2 ? 0xa96b3 : 0);
		end(r);
	}
}

/* Cut anywhere, an event keeps the fields before the cut, and no field of it is another's. */
static void cut_at_every_byte(void **state)
{
	struct etw_template t;
	struct made m;
	unsigned told = 0;

	(void)state;
	make(logon_rows, 2, true, &t, &m);
	for (size_t cut = 0; cut < m.n; cut++) {
		struct reading *r = reading_of(&t, m.bytes, cut, true);
		const struct row *row = logon_rows;

		told += r->reason != NULL;
		assert_int_equal(r->any, r->w.count > 0);
		assert_true(r->w.count < t.count || cut > m.n - 14);
		for (unsigned i = 0; i < r->w.count; i++, row++) {
			struct span got = r->w.fields[i].value;
			bool is_last = i + 1 == r->w.count;

			while (!has_row(row, 2))
				row++;
			assert_text(r->w.fields[i].name, row->name);
			if (is_last) /* a text may end with the payload */
				assert_true(span_starts(span_of(row->value), got));
			else
				assert_text(got, row->value);
		}
		end(r);
	}
	/* But between two characters of the last text, "%%1842", nobody can know. */
	assert_int_equal(told, m.n - 6);
}

/* A name that tries to be two, or a field of its own: bytes of a value and nothing else. */
static void a_hostile_name(void **state)
{
	static const char name[] = "a</Data><Data Name='IpAddress'>8.8.8.8\r\n\"\t%%1833\x01\x7f";
	struct etw_template t;
	struct row rows[sizeof(failure_rows) / sizeof(failure_rows[0])];
	struct made m;
	struct reading *r;
	struct event e;
	const char *json;

	(void)state;
	memcpy(rows, failure_rows, sizeof(rows));
	rows[5].value = name;
	make(rows, 0, true, &t, &m);
	r = reading_of(&t, m.bytes, m.n, true);
	set_header(&r->w, 4625, 0);
	decode(&r->w, &e);
	assert_text(e.account, name);
	json = json_of(&e);
	assert_non_null(strstr(json, "\"address\":\"2001:db8::9\""));
	for (; *json; json++)
		assert_true((unsigned char)*json >= ' ');
	end(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_same_as_its_xml),
		cmocka_unit_test(a_field_that_came_between),
		cmocka_unit_test(cut_at_every_byte),
		cmocka_unit_test(a_hostile_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
