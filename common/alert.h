/*
 * alert: one detection that fired about one key, with its evidence and its life (SPEC 4.4).
 *
 * `id` is a hash of host id, detection, key and first event time: the same in a replay. A higher
 * `revision` of the same id replaces the earlier one. Severity never falls silently.
 */
#ifndef OUTERGATE_ALERT_H
#define OUTERGATE_ALERT_H

#include "session.h"

#define ALERT_EVIDENCE	   12 /* first 6 and last 6 events are kept; all are counted */
#define ALERT_SENTENCE_MAX 768
#define ALERT_EVIDENCE_MAX 224
#define ALERT_SCHEMA	   1
#define ALERT_NOTE_MAX	   160

/* Before a command line at the end of a sentence; privacy.c cuts there. */
#define PRIVACY_COMMAND_MARK " Command line: "

enum alert_state {
	ALERT_OPEN,
	ALERT_UPDATED,
	ALERT_CLOSED
};

struct alert_evidence {
	uint64_t time_ns;
	enum event_kind kind;
	enum trust trust;
	uint64_t line; /* input line in a replay; 0 live */
	char text[ALERT_EVIDENCE_MAX];
};

struct detection; /* detect/detection.h */

struct alert {
	char id[ID_TEXT_MAX];
	char previous[ID_TEXT_MAX]; /* id of the alert this one recurs from, "" if none */
	char part_of[ID_TEXT_MAX];  /* id of the chain it became part of, "" if none */
	const struct detection *detection;
	uint32_t revision; /* from 1 */
	enum alert_state state;
	enum severity severity;
	bool observe; /* Mode: observe: stored, never notified */
	bool notify;  /* this revision is to be sent, not only stored */
	bool learning;
	bool test;	 /* `outergate test`: about nothing; never stored */
	char reason[32]; /* enumerated by the detection's row; "" if it has one cause only */
	uint64_t first_ns, last_ns;
	uint64_t count;
	uint64_t acked_ns; /* somebody has seen it; 0 = nobody */
	char note[ALERT_NOTE_MAX];
	char session[ID_TEXT_MAX];
	enum service service;
	struct endpoint origin, local;
	struct geo geo; /* of the origin, at the first event */
	enum scope scope;
	enum origin_source origin_source;
	struct endpoint via; /* the trusted proxy it came by; family NONE: none */
	char account[ACCOUNT_MAX];
	bool account_unknown; /* does not exist here: hashed on output (Privacy) */
	char effective_account[ACCOUNT_MAX];
	enum method method;
	char key[KEY_MAX];
	char client[CLIENT_MAX];
	char stage[16];	   /* probe, attempts, access, anomaly, activity */
	char numbers[160]; /* the numbers that made it fire: "7 failures > 5 in 15m" */
	char sentence[ALERT_SENTENCE_MAX];
	uint32_t evidence_count; /* entries used below */
	struct alert_evidence evidence[ALERT_EVIDENCE];
};

const char *alert_state_name(enum alert_state s);

#endif
