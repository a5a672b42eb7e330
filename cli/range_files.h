/* range_files: the files that KnownRemoteIPs names, read into sets. */
#ifndef OUTERGATE_RANGE_FILES_H
#define OUTERGATE_RANGE_FILES_H

#include "command.h"

/*
 * Reads every file that c names. EXIT_FINE, or one sentence printed (with config's name and line
 * where the file is named, and the line in it that is wrong) and EXIT_INPUT. The sets stay until
 * the process ends: the configuration is a value that is copied.
 */
int range_files_read(const char *config_name, struct config *c);
/* Frees the sets of a configuration of which no copy is in use any more. */
void range_files_free(struct config *c);

#endif
