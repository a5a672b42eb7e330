/* masquerade: does a process call itself what it is not? */
#ifndef OUTERGATE_CORE_MASQUERADE_H
#define OUTERGATE_CORE_MASQUERADE_H

#include "../span.h"

/*
 * comm: its name; args: its command line, NUL between words; path: its program, as the link
 * /proc/PID/exe says it. Returns the name that is not its own, a part of comm or args; empty when
 * there is none, or path is not known.
 */
struct span masquerades_as(struct span comm, struct span args, struct span path);

#endif
