/*
 * sensor: loads and attaches the kernel side. Runs only in the privileged parent; the rings and
 * counters it maps are inherited by the child, which needs no bpf(2) to read them.
 */
#ifndef OUTERGATE_SENSOR_H
#define OUTERGATE_SENSOR_H

#include <stdbool.h>
#include <stdint.h>

#include "common/config.h"
#include "priv.h"

#define SENSOR_REASON_MAX 192
/* A program attached without BPF_F_ALLOW_MULTI, there or above. */
#define SENSOR_CGROUP_TAKEN                                                                        \
	"another program has this hook of the cgroup to itself (attached without "                 \
	"BPF_F_ALLOW_MULTI; bpftool cgroup tree names it)"

/* One line of `status`: a hook, whether it is on, and why not. */
struct sensor_row {
	const char *name; /* "peer", "process", ... */
	const char *hook; /* what it is attached to */
	const char *sees;
	bool on;
	char reason[SENSOR_REASON_MAX]; /* "" when on */
};

enum sensor_part {
	SENSOR_PEER4,
	SENSOR_PEER6,
	SENSOR_FORK,
	SENSOR_EXEC,
	SENSOR_EXIT,
	SENSOR_TCP,
	SENSOR_SNAPSHOT,
	SENSOR_PAM,
	SENSOR_UNIX,  /* only adds detail: its absence is told by status alone */
	SENSOR_FIRST, /* the same */
	SENSOR_PARTS
};

struct sensor;
struct ring_buffer;

/*
 * Loads and attaches all but the uprobes. On failure returns -errno and one sentence in
 * err (SENSOR_REASON_MAX); a single part that fails is a row with its reason, not a failure. Where
 * the kernel is locked down so far that no program may be loaded, that is all of them.
 */
int sensor_open(const struct config *config, struct sensor **ret, char *err);
void sensor_close(struct sensor *s);

/* The ports of another configuration; 0 or -errno. */
int sensor_watch_ports(struct sensor *s, const struct config *config);
const struct sensor_row *sensor_rows(const struct sensor *s); /* SENSOR_PARTS of them */
/* Hooks of an earlier run were on when it was opened. */
bool sensor_took_over(const struct sensor *s);
/* How many hooks somebody has detached, or unpinned (these are pinned again); the first's name. */
uint32_t sensor_hooks_gone(struct sensor *s, char *ret_name, size_t cap);
/* "" when hooks stay on while the agent is dead, else why not. */
const char *sensor_kept(const struct sensor *s);
bool sensor_uses_task_storage(const struct sensor *s);

/* Map descriptors for the rings, and the mapped counters (WIRE_STAT_COUNT values). */
int sensor_ring_precious(const struct sensor *s);
int sensor_ring_bulk(const struct sensor *s);
int sensor_ring_first(const struct sensor *s);
const volatile uint64_t *sensor_counters(const struct sensor *s);

/* A fresh iterator descriptor, or -errno. */
int sensor_snapshot(struct sensor *s, enum priv_snapshot which);
/* User space has proven a connection (log evidence, snapshot). Returns 0 or -errno. */
int sensor_prove(struct sensor *s, uint64_t cookie);
/* What a broker started is nobody's: no more records of it. */
void sensor_let_go(struct sensor *s, uint64_t handoff);
/* Follow what that kind of broker (WIRE_HANDOFF_*) starts for a user until then (CLOCK_BOOTTIME).
 */
int sensor_arm(struct sensor *s, uint32_t kind, uint32_t uid, uint64_t until_ns);
/* Reads first bytes of what is accepted in that cgroup and below (first.h). 0 or -errno. */
int sensor_first(struct sensor *s, uint64_t cgroup, bool look);
/* Tells what programs there say first to the outside over UDP. 0 or -errno. */
int sensor_look_outward(struct sensor *s, uint64_t cgroup);
/* Ends a look there, the first kind or the second; cgroup 0: all of them. */
void sensor_look_end(struct sensor *s, uint64_t cgroup, bool outward);
/* Attaches the PAM probes to an open file; offsets are checked against its size. */
int sensor_attach_libpam(struct sensor *s, int fd, const uint64_t offsets[LIBPAM_SYMBOLS]);
/* Takes them off again; dev and ino as fstat() has them. 0 or -ENOENT. */
int sensor_detach_libpam(struct sensor *s, uint64_t dev, uint64_t ino);

/* The cgroup2 root from mountinfo ("" when there is none). */
int sensor_cgroup_root(char *ret, size_t cap);

#endif
