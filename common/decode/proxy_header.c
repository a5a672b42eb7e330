/*
 * proxy_header: see the header.
 *
 * Example: "PROXY TCP4 203.0.113.9 192.0.2.1 4711 22\r\n".
 */
#include "proxy_header.h"

#include "text.h"

#define V1_MAX	107
#define V2_HEAD 16
#define V2_MAX	(V2_HEAD + 2048) /* with its TLVs */

static const struct span v1 = SPAN_LIT("PROXY ");
static const struct span v2 = {"\r\n\r\n\0\r\nQUIT\n", 12};

static bool may_start(struct span bytes, struct span with)
{
	size_t n = bytes.len < with.len ? bytes.len : with.len;

	return memcmp(bytes.ptr ? bytes.ptr : "", with.ptr, n) == 0;
}

bool proxy_header_may_be(struct span bytes)
{
	return may_start(bytes, v1) || may_start(bytes, v2);
}

static enum proxy_header_result read_v1(struct span bytes, struct endpoint *ret, size_t *ret_len)
{
	const char *end = memchr(bytes.ptr, '\n', bytes.len);
	struct span line, family, from, port;
	uint64_t number;

	if (!end)
		return bytes.len >= V1_MAX ? PROXY_HEADER_NONE : PROXY_HEADER_MORE;
	*ret_len = (size_t)(end - bytes.ptr) + 1;
	line = span_skip(span_first(bytes, *ret_len - 1), v1.len);
	if (*ret_len > V1_MAX || !text_cut_end(&line, SPAN_LIT("\r")))
		return PROXY_HEADER_NONE;
	family = text_cut_word(&line);
	if (span_is(family, "UNKNOWN"))
		return PROXY_HEADER_DONE;
	from = text_cut_word(&line);
	(void)text_cut_word(&line);
	port = text_cut_word(&line);
	if ((!span_is(family, "TCP4") && !span_is(family, "TCP6")) ||
	    !addr_parse(from, &ret->addr, NULL) || !span_u64(port, &number) ||
	    number > UINT16_MAX) {
		ret->addr.family = ADDR_NONE;
		return PROXY_HEADER_NONE;
	}
	ret->port = (uint16_t)number;
	return PROXY_HEADER_DONE;
}

static enum proxy_header_result read_v2(struct span bytes, struct endpoint *ret, size_t *ret_len)
{
	const unsigned char *u = (const unsigned char *)bytes.ptr;
	size_t len;

	if (bytes.len < V2_HEAD)
		return PROXY_HEADER_MORE;
	len = (size_t)u[14] << 8 | u[15];
	*ret_len = V2_HEAD + len;
	if (u[12] >> 4 != 2 || (u[12] & 15) > 1 || *ret_len > V2_MAX)
		return PROXY_HEADER_NONE;
	if (bytes.len < *ret_len)
		return PROXY_HEADER_MORE;
	if ((u[12] & 15) == 0) /* LOCAL */
		return PROXY_HEADER_DONE;
	if (u[13] == 0x11 && len >= 12) {
		ret->addr = addr_from_bytes(u + V2_HEAD, 4);
		ret->port = (uint16_t)(u[V2_HEAD + 8] << 8 | u[V2_HEAD + 9]);
	} else if (u[13] == 0x21 && len >= 36) {
		ret->addr = addr_from_bytes(u + V2_HEAD, 16);
		ret->port = (uint16_t)(u[V2_HEAD + 32] << 8 | u[V2_HEAD + 33]);
	}
	return PROXY_HEADER_DONE;
}

enum proxy_header_result proxy_header_read(struct span bytes, struct endpoint *ret_client,
					   size_t *ret_len)
{
	*ret_client = (struct endpoint){0};
	*ret_len = 0;
	if (!proxy_header_may_be(bytes))
		return PROXY_HEADER_NONE;
	if (bytes.len < v1.len)
		return PROXY_HEADER_MORE;
	if (may_start(bytes, v1))
		return read_v1(bytes, ret_client, ret_len);
	return read_v2(bytes, ret_client, ret_len);
}
