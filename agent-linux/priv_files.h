/* priv_files: the privileged side of watching files: marks and opens what watch_table names. */
#ifndef OUTERGATE_PRIV_FILES_H
#define OUTERGATE_PRIV_FILES_H

#include <stddef.h>

#include "priv.h"

/* The fanotify descriptor, or -errno and one sentence. */
int priv_files_open(char *reason, size_t cap);
/* Answer PRIV_DIR_WATCH and PRIV_FILE_READ; -EPROTO when the message is none of ours. */
int priv_files_watch(int fanotify, struct priv_msg *m, int *ret_fd);
int priv_files_read(struct priv_msg *m, int *ret_fd);

#endif
