/*
 * pseudonym: an alert for a sink that may not know who (`Privacy.Pseudonymise`).
 *
 * Account names, keys and what a client calls itself become "user:", "key:", "client:" and 16 hex
 * digits; addresses become addresses of the discard-only block 100::/64 (RFC 6666), so that a field
 * that must hold an address still does; session ids become others. All are SipHash-2-4 under the
 * host's own key: the same on this host, so that a collector can join, and nothing to anybody else.
 *
 * Free text cannot be made safe by replacing what is known to stand in it: log lines, command lines
 * and stories name others as well. So it is left out: the sentence is made anew of the fields, the
 * texts of the evidence, the note and a person's words go; of a session the command lines, the
 * directories of programs, and what brokers were asked for. Left as they are: times, ports, scope,
 * country, AS number, service, method, counts, the detection and everything about it.
 */
#ifndef OUTERGATE_PSEUDONYM_H
#define OUTERGATE_PSEUDONYM_H

#include "../alert.h"

#define PSEUDONYM_MAX 24

/* Changes *a or *s in place. key: that of Privacy's hashes. */
void pseudonym_alert(struct alert *a, uint64_t key);
void pseudonym_session(struct session *s, uint64_t key);

/* Of what an event calls so. */
const char *pseudonym_key(struct span key_text, uint64_t key, char buf[PSEUDONYM_MAX]);
const char *pseudonym_client(struct span client, uint64_t key, char buf[PSEUDONYM_MAX]);
const char *pseudonym_account(struct span name, uint64_t key, char buf[PSEUDONYM_MAX]);
struct addr pseudonym_addr(const struct addr *a, uint64_t key);

#endif
