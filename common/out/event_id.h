/*
 * event_id: a name for an event that is the same whenever the same record is rendered again, so
 * that a collector can drop repeats. Made of the host, the boot, the time and everything that tells
 * two events of one moment apart; under the host's key, so that nobody can try names against it.
 */
#ifndef OUTERGATE_EVENT_ID_H
#define OUTERGATE_EVENT_ID_H

#include "out.h"

const char *event_id(const struct event *e, const struct out_policy *p, char buf[ID_TEXT_MAX]);

#endif
