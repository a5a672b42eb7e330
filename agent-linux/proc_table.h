/*
 * proc_table: the processes of sessions by process id, as the kernel's records tell them, for
 * sources that know only a process id. Fixed size; a process that ended stays for a while, since
 * what it did may be told after its end.
 */
#ifndef OUTERGATE_PROC_TABLE_H
#define OUTERGATE_PROC_TABLE_H

#include "common/event.h"

#define PROC_PROGRAM_MAX 64

struct proc_entry {
	uint32_t pid, ppid;
	uint64_t start_ns; /* CLOCK_BOOTTIME */
	uint64_t conn;	   /* cookie of the session's connection */
	uint64_t ended_ns; /* wall; 0: it runs */
	uint32_t uid;
	char program[PROC_PROGRAM_MAX]; /* as exec'ed; "" unknown or longer */
};

struct proc_table;

struct proc_table *proc_table_new(void); /* NULL: out of memory */
void proc_table_free(struct proc_table *t);
/* Takes what a record says of a process; other events change nothing. */
void proc_table_note(struct proc_table *t, const struct event *e);
/* The process that has, or had until a moment ago, this id; NULL: of no session. */
const struct proc_entry *proc_table_find(const struct proc_table *t, uint32_t pid, uint64_t now_ns);
const struct proc_entry *proc_table_parent(const struct proc_table *t, const struct proc_entry *p);
/* The connection of the last process that had this number, whether it runs or not; 0: none. */
uint64_t proc_table_conn(const struct proc_table *t, uint32_t pid);
/* Processes that had to go while they ran, since the last call. */
uint32_t proc_table_lost(struct proc_table *t);

#endif
