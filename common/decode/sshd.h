/* sshd: OpenSSH's log lines, for both of its sources. Internal to decode/. */
#ifndef OUTERGATE_DECODE_SSHD_H
#define OUTERGATE_DECODE_SSHD_H

#include "decode.h"

/* By ident; a frame without one is looked at too, and skipped when the words are not sshd's. */
bool sshd_wants(const struct frame *f);
/* "message repeated 5 times: [ Failed password for ...]" becomes the message and a count. */
void sshd_unwrap_repeated(struct span *msg, struct event *e);
enum decode_result sshd_decode(const struct frame *f, struct event *ret, const char **reason);

/*
 * One row a form of line. The reader gets what stands after the prefix and fills the event, whose
 * kind, outcome and flags already are the row's. false: the line is cut or not sshd's; kind NONE:
 * it is sshd's, but says nothing that an event could.
 */
struct sshd_form {
	struct span prefix;
	enum event_kind kind;
	enum outcome outcome;
	uint32_t flags;
	bool ends; /* the connection is over: "[preauth]" means that no login came */
	bool (*read)(struct span rest, struct event *e);
};

/* sshd_auth.c: verdicts and what explains them. */
bool sshd_read_accepted(struct span rest, struct event *e);
bool sshd_read_failed(struct span rest, struct event *e);
bool sshd_read_postponed(struct span rest, struct event *e);
bool sshd_read_invalid_user(struct span rest, struct event *e);
bool sshd_read_max_attempts(struct span rest, struct event *e);
bool sshd_read_pam_error(struct span rest, struct event *e);
bool sshd_read_not_allowed(struct span rest, struct event *e);
bool sshd_read_root_refused(struct span rest, struct event *e);
bool sshd_read_wrong_host(struct span rest, struct event *e);
bool sshd_read_account(struct span rest, struct event *e);
bool sshd_read_key(struct span rest, struct event *e);
bool sshd_read_session(struct span rest, struct event *e);

/* sshd_conn.c: connections. */
bool sshd_read_connection(struct span rest, struct event *e);
bool sshd_read_end(struct span rest, struct event *e);
bool sshd_read_disconnecting(struct span rest, struct event *e);
bool sshd_read_received(struct span rest, struct event *e);
bool sshd_read_remote(struct span rest, struct event *e);
bool sshd_read_bad_version(struct span rest, struct event *e);
bool sshd_read_identifier(struct span rest, struct event *e);
bool sshd_read_from_right(struct span rest, struct event *e);
bool sshd_read_timeout(struct span rest, struct event *e);
bool sshd_read_listening(struct span rest, struct event *e);
bool sshd_read_drop(struct span rest, struct event *e);
bool sshd_read_refused(struct span rest, struct event *e);
bool sshd_read_reverse(struct span rest, struct event *e);
bool sshd_read_maps_to(struct span rest, struct event *e);
bool sshd_read_penalty(struct span rest, struct event *e);

/*
 * "ADDR port N" or "ADDR" at the right end of *s, cut off it. ADDR may be a host name (UseDNS) or
 * "UNKNOWN": then the endpoint has no address. False when a port is needed and not there.
 */
bool sshd_cut_end_endpoint(struct span *s, bool need_port, struct endpoint *ret);
/* "ADDR port N" at the left end; ADDR must be an address or "UNKNOWN". */
bool sshd_cut_endpoint(struct span *s, struct endpoint *ret);
/* "invalid user " or "illegal user " in front: the account does not exist. */
void sshd_set_account(struct span user, struct event *e);

#endif
