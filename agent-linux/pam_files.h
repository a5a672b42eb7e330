/*
 * pam_files: the libpam files that have probes, with the links that hold these.
 */
#ifndef OUTERGATE_PAM_FILES_H
#define OUTERGATE_PAM_FILES_H

#include <stdint.h>
#include <sys/types.h>

#include "priv.h"

/* Host plus containers with a libpam of their own. */
#define PAM_FILES_MAX 64
#define PAM_LINKS     (2 * LIBPAM_SYMBOLS - 1)

struct bpf_link;

struct pam_file {
	dev_t dev;
	ino_t ino;
	struct bpf_link *links[PAM_LINKS]; /* owned; NULL: none */
};

struct pam_files {
	struct pam_file items[PAM_FILES_MAX];
	unsigned count;
};

/* NULL: that file has no probes. */
struct pam_file *pam_files_find(struct pam_files *f, dev_t dev, ino_t ino);
/* Closes its links; unpin: and takes the probes off, also where they are pinned. */
void pam_file_release(struct pam_file *file, bool unpin);
/* Takes the probes of that file off: a probe holds its file, and the container's file system with
 * it, for as long as it is there. 0 or -ENOENT. */
int pam_files_remove(struct pam_files *f, dev_t dev, ino_t ino);

#endif
