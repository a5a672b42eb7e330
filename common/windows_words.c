/* windows_words: see the header. Every name of Windows is the same in small and in capital letters.
 */
#include "windows_words.h"

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

bool windows_same_name(struct span a, struct span b)
{
	if (a.len != b.len)
		return false;
	if (span_eq(a, b)) /* most often */
		return true;
	for (size_t i = 0; i < a.len; i++)
		if (lower(a.ptr[i]) != lower(b.ptr[i]))
			return false;
	return true;
}

bool windows_has(struct span text, const char *word)
{
	struct span wanted = span_of(word);

	for (size_t i = 0; i + wanted.len <= text.len; i++)
		if (windows_same_name(span_first(span_skip(text, i), wanted.len), wanted))
			return true;
	return false;
}

/* A zero that is a word: "/d 0", "-Value 0;", "\"0\"". */
static bool is_zero(struct span text, size_t at)
{
	char before = at ? text.ptr[at - 1] : ' ';
	char after = at + 1 < text.len ? text.ptr[at + 1] : ' ';

	return text.ptr[at] == '0' && (before == ' ' || before == '"' || before == '\'') &&
	       (after <= ' ' || after == '"' || after == '\'' || after == ';' || after == '}' ||
		after == ')');
}

bool windows_enables_rdp(struct span command)
{
	static const struct span name = SPAN_LIT("fDenyTSConnections");
	const size_t reach = 64;

	for (size_t i = 0; i + name.len <= command.len; i++) {
		struct span rest = span_skip(command, i + name.len);

		if (!windows_same_name(span_first(span_skip(command, i), name.len), name))
			continue;
		for (size_t k = 0; k < rest.len && k < reach; k++)
			if (is_zero(rest, k))
				return true;
	}
	return false;
}

bool windows_forwards_port(struct span command)
{
	return windows_has(command, "portproxy") && windows_has(command, " add ");
}
