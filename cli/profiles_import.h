/* profiles_import: what `outergate profiles --format json` printed, given to the agent. */
#ifndef OUTERGATE_PROFILES_IMPORT_H
#define OUTERGATE_PROFILES_IMPORT_H

#include "command.h"

int profiles_import(const struct command *self, int argc, char **argv);

#endif
