/*
 * ja4: a TLS client by its ClientHello.
 *
 * A hello may be cut into several records, and into segments anywhere (a post-quantum key share
 * does not fit into one). Reserved values that clients throw in (GREASE, RFC 8701) are left out.
 * Cannot see: QUIC; the inner hello of Encrypted ClientHello.
 *
 * Example: curl 7.88 with OpenSSL 3.0: ja4:t13d3112h2_e8f1e7e78f70_b26ce05bbdd6
 */
#include "../sha256.h"
#include "fingerprint.h"

#define RECORD_HANDSHAKE 22
#define CLIENT_HELLO	 1
#define HELLO_MAX	 4096
#define LIST_MAX	 160 /* ciphers, extensions, signature algorithms; more are cut */

enum extension {
	EXT_SERVER_NAME = 0,
	EXT_SIGNATURES = 13,
	EXT_ALPN = 16,
	EXT_VERSIONS = 43
};

struct hello {
	uint16_t version;
	uint16_t ciphers[LIST_MAX], extensions[LIST_MAX], signatures[LIST_MAX];
	unsigned ciphers_count, extensions_count, signatures_count;
	struct span alpn;
	bool has_server;
};

/* Takes from the front of a span; a short one makes it bad and yields zeroes. */
struct reader {
	struct span left;
	bool is_bad;
};

static uint32_t take(struct reader *r, unsigned n)
{
	uint32_t v = 0;

	if (r->left.len < n) {
		r->is_bad = true;
		r->left.len = 0;
		return 0;
	}
	for (unsigned i = 0; i < n; i++)
		v = v << 8 | (unsigned char)r->left.ptr[i];
	r->left = span_skip(r->left, n);
	return v;
}

/* A vector with a length of so many bytes before it. */
static struct reader take_vector(struct reader *r, unsigned length_bytes)
{
	uint32_t n = take(r, length_bytes);
	struct reader v = {.left = span_first(r->left, n)};

	if (n > r->left.len)
		r->is_bad = v.is_bad = true;
	r->left = span_skip(r->left, n);
	return v;
}

static bool is_grease(uint32_t v)
{
	return (v & 0x0f0f) == 0x0a0a && v >> 8 == (v & 0xff);
}

static void list_add(uint16_t list[LIST_MAX], unsigned *count, uint32_t v)
{
	if (!is_grease(v) && *count < LIST_MAX)
		list[(*count)++] = (uint16_t)v;
}

static void extension_read(struct hello *h, uint32_t type, struct reader body)
{
	struct reader list;

	switch (type) {
	case EXT_SERVER_NAME:
		h->has_server = true;
		break;
	case EXT_ALPN:
		list = take_vector(&body, 2);
		h->alpn = take_vector(&list, 1).left;
		break;
	case EXT_SIGNATURES:
		list = take_vector(&body, 2);
		while (list.left.len >= 2)
			list_add(h->signatures, &h->signatures_count, take(&list, 2));
		break;
	case EXT_VERSIONS:
		list = take_vector(&body, 1);
		while (list.left.len >= 2) {
			uint32_t v = take(&list, 2);

			if (!is_grease(v) && v > h->version)
				h->version = (uint16_t)v;
		}
		break;
	default:
		break;
	}
}

static bool hello_read(struct span body, struct hello *h)
{
	struct reader r = {.left = body}, v;

	h->version = (uint16_t)take(&r, 2);
	(void)take(&r, 4); /* random, 32 bytes */
	r.left = span_skip(r.left, 28);
	(void)take_vector(&r, 1); /* session id */
	v = take_vector(&r, 2);
	while (v.left.len >= 2)
		list_add(h->ciphers, &h->ciphers_count, take(&v, 2));
	(void)take_vector(&r, 1); /* compression */
	if (r.is_bad)
		return false;
	if (span_empty(r.left))
		return true; /* no extensions at all */
	v = take_vector(&r, 2);
	while (v.left.len && !v.is_bad) {
		uint32_t type = take(&v, 2);
		struct reader ext = take_vector(&v, 2);

		if (v.is_bad)
			break;
		list_add(h->extensions, &h->extensions_count, type);
		extension_read(h, type, ext);
	}
	return !v.is_bad && !r.is_bad;
}

/* Puts the fragments of records together. MORE while the hello's end is missing. */
static enum fingerprint_result hello_bytes(struct span bytes, char buf[HELLO_MAX], struct span *ret)
{
	size_t have = 0, want = 4;

	while (have < want) {
		struct reader r = {.left = bytes};
		uint32_t type = take(&r, 1), major = take(&r, 1), n;

		(void)take(&r, 1);
		n = take(&r, 2);
		if ((bytes.len && type != RECORD_HANDSHAKE) || (bytes.len > 1 && major != 3))
			return FINGERPRINT_NONE;
		if (r.is_bad)
			return FINGERPRINT_MORE;
		if (!n || n > 16384)
			return FINGERPRINT_NONE;
		bytes = span_skip(r.left, n);
		r.left = span_first(r.left, n);
		if (have + r.left.len > HELLO_MAX)
			return FINGERPRINT_NONE;
		memcpy(buf + have, r.left.ptr, r.left.len);
		have += r.left.len;
		if (have >= 4) {
			if (buf[0] != CLIENT_HELLO)
				return FINGERPRINT_NONE;
			want = 4 + ((size_t)(unsigned char)buf[1] << 16 |
				    (size_t)(unsigned char)buf[2] << 8 | (unsigned char)buf[3]);
		}
		if (want > HELLO_MAX)
			return FINGERPRINT_NONE;
		if (r.left.len < n && have < want)
			return FINGERPRINT_MORE;
	}
	*ret = (struct span){buf + 4, want - 4};
	return FINGERPRINT_DONE;
}

static const char *version_text(uint16_t v)
{
	switch (v) {
	case 0x0304:
		return "13";
	case 0x0303:
		return "12";
	case 0x0302:
		return "11";
	case 0x0301:
		return "10";
	case 0x0300:
		return "s3";
	case 0x0002:
		return "s2";
	default:
		return "00";
	}
}

static bool is_alnum(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static void hex4(char *to, uint16_t v)
{
	for (unsigned i = 0; i < 4; i++)
		to[i] = "0123456789abcdef"[v >> (12 - 4 * i) & 15];
}

static void sort(uint16_t *v, unsigned n)
{
	for (unsigned i = 1; i < n; i++) {
		uint16_t x = v[i];
		unsigned at = i;

		for (; at > 0 && v[at - 1] > x; at--)
			v[at] = v[at - 1];
		v[at] = x;
	}
}

static void hash_list(struct sha256 *s, const uint16_t *v, unsigned n)
{
	char text[5] = ",";

	for (unsigned i = 0; i < n; i++) {
		hex4(text + 1, v[i]);
		sha256_add(s, i ? text : text + 1, i ? 5 : 4);
	}
}

/* The first 12 digits; zeroes of an empty list. */
static void hash_end(struct sha256 *s, bool is_empty, char *to)
{
	uint8_t digest[SHA256_SIZE];

	sha256_end(s, digest);
	for (unsigned i = 0; i < 12; i++)
		to[i] = is_empty ? '0' : "0123456789abcdef"[digest[i / 2] >> (i % 2 ? 0 : 4) & 15];
}

static void digits(char *to, unsigned n)
{
	if (n > 99)
		n = 99;
	to[0] = (char)('0' + n / 10);
	to[1] = (char)('0' + n % 10);
}

static void put_alpn(char *to, struct span alpn)
{
	char first = alpn.len ? alpn.ptr[0] : '0', last = alpn.len ? alpn.ptr[alpn.len - 1] : '0';

	if (!is_alnum(first) || !is_alnum(last)) { /* the hexadecimal form's ends */
		first = "0123456789abcdef"[(unsigned char)first >> 4];
		last = "0123456789abcdef"[(unsigned char)last & 15];
	}
	to[0] = first;
	to[1] = last;
}

static void ja4_write(struct hello *h, char ret[CLIENT_PRINT_MAX])
{
	unsigned kept = 0, all = h->extensions_count;
	struct sha256 s;

	memcpy(ret, "ja4:t", 5);
	memcpy(ret + 5, version_text(h->version), 2);
	ret[7] = h->has_server ? 'd' : 'i';
	digits(ret + 8, h->ciphers_count);
	digits(ret + 10, all);
	put_alpn(ret + 12, h->alpn);
	ret[14] = '_';
	sort(h->ciphers, h->ciphers_count);
	sha256_start(&s);
	hash_list(&s, h->ciphers, h->ciphers_count);
	hash_end(&s, h->ciphers_count == 0, ret + 15);
	ret[27] = '_';
	for (unsigned i = 0; i < all; i++)
		if (h->extensions[i] != EXT_SERVER_NAME && h->extensions[i] != EXT_ALPN)
			h->extensions[kept++] = h->extensions[i];
	sort(h->extensions, kept);
	sha256_start(&s);
	hash_list(&s, h->extensions, kept);
	if (h->signatures_count) {
		sha256_add(&s, "_", 1);
		hash_list(&s, h->signatures, h->signatures_count);
	}
	hash_end(&s, all == 0, ret + 28);
	ret[40] = '\0';
}

enum fingerprint_result fingerprint_tls(struct span bytes, char ret[CLIENT_PRINT_MAX])
{
	struct hello h = {0};
	char buf[HELLO_MAX];
	struct span body;
	enum fingerprint_result r;

	ret[0] = '\0';
	if (span_empty(bytes))
		return FINGERPRINT_MORE;
	r = hello_bytes(bytes, buf, &body);
	if (r != FINGERPRINT_DONE)
		return r;
	if (!hello_read(body, &h))
		return FINGERPRINT_NONE;
	ja4_write(&h, ret);
	return FINGERPRINT_DONE;
}
