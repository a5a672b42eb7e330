/*
 * handoffs: what core_handoffs.c and core_handoff_fit.c keep of requests and of what was born, and
 * what the rest of the core asks of them. Part of core_internal.h.
 */
#ifndef OUTERGATE_CORE_HANDOFFS_H
#define OUTERGATE_CORE_HANDOFFS_H

#include "../session.h"
#include "core_table.h"

struct core;
struct csession;

#define HANDOFF_REQUESTS 32
#define HANDOFF_BIRTHS	 160 /* what brokers started, followed at a time */
#define HANDOFF_TEXT	 384 /* as much as the kernel sends */
#define HANDOFF_VIA	 SESSION_VIA_MAX
#define LET_GO_MAX	 64

/* Somebody who starts programs for others was reached; see core_handoffs.c. */
struct handoff_request {
	struct handle session;
	uint64_t time_ns; /* 0: free */
	struct proc_id proc;
	uint32_t uid, kinds; /* kinds: bit per handoff_kind */
	uint8_t entry;	     /* in the session's handoffs; SESSION_HANDOFFS: none */
	bool is_cut, taken, is_file, is_new, is_crontab, is_stranger, is_api, is_pod;
	uint16_t len;
	char path[96];		 /* the file; of an API its container, or the number of the pod */
	char text[HANDOFF_TEXT]; /* arguments; of a file what changed in it */
};

struct handoff_birth {
	uint64_t id; /* 0: free */
	struct handle session;
	uint64_t born_ns, unit; /* unit: hash of its cgroup's name */
	uint8_t via, programs;
	bool joined, seen; /* seen: since the agent runs */
};

/* Began in a container, for nobody. */
#define UNCLAIMED_MAX 8
struct unclaimed {
	struct event e; /* kind NONE: free */
	char args[128], program[48], cgroup[96];
};

struct engines {
	bool asked;		  /* core_engine_asked() */
	uint64_t met_ns;	  /* when a stranger last spoke TLS with one */
	uint64_t kube_audited_ns; /* the last that an audit log told; 0: there is none */
	struct unclaimed unclaimed[UNCLAIMED_MAX];
	unsigned unclaimed_next;
};

#define MULTIPLEXER_WAITS 8

/* A client of a multiplexer, before the log has told whose key it was. */
struct multiplexer_wait {
	struct handle session, owner;
	uint64_t due_ns; /* 0: free */
	struct event e;
	uint8_t args_len;
	char path[64], args[128];
};

#define KIND_BIT(k) (1u << HANDOFF_##k)

/* kinds: what it may reach, bits of handoff_kind. */
struct handoff_tool {
	const char *name;
	enum handoff_kind kind;
	uint32_t kinds;
};

/* --- core_handoff_tools.c; kind HANDOFF_NONE or NULL: no such one */
struct handoff_tool handoff_socket(struct span path);
const struct handoff_tool *handoff_program(struct span program);

/* --- core_handoffs.c: what a session has others start */
void handoff_ran(struct core *c, struct csession *s, const struct event *e);
void handoff_told(struct core *c, const struct event *e);
void handoff_api(struct core *c, struct csession *s, const struct event *e);
void handoff_file(struct core *c, struct csession *s, const struct event *e);
/* Is e a session's after all? Then it gets that session's connection; via holds its text. */
bool handoff_resolve(struct core *c, struct event *e, char via[HANDOFF_VIA]);
bool handoffs_live(const struct core *c, const struct csession *s);
void handoffs_restore(struct core *c, struct handle session, const struct session *s);
void core_let_go(struct core *c, uint64_t id);

/* --- core_unclaimed.c */
void unclaimed_note(struct core *c, const struct event *e);
struct event *unclaimed_find(struct core *c, const struct event *e);

/* --- core_multiplexers.c: whose tmux or screen it is */
bool multiplexer_attaches(enum handoff_kind kind, struct span args);
void multiplexer_reached(struct core *c, struct csession *s, enum handoff_kind kind,
			 const struct event *e);
void multiplexers_expire(struct core *c);

/* --- core_handoff_fit.c: arguments are NUL-separated, the first is the program's name */
bool handoff_args_fit(struct span asked, struct span born, bool is_cut);
/* "docker-ID.scope", "ID", "cri-containerd-ID.scope": at least 12 digits of it are the same. */
bool handoff_container_is(struct span id, struct span cgroup);
bool handoff_pod_is(struct span asked, struct span born);
/* The very same words. */
bool handoff_words_are(struct span asked, struct span born);
bool handoff_unit_fits(struct span asked, struct span unit);
bool handoff_unit_is_transient(struct span unit);
bool handoff_file_fits(struct span file, struct span name);
bool handoff_job_fits(struct span text, struct span args);

#endif
