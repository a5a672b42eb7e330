/*
 * schemas: what collectors are sent is one line, parses, keeps its id and tells nobody what Privacy
 * keeps, whatever stands in the texts. Whether it is what the published schemas want is checked by
 * tests/schema.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <jansson.h>
#include <stdio.h>

#include "common/detect/detection.h"
#include "common/out/event_id.h"
#include "common/out/privacy.h"
#include "common/out/schema.h"
#include "common/out/writer.h"

#define NOON 1795329060123000000ull

static const struct out_policy keep = {.keep_unknown_accounts = true,
				       .command_lines = COMMANDS_FULL,
				       .host_id = "machine",
				       .boot_id = "boot",
				       .host_name = "web-1"};
static const struct out_policy hide = {.privacy_key = 7, .host_id = "machine"};
static const struct out_policy none = {.privacy_key = 7, .command_lines = COMMANDS_NONE};
static const struct out_policy blind = {.privacy_key = 7,
					.pseudonymise = true,
					.keep_unknown_accounts = true,
					.command_lines = COMMANDS_FULL};
static const struct addr v4 = {ADDR_V4, {0}, {203, 0, 113, 77}};
static const struct addr v6 = {ADDR_V6, {0}, {0x20, 1, 0xd, 0xb8, [15] = 0x77}};
static char buf[OUT_RECORD_MAX];

static void fill(char *field, size_t cap, int byte)
{
	for (size_t i = 0; i + 1 < cap; i++)
		field[i] = (char)(byte ? byte : (int)(i % 255 + 1));
	field[cap - 1] = '\0';
}
#define FILL(f) fill(f, sizeof(f), byte)

static const struct alert *big_alert(unsigned detection, int byte)
{
	static struct alert a;

	a = (struct alert){.detection = detections[detection % DETECTION_COUNT],
			   .id = "0123456789abcdef0123456789abcdef",
			   .session = "fedcba9876543210fedcba9876543210",
			   .revision = 3,
			   .state = detection % 3,
			   .severity = detection % SEVERITY_COUNT,
			   .count = UINT64_MAX,
			   .first_ns = NOON,
			   .last_ns = NOON + 1000000000,
			   .service = detection % SERVICE_COUNT,
			   .scope = SCOPE_EXTERNAL,
			   .evidence_count = ALERT_EVIDENCE};
	a.origin = a.local = a.via = (struct endpoint){detection % 2 ? v4 : v6, 65535, 0};
	a.geo = (struct geo){.country = "NL",
			     .asn = 64500,
			     .has_point = true,
			     .latitude_e4 = -9000,
			     .longitude_e4 = 1799999};
	FILL(a.reason);
	FILL(a.account);
	FILL(a.effective_account);
	FILL(a.key);
	FILL(a.client);
	FILL(a.numbers);
	FILL(a.note);
	FILL(a.sentence);
	FILL(a.geo.as_org);
	FILL(a.geo.city);
	for (unsigned i = 0; i < ALERT_EVIDENCE; i++) {
		a.evidence[i] = (struct alert_evidence){NOON, EVENT_EXEC, TRUST_TRANSPORT, 1, ""};
		FILL(a.evidence[i].text);
	}
	return &a;
}

static const struct session *big_session(unsigned n, int byte)
{
	static struct session s;

	s = (struct session){.id = "fedcba9876543210fedcba9876543210",
			     .state = n % 3,
			     .service = n % SERVICE_COUNT,
			     .method = n % METHOD_COUNT,
			     .open_ns = NOON,
			     .close_ns = NOON + 5000000000,
			     .last_ns = NOON + 6000000000,
			     .bytes_known = true,
			     .bytes_in = INT64_MAX,
			     .commands_kept = SESSION_CMDS,
			     .dests_kept = SESSION_DESTS,
			     .listens_kept = SESSION_LISTENS,
			     .listens_total = 9,
			     .handoffs_kept = SESSION_HANDOFFS,
			     .handoffs_total = 9,
			     .fired = 1,
			     .worst = SEVERITY_HIGH,
			     .anomaly_mask = UINT64_MAX};
	s.origin = s.local = s.via = s.claimed = (struct endpoint){v6, 65535, 0};
	FILL(s.account);
	FILL(s.effective_account);
	FILL(s.key);
	FILL(s.client);
	FILL(s.container);
	FILL(s.container_name);
	FILL(s.image);
	FILL(s.pod);
	FILL(s.fingerprint);
	FILL(s.alert_chain);
	for (unsigned i = 0; i < SESSION_CMDS; i++)
		FILL(s.commands[i].text);
	for (unsigned i = 0; i < SESSION_DESTS; i++) {
		s.dests[i] = (struct session_dest){.dest = {v6, 1, 0}, .bytes_in = UINT64_MAX};
		s.dests[i].dest.addr.bytes[14] = (uint8_t)i;
		FILL(s.dests[i].program);
	}
	for (unsigned i = 0; i < SESSION_HANDOFFS; i++) {
		FILL(s.handoffs[i].by);
		FILL(s.handoffs[i].to);
		FILL(s.handoffs[i].what);
	}
	return &s;
}

/* Every kind, every text full. */
static struct event big_event(unsigned n, int byte)
{
	static char line[8192];
	struct span all = {line, sizeof(line) - 1};
	struct event e = {.kind = n % EVENT_COUNT,
			  .service = n / EVENT_COUNT % SERVICE_COUNT,
			  .outcome = n % OUTCOME_COUNT,
			  .method = n % METHOD_COUNT,
			  .api.action = n % API_ACTION_COUNT,
			  .pam_call = n % 6,
			  .flags = n & 1 ? EVENT_ACCOUNT_UNKNOWN : 0,
			  .time_ns = NOON,
			  .line = 1,
			  .count = 2,
			  .result = n % 2 ? 403 : 0,
			  .win.id = 4625,
			  .conn = UINT64_MAX,
			  .proc.pid = n % 3,
			  .parent.pid = n % 2,
			  .bytes_in = INT64_MAX};

	fill(line, sizeof(line), byte);
	if (n % 5)
		e.origin = e.local = e.dest = (struct endpoint){n % 2 ? v4 : v6, 65535, 0};
	e.account = e.user = e.client = e.fingerprint = e.key = e.host = e.program = e.args = all;
	e.pam_service = e.tty = e.text = e.path = e.subject = e.mac = e.via = e.before = all;
	e.after = e.api.container = e.api.name = e.api.pod_name = e.api.pod = all;
	e.api.image = e.api.detail = all;
	return e;
}

/* CEF: seven headers, then keys without "=" in them; no bare control character anywhere. */
static void check_cef(const char *text)
{
	unsigned pipes = 0;
	const char *p = text;

	assert_true(!strncmp(p, "CEF:0|Outergate|outergate|", 26));
	for (; *p && pipes < 7; p++) {
		if (*p == '\\') {
			p++;
			assert_true(*p == '\\' || *p == '|');
		}
		pipes += *p == '|' && p[-1] != '\\';
	}
	assert_int_equal(pipes, 7);
	while (*p) {
		const char *equals = strchr(p, '=');

		assert_non_null(equals);
		for (; p < equals; p++)
			assert_true((*p >= '0' && *p <= '9') || (*p >= 'a' && *p <= 'z') ||
				    (*p >= 'A' && *p <= 'Z'));
		/* The value ends at the last space before the next bare "=". */
		for (p = equals + 1; *p && *p != '='; p++)
			if (*p == '\\' && *++p != 'n' && *p != 'r')
				assert_true(*p == '\\' || *p == '=');
		while (*p && *p != ' ')
			p--;
		p += *p == ' ';
	}
}

static void check(const struct out_schema *s, int n)
{
	json_error_t why;
	json_t *j;

	assert_true(n > 0);
	assert_int_equal(strlen(buf), n);
	for (int i = 0; i < n; i++)
		assert_true((unsigned char)buf[i] >= 0x20 && buf[i] != 0x7f);
	if (!strcmp(s->name, "cef")) {
		check_cef(buf);
		return;
	}
	j = json_loads(buf, JSON_REJECT_DUPLICATES, &why);
	if (!j)
		fail_msg("%s: %s at %d of %s", s->name, why.text, why.position, buf);
	json_decref(j);
}

static void every_record_is_one_line_of_its_format(void **state)
{
	const struct out_policy *const policies[] = {&keep, &hide, &none, &blind};
	const struct out_schema *s;

	(void)state;
	for (unsigned i = 0; (s = out_schema_at(i)); i++)
		for (int byte = 0; byte < 256; byte++) {
			const struct out_policy *p = policies[byte % 4];
			unsigned n = (unsigned)byte * 7;
			struct event e = big_event(n, byte);

			check(s, s->alert(big_alert(n, byte), p, buf, sizeof(buf)));
			check(s, s->session(big_session(n, byte), p, buf, sizeof(buf)));
			check(s, s->event(&e, p, buf, sizeof(buf)));
		}
}

static void every_kind_and_service_has_a_record(void **state)
{
	const struct out_schema *s;

	(void)state;
	for (unsigned i = 0; (s = out_schema_at(i)); i++) {
		for (unsigned n = 0; n < EVENT_COUNT * SERVICE_COUNT; n++) {
			struct event e = big_event(n, 'x'), bare = {.kind = e.kind, .count = 1};

			check(s, s->event(&e, n % 2 ? &keep : &none, buf, sizeof(buf)));
			check(s, s->event(&bare, n % 2 ? &keep : &none, buf, sizeof(buf)));
		}
		for (unsigned d = 0; d < DETECTION_COUNT; d++)
			for (unsigned state_of = 0; state_of < 3; state_of++) {
				struct alert a = {.detection = detections[d],
						  .state = state_of,
						  .first_ns = NOON};

				check(s, s->alert(&a, &none, buf, sizeof(buf)));
			}
	}
}

static void small_buffers_are_refused_and_terminated(void **state)
{
	const struct out_schema *s;
	struct event e = big_event(EVENT_ATTEMPT, 'x');

	(void)state;
	for (unsigned i = 0; (s = out_schema_at(i)); i++)
		for (size_t cap = 0; cap < 700; cap++) {
			memset(buf, 'y', 800);
			assert_int_equal(s->alert(big_alert(1, 'x'), &keep, buf, cap), -ENOSPC);
			assert_int_equal(s->session(big_session(1, 'x'), &keep, buf, cap), -ENOSPC);
			assert_int_equal(s->event(&e, &keep, buf, cap), -ENOSPC);
			assert_int_equal(buf[cap], 'y');
			assert_true(cap == 0 || buf[0] == '\0');
		}
}

static void schemas_have_names(void **state)
{
	(void)state;
	assert_string_equal(out_schema_at(0)->name, "outergate");
	assert_ptr_equal(out_schema_named(SPAN_LIT("outergate")), out_schema_at(0));
	assert_string_equal(out_schema_named(SPAN_LIT("ocsf"))->name, "ocsf");
	assert_null(out_schema_named(SPAN_LIT("ecs ")));
	assert_null(out_schema_named(SPAN_LIT("")));
	assert_null(out_schema_at(99));
}

static const char *text_at(json_t *j, const char *path)
{
	char key[64];

	for (; j && *path; path += strcspn(path, ".") + (path[strcspn(path, ".")] == '.')) {
		snprintf(key, sizeof(key), "%.*s", (int)strcspn(path, "."), path);
		j = json_object_get(j, key);
	}
	return json_string_value(j);
}

/* The id of what is in buf, of each schema where it stands. */
static const char *id_of(const struct out_schema *s, char id[128])
{
	static const char *const paths[][2] = {
		{"outergate", "id"}, {"ecs", "event.id"}, {"ocsf", "metadata.uid"}};
	const char *at = strstr(buf, "externalId=");
	json_t *j = json_loads(buf, 0, NULL);

	for (unsigned i = 0; i < 3; i++)
		if (!strcmp(s->name, paths[i][0]))
			snprintf(id, 128, "%s", text_at(j, paths[i][1]));
	if (!j)
		snprintf(id, 128, "%.*s", (int)strcspn(at + 11, " "), at + 11);
	json_decref(j);
	return id;
}

static void an_alert_has_the_id_of_its_revision(void **state)
{
	const struct out_schema *s;
	struct alert a = *big_alert(2, 'x');
	char id[128];

	(void)state;
	for (unsigned i = 1; (s = out_schema_at(i)); i++) {
		a.revision = 3;
		s->alert(&a, &keep, buf, sizeof(buf));
		assert_string_equal(id_of(s, id), "0123456789abcdef0123456789abcdef-3");
		a.revision = 4;
		s->alert(&a, &keep, buf, sizeof(buf));
		assert_string_equal(id_of(s, id), "0123456789abcdef0123456789abcdef-4");
		s->session(big_session(0, 'x'), &keep, buf, sizeof(buf));
		assert_string_equal(id_of(s, id), "fedcba9876543210fedcba9876543210-open");
		s->session(big_session(2, 'x'), &keep, buf, sizeof(buf));
		assert_string_equal(id_of(s, id), "fedcba9876543210fedcba9876543210-closed");
	}
}

/* Each makes another event of it. */
static void change(struct event *e, unsigned which)
{
	switch (which) {
	case 0:
		e->time_ns++;
		break;
	case 1:
		e->kind = EVENT_MFA;
		break;
	case 2:
		e->line++;
		break;
	case 3:
		e->conn++;
		break;
	case 4:
		e->proc.pid++;
		break;
	case 5:
		e->account = SPAN_LIT("another");
		break;
	case 6:
		e->text = SPAN_LIT("another");
		break;
	case 7:
		e->origin.port--;
		break;
	case 8:
		e->outcome = (enum outcome)((e->outcome + 1) % OUTCOME_COUNT);
		break;
	case 9:
		e->args = SPAN_LIT("another");
		break;
	case 10:
		e->out_conn++;
		break;
	case 11:
		e->path = SPAN_LIT("another");
		break;
	case 12:
		e->dest.port--;
		break;
	case 13:
		e->source++;
		break;
	default:
		e->key = SPAN_LIT("another");
		break;
	}
}

static void an_event_has_the_same_id_again_and_another_one_another(void **state)
{
	const struct out_policy other = {.host_id = "other"},
				boot = {.host_id = "machine", .boot_id = "second"};
	struct event e = big_event(EVENT_COUNT + EVENT_ATTEMPT, 'x');
	char id[ID_TEXT_MAX], again[ID_TEXT_MAX], first[128], in[128];
	const struct out_schema *s;

	(void)state;
	event_id(&e, &hide, id);
	assert_int_equal(strlen(id), 32);
	assert_string_equal(event_id(&e, &hide, again), id);
	for (unsigned which = 0; which < 15; which++) {
		struct event changed = e;

		change(&changed, which);
		assert_string_not_equal(event_id(&changed, &hide, again), id);
	}
	assert_string_not_equal(event_id(&e, &other, again), id);
	assert_string_not_equal(event_id(&e, &boot, again), event_id(&e, &other, id));
	out_schema_at(0)->event(&e, &hide, buf, sizeof(buf));
	id_of(out_schema_at(0), first);
	for (unsigned i = 1; (s = out_schema_at(i)); i++) {
		s->event(&e, &hide, buf, sizeof(buf));
		assert_string_equal(id_of(s, in), first);
	}
}

static json_int_t number_at(const char *key)
{
	json_t *j = json_loads(buf, 0, NULL);
	json_int_t v = json_integer_value(json_object_get(j, key));

	json_decref(j);
	return v;
}

static const struct {
	enum event_kind kind;
	enum service service;
	json_int_t type_uid;
	const char *category, *type;
} classes[] = {
	{EVENT_ATTEMPT, SERVICE_SSH, 300201, "authentication", "start"},
	{EVENT_SESSION_OPEN, SERVICE_RDP, 300201, "authentication", "start"},
	{EVENT_SESSION_CLOSE, SERVICE_RDP, 300202, "authentication", "end"},
	{EVENT_AUTH_NOTE, SERVICE_SSH, 300299, "authentication", "info"},
	{EVENT_MFA, SERVICE_VPN, 300299, "authentication", "info"},
	{EVENT_CONNECTION, SERVICE_SSH, 400701, "network", "connection"},
	{EVENT_CONNECTION_CLOSE, SERVICE_SSH, 400702, "network", "connection"},
	{EVENT_BYTES, SERVICE_SSH, 400706, "network", "connection"},
	{EVENT_CONNECTION, SERVICE_RDP, 400501, "network", "connection"},
	{EVENT_CONNECTION_CLOSE, SERVICE_RDP, 400507, "network", "connection"},
	{EVENT_CONNECTION, SERVICE_SMB, 400699, "network", "connection"},
	{EVENT_CONNECTION, SERVICE_VPN, 401401, "network", "connection"},
	{EVENT_BYTES, SERVICE_VPN, 401499, "network", "connection"},
	{EVENT_CONNECTION, SERVICE_VNC, 400101, "network", "connection"},
	{EVENT_CONNECT, SERVICE_SSH, 400701, "network", "connection"},
	{EVENT_LISTEN, SERVICE_SSH, 400107, "network", "start"},
	{EVENT_API, SERVICE_DOCKER, 600399, "api", "info"},
	{EVENT_EXEC, SERVICE_SSH, 100701, "process", "start"},
	{EVENT_EXIT, SERVICE_SSH, 100702, "process", "end"},
	{EVENT_CONTAINER, SERVICE_NONE, 100701, "process", "start"},
	{EVENT_FILE, SERVICE_NONE, 100103, "file", "change"},
	{EVENT_SENSOR, SERVICE_NONE, 99, "host", "info"},
	{EVENT_LOSS, SERVICE_NONE, 99, "host", "info"},
};

static void what_happened_has_its_class(void **state)
{
	const struct out_schema *ecs = out_schema_named(SPAN_LIT("ecs"));
	const struct out_schema *ocsf = out_schema_named(SPAN_LIT("ocsf"));

	(void)state;
	for (unsigned i = 0; i < sizeof(classes) / sizeof(classes[0]); i++) {
		struct event e = {.kind = classes[i].kind,
				  .service = classes[i].service,
				  .time_ns = NOON,
				  .origin = {v4, 1, 0},
				  .local = {v4, 22, 0},
				  .dest = {v4, 22, 0},
				  .proc.pid = 7,
				  .path = SPAN_LIT("/etc/x")};
		json_t *j;

		assert_true(ocsf->event(&e, &keep, buf, sizeof(buf)) > 0);
		assert_int_equal(number_at("type_uid"), classes[i].type_uid);
		assert_int_equal(number_at("class_uid"), classes[i].type_uid / 100);
		assert_true(ecs->event(&e, &keep, buf, sizeof(buf)) > 0);
		j = json_object_get(json_loads(buf, 0, NULL), "event");
		assert_string_equal(
			json_string_value(json_array_get(json_object_get(j, "category"), 0)),
			classes[i].category);
		assert_string_equal(
			json_string_value(json_array_get(json_object_get(j, "type"), 0)),
			classes[i].type);
	}
}

static void what_a_class_must_have_and_nobody_knows_makes_a_base_event(void **state)
{
	const struct out_schema *ocsf = out_schema_named(SPAN_LIT("ocsf"));
	struct event e = {.kind = EVENT_EXEC, .time_ns = NOON};

	(void)state;
	ocsf->event(&e, &keep, buf, sizeof(buf)); /* no process */
	assert_int_equal(number_at("type_uid"), 99);
	e.proc.pid = 7;
	ocsf->event(&e, &none, buf, sizeof(buf)); /* no host */
	assert_int_equal(number_at("type_uid"), 99);
	e = (struct event){.kind = EVENT_CONNECTION, .time_ns = NOON}; /* no end */
	ocsf->event(&e, &keep, buf, sizeof(buf));
	assert_int_equal(number_at("type_uid"), 99);
}

static void places_are_numbers(void **state)
{
	static const struct {
		int32_t e4;
		const char *text;
	} rows[] = {{0, "[0.0000]"},
		    {1, "[0.0001]"},
		    {-1, "[-0.0001]"},
		    {-9000, "[-0.9000]"},
		    {1799999, "[179.9999]"},
		    {-1800000, "[-180.0000]"},
		    {INT32_MIN, "[-214748.3648]"}};
	struct writer w;

	(void)state;
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		writer_start(&w, buf, sizeof(buf));
		json_begin(&w, NULL, '[');
		json_put_degrees(&w, NULL, rows[i].e4);
		json_end(&w, ']');
		writer_finish_json(&w);
		assert_string_equal(buf, rows[i].text);
	}
}

static void bytes_that_nobody_counted_are_not_zero(void **state)
{
	static const char *const words[] = {"", "bytes", "bytes_in", " in="};
	struct event e = {.kind = EVENT_CONNECTION_CLOSE,
			  .service = SERVICE_SSH,
			  .time_ns = NOON,
			  .origin = {v4, 4022, 0}};
	const struct out_schema *s;

	(void)state;
	for (unsigned i = 1; (s = out_schema_at(i)); i++) {
		e.trust = TRUST_TRANSPORT;
		s->event(&e, &keep, buf, sizeof(buf));
		assert_null(strstr(buf, words[i]));
		e.trust = TRUST_KERNEL;
		s->event(&e, &keep, buf, sizeof(buf));
		assert_non_null(strstr(buf, words[i]));
	}
}

static void cef_is_escaped_as_it_wants(void **state)
{
	const struct out_schema *cef = out_schema_named(SPAN_LIT("cef"));
	struct event e = {.kind = EVENT_ATTEMPT,
			  .time_ns = NOON,
			  .count = 1,
			  .origin = {v4, 4022, 0},
			  .account = SPAN_LIT("a=b\\c|d\ne\x1b"),
			  .text = SPAN_LIT("x")};

	(void)state;
	assert_true(cef->event(&e, &keep, buf, sizeof(buf)) > 0);
	assert_non_null(strstr(buf, "duser=a\\=b\\\\c|d\\ne\\\\x1b "));
	e.origin.addr = v6;
	assert_true(cef->event(&e, &keep, buf, sizeof(buf)) > 0);
	assert_non_null(strstr(buf, "c6a2Label=Source IPv6 Address c6a2=2001:db8::77 spt=4022"));
	assert_null(strstr(buf, " src="));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_record_is_one_line_of_its_format),
		cmocka_unit_test(every_kind_and_service_has_a_record),
		cmocka_unit_test(small_buffers_are_refused_and_terminated),
		cmocka_unit_test(schemas_have_names),
		cmocka_unit_test(an_alert_has_the_id_of_its_revision),
		cmocka_unit_test(an_event_has_the_same_id_again_and_another_one_another),
		cmocka_unit_test(what_happened_has_its_class),
		cmocka_unit_test(what_a_class_must_have_and_nobody_knows_makes_a_base_event),
		cmocka_unit_test(places_are_numbers),
		cmocka_unit_test(bytes_that_nobody_counted_are_not_zero),
		cmocka_unit_test(cef_is_escaped_as_it_wants),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
