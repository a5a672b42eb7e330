/* ecs_parts: objects of Elastic Common Schema that alerts, sessions and events share. */
#ifndef OUTERGATE_ECS_PARTS_H
#define OUTERGATE_ECS_PARTS_H

#include "schema_parts.h"

void ecs_put_words(struct writer *w, const char *key, const char *words);
/* @timestamp, ecs, agent. */
void ecs_put_base(struct writer *w, const struct out_policy *p, uint64_t time_ns);
/* logged: the host's name as the log has it, where nobody else says it. */
void ecs_put_host(struct writer *w, const struct out_policy *p, struct span logged);

/* source or destination; absent when nothing is known of it. */
struct ecs_end {
	const char *key;
	const struct endpoint *at;
	const struct geo *geo;
	bool bytes_known;
	uint64_t bytes;
	struct span mac;
};
void ecs_put_end(struct writer *w, struct ecs_end e);
void ecs_put_network(struct writer *w, enum service s, const struct addr *a, bool out,
		     bool bytes_known, uint64_t bytes);
void ecs_put_service(struct writer *w, enum service s);
void ecs_put_user(struct writer *w, struct span name, struct span effective, bool has_id,
		  uint32_t id);
/* severity and risk_score of event. */
void ecs_put_weight(struct writer *w, enum severity s);
/* How the session of these processes came in: entry_leader of process. */
void ecs_put_entry(struct writer *w, enum service s, const struct addr *origin);
/* container and orchestrator; pod is namespace/name. */
void ecs_put_container(struct writer *w, struct span id, struct span name, struct span image,
		       struct span pod);

/* Everybody and every address that the record names, each once. */
#define RELATED_MAX (SESSION_DESTS + 5)
struct ecs_related {
	const struct addr *addr[RELATED_MAX];
	struct span user[3];
	unsigned addrs, users;
};
void ecs_relate_addr(struct ecs_related *r, const struct addr *a);
void ecs_relate_user(struct ecs_related *r, struct span s);
void ecs_put_related(struct writer *w, const struct ecs_related *r, const struct out_policy *p);

/* The event of schema_ecs; ecs_event.c. */
int ecs_event(const struct event *e, const struct out_policy *p, char *buf, size_t cap);

#endif
