/* neighbours: the kernel's table of who is on the same network (/proc/net/arp), line by line. */
#ifndef OUTERGATE_DECODE_NEIGHBOURS_H
#define OUTERGATE_DECODE_NEIGHBOURS_H

#include "../event.h"

/* "ADDR HWTYPE FLAGS MAC MASK DEVICE": the MAC, when it is that address's and complete; else empty.
 */
struct span neighbour_mac(struct span line, const struct addr *a);

#endif
