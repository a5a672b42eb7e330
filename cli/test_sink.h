/* test_sink: this host's own log (the journal, the Event Log), as `outergate test` tries it. Of
 * agent-*. */
#ifndef OUTERGATE_TEST_SINK_H
#define OUTERGATE_TEST_SINK_H

#include "common/alert.h"

#define TEST_SINK_TEXT 200

extern const char test_sink_name[]; /* as the agent names it in its answer */
/* From this process; 0 or -errno. */
int test_sink_send(const struct alert *a);
/* Is the alert of that id there? Says so in text; an exit code. */
int test_sink_arrived(const char *id, char *text, size_t cap);

#endif
