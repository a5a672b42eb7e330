/*
 * store_world: a store in a directory of its own, full and small records, and what a query gives.
 */
#ifndef TESTS_STORE_WORLD_H
#define TESTS_STORE_WORLD_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/detect/detection.h"
#include "common/store/body.h"
#include "common/store/store.h"

#define T0  1795329060123000000ull
#define SEC 1000000000ull
#define DAY (86400 * SEC)

static const struct out_policy keep = {.keep_unknown_accounts = true,
				       .command_lines = COMMANDS_FULL};

static char dir[64], path[96];

static inline int set_up(void **state)
{
	(void)state;
	snprintf(dir, sizeof(dir), "/tmp/outergate-store-XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	snprintf(path, sizeof(path), "%s/store.db", dir);
	return 0;
}

static inline int tear_down(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf '%s'", dir);
	return system(command);
}

static inline struct store *open_write(void)
{
	struct store *s = NULL;

	assert_int_equal(store_open(path, STORE_WRITE, &s), 0);
	store_set_policy(s, &keep);
	return s;
}

static inline struct store *open_read(void)
{
	struct store *s = NULL;
	int r = store_open(path, STORE_READ, &s);

	if (r)
		fail_msg("%s", strerror(-r));
	return s;
}

/* Every byte a letter, so that every text is terminated where its field ends. */
static inline void fill(char *field, size_t cap, int first)
{
	for (size_t i = 0; i + 1 < cap; i++)
		field[i] = (char)(first + (int)(i % 26));
	field[cap - 1] = '\0';
}
#define FILL(f) fill(f, sizeof(f), first)

#define FULL_GEO                                                                                   \
	(struct geo)                                                                               \
	{                                                                                          \
		"NZ", true, UINT16_MAX, UINT32_MAX, UINT32_MAX, -900000, -1800000, UINT32_MAX,     \
			"x", "y"                                                                   \
	}

static inline struct alert *full_alert(int first)
{
	static struct alert a;

	memset(&a, 0, sizeof(a));
	a.detection = &detection_auth_spray;
	FILL(a.id);
	FILL(a.previous);
	FILL(a.part_of);
	a.revision = UINT32_MAX;
	a.state = ALERT_UPDATED;
	a.severity = SEVERITY_HIGH;
	a.observe = a.notify = a.learning = a.account_unknown = true;
	FILL(a.reason);
	a.first_ns = T0;
	a.last_ns = T0 + SEC;
	a.count = UINT64_MAX;
	a.acked_ns = T0 + 5;
	FILL(a.note);
	FILL(a.session);
	a.service = SERVICE_KUBE_API;
	a.origin = (struct endpoint){{ADDR_V4, {0}, {203, 0, 113, 9}}, 65535, 0};
	a.local = (struct endpoint){{ADDR_V6, {0}, {0x20, 1, 0xd, 0xb8, 7}}, 22, 0};
	a.geo = FULL_GEO;
	a.scope = SCOPE_EXTERNAL;
	a.origin_source = ORIGIN_LOG;
	FILL(a.account);
	FILL(a.effective_account);
	a.method = METHOD_OTHER;
	FILL(a.key);
	FILL(a.client);
	FILL(a.stage);
	FILL(a.numbers);
	FILL(a.sentence);
	a.evidence_count = ALERT_EVIDENCE;
	for (unsigned i = 0; i < ALERT_EVIDENCE; i++) {
		struct alert_evidence *e = &a.evidence[i];

		e->time_ns = T0 + i;
		e->kind = EVENT_SENSOR;
		e->trust = (enum trust)(i % 4);
		e->line = UINT64_MAX - i;
		fill(e->text, sizeof(e->text), first);
	}
	return &a;
}

static inline void fill_handoffs(struct session *s, int first)
{
	s->handoffs_total = 5;
	s->handoffs_kept = SESSION_HANDOFFS;
	for (unsigned i = 0; i < SESSION_HANDOFFS; i++) {
		struct session_handoff *h = &s->handoffs[i];

		*h = (struct session_handoff){T0 + i,
					      T0 + 1,
					      UINT64_MAX - i,
					      HANDOFF_AT,
					      HANDOFF_JOINED,
					      3,
					      UINT32_MAX,
					      "",
					      "",
					      "",
					      true};
		FILL(h->by);
		FILL(h->to);
		FILL(h->what);
	}
}

static inline struct session *full_session(int first)
{
	static struct session s;

	memset(&s, 0, sizeof(s));
	FILL(s.id);
	s.conn = UINT64_MAX;
	s.state = SESSION_LINGERING;
	s.existing = s.proven = s.has_pty = s.bytes_known = s.has_shell = true;
	s.has_transfer = s.has_forward = s.pending_helper = s.method_inferred = true;
	s.service = SERVICE_OTHER;
	s.method = METHOD_CERTIFICATE;
	s.scope = SCOPE_LINK_LOCAL;
	s.origin_source = ORIGIN_SNAPSHOT;
	s.origin = (struct endpoint){{ADDR_V6, {0}, {0x20, 1, 0xd, 0xb8, 1}}, 1, 0};
	s.local = (struct endpoint){{ADDR_V4, {0}, {192, 0, 2, 1}}, 22, 0};
	s.geo = FULL_GEO;
	s.netns = UINT32_MAX;
	FILL(s.account);
	FILL(s.effective_account);
	FILL(s.key);
	FILL(s.client);
	s.open_ns = T0;
	s.close_ns = T0 + 1;
	s.last_ns = T0 + 2;
	s.conn_open_ns = T0 + 3;
	s.bytes_in = UINT64_MAX;
	s.bytes_out = 1;
	s.processes = 2;
	s.commands_total = 300;
	s.dests_total = 400;
	s.failures_before = 5;
	s.loginuid = s.audit_session = UINT32_MAX;
	s.leader = (struct proc_id){77, 0, UINT64_MAX};
	FILL(s.alert_chain);
	s.worst = SEVERITY_CRITICAL;
	s.fired = 3;
	s.anomaly_mask = (UINT64_C(1) << DETECTION_COUNT) - 1;
	s.commands_kept = SESSION_CMDS;
	for (unsigned i = 0; i < SESSION_CMDS; i++) {
		s.commands[i].time_ns = T0 + i;
		s.commands[i].proc = (struct proc_id){i + 1, 0, i + 2};
		s.commands[i].uid = UINT32_MAX;
		s.commands[i].via = i;
		FILL(s.commands[i].text);
	}
	fill_handoffs(&s, first);
	s.dests_kept = SESSION_DESTS;
	for (unsigned i = 0; i < SESSION_DESTS; i++) {
		s.dests[i] =
			(struct session_dest){.dest = s.origin,
					      .source = s.local.addr,
					      .source_ports = {(uint16_t)(40000 + i), UINT16_MAX},
					      .via = (uint16_t)i,
					      .service = SERVICE_RDP,
					      .scope = SCOPE_SHARED,
					      .count = 9 + i,
					      .first_ns = T0,
					      .last_ns = T0 + i,
					      .bytes_in = UINT64_MAX,
					      .bytes_out = 8};
		FILL(s.dests[i].program);
	}
	return &s;
}

struct got {
	unsigned count;
	struct alert alert;
	struct session session;
	char ids[512];
};

static inline bool on_alert(void *arg, const struct alert *a)
{
	struct got *g = arg;

	g->count++;
	g->alert = *a;
	strncat(g->ids, a->id, sizeof(g->ids) - strlen(g->ids) - 1);
	return true;
}

static inline bool on_session(void *arg, const struct session *x)
{
	struct got *g = arg;

	g->count++;
	g->session = *x;
	strncat(g->ids, x->id, sizeof(g->ids) - strlen(g->ids) - 1);
	return true;
}

static inline bool on_alert_once(void *arg, const struct alert *a)
{
	on_alert(arg, a);
	return false;
}

static inline const char *alerts_of(struct store *s, struct store_filter f)
{
	static struct got g;

	g = (struct got){0};
	assert_int_equal(store_alerts(s, &f, on_alert, &g), 0);
	return g.ids;
}

static inline const char *sessions_of(struct store *s, struct store_filter f)
{
	static struct got g;

	g = (struct got){0};
	assert_int_equal(store_sessions(s, &f, on_session, &g), 0);
	return g.ids;
}

static inline struct alert alert_at(const char *id, uint64_t seconds, enum severity sev)
{
	struct alert a = {.detection = &detection_auth_spray,
			  .revision = 1,
			  .severity = sev,
			  .first_ns = T0 + seconds * SEC,
			  .last_ns = T0 + seconds * SEC};

	span_copy(a.id, sizeof(a.id), span_of(id));
	return a;
}

static inline void sql(const char *statement)
{
	sqlite3 *db = NULL;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, statement, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

#endif
