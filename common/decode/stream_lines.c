/* stream_lines: see the header. */
#include "stream_lines.h"

#define DIGITS_MAX 7 /* a count of up to 9,999,999 */

enum counted {
	COUNTED,
	NOT_COUNTED,
	MORE_NEEDED /* to tell them apart */
};

/* "123 <": *ret_head is the length of "123 ", *ret_count what it says. */
static enum counted count_of(struct span s, size_t *ret_head, size_t *ret_count)
{
	size_t n = 0, count = 0;

	while (n < s.len && n < DIGITS_MAX && s.ptr[n] >= '0' && s.ptr[n] <= '9')
		count = count * 10 + (size_t)(s.ptr[n++] - '0');
	if (!n)
		return s.len ? NOT_COUNTED : MORE_NEEDED;
	if (s.ptr[0] == '0')
		return NOT_COUNTED;
	if (n == s.len)
		return n < DIGITS_MAX ? MORE_NEEDED : NOT_COUNTED;
	if (s.ptr[n] != ' ')
		return NOT_COUNTED;
	if (n + 1 == s.len)
		return MORE_NEEDED;
	if (s.ptr[n + 1] != '<')
		return NOT_COUNTED;
	*ret_head = n + 1;
	*ret_count = count;
	return COUNTED;
}

static void give(struct span line, bool cut, stream_line_take take, void *arg)
{
	while (line.len && (line.ptr[line.len - 1] == '\r' || line.ptr[line.len - 1] == '\n' ||
			    line.ptr[line.len - 1] == '\0'))
		line.len--;
	if (line.len)
		take(arg, line, cut);
}

static size_t end_of(struct span s)
{
	size_t n = 0;

	while (n < s.len && s.ptr[n] != '\n' && s.ptr[n] != '\0')
		n++;
	return n;
}

/* Takes one message from the front; returns how many bytes are done with, 0: it is not complete. */
static size_t one(struct stream_lines *s, struct span rest, stream_line_take take, void *arg)
{
	size_t head = 0, count = 0, end;
	bool full = s->have == sizeof(s->buf);

	if (s->skip) {
		end = s->skip < rest.len ? s->skip : rest.len;
		s->skip -= end;
		return end;
	}
	end = end_of(rest);
	if (s->skip_line) {
		s->skip_line = end == rest.len;
		return end + !s->skip_line;
	}
	switch (count_of(rest, &head, &count)) {
	case MORE_NEEDED:
		return 0;
	case COUNTED:
		if (rest.len - head >= count) {
			give(span_first(span_skip(rest, head), count), false, take, arg);
			return head + count;
		}
		if (head + count <= sizeof(s->buf))
			return 0;
		if (!full && rest.len < sizeof(s->buf))
			return 0; /* its beginning, as long as we take one */
		give(span_skip(rest, head), true, take, arg);
		s->skip = count - (rest.len - head);
		return rest.len;
	case NOT_COUNTED:
		break;
	}
	if (end < rest.len) {
		give(span_first(rest, end), false, take, arg);
		return end + 1;
	}
	if (rest.len < sizeof(s->buf))
		return 0;
	give(rest, true, take, arg);
	s->skip_line = true;
	return rest.len;
}

static void drain(struct stream_lines *s, stream_line_take take, void *arg)
{
	size_t at = 0, n;

	while (at < s->have) {
		n = one(s, (struct span){s->buf + at, s->have - at}, take, arg);
		if (!n)
			break;
		at += n;
	}
	memmove(s->buf, s->buf + at, s->have - at);
	s->have -= at;
}

void stream_lines_feed(struct stream_lines *s, struct span data, stream_line_take take, void *arg)
{
	while (data.len) {
		size_t n = sizeof(s->buf) - s->have;

		n = n < data.len ? n : data.len;
		memcpy(s->buf + s->have, data.ptr, n);
		s->have += n;
		data = span_skip(data, n);
		drain(s, take, arg);
	}
}

void stream_lines_end(struct stream_lines *s, stream_line_take take, void *arg)
{
	struct span rest = {s->buf, s->have};
	size_t head, count;

	if (!s->skip && !s->skip_line && count_of(rest, &head, &count) != COUNTED)
		give(rest, false, take, arg);
	s->have = s->skip = 0;
	s->skip_line = false;
}
