/*
 * reload: another configuration while the agent runs, on SIGHUP or (run --watch-config) when its
 * file is another one. It is read whole and applied whole, or not at all, and what changed is said.
 */
#ifndef OUTERGATE_RELOAD_H
#define OUTERGATE_RELOAD_H

#include "common/config.h"

/*
 * The last reload was refused: for `status`. In a page that the parent writes and the engine reads:
 * in_force is published last, so that a text is whole; 0: the last one was right.
 */
struct reload_refusal {
	uint32_t in_force; /* 1 + the row */
	struct {
		uint64_t at_ns;
		char why[320];
	} rows[2];
};
/* When and why, with an end; false: none is in force. */
bool reload_refused(const struct reload_refusal *r, uint64_t *ret_at_ns, char *ret, size_t cap);

struct reload {
	const char *path; /* NULL: embedded defaults, there is nothing to read again */
	int watch;	  /* inotify of the file's directory; -1: only SIGHUP */
	struct config *spare;
	struct reload_refusal *refusal;
};

/* SHA-256 of the file in hex; of one that is not there, as of an empty one. */
void reload_settings(const char *name, char ret[65]);
/* watch: of its changes, too. 0 or -errno. */
int reload_open(struct reload *r, const char *path, bool watch);
/* The watch has something: is it about our file? */
bool reload_is_due(struct reload *r);
/*
 * The new configuration, when it is right and another one than now: valid until the next call, in
 * which the one that was in force before is overwritten. NULL: stay as you are; why was said.
 */
struct config *reload_read(struct reload *r, struct config *now);

#endif
