/*
 * resident: what of the program's own files is held in memory.
 *
 * The start reads much that no one needs again (the loader of BPF programs, the kernel's types, the
 * configuration's reader). Giving these pages back once makes the process as small as its work is.
 */
#ifndef OUTERGATE_RESIDENT_H
#define OUTERGATE_RESIDENT_H

/* Lets go of all code and constants of the program and its libraries; what is used comes back from
 * the page cache. Writable segments are not touched. Cannot fail: memory is as it was, then. */
void resident_trim(void);

#endif
