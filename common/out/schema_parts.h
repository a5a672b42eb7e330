/* schema_parts: what the schemas of others share. */
#ifndef OUTERGATE_SCHEMA_PARTS_H
#define OUTERGATE_SCHEMA_PARTS_H

#include "../detect/detection.h"
#include "event_id.h"
#include "out_parts.h"
#include "privacy.h"
#include "schema.h"

#ifndef OUTERGATE_VERSION
#error "the build says which version this is"
#endif

#define PRODUCT "Outergate"
#define MODULE	"outergate"

/* "id-rest": an alert with its revision, a session with its state. */
#define RECORD_ID_MAX (ID_TEXT_MAX + 24)
const char *record_alert_id(const struct alert *a, char buf[RECORD_ID_MAX]);
const char *record_session_id(const struct session *s, char buf[RECORD_ID_MAX]);

/* When the record's own moment is: the newest event of an alert, what the session's state tells. */
uint64_t record_session_time(const struct session *s);

/* "tcp", or "" where the service does not say it. */
const char *record_transport(enum service s);

/* An event's names and paths are cut there; what is kept whole stands in the product's own JSON. */
#define RECORD_TEXT_MAX 512
void record_bound_texts(struct event *e);

/* A command line as one text, what a replayed record kept of it. */
#define RECORD_COMMAND_MAX 1024
struct span record_command(struct span args, char buf[RECORD_COMMAND_MAX]);

/* "Initial Access" for "TA0001"; "" for one that is not known. */
const char *record_tactic_name(struct span id);

/* The next word of a row's list ("T1078 T1110.001"); false at its end. */
bool record_word(struct span *rest, struct span *ret);

/* Does it tell how many bytes went over the connection? Log lines seldom do. */
bool record_has_bytes(const struct event *e);

/* Milliseconds since 1970. */
uint64_t record_ms(uint64_t ns);

/* The address as text, absent when there is none. */
void record_put_addr(struct writer *w, const char *key, const struct addr *a);

#endif
