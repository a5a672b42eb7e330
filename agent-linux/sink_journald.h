/*
 * sink_journald: an alert as one structured journal entry.
 *
 * MESSAGE is the line a person reads; every part of the alert is a field of its own, so that
 * `journalctl OUTERGATE_DETECTION=auth.spray` works; OUTERGATE_JSON is all of it. PRIORITY follows
 * the severity (info 6, low 5, medium 4, high 3, critical 2); MESSAGE_ID is one constant a
 * detection (out_message_id()), explained by the installed catalog with `journalctl -x`.
 *
 * Field values are sent with their lengths and are escaped before: no text from outside can begin
 * another field or another line. It cannot see whether anybody reads the journal, and the journal
 * may drop what comes faster than its rate limit; the store has everything.
 */
#ifndef OUTERGATE_SINK_JOURNALD_H
#define OUTERGATE_SINK_JOURNALD_H

#include "common/out/out.h"

/* 0 or -errno of sd_journal_sendv(). */
int sink_journald_send(const struct alert *a, const struct out_policy *p);

/* The syslog priority of a severity. */
int sink_journald_priority(enum severity s);

#endif
