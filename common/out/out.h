/*
 * out: alerts, sessions and events as text. Pure: into a caller's buffer, always escaped.
 *
 * All functions return the length written (without the NUL) or -ENOSPC; buf is always terminated.
 * Text from outside is valid UTF-8 on output: invalid bytes and control characters become \xNN
 * (text) or the JSON escape of U+FFFD / \u00NN (JSON), so no input can forge a line or a field.
 */
#ifndef OUTERGATE_OUT_H
#define OUTERGATE_OUT_H

#include "../alert.h"
#include "../config.h"

/* Enough for any alert; asserted by a test with every field at its bound and all bytes escaped. */
#define OUT_ALERT_MAX	65536
#define OUT_SESSION_MAX 32768
#define OUT_EVENT_MAX	49152

struct out_policy {
	bool keep_unknown_accounts; /* else hash + length */
	int command_lines;	    /* config.command_lines */
	uint64_t privacy_key;	    /* keys the hash */
	bool pseudonymise;	    /* who becomes a hash, free text goes (pseudonym.h) */
	/* put into every alert, session and event that is sent; NULL = left out */
	const char *host_id, *boot_id, *host_name;
	const char *ledger; /* the store's newest entry (store/ledger.h), into every alert */
};

/* The object of SPEC section 5 (replay --alerts) plus all of section 4.4. One line, no newline. */
int out_alert_json(const struct alert *a, const struct out_policy *p, char *buf, size_t cap);
int out_session_json(const struct session *s, const struct out_policy *p, char *buf, size_t cap);
/* The object of SPEC section 5 (replay --events); account names in full. */
int out_event_json(const struct event *e, char *buf, size_t cap);

/* One readable line, for the live view. colour: ANSI severity colour. */
int out_alert_line(const struct alert *a, const struct out_policy *p, bool colour, char *buf,
		   size_t cap);
int out_session_line(const struct session *s, const struct out_policy *p, char *buf, size_t cap);

/*
 * The whole story for `explain`: sentence, numbers, evidence, the rule (c: its numbers in force,
 * NULL: as shipped), triage, contain, tune, mitigation.
 */
int out_alert_explain(const struct alert *a, const struct session *s, const struct config *c,
		      const struct out_policy *p, char *buf, size_t cap);

/* The session's part of that story alone. */
int out_session_explain(const struct session *s, const struct out_policy *p, char *buf, size_t cap);

/*
 * journald's MESSAGE_ID of a detection's alerts: 32 hex digits, the product's fixed prefix and the
 * detection's number in the last four. deploy/outergate.catalog explains each.
 */
#define OUT_MESSAGE_ID_MAX 33
const char *out_message_id(uint16_t number, char buf[OUT_MESSAGE_ID_MAX]);
/* That catalog's entry for a detection. */
int out_catalog_entry(const struct detection *d, char *buf, size_t cap);

/* RFC 3339 UTC with milliseconds, "2026-11-22T06:31:00.123Z". buf of at least 32. */
const char *out_time(uint64_t time_ns, char buf[32]);
/* Escapes for one line of text; returns the length. */
int out_escape(struct span s, char *buf, size_t cap);

#endif
