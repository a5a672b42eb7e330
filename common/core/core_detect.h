/*
 * core_detect: what a detection's step function may use. A detection reads the model, decides, and
 * says what it found with alert_raise(); it keeps no state of its own beside what is in the model.
 */
#ifndef OUTERGATE_CORE_DETECT_H
#define OUTERGATE_CORE_DETECT_H

#include "core_internal.h"
#include "core_text.h"

struct detect_ctx {
	struct core *core;
	const struct detection *detection;
	unsigned index;
	struct conn *conn;	  /* NULL when the event is about none */
	struct csession *session; /* NULL when there is none */
	struct source *source;	  /* of the connection or session; NULL when it never failed */
	const char *reason;	  /* sensor.mismatch: what is wrong; else NULL */
};

/* What fired. Origin, account and the like come from session, else conn, else the event. */
struct fire {
	enum severity severity;
	const char *reason;    /* one of the row's, or "" */
	uint64_t first_ns;     /* of the first event; 0 = the event's own time */
	uint32_t count;	       /* how many times now */
	bool quiet;	       /* stored; sent at most at its close */
	bool by_network;       /* the origin is the /24 or /48 */
	bool by_asn;	       /* the origin is one address of it */
	bool by_listener;      /* about our end only: no origin, no account */
	bool by_account;       /* about the account: no origin */
	struct calert *open;   /* the alert it is, when the detection remembers: no search */
	bool restart;	       /* count replaces instead of adding */
	const char *match_key; /* a key fingerprint: alerts about another key are not this one */
};

/*
 * Fires, or adds to the alert that already is open about the same thing. NULL: disabled, excepted
 * by the operator, or full. *ret_new tells the first time.
 */
struct calert *alert_raise(struct detect_ctx *x, const struct event *e, const struct fire *f,
			   bool *ret_new);
/* Adds to that alert, whatever its key. */
void alert_grow(struct detect_ctx *x, const struct event *e, const struct fire *f, struct calert *a,
		bool is_new);
/* It goes on; a late event is late, not its last. */
void alert_seen(struct calert *a, uint64_t time_ns);
/* The open alert about the same thing; NULL when there is none. */
struct calert *alert_find(struct detect_ctx *x, const struct event *e, const struct fire *f);
/*
 * The alert that this handle named had to go for want of room, and what would be told now is low: a
 * flood of sources is not told twice. Counted (alerts_refused).
 */
bool alert_told_before(struct detect_ctx *x, struct handle alert, enum severity severity);

/* One after the other, *at beginning with 0; NULL behind the last. */
struct calert *alert_next(const struct core *c, uint32_t *at);
/* Of sessions those that are not over, and those of that service from that address: the others
 * are passed without a look at them. */
const struct csession *session_next_live(const struct core *c, uint32_t *at);
const struct csession *session_next_alike(const struct core *c, const struct session *s,
					  uint32_t *at);

/* A parameter of the row, as configured. */
static inline uint64_t detect_param(const struct detect_ctx *x, unsigned i)
{
	return x->core->config.detections[x->index].params[i];
}

#define EVENT_BIT(kind) (1ull << EVENT_##kind)

/* One lower when the origin does not count as external (SPEC 4.2, scope A). */
enum severity severity_by_scope(const struct detect_ctx *x, enum severity s);
enum scope detect_scope(const struct detect_ctx *x);
bool detect_is_external(const struct detect_ctx *x);
/* The operator's lists: KnownRemoteIPs, KnownSSHClients, ExpectedOnward. */
bool known_origin(const struct core *c, const struct session *s);
/* core_settle.c: the kernel said that it was a key; the log has not yet said whose. */
bool session_waits_for_key(const struct session *s);
/* SharedAccounts: several people use it on purpose. */
bool shared_account(const struct core *c, const struct session *s);
/* core_api.c: may who asks there use container APIs: is it inside, or one of AllowedCIDRs? */
bool api_allowed(const struct core *core, const struct event *e);
/* What that service is asked for a log tells, inside of TLS too. */
bool api_is_audited(const struct core *c, enum service s);
/* docker, kubelet, kube-api, kube-dashboard */
bool is_container_api(enum service s);
/* A person has one account and one session there: vpn, rdgateway, citrix. */
bool one_account_each(enum service s);
/* Travel: that account may come from that country at that time. */
bool vpn_pool(const struct core *c, const struct addr *a); /* VPNPools */
bool travel_allows(const struct core *c, const struct session *s);
/* ExpectedAutomation: nobody sits at that account. */
bool expected_automation(const struct core *c, const struct session *s);
bool expected_onward(const struct core *c, const struct session *s, const struct session_dest *d);
/* core_habit.c: KnownRemoteIPs and KnownSSHClients make what is odd about a place info. */
enum severity severity_unless_known(const struct detect_ctx *x, enum severity s);
/*
 * Who judges a login: the habits of its identity when they are known, else those of its account.
 * NULL and *ret_learning: nobody yet; what is odd is told as info (SPEC, day one). days, logins:
 * what it takes to know.
 */
const struct profile *habits_of(const struct detect_ctx *x, uint64_t days, uint64_t logins,
				bool *ret_learning);
/* Has the session something of that kind, and p does not know it? */
bool habit_is_new(const struct detect_ctx *x, const struct profile *p, enum trait_kind kind);
/* "12 logins in 30 days known" */
void say_habits(struct text *t, const struct profile *p, const struct session *s);
/*
 * alert_raise() for an oddity of a login, at most once a session and rise in severity; learning
 * ones are info, stored and not sent. NULL as there.
 */
struct calert *odd_raise(struct detect_ctx *x, const struct event *e, enum severity s,
			 const char *reason, bool learning);
/*
 * alert_raise() for any oddity of a login: on a session of a mail service it is
 * mail.abnormal_access, with the oddity as its reason. Parameters of the row are read before.
 */
struct calert *odd_alert(struct detect_ctx *x, const struct event *e, struct fire *f);
/* Failures of that source in TimeWindow, at the time of the event or any time since. */
uint32_t source_failures(const struct detect_ctx *x, uint64_t at_ns);
/* "alice, a password, from 203.0.113.10:4711 (external)" pieces for sentences. */
void say_origin(struct text *t, const struct endpoint *o, enum scope s);
/* "alice" logged in over ssh from 203.0.113.10:4711 (external) with a password */
void say_login(struct text *t, const struct session *s);
/* "Sunday at 03:10", there */
void say_local_time(struct text *t, const struct zone *z, uint64_t time_ns);
/* The same with what the databases say: "203.0.113.9:4711 (external, NL, AS64500 Example)". */
void say_from(struct text *t, const struct session *s);
void say_from_geo(struct text *t, const struct endpoint *o, enum scope s, const struct geo *g);
/* A name out of a database: nothing in it can end the brackets or quotes around it. */
void say_name(struct text *t, const char *name);
void say_method(struct text *t, const struct session *s);
/* " on to 'srv1'": of a gateway's session, as far as it is told. */
void say_target(struct text *t, const struct session *s);
/* " Command line: ..." where Privacy lets it be told; NUL between the words. */
void say_command(struct text *t, struct span args);
void say_bytes(struct text *t, uint64_t n);
void say_duration(struct text *t, uint64_t seconds);
/* info: accounts that do not exist; low: the method may be off; medium: it is on */
enum severity guess_severity(const struct detect_ctx *x, const struct event *e);
/* The source has, or is about to get, a fast alert of its own. */
bool guess_is_alerted(const struct detect_ctx *x, const struct event *e);
/* Names a guessed account that exists, where the alert has none or one that does not. */
void alert_name_guessed(struct alert *a, const struct event *e);
/* low alerts about guessing that are still sent today for this listener */
bool digest_allows(struct detect_ctx *x, const struct event *e);

/* activity_file_transfer.c: a program whose work is to copy; "" when it is not. */
enum transfer {
	TRANSFER_NONE,
	TRANSFER_BOTH,
	TRANSFER_IN,
	TRANSFER_OUT
};
enum transfer transfer_of(struct span program, struct span args);

#endif
