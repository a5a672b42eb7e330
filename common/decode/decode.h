/*
 * decode: a line or a record becomes an event, or a reason why not. Pure; every decoder is fuzzed.
 *
 * One file a source + one line in decode.def. A text decoder gets the message with its syslog or
 * journal frame already taken off (struct frame).
 */
#ifndef OUTERGATE_DECODE_H
#define OUTERGATE_DECODE_H

#include "../event.h"

#include "api_words.h"
#include "ports.h"

/* Longest line looked at; the rest is cut and EVENT_TRUNCATED set. sshd's longest are about 1 KiB.
 */
#define DECODE_LINE_MAX 8192
/* The same of JSON and event XML, where one line is a whole record: Windows events have 2 to 12
 * KiB. A longer one is bad, since its end is missing. */
#define DECODE_RECORD_MAX 65536

enum decode_result {
	DECODE_EVENT,	/* *ret is filled */
	DECODE_SKIPPED, /* not for us, or nothing worth an event */
	DECODE_BAD,	/* ours by its frame, but malformed; *reason says why */
};

/* Longest text that a text decoder unescapes: a name of an audit record has 32 bytes. */
#define FRAME_SPARE 128

/* What the transport says about a line, before anybody looks at the message. */
struct frame {
	uint64_t time_ns;
	bool time_approximate;
	struct span host, ident; /* "sshd", "sshd-session" */
	struct span msgid, data; /* RFC 5424 only; data with its brackets */
	uint32_t pid;
	enum trust trust;
	struct span message;
	struct span whole;     /* of a text line: with what was taken off */
	struct span exe, unit; /* journald only */
	uint32_t uid;	       /* journald _UID; UINT32_MAX = unknown */
	char *spare;	       /* FRAME_SPARE bytes for a text that is written otherwise */
};

/* Requests of an audit log that were told; see k8s_audit.c. */
#define AUDIT_EXECS  64
#define AUDIT_OTHERS 32 /* the same line twice, one after the other */
struct audit_request {
	uint64_t received_ns, hash;
};
struct audit_state {
	struct audit_request execs[AUDIT_EXECS], others[AUDIT_OTHERS];
	unsigned execs_next, others_next;
};

/* The columns of an IIS log, as its "#Fields:" says, and the day of its "#Date:"; see iis.c. */
#define IIS_COLUMNS_MAX 64
struct iis_columns {
	uint8_t count, column[IIS_COLUMNS_MAX]; /* 0: not told */
	char day[10];
	struct span date; /* empty, or day */
};

/* The columns of a log of Zeek's, as its "#path" and "#fields" say; see zeek.c. */
#define ZEEK_COLUMNS_MAX 64
struct zeek_columns {
	uint8_t log, count, column[ZEEK_COLUMNS_MAX];
};

/* Requests to an NPS whose answers do not repeat where they came from; see nps_file.c. */
#define NPS_REQUESTS 32
struct nps_request {
	uint64_t class; /* 0: free */
	struct addr calling;
};
struct nps_requests {
	struct nps_request rows[NPS_REQUESTS];
	unsigned next;
};

/* State of one text stream: year inference, line numbers. Zero it, then set what is known. */
struct decode_stream {
	int year;	  /* of the next year-less time; 0 = start in 2000 */
	int tz_offset_s;  /* east of UTC, for times without a zone */
	uint64_t last_ns; /* for "adds one on a backward step of over six months" */
	uint64_t seen_ns; /* time of the last line that had one, for those without */
	uint64_t line;
	int forced_source;	    /* --source; -1 = auto; of those in own: DECODER_own */
	int forced_own;		    /* which of them, from 1; 0: any */
	const struct own *own;	    /* own.h: sources that the configuration describes, or NULL */
	int64_t boot_to_wall_ns;    /* wall = boot + this, for kernel records */
	struct service_ports ports; /* who listens, as kernel records tell */
	struct first_table *first;  /* first_bytes.h; NULL: first bytes are skipped */
	struct span more;	    /* of a line that holds several events; see decode_next() */
	bool wrapped;		    /* `more` is a list of records of any kind */
	bool wrapped_open;	    /* of which the line so far had no end; see wrapped.h */
	struct audit_state audit;
	struct iis_columns iis;
	struct zeek_columns zeek;
	struct nps_requests nps;
	struct api_words words; /* of the API request told last */
	char spare[FRAME_SPARE];
	/* Unescaped JSON or XML; the spans of the last event may point here. */
	char scratch[DECODE_RECORD_MAX];
};

struct decoder {
	const char *name;  /* "sshd", "sshd-journal", "dropbear", ... */
	const char *about; /* one line */
	const char *example;
	/* Wants this frame? (by ident); NULL for record families with their own entry. */
	bool (*wants)(const struct frame *f);
	enum decode_result (*decode)(const struct frame *f, struct event *ret, const char **reason);
};

#define DECODER(name) DECODER_##name,
enum decoder_index {
#include "decode.def"
	DECODER_COUNT
};
#undef DECODER
#define DECODER(name) extern const struct decoder decoder_##name;
#include "decode.def"
#undef DECODER
extern const struct decoder *const decoders[DECODER_COUNT];

/* -1 when there is none. */
int decoder_find(struct span name);
/* Only that source is asked from now on, one of s->own included. False: there is none of that name.
 */
bool decode_only(struct decode_stream *s, struct span name);
/* Who decoded it, as outputs say it. */
struct span decode_source_name(const struct event *e);

/*
 * One line of text of any known source: syslog (RFC 3164, RFC 5424, ISO time), journal JSON
 * (`journalctl -o json`), a Windows event as JSON or XML, an event that `replay --events` printed,
 * or a bare sshd message. An entry of the journal export format is one "line", too. Counts the
 * line. *reason is set when the result is not DECODE_EVENT (static text).
 */
enum decode_result decode_line(struct decode_stream *s, struct span line, struct event *ret,
			       const char **reason);

/*
 * What else the line holds that decode_line() was given last (an EventList): one event after the
 * other, each like a line. False: that was all.
 */
bool decode_next(struct decode_stream *s, struct event *ret, enum decode_result *ret_result,
		 const char **reason);

/* Does an entry of the journal export format begin here? */
bool decode_is_export(struct span line);

/* The same for a frame that is already apart (journald by its API). */
enum decode_result decode_frame(struct decode_stream *s, const struct frame *f, struct event *ret,
				const char **reason);

/* One kernel record (wire.h), header included. */
enum decode_result decode_wire(struct decode_stream *s, const void *record, size_t len,
			       struct event *ret, const char **reason);

#endif
