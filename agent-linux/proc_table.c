/*
 * proc_table: sets of a few entries, chosen by process id. Numbers are given out in turn, so that
 * the processes of a fork bomb spread over all sets; in a full set one that ended goes first, and
 * one that runs goes only when all of them do, which is counted.
 */
#include "proc_table.h"
#include "proc_stat.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SETS	 2048
#define WAYS	 4
#define KEPT_NS	 5000000000ull /* what is told of a process is told within this after its end */
#define TICK_NS	 20000000ull   /* two of the 10 ms in which /proc tells start times */
#define TICKS_NS 10000000ull   /* USER_HZ is 100 on every architecture that we run on */

struct proc_table {
	struct proc_entry at[SETS][WAYS];
	uint32_t lost;
};

struct proc_table *proc_table_new(void)
{
	return calloc(1, sizeof(struct proc_table));
}

void proc_table_free(struct proc_table *t)
{
	free(t);
}

static struct proc_entry *find(const struct proc_table *t, uint32_t pid)
{
	const struct proc_entry *set = t->at[pid % SETS];

	for (unsigned i = 0; pid && i < WAYS; i++)
		if (set[i].pid == pid)
			return (struct proc_entry *)(uintptr_t)&set[i];
	return NULL;
}

static bool is_better_victim(const struct proc_entry *a, const struct proc_entry *b)
{
	if (!a->pid || !b->pid)
		return !a->pid;
	if (!a->ended_ns != !b->ended_ns)
		return a->ended_ns;
	return a->ended_ns ? a->ended_ns < b->ended_ns : a->start_ns > b->start_ns;
}

/* Of processes that run the youngest goes: a fork bomb pushes out its own. */
static struct proc_entry *take(struct proc_table *t, uint32_t pid)
{
	struct proc_entry *set = t->at[pid % SETS], *best = find(t, pid);

	if (!best) {
		best = &set[0];
		for (unsigned i = 1; i < WAYS; i++)
			if (is_better_victim(&set[i], best))
				best = &set[i];
		t->lost += best->pid && !best->ended_ns;
	}
	*best = (struct proc_entry){.pid = pid};
	return best;
}

static void note_start(struct proc_table *t, const struct event *e)
{
	struct proc_entry *p = find(t, e->proc.pid);
	const struct proc_entry *parent;

	if (!p || p->start_ns != e->proc.start_ns) {
		p = take(t, e->proc.pid);
		p->start_ns = e->proc.start_ns;
		parent = find(t, e->parent.pid);
		if (parent && parent != p)
			memcpy(p->program, parent->program, sizeof(p->program));
	}
	p->ppid = e->parent.pid;
	p->conn = e->conn ? e->conn : e->handoff;
	p->uid = e->uid;
	if (e->kind == EVENT_FORK)
		return;
	p->program[0] = '\0';
	if (e->program.len < sizeof(p->program) && memchr(e->program.ptr, '/', e->program.len))
		span_copy(p->program, sizeof(p->program), e->program);
}

void proc_table_note(struct proc_table *t, const struct event *e)
{
	struct proc_entry *p;

	if (!e->proc.pid || (!e->conn && !e->handoff))
		return;
	switch (e->kind) {
	case EVENT_FORK:
	case EVENT_EXEC:
	case EVENT_SNAPSHOT:
		note_start(t, e);
		return;
	case EVENT_EXIT:
		p = find(t, e->proc.pid);
		if (p && p->start_ns == e->proc.start_ns)
			p->ended_ns = e->time_ns;
		return;
	default:
		return;
	}
}

const struct proc_entry *proc_table_find(const struct proc_table *t, uint32_t pid, uint64_t now_ns)
{
	const struct proc_entry *p = find(t, pid);
	uint64_t start;

	if (!p || (p->ended_ns && now_ns > p->ended_ns + KEPT_NS))
		return NULL;
	start = proc_stat(pid, 22) * TICKS_NS; /* 0: it is gone, or hidden */
	if (start && (start + TICK_NS < p->start_ns || start > p->start_ns + TICK_NS))
		return NULL; /* the number has been given out again */
	return p;
}

const struct proc_entry *proc_table_parent(const struct proc_table *t, const struct proc_entry *p)
{
	const struct proc_entry *parent = find(t, p->ppid);

	return parent && parent->start_ns <= p->start_ns ? parent : NULL;
}

uint64_t proc_table_conn(const struct proc_table *t, uint32_t pid)
{
	const struct proc_entry *p = find(t, pid);

	return p ? p->conn : 0;
}

uint32_t proc_table_lost(struct proc_table *t)
{
	uint32_t n = t->lost;

	t->lost = 0;
	return n;
}
