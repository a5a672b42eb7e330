/*
 * agents: processes that went out to somebody and then gave them a shell; see core_agents.c. Part
 * of core_internal.h.
 */
#ifndef OUTERGATE_CORE_AGENTS_H
#define OUTERGATE_CORE_AGENTS_H

#include "../event.h"
#include "../session.h"

struct conn;
struct core;
struct csession;

#define AGENTS_MAX     8
#define AGENT_SESSIONS 64 /* that live, of a table of Limits.Sessions */
#define AGENT_PATH     160
#define AGENT_WORDS    256

/* Told of a connection, until a shell begins there; the latest ones. */
struct agent {
	uint64_t cookie; /* 0: free */
	struct proc_id proc;
	uint32_t uid, args_len;
	char program[32], path[AGENT_PATH], args[AGENT_WORDS];
};

struct agents {
	struct agent at[AGENTS_MAX];
	unsigned next;
};

void agent_told(struct core *c, const struct event *e);
/* A shell has begun on such a connection. */
void agent_session(struct core *c, struct conn *n, const struct event *e);
/* Whose session is it? NULL: forgotten, or none of an agent's. */
const struct agent *agent_of_session(const struct core *c, const struct csession *s);
/* Did people use it on three distinct days, or did somebody say that it is expected? */
bool agent_is_known(const struct core *c, const struct csession *s);
void agent_learn(struct core *c, struct csession *s, uint32_t day);

#endif
