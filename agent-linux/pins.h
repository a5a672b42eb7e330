/*
 * pins: what keeps watching while the agent is dead. Maps, rings and links are pinned in a 0700
 * directory of bpffs, named by the runtime directory (two agents never share) and by the layout:
 * a hash of the kernel object, so that another build never reads this one's maps.
 *
 * After a restart of the same build the hooks were never gone; after an upgrade the old ones are
 * removed when the new ones are on, and live sessions come back by the snapshot.
 */
#ifndef OUTERGATE_PINS_H
#define OUTERGATE_PINS_H

#include <linux/limits.h>
#include <stdbool.h>
#include <stddef.h>

struct bpf_link;
struct bpf_object;
struct bpf_program;

struct pins {
	char base[PATH_MAX / 2]; /* of this runtime directory */
	char dir[PATH_MAX];	 /* of this layout; "" : nothing is pinned */
	char reason[128];	 /* why not */
	bool reused;		 /* links of a former run are on */
};

/* Finds or makes the directory. Without bpffs p->dir is "" and p->reason says why. */
void pins_open(struct pins *p, const char *runtime, const void *object, size_t size, int variant);
/* Before loading: every map is taken from its pin, or pinned when made. */
int pins_maps(const struct pins *p, struct bpf_object *obj);
/* Is there a link of a former run by that name? */
bool pins_has_link(const struct pins *p, const char *name);
/* The link of a former run, or NULL. */
struct bpf_link *pins_link(const struct pins *p, const char *name);
/* Keeps a fresh link; 0 or -errno (kernels before 5.15 cannot keep uprobes). */
int pins_keep(const struct pins *p, struct bpf_link *link, const char *name);
/* Removes other layouts of this runtime directory. */
void pins_sweep(const struct pins *p);
/* Removes all of this runtime directory: the hooks end with the last process that holds them. */
void pins_remove(const char *runtime);

#endif
