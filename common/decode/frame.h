/*
 * frame: takes the transport's wrapping off a line. Internal to decode/.
 *
 *   Dec 10 06:55:46 LabSZ sshd[24200]: Invalid user webmaster from 173.234.31.186
 *   <38>1 2003-10-11T22:14:15.003Z host sshd 1234 - [x@1 a="b"] Failed password for ...
 *   {"_COMM":"sshd","MESSAGE":"Accepted publickey for ...", ...}      (journalctl -o json)
 *   sshd[123]: Failed password for ...                                (no time)
 *   Failed password for root from 203.0.113.7 port 22 ssh2            (sshd -e)
 */
#ifndef OUTERGATE_DECODE_FRAME_H
#define OUTERGATE_DECODE_FRAME_H

#include "decode.h"

/* Fills *f from any text line that is not JSON. Never fails: what is no frame is the message. */
void frame_from_text(struct decode_stream *s, struct span line, struct frame *f);

/* frame_own.c: a frame that one program alone uses, which names it; of a line without another. */
bool frame_own(struct decode_stream *s, struct span line, struct frame *f);
/* The same behind a time that others use, too; f has no ident yet. */
void frame_own_tag(struct frame *f);

/* frame_mac.c: the same of macOS' log stream; and its entries as JSON (false: it is none). */
void frame_mac_tag(struct frame *f);
bool frame_from_mac(struct decode_stream *s, struct span line, struct frame *f);

/* The fields of a journal entry that say something here. */
enum journal_field {
	FIELD_MESSAGE,
	FIELD_TIME,
	FIELD_SOURCE_TIME,
	FIELD_PID,
	FIELD_UID,
	FIELD_EXE,
	FIELD_COMM,
	FIELD_IDENT,
	FIELD_HOST,
	FIELD_UNIT,
	JOURNAL_FIELDS
};
struct journal_fields {
	struct span values[JOURNAL_FIELDS];
};

/* Of a name that comes twice the first counts. */
void journal_field_take(struct journal_fields *fields, struct span name, struct span value);
/* The frame of an entry, trust included; DECODE_SKIPPED when it has no message. */
enum decode_result frame_from_fields(struct decode_stream *s, const struct journal_fields *fields,
				     struct frame *f, const char **reason);

/* journal_export.c: one entry of the journal export format, its newlines included. */
enum decode_result frame_from_export(struct decode_stream *s, struct span entry, struct frame *f,
				     const char **reason);

/*
 * Fills *f from one journal entry as JSON; unescaped text goes to s->scratch. DECODE_EVENT: a
 * frame; else *reason says why not.
 */
enum decode_result frame_from_journal(struct decode_stream *s, struct span line, struct frame *f,
				      const char **reason);

/* Does the frame tell who wrote it (journald's _UID or _EXE)? */
bool frame_has_writer(const struct frame *f);

/*
 * Whether the writer is who the ident claims, for sshd's idents. sshd's root processes are
 * vouched for. A user's own child of sshd logs too ("Starting session"), as that user, so it is
 * believed as text, and so is a writer that was gone before anybody could look; any other program
 * with sshd's name is a forgery.
 */
enum trust frame_trust(const struct frame *f);

/* "sshd", "sshd-session", "sshd-auth". */
bool frame_is_sshd(struct span name);

#endif
