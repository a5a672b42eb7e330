/*
 * guard: see the header.
 *
 * In the store "guard" holds "<boot id> <wall time> <SHA-256 of the settings>"; an end in order
 * puts "-" in place of the boot id. Found at the next start with this boot's id, somebody
 * ended the agent without asking: SIGKILL, or a defect.
 */
#include "guard.h"
#include "host.h"

#include <inttypes.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/store/ledger.h"
#include "common/wire.h"
#include "proc_table.h"

#define BLOB	 "guard"
#define INTERVAL 30000000000ull
/* Leap seconds and what NTP slews stay below it; a set clock does not. */
#define CLOCK_STEP 10000000000ll
#define ENDED	   "-"
/* The store's alerts are looked at in slices: some 100,000 a minute, in a tenth of the time. */
#define CHECK_FIRST 100000000ull
#define CHECK_SLICE 2000000ull
#define CHECK_EVERY 20000000ull
#define CHECK_ROWS  16

struct last {
	char boot_id[40], settings[65];
	uint64_t alive_ns;
};

/* By the kernel's records of processes, which a number that is given out again does not mislead. */
static void session_of_sender(const struct engine *e, struct event *ev)
{
	const struct proc_entry *p =
		e->procs ? proc_table_find(e->procs, ev->proc.pid, ev->time_ns) : NULL;

	if (!p)
		return;
	ev->proc.start_ns = p->start_ns;
	if (p->conn & WIRE_HANDOFF_ID)
		ev->handoff = p->conn;
	else
		ev->conn = p->conn;
}

static void tell(struct engine *e, const struct priv_msg *by, const char *text)
{
	struct event ev = {.kind = EVENT_SENSOR,
			   .time_ns = clock_wall_ns(),
			   .trust = TRUST_KERNEL,
			   .count = 1,
			   .text = span_of(text)};

	if (by) {
		ev.proc.pid = by->arg;
		ev.uid = by->arg2;
		session_of_sender(e, &ev);
	}
	engine_event(e, &ev);
}

static bool last_read(struct engine *e, struct last *ret)
{
	void *text = NULL;
	size_t len = 0;
	bool is;

	memset(ret, 0, sizeof(*ret));
	if (!engine_kept(e, BLOB, &text, &len))
		return false;
	is = sscanf(text, "%39s %" SCNu64 " %64s", ret->boot_id, &ret->alive_ns, ret->settings) ==
	     3;
	free(text);
	return is;
}

static void put(struct engine *e, const char *boot_id)
{
	char text[192];
	int n = snprintf(text, sizeof(text), "%s %" PRIu64 " %s", boot_id, clock_wall_ns(),
			 e->setup.settings);

	if (store_put_blob(e->store, BLOB, text, (size_t)n + 1))
		engine_store_failed(e, "guard");
}

void guard_alive(struct engine *e)
{
	put(e, e->guard.ended ? ENDED : e->identity.boot_id);
}

static void tell_killed(struct engine *e, const struct last *last)
{
	time_t at = (time_t)(last->alive_ns / 1000000000u);
	char text[256], when[40] = "";
	struct tm tm;

	if (e->setup.died) {
		snprintf(text, sizeof(text), "%s: the unprivileged half %s (signal %d, %s)",
			 e->setup.died == SIGKILL ? "killed" : "crashed",
			 e->setup.died == SIGSYS    ? "made a system call that it never needs"
			 : e->setup.died == SIGKILL ? "was killed"
						    : "crashed",
			 e->setup.died, strsignal(e->setup.died));
		tell(e, NULL, text);
		return;
	}
	if (gmtime_r(&at, &tm))
		strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", &tm);
	snprintf(text, sizeof(text),
		 "killed: it did not end in order, nor did this host restart; it was alive at %s, "
		 "and "
		 "its hooks %s since",
		 when, e->setup.kept[0] ? "saw nothing" : "went on watching");
	tell(e, NULL, text);
}

static void take_finding(void *arg, const char *sentence)
{
	struct engine *e = arg;

	if (!e->guard.finding[0])
		snprintf(e->guard.finding, sizeof(e->guard.finding), "%s", sentence);
}

static void check_end(struct engine *e)
{
	ledger_check_end(e->guard.check);
	e->guard.check = NULL;
}

static void check_tell(struct engine *e)
{
	uint64_t findings = ledger_check_summary(e->guard.check)->findings;
	char text[400];

	check_end(e);
	if (!findings)
		return;
	snprintf(text, sizeof(text), "store: %s (%" PRIu64 " findings; outergate verify)",
		 e->guard.finding, findings);
	tell(e, NULL, text);
}

/* Goes on with the store's alerts until that time at least. */
static void check_go_on(struct engine *e, uint64_t until_ns)
{
	int r = 1;

	while (r > 0 && clock_boot_ns() < until_ns)
		r = ledger_check_step(e->guard.check, CHECK_ROWS);
	e->guard.check_ns = clock_wall_ns() + CHECK_EVERY;
	if (r > 0)
		return;
	if (!r) {
		check_tell(e);
		return;
	}
	fprintf(stderr, "outergate: the ledger cannot be read: %s\n", strerror(-r));
	check_end(e);
}

/*
 * Is the store what the last run has left? Its state of now is looked at, whatever we write
 * meanwhile. A large one would delay us by seconds, so all but the first moment comes afterwards.
 */
static void check_begin(struct engine *e)
{
	int r = ledger_check_begin(e->config->store, take_finding, e, &e->guard.check);

	if (r)
		fprintf(stderr, "outergate: the ledger cannot be read: %s\n", strerror(-r));
	else
		check_go_on(e, clock_boot_ns() + CHECK_FIRST);
}

void guard_start(struct engine *e)
{
	struct last last;
	bool had = last_read(e, &last);

	e->guard.next_ns = clock_wall_ns() + INTERVAL;
	e->guard.offset_ns = (int64_t)(clock_wall_ns() - clock_boot_ns());
	check_begin(e);
	if (!had && e->setup.took_over)
		tell(e, NULL, "store: hooks of an earlier run are on, and its store is gone");
	if (e->setup.died || (had && !strcmp(last.boot_id, e->identity.boot_id)))
		tell_killed(e, &last);
	if (had && strcmp(last.settings, e->setup.settings) != 0)
		tell(e, NULL, "settings: they are not those of the last run");
}

void guard_end(struct engine *e, const struct priv_msg *m)
{
	const struct passwd *pw = host_user(m->arg2);
	char text[400], name[32];

	snprintf(name, sizeof(name), "%.31s", m->name);
	/* What the sender ran before it must be known, to say whose session it was. */
	for (unsigned i = 0; i < KERNEL_RINGS; i++)
		if (e->rings[i].ready)
			e->rings[i].ready(e, &e->rings[i]);
	e->guard.ended = true;
	if (m->value[0]) /* it goes on with another configuration, which the next one tells */
		return;
	if (m->arg == 1)
		snprintf(text, sizeof(text), "stopped: the service manager ended it");
	else if (!m->arg)
		snprintf(text, sizeof(text), "stopped: from its terminal, or by the kernel");
	else
		snprintf(text, sizeof(text), "stopped: by a signal of %s (pid %u, user %s)",
			 name[0] ? name : "a process that is gone", m->arg,
			 pw ? pw->pw_name : "unknown");
	tell(e, m, text);
}

/* The signal was seen before the message that had come first. */
static bool last_words(const struct engine *e, struct priv_msg *ret)
{
	struct pollfd p = {.fd = e->setup.priv, .events = POLLIN};
	struct priv_msg m;
	int fd = -1;

	if (poll(&p, 1, 0) != 1 || !(p.revents & POLLIN) || priv_recv(p.fd, &m, &fd))
		return false;
	if (fd >= 0)
		close(fd);
	if (m.kind != PRIV_END)
		return false;
	m.name[sizeof(m.name) - 1] = '\0';
	*ret = m;
	return true;
}

void guard_close(struct engine *e)
{
	struct priv_msg m = {.kind = PRIV_END, .arg = e->ended_by};

	check_end(e); /* the next start looks again */
	if (e->guard.ended)
		return;
	if (priv_ended(&m) || last_words(e, &m)) {
		guard_end(e, &m);
		return;
	}
	e->guard.ended = true;
	/* The kernel signals for the parent that died; else somebody sent it to this half. */
	if (!e->ended_by || e->ended_by == e->setup.parent)
		tell(e, NULL, "killed: its privileged half was killed");
	else
		tell(e, &m, "stopped: by a signal to its unprivileged half");
}

static void clock_look(struct engine *e)
{
	int64_t offset = (int64_t)(clock_wall_ns() - clock_boot_ns());
	int64_t step = offset - e->guard.offset_ns;
	char text[160];

	e->guard.offset_ns = offset;
	if (step < CLOCK_STEP && step > -CLOCK_STEP)
		return;
	snprintf(text, sizeof(text), "clock: it was set %s by %lld s",
		 step > 0 ? "forward" : "back",
		 (long long)((step > 0 ? step : -step) / 1000000000));
	tell(e, NULL, text);
}

static void hooks_look(struct engine *e)
{
	struct priv_msg m = {.kind = PRIV_HOOKS};
	char text[320];

	if (priv_call(e->setup.priv, &m, NULL))
		return; /* the parent is ending */
	m.name[sizeof(m.name) - 1] = '\0';
	if (m.arg2 && m.arg2 != e->guard.hooks_gone) {
		snprintf(text, sizeof(text),
			 "unhooked: somebody took away %u of the agent's hooks: %s", m.arg2,
			 m.name);
		tell(e, NULL, text);
	}
	e->guard.hooks_gone = m.arg2;
}

static bool is_due(uint64_t at_ns, uint64_t now_ns, uint64_t interval)
{
	/* A clock that was set back must not make it wait. */
	return now_ns >= at_ns || at_ns - now_ns > interval;
}

void guard_poll(struct engine *e, uint64_t now_ns)
{
	if (e->guard.check && is_due(e->guard.check_ns, now_ns, CHECK_EVERY))
		check_go_on(e, clock_boot_ns() + CHECK_SLICE);
	if (!is_due(e->guard.next_ns, now_ns, INTERVAL))
		return;
	e->guard.next_ns = now_ns + INTERVAL;
	clock_look(e);
	hooks_look(e);
}

uint64_t guard_next(const struct engine *e)
{
	if (e->guard.check && e->guard.check_ns < e->guard.next_ns)
		return e->guard.check_ns;
	return e->guard.next_ns;
}
