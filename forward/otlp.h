/* otlp: what its logs and its metrics share. */
#ifndef OUTERGATE_FORWARD_OTLP_H
#define OUTERGATE_FORWARD_OTLP_H

#include "http.h"

/* {"resource":{"attributes":[...]} : the object is left open. */
bool otlp_resource(const struct forwarder *f, struct buffer *b);
/* The token's header, or "" when there is none; false with f->why. */
bool otlp_headers(struct forwarder *f, char *line, size_t cap);
/* Numbers of now, in Prometheus' text. */
void otlp_metrics(struct forwarder *f, const char *text, size_t len);

#endif
