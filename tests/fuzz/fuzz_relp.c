/*
 * What a RELP collector answers, in any pieces: it comes from the network. However it is cut, the
 * same frames are understood, none is longer than it may be, and what is no frame ends the
 * connection.
 */
#include "../../forward/relp.c"

#include "fuzz.h"

static const char *input;
static size_t input_len, step;

struct stream {
	int unused;
};
static struct stream the_stream;

struct stream *stream_open(struct forwarder *f, const char *port)
{
	(void)f, (void)port;
	return &the_stream;
}

bool stream_write(struct forwarder *f, struct stream *s, const char *p, size_t n)
{
	(void)f, (void)s, (void)p, (void)n;
	return true;
}

int stream_read(struct stream *s, char *buf, size_t cap)
{
	size_t n = input_len < step ? input_len : step;

	(void)s;
	CHECK(cap > 0);
	n = n < cap ? n : cap;
	if (!n)
		return -1;
	memcpy(buf, input, n);
	input += n;
	input_len -= n;
	return (int)n;
}

bool stream_flushed(const struct stream *s)
{
	(void)s;
	return true;
}

int stream_fd(const struct stream *s)
{
	(void)s;
	return -1;
}

void stream_close(struct stream *s, bool orderly)
{
	(void)s, (void)orderly;
}

uint64_t now_ns(void)
{
	return 1;
}

void forward_why(struct forwarder *f, const char *format, ...)
{
	(void)f, (void)format;
}

void forward_said(struct forwarder *f, const char *what, const char *text, size_t len)
{
	(void)f, (void)what;
	CHECK(strnlen(text, len + 1) <= 63);
}

static uint64_t answers;

void forward_resolve(struct forwarder *f, uint64_t ticket, bool equal, enum item_state state)
{
	(void)f, (void)equal;
	CHECK(ticket <= 4294967295u && (state == ITEM_DONE || state == ITEM_REFUSED));
	answers = answers * 31 + ticket * 2 + (state == ITEM_DONE);
}

void forward_all(struct item **items, unsigned n, enum item_state state)
{
	(void)items, (void)n, (void)state;
}

bool syslog_message(struct buffer *b, const struct forwarder *f, const struct item *it)
{
	(void)b, (void)f, (void)it;
	return true;
}

bool buffer_add(struct buffer *b, const char *p, size_t n)
{
	(void)b, (void)p, (void)n;
	return true;
}

bool buffer_format(struct buffer *b, const char *format, ...)
{
	(void)b, (void)format;
	return true;
}

static uint64_t run(const uint8_t *data, size_t size, size_t pieces)
{
	static struct forwarder f;

	input = (const char *)data;
	input_len = size;
	step = pieces;
	in.len = 0;
	answers = 7;
	f.pending = 1;
	stream = &the_stream;
	(void)take_relp(&f);
	CHECK(in.len < sizeof(in.text));
	return answers;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 1)
		return 0;
	CHECK(run(data + 1, size - 1, 1 + data[0] % 40) == run(data + 1, size - 1, 3000));
	return 0;
}
