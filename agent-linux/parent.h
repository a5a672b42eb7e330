/*
 * parent: the privileged half after the kernel side is attached. It starts the unprivileged
 * child, answers its few fixed-size questions, starts it again when it dies, and parses nothing.
 */
#ifndef OUTERGATE_PARENT_H
#define OUTERGATE_PARENT_H

#include "engine.h"
#include "sandbox.h"

struct reload;
/* Runs until SIGTERM or SIGINT; returns the exit code. SIGHUP reads the configuration again. */
int parent_run(struct sensor *s, struct engine_setup *setup, const struct sandbox_user *user,
	       struct reload *reload);

#endif
