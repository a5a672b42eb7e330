/* exposure: see the header. */
#include "exposure.h"

#include <errno.h>
#include <jansson.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/exposure_report.h"
#include "exposure_scan.h"
#include "host.h"
#include "proc_table.h"
#include "common/store/json_read.h"

#define NS_PER_S 1000000000ull
#define EVERY	 (600 * NS_PER_S)
#define SOON	 (NS_PER_S / 4) /* a daemon listens on more than one address */
#define PAUSE	 (3 * NS_PER_S) /* whoever listens in a loop has us look no more often */

struct exposures {
	struct packages packages;
	uint64_t told[EXPOSURE_MAX]; /* hashes of what the core was told */
	unsigned told_used;
	bool complete; /* the core knows that all were told */
	uint64_t next_ns, last_ns;
	unsigned findings, changes; /* as of the last look */
	char reason[80];
};

static void session_of_process(void *arg, struct exposure *x)
{
	struct engine *e = arg;
	const struct proc_entry *p = proc_table_find(e->procs, x->pid, clock_wall_ns());
	const struct passwd *pw;

	if (!p || (p->conn & WIRE_HANDOFF_ID))
		return;
	x->conn = p->conn;
	pw = p->uid && !x->account[0] ? host_user(p->uid) : NULL;
	if (pw)
		snprintf(x->account, sizeof(x->account), "%s", pw->pw_name);
}

/* Told already, with the same judgement? */
static bool is_told(struct exposures *s, const struct exposure *x)
{
	uint64_t hash = exposure_key(x, (uint64_t)x->reach << 8 | (uint64_t)x->auth | 1u << 16);

	for (unsigned i = 0; i < s->told_used && i < EXPOSURE_MAX; i++)
		if (s->told[i] == hash)
			return true;
	s->told[s->told_used++ % EXPOSURE_MAX] = hash;
	return false;
}

#define PUT(array, text) snprintf(array, sizeof(array), "%s", text)

static void record_fill(const struct exposure *x, struct wire_exposure *w)
{
	w->proc.tgid = x->pid;
	w->proc.start = x->start_ns;
	w->proc.loginuid = w->proc.sessionid = UINT32_MAX;
	memcpy(w->proc.comm, x->name, sizeof(w->proc.comm));
	w->conn.netns = x->netns;
	w->conn.family = x->at.addr.family == ADDR_V6 ? 10 : 2;
	w->conn.lport = x->at.port;
	memcpy(w->conn.laddr, x->at.addr.bytes, sizeof(w->conn.laddr));
	w->session = x->conn;
	w->key = exposure_key(x, 0);
	w->reach = (uint32_t)x->reach;
	w->auth = (uint32_t)x->auth;
	PUT(w->service, service_name(x->service));
	PUT(w->account, x->account);
	PUT(w->package, x->package);
	PUT(w->container, x->container);
	PUT(w->path, x->path);
	PUT(w->words, x->words);
	exposure_text(x, w->text);
}

/* x NULL: all were told. */
static void tell(struct engine *e, const struct exposure *x)
{
	struct wire_exposure w = {
		.hdr = {WIRE_ID_EXPOSURE, WIRE_VERSION, sizeof(w), clock_boot_ns()}};
	const char *reason;
	struct event ev;

	if (x)
		record_fill(x, &w);
	e->kernel_stream.boot_to_wall_ns = (int64_t)(clock_wall_ns() - clock_boot_ns());
	if (decode_wire(&e->kernel_stream, &w, sizeof(w), &ev, &reason) == DECODE_EVENT)
		engine_event(e, &ev);
	else
		core_stats(e->core)->records_bad++;
}

static void report_put(struct engine *e, const struct exposure *rows, unsigned n, unsigned left_out)
{
	void *text = NULL;
	size_t len = 0;
	json_t *before = NULL, *report;
	char *out;

	if (engine_kept(e, EXPOSURE_BLOB, &text, &len))
		before = json_read(text, len, 0, NULL);
	free(text);
	report = exposure_report(rows, n, left_out, before, clock_wall_ns(), "agent");
	json_decref(before);
	exposure_report_count(report, &e->exposures->findings, &e->exposures->changes);
	out = report ? json_dumps(report, JSON_COMPACT) : NULL;
	json_decref(report);
	engine_transaction(e);
	if (!out || store_put_blob(e->store, EXPOSURE_BLOB, out, strlen(out)))
		engine_store_failed(e, "exposure");
	free(out);
}

const char *exposures_look(struct engine *e)
{
	struct exposures *s = e->exposures;
	struct exposure_scan scan = {.priv = e->setup.priv,
				     .rules = &e->config->scope,
				     .packages = &s->packages,
				     .session = session_of_process,
				     .arg = e};
	struct exposure *rows = calloc(EXPOSURE_MAX, sizeof(*rows));
	int n = rows ? exposure_scan(&scan, rows) : -ENOMEM;

	s->last_ns = clock_wall_ns();
	s->next_ns = s->last_ns + EVERY;
	if (n < 0) {
		free(rows);
		if (!s->reason[0]) /* said once, until it works again */
			fprintf(stderr, "outergate: cannot look at what listens: %s\n",
				strerror(-n));
		snprintf(s->reason, sizeof(s->reason), "%s", strerror(-n));
		return s->reason;
	}
	s->reason[0] = '\0';
	for (int i = 0; i < n; i++)
		if (!is_told(s, &rows[i]))
			tell(e, &rows[i]);
	if (!s->complete)
		tell(e, NULL);
	s->complete = true;
	report_put(e, rows, (unsigned)n, scan.left_out);
	free(rows);
	return NULL;
}

void exposures_open(struct engine *e)
{
	e->exposures = calloc(1, sizeof(*e->exposures));
	if (e->exposures)
		(void)exposures_look(e);
}

void exposures_close(struct engine *e)
{
	free(e->exposures);
	e->exposures = NULL;
}

void exposures_hint(struct engine *e, const struct event *ev)
{
	struct exposures *s = e->exposures;
	uint64_t soon = clock_wall_ns() + SOON;

	if (!s || ev->kind != EVENT_LISTEN)
		return;
	if (soon < s->last_ns + PAUSE)
		soon = s->last_ns + PAUSE;
	if (soon < s->next_ns)
		s->next_ns = soon;
}

void exposures_poll(struct engine *e, uint64_t now_ns)
{
	const struct exposures *s = e->exposures;

	/* A clock that was set back must not make it wait. */
	if (s && (now_ns >= s->next_ns || s->next_ns - now_ns > EVERY))
		(void)exposures_look(e);
}

void exposures_counts(const struct engine *e, unsigned *ret_findings, unsigned *ret_changes)
{
	*ret_findings = e->exposures ? e->exposures->findings : 0;
	*ret_changes = e->exposures ? e->exposures->changes : 0;
}

uint64_t exposures_next(const struct engine *e)
{
	return e->exposures ? e->exposures->next_ns : UINT64_MAX;
}
