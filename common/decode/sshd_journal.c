/*
 * sshd_journal: sshd's words as systemd-journald kept them, one JSON object a line
 * (`journalctl -o json`), or a frame of the journal's API.
 *
 * Sees what syslog text cannot prove: who really wrote the entry. journald takes _UID, _EXE and
 * _COMM from the kernel, so `logger -t sshd "Accepted password for root ..."` shows as a forgery.
 * Cannot see: fields over 4 KiB, which journalctl prints as null unless told --all; entries of a
 * process that was gone before journald could look carry no _EXE.
 *
 * Example: {"_UID":"0","_COMM":"sshd","_PID":"7","MESSAGE":"Accepted password for a from ..."}
 */
#include "frame.h"

#include "json_text.h"
#include "sshd.h"
#include "text.h"

/*
 * After '[': journald's two uses of arrays. [70,97] are the bytes of a text that is not UTF-8;
 * ["a","b"] are several values of one field, of which the first is taken.
 */
static bool json_array(struct json *j, struct span *ret)
{
	const char *out = j->out;
	struct span item;

	json_space(j);
	if (j->p < j->end && *j->p == '"') {
		if (!json_quoted(j, ret))
			return false;
		while (json_char(j, ','))
			if (!json_quoted(j, &item) && !json_bare(j, &item))
				return false;
		return json_char(j, ']');
	}
	do {
		if (!json_bare(j, &item))
			break;
		json_byte(j, text_u32(item, '?') & 0xFF);
	} while (json_char(j, ','));
	*ret = (struct span){out, (size_t)(j->out - out)};
	return json_char(j, ']');
}

/* Any value a journal entry holds. null is an empty text. */
static bool json_value(struct json *j, struct span *ret)
{
	json_space(j);
	if (j->p < j->end && *j->p == '"')
		return json_quoted(j, ret);
	if (json_char(j, '['))
		return json_array(j, ret);
	if (!json_bare(j, ret))
		return false;
	if (span_is(*ret, "null"))
		ret->len = 0;
	return true;
}

static const struct span field_names[JOURNAL_FIELDS] = {
	[FIELD_MESSAGE] = SPAN_LIT("MESSAGE"),
	[FIELD_TIME] = SPAN_LIT("__REALTIME_TIMESTAMP"),
	[FIELD_SOURCE_TIME] = SPAN_LIT("_SOURCE_REALTIME_TIMESTAMP"),
	[FIELD_PID] = SPAN_LIT("_PID"),
	[FIELD_UID] = SPAN_LIT("_UID"),
	[FIELD_EXE] = SPAN_LIT("_EXE"),
	[FIELD_COMM] = SPAN_LIT("_COMM"),
	[FIELD_IDENT] = SPAN_LIT("SYSLOG_IDENTIFIER"),
	[FIELD_HOST] = SPAN_LIT("_HOSTNAME"),
	[FIELD_UNIT] = SPAN_LIT("_SYSTEMD_UNIT"),
};

void journal_field_take(struct journal_fields *fields, struct span name, struct span value)
{
	for (unsigned i = 0; i < JOURNAL_FIELDS; i++)
		if (!fields->values[i].ptr && span_eq(name, field_names[i])) {
			fields->values[i] = value;
			return;
		}
}

/* The fields we know; of a name that comes twice the first counts. */
static bool read_fields(struct json *j, struct journal_fields *fields)
{
	struct span name, value;

	if (!json_char(j, '{'))
		return false;
	if (json_char(j, '}'))
		return true;
	do {
		if (!json_quoted(j, &name) || !json_char(j, ':') || !json_value(j, &value))
			return false;
		journal_field_take(fields, name, value);
	} while (json_char(j, ','));
	return json_char(j, '}');
}

/* Microseconds since 1970; 0 when absent or beyond what nanoseconds can hold. */
static uint64_t journal_time(struct span micros)
{
	uint64_t us;

	return span_u64(micros, &us) && us <= UINT64_MAX / 1000 ? us * 1000 : 0;
}

enum decode_result frame_from_fields(struct decode_stream *s, const struct journal_fields *fields,
				     struct frame *f, const char **reason)
{
	const struct span *v = fields->values;

	if (span_empty(v[FIELD_MESSAGE])) {
		*reason = "a journal entry without MESSAGE (over 4 KiB? use journalctl --all)";
		return DECODE_SKIPPED;
	}
	*f = (struct frame){.message = text_trim_left(text_trim_right(v[FIELD_MESSAGE]))};
	f->time_ns = journal_time(v[FIELD_SOURCE_TIME]);
	if (!f->time_ns)
		f->time_ns = journal_time(v[FIELD_TIME]);
	f->time_approximate = f->time_ns == 0;
	if (f->time_ns)
		s->seen_ns = f->time_ns;
	f->pid = text_u32(v[FIELD_PID], 0);
	f->uid = text_u32(v[FIELD_UID], UINT32_MAX);
	f->exe = v[FIELD_EXE].len ? v[FIELD_EXE] : v[FIELD_COMM];
	f->ident = v[FIELD_IDENT].len ? v[FIELD_IDENT] : v[FIELD_COMM];
	f->host = v[FIELD_HOST];
	f->unit = v[FIELD_UNIT];
	f->trust = frame_trust(f);
	return DECODE_EVENT;
}

enum decode_result frame_from_journal(struct decode_stream *s, struct span line, struct frame *f,
				      const char **reason)
{
	struct journal_fields fields = {0};
	struct json j = {.p = line.ptr,
			 .end = line.ptr + line.len,
			 .out = s->scratch,
			 .out_end = s->scratch + sizeof(s->scratch)};

	if (!read_fields(&j, &fields) ||
	    (!fields.values[FIELD_TIME].ptr && !fields.values[FIELD_MESSAGE].ptr)) {
		*reason = "not a journal entry in JSON";
		return DECODE_BAD;
	}
	return frame_from_fields(s, &fields, f, reason);
}

bool frame_has_writer(const struct frame *f)
{
	return f->uid != UINT32_MAX || !span_empty(f->exe);
}

bool frame_is_sshd(struct span name)
{
	return span_is(name, "sshd") || span_is(name, "sshd-session") || span_is(name, "sshd-auth");
}

/* The last part of a path. " (deleted)" follows when a package upgrade replaced the file. */
static struct span base_name(struct span path)
{
	size_t n;

	text_cut_end(&path, SPAN_LIT(" (deleted)"));
	n = text_find_last(path, SPAN_LIT("/"));
	return n == TEXT_NOT_FOUND ? path : span_skip(path, n + 1);
}

/* Where packages install sshd; a copy in a home directory is not sshd. */
static bool is_system_path(struct span path)
{
	static const struct span roots[] = {
		SPAN_LIT("/usr/"), SPAN_LIT("/sbin/"),	    SPAN_LIT("/lib/"),
		SPAN_LIT("/opt/"), SPAN_LIT("/nix/store/"),
	};

	for (size_t i = 0; i < sizeof(roots) / sizeof(roots[0]); i++)
		if (span_starts(path, roots[i]))
			return true;
	return false;
}

/* What the user's own sshd child says, after privilege was given up; verdicts are root's. */
static bool is_after_login(struct span message)
{
	static const char *const begins[] = {"Received disconnect from ",
					     "Disconnected from ",
					     "Starting session: ",
					     "Close session: ",
					     "Connection closed by ",
					     "Connection reset by ",
					     "Connection from ",
					     "Read error from ",
					     "Transferred: ",
					     "Closing connection to ",
					     "error: ",
					     "fatal: ",
					     "Timeout, client not responding from "};

	for (size_t i = 0; i < sizeof(begins) / sizeof(begins[0]); i++)
		if (span_starts(message, span_of(begins[i])))
			return true;
	return false;
}

enum trust frame_trust(const struct frame *f)
{
	struct span writer = base_name(f->exe);

	if (f->uid == UINT32_MAX || !frame_is_sshd(f->ident))
		return TRUST_TEXT;
	if (span_empty(writer)) /* gone before journald could look; the uid came with the line */
		return f->uid == 0 || is_after_login(f->message) ? TRUST_TEXT : TRUST_FORGED;
	if (!frame_is_sshd(writer))
		return TRUST_FORGED;
	if (f->uid == 0)
		return TRUST_TRANSPORT;
	/* A bare name is all there is of a process that is gone; a path must be the system's. */
	return f->exe.ptr[0] != '/' || is_system_path(f->exe) ? TRUST_TEXT : TRUST_FORGED;
}

/* Frames come here by their transport (decode.c), so every sshd frame it is asked about is one. */
static bool wants(const struct frame *f)
{
	return frame_has_writer(f) && sshd_wants(f);
}

const struct decoder decoder_sshd_journal = {
	.name = "sshd-journal",
	.about = "OpenSSH in the systemd journal (journalctl -o json); the writer is checked",
	.example = "{\"__REALTIME_TIMESTAMP\":\"1699917642738197\",\"_HOSTNAME\":\"bastion\","
		   "\"SYSLOG_IDENTIFIER\":\"sshd\",\"_UID\":\"0\",\"_EXE\":\"/usr/sbin/sshd\","
		   "\"_PID\":\"4711\",\"MESSAGE\":\"Accepted password for alice from 203.0.113.10 "
		   "port 33394 ssh2\"}",
	.wants = wants,
	.decode = sshd_decode,
};
