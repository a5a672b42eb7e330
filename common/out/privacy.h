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

/* "unknown:" + 16 + ":" + 20 digits + NUL */
#define PRIVACY_NAME_MAX 48

/* SipHash-2-4 (Aumasson, Bernstein 2012) of a text under key and its complement. */
uint64_t privacy_hash(struct span s, uint64_t key);
const char *privacy_name(struct span name, uint64_t key, char buf[PRIVACY_NAME_MAX]);

/* *ret is the alert or session as it may be shown or stored under p. ret may not be the source. */
void privacy_alert(const struct alert *a, const struct out_policy *p, struct alert *ret);
void privacy_session(const struct session *s, const struct out_policy *p, struct session *ret);

#endif
