/* k8s_audit: see k8s_audit.c. Internal to decode/. */
#ifndef OUTERGATE_DECODE_K8S_AUDIT_H
#define OUTERGATE_DECODE_K8S_AUDIT_H

#include "json_tree.h"

/* Is that line, or what there is of it, an Event or EventList of audit.k8s.io? */
bool k8s_audit_is(struct decode_stream *s, struct span line);
/* The same; then it is read, unless the operator asked for another source. */
bool k8s_audit_take(struct decode_stream *s, struct span line, struct event *ret,
		    enum decode_result *ret_result, const char **reason);
/* The one that begins at text; what follows it is not looked at. */
enum decode_result k8s_audit_read(struct decode_stream *s, struct span text, struct event *ret,
				  const char **reason);
/* The next Event of a list that k8s_audit_read() began (s->more). False: there is none. */
bool k8s_audit_next(struct decode_stream *s, struct event *ret, enum decode_result *ret_result,
		    const char **reason);

#endif
