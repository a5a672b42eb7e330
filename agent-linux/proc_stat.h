/* proc_stat: what /proc says of a process. */
#ifndef OUTERGATE_PROC_STAT_H
#define OUTERGATE_PROC_STAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Field as proc(5) counts them, from 4 (ppid; 22: starttime). 0: it is gone, or hidden. */
uint64_t proc_stat(uint32_t pid, unsigned field);
/* Its comm, which it chose itself; false, and "": it is gone. */
bool proc_name(uint32_t pid, char *ret, size_t cap);

#endif
