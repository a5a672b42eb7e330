/*
 * input: see input.h. Reads in blocks; a line longer than the block is cut, never kept whole.
 *
 * Everything comes through zlib, which passes on what is not compressed, so that a file, a pipe and
 * a compressed log are one case. EVTX needs to be read at any place (input_evtx.c): from a pipe or
 * a compressed file it is put aside first.
 */
#include "cli/input.h"

#include "common/decode/wrapped.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

/* Longer than any line the decoders look at, so that they see that it was cut. */
#define BLOCK 131072
_Static_assert(BLOCK > DECODE_LINE_MAX + 1 && BLOCK > DECODE_RECORD_MAX + 1,
	       "a cut line must be longer than the decoders' bounds");

#define RECORD_HEADER 16
#define RECORD_SIZE   4 /* offset of the size in the header */
#define EXPORT_SIZE   8 /* bytes before a binary field of the journal export format */

struct input {
	gzFile f;
	const struct input_sink *sink;
	size_t start, end; /* unread part of block */
	bool cut;	   /* the rest of the current line is thrown away */
	bool list;	   /* the current line is a list of records, given in parts */
	_Alignas(8) char block[BLOCK];
	char entry[DECODE_RECORD_MAX]; /* of the journal export format, being gathered */
	size_t entry_len;
};

/* Makes room and reads more; false at the end of the input. */
static bool fill(struct input *in)
{
	int n;

	memmove(in->block, in->block + in->start, in->end - in->start);
	in->end -= in->start;
	in->start = 0;
	n = gzread(in->f, in->block + in->end, (unsigned)(BLOCK - in->end));
	if (n > 0)
		in->end += (size_t)n;
	return n > 0;
}

static void give_line(struct input *in, size_t len)
{
	if (!in->cut)
		in->sink->line(in->sink->arg, (struct span){in->block + in->start, len});
}

static uint64_t little_endian(const char *p, unsigned bytes)
{
	uint64_t v = 0;

	for (unsigned i = bytes; i-- > 0;)
		v = v << 8 | (unsigned char)p[i];
	return v;
}

/* At least n bytes at start, if the input has them. */
static bool have(struct input *in, size_t n)
{
	while (in->end - in->start < n)
		if (!fill(in))
			return false;
	return true;
}

/* Adds to the entry what fits; a field that does not is left out as a whole. */
static void entry_add(struct input *in, const char *p, size_t len)
{
	if (len > sizeof(in->entry) - in->entry_len)
		return;
	memcpy(in->entry + in->entry_len, p, len);
	in->entry_len += len;
}

/* A name without a value: the decoder says that the entry is cut short. */
static void entry_add_cut(struct input *in, const char *name, size_t name_len)
{
	in->start = in->end;
	entry_add(in, name, name_len);
	entry_add(in, "\n", 1);
}

/* The value of a binary field, its size in front of it: into the entry, or over it. */
static void entry_add_binary(struct input *in, const char *name, size_t name_len)
{
	char head[EXPORT_SIZE];
	uint64_t left, size;
	size_t before = in->entry_len;
	bool fits;

	if (!have(in, EXPORT_SIZE)) {
		entry_add_cut(in, name, name_len);
		return;
	}
	memcpy(head, in->block + in->start, EXPORT_SIZE);
	size = left = little_endian(head, EXPORT_SIZE);
	in->start += EXPORT_SIZE;
	fits = size < sizeof(in->entry) - before - name_len - EXPORT_SIZE - 2 &&
	       sizeof(in->entry) - before > name_len + EXPORT_SIZE + 2;
	if (fits) {
		entry_add(in, name, name_len);
		entry_add(in, "\n", 1);
		entry_add(in, head, EXPORT_SIZE);
	}
	while (left && have(in, 1)) {
		size_t n = in->end - in->start < left ? in->end - in->start : (size_t)left;

		if (fits)
			entry_add(in, in->block + in->start, n);
		in->start += n;
		left -= n;
	}
	if (left && !fits)
		entry_add_cut(in, name, name_len);
	if (have(in, 1)) /* the newline after it */
		in->start++;
	if (fits && !left)
		entry_add(in, "\n", 1);
}

/* A line of the journal export format; false: it ends the entry. */
static bool entry_line(struct input *in, const char *line, size_t len)
{
	char name[256];

	if (!len)
		return false;
	if (memchr(line, '=', len)) {
		if (len + 1 <= sizeof(in->entry) - in->entry_len) {
			entry_add(in, line, len);
			entry_add(in, "\n", 1);
		}
		return true;
	}
	if (len > sizeof(name)) /* journald allows 64 */
		return false;
	memcpy(name, line, len); /* reading on moves the block */
	in->start += len + 1;
	entry_add_binary(in, name, len);
	in->start -= len + 1; /* whoever reads lines steps over this one */
	return true;
}

static void give_entry(struct input *in)
{
	if (in->entry_len)
		in->sink->line(in->sink->arg, (struct span){in->entry, in->entry_len});
	in->entry_len = 0;
}

static bool begins_entry(const char *line, size_t len)
{
	return decode_is_export((struct span){line, len});
}

/* One line; it may begin, continue or end an entry of the journal export format. */
static void take_line(struct input *in, size_t len)
{
	const char *line = in->block + in->start;

	if (!in->entry_len && !begins_entry(line, len))
		give_line(in, len);
	else if (!entry_line(in, line, len))
		give_entry(in);
}

/* Of a line that is longer than the block: a list of records in parts, else its beginning. */
static void take_part(struct input *in)
{
	struct span part = {in->block + in->start, in->end - in->start};
	size_t whole = in->cut || in->entry_len ? 0 : wrapped_whole(part, in->list);

	take_line(in, whole ? whole : part.len);
	in->list = whole;
	in->cut = !whole;
	in->start += whole ? whole : part.len;
}

static void read_lines(struct input *in)
{
	for (;;) {
		size_t len = in->end - in->start;
		const char *eol = len ? memchr(in->block + in->start, '\n', len) : NULL;

		if (eol) {
			len = (size_t)(eol - (in->block + in->start));
			take_line(in, len);
			in->cut = in->list = false;
			in->start += len + 1;
		} else if (len == BLOCK) {
			take_part(in);
		} else if (!fill(in)) {
			break;
		}
	}
	if (in->end > in->start)
		take_line(in, in->end - in->start);
	give_entry(in);
}

static void read_records(struct input *in)
{
	const size_t magic = sizeof(INPUT_MAGIC) - 1;
	int64_t offset;

	if (!have(in, magic + 8))
		return;
	offset = (int64_t)little_endian(in->block + in->start + magic, 8);
	in->start += magic + 8;
	while (have(in, 1)) {
		size_t size = RECORD_HEADER, len;

		if (have(in, RECORD_HEADER))
			size = (size_t)little_endian(in->block + in->start + RECORD_SIZE, 4);
		if (size < RECORD_HEADER || size > BLOCK / 2 || size % 8 || !have(in, size)) {
			len = in->end - in->start;
			size = BLOCK; /* nothing after it can be trusted: it is the last */
		} else {
			len = size;
		}
		in->sink->record(in->sink->arg, in->block + in->start, len, offset);
		if (size == BLOCK)
			return;
		in->start += len;
	}
}

static bool starts_with(struct input *in, const char *magic, size_t n)
{
	return have(in, n) && !memcmp(in->block + in->start, magic, n);
}

/* What went wrong while reading, if anything. */
static int read_error(struct input *in, const char *path)
{
	int code;

	gzerror(in->f, &code);
	if (code == Z_OK || code == Z_STREAM_END)
		return 0;
	if (code == Z_ERRNO)
		return command_fail(EXIT_INPUT, "cannot read %s: %s", path, strerror(errno));
	return command_fail(EXIT_INPUT, "%s: the compressed data %s", path,
			    code == Z_BUF_ERROR ? "is cut short" : "is damaged");
}

/* All that is left into a file of its own, for who must read it at any place. */
static int put_aside(struct input *in, FILE *f)
{
	while (have(in, 1)) {
		size_t n = fwrite(in->block + in->start, 1, in->end - in->start, f);

		if (!n)
			return -errno;
		in->start += n;
	}
	return fclose(f) ? -errno : 0;
}

static int read_evtx_aside(struct input *in, const char *path)
{
	char name[512];
	FILE *f = plat_temporary(name, sizeof(name));
	int r;

	if (!f)
		return command_fail(EXIT_INPUT, "cannot write %s: %s", name, strerror(errno));
	r = put_aside(in, f);
	if (r)
		r = command_fail(EXIT_INPUT, "cannot write %s: %s", name, strerror(-r));
	else
		r = input_read_evtx(name, path, in->sink);
	remove(name);
	return r;
}

static int read_open(struct input *in, const char *path, bool is_stdin)
{
	int r = 0, err;

	if (starts_with(in, INPUT_MAGIC, sizeof(INPUT_MAGIC) - 1))
		read_records(in);
	else if (!starts_with(in, EVTX_MAGIC, sizeof(EVTX_MAGIC)))
		read_lines(in);
	else if (is_stdin || !gzdirect(in->f))
		r = read_evtx_aside(in, path);
	else
		r = input_read_evtx(path, path, in->sink);
	err = read_error(in, path);
	return r ? r : err;
}

int input_read(const char *path, const struct input_sink *sink)
{
	bool is_stdin = !strcmp(path, "-");
	const char *name = is_stdin ? "standard input" : path;
	struct input *in = calloc(1, sizeof(*in));
	int r;

	if (!in)
		return command_fail(EXIT_INPUT, "out of memory");
	in->sink = sink;
	in->f = is_stdin ? gzdopen(dup(STDIN_FILENO), "rb") : gzopen(path, "rbe");
	if (!in->f) {
		r = command_fail(EXIT_INPUT, "cannot read %s: %s", name, strerror(errno));
	} else {
		gzbuffer(in->f, BLOCK);
		r = read_open(in, name, is_stdin);
		gzclose(in->f);
	}
	free(in);
	return r;
}

bool input_is_records(const char *path)
{
	char head[sizeof(INPUT_MAGIC) - 1];
	FILE *f = strcmp(path, "-") ? fopen(path, "rb") : NULL;
	size_t n = 0;

	if (f) {
		n = fread(head, 1, sizeof(head), f);
		fclose(f);
	}
	return n == sizeof(head) && !memcmp(head, INPUT_MAGIC, n);
}

const char *option_value(const char *name, int argc, char **argv, int *i)
{
	size_t n = strlen(name);

	if (strncmp(argv[*i], name, n) != 0)
		return NULL;
	if (argv[*i][n] == '=')
		return argv[*i] + n + 1;
	if (argv[*i][n] || *i + 1 >= argc)
		return NULL;
	return argv[++*i];
}

/* "Z", "UTC", "+hh:mm", "-hhmm", "+hh". */
static bool parse_offset(const char *text, int *ret)
{
	struct span s = span_of(text), m;
	uint64_t h, minutes = 0;

	if (!strcmp(text, "Z") || !strcmp(text, "UTC")) {
		*ret = 0;
		return true;
	}
	if (s.len < 3 || (text[0] != '+' && text[0] != '-') ||
	    !span_u64((struct span){text + 1, 2}, &h) || h > 23)
		return false;
	m = span_skip(s, text[3] == ':' ? 4 : 3);
	if ((m.len != 0 && m.len != 2) || (m.len == 0 && s.len != 3) ||
	    (m.len == 2 && !span_u64(m, &minutes)) || minutes > 59)
		return false;
	*ret = (int)(h * 3600 + minutes * 60) * (text[0] == '-' ? -1 : 1);
	return true;
}

static int bad_value(const struct command *c, const char *option, const char *value,
		     const char *wanted)
{
	command_fail(EXIT_USAGE, "%s: %s %s: %s", c->name, option, value, wanted);
	return -1;
}

int input_own_of(const char *path, struct own **ret, struct decode_stream *s)
{
	struct config *c = malloc(sizeof(*c));
	int code;

	if (!c)
		return command_fail(EXIT_INPUT, "out of memory");
	code = command_config(path, c);
	if (!code && config_own_new(c, ret))
		code = command_fail(EXIT_INPUT, "out of memory");
	s->own = *ret;
	free(c);
	return code;
}

int input_own(int argc, char **argv, struct own **ret, struct decode_stream *s)
{
	const char *v;

	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
		if ((v = option_value("--config", argc, argv, &i)))
			return input_own_of(v, ret, s);
	return 0;
}

int input_option(const struct command *c, int argc, char **argv, int *i, struct decode_stream *s)
{
	const char *v;
	uint64_t year;

	if ((v = option_value("--source", argc, argv, i))) {
		s->forced_source = -1;
		if (strcmp(v, "auto") != 0 && !decode_only(s, span_of(v)))
			return bad_value(c, "--source", v, "no such source; see outergate sources");
		return 1;
	}
	if ((v = option_value("--year", argc, argv, i))) {
		if (!span_u64(span_of(v), &year) || year < 1970 || year > 2199)
			return bad_value(c, "--year", v, "a year from 1970 to 2199 is wanted");
		s->year = (int)year;
		return 1;
	}
	if ((v = option_value("--tz", argc, argv, i))) {
		if (!parse_offset(v, &s->tz_offset_s))
			return bad_value(c, "--tz", v, "an offset like +01:00 or Z is wanted");
		return 1;
	}
	return 0;
}
