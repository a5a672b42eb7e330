/*
 * daemon_text: what the text decoders of small daemons share: a table of the lines they know, and
 * the few shapes in which addresses and names stand. Internal to decode/.
 */
#ifndef OUTERGATE_DECODE_DAEMON_TEXT_H
#define OUTERGATE_DECODE_DAEMON_TEXT_H

#include "frame.h"
#include "text.h"

/* A line begins like that; read takes what follows. */
struct daemon_form {
	struct span prefix;
	enum event_kind kind;
	enum outcome outcome;
	enum method method;
	uint32_t flags;
	bool (*read)(struct span rest, struct event *e); /* false: cut, or goes on differently */
};

/*
 * The first form that fits, put into *ret; `rest` is told when none does. read may change what its
 * form says of the event.
 */
enum decode_result daemon_read(const struct daemon_form *forms, size_t count, struct span msg,
			       struct event *ret, const char **reason);
#define DAEMON_READ(forms, msg, ret, reason)                                                       \
	daemon_read(forms, sizeof(forms) / sizeof((forms)[0]), msg, ret, reason)

/*
 * Who wrote it, where journald says so: root, or a process of that program that has become the
 * user. Any other is a forgery; one that was gone before anybody could look is believed as text.
 */
void daemon_trust(const struct frame *f, const char *program, struct event *e);
/* The same of what lives as long as its sessions: one without a program, or a user's own, is none.
 */
void daemon_trust_service(const struct frame *f, const char *program, struct event *e);

/*
 * The same for what is told by lines alone, with no record of the kernel's to hold them against: a
 * program of that name is no proof, since anybody may make one; its user must be the system's.
 */
void daemon_trust_alone(const struct frame *f, const char *program, struct event *e);
/* The same of a program whose name is not known: a user who is logged in is none, a system's unit
 * that runs as a user of its own is. */
void daemon_trust_unit(const struct frame *f, struct event *e);
/* The same of a program whose name is not always the same. */
void daemon_trust_system(const struct frame *f, struct event *e);

/* "ADDR:PORT"; the port of a v6 address without brackets follows the last colon. */
bool daemon_endpoint(struct span s, struct endpoint *ret);
/* An address, or a name that DNS gave: then there is none. */
void daemon_address(struct span s, struct endpoint *ret);
/* "'U' BETWEEN REST": the name is all before the last of it. */
bool daemon_cut_name(struct span *s, struct span between, struct span *ret_name);

#endif
