/*
 * detection: one rule. A row of data, and a step function for what a row cannot say.
 *
 * Adding one: a file in detect/ that defines `const struct detection detection_<name>`, one line
 * in detect.def, one case in tests/golden/<id>/. The registry checks itself at link time.
 */
#ifndef OUTERGATE_DETECTION_H
#define OUTERGATE_DETECTION_H

#include "../event.h"

#define DETECTION_PARAMS_MAX 6

enum param_unit {
	UNIT_COUNT,
	UNIT_SECONDS,
	UNIT_BYTES
};

/* A number the operator may change under Detections.<id>.<name>. */
struct detection_param {
	const char *name; /* CamelCase, as in the configuration */
	uint64_t value;	  /* default */
	enum param_unit unit;
	const char *help;
};

/* Which origins it looks at (SPEC 4.2). */
enum detection_scope {
	DETECT_EXTERNAL,
	DETECT_ALL,
	DETECT_LOOPBACK,
	DETECT_HOST
};

/* What makes two firings the same alert. */
enum detection_key {
	KEY_SOURCE,   /* the origin: address, v6 /64; or the /24, /48 or ASN when that is the reason
		       */
	KEY_ACCOUNT,  /* account, service */
	KEY_SESSION,  /* the session */
	KEY_ACCESS,   /* account, service, /24 or /48, day; another key is another identity */
	KEY_API,      /* service, /24 or /48, day */
	KEY_LISTENER, /* service, our port, day */
	KEY_REASON,   /* the reason, our port */
	KEY_PLACE,    /* account, reason, country, autonomous system */
	KEY_SOURCE_REASON, /* the address of the origin, the reason */
	KEY_CLIENT,	   /* account, reason, key or client */
	KEY_ACCOUNT_DAY,   /* account, service, day */
	KEY_EXPOSURE,	   /* service, our port, the moment: what is told once, is new */
	KEY_PROGRAM,	   /* account, client (a program), service, our port, day */
	KEY_CHAIN,	   /* account and origin of the first session */
};

struct core;
struct calert;	   /* core/core_internal.h */
struct detect_ctx; /* core/core_detect.h: core, event, session, source, helpers */

struct detection {
	const char *id;		/* dotted, never changes meaning */
	uint16_t number;	/* stable; also the Windows event id */
	enum severity severity; /* default */
	enum detection_scope scope;
	const char *stage; /* probe, attempts, access, anomaly, activity, sensor, chain */
	const char *title;
	const char *attack;	     /* space separated technique ids, "T1110.001 T1078" */
	const char *tactic;	     /* ATT&CK tactic ids, space separated */
	const char *analytic;	     /* DET0354 analytics it belongs to, "AN1004 AN1005" */
	const char *data_components; /* "User Account Authentication (DC0002)" ... '; ' separated */
	const char *reasons;	     /* space separated enumeration, "" when there is one cause */
	uint64_t events;	     /* mask of 1 << event_kind that can make it fire */
	struct detection_param params[DETECTION_PARAMS_MAX];
	const char *triage, *contain, *false_positive, *tune, *mitigation;
	void (*step)(struct detect_ctx *x, const struct event *e);
	/* No event makes it fire: a part of the core asks it, with a session where it is about one
	 * and with the reason that it found (core_detect_one()). */
	bool asked;
	enum detection_key key;
	/* Writes the sentence when a revision goes out; NULL: step has written it. */
	void (*tell)(struct core *c, struct calert *a);
	/* Where a table of the core ends: more than this could never fire. 0 = no such end. */
	uint64_t param_max[DETECTION_PARAMS_MAX];
};

/* The registry, in detect.def order. */
#define DETECT(name) DETECTION_##name,
enum detection_index {
#include "detect.def"
	DETECTION_COUNT
};
#undef DETECT
#define DETECT(name) extern const struct detection detection_##name;
#include "detect.def"
#undef DETECT
extern const struct detection *const detections[DETECTION_COUNT];

/* -1 when there is none. */
int detection_find(struct span id);

#endif
