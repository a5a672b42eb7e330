/* proc_stat: one number of /proc/PID/stat. */
#ifndef OUTERGATE_PROC_STAT_H
#define OUTERGATE_PROC_STAT_H

#include <stdint.h>

/* Field as proc(5) counts them, from 4 (ppid; 22: starttime). 0: it is gone, or hidden. */
uint64_t proc_stat(uint32_t pid, unsigned field);

#endif
