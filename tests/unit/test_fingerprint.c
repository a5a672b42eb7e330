/* HASSH, JA4, PROXY headers, HTTP heads, and their putting together from segments. */
#include "core_world.h"

#include "common/decode/first_bytes.h"
#include "common/decode/http.h"
#include "common/decode/proxy_header.h"
#include "common/enrich/fingerprint.h"

struct bytes {
	char at[8192];
	size_t len;
};

static void put(struct bytes *b, const void *p, size_t n)
{
	memcpy(b->at + b->len, p, n);
	b->len += n;
}

static void put_number(struct bytes *b, uint32_t v, unsigned n)
{
	for (unsigned i = n; i-- > 0;) {
		char c = (char)(v >> (8 * i));

		put(b, &c, 1);
	}
}

static void put_list(struct bytes *b, const char *s)
{
	put_number(b, (uint32_t)strlen(s), 4);
	put(b, s, strlen(s));
}

/* What a client says: banner, KEXINIT (RFC 4253, 7.1). */
static struct bytes ssh_hello(const char *banner)
{
	static const char *const lists[] = {"curve25519-sha256,ext-info-c",
					    "ssh-ed25519",
					    "aes128-ctr",
					    "aes256-ctr",
					    "hmac-sha2-256",
					    "hmac-sha1",
					    "none,zlib",
					    "none",
					    "",
					    ""};
	struct bytes body = {0}, all = {0};

	put_number(&body, 4, 1); /* padding */
	put_number(&body, 20, 1);
	put(&body, "0123456789abcdef", 16);
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		put_list(&body, lists[i]);
	put(&body, "\0\0\0\0\0pppp", 9);
	put(&all, banner, strlen(banner));
	put_number(&all, (uint32_t)body.len, 4);
	put(&all, body.at, body.len);
	return all;
}

/* md5("curve25519-sha256,ext-info-c;aes128-ctr;hmac-sha2-256;none,zlib") */
#define HASSH "hassh:ca16bc239f26deec8907d35f61d8c29f"

static void an_ssh_client(void **state)
{
	struct bytes b = ssh_hello("SSH-2.0-OpenSSH_9.2p1 Debian\r\n");
	char got[CLIENT_PRINT_MAX], wanted[CLIENT_PRINT_MAX];
	struct span banner = {0};

	(void)state;
	assert_int_equal(fingerprint_ssh((struct span){b.at, b.len}, &banner, got),
			 FINGERPRINT_DONE);
	assert_true(span_is(banner, "SSH-2.0-OpenSSH_9.2p1 Debian"));
	memcpy(wanted, got, sizeof(wanted));
	assert_string_equal(got, HASSH);
	for (size_t n = 0; n < b.len; n++) {
		enum fingerprint_result r = fingerprint_ssh((struct span){b.at, n}, &banner, got);

		if (n + 20 < b.len) /* the rest is padding */
			assert_int_equal(r, FINGERPRINT_MORE);
	}
	b.at[b.len - 1] = 'x';
	assert_int_equal(fingerprint_ssh((struct span){b.at, b.len}, &banner, got),
			 FINGERPRINT_DONE);
	assert_string_equal(got, wanted);
}

static void no_ssh_client(void **state)
{
	struct bytes b = ssh_hello("SSH-2.0-x\r\n");
	char got[CLIENT_PRINT_MAX];
	struct span banner;

	(void)state;
	assert_int_equal(fingerprint_ssh(SPAN_LIT("GET / HTTP"), &banner, got), FINGERPRINT_NONE);
	assert_int_equal(fingerprint_ssh(SPAN_LIT("SSX"), &banner, got), FINGERPRINT_NONE);
	b.at[11] = 0x7f; /* the packet's length */
	assert_int_equal(fingerprint_ssh((struct span){b.at, b.len}, &banner, got),
			 FINGERPRINT_NONE);
	b = ssh_hello("SSH-2.0-x\r\n");
	b.at[16] = 21; /* another message */
	assert_int_equal(fingerprint_ssh((struct span){b.at, b.len}, &banner, got),
			 FINGERPRINT_NONE);
	b = ssh_hello("SSH-2.0-x\r\n");
	b.at[33] = 0x10; /* the first list's length */
	assert_int_equal(fingerprint_ssh((struct span){b.at, b.len}, &banner, got),
			 FINGERPRINT_NONE);
}

struct hello_how {
	bool has_server, has_alpn, has_versions, has_signatures;
	size_t record; /* bytes a record */
};

static void put_u16s(struct bytes *b, const uint16_t *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		put_number(b, v[i], 2);
}

static void put_extension(struct bytes *b, uint32_t type, const void *p, size_t n)
{
	put_number(b, type, 2);
	put_number(b, (uint32_t)n, 2);
	put(b, p, n);
}

/* The ClientHello of the example in JA4's own documentation, in any order. */
static struct bytes tls_hello(const struct hello_how *how)
{
	static const uint16_t ciphers[] = {0x3a3a, 0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f,
					   0xc02c, 0xc030, 0xcca9, 0xcca8, 0xc013, 0xc014,
					   0x009c, 0x009d, 0x002f, 0x0035};
	static const uint16_t plain[] = {0x1a1a, 0x0017, 0xff01, 0x000a, 0x000b, 0x0023, 0x0005,
					 0x0012, 0x0033, 0x002d, 0x001b, 0x4469, 0x0015};
	static const uint16_t signatures[] = {0x0403, 0x0804, 0x0401, 0x0503,
					      0x0805, 0x0501, 0x0806, 0x0601};
	struct bytes ext = {0}, body = {0}, list = {0}, all = {0}, hello = {0};

	for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++)
		put_extension(&ext, plain[i], "\0", 1);
	if (how->has_server)
		put_extension(&ext, 0, "\0\7\0\0\4host", 9);
	if (how->has_alpn)
		put_extension(&ext, 16, "\0\14\2h2\10http/1.1", 14);
	if (how->has_versions)
		put_extension(&ext, 43, "\6\x2a\x2a\3\4\3\3", 7);
	put_number(&list, sizeof(signatures), 2);
	put_u16s(&list, signatures, sizeof(signatures) / sizeof(signatures[0]));
	if (how->has_signatures)
		put_extension(&ext, 13, list.at, list.len);
	put_number(&body, 0x0303, 2);
	put(&body, "0123456789abcdef0123456789abcdef", 32);
	put_number(&body, 0, 1);
	put_number(&body, sizeof(ciphers), 2);
	put_u16s(&body, ciphers, sizeof(ciphers) / sizeof(ciphers[0]));
	put(&body, "\1\0", 2);
	put_number(&body, (uint32_t)ext.len, 2);
	put(&body, ext.at, ext.len);
	put_number(&hello, 1, 1);
	put_number(&hello, (uint32_t)body.len, 3);
	put(&hello, body.at, body.len);
	for (size_t at = 0; at < hello.len; at += how->record) {
		size_t n = hello.len - at < how->record ? hello.len - at : how->record;

		put(&all, "\x16\3\1", 3);
		put_number(&all, (uint32_t)n, 2);
		put(&all, hello.at + at, n);
	}
	return all;
}

static void says_ja4(const struct hello_how *how, const char *wanted)
{
	struct bytes b = tls_hello(how);
	char got[CLIENT_PRINT_MAX];

	assert_int_equal(fingerprint_tls((struct span){b.at, b.len}, got), FINGERPRINT_DONE);
	assert_string_equal(got, wanted);
	for (size_t n = 0; n < b.len; n++)
		assert_int_equal(fingerprint_tls((struct span){b.at, n}, got), FINGERPRINT_MORE);
}

/* The hashes were made apart, with sha256sum over the lists that the method describes. */
static void tls_clients(void **state)
{
	(void)state;
	says_ja4(&(struct hello_how){true, true, true, true, 4096},
		 "ja4:t13d1516h2_8daaf6152771_e5627efa2ab1");
	says_ja4(&(struct hello_how){true, true, true, true, 100}, /* in several records */
		 "ja4:t13d1516h2_8daaf6152771_e5627efa2ab1");
	says_ja4(&(struct hello_how){false, false, false, false, 4096},
		 "ja4:t12i151200_8daaf6152771_3399b9d609d7");
}

static void no_tls_client(void **state)
{
	struct bytes b = tls_hello(&(struct hello_how){true, true, true, true, 4096});
	char got[CLIENT_PRINT_MAX];

	(void)state;
	b.at[5] = 2; /* a server's hello */
	assert_int_equal(fingerprint_tls((struct span){b.at, b.len}, got), FINGERPRINT_NONE);
	b.at[5] = 1;
	b.at[6] = 1; /* 64 KiB long */
	assert_int_equal(fingerprint_tls((struct span){b.at, b.len}, got), FINGERPRINT_NONE);
	b.at[6] = 0;
	b.at[b.len - 20] = 0x7f; /* a list in an extension that leads outside */
	assert_int_not_equal(fingerprint_tls((struct span){b.at, b.len}, got), FINGERPRINT_MORE);
	assert_int_equal(fingerprint_tls(SPAN_LIT("SSH-2.0-x"), got), FINGERPRINT_NONE);
}

static void proxied(const void *p, size_t n, enum proxy_header_result wanted, const char *address,
		    uint16_t port)
{
	struct endpoint client;
	char text[ADDR_TEXT_MAX];
	size_t len;

	assert_int_equal(proxy_header_read((struct span){p, n}, &client, &len), wanted);
	assert_string_equal(addr_format(&client.addr, text), address);
	assert_int_equal(client.port, port);
	if (wanted == PROXY_HEADER_DONE)
		assert_true(len <= n);
}
#define LIT(s) (s), sizeof(s) - 1
#define V2     "\r\n\r\n\0\r\nQUIT\n"

static void proxy_headers(void **state)
{
	(void)state;
	proxied(LIT("PROXY TCP4 203.0.113.9 192.0.2.1 4711 22\r\nSSH-2.0-x"), PROXY_HEADER_DONE,
		"203.0.113.9", 4711);
	proxied(LIT("PROXY TCP6 2001:db8::9 2001:db8::1 4711 22\r\n"), PROXY_HEADER_DONE,
		"2001:db8::9", 4711);
	proxied(LIT("PROXY UNKNOWN\r\n"), PROXY_HEADER_DONE, "", 0);
	proxied(LIT("PROXY TCP4 203.0.113.9 192.0.2.1 4711 22"), PROXY_HEADER_MORE, "", 0);
	proxied(LIT("PROXY TCP4 203.0.113.9 192.0.2.1 4711 22\n"), PROXY_HEADER_NONE, "", 0);
	proxied(LIT("PROXY TCP4 evil 192.0.2.1 4711 22\r\n"), PROXY_HEADER_NONE, "", 0);
	proxied(LIT("PROXY TCP4 203.0.113.9 192.0.2.1 99999 22\r\n"), PROXY_HEADER_NONE, "", 0);
	proxied(LIT(V2 "\x21\x11\0\14\xcb\0\x71\x09\xc0\0\2\1\x12\x67\0\x16"), PROXY_HEADER_DONE,
		"203.0.113.9", 4711);
	proxied(LIT(V2 "\x20\x11\0\14\xcb\0\x71\x09\xc0\0\2\1\x12\x67\0\x16"), PROXY_HEADER_DONE,
		"", 0); /* LOCAL */
	proxied(LIT(V2 "\x21\x11\0\14\xcb\0\x71"), PROXY_HEADER_MORE, "", 0);
	proxied(LIT(V2 "\x31\x11\0\14\xcb\0\x71\x09\xc0\0\2\1\x12\x67\0\x16"), PROXY_HEADER_NONE,
		"", 0);
	proxied(LIT(V2 "\x21\x11\xff\xff"), PROXY_HEADER_NONE, "", 0);
	proxied(LIT("PRO"), PROXY_HEADER_MORE, "", 0);
	proxied(LIT("GET / HTTP/1.1\r\n"), PROXY_HEADER_NONE, "", 0);
}

static void requests(void **state)
{
	struct http_request q;
	uint32_t status;

	(void)state;
	assert_true(http_request_read(
		SPAN_LIT(
			"POST /v1.41/containers/create?name=x HTTP/1.1\r\nHost: h:2375\r\n"
			"USER-AGENT:  Docker-Client/20.10 \r\nX-Forwarded-For: 1.2.3.4, 5.6.7.8\r\n"
			"User-Agent: second\r\n\r\n{\"Image\":1}"),
		&q));
	assert_true(span_is(q.method, "POST"));
	assert_true(span_is(q.target, "/v1.41/containers/create?name=x"));
	assert_true(span_is(q.user_agent, "Docker-Client/20.10"));
	assert_true(span_is(q.forwarded_for, "1.2.3.4, 5.6.7.8"));
	assert_true(span_is(q.body, "{\"Image\":1}"));
	assert_true(q.is_whole);
	assert_true(http_request_read(SPAN_LIT("GET /x"), &q));
	assert_false(q.is_whole);
	assert_false(http_request_read(SPAN_LIT("GET "), &q));
	assert_false(http_request_read(SPAN_LIT("SSH-2.0-x\r\n"), &q));
	{
		char body[] = "000000000002\r\nab\r\n1;x=y\r\nc\r\n0\r\n\r\n";

		assert_int_equal(http_unchunk(body, sizeof(body) - 1), 3);
		assert_memory_equal(body, "abc", 3);
		memcpy(body, "fffffffffffffffff\r\n", 19);
		assert_true(http_unchunk(body, sizeof(body) - 1) < sizeof(body));
	}
	assert_true(http_request_read(
		SPAN_LIT("GET /x HTTP/1.1\r\nTransfer-Encoding: gzip, CHUNKED\r\n\r\n"), &q));
	assert_true(q.is_chunked);
	assert_true(http_status(SPAN_LIT("HTTP/1.1 201 Created\r\n"), &status));
	assert_int_equal(status, 201);
	assert_false(http_status(SPAN_LIT("HTTP/1.1 2xx no\r\n"), &status));
	assert_false(http_status(SPAN_LIT("HTTP/1.1 2"), &status));
}

/* --- putting segments in order */

static struct wire_data_long segment(uint64_t cookie, uint32_t off, const char *text,
				     uint32_t flags)
{
	struct wire_data_long w = {
		.head = {.off = off, .flags = flags, .len = (uint32_t)strlen(text)}};

	w.head.conn.cookie = cookie;
	memcpy(w.data, text, w.head.len);
	return w;
}

static bool feed(struct first_table *t, uint64_t cookie, uint32_t off, const char *text,
		 uint32_t flags, struct event *e)
{
	struct wire_data_long w = segment(cookie, off, text, flags);

	*e = (struct event){0};
	return first_bytes_feed(t, &w.head, w.data, e);
}

static void a_request_and_its_answer(void **state)
{
	struct first_table *t = calloc(1, sizeof(*t));
	struct event e;

	(void)state;
	assert_false(feed(t, 7, 0, "GET /version HTTP/1.1\r\nUser-A", WIRE_DATA_REQUEST, &e));
	assert_false(feed(t, 7, 29, "gent: curl/7\r\n\r\n", 0, &e));
	assert_false(feed(t, 8, 0, "HTTP/1.1 200 OK\r\n", WIRE_DATA_ANSWER, &e)); /* another's */
	assert_true(feed(t, 7, 0, "HTTP/1.1 200 OK\r\n", WIRE_DATA_ANSWER, &e));
	assert_int_equal(e.kind, EVENT_API);
	assert_int_equal(e.outcome, OUTCOME_SUCCESS);
	assert_true(span_is(e.path, "/version") && span_is(e.subject, "GET"));
	assert_true(span_is(e.client, "curl/7"));
	assert_false(feed(t, 7, 50, "HTTP/1.1 200 OK\r\n", WIRE_DATA_ANSWER, &e));
	/* the next on the same connection, sent twice; 100 is no answer yet */
	assert_false(feed(t, 7, 5000, "POST /a HTTP/1.1\r\n\r\n{", WIRE_DATA_REQUEST, &e));
	assert_false(feed(t, 7, 5000, "POST /a HTTP/1.1\r\n\r\n{", WIRE_DATA_REQUEST, &e));
	assert_false(feed(t, 7, 900, "HTTP/1.1 100 Continue\r\n", WIRE_DATA_ANSWER, &e));
	assert_false(feed(t, 7, 5021, "}", 0, &e));
	assert_true(feed(t, 7, 950, "HTTP/1.1 403 No\r\n", WIRE_DATA_ANSWER, &e));
	assert_int_equal(e.outcome, OUTCOME_REFUSED);
	assert_true(span_is(e.text, "{}"));
	free(t);
}

/* What an engine's answer says: that it is one, and the id of what it made. */
static void an_engine_answers(void **state)
{
	struct first_table *t = calloc(1, sizeof(*t));
	struct event e;

	(void)state;
	assert_false(
		feed(t, 7, 0,
		     "POST /containers/create?name=x HTTP/1.1\r\nAuthorization: x\r\n"
		     "Transfer-Encoding: Chunked\r\n\r\n5;a=b\r\n{\"Ima\r\nb\r\nge\":\"alpine\r\n"
		     "ff\r\n\"}",
		     WIRE_DATA_REQUEST, &e));
	assert_true(feed(t, 7, 0,
			 "HTTP/1.1 201 Created\r\nServer: Docker/20.10.24 (linux)\r\n\r\n"
			 "{\"Id\":\"4f5e6d\",\"Warnings\":[]}\n",
			 WIRE_DATA_ANSWER, &e));
	assert_true(span_is(e.text, "{\"Image\":\"alpine\"}"));
	assert_int_equal(e.service, SERVICE_DOCKER);
	assert_true(e.api.anonymous && span_is(e.api.container, "4f5e6d"));
	assert_false(feed(t, 8, 0, "GET /x HTTP/1.1\r\nAuthorization: x\r\n\r\n", WIRE_DATA_REQUEST,
			  &e));
	assert_true(
		feed(t, 8, 0, "HTTP/1.1 200 OK\r\nServer: nginx\r\n\r\n", WIRE_DATA_ANSWER, &e));
	assert_int_equal(e.service, SERVICE_NONE);
	assert_false(e.api.anonymous); /* nginx may have asked for it */
	assert_false(feed(t, 9, 0, "GET /x HTTP/1.1\r\n\r\n", WIRE_DATA_REQUEST, &e));
	assert_true(
		feed(t, 9, 0, "HTTP/1.1 200 OK\r\nServer: nginx\r\n\r\n", WIRE_DATA_ANSWER, &e));
	assert_true(e.api.anonymous);
	free(t);
}

static void chunks(void **state)
{
	static const struct {
		const char *in, *out;
	} rows[] = {
		{"3\r\nabc\r\n0\r\n\r\n", "abc"},
		{"3\r\nabc\r\n2\r\nde\r\n", "abcde"},
		{"ffffffffff\r\nabc", "abc"},
		{"7fffffff\r\nabc", "abc"},
		{"", ""},
		{"3", ""},
		{"x\r\nabc", ""},
		{"3\r\n", ""},
	};
	char text[64];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		strcpy(text, rows[i].in);
		if (!span_is((struct span){text, http_unchunk(text, strlen(text))}, rows[i].out))
			fail_msg("row %zu", i);
	}
}

#define PROXY_LINE "PROXY TCP4 203.0.113.9 192.0.2.1 4711 2375\r\n"
#define OK	   "HTTP/1.1 201 Created\r\nServer: Docker/20\r\n\r\n"

/* The same segment has a PROXY header and the request. */
static void a_proxy_and_a_request(void **state)
{
	struct first_table *t = calloc(1, sizeof(*t));
	struct event e;

	(void)state;
	assert_true(feed(t, 7, 0, PROXY_LINE "POST /a HTTP/1.1\r\n\r\n", 0, &e));
	assert_int_equal(e.kind, EVENT_PROXY_HEADER);
	assert_true(feed(t, 7, 0, OK, WIRE_DATA_ANSWER, &e));
	assert_int_equal(e.kind, EVENT_API);
	assert_true(span_is(e.path, "/a"));
	free(t);
}

/* Part of a body that looks like another request is none; what is complete may be followed. */
static void a_request_inside_a_body(void **state)
{
	static const struct {
		const char *head, *rest, *path;
		uint64_t lost;
	} rows[] = {
		{"POST /a HTTP/1.1\r\nContent-Length: 40\r\n\r\n{\"x\":\"",
		 "GET /_ping HTTP/1.1\"}", "/a", 0},
		{"POST /a HTTP/1.1\r\nTransfer-Encoding: Chunked\r\n\r\n40\r\n0\r\n\r\n",
		 "GET /_ping HTTP/1.1", "/a", 0},
		{"POST /a HTTP/1.1\r\nContent-Le", "GET /b HTTP/1.1\r\n\r\n", "/a", 0},
		{"POST /a HTTP/1.1\r\n\r\n", "GET /b HTTP/1.1\r\n\r\n", "/b", 1},
		{"POST /a HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}", "GET /b HTTP/1.1\r\n\r\n", "/b",
		 1},
		{"POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n",
		 "GET /b HTTP/1.1\r\n\r\n", "/b", 1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct first_table *t = calloc(1, sizeof(*t));
		uint32_t n = (uint32_t)strlen(rows[i].head);
		struct event e;

		assert_false(feed(t, 7, 0, rows[i].head, WIRE_DATA_REQUEST, &e));
		assert_false(feed(t, 7, n, rows[i].rest, WIRE_DATA_REQUEST, &e));
		assert_true(feed(t, 7, 0, OK, WIRE_DATA_ANSWER, &e));
		if (!span_is(e.path, rows[i].path) || t->lost != rows[i].lost)
			fail_msg("row %zu", i);
		free(t);
	}
}

/* Whoever has said less goes first, and a request that is lost is counted. */
static void a_crowd_costs_no_request(void **state)
{
	struct first_table *t = calloc(1, sizeof(*t));
	struct event e;

	(void)state;
	assert_false(feed(t, 7, 0, "POST /a HTTP/1.1\r\n\r\n", WIRE_DATA_REQUEST, &e));
	for (uint64_t n = 100; n < 100 + 2 * FIRST_STREAMS; n++)
		assert_false(feed(t, n, 0, "S", 0, &e));
	assert_true(feed(t, 7, 0, OK, WIRE_DATA_ANSWER, &e));
	assert_int_equal(t->lost, 0);
	for (uint64_t n = 300; n < 301 + FIRST_STREAMS; n++)
		assert_false(feed(t, n, 0, "GET / HTTP/1.1\r\n\r\n", WIRE_DATA_REQUEST, &e));
	assert_int_equal(t->lost, 1);
	free(t);
}

static void segments_in_any_shape(void **state)
{
	struct bytes b = ssh_hello("SSH-2.0-OpenSSH_9.2p1 Debian\r\n");
	struct first_table *t = calloc(1, sizeof(*t));
	struct wire_data_long w = {.head.len = 1};
	struct event e;
	unsigned told = 0;

	(void)state;
	w.head.conn.cookie = 9;
	for (uint32_t at = 0; at < b.len; at++) { /* byte by byte, each again, one too far */
		for (unsigned k = 0; k < 3; k++) {
			w.head.off = at + (k == 1 ? 5 : 0);
			w.data[0] = (uint8_t)(at + (k == 1 ? 5 : 0) < b.len ? b.at[w.head.off] : 0);
			told += first_bytes_feed(t, &w.head, w.data, &e);
		}
	}
	assert_int_equal(told, 1);
	free(t);
}

static void a_proxy_before_ssh(void **state)
{
	static const char header[] = "PROXY TCP4 203.0.113.9 192.0.2.1 4711 22\r\n";
	struct bytes b = ssh_hello("SSH-2.0-x\r\n");
	struct first_table *t = calloc(1, sizeof(*t));
	struct wire_data_long w = segment(5, 0, header, 0);
	struct event e = {0};

	(void)state;
	assert_true(first_bytes_feed(t, &w.head, w.data, &e));
	assert_int_equal(e.kind, EVENT_PROXY_HEADER);
	assert_int_equal(e.dest.port, 4711);
	w.head.off = w.head.len;
	w.head.len = (uint32_t)b.len;
	memcpy(w.data, b.at, b.len);
	assert_true(first_bytes_feed(t, &w.head, w.data, &e));
	assert_int_equal(e.kind, EVENT_CLIENT);
	assert_true(span_is(e.client, "SSH-2.0-x"));
	free(t);
}

/* More connections than places: the quietest goes, and its slot is clean. */
static void a_crowd(void **state)
{
	struct first_table *t = calloc(1, sizeof(*t));
	struct event e;

	(void)state;
	for (uint64_t n = 1; n <= FIRST_STREAMS + 1; n++)
		assert_false(feed(t, n, 0, "GET /version HTTP/1.1\r\n\r\n", WIRE_DATA_REQUEST, &e));
	assert_false(feed(t, 1, 0, "HTTP/1.1 200 OK\r\n", WIRE_DATA_ANSWER, &e));
	assert_true(feed(t, 2, 0, "HTTP/1.1 200 OK\r\n", WIRE_DATA_ANSWER, &e));
	assert_true(feed(t, FIRST_STREAMS + 1, 0, "HTTP/1.1 200 OK\r\n", WIRE_DATA_ANSWER, &e));
	free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_ssh_client),
		cmocka_unit_test(no_ssh_client),
		cmocka_unit_test(tls_clients),
		cmocka_unit_test(no_tls_client),
		cmocka_unit_test(proxy_headers),
		cmocka_unit_test(requests),
		cmocka_unit_test(a_request_and_its_answer),
		cmocka_unit_test(an_engine_answers),
		cmocka_unit_test(chunks),
		cmocka_unit_test(segments_in_any_shape),
		cmocka_unit_test(a_proxy_and_a_request),
		cmocka_unit_test(a_request_inside_a_body),
		cmocka_unit_test(a_crowd_costs_no_request),
		cmocka_unit_test(a_proxy_before_ssh),
		cmocka_unit_test(a_crowd),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
