/*
 * http: see the header. The first of repeated headers counts, so that one added behind a proxy's
 * changes nothing; of X-Forwarded-For all of them would, and the caller believes a proxy only.
 *
 * Example: "GET /version HTTP/1.1\r\nHost: x\r\nUser-Agent: curl/7.88.1\r\n\r\n"
 */
#include "http.h"

#include "text.h"

static const struct span methods[] = {
	SPAN_LIT("GET "),  SPAN_LIT("POST "),  SPAN_LIT("PUT "),     SPAN_LIT("DELETE "),
	SPAN_LIT("HEAD "), SPAN_LIT("PATCH "), SPAN_LIT("OPTIONS "), SPAN_LIT("CONNECT "),
};

bool http_is_request(struct span bytes)
{
	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
		if (span_starts(bytes, methods[i]))
			return true;
	return false;
}

/* A line without its end; false when its end is not there. */
static bool line_cut(struct span *rest, struct span *ret)
{
	const char *end = rest->len ? memchr(rest->ptr, '\n', rest->len) : NULL;

	if (!end)
		return false;
	*ret = span_first(*rest, (size_t)(end - rest->ptr));
	*rest = span_skip(*rest, ret->len + 1);
	(void)text_cut_end(ret, SPAN_LIT("\r"));
	return true;
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

static bool is_header(struct span line, struct span name, struct span *value)
{
	if (line.len <= name.len || line.ptr[name.len] != ':')
		return false;
	for (size_t i = 0; i < name.len; i++)
		if (lower(line.ptr[i]) != name.ptr[i])
			return false;
	*value = text_trim_right(text_trim_left(span_skip(line, name.len + 1)));
	return true;
}

/* "gzip, Chunked": the last coding, in any case (RFC 9112, 6.1). */
static bool ends_chunked(struct span value)
{
	static const struct span word = SPAN_LIT("chunked");

	if (value.len < word.len)
		return false;
	value = span_skip(value, value.len - word.len);
	for (size_t i = 0; i < word.len; i++)
		if (lower(value.ptr[i]) != word.ptr[i])
			return false;
	return true;
}

static void header_take(struct span line, struct http_request *q)
{
	const struct {
		struct span name;
		struct span *to;
	} wanted[] = {
		{SPAN_LIT("user-agent"), &q->user_agent},
		{SPAN_LIT("host"), &q->host},
		{SPAN_LIT("x-forwarded-for"), &q->forwarded_for},
		{SPAN_LIT("upgrade"), &q->upgrade},
	};
	struct span value;

	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		if (is_header(line, wanted[i].name, &value) && span_empty(*wanted[i].to))
			*wanted[i].to = value;
	q->has_authorization |= is_header(line, SPAN_LIT("authorization"), &value);
	q->is_chunked |=
		is_header(line, SPAN_LIT("transfer-encoding"), &value) && ends_chunked(value);
	if (is_header(line, SPAN_LIT("content-length"), &value))
		(void)span_u64(value, &q->body_len);
}

bool http_request_read(struct span bytes, struct http_request *ret)
{
	struct span line, target;

	*ret = (struct http_request){0};
	if (!http_is_request(bytes))
		return false;
	if (!line_cut(&bytes, &line))
		line = span_first(bytes, 1024); /* a target longer than what is kept */
	ret->method = text_cut_word(&line);
	target = text_cut_word(&line);
	ret->target = target;
	while (line_cut(&bytes, &line)) {
		if (span_empty(line)) {
			ret->is_whole = true;
			ret->body = bytes;
			break;
		}
		header_take(line, ret);
	}
	return !span_empty(target);
}

bool http_header(struct span bytes, struct span name, struct span *ret)
{
	struct span line;

	while (line_cut(&bytes, &line) && !span_empty(line))
		if (is_header(line, name, ret))
			return true;
	return false;
}

struct span http_body(struct span bytes)
{
	struct span line;

	while (line_cut(&bytes, &line))
		if (span_empty(line))
			return bytes;
	return text_none();
}

#define CHUNK_MAX ((size_t)1 << 24) /* far above what is kept; larger sizes are as good as this */

/* RFC 9112, 7.1: a size in hex, perhaps an extension. False: no such line. */
static bool chunk_size(struct span line, size_t *ret)
{
	size_t n = 0, digits = 0;

	for (; digits < line.len; digits++) {
		char c = lower(line.ptr[digits]);

		if (text_is_digit(c))
			n = n << 4 | (size_t)(c - '0');
		else if (c >= 'a' && c <= 'f')
			n = n << 4 | (size_t)(c - 'a' + 10);
		else
			break;
		if (n > CHUNK_MAX)
			n = CHUNK_MAX;
	}
	*ret = n;
	return digits > 0;
}

/* Is the last chunk there, of size 0? */
static bool chunks_end(struct span rest)
{
	struct span line;
	size_t n;

	while (line_cut(&rest, &line) && chunk_size(line, &n)) {
		if (!n)
			return true;
		rest = span_skip(rest, n);
		(void)line_cut(&rest, &line); /* its end */
	}
	return false;
}

bool http_is_unfinished(const struct http_request *q)
{
	if (!q->is_whole)
		return true;
	return q->is_chunked ? !chunks_end(q->body) : q->body.len < q->body_len;
}

size_t http_unchunk(char *body, size_t len)
{
	struct span rest = {body, len}, line;
	size_t have = 0, n;

	while (line_cut(&rest, &line) && chunk_size(line, &n) && n) {
		n = n < rest.len ? n : rest.len;
		memmove(body + have, rest.ptr, n);
		have += n;
		rest = span_skip(rest, n);
		(void)line_cut(&rest, &line); /* its end */
	}
	return have;
}

bool http_status(struct span bytes, uint32_t *ret)
{
	static const struct span start = SPAN_LIT("HTTP/1.");
	uint64_t status;

	if (!span_starts(bytes, start) || bytes.len < 12 || bytes.ptr[8] != ' ' ||
	    !span_u64(span_first(span_skip(bytes, 9), 3), &status))
		return false;
	*ret = (uint32_t)status;
	return status >= 100;
}
