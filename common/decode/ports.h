/* ports: which service is behind a port of this host. Internal to decode/. */
#ifndef OUTERGATE_DECODE_PORTS_H
#define OUTERGATE_DECODE_PORTS_H

#include "../event.h"

#define PORTS_NAMED_MAX 32 /* as many as the core watches */

/* Daemons that listen where they were told to. */
struct service_ports {
	struct {
		uint32_t netns;
		uint16_t port;
		uint8_t service; /* enum service; NONE: free */
	} at[PORTS_NAMED_MAX];
	unsigned next;
};

/* A process of that name (comm) listens there. */
void service_listens(struct service_ports *p, uint32_t netns, uint16_t port, struct span comm);
/* By the name of the process that serves it, by who listens there, by the port's number. */
enum service service_behind(const struct service_ports *p, uint32_t netns, uint16_t port,
			    struct span comm);

#endif
