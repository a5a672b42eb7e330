/* container_id: see the header. */
#include "container_id.h"

#include <string.h>

static bool is_digit(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

/* Takes the next run of digits off the text; empty: there is none. */
static struct span next_run(struct span *text)
{
	struct span run;
	size_t n = 0;

	while (text->len && !is_digit(text->ptr[0]))
		*text = span_skip(*text, 1);
	while (n < text->len && is_digit(text->ptr[n]))
		n++;
	run = span_first(*text, n);
	*text = span_skip(*text, n);
	return run;
}

struct span container_digits(struct span text)
{
	struct span best = {0}, run;

	while ((run = next_run(&text)).len)
		if (run.len > best.len)
			best = run;
	return best;
}

struct span container_id(struct span cgroup)
{
	struct span run;

	while ((run = next_run(&cgroup)).len)
		if (run.len == CONTAINER_ID_DIGITS)
			return run;
	return (struct span){0};
}

#define UID_LEN 36

/* 8-4-4-4-12 hexadecimal digits; systemd's names have other strokes between them. */
static bool is_uid(const char *p)
{
	for (unsigned i = 0; i < UID_LEN; i++) {
		bool is_stroke = i == 8 || i == 13 || i == 18 || i == 23;

		if (!p[i] || !strchr(is_stroke ? "-_" : "0123456789abcdef", p[i]))
			return false;
	}
	return true;
}

struct span container_pod(struct span name)
{
	for (size_t i = 3; i + UID_LEN <= name.len; i++)
		if (memcmp(name.ptr + i - 3, "pod", 3) == 0 && is_uid(name.ptr + i))
			return (struct span){name.ptr + i, UID_LEN};
	return (struct span){0};
}
