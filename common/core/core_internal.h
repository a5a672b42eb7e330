/*
 * core_internal: what the core's own files share. Nothing outside common/core and common/detect
 * includes it.
 *
 *   connection   one try group: all that one TCP connection (or one logged daemon process) said
 *   source       an origin address (v6: its /64) and its failures
 *   net, asn     a /24 or /48 of sources; an autonomous system, where a database tells it
 *   slow, spread a source that never is fast; an account and the networks that fail on it
 *   account      a name that was tried or logged in
 *   seen, link   a place or edge that an identity used; why it belongs to an intruder (chains)
 */
#ifndef OUTERGATE_CORE_INTERNAL_H
#define OUTERGATE_CORE_INTERNAL_H

#include "../detect/detection.h"
#include "core.h"
#include "core_guess.h"
#include "core_table.h"
#include "profile.h"
#include "core_agents.h"
#include "core_clients.h"
#include "core_containers.h"
#include "core_devices.h"
#include "core_exposure.h"
#include "core_handoffs.h"
#include "core_hash.h"
#include "core_outward.h"
#include "core_seen.h"
#include "core_vpn.h"
#include "core_window.h"
#include "core_windows.h"

#define SECOND_NS 1000000000ull
#define DAY_NS	  (86400 * SECOND_NS)

#define CLAIM_GRACE_NS	  (3 * SECOND_NS)  /* a log line may come this much before the kernel */
#define STATUS_GRACE_NS	  (2 * SECOND_NS)  /* ... and this much after it: journald is 50 ms late */
#define SILENT_AFTER_NS	  (10 * SECOND_NS) /* SPEC: over 10 s without evidence */
#define CONFIRM_NS	  (60 * SECOND_NS) /* a restored session not in the snapshot is gone */
#define CONN_STALE_NS	  (15 * 60 * SECOND_NS) /* text: a pid or port used again; sshd waits 120 s */
#define ALERT_IDLE_NS	  DAY_NS
#define ALERT_PACE_NS	  (5 * SECOND_NS)  /* revisions of an alert that only grows: at least ... */
#define ALERT_PACE_MAX_NS (60 * SECOND_NS) /* ... and at most so far apart */
#define LINK_KEPT_NS	  (7 * DAY_NS)
#define PLACE_KEPT_DAYS	  180
#define LEARN_DAYS	  3 /* distinct, without a high alert */

#define LISTENERS_MAX	32 /* watched listeners of one host */
#define DIGESTS_MAX	32 /* (listener, day) still open; two days of 16 listeners */
#define CLAIMS_MAX	64 /* log lines waiting for the kernel's word */
#define HELD_MAX	64 /* execs and connects seen before their session opened */
#define HELD_PER_CONN	6
#define UNSEEN_MAX	64 /* shells that wait for a verdict */
#define OWN_ADDRS	64
#define CALLERS_MAX	1024 /* addresses whose newest connection is known */
#define TUNNELS_MAX	32   /* loopback connections whose owner is connected elsewhere */
#define TUNNELS_OF_USER 12
#define TUNNEL_ARGS	384 /* as much as the kernel sends */
#define TUNNEL_PATH	96
#define TRIED_MAX	64 /* connections whose counts outlive a restart: those of seconds */
#define LINKS_MAX	1024
#define SEEN_MAX	8192
#define LAST_PLACES_MAX 512 /* as many identities as have profiles */
#define MFAS_MAX	64  /* accounts whose second factor was denied lately */
#define UNSETTLED_MAX	64  /* logins whose key is still to be told */
#define CLUES_MAX	184 /* recent failures kept as evidence for an alert that may follow */
#define RINGS_MAX	220
#define RING_MOMENTS	132 /* two windows of 65 and one that fires */
#define SPRAY_ACCOUNTS	16  /* distinct accounts remembered per source; the threshold is 10 */
#define CHAIN_SESSIONS	4   /* told one by one in a chain's sentence */
#define SESSION_ALERTS	13  /* detections whose key is the session */
#define NO_SLOT		UINT8_MAX
#define WAITING_MAX	1024 /* connections whose verdicts wait for the account's status */

/* One try is told by several; each counts alone and the largest wins. */
enum witness_slot {
	SLOT_DAEMON = WITNESS_DAEMON,
	SLOT_PAM_LOG = WITNESS_PAM_LOG,
	SLOT_KERNEL = WITNESS_KERNEL,
	SLOT_AUDIT = WITNESS_AUDIT,
	SLOT_NETWORK = WITNESS_NETWORK,
	SLOT_DAEMON_PORTLESS, /* "error: PAM: Authentication failure for X from A": the same try as
				 "Failed keyboard-interactive/pam for X from A port P" */
	SLOT_NAMED,	      /* "Invalid user X from A": a try, whether a verdict follows or not */
	SLOT_PREAUTH,	      /* a close before any verdict; never more than one */
	SLOT_COUNT
};

#define WITNESS_NS (5 * SECOND_NS) /* two logs tell of the same try within milliseconds */

enum account_status {
	STATUS_UNDECIDED,
	STATUS_EXISTS,
	STATUS_UNKNOWN
};

/* Which process called pam_authenticate with success. */
enum pam_auth {
	PAM_AUTH_NONE,
	PAM_AUTH_OWN,
	PAM_AUTH_CHILD
};

struct conn {
	uint64_t cookie;
	struct endpoint origin, local;
	uint32_t pid;
	uint32_t host; /* hash of the logging host; 0 when this host is watched by the kernel */
	uint32_t netns;
	uint16_t vpn, vpn_generation; /* the VPN session it came through; see core_vpn.c; 0: none */
	uint64_t first_ns, last_ns;
	uint64_t opened_ns; /* 0 = unknown */
	uint64_t tried_ns;  /* last verdict told */
	uint64_t bytes_in, bytes_out;
	uint16_t counts[SLOT_COUNT];
	uint32_t credited;
	uint8_t service, status, pam_auth, method, held; /* held: execs waiting */
	bool kernel : 1, network : 1;			 /* that tells of it; packets alone do */
	bool closed : 1, evidence : 1;			 /* somebody said who it is */
	bool judged : 1;				 /* counted (or not) as silent */
	bool waiting : 1, tunneled : 1, outward : 1;	 /* in core->waiting, tunnels; an agent's */
	bool session_refused : 1;			 /* the table was full; counted once */
	bool refused : 1;				 /* PAM said no after a right password */
	bool kernel_verdict : 1, kernel_success : 1, claimed : 1, gateway : 1; /* it told of it */
	uint8_t relayed; /* enum origin_source: by whom the origin was told; NONE: its own */
	char account[ACCOUNT_MAX];
	struct handle session;
};

struct source {
	struct addr addr; /* v6: /64 */
	struct window_small failures;
	uint32_t total;
	uint32_t exists_ds; /* last guess of an existing account by a method that is on; 0 never */
	uint32_t weak_ds;   /* last guess of one where the method may be off (root) */
	uint32_t fired_ds;  /* last time it was over the threshold */
	uint32_t last_ds;
	uint32_t who; /* hash of the account tried, bit 0: exists; another starts a spray entry */
	uint32_t alerted_ds; /* last time its failures went to an alert of its own */
	uint16_t noise_failures, noise_unknown; /* of it in today's digest */
	uint32_t noise_day;			/* last day it was counted in a digest */
	struct handle session;			/* the last that it opened */
	struct handle alert;			/* its auth.bruteforce */
};

struct net {
	struct addr addr;
	struct window_large failures; /* of sources that have no alert of their own */
	uint32_t exists_ds, weak_ds;
	uint32_t alerted_ds; /* last time it was over its threshold */
};

struct spray {
	struct addr addr;
	struct handle alert;
	uint32_t who[SPRAY_ACCOUNTS];
	uint32_t stamp[SPRAY_ACCOUNTS];
	uint32_t exists; /* bit per entry */
};

struct account {
	uint64_t key; /* hash of the name */
	struct window_small guesses;
	uint32_t guessed_ds[METHOD_COUNT];
	uint8_t status;
	uint8_t pad;
	uint16_t methods; /* bit per method that was seen to succeed */
};

struct seen {
	uint64_t key;
	uint32_t last_day;
	uint8_t days; /* distinct, in sessions without a high alert */
	uint8_t learned;
	uint8_t pad[2];
};

/* Where an identity was when it logged in last; see core_travel.c. */
struct last_place {
	uint64_t key;
	uint64_t account; /* hash of the name alone */
	uint64_t time_ns;
	struct endpoint origin;
	int32_t latitude_e4, longitude_e4;
	uint32_t asn, epoch;
	uint16_t radius_km;
	bool known;
	char country[3];
	char city[GEO_CITY_MAX];
};

/* Prompts for the second factor of an account that were denied or ran out of time. */
struct mfa {
	uint64_t key; /* hash of the name */
	struct window_large denied;
};

/* A login that waits for the service's own words about who it is; see core_settle.c. */
struct unsettled {
	struct handle session; /* slot NIL: free */
	uint64_t due_ns;
};

struct link {
	uint64_t key;
	uint64_t time_ns;
	char why[24];		 /* nobody's any more; rows that are stored have it */
	char chain[ID_TEXT_MAX]; /* "" until a chain grew from it */
};

/* A window that is exact; see core_rings.c. */
struct ring {
	const uint32_t *owner; /* the small window's stamps; NULL: free */
	uint32_t stamp[RING_MOMENTS];
	uint16_t count[RING_MOMENTS];
	uint16_t used;
	bool recent;
};

struct digest {
	bool used;
	struct handle alert; /* its auth.noise */
	uint8_t service;
	uint16_t port;
	uint32_t day;
	uint32_t failures, sources, unknown;
	uint32_t loud; /* low alerts that were sent */
};

struct listener {
	bool used;
	uint16_t port;
	uint32_t netns;
	uint32_t evidence_ds;
	struct window_large silent;
};

struct claim {
	struct handle conn; /* slot NIL: free */
	uint64_t due_ns;
	struct event e;
	char account[ACCOUNT_MAX], key[KEY_MAX], client[CLIENT_MAX];
	char text[ALERT_EVIDENCE_MAX], program[32];
};

struct held {
	struct handle conn; /* slot NIL: free */
	struct event e;
	char program[128], args[COMMAND_MAX];
};

/* A shell on a connection without a session. */
struct unseen {
	struct handle conn;
	struct event e;	 /* its first program */
	uint64_t due_ns; /* 0: free */
	uint8_t children;
	char program[128], user[32];
};

/* A recent failure, made into evidence only when an alert wants it. */
struct clue {
	uint64_t source; /* hash of its address */
	uint64_t time_ns, line;
	struct endpoint origin;
	uint8_t trust, method;
	uint8_t account_len, text_len;
	bool unknown; /* that account does not exist here */
	char account[32], text[ALERT_EVIDENCE_MAX];
};

#define BURST_MAX 16 /* recent new destinations of a session; the threshold is 5 */

/* A connection to another host that a session holds, and what it sent so far. */
struct outgoing {
	uint64_t cookie; /* 0: free */
	uint64_t bytes;
};

struct csession {
	struct session pub;
	struct handle conn;
	struct handle access; /* its access.external alert */
	enum trust key_trust; /* of whoever told its key */
	uint64_t commands_told_ns;
	struct handle alerts[SESSION_ALERTS]; /* those that are about the session */
	uint64_t confirm_ns;		      /* restored: must be seen by then; 0 = was */
	bool changed;			      /* in core->changed_sessions */
	bool gone, learned;		      /* its connection closed; it has taught */
	bool expected;			      /* a person said so: it teaches whatever fired */
	bool odd; /* it teaches as if something of medium had fired, though less was told */
	uint8_t burst_used, edges_used;
	union {
		uint64_t burst[BURST_MAX];	/* when new destinations were reached */
		struct vpn_inner inner[INNERS]; /* by_gateway */
	};
	uint64_t edges[BURST_MAX]; /* seen keys of remote-access destinations, learned at close */
	unsigned new_dests;	   /* lately, as last counted */
	uint8_t worst_by[DETECTION_COUNT]; /* highest severity of each */
	struct outgoing outs[SESSION_DESTS];
	uint64_t outs_closed;		/* what those sent that are closed */
	uint64_t told_sent, told_bytes; /* as last told: by activity.exfiltration; transferred */
	uint64_t chain_stages;		/* detections already told by its chain */
};

struct calert {
	struct alert pub;
	uint64_t key;
	struct handle session;
	struct handle chain_sessions[CHAIN_SESSIONS]; /* chains only */
	uint64_t keep_ns;			      /* closes when idle for so long */
	uint64_t notify_at;			      /* count of the next notification */
	bool changed, loud;   /* in core->changed_alerts; this revision is to be sent */
	bool quiet;	      /* never sent before its close (digests), or not at all (held back) */
	bool restored, stale; /* stale: grew since it was last told, not worth a revision yet */
	uint64_t told_ns;
	uint16_t prefix; /* chains: restored part of the sentence */
};

enum {
	WALK_SESSIONS,
	WALK_ALERTS,
	WALKS
};

/* Where the last reader of a table stood: the next of it is near. */
struct walk {
	uint32_t index, slot, changes;
};

/* What a connection had counted when the store was written: its other witnesses may come after a
 * restart. */
struct tried {
	struct endpoint origin; /* family NONE: free */
	uint64_t last_ns;
	uint16_t counts[SLOT_COUNT];
	uint32_t credited;
};

/* Who owns the client end of a loopback connection; see core_tunnels.c. */
struct tunnel {
	struct event e;	    /* kind NONE: free */
	struct handle conn; /* slot NIL: not seen yet */
	bool told, named;   /* an alert was raised; and the session that came through */
	char program[32], args[TUNNEL_ARGS], path[TUNNEL_PATH];
};

struct core {
	struct device_lease leases[LEASES_MAX];
	struct config config;
	struct core_identity id;
	struct stats stats;
	uint64_t seed;
	uint64_t excepted[CONFIG_EXCEPTIONS_MAX]; /* how often each kept an alert back */
	uint64_t key_base[DETECTION_COUNT];	  /* of alert keys */
	uint64_t by_kind[EVENT_COUNT];		  /* bit per detection that looks at it */
	uint8_t alert_slots[DETECTION_COUNT];	  /* in a session's alerts; NO_SLOT */
	uint64_t base_ns, now_ns, sensor_since_ns;
	uint64_t deadline_ns; /* next time something expires; UINT64_MAX = never */

	struct pool conns;
	struct index conns_by_cookie, conns_by_peer, conns_by_pid;
	uint32_t conns_unproven;
	struct pool sessions;
	struct pool sources, nets, sprays, accounts, seen, links, profiles;
	struct pool asns, slows, spreads;
	struct index asns_by, slows_by, spreads_by;
	struct index sources_by, nets_by, sprays_by, accounts_by, seen_by, links_by, profiles_by;
	struct pool last_places, mfas;
	struct index last_places_by, mfas_by;
	struct pool alerts;
	struct index alerts_by_key;

	struct digest digests[DIGESTS_MAX];
	struct exposed exposed[EXPOSED_MAX];
	struct listener listeners[LISTENERS_MAX];
	struct claim claims[CLAIMS_MAX];
	struct held held[HELD_MAX];
	unsigned held_next;
	struct addr own_addrs[OWN_ADDRS]; /* of this host, by their hash: where connections came */
	struct handle callers[CALLERS_MAX]; /* newest connection of an address, by its hash */
	struct client_note clients[CLIENT_NOTES];
	struct engines engines;
	bool inners_given; /* a VPN session was given an address */
	struct vpn_early earlies[EARLIES];
	unsigned earlies_next;
	struct unseen unseen[UNSEEN_MAX];
	unsigned unseen_next;
	struct tried tried[TRIED_MAX];
	unsigned tried_used;
	struct tunnel tunnels[TUNNELS_MAX];
	struct agents agents;
	struct windows windows;
	struct unsettled unsettled[UNSETTLED_MAX];
	struct handoff_request handoff_requests[HANDOFF_REQUESTS];
	struct container containers[CONTAINERS_MAX];
	struct handoff_birth handoff_births[HANDOFF_BIRTHS];
	struct multiplexer_wait multiplexer_waits[MULTIPLEXER_WAITS];
	uint64_t let_go[LET_GO_MAX]; /* ids that the kernel need not follow */
	struct clue clues[CLUES_MAX];
	unsigned let_go_used, clues_next, rings_hand;
	/* What the failure being credited belongs to; NULL outside of credit(). */
	struct source *credited;
	struct net *credited_net;
	struct spray *credited_spray;
	struct asn *credited_asn;
	struct slow *credited_slow;
	struct spread *credited_spread;
	unsigned credited_networks; /* that fail on its account now */
	struct handle waiting[WAITING_MAX];
	uint64_t waiting_due[WAITING_MAX];
	struct handle *ages;		    /* connections in order of age, not judged yet */
	uint64_t *ages_due, gone_alerts_ns; /* newest event of alerts that had to go while open */
	unsigned waiting_head, waiting_used, ages_head, ages_used, ages_cap;
	uint32_t *changed_alerts, *changed_sessions;
	uint32_t changed_alerts_used, changed_sessions_used, stale_alerts, gone_alerts;
	struct known_hashes *known;
	struct walk *walks; /* of whoever reads sessions and alerts one by one */
	struct ring *rings;
};

/* --- core_time.c: ticks of 0.1 s, expiry */
uint32_t core_ds(const struct core *c, uint64_t ns);
uint64_t core_ds_ns(const struct core *c, uint32_t ds);
uint32_t core_window_ds(const struct core *c);
uint32_t core_day(uint64_t ns);
void core_due(struct core *c, uint64_t ns); /* expiry is wanted at ns at the latest */
void core_clock(struct core *c, const struct event *e);
void core_expire(struct core *c);

/* --- core_conns.c: try groups */
struct conn *conn_find(struct core *c, const struct event *e);
/* The kernel's records tell of what it tells of, too, and text alone proves less. */
static inline bool core_needs_kernel(const struct core *c, const struct event *e)
{
	return c->id.kernel_sensor && !(e->flags & EVENT_ELSEWHERE);
}
/* Which host logged it; 0 when this host is watched by the kernel. */
uint32_t conn_host(const struct core *c, const struct event *e);
/* "gw1" and "gw1.example.org" are one. */
bool host_is_same(struct span a, struct span b);
/* Does the kernel tell of the connection, or did it tell of others to that address? */
bool conn_is_ours(const struct core *c, const struct event *e);
/* Finds or makes one and adds what the event knows; NULL: nothing to find it by, or full. */
struct conn *conn_join(struct core *c, const struct event *e);
void conn_opened(struct core *c, const struct event *e);
void conn_closed(struct core *c, const struct event *e);
void conn_evidence(struct core *c, struct conn *n);
void conn_touch(struct core *c, struct conn *n);
void conns_expire(struct core *c);
uint64_t conn_first(const struct conn *n);
struct csession *conn_session(const struct core *c, const struct conn *n);
bool conn_confirmed(const struct core *c, const struct conn *n, const struct event *e);

/* --- core_attempts.c: verdicts */
void attempt_told(struct core *c, const struct event *e);
void attempt_noted(struct core *c, const struct event *e);
/* Both logs had their time: who saw fewer tries has missed some. False: they may still come. */
bool attempts_level(struct conn *n, uint64_t now_ns);
void attempt_add(struct core *c, struct conn *n, const struct event *e, enum witness_slot slot);
void attempts_settle(struct core *c, struct conn *n, const struct event *e);
/* All of that origin that still wait: a success says who exists. */
void attempts_settle_source(struct core *c, const struct addr *a, const struct event *e);
void attempts_expire(struct core *c);
struct addr source_addr(const struct addr *a);
struct addr net_addr(const struct addr *a);
struct source *source_find(const struct core *c, const struct addr *a);
struct source *source_get(struct core *c, const struct addr *a);
struct net *net_get(struct core *c, const struct addr *a);
/* Was that account its last, or among those it tried lately? */
bool source_tried(const struct core *c, const struct source *s, struct span account);
struct spray *spray_find(const struct core *c, const struct addr *a);
struct spray *spray_get(struct core *c, const struct addr *a);
struct account *account_find(const struct core *c, struct span name);
__attribute__((nonnull(1))) struct account *account_get(struct core *c, struct span name);
struct digest *digest_get(struct core *c, enum service s, uint16_t port, uint64_t time_ns);
/* Evidence of that source, oldest first; at most max. Returns how many. */
unsigned clues_of(const struct core *c, const struct addr *source, struct alert_evidence *ret,
		  unsigned max);
void clue_add(struct core *c, const struct conn *n, const struct event *e);
/* Adds failures to everything that counts them. */
void sources_credit(struct core *c, const struct conn *n, const struct event *e);
/* An account that logged in exists, and the method is on. */
void account_succeeded(struct core *c, struct span name, enum method m);
/* May this log line open a session, or what else; see core_attempts.c. */
void attempt_accepted(struct core *c, struct conn *n, const struct event *e);

/* --- core_rings.c: windows */
/* The best that is known of it. */
struct window window_exact(const struct core *c, struct window w);
/* Adds; above the threshold its verdict is known and it needs no more room. */
void window_note(struct core *c, struct window w, uint32_t stamp, uint32_t count,
		 uint32_t threshold);

/* --- core_export.c */
/* What a section holds; never used again for something else. */
enum blob_tag {
	TAG_DIGESTS = 1,
	TAG_SOURCES,
	TAG_NETS,
	TAG_ACCOUNTS,
	TAG_SEEN,
	TAG_LINKS,
	TAG_PROFILES,
	TAG_TRIED,
	TAG_SLOWS = 20,
	TAG_ASNS,
	TAG_SPREADS,
	TAG_SPRAYS,
	TAG_LAST_PLACES = 16,
	TAG_MFAS = 30,
	TAG_LOGONS = 40,
	TAG_EXPOSED = 50,
};
/* Texts end, kinds are kinds: a row that was read. */
void profile_clean(void *item);
/* Section after section of what core_export() wrote; -EINVAL before any when it is damaged. */
int blob_each(struct core *c, const void *buf, size_t len, uint64_t *ret_seed,
	      void (*take)(struct core *c, enum blob_tag tag, size_t row_size, const uint8_t *rows,
			   uint32_t n));
void tried_take(struct core *c, struct conn *n);

/* --- core_claims.c: log lines that wait for the kernel's word */
void claim_hold(struct core *c, struct conn *n, const struct event *e);
void claims_settle(struct core *c, struct conn *n);
void claims_expire(struct core *c);

/* --- core_pam.c */
void pam_called(struct core *c, const struct event *e);

/* --- core_sessions.c */
/* Zero when there is no database, or none that knows. */
void geo_of(const struct core *c, const struct addr *a, struct geo *ret);
struct csession *session_open(struct core *c, struct conn *n, const struct event *e);
/* Its end may never be told: it counts as over a day after its last line. */
void session_ends_unheard(struct core *c, struct csession *s);
struct csession *session_start(struct core *c, struct conn *n, const struct event *e);
void session_announce(struct core *c, struct csession *s, struct conn *n, const struct event *e);
void session_clear(struct csession *s);
/* Its origin and service stand: it can be found by them. */
void session_tag(struct core *c, const struct csession *s);
void session_learn(struct core *c, struct csession *s);
/* As learning sees it: nothing fired on what a person expected. */
enum severity session_worst(const struct csession *s);
void session_told(struct core *c, const struct event *e);
void session_close_told(struct core *c, const struct event *e);
/* The service's own words about a session that is open: method, key, account. */
void session_details(struct core *c, struct csession *s, const struct event *e);
void session_effective(struct core *c, struct csession *s, const struct event *e);
void session_changed(struct core *c, struct csession *s);
void session_conn_closed(struct core *c, struct csession *s, const struct event *e);
void session_update_state(struct core *c, struct csession *s, uint64_t time_ns);
void sessions_expire(struct core *c);
void session_snapshot(struct core *c, const struct event *e);
uint64_t session_identity(const struct core *c, const struct session *s);
struct csession *session_of(struct core *c, const struct event *e);

/* --- core_procs.c: what a session's processes do */
void proc_forked(struct core *c, const struct event *e);
void proc_execed(struct core *c, const struct event *e);
void proc_exited(struct core *c, const struct event *e);
void proc_connected(struct core *c, const struct event *e);
void proc_connect_closed(struct core *c, const struct event *e);
void proc_bytes(struct core *c, const struct event *e);
void proc_listened(struct core *c, const struct event *e);
void held_replay(struct core *c, struct conn *n);
enum service service_of_port(uint16_t port);

/* Bytes out so far: over the accepted connection, and over its own ones to other hosts. */
uint64_t session_sent(const struct csession *s);
/* Highest severity of any detection but that one; chains only repeat what others found. */
enum severity session_worst_but(const struct csession *s, unsigned index);

/* --- core_profile.c: what an identity usually does */
/* Was it used within Retention.Profiles? Else it is not kept. */
bool profile_is_worth(const struct core *c, const void *profile);
uint64_t profile_p95(const struct core *c, uint64_t identity); /* 0 = no habit yet */
/* Of the identity when it has a key; of the account as a whole. NULL: never seen. */
struct profile *profile_of_identity(const struct core *c, const struct session *s);
struct profile *profile_of_account(const struct core *c, const struct session *s);
/* Has it been watched for so many days, and seen so often? */
bool profile_is_mature(const struct profile *p, uint64_t days, uint64_t logins, uint64_t now_ns);
/* NULL: any value. */
/* Seen, and told as odd, but not learned yet. */
bool profile_waits(const struct core *c, const struct profile *p, enum trait_kind kind,
		   const char *value);
bool profile_has(const struct core *c, const struct profile *p, enum trait_kind kind,
		 const char *value);
/* Values as they are kept; "" when there is none. */
void trait_of_session(const struct session *s, enum trait_kind kind, char ret[TRAIT_VALUE]);
/* A fingerprint of a client that calls itself the same, whichever it is. */
bool profile_has_banner(const struct core *c, const struct profile *p, const char *value);
/* At that hour, the one before or after, on working days or at the week's end. */
bool profile_uses_hour(const struct core *c, const struct profile *p, uint64_t time_ns);
/* A session taught; core_learn.c says when. */
void profile_learn(struct core *c, const struct csession *s);
/* Adds what another run has learned of the same identity. */
void profile_merge(struct core *c, struct profile *p, const struct profile *other);
/* Profiles whose name is that: forgotten. How many. */
unsigned profile_forget(struct core *c, struct span name);

/* --- core_settle.c: when it is sure enough who logged in */
void settle_opened(struct core *c, struct csession *s, const struct event *e);
void settle_told(struct core *c, struct csession *s, const struct event *e);
void settle_closed(struct core *c, struct csession *s, const struct event *e);
void settle_expire(struct core *c);

/* --- core_travel.c: where an identity was last */
/* NULL: not known, or not to be compared with where the session comes from. */
const struct last_place *travel_from(const struct core *c, const struct session *s);
void travel_note(struct core *c, const struct session *s);
/* Of that account, whatever its keys, or of that origin when it is given. How many. */
unsigned travel_forget(struct core *c, struct span account, const struct cidr *origin);

/* --- core_mail.c: logins to mailboxes */
void mail_told(struct core *c, const struct event *e);

/* --- core_mfa.c: second factors */
void mfa_told(struct core *c, const struct event *e);
struct mfa *mfa_find(const struct core *c, struct span account);
/*
 * Prompts of e's account that were denied or ran out of time: before an approval; with a denial, in
 * the fullest window that has it in it, since lines may be told late.
 */
uint32_t mfa_denied(const struct core *c, const struct event *e, uint64_t width_s);

/* --- core_key.c: what is kept of a key; told may be what it wrote */
void key_store(char ret[KEY_MAX], struct span told);
/* The part that says who it is: a certificate's key id and serial, else all of it. */
struct span key_identity(const char *key);

/* --- core_unseen.c: shells that no verdict explains */
void unseen_note(struct core *c, struct conn *n, const struct event *e);
void unseen_expire(struct core *c);

/* --- core_tunnels.c: services reached over loopback */
void tunnel_told(struct core *c, const struct event *e);
void tunnel_joins(struct core *c, struct conn *n, const struct event *e);
/* Somebody talks through it: time to tell. */
void tunnel_used(struct core *c, struct conn *n, uint64_t time_ns);
/* Where it came from: of a local proxy's connection the peer of the one that it had accepted. */
const struct endpoint *conn_relayed_origin(const struct core *c, const struct conn *n);
static inline const struct endpoint *conn_origin(const struct core *c, const struct conn *n)
{
	return n->vpn || n->tunneled ? conn_relayed_origin(c, n) : &n->origin;
}
enum origin_source conn_origin_source(const struct core *c, const struct conn *n);

/* --- core_alerts.c */
void alert_changed(struct core *c, struct calert *a, bool loud);
/* Grew: told at once when loud, else after a while; in a replay at its end. */
void alert_grew(struct core *c, struct calert *a, bool loud);
void alert_close(struct core *c, struct calert *a, uint64_t time_ns);
void alerts_of_session_close(struct core *c, struct csession *s, uint64_t time_ns);
void alerts_expire(struct core *c);
void session_take_alert(struct core *c, const struct calert *a);
uint64_t alert_due(const struct calert *a); /* when it closes by itself */
enum pool_class alert_class(const struct calert *a);
uint64_t alert_key(const struct core *c, const struct alert *a);
void alert_evidence_text(const struct event *e, char out[ALERT_EVIDENCE_MAX]);
struct calert *alert_by_id(const struct core *c, const char *id);
void alerts_flush(struct core *c, struct core_out *out);

/* --- core_links.c */
uint64_t link_key(const struct core *c, unsigned kind, uint64_t value);
struct link *link_find(const struct core *c, uint64_t key);
struct link *link_get(struct core *c, uint64_t key, uint64_t time_ns);
enum {
	LINK_SOURCE,
	LINK_IDENTITY,
	LINK_KEY
};

/* --- core.c */
struct detect_ctx;
/* Runs the detections that look at e->kind; any of the pointers may be NULL. */
void core_detect(struct core *c, const struct event *e, struct conn *n, struct csession *s);
void core_detect_one(struct core *c, unsigned index, const struct event *e, struct conn *n,
		     struct csession *s, const char *reason);
/* What the core holds, bytes. */
size_t core_memory(const struct core *c);

/* One table = a pool, its index, a key that is the first key_size bytes of an item. */
void *table_find(const struct pool *p, const struct index *x, uint64_t hash, const void *key,
		 size_t key_size);
/*
 * Before one is forgotten: the oldest of those worth keeping becomes harmless when its last failure
 * is older than keep_ds, or when hardly any harmless ones are left: newcomers need some room.
 */
void table_demote(const struct core *c, struct pool *p, uint32_t (*last_ds)(const void *item),
		  uint32_t keep_ds);
/* Finds or makes; *evicted is counted up when another had to go. NULL: only pinned ones left. */
void *table_get(struct pool *p, struct index *x, uint64_t hash, const void *key, size_t key_size,
		uint64_t *evicted);

#endif
