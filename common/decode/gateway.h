/*
 * gateway: what the decoders of VPN concentrators and other appliances share. Their lines come from
 * another host, by syslog: the host of an event is that one.
 */
#ifndef OUTERGATE_DECODE_GATEWAY_H
#define OUTERGATE_DECODE_GATEWAY_H

#include "fields.h"
#include "frame.h"

/*
 * The message from `mark` on, when it begins with it, alone or behind the name of a host (ret_host;
 * else the frame's). Never of a frame that has a program's name, and of a local writer's.
 */
bool gateway_starts(const struct frame *f, struct span mark, struct span *ret,
		    struct span *ret_host);

/* The event becomes a gateway's; its program's name goes. */
void gateway_begin(struct event *e, enum event_kind kind, enum service service);
/* SUCCESS of an account that therefore exists. */
void gateway_success(struct event *e);
/* Both, as a table of a product's words has it; a try is by password. */
void gateway_row(struct event *e, enum event_kind kind, enum service service, enum outcome outcome);
/* Empty of "", "N/A", "-", "unknown" and the like. */
struct span gateway_word(struct span s);
/* Without a domain in front ("CORP\alice"). */
void gateway_account(struct event *e, struct span name);
/* False, and untouched: no address. 0.0.0.0 and :: are none. */
bool gateway_origin(struct event *e, struct span address);
/*
 * Who sent a request that came by proxies: `hops` are the addresses that its X-Forwarded-For had
 * ("A, B"), `peer` is who connected. From the right, what is inside is a proxy as long as something
 * stands before it; what the client wrote itself stands further left.
 */
bool gateway_forwarded(struct event *e, struct span hops, struct span peer);
void gateway_assigned(struct event *e, struct span address);
/* A hash of the gateway's own name of the session; 0 of an empty one and of "0". */
uint64_t gateway_number(struct span name);
uint64_t gateway_count(struct span digits); /* 0: not a number */
/* The gateway's own time counts unless the frame had a whole one (with year and zone). */
void gateway_time(struct event *e, uint64_t time_ns);
/* Seconds, milli-, micro- or nanoseconds since 1970, told apart by their size; 0: none. */
uint64_t gateway_epoch(struct span digits);
/*
 * "2024-10-14" or "2024/10/14", "13:46:40[.5]", "+0200", "+02:00", "UTC+2" or "". 0: no time.
 */
uint64_t gateway_clock(struct span date, struct span clock, struct span zone);
/* The same of a local time, "2024-10-14 13:46:40": only where there is none yet; approximate. */
void gateway_local(struct event *e, struct span text);
/* What follows the last label, up to what ends it; empty: there is no such label. */
struct span gateway_after(struct span s, struct span label, struct span until);
/* How often a text stands there. */
unsigned gateway_times(struct span s, struct span text);
/* https, ssh, telnet, ... as appliances call the ways to manage them. */
enum service gateway_way(struct span name);

#endif
