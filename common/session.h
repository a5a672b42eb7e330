/*
 * session: one origin + service + identity with its process tree, joined from every record that
 * speaks of it. The core owns them; outputs and the store read them.
 */
#ifndef OUTERGATE_SESSION_H
#define OUTERGATE_SESSION_H

#include "event.h"
#include "geo.h"
#include "scope.h"

/* Bounds of attacker-chosen text kept per session; longer text is cut and marked. */
#define ACCOUNT_MAX	 64
#define KEY_MAX		 128 /* a certificate: 67 before the key id, at most 30 after it */
#define CLIENT_MAX	 64
#define FINGERPRINT_TEXT 48
#define CONTAINER_TEXT	 13 /* the first 12 digits of its id, as docker ps shows it */
#define COMMAND_MAX	 160
#define SESSION_CMDS	 8 /* the first four and the last four; all are counted */
#define SESSION_LISTENS	 4
#define SESSION_HANDOFFS 3  /* what it had others do; all are counted */
#define SESSION_DESTS	 8  /* distinct destinations kept; all are counted */
#define ID_TEXT_MAX	 33 /* 128 bits in hex + NUL */

enum session_state {
	SESSION_OPEN,
	SESSION_LINGERING,
	SESSION_CLOSED
};

/* Which proof gave the origin (SENSORS section 2). */
enum origin_source {
	ORIGIN_NONE,
	ORIGIN_SOCKET,
	ORIGIN_ANCESTOR,
	ORIGIN_SNAPSHOT,
	ORIGIN_LOG,
	ORIGIN_LOCAL_PROXY,   /* the connection that a proxy on this host had accepted */
	ORIGIN_TRUSTED_PROXY, /* whom a proxy of TrustedProxies named */
	ORIGIN_PAM,	      /* whom a root daemon named to PAM (PAM_RHOST) */
	ORIGIN_VPN /* where the client of this host's VPN is that was given the address it came from
		    */
};

struct session_command {
	uint64_t time_ns;
	struct proc_id proc;
	uint32_t uid;
	uint32_t via; /* 0: its own; else handoffs[via - 1] started it, or one that is not kept */
	char text[COMMAND_MAX]; /* arguments joined by spaces, escaped on output */
};

enum handoff_state {
	HANDOFF_ASKED,
	HANDOFF_POSSIBLE, /* what was born then may have come of it */
	HANDOFF_JOINED	  /* it did */
};

/* Something that starts programs for others was reached, and what came of it. */
struct session_handoff {
	uint64_t time_ns; /* asked for */
	uint64_t born_ns; /* 0: nothing yet */
	uint64_t id;	  /* the kernel's, of what was born */
	enum handoff_kind kind;
	enum handoff_state state;
	uint32_t count; /* asked for by that program */
	uint32_t pid;	/* of the first process born */
	char by[24];	/* the program that asked */
	char to[48];	/* the socket or file */
	char what[71];	/* unit, container, job, the multiplexer's process */
	bool attached;	/* to what was there: it never may have started a multiplexer */
};

/* A listener that a process of the session opened. */
struct session_listen {
	struct endpoint at;
};

/*
 * Where it went on to. The other host sees this host's end as its session's origin, and so the two
 * are joined: of several connections to one place the first and the last are kept.
 */
struct session_dest {
	struct endpoint dest;
	struct addr source;	  /* this host's end; family NONE: not known */
	uint16_t source_ports[2]; /* of the first connection, of the last */
	uint16_t via;		  /* as of a command */
	uint8_t service;	  /* enum service, by port; NONE: no remote-access port */
	uint8_t scope;		  /* enum scope */
	uint32_t count;
	uint64_t first_ns, last_ns;
	uint64_t bytes_in, bytes_out;
	char program[16]; /* its name without a directory, no longer than the kernel keeps it */
};

struct session {
	char id[ID_TEXT_MAX]; /* hash(boot id, cookie), else of namespace, 4-tuple and time */
	uint64_t conn;	      /* socket cookie; 0 = from text only */
	enum session_state state;
	bool existing; /* it was there before the agent */
	bool proven;   /* a trusted verdict opened it (kernel PAM call or vouched log line) */
	bool has_pty;
	bool bytes_known;
	bool has_shell, has_transfer, has_forward;
	bool by_gateway; /* a gateway told of it: it is no connection of this host */
	bool elsewhere;	 /* another host's log tells of it, which told_by names */
	bool by_vpn;	 /* it came through a VPN session of this host; via has the inner address */
	bool pending_helper; /* PAM open_session not yet returned */
	enum service service;
	enum method method;
	bool method_inferred; /* from the order of PAM calls, not from the service's own words */
	enum scope scope;
	enum origin_source origin_source;
	struct endpoint origin, local;
	struct endpoint via;	 /* the trusted proxy it came by; family NONE: none */
	struct endpoint claimed; /* whom an untrusted peer said that it speaks for */
	struct geo geo;		 /* of the origin, when the session opened */
	uint32_t netns;
	char account[ACCOUNT_MAX];
	char effective_account[ACCOUNT_MAX];
	char key[KEY_MAX];
	char client[CLIENT_MAX];
	char container[CONTAINER_TEXT]; /* whose daemon it is in; "" = the host's */
	char container_name[32];	/* as its engine calls it; "" = not known */
	union {
		char image[48];
		char told_by[48]; /* elsewhere */
	};
	union {
		char pod[64];	 /* namespace/pod that it belongs to */
		char target[64]; /* rdgateway: the computers that it was connected to */
		struct {
			char no_pod;	      /* 0: read as one, it is empty */
			uint32_t host;	      /* a hash of the gateway's name */
			uint64_t number;      /* event_gateway.session */
			struct addr assigned; /* the inner address */
			char group[24];
		} gate; /* by_gateway */
		struct {
			char no_pod;		   /* 0 */
			char session[ID_TEXT_MAX]; /* the VPN's */
			char account[30];	   /* who is logged in there; cut */
		} vpn;				   /* by_vpn */
	};
	char fingerprint[FINGERPRINT_TEXT];  /* "hassh:...", "ja4:..."; "" = not seen */
	uint64_t open_ns, close_ns, last_ns; /* wall */
	uint64_t conn_open_ns;
	uint64_t bytes_in, bytes_out;
	uint32_t processes;	 /* alive now */
	uint32_t commands_total; /* execs in the session, helpers not counted */
	uint32_t commands_kept;
	struct session_command commands[SESSION_CMDS];
	uint32_t dests_total, dests_kept;
	struct session_dest dests[SESSION_DESTS];
	uint32_t listens_total, listens_kept; /* listeners that its processes opened: ssh -R */
	struct session_listen listens[SESSION_LISTENS];
	uint32_t reconnects; /* RDP: to the desktop that was left */
	uint32_t handoffs_total, handoffs_kept;
	struct session_handoff handoffs[SESSION_HANDOFFS];
	uint32_t failures_before; /* of the same source inside TimeWindow, at the verdict */
	uint32_t loginuid, audit_session;
	struct proc_id leader;	       /* the daemon's process that serves it */
	char alert_chain[ID_TEXT_MAX]; /* chain alert it is part of, "" if none */
	enum severity worst;	       /* highest severity fired on it */
	uint32_t fired;		       /* number of detections that fired on it */
	uint64_t anomaly_mask; /* bit per detection index that fired (core-internal order) */
};

/* "systemd run-r1.service": through whom; "" for what a session did itself. */
#define SESSION_VIA_MAX 96
struct session;
const char *session_via(const struct session *s, uint32_t via, char buf[SESSION_VIA_MAX]);
const char *session_state_name(enum session_state s);
const char *handoff_state_name(enum handoff_state s);
const char *origin_source_name(enum origin_source s);

#endif
