/* out_parts: pieces that alerts, sessions and events share on output. */
#ifndef OUTERGATE_OUT_PARTS_H
#define OUTERGATE_OUT_PARTS_H

#include "out.h"
#include "writer.h"

/* {"address","port"}; absent when there is neither. */
void part_put_endpoint(struct writer *w, const char *key, const struct endpoint *e);
/* The same as "origin", with the scope, the proof, and what the databases say (g). */
void part_put_origin(struct writer *w, const struct endpoint *e, enum scope scope,
		     enum origin_source source, const struct geo *g, const struct endpoint *via);
/* host_id, boot_id, host_name: those that are known. */
void part_put_host(struct writer *w, const struct out_policy *p);
/*
 * What the product's own JSON says, without the braces: of an alert all but its sentence and the
 * host, of a session and an event all. The caller has applied Privacy.
 */
void part_put_alert_rest(struct writer *w, const struct alert *a, const struct out_policy *p);
void part_put_session(struct writer *w, const struct session *s);
void part_put_event(struct writer *w, const struct event *e);
/* The release of ATT&CK that the detections name techniques of. */
#define ATTACK_VERSION "18"

const char *part_trust_name(enum trust t);

/* Stages of a session, in the order of a chain, as far as its own record tells. */
struct session_stage {
	const char *name;
	bool seen;
};
#define SESSION_STAGES 4
void part_session_stages(const struct session *s, struct session_stage ret[SESSION_STAGES]);

/* From the request to what was born, 0 when it came first. */
uint64_t part_after_ms(const struct session_handoff *h);

/* "addr:port", "[v6]:port", "addr" or "-" */
#define ENDPOINT_TEXT_MAX (ADDR_TEXT_MAX + 16)
const char *part_endpoint_text(const struct endpoint *e, char buf[ENDPOINT_TEXT_MAX]);

#endif
