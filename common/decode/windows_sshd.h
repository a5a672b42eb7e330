/* windows_sshd: one line of OpenSSH for Windows' own log file. Internal to decode/. */
#ifndef OUTERGATE_DECODE_WINDOWS_SSHD_H
#define OUTERGATE_DECODE_WINDOWS_SSHD_H

#include "decode.h"

bool windows_sshd_is(struct span line);
enum decode_result windows_sshd_read(struct decode_stream *s, struct span line, struct event *ret,
				     const char **reason);

#endif
