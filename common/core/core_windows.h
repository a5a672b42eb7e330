/*
 * core_windows: what core_windows.c (tries, logons that wait for their service) and core_rdp.c
 * (sessions and their logon ids) share. Only core_internal.h includes it.
 */
#ifndef OUTERGATE_CORE_WINDOWS_H
#define OUTERGATE_CORE_WINDOWS_H

#include "../session.h"
#include "../windows_words.h"
#include "core_table.h"

#define LOGON_WAYS	  4   /* per hash; a session has two to five logon ids */
#define LOGON_SETS	  256 /* 1,024 logon ids; a terminal server has some 100 users */
#define PENDING_MAX	  64  /* network logons whose service is not known yet */
#define PROCESS_WAYS	  4
#define PROCESS_SETS	  128 /* 512 processes of sessions */
#define KEPT_LOGONS	  224
#define OUTERS_MAX	  64 /* processes that are connected to somewhere outside */
#define LOOPS_MAX	  8
#define LOOP_PATH	  128
#define FALSE_SERVICES	  8
#define LATELY_MAX	  64  /* what another log may tell again */
#define PROOFS_MAX	  128 /* connections and requests of the last seconds */
#define RDPS_MAX	  128 /* RDP sessions, of all hosts that forward here */
#define DENIED_MAX	  16  /* tries refused by policy, told by two logs at once */
#define HOST_TEXT_MAX	  64
#define TAKEOVER_LOGONS	  192 /* of the last minute; a terminal server's morning has one a second */
#define TAKEOVER_LEAVES	  16
#define TAKEOVER_ARRIVALS 16 /* desktops that arrived within 10 s */

/* Which session a logon id belongs to. */
struct logon {
	uint64_t id; /* 0: free */
	uint32_t host;
	bool own; /* the session ends with it; not so the one of network level authentication */
	struct handle session;
	uint64_t sid; /* a hash of the account's; 0 = not told */
};

/* A logon id, or a session of Terminal Services, as it is kept across a restart. */
struct kept_logon {
	uint64_t session; /* a hash of its id; 0: free */
	uint64_t id, sid, time_ns;
	uint32_t host, number;
	bool own, is_rdp;
	uint8_t pad[6];
};

/* Whose process it is. */
struct logon_process {
	uint32_t pid, host; /* pid 0: free */
	struct handle session;
};

/* Where a process is connected to outside: the latest that it opened itself. */
struct outer {
	uint64_t time_ns; /* 0: free */
	uint32_t pid, host;
	struct endpoint dest;
};

/* A process of this host that reached a remote service of it over loopback. */
struct loop {
	uint64_t time_ns; /* 0: free */
	uint32_t pid, host;
	struct endpoint at, outer; /* outer: family NONE, not known */
	char path[LOOP_PATH];
};

/* A service that calls itself the vendor's and whose program is elsewhere. */
struct false_service {
	uint64_t file; /* hash of its program; 0: free */
	char name[40];
};

/* A network logon that waits for the word that says of which service it was. */
struct pending {
	uint64_t time_ns, due_ns; /* of the logon, 0: free; until then */
	uint64_t who, line;
	uint32_t host, flags;
	enum service service, proven;
	enum method method;
	enum trust trust;
	uint16_t source;
	struct endpoint origin;
	struct event_windows win;
	char account[ACCOUNT_MAX], client[CLIENT_MAX], host_name[HOST_TEXT_MAX];
};

/* Somebody reached a service: a connection, or a request that names its user. */
struct proof {
	uint64_t time_ns; /* 0: free */
	uint64_t who;	  /* 0: nobody named */
	uint32_t host;
	enum service service;
	struct endpoint origin;
};

/* A session of Terminal Services. */
struct rdp {
	uint64_t who, reconnect_ns;
	uint32_t host;
	uint32_t number; /* of the host's; 0 = unknown */
	struct handle session;
	bool used;
};

struct denied {
	uint64_t conn, time_ns;
};

/* An account at a client, for core_takeover.c. */
struct rdp_moment {
	uint64_t time_ns, who, client; /* time 0: free */
	uint32_t host;
	struct addr addr;
};

struct rdp_leave {
	struct rdp_moment at;
	char account[ACCOUNT_MAX];
};

struct rdp_arrival {
	struct rdp_moment at;
	uint64_t due_ns, line; /* due 0: free */
	struct handle session;
	char account[ACCOUNT_MAX], client[CLIENT_MAX];
};

struct takeovers {
	struct rdp_moment logons[TAKEOVER_LOGONS];
	struct rdp_leave leaves[TAKEOVER_LEAVES];
	struct rdp_arrival arrivals[TAKEOVER_ARRIVALS];
	unsigned logons_next, leaves_next, arrivals_next;
};

struct windows {
	struct logon logons[LOGON_SETS][LOGON_WAYS];
	struct pending pending[PENDING_MAX];
	struct proof proofs[PROOFS_MAX];
	struct rdp rdps[RDPS_MAX];
	struct denied denied[DENIED_MAX];
	struct takeovers takeovers;
	struct logon_process processes[PROCESS_SETS][PROCESS_WAYS];
	struct outer outers[OUTERS_MAX];
	struct loop loops[LOOPS_MAX];
	struct false_service false_services[FALSE_SERVICES];
	struct kept_logon kept[KEPT_LOGONS];
	struct told_lately {
		uint64_t what, time_ns;
	} lately[LATELY_MAX];
	unsigned logons_next, proofs_next, rdps_next, denied_next, processes_next, loops_next,
		false_next, lately_next;
};

struct core;
struct conn;
struct csession;

/* core_procs.c: a program or a connection of that session */
void session_ran(struct core *c, struct csession *s, struct conn *n, const struct event *e);
void session_went(struct core *c, struct csession *s, struct conn *n, const struct event *e);

/* core_windows.c */
void windows_told(struct core *c, const struct event *e);
void windows_expire(struct core *c);
uint64_t windows_who(const struct core *c, struct span account); /* case does not matter */
void windows_failed(struct core *c, const struct event *e);
/* A failed try of the group that key names: host and origin. */
void group_failed(struct core *c, const struct event *e, uint64_t key);
/* Somebody said of which service a waiting logon is: by its id, by user and address. */
void windows_proven(struct core *c, const struct event *e, bool by_user);
void windows_proof(struct core *c, const struct event *e, uint64_t who);
/* A program runs under a logon that waits: what is known of it by now is all. */
void windows_used(struct core *c, const struct event *e);

/* core_rdp.c: the session of e's account from e's origin over e's service; opened when there is
 * none. */
struct csession *logon_session(struct core *c, const struct event *e, bool *ret_new);
struct csession *keyed_session(struct core *c, const struct event *e, uint64_t key, bool *ret_new);
/* session.address_changed: from where it was to where e is. */
void logon_moved(struct core *c, struct csession *s, const struct event *e,
		 const struct endpoint *from);
uint64_t logon_session_key(const struct core *c, const struct event *e);
void logon_add(struct core *c, const struct event *e, struct csession *s, bool own);
void logon_ended(struct core *c, const struct event *e);
/* A logon over RDP: it opened a session or came back to one. */
struct csession *rdp_opened(struct core *c, const struct event *e);
struct csession *rdp_reconnected(struct core *c, const struct event *e);
void rdp_dropped(struct core *c, const struct event *e);
void rdp_closed(struct core *c, const struct event *e);
void rdp_noted(struct core *c, const struct event *e);

/* The session of that logon id; of a SID the one that was used last. NULL: none that lives. */
struct csession *logon_owner(struct core *c, const struct event *e);
struct csession *logon_owner_sid(struct core *c, const struct event *e);
void logon_session_end(struct core *c, struct csession *s, uint64_t time_ns);
/* The session of Terminal Services, or of a VPN's line, that e speaks of. */
struct csession *rdp_session(struct core *c, const struct event *e);

/* core_logons.c: what finds a session again after a restart */
unsigned logons_export(const struct core *c, struct kept_logon rows[KEPT_LOGONS]);
void logons_restore(struct core *c, const struct session *s, struct handle h);
uint64_t logon_key_of(const struct core *c, const struct session *s); /* 0: none */

/* core_gateway.c: RD Gateway, NPS, RRAS. False: e is none of theirs. */
bool gateway_told(struct core *c, const struct event *e);

/* core_gateway_text.c: what gateways log as text */
void gateway_text(struct core *c, const struct event *e);
void gateway_restored(struct core *c, struct csession *s);
uint64_t gateway_key_of(const struct core *c, const struct session *s);

/* core_after.c: what a session does */
void after_ran(struct core *c, const struct event *e);
void after_connected(struct core *c, const struct event *e);
void after_changed(struct core *c, const struct event *e);
/* The first time within 10 s that somebody tells of it. */
bool after_is_first(struct core *c, uint64_t what, uint64_t time_ns);
struct span windows_base(struct span path);

/* core_loops.c: Remote Desktop over loopback */
void loop_outgoing(struct core *c, const struct event *e);
void loop_used(struct core *c, const struct event *e, struct csession *s);
void loop_service(struct core *c, const struct event *e);
/* Whose name the program at that path has without being it; empty: nobody's. */
struct span windows_masquerades_as(const struct core *c, struct span path);

/* core_takeover.c: 4624, 4779 and 4778, in the order of their times or nearly so. */
void takeover_logged_on(struct core *c, const struct event *e);
void takeover_left(struct core *c, const struct event *e);
void takeover_arrived(struct core *c, const struct event *e, const struct csession *s);
void takeovers_expire(struct core *c);

#endif
