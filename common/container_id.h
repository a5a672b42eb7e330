/*
 * container_id: the id of a container in the name of its cgroup. 64 hexadecimal digits, as docker,
 * containerd, CRI-O and podman have it; what they put around it differs.
 */
#ifndef OUTERGATE_CONTAINER_ID_H
#define OUTERGATE_CONTAINER_ID_H

#include "span.h"

#define CONTAINER_ID_DIGITS 64

/* The longest run of lower-case hexadecimal digits in it; the first of those that are as long. */
struct span container_digits(struct span text);
/* "docker-ID.scope", "cri-containerd-ID.scope", "ID": the id; else empty. */
struct span container_id(struct span cgroup);
/* The pod's UID: "pod<uid>", "kubepods-besteffort-pod<uid>.slice"; else empty. */
struct span container_pod(struct span cgroup);

#endif
