/*
 * containers: the containers of this host that began lately, as their engines call them. Part of
 * core_internal.h.
 */
#ifndef OUTERGATE_CORE_CONTAINERS_H
#define OUTERGATE_CORE_CONTAINERS_H

#include "../session.h"

struct core;

#define CONTAINERS_MAX 128 /* whose names are known; a node has 110 pods by default */

struct container {
	char id[65];		  /* "" : free */
	char name[32], image[48]; /* "" : not known */
	char pod[64];		  /* namespace/pod */
	uint64_t used_ns;
};

void container_told(struct core *c, const struct event *e);
/* By its id (12 digits of it or more) or by a cgroup's name that has it; NULL: not known. */
struct container *container_find(struct core *c, struct span id);
/* The session's daemon runs in that container. */
void container_name(struct core *c, struct session *s, struct span id);
/* Does that cgroup belong to that pod ("namespace/name")? */
bool container_is_of_pod(struct core *c, struct span cgroup, struct span pod);
/* "shop/web-1/nginx (4f5e6d7c8b9a)", "web (4f5e6d7c8b9a)"; false: it has no name. */
bool container_say(struct core *c, struct span cgroup, char *ret, size_t cap);

#endif
