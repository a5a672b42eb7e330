/*
 * core_world: a core and the events of a small host, for the tests of core and detections.
 *
 * Time is in seconds after T0. Every alert revision that comes out is remembered by id, and how
 * often it was to be sent.
 */
#ifndef TESTS_CORE_WORLD_H
#define TESTS_CORE_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/core/core.h"

#define T0  1700000000ull /* Tue Nov 14 22:13:20 UTC 2023 */
#define SEC 1000000000ull

#define WORLD_ALERTS 4096

struct seen_alert {
	struct alert last;
	unsigned notified, revisions;
};

struct world {
	struct config config;
	struct core_identity id;
	struct core *core;
	struct core_out out;
	struct seen_alert *alerts;
	unsigned alerts_used;
	unsigned sessions_out;
	uint64_t line;
	bool paced; /* only what a step tells by itself */
};

static inline struct world *world_make(bool kernel_sensor)
{
	struct world *w = calloc(1, sizeof(*w));

	config_defaults(&w->config);
	strcpy(w->id.host_id, "host");
	strcpy(w->id.boot_id, "boot");
	w->id.kernel_sensor = kernel_sensor;
	w->alerts = calloc(WORLD_ALERTS, sizeof(*w->alerts));
	return w;
}

static inline struct world *world_start(struct world *w)
{
	w->core = core_new(&w->config, &w->id);
	assert_non_null(w->core);
	return w;
}

static inline struct world *world_new(bool kernel_sensor)
{
	return world_start(world_make(kernel_sensor));
}

static inline void world_free(struct world *w)
{
	core_free(w->core);
	free(w->alerts);
	free(w);
}

static inline void world_collect(struct world *w)
{
	for (unsigned i = 0; i < w->out.count; i++) {
		const struct alert *a = w->out.items[i].alert;
		unsigned at = 0;

		if (w->out.items[i].kind == OUT_SESSION) {
			w->sessions_out++;
			continue;
		}
		while (at < w->alerts_used && strcmp(w->alerts[at].last.id, a->id) != 0)
			at++;
		if (at == WORLD_ALERTS)
			continue;
		if (at == w->alerts_used)
			w->alerts_used++;
		if (w->alerts[at].revisions) {
			assert_true(a->revision > w->alerts[at].last.revision);
			assert_true(a->severity >= w->alerts[at].last.severity);
		}
		w->alerts[at].last = *a;
		w->alerts[at].revisions++;
		w->alerts[at].notified += a->notify;
	}
}

static inline void step(struct world *w, const struct event *e)
{
	core_step(w->core, e, &w->out);
	world_collect(w);
	if (w->paced)
		return;
	core_flush(w->core, &w->out); /* as if a replay ended here */
	world_collect(w);
}

static inline void tick(struct world *w, double at)
{
	struct event e = {.kind = EVENT_TICK,
			  .trust = TRUST_KERNEL,
			  .count = 1,
			  .time_ns = (T0 * SEC) + (uint64_t)(at * 1e9)};

	do
		step(w, &e);
	while (w->out.count == CORE_OUT_MAX);
}

static inline struct endpoint ep(const char *addr, unsigned port)
{
	struct endpoint e = {.port = (uint16_t)port};

	assert_true(addr_parse(span_of(addr), &e.addr, NULL));
	return e;
}

/* Alerts of a detection, by any origin when origin is NULL. */
static inline struct seen_alert *alert_of(struct world *w, const char *id, const char *origin)
{
	struct seen_alert *found = NULL;

	for (unsigned i = 0; i < w->alerts_used; i++) {
		struct seen_alert *a = &w->alerts[i];
		struct addr want = {0};

		if (strcmp(a->last.detection->id, id) != 0)
			continue;
		if (origin) {
			assert_true(addr_parse(span_of(origin), &want, NULL));
			if (!addr_eq(&want, &a->last.origin.addr))
				continue;
		}
		found = a;
	}
	return found;
}

static inline unsigned alerts_of(struct world *w, const char *id)
{
	unsigned n = 0;

	for (unsigned i = 0; i < w->alerts_used; i++)
		n += strcmp(w->alerts[i].last.detection->id, id) == 0;
	return n;
}

static inline unsigned alerts_at_least(struct world *w, enum severity s)
{
	unsigned n = 0;

	for (unsigned i = 0; i < w->alerts_used; i++)
		n += w->alerts[i].last.severity >= s;
	return n;
}

static inline void world_print(struct world *w)
{
	for (unsigned i = 0; i < w->alerts_used; i++) {
		const struct alert *a = &w->alerts[i].last;

		fprintf(stderr, "%s/%s %s x%u n%u part=%.6s: %s [%s]\n", a->detection->id,
			a->reason, severity_name(a->severity), (unsigned)a->count,
			w->alerts[i].notified, a->part_of, a->sentence, a->numbers);
	}
}

static inline const struct session *session_nth(struct world *w, unsigned i)
{
	return core_session_at(w->core, i);
}

static inline unsigned sessions(struct world *w)
{
	unsigned n = 0;

	while (core_session_at(w->core, n))
		n++;
	return n;
}

/* --- text */
static inline struct event text_event(struct world *w, enum event_kind kind, double at,
				      const char *origin, unsigned port, const char *account)
{
	return (struct event){.kind = kind,
			      .service = SERVICE_SSH,
			      .witness = WITNESS_DAEMON,
			      .trust = w->id.kernel_sensor ? TRUST_TRANSPORT : TRUST_TEXT,
			      .count = 1,
			      .line = ++w->line,
			      .time_ns = (T0 * SEC) + (uint64_t)(at * 1e9),
			      .origin = ep(origin, port),
			      .account = span_of(account),
			      .host = SPAN_LIT("bastion")};
}

static inline void failed(struct world *w, double at, const char *origin, unsigned port,
			  const char *account)
{
	struct event e = text_event(w, EVENT_ATTEMPT, at, origin, port, account);

	e.outcome = OUTCOME_FAILURE;
	e.method = METHOD_PASSWORD;
	e.flags = EVENT_ACCOUNT_EXISTS;
	step(w, &e);
}

static inline void failed_unknown(struct world *w, double at, const char *origin, unsigned port,
				  const char *account)
{
	struct event e = text_event(w, EVENT_ATTEMPT, at, origin, port, account);

	e.outcome = OUTCOME_FAILURE;
	e.method = METHOD_PASSWORD;
	e.flags = EVENT_ACCOUNT_UNKNOWN;
	step(w, &e);
}

static inline void accepted(struct world *w, double at, const char *origin, unsigned port,
			    const char *account, enum method method, const char *key)
{
	struct event e = text_event(w, EVENT_ATTEMPT, at, origin, port, account);

	e.outcome = OUTCOME_SUCCESS;
	e.method = method;
	e.key = span_of(key);
	e.flags = EVENT_ACCOUNT_EXISTS;
	step(w, &e);
}

static inline void disconnected(struct world *w, double at, const char *origin, unsigned port,
				const char *account)
{
	struct event e = text_event(w, EVENT_SESSION_CLOSE, at, origin, port, account);

	step(w, &e);
}

static inline void preauth_close(struct world *w, double at, const char *origin, unsigned port,
				 const char *account)
{
	struct event e = text_event(w, EVENT_AUTH_NOTE, at, origin, port, account);

	e.flags = EVENT_PREAUTH | EVENT_ACCOUNT_EXISTS;
	step(w, &e);
}

/* --- kernel */
static inline struct event kernel_event(struct world *w, enum event_kind kind, double at,
					uint64_t conn, const char *origin, unsigned port)
{
	struct event e = {.kind = kind,
			  .service = SERVICE_SSH,
			  .trust = TRUST_KERNEL,
			  .witness = WITNESS_KERNEL,
			  .count = 1,
			  .line = ++w->line,
			  .time_ns = (T0 * SEC) + (uint64_t)(at * 1e9),
			  .conn = conn,
			  .netns = 7,
			  .local = ep("192.0.2.1", 22),
			  .proc = {.pid = (uint32_t)(1000 + conn), .start_ns = 1},
			  .loginuid = UINT32_MAX,
			  .audit_session = UINT32_MAX};

	if (origin)
		e.origin = ep(origin, port);
	return e;
}

static inline void connected(struct world *w, double at, uint64_t conn, const char *origin,
			     unsigned port)
{
	struct event e = kernel_event(w, EVENT_CONNECTION, at, conn, origin, port);

	step(w, &e);
}

static inline void pam(struct world *w, double at, uint64_t conn, const char *origin, unsigned port,
		       enum pam_call call, int result, const char *account, uint32_t flags)
{
	struct event e = kernel_event(w, EVENT_PAM, at, conn, origin, port);

	e.pam_call = call;
	e.result = result;
	e.pam_service = SPAN_LIT("sshd");
	e.account = span_of(account);
	e.flags = flags;
	step(w, &e);
}

static inline void pam_failed(struct world *w, double at, uint64_t conn, const char *origin,
			      unsigned port, const char *account)
{
	pam(w, at, conn, origin, port, PAM_CALL_AUTHENTICATE, 7, account, 0);
}

static inline void pam_password(struct world *w, double at, uint64_t conn, const char *origin,
				unsigned port, const char *account)
{
	pam(w, at, conn, origin, port, PAM_CALL_AUTHENTICATE, 0, account, 0);
	pam(w, at, conn, origin, port, PAM_CALL_ACCT_MGMT, 0, account, 0);
	pam(w, at, conn, origin, port, PAM_CALL_OPEN_SESSION, 0, account, EVENT_PROVEN);
}

static inline void execed(struct world *w, double at, uint64_t conn, const char *path,
			  const char *args, size_t args_len, uint32_t flags)
{
	struct event e = kernel_event(w, EVENT_EXEC, at, conn, NULL, 0);

	e.program = span_of(path);
	e.args = (struct span){args, args_len};
	e.flags = flags;
	e.uid = 1001;
	step(w, &e);
}
#define EXEC(w, at, conn, path, args) execed(w, at, conn, path, args, sizeof(args) - 1, 0)

static inline void onward(struct world *w, double at, uint64_t conn, const char *dest,
			  unsigned port)
{
	struct event e = kernel_event(w, EVENT_CONNECT, at, conn, NULL, 0);

	e.local = (struct endpoint){0};
	e.dest = ep(dest, port);
	e.program = SPAN_LIT("ssh");
	e.out_conn = 9000 + conn;
	step(w, &e);
}

static inline void closed(struct world *w, double at, uint64_t conn, const char *origin,
			  unsigned port, uint64_t in, uint64_t out, unsigned alive)
{
	struct event e = kernel_event(w, EVENT_CONNECTION_CLOSE, at, conn, origin, port);

	e.bytes_in = in;
	e.bytes_out = out;
	e.alive = alive;
	step(w, &e);
}

#endif
