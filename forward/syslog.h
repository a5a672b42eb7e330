/* syslog: a record as a message of RFC 5424; for syslog and RELP. */
#ifndef OUTERGATE_FORWARD_SYSLOG_H
#define OUTERGATE_FORWARD_SYSLOG_H

#include "buffer.h"
#include "forward.h"

/*
 * <PRI>1 TIME HOST outergate PID MSGID [origin ...][meta sequenceId="N"] TEXT. False: no memory.
 * The facility is authpriv (10); ids of structured data are those of RFC 5424 section 7.
 */
bool syslog_message(struct buffer *b, const struct forwarder *f, const struct item *it);

#endif
