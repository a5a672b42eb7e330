/*
 * first: which cgroups have the programs that read first bytes (bpf/first.bpf.c) on. Runs in the
 * privileged parent; links are not pinned, they end with it.
 */
#ifndef OUTERGATE_FIRST_H
#define OUTERGATE_FIRST_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#define FIRST_CGROUPS 32

struct bpf_link;
struct bpf_program;

struct first_cgroup {
	uint64_t id; /* 0: free */
	bool look;   /* for a while only */
	char path[PATH_MAX];
	struct bpf_link *links[2];
};

struct first_hooks {
	struct first_cgroup at[FIRST_CGROUPS];
};

/*
 * root: an open directory of the cgroup2 root; id: of a cgroup (its inode). What hangs above it
 * already serves it, what hangs below is replaced. 0, or -errno (-EUSERS: FIRST_CGROUPS
 * are on; -EBUSY: another program has the hook to itself). look: for a while, first_look_end().
 * in may be NULL.
 */
int first_attach(struct first_hooks *f, int root, uint64_t id, struct bpf_program *in,
		 struct bpf_program *out, bool look);
/* Ends a look; id 0: all of them. */
void first_look_end(struct first_hooks *f, uint64_t id);
void first_detach_all(struct first_hooks *f);

#endif
