/*
 * privacy: what an operator's `Privacy` lets out. One place; every output and the store use it.
 *
 * The name of an account that does not exist here is often a password typed into the wrong field.
 * It becomes "unknown:<16 hex digits>:<length>": SipHash-2-4 of the name under the host's key, so
 * that the same name gives the same text on this host and nobody else can guess it. The name is
 * also taken out of the sentence and the evidence, there by its text and by the words sshd puts
 * before it ("invalid user"). A text that already has this form stays as it is: it was read from
 * the store. Names of up to 3 bytes are only found where they stand alone, and a name that is an
 * IP address stays in the texts: it is no secret, and taking it out would hide the origin.
 *
 * Command lines: full; redacted (redact.h); none, where only the program is kept.
 */
#ifndef OUTERGATE_PRIVACY_H
#define OUTERGATE_PRIVACY_H

#include "out.h"

struct writer;

/* "unknown:" + 16 + ":" + 20 digits + NUL */
#define PRIVACY_NAME_MAX 48

/* SipHash-2-4 (Aumasson, Bernstein 2012) of a text under key and its complement. */
uint64_t privacy_hash(struct span s, uint64_t key);
const char *privacy_name(struct span name, uint64_t key, char buf[PRIVACY_NAME_MAX]);

/* *ret is the alert or session as it may be shown or stored under p. ret may not be the source. */
void privacy_alert(const struct alert *a, const struct out_policy *p, struct alert *ret);
void privacy_session(const struct session *s, const struct out_policy *p, struct session *ret);

/* Where the changed texts of an event are; what does not fit is cut, never half a hidden name. */
#define PRIVACY_EVENT_TEXT 1024
struct privacy_texts {
	char account[PRIVACY_NAME_MAX], user[PRIVACY_NAME_MAX];
	char key[PRIVACY_NAME_MAX], client[PRIVACY_NAME_MAX];
	char args[PRIVACY_EVENT_TEXT], path[PRIVACY_EVENT_TEXT];
	char text[PRIVACY_EVENT_TEXT], work[2 * PRIVACY_EVENT_TEXT];
};

/*
 * *ret is the event as collectors may have it; its spans lead to *texts or to what e's lead to.
 * A name counts as unknown here unless something says that it exists: an attempt that failed often
 * leaves that open. args become the command line as one text.
 */
void privacy_event(const struct event *e, const struct out_policy *p, struct event *ret,
		   struct privacy_texts *texts);

/* For those: text with every name replaced; a name in the words sshd puts around it; hashed yet? */
void privacy_replace(struct writer *w, struct span text, struct span name, const char *with);
bool privacy_logged_name(struct span text, bool quoted, struct span *ret);
bool privacy_is_hashed(struct span s);

#endif
