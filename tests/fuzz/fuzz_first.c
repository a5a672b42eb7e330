/*
 * fuzz_first: any bytes as the segments of a few connections, in any order and of any length,
 * through first_bytes_feed(); and whole through each reader. Every part of an event must lie in the
 * table. After "METHOD TARGET\n" the rest is the body of a request to each API.
 */
#include "fuzz.h"

#include "common/decode/api_words.h"
#include "common/decode/first_bytes.h"
#include "common/decode/http.h"
#include "common/decode/proxy_header.h"

static void check_span(const struct first_table *t, struct span s)
{
	const char *from = (const char *)t;

	CHECK(s.len == 0 || (s.ptr >= from && s.ptr + s.len <= from + sizeof(*t)));
}

static void whole(const uint8_t *data, size_t size)
{
	char *copy = malloc(size + 1), text[CLIENT_PRINT_MAX];
	struct span all = {copy, size}, banner = {0};
	struct http_request q;
	struct endpoint client;
	uint32_t status;
	size_t len;

	CHECK(copy);
	memcpy(copy, data, size);
	if (fingerprint_ssh(all, &banner, text) == FINGERPRINT_DONE)
		CHECK(strlen(text) == 38 && banner.len <= 255);
	if (fingerprint_tls(all, text) == FINGERPRINT_DONE)
		CHECK(strlen(text) == 40);
	if (proxy_header_read(all, &client, &len) == PROXY_HEADER_DONE)
		CHECK(len <= size);
	if (http_request_read(all, &q))
		CHECK(q.target.len && q.target.len + q.method.len + q.body.len <= size);
	/* The first half is the server's. */
	rfb_read(span_first(all, size / 2), span_skip(all, size / 2));
	rfb_may_be(all);
	if (http_status(all, &status))
		CHECK(status >= 100 && status <= 999);
	free(copy);
}

static void check_within(struct span s, struct span a, const struct api_words *w)
{
	const char *from = (const char *)w;

	CHECK(s.len == 0 || (s.ptr >= from && s.ptr + s.len <= from + sizeof(*w)) ||
	      (s.ptr >= a.ptr && s.ptr + s.len <= a.ptr + a.len));
}

static void request(const uint8_t *data, size_t size, enum service service)
{
	char *copy = malloc(size + 1);
	struct api_words *w = calloc(1, sizeof(*w));
	struct span all = {copy, size};
	const char *space, *line;
	struct event e = {.service = service};

	CHECK(copy && w);
	memcpy(copy, data, size);
	space = memchr(copy, ' ', size);
	line = space ? memchr(space, '\n', size - (size_t)(space - copy)) : NULL;
	if (line) {
		e.subject = (struct span){copy, (size_t)(space - copy)};
		e.path = (struct span){space + 1, (size_t)(line - space - 1)};
		e.text = (struct span){line + 1, size - (size_t)(line + 1 - copy)};
		api_read(w, &e);
		CHECK(e.api.action < API_ACTION_COUNT);
		check_within(e.api.container, all, w);
		check_within(e.api.image, all, w);
		check_within(e.api.detail, all, w);
		check_within(e.args, all, w);
	}
	free(w);
	free(copy);
}

/* A byte says which connection and direction, two the place, one the length. */
static void segments(struct first_table *t, const uint8_t *data, size_t size)
{
	while (size > 4) {
		struct wire_data_head w = {.flags = data[0] >> 4 & 3};
		struct event e = {0};
		size_t n = data[3];

		w.conn.cookie = 1 + (data[0] & 3);
		w.off = (uint32_t)data[1] << 4 | data[2];
		data += 4;
		size -= 4;
		if (n > size)
			n = size;
		w.len = (uint32_t)n;
		if (first_bytes_feed(t, &w, data, &e)) {
			CHECK(e.kind == EVENT_CLIENT || e.kind == EVENT_API ||
			      e.kind == EVENT_PROXY_HEADER ||
			      (e.kind == EVENT_ATTEMPT && e.service == SERVICE_VNC));
			check_span(t, e.client);
			check_span(t, e.path);
			check_span(t, e.subject);
			check_span(t, e.via);
			check_span(t, e.text);
			CHECK(e.fingerprint.len < CLIENT_PRINT_MAX);
		}
		data += n;
		size -= n;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct first_table *t = calloc(1, sizeof(*t));

	CHECK(t);
	whole(data, size);
	request(data, size, SERVICE_DOCKER);
	request(data, size, SERVICE_KUBELET);
	request(data, size, SERVICE_KUBE_API);
	segments(t, data, size);
	free(t);
	return 0;
}
