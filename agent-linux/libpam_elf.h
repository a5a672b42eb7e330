/*
 * libpam_elf: where the PAM entry points are in a libpam file. Parses ELF, so it runs only in the
 * unprivileged child; the parent gets nothing but the offsets.
 */
#ifndef OUTERGATE_LIBPAM_ELF_H
#define OUTERGATE_LIBPAM_ELF_H

#include <stdint.h>

#include "priv.h"

/* File offsets of the functions (System V ABI: st_value - p_vaddr + p_offset). 0 or -errno. */
int libpam_offsets(int fd, uint64_t ret[LIBPAM_SYMBOLS]);

#endif
