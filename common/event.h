/*
 * event: one thing that happened, whatever source told it. The only input of the core.
 *
 * Spans point into the record or line being decoded and are valid during one core_step(); the
 * core copies what it keeps. An absent field is zero (or an empty span). Nothing here is trusted
 * beyond what `trust` says.
 */
#ifndef OUTERGATE_EVENT_H
#define OUTERGATE_EVENT_H

#include "addr.h"

#define SERVICE(id, text) SERVICE_##id,
enum service {
#include "names.def"
	SERVICE_COUNT
};
#undef SERVICE
#define EVENT(id, text) EVENT_##id,
enum event_kind {
#include "names.def"
	EVENT_COUNT
};
#undef EVENT
#define OUTCOME(id, text) OUTCOME_##id,
enum outcome {
#include "names.def"
	OUTCOME_COUNT
};
#undef OUTCOME
#define METHOD(id, text) METHOD_##id,
enum method {
#include "names.def"
	METHOD_COUNT
};
#undef METHOD
#define SEVERITY(id, text) SEVERITY_##id,
enum severity {
#include "names.def"
	SEVERITY_COUNT
};
#undef SEVERITY
#define HANDOFF(id, text) HANDOFF_##id,
enum handoff_kind { /* the first as in wire.h */
#include "names.def"
	HANDOFF_COUNT
};
#undef HANDOFF
#define API_ACTION(id, text) API_##id,
enum api_action { /* what a request to a container or cluster API asks for */
#include "names.def"
	API_ACTION_COUNT
};
#undef API_ACTION

/* Who vouches for an event. */
enum trust {
	TRUST_TEXT,	 /* a log file: anybody who may write there could have written it */
	TRUST_FORGED,	 /* the transport proves that the claimed program did not write it */
	TRUST_TRANSPORT, /* the transport vouches for the writer (journald: _UID 0 and its _EXE) */
	TRUST_KERNEL,	 /* our own record from the kernel */
};

/* Pieces of one kernel source that tell of the same try: each counts alone, the largest wins. */
enum witness {
	WITNESS_DAEMON,	 /* the service's own words ("Failed password for ...") */
	WITNESS_PAM_LOG, /* pam_unix(...) text */
	WITNESS_KERNEL,	 /* PAM calls seen by the kernel */
	WITNESS_AUDIT,	 /* the same calls as libpam tells the audit system */
	WITNESS_NETWORK, /* a sensor that sees packets and infers the rest */
	WITNESS_COUNT
};

enum event_flag {
	EVENT_ACCOUNT_UNKNOWN = 1u << 0,  /* the account does not exist here ("invalid user") */
	EVENT_ACCOUNT_EXISTS = 1u << 1,	  /* the source proves that it does */
	EVENT_TIME_APPROXIMATE = 1u << 2, /* year or zone was inferred */
	EVENT_TRUNCATED = 1u << 3,	  /* a text field was cut at its bound */
	EVENT_PREAUTH = 1u << 4,	  /* close before any verdict, as the service says */
	EVENT_HELPER = 1u << 5, /* process started inside a PAM call (pam_motd, unix_chkpwd) */
	EVENT_STDIN_SOCKET = 1u << 6, /* exec: stdin and stdout are the accepted socket */
	EVENT_STDIN_TTY = 1u << 7,    /* exec: stdin is a terminal */
	EVENT_EXISTING = 1u << 8,     /* from the snapshot at start */
	EVENT_ESTABLISHED = 1u << 9,  /* connect, connect_close: the handshake completed */
	EVENT_PROVEN = 1u << 10,      /* kernel: the connection has passed authentication */
	EVENT_USER_EXEC = 1u << 11,   /* the caller's program was exec'ed by a session's user */
	EVENT_CHILD_CALL = 1u << 12,  /* pam: the caller is a child of the process that is bound */
	EVENT_SELF_EXEC = 1u << 13,   /* exec: the daemon re-executed itself */
	EVENT_PTY = 1u << 14,	      /* session has a terminal */
	EVENT_STDIN_PIPE = 1u << 16,  /* exec: stdin is a pipe or a local socket */
	EVENT_PASSWORD_RIGHT = 1u << 19, /* a failure: only policy refused (Windows) */
	EVENT_ROOT = 1u << 18,		 /* container: root runs its runtime;
					    listen: by root, or a container's with mapped ids;
					    exec on Windows: with the rights of the system */
	EVENT_ACCEPTED = 1u << 17, /* loopback: it accepted the connection to dest, a local proxy */
	EVENT_MANAGED = 1u << 15,  /* file: by a package manager, or one's own password */
	EVENT_WATCHED = 1u << 22,  /* listen: its connections are told */
	EVENT_LOOK = 1u << 24,	   /* no event yet: a listener that nobody watches has a visitor;
				      without a port: a VPN's tool begins */
	EVENT_ELSEWHERE = 1u << 23, /* text that another host sent: no record of ours tells of it */
	EVENT_OWN = 1u << 20,	    /* handoff: to what the same session had started */
	EVENT_LOCAL_PEER = 1u << 21, /* the client of a local socket accepted it */
};

/* PAM calls, as in wire.h. */
enum pam_call {
	PAM_CALL_NONE,
	PAM_CALL_AUTHENTICATE,
	PAM_CALL_ACCT_MGMT,
	PAM_CALL_OPEN_SESSION,
	PAM_CALL_CLOSE_SESSION,
	PAM_CALL_END,
};

/* A process: never a pid alone, pids are used again. */
struct proc_id {
	uint32_t pid; /* tgid in the initial pid namespace; in text sources the logged pid */
	uint32_t pad;
	uint64_t start_ns; /* CLOCK_BOOTTIME at start; 0 in text sources */
};

/* What a Windows event says beyond the common words; all zero elsewhere. */
struct event_windows {
	uint32_t id;		/* event id; 0: not to be joined as a Windows event */
	uint32_t logon_type;	/* of 4624 and 4625 */
	uint32_t status;	/* NTSTATUS, or Kerberos' error of 4768 and 4771 */
	uint32_t session;	/* of Terminal Services; 0 = unknown (it is the services' own) */
	uint64_t logon, linked; /* logon ids; 0 = unknown */
	uint64_t activity;	/* a hash of the ActivityID; 0 = none */
	uint64_t sid;		/* a hash of the user's; 0 = none, or the system's */
};

/*
 * What a VPN concentrator or another gateway tells of the sessions that it serves; `told` is false
 * elsewhere. Of the event itself: host is the gateway, origin the address outside, dest the one
 * that the session came from before it moved.
 */
struct event_gateway {
	bool told;    /* about no connection of this host */
	bool by_port; /* the number is of where the client is: it comes again with the next one */
	bool unsure;  /* set by the core: nobody knows whether the account exists */
	uint64_t session;     /* a hash of its number or name there; 0 = none */
	struct addr assigned; /* the inner address that it was given */
	struct span group;    /* tunnel group, realm, policy */
	struct span reason;   /* why it failed or ended, in the gateway's words */
};

/* Why a container is more than one: bits of event_api.risks. */
enum api_risk {
	RISK_PRIVILEGED = 1u << 0,
	RISK_HOST_NETWORK = 1u << 1,
	RISK_HOST_PID = 1u << 2,
	RISK_HOST_IPC = 1u << 3,
	RISK_HOST_MOUNT = 1u << 4,    /* a directory of the host */
	RISK_ENGINE_SOCKET = 1u << 5, /* docker.sock and its like inside it */
	RISK_CAPABILITY = 1u << 6,    /* SYS_ADMIN and others that lead outside */
	RISK_DEVICE = 1u << 7,
	RISK_SYSTEM_NAMESPACE = 1u << 8, /* kube-system */
};

/*
 * An API request. Of the event itself: origin is who asked, result the HTTP status, outcome what it
 * says (401, 403: refused), subject the method or verb, path the target, client the user agent,
 * account the user ("" or system:anonymous: nobody said who they are), args the command, via what
 * was said to be before it (X-Forwarded-For). dest: the trusted proxy it came by; set by the core.
 *
 * A container (EVENT_CONTAINER): action START is its first program, EXEC one that was put into it;
 * subject and path are the last two names of its cgroup, via the process above it.
 */
struct event_api {
	enum api_action action;
	uint32_t risks;
	bool anonymous;	       /* the service asked for no proof of who it is, and none was given */
	struct span container; /* its id or name, or namespace/pod */
	struct span name, pod_name; /* what its engine calls it; namespace/pod that it belongs to */
	struct span pod;	    /* the cluster's own number of that (UID) */
	struct span image;
	struct span detail; /* what makes it risky, as written: "/:/host", "SYS_ADMIN" */
};

/* What a broker (systemd, atd, ...) started while a session had just asked it for something. */
struct broker {
	enum handoff_kind kind;
	struct proc_id proc;
	uint32_t uid;
	uint32_t held_by,
		others; /* a session's process that is connected to it; clients of others */
	uint64_t held;	/* cookie of that session's connection; 0: none */
};

struct event {
	enum event_kind kind;
	enum service service;
	enum outcome outcome;
	enum method method;
	enum trust trust;
	enum witness witness;
	uint16_t source; /* index into the decoder registry (decode.h) */
	uint32_t flags;	 /* enum event_flag */

	uint64_t time_ns; /* wall clock, ns since 1970 UTC */
	uint64_t boot_ns; /* CLOCK_BOOTTIME; 0 for text */
	uint64_t line;	  /* number of the line or record that completed it, from 1 */
	uint32_t count;	  /* how many times it happened ("message repeated"); at least 1 */

	uint64_t conn;		/* cookie of the connection it is about; 0 = unknown */
	uint32_t netns;		/* network namespace inode; 0 = unknown */
	struct endpoint origin; /* remote end of the accepted connection */
	struct endpoint local;	/* our end of it */
	struct endpoint dest;	/* connect: where to; listen: where; loopback: the other host */
	uint64_t out_conn;	/* connect*: cookie of the outgoing socket; exposure: the key of the
				   service, the same after a restart of it */

	uint64_t handoff;     /* id of what a broker started; conn is 0 until it is known whose */
	struct broker broker; /* exec of such a one */
	uint32_t via_entry;   /* of the session's handoffs, from 1; set by the core */

	struct proc_id proc; /* who did it, or which daemon process logged it */
	struct proc_id parent;
	uint32_t uid, euid;
	uint32_t loginuid, audit_session; /* UINT32_MAX = unset */
	uint64_t cgroup;

	uint64_t bytes_in, bytes_out; /* from the host's point of view: received, sent */
	uint64_t opened_ns;	      /* wall time the connection began; 0 = unknown */
	int32_t result;		      /* pam: return value; exit: code; exposure: its
					 authentication (enum exposure_auth) */
	enum pam_call pam_call;
	uint32_t alive; /* exit: marked processes of that session still alive; exposure: who
			   reaches it (enum exposure_reach) */

	struct event_windows win;
	struct event_gateway gate;
	struct event_api api; /* of EVENT_API and EVENT_CONTAINER; of EVENT_PAM its container alone,
				 of EVENT_EXEC its pod */

	struct span account;
	struct span user;	 /* name of uid on this host, where the agent looked it up; of a
				    hijack: whose client or multiplexer it was */
	struct span client;	 /* what the client calls itself: banner, device; chosen by it */
	struct span fingerprint; /* client: "hassh:...", "ja4:..." (enrich/fingerprint.h) */
	struct span key;	 /* key type and fingerprint, "ED25519 SHA256:..." */
	struct span host;	 /* the host that logged it */
	struct span program;	 /* daemon (text), exe path (exec), comm (others) */
	struct span args;	 /* exec: NUL-separated argument vector */
	struct span pam_service, tty;
	struct span text;    /* the raw line or a reason; evidence */
	struct span path;    /* file: which; handoff: the socket; of a broker's: its stdin */
	struct span subject; /* file: what it is: "service-unit"; of a broker's: the unit;
				WireGuard: inner networks, "10.8.0.2/32 10.9.0.0/24";
				outward: "UDP", or the VPN that its first bytes are */
	struct span mac;     /* of an inside origin: its network card */
	struct span via;     /* through whom a session had it done */
	union {
		struct span before; /* file: what it was, as after */
		struct span own;    /* of a source that the configuration describes: its name */
	};
	struct span after; /* file: SHA-256 in hex; before empty: not known or new */
};

/* For who keeps one: no span of it leads to the record any more. */
void event_drop_texts(struct event *e);
/* For who keeps one with its texts: how many bytes they are, and putting them there. */
size_t event_text_size(const struct event *e);
void event_move_texts(struct event *e, char *to);

const char *service_name(enum service s);
const char *event_name(enum event_kind k);
const char *outcome_name(enum outcome o);
const char *method_name(enum method m);
const char *severity_name(enum severity s);
const char *event_trust_name(enum trust t);
const char *event_witness_name(enum witness w);
/* Of `replay --events`; ends with a NULL name. */
struct event_flag_name {
	uint32_t flag;
	const char *name;
};
extern const struct event_flag_name event_flag_names[];
extern const struct event_flag_name api_risk_names[];
const char *api_action_name(enum api_action a);
enum api_action api_action_from_name(struct span name); /* API_OTHER of unknown ones */
bool event_from_name(struct span name, enum event_kind *ret);
/* What is not known is the first of each: unknown, text, daemon. */
enum outcome outcome_from_name(struct span name);
enum trust trust_from_name(struct span name);
enum witness witness_from_name(struct span name);
const char *handoff_name(enum handoff_kind k);
bool service_from_name(struct span name, enum service *ret);
bool severity_from_name(struct span name, enum severity *ret);
/* sshd's own words ("keyboard-interactive/pam" included); METHOD_OTHER for unknown ones. */
enum method method_from_name(struct span name);

#endif
