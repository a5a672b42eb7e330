/* control: the agent's named pipe; a client gets one JSON object, its state now. */
#ifndef OUTERGATE_WINDOWS_CONTROL_H
#define OUTERGATE_WINDOWS_CONTROL_H

#define PIPE_NAME_MAX 64

/* One agent a runtime directory: its pipe is named after that. */
void pipe_name(const char *runtime, char ret[PIPE_NAME_MAX]);

#endif
