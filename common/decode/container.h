/*
 * container: which container a cgroup's name says, and what its runtime and engine say of it.
 * Internal to decode/ and the agent.
 *
 * Sources: the OCI runtime specification 1.2, config.md (`config.json` of a bundle, and the
 * annotations of containerd's CRI plugin, pkg/cri/annotations, and of CRI-O,
 * pkg/annotations); moby, container/container.go (`config.v2.json`); cgroup names as runc's cgroup
 * drivers, conmon, LXC and systemd-nspawn make them.
 */
#ifndef OUTERGATE_DECODE_CONTAINER_H
#define OUTERGATE_DECODE_CONTAINER_H

#include "../container_id.h"
#include "../event.h"

#define CONTAINER_DIR_MAX 192

/* "lxc.payload.web", "systemd-nspawn@web.service" above "payload", "web": "web". */
struct span container_of_name(struct span cgroup, struct span above);

/* What the spans of the event lead to; the caller's, as long as the event. */
struct container_words {
	char text[8192]; /* unescaped */
	char detail[256];
	char pod[160];
	char engine[CONTAINER_DIR_MAX]; /* Docker's own directory of it; "" = none is named */
};

/*
 * Adds to e->api what a bundle's config.json says: image, name, pod, risks, detail. Of Docker's it
 * leaves its directory in w->engine. NULL, or a static text that says why it is none; what came
 * before is there.
 */
const char *container_bundle(struct container_words *w, struct span json, struct event *e);
/* The same of Docker's config.v2.json. */
const char *container_docker(struct container_words *w, struct span json, struct event *e);

#endif
