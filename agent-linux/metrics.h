/* metrics: the agent's numbers in Prometheus' text format. */
#ifndef OUTERGATE_AGENT_METRICS_H
#define OUTERGATE_AGENT_METRICS_H

#include "common/out/writer.h"

struct engine;

void metrics_put(const struct engine *e, struct writer *w);
/* forward.c: of each destination. */
void forward_metrics(const struct engine *e, struct writer *w);

#endif
