/* input: see input.h. Reads in blocks; a line longer than the block is cut, never kept whole. */
#include "cli/input.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Longer than any line the decoders look at, so that they see that it was cut. */
#define BLOCK 65536
_Static_assert(BLOCK > DECODE_LINE_MAX + 1, "a cut line must be longer than the decoders' bound");

#define RECORD_HEADER 16
#define RECORD_SIZE   4 /* offset of the size in the header */

struct input {
	FILE *f;
	const struct input_sink *sink;
	size_t start, end; /* unread part of block */
	bool cut;	   /* the rest of the current line is thrown away */
	_Alignas(8) char block[BLOCK];
};

/* Makes room and reads more; false at the end of the input. */
static bool fill(struct input *in)
{
	size_t n;

	memmove(in->block, in->block + in->start, in->end - in->start);
	in->end -= in->start;
	in->start = 0;
	n = fread(in->block + in->end, 1, BLOCK - in->end, in->f);
	in->end += n;
	return n > 0;
}

static void give_line(struct input *in, size_t len)
{
	if (!in->cut)
		in->sink->line(in->sink->arg, (struct span){in->block + in->start, len});
}

static void read_lines(struct input *in)
{
	for (;;) {
		size_t len = in->end - in->start;
		const char *eol = len ? memchr(in->block + in->start, '\n', len) : NULL;

		if (eol) {
			len = (size_t)(eol - (in->block + in->start));
			give_line(in, len);
			in->cut = false;
			in->start += len + 1;
		} else if (len == BLOCK) {
			give_line(in, len);
			in->cut = true;
			in->start = in->end;
		} else if (!fill(in)) {
			if (in->end > in->start)
				give_line(in, in->end - in->start);
			return;
		}
	}
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

static bool starts_with(const struct input *in, const char *magic, size_t n)
{
	return in->end - in->start >= n && !memcmp(in->block + in->start, magic, n);
}

static int read_open(struct input *in, const char *path)
{
	have(in, sizeof(INPUT_MAGIC) - 1);
	if (starts_with(in, "\x1f\x8b", 2))
		return command_fail(EXIT_INPUT,
				    "%s is compressed; use: zcat %s | outergate replay -", path,
				    path);
	if (starts_with(in, INPUT_MAGIC, sizeof(INPUT_MAGIC) - 1))
		read_records(in);
	else
		read_lines(in);
	if (ferror(in->f))
		return command_fail(EXIT_INPUT, "cannot read %s: %s", path, strerror(errno));
	return 0;
}

int input_read(const char *path, const struct input_sink *sink)
{
	bool is_stdin = !strcmp(path, "-");
	struct input *in = calloc(1, sizeof(*in));
	int r;

	if (!in)
		return command_fail(EXIT_INPUT, "out of memory");
	in->sink = sink;
	in->f = is_stdin ? stdin : fopen(path, "rb");
	if (!in->f) {
		r = command_fail(EXIT_INPUT, "cannot read %s: %s", path, strerror(errno));
	} else {
		r = read_open(in, is_stdin ? "standard input" : path);
		if (!is_stdin)
			fclose(in->f);
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

int input_option(const struct command *c, int argc, char **argv, int *i, struct decode_stream *s)
{
	const char *v;
	uint64_t year;

	if ((v = option_value("--source", argc, argv, i))) {
		s->forced_source = strcmp(v, "auto") != 0 ? decoder_find(span_of(v)) : -1;
		if (s->forced_source < 0 && strcmp(v, "auto") != 0)
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
