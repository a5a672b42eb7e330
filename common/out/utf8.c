/*
 * utf8: what is a character, and which characters must not reach a reader as they are.
 *
 * Strict (RFC 3629): no overlong forms, no surrogates, nothing above U+10FFFF. "Hidden" are those
 * that show nothing or move what stands beside them: a user name made of them looks like another.
 * It cannot see look-alikes (Cyrillic a and Latin a): those stay as they are.
 */
#include "writer.h"

static unsigned lead_length(unsigned char c)
{
	if (c < 0x80)
		return 1;
	if (c >= 0xc2 && c < 0xe0)
		return 2;
	if (c >= 0xe0 && c < 0xf0)
		return 3;
	return c >= 0xf0 && c < 0xf5 ? 4 : 0;
}

unsigned utf8_decode(const char *p, size_t n, uint32_t *ret)
{
	static const uint32_t mask[5] = {0, 0x7f, 0x1f, 0x0f, 0x07};
	static const uint32_t least[5] = {0, 0, 0x80, 0x800, 0x10000};
	unsigned len = lead_length((unsigned char)p[0]);
	uint32_t c;

	if (len == 0 || len > n)
		return 0;
	c = (unsigned char)p[0] & mask[len];
	for (unsigned i = 1; i < len; i++) {
		if (((unsigned char)p[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | ((unsigned char)p[i] & 0x3f);
	}
	if (c < least[len] || (c >= 0xd800 && c < 0xe000) || c > 0x10ffff)
		return 0;
	*ret = c;
	return len;
}

bool utf8_hidden(uint32_t c)
{
	/* General category Cc, Cf, Zl and Zp, as far as they exist in scripts people log in with.
	 */
	static const struct {
		uint32_t first, last;
	} hidden[] = {
		{0x00, 0x1f},	  {0x7f, 0x9f},	    {0xad, 0xad},	{0x61c, 0x61c},
		{0x180e, 0x180e}, {0x200b, 0x200f}, {0x2028, 0x202e},	{0x2060, 0x206f},
		{0xfeff, 0xfeff}, {0xfff9, 0xfffb}, {0xe0000, 0xe007f},
	};

	for (unsigned i = 0; i < sizeof(hidden) / sizeof(hidden[0]); i++)
		if (c >= hidden[i].first && c <= hidden[i].last)
			return true;
	return false;
}
