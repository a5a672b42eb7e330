/*
 * hassh: an SSH client's banner and the algorithms it offers, as one fingerprint.
 *
 * The packet's length is checked against what is there, each name-list against its packet. Cannot
 * see: a client that waits for the server's list and then offers what it likes.
 *
 * Example: "SSH-2.0-OpenSSH_9.2p1", hassh:78c05d999799066a2b4554ce7b1585a6
 */
#include <md5.h>

#include "fingerprint.h"

#define BANNER_MAX  255 /* RFC 4253, 4.2, with its CR LF */
#define PACKET_MAX  35000
#define MSG_KEXINIT 20
#define COOKIE	    16
#define LISTS_USED  7 /* kex, host key, enc c2s, enc s2c, mac c2s, mac s2c, comp c2s */

static uint32_t be32(struct span s)
{
	const unsigned char *u = (const unsigned char *)s.ptr;

	if (s.len < 4 || !u)
		return 0;
	return (uint32_t)u[0] << 24 | (uint32_t)u[1] << 16 | (uint32_t)u[2] << 8 | u[3];
}

static enum fingerprint_result banner_of(struct span *bytes, struct span *ret)
{
	static const struct span start = SPAN_LIT("SSH-");
	size_t n = bytes->len < start.len ? bytes->len : start.len;
	const char *end;

	if (memcmp(bytes->ptr ? bytes->ptr : "", start.ptr, n) != 0)
		return FINGERPRINT_NONE;
	end = memchr(bytes->ptr ? bytes->ptr : "", '\n', bytes->len);
	if (!end)
		return bytes->len >= BANNER_MAX ? FINGERPRINT_NONE : FINGERPRINT_MORE;
	*ret = span_first(*bytes, (size_t)(end - bytes->ptr));
	*bytes = span_skip(*bytes, ret->len + 1);
	if (ret->len && ret->ptr[ret->len - 1] == '\r')
		ret->len--;
	return ret->len > BANNER_MAX ? FINGERPRINT_NONE : FINGERPRINT_DONE;
}

static enum fingerprint_result lists_of(struct span bytes, struct span lists[LISTS_USED])
{
	uint32_t len;

	if (!bytes.ptr || bytes.len < 6)
		return FINGERPRINT_MORE;
	len = be32(bytes);
	if (bytes.ptr[5] != MSG_KEXINIT || len < 2 + COOKIE || len > PACKET_MAX)
		return FINGERPRINT_NONE;
	if (bytes.len - 4 < len)
		return FINGERPRINT_MORE;
	bytes = span_skip(span_first(bytes, 4 + (size_t)len), 6 + COOKIE);
	for (unsigned i = 0; i < LISTS_USED; i++) {
		uint32_t n;

		if (bytes.len < 4)
			return FINGERPRINT_NONE;
		n = be32(bytes);
		if (n > bytes.len - 4)
			return FINGERPRINT_NONE;
		lists[i] = span_first(span_skip(bytes, 4), n);
		bytes = span_skip(bytes, 4 + (size_t)n);
	}
	return FINGERPRINT_DONE;
}

enum fingerprint_result fingerprint_ssh(struct span bytes, struct span *ret_banner,
					char ret[CLIENT_PRINT_MAX])
{
	static const unsigned used[] = {0, 2, 4, 6};
	uint8_t digest[MD5_DIGEST_LENGTH];
	struct span lists[LISTS_USED];
	enum fingerprint_result r = banner_of(&bytes, ret_banner);
	MD5_CTX md5;

	ret[0] = '\0';
	if (r == FINGERPRINT_DONE)
		r = lists_of(bytes, lists);
	if (r != FINGERPRINT_DONE)
		return r;
	MD5Init(&md5);
	for (unsigned i = 0; i < sizeof(used) / sizeof(used[0]); i++) {
		if (i)
			MD5Update(&md5, (const uint8_t *)";", 1);
		MD5Update(&md5, (const uint8_t *)lists[used[i]].ptr, lists[used[i]].len);
	}
	MD5Final(digest, &md5);
	memcpy(ret, "hassh:", 6);
	for (unsigned i = 0; i < sizeof(digest); i++) {
		ret[6 + 2 * i] = "0123456789abcdef"[digest[i] >> 4];
		ret[7 + 2 * i] = "0123456789abcdef"[digest[i] & 15];
	}
	ret[6 + 2 * sizeof(digest)] = '\0';
	return FINGERPRINT_DONE;
}
