/* control: how `status` and whoever has asked for something reach the running agent. */
#ifndef OUTERGATE_CONTROL_H
#define OUTERGATE_CONTROL_H

#include <stddef.h>

#define CONTROL_NAME	   "control.sock"
#define CONTROL_ANSWER_MAX (1u << 20)

/*
 * Of agent-*: what the running agent says of itself, one JSON object, the caller's to free; 0 or
 * -errno. control_name is what follows the runtime directory in its address.
 */
int control_ask(const char *runtime, char **ret);
extern const char control_name[];

#endif
