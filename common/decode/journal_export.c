/*
 * journal_export: an entry of the journal export format (`journalctl -o export`), as systemd
 * documents it: "FIELD=text" lines, or FIELD alone, the size of its value in 8 bytes little-endian,
 * the value and a newline; an empty line ends the entry.
 *
 * Sees what the JSON of a journal shows, and text that holds newlines, byte by byte. Cannot see:
 * where an entry ends; the reader of the file (cli/input.c) cuts them.
 *
 * Example: "__CURSOR=s=1\n_UID=0\n_EXE=/usr/sbin/sshd\nMESSAGE=Accepted password for ..."
 */
#include "frame.h"

#include "text.h"

#define SIZE_BYTES 8

bool decode_is_export(struct span line)
{
	return span_starts(line, SPAN_LIT("__CURSOR=")) ||
	       span_starts(line, SPAN_LIT("__REALTIME_TIMESTAMP="));
}

static uint64_t little_endian(const char *p)
{
	uint64_t v = 0;

	for (unsigned i = SIZE_BYTES; i-- > 0;)
		v = v << 8 | (unsigned char)p[i];
	return v;
}

/* Up to the newline; *s keeps what is after it. */
static struct span cut_line(struct span *s)
{
	const char *eol = s->len ? memchr(s->ptr, '\n', s->len) : NULL;
	size_t n = eol ? (size_t)(eol - s->ptr) : s->len;
	struct span line = span_first(*s, n);

	*s = span_skip(*s, n + 1);
	return line;
}

/* The value after a line that is a name alone; false when it is cut. */
static bool cut_value(struct span *s, struct span *ret)
{
	uint64_t size;

	if (s->len < SIZE_BYTES)
		return false;
	size = little_endian(s->ptr);
	*s = span_skip(*s, SIZE_BYTES);
	if (size > s->len)
		return false;
	*ret = span_first(*s, (size_t)size);
	*s = span_skip(*s, (size_t)size + 1);
	return true;
}

enum decode_result frame_from_export(struct decode_stream *s, struct span entry, struct frame *f,
				     const char **reason)
{
	struct journal_fields fields = {0};

	while (entry.len) {
		struct span name = cut_line(&entry), value;
		size_t at = text_find(name, SPAN_LIT("="), 0);

		if (at != TEXT_NOT_FOUND) {
			value = span_skip(name, at + 1);
			name = span_first(name, at);
		} else if (name.len && !cut_value(&entry, &value)) {
			*reason = "an entry of the journal export format that is cut short";
			return DECODE_BAD;
		}
		if (name.len)
			journal_field_take(&fields, name, value);
	}
	return frame_from_fields(s, &fields, f, reason);
}
