/*
 * netsensor: what the decoders of network sensors (Zeek, Suricata) share. They see packets between
 * any two hosts: the client is the origin, the server's end is `local`. What they say of logins is
 * inferred, so it is a witness of its own, and beside the kernel's records it is none.
 */
#ifndef OUTERGATE_DECODE_NETSENSOR_H
#define OUTERGATE_DECODE_NETSENSOR_H

#include "decode.h"

struct netsensor_ends {
	struct span client, client_port, server, server_port;
};

/* A note about a connection, to be made more of. False: an address or port is missing. */
bool netsensor_event(const struct decode_stream *s, const struct netsensor_ends *ends,
		     uint64_t time_ns, struct event *e);
/* "1591367999.305988", "1591367999305" or ISO 8601; 0: none. */
uint64_t netsensor_time(struct span text);
/* A verdict about a password. */
void netsensor_verdict(struct event *e, enum outcome outcome);
/* Of a domain controller, about "alice/EXAMPLE.ORG" or "alice". */
void netsensor_kerberos(struct event *e, struct span client, enum outcome outcome);
/* As Zeek and Suricata call a protocol; SERVICE_NONE: of no remote service. */
enum service netsensor_by_name(struct span name);
/* By the server's port; SERVICE_NETWORK: none that is known. */
enum service netsensor_by_port(uint16_t port);

#endif
