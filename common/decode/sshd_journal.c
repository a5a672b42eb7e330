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

#include "sshd.h"
#include "text.h"

/* A flat JSON object being read; unescaped text goes to out. */
struct json {
	const char *p, *end;
	char *out, *out_end;
};

static void json_space(struct json *j)
{
	while (j->p < j->end && (*j->p == ' ' || *j->p == '\t' || *j->p == '\n' || *j->p == '\r'))
		j->p++;
}

static bool json_char(struct json *j, char c)
{
	json_space(j);
	if (j->p >= j->end || *j->p != c)
		return false;
	j->p++;
	return true;
}

static void put_byte(struct json *j, unsigned byte)
{
	if (j->out < j->out_end)
		*j->out++ = (char)byte;
}

static void put_utf8(struct json *j, uint32_t c)
{
	if (c < 0x80) {
		put_byte(j, c);
	} else if (c < 0x800) {
		put_byte(j, 0xC0 | c >> 6);
		put_byte(j, 0x80 | (c & 0x3F));
	} else if (c < 0x10000) {
		put_byte(j, 0xE0 | c >> 12);
		put_byte(j, 0x80 | (c >> 6 & 0x3F));
		put_byte(j, 0x80 | (c & 0x3F));
	} else {
		put_byte(j, 0xF0 | c >> 18);
		put_byte(j, 0x80 | (c >> 12 & 0x3F));
		put_byte(j, 0x80 | (c >> 6 & 0x3F));
		put_byte(j, 0x80 | (c & 0x3F));
	}
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Four hex digits at j->p; -1 when they are not there. */
static int64_t json_hex4(struct json *j)
{
	int64_t v = 0;

	if (j->end - j->p < 4)
		return -1;
	for (int i = 0; i < 4; i++) {
		int d = hex_digit(j->p[i]);

		if (d < 0)
			return -1;
		v = v << 4 | d;
	}
	j->p += 4;
	return v;
}

/* After "\u". A surrogate without its pair becomes U+FFFD. */
static bool json_unicode(struct json *j)
{
	int64_t c = json_hex4(j), low;

	if (c < 0)
		return false;
	if (c >= 0xD800 && c < 0xDC00 && j->end - j->p >= 6 && j->p[0] == '\\' && j->p[1] == 'u') {
		struct json ahead = *j;

		ahead.p += 2;
		low = json_hex4(&ahead);
		if (low >= 0xDC00 && low < 0xE000) {
			j->p = ahead.p;
			put_utf8(j, (uint32_t)(0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00)));
			return true;
		}
	}
	put_utf8(j, c >= 0xD800 && c < 0xE000 ? 0xFFFD : (uint32_t)c);
	return true;
}

static bool json_escape(struct json *j)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	const char *at;

	if (j->p >= j->end)
		return false;
	if (*j->p == 'u') {
		j->p++;
		return json_unicode(j);
	}
	at = *j->p ? strchr(from, *j->p) : NULL;
	if (!at)
		return false;
	j->p++;
	put_byte(j, (unsigned char)to[at - from]);
	return true;
}

/* A string; points into the input when it holds no escape, else into the scratch. */
static bool json_string(struct json *j, struct span *ret)
{
	const char *start, *out;

	if (!json_char(j, '"'))
		return false;
	start = j->p;
	while (j->p < j->end && *j->p != '"' && *j->p != '\\')
		j->p++;
	if (j->p < j->end && *j->p == '"') {
		*ret = (struct span){start, (size_t)(j->p++ - start)};
		return true;
	}
	out = j->out;
	for (const char *c = start; c < j->p; c++)
		put_byte(j, (unsigned char)*c);
	while (j->p < j->end && *j->p != '"') {
		if (*j->p != '\\')
			put_byte(j, (unsigned char)*j->p++);
		else if (j->p++, !json_escape(j))
			return false;
	}
	*ret = (struct span){out, (size_t)(j->out - out)};
	return json_char(j, '"');
}

/* A number or a word (true, null); its text. */
static bool json_bare(struct json *j, struct span *ret)
{
	const char *start;

	json_space(j);
	start = j->p;
	while (j->p < j->end && (text_is_digit(*j->p) || text_is_alpha(*j->p) || *j->p == '-' ||
				 *j->p == '+' || *j->p == '.'))
		j->p++;
	*ret = (struct span){start, (size_t)(j->p - start)};
	return j->p > start;
}

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
		if (!json_string(j, ret))
			return false;
		while (json_char(j, ','))
			if (!json_string(j, &item) && !json_bare(j, &item))
				return false;
		return json_char(j, ']');
	}
	do {
		if (!json_bare(j, &item))
			break;
		put_byte(j, text_u32(item, '?') & 0xFF);
	} while (json_char(j, ','));
	*ret = (struct span){out, (size_t)(j->out - out)};
	return json_char(j, ']');
}

/* Any value a journal entry holds. null is an empty text. */
static bool json_value(struct json *j, struct span *ret)
{
	json_space(j);
	if (j->p < j->end && *j->p == '"')
		return json_string(j, ret);
	if (json_char(j, '['))
		return json_array(j, ret);
	if (!json_bare(j, ret))
		return false;
	if (span_is(*ret, "null"))
		ret->len = 0;
	return true;
}

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
	FIELD_COUNT,
};

static const char *const field_names[FIELD_COUNT] = {
	[FIELD_MESSAGE] = "MESSAGE",
	[FIELD_TIME] = "__REALTIME_TIMESTAMP",
	[FIELD_SOURCE_TIME] = "_SOURCE_REALTIME_TIMESTAMP",
	[FIELD_PID] = "_PID",
	[FIELD_UID] = "_UID",
	[FIELD_EXE] = "_EXE",
	[FIELD_COMM] = "_COMM",
	[FIELD_IDENT] = "SYSLOG_IDENTIFIER",
	[FIELD_HOST] = "_HOSTNAME",
	[FIELD_UNIT] = "_SYSTEMD_UNIT",
};

/* The fields we know; of a name that comes twice the first counts. */
static bool read_fields(struct json *j, struct span fields[FIELD_COUNT])
{
	struct span name, value;

	if (!json_char(j, '{'))
		return false;
	if (json_char(j, '}'))
		return true;
	do {
		if (!json_string(j, &name) || !json_char(j, ':') || !json_value(j, &value))
			return false;
		for (unsigned i = 0; i < FIELD_COUNT; i++)
			if (!fields[i].ptr && span_is(name, field_names[i])) {
				fields[i] = value;
				break;
			}
	} while (json_char(j, ','));
	return json_char(j, '}');
}

/* Microseconds since 1970; 0 when absent or beyond what nanoseconds can hold. */
static uint64_t journal_time(struct span micros)
{
	uint64_t us;

	return span_u64(micros, &us) && us <= UINT64_MAX / 1000 ? us * 1000 : 0;
}

enum decode_result frame_from_journal(struct decode_stream *s, struct span line, struct frame *f,
				      const char **reason)
{
	struct span fields[FIELD_COUNT] = {0};
	struct json j = {line.ptr, line.ptr + line.len, s->scratch,
			 s->scratch + sizeof(s->scratch)};

	if (!read_fields(&j, fields)) {
		*reason = "not a journal entry in JSON";
		return DECODE_BAD;
	}
	if (span_empty(fields[FIELD_MESSAGE])) {
		*reason = "a journal entry without MESSAGE (over 4 KiB? use journalctl --all)";
		return DECODE_SKIPPED;
	}
	*f = (struct frame){.message = text_trim_left(text_trim_right(fields[FIELD_MESSAGE]))};
	f->time_ns = journal_time(fields[FIELD_SOURCE_TIME]);
	if (!f->time_ns)
		f->time_ns = journal_time(fields[FIELD_TIME]);
	f->time_approximate = f->time_ns == 0;
	if (f->time_ns)
		s->seen_ns = f->time_ns;
	f->pid = text_u32(fields[FIELD_PID], 0);
	f->uid = text_u32(fields[FIELD_UID], UINT32_MAX);
	f->exe = fields[FIELD_EXE].len ? fields[FIELD_EXE] : fields[FIELD_COMM];
	f->ident = fields[FIELD_IDENT].len ? fields[FIELD_IDENT] : fields[FIELD_COMM];
	f->host = fields[FIELD_HOST];
	f->unit = fields[FIELD_UNIT];
	return DECODE_EVENT;
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
