/* http: see the header. */
#include "http.h"
#include "http_curl.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <zlib.h>

static struct {
	CURL *curl;
	struct curl_slist *headers;
	char *reply;
	size_t reply_len;
	struct buffer packed;
	char ca[FILE_MAX], cert[FILE_MAX], key[FILE_MAX];
	char error[CURL_ERROR_SIZE];
	unsigned requests; /* that left for the request of now */
} http;

void http_url(const char *url, const char *path, char *ret, size_t cap)
{
	const char *host = strstr(url, "://");
	const char *slash = host ? strchr(host + 3, '/') : NULL;

	if (slash && slash[1])
		snprintf(ret, cap, "%s", url);
	else
		snprintf(ret, cap, "%.*s%s", slash ? (int)(slash - url) : (int)strlen(url), url,
			 path);
}

static size_t on_reply(char *p, size_t size, size_t n, void *arg)
{
	size_t len = size * n, room = HTTP_REPLY_MAX - http.reply_len;

	(void)arg;
	memcpy(http.reply + http.reply_len, p, len < room ? len : room);
	http.reply_len += len < room ? len : room;
	http.reply[http.reply_len] = '\0';
	return len;
}

int http_open(struct forwarder *f)
{
	if (curl_global_init(CURL_GLOBAL_DEFAULT) || !(http.curl = curl_easy_init()) ||
	    !(http.reply = malloc(HTTP_REPLY_MAX + 1))) {
		forward_why(f, "no memory for HTTP");
		return -1;
	}
	return 0;
}

void http_close(struct forwarder *f)
{
	(void)f;
	curl_slist_free_all(http.headers);
	curl_easy_cleanup(http.curl);
	free(http.reply);
	free(http.packed.at);
	curl_global_cleanup();
}

static void set_blob(CURLoption option, char *text, int len)
{
	struct curl_blob blob = {.data = text, .len = (size_t)len, .flags = CURL_BLOB_NOCOPY};

	if (len > 0)
		curl_easy_setopt(http.curl, option, &blob);
}

/* Certificates of now: libcurl makes a new connection when they are others. */
static bool set_tls(struct forwarder *f)
{
	int ca = forward_file(f, FORWARD_FILE_CA, http.ca, sizeof(http.ca));
	int cert = forward_file(f, FORWARD_FILE_CERT, http.cert, sizeof(http.cert));
	int key = forward_file(f, FORWARD_FILE_KEY, http.key, sizeof(http.key));

	if (ca < 0 || cert < 0 || key < 0)
		return false;
	if (ca > 0)
		http_curl_ca(http.curl, f, http.ca, (size_t)ca);
	set_blob(CURLOPT_SSLCERT_BLOB, http.cert, cert);
	set_blob(CURLOPT_SSLKEY_BLOB, http.key, key);
	curl_easy_setopt(http.curl, CURLOPT_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(http.curl, CURLOPT_SSL_VERIFYHOST, 2L);
	curl_easy_setopt(http.curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	if (f->to->pin[0])
		curl_easy_setopt(http.curl, CURLOPT_PINNEDPUBLICKEY, f->to->pin);
	return true;
}

static bool add_header(const char *text)
{
	struct curl_slist *more = curl_slist_append(http.headers, text);

	if (more)
		http.headers = more;
	return more != NULL;
}

/* gzip, RFC 1952: windowBits 15 and 16 more. */
static bool pack(const char *p, size_t n)
{
	z_stream z = {.next_in = (Bytef *)(uintptr_t)p, .avail_in = (uInt)n};
	char out[16384];
	int r;

	http.packed.len = 0;
	if (deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY))
		return false;
	do {
		z.next_out = (Bytef *)out;
		z.avail_out = sizeof(out);
		r = deflate(&z, Z_FINISH);
	} while (buffer_add(&http.packed, out, sizeof(out) - z.avail_out) && r == Z_OK);
	deflateEnd(&z);
	return r == Z_STREAM_END;
}

static bool set_body(struct forwarder *f, const struct http_request *q)
{
	const char *body = q->body;
	size_t len = q->len;
	char type[96];

	if (!body) {
		curl_easy_setopt(http.curl, CURLOPT_HTTPGET, 1L);
		return true;
	}
	snprintf(type, sizeof(type), "Content-Type: %s", q->type);
	if (!add_header(type) || !add_header("Expect:"))
		return false;
	if (!q->plain && !f->to->no_compression && len > 512 && pack(body, len)) {
		body = http.packed.at;
		len = http.packed.len;
		if (!add_header("Content-Encoding: gzip"))
			return false;
	}
	curl_easy_setopt(http.curl, CURLOPT_POST, 1L);
	curl_easy_setopt(http.curl, CURLOPT_POSTFIELDS, body);
	curl_easy_setopt(http.curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)len);
	return true;
}

static bool prepare(struct forwarder *f, const struct http_request *q)
{
	bool ok = true;

	curl_easy_reset(http.curl);
	curl_slist_free_all(http.headers);
	http.headers = NULL;
	http.reply_len = 0;
	http.requests = 0;
	http.reply[0] = http.error[0] = '\0';
	curl_easy_setopt(http.curl, CURLOPT_URL, q->url);
	http_curl_schemes(http.curl);
	curl_easy_setopt(http.curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(http.curl, CURLOPT_TIMEOUT, (long)f->to->timeout_s);
	curl_easy_setopt(http.curl, CURLOPT_CONNECTTIMEOUT, 10L);
	curl_easy_setopt(http.curl, CURLOPT_WRITEFUNCTION, on_reply);
	curl_easy_setopt(http.curl, CURLOPT_ERRORBUFFER, http.error);
	curl_easy_setopt(http.curl, CURLOPT_USERAGENT, "outergate/" OUTERGATE_VERSION);
	/* A proxy is the configuration's word alone. */
	curl_easy_setopt(http.curl, CURLOPT_PROXY, f->to->proxy);
	curl_easy_setopt(http.curl, CURLOPT_NOPROXY,
			 "169.254.169.254"); /* this machine's identity */
	http_curl_once(http.curl, &http.requests);
	if (q->user) {
		curl_easy_setopt(http.curl, CURLOPT_USERNAME, q->user);
		curl_easy_setopt(http.curl, CURLOPT_PASSWORD, q->password);
	}
	for (const char *const *h = q->headers; ok && h && *h; h++)
		ok = add_header(*h);
	if (!ok || !set_body(f, q)) {
		forward_why(f, "no memory for a request");
		return false;
	}
	curl_easy_setopt(http.curl, CURLOPT_HTTPHEADER, http.headers);
	return set_tls(f);
}

/* Failures before a byte of the request has left. */
static bool never_left(CURLcode r)
{
	curl_off_t up = 0;

	if (http.requests)
		return false;
	switch (r) {
	case CURLE_COULDNT_RESOLVE_PROXY:
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_CONNECT:
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_URL_MALFORMAT:
	case CURLE_UNSUPPORTED_PROTOCOL:
		return true;
	default:
		curl_easy_getinfo(http.curl, CURLINFO_SIZE_UPLOAD_T, &up);
		return up == 0 && r != CURLE_GOT_NOTHING && r != CURLE_RECV_ERROR;
	}
}

static enum sent judge_status(struct forwarder *f, long status, bool *ret_refused)
{
	curl_off_t after = 0;
	char what[48];

	if (status >= 200 && status < 300)
		return SENT;
	snprintf(what, sizeof(what), "HTTP %ld", status);
	forward_said(f, what, http.reply, http.reply_len);
	curl_easy_getinfo(http.curl, CURLINFO_RETRY_AFTER, &after);
	if (after > 0)
		f->asked_wait_ns = (uint64_t)after * NS_PER_S;
	if (status == 400 || status == 413 || status == 422)
		*ret_refused = true;
	/* These may come from something on the way that had passed it on already. */
	if (status == 408 || status == 500 || status == 502 || status == 504)
		return SENT_UNSURE;
	return SENT_RETRY;
}

enum sent http_send(struct forwarder *f, const struct http_request *q, struct http_reply *ret,
		    bool *ret_refused)
{
	CURLcode r;

	*ret_refused = false;
	f->asked_wait_ns = 0;
	*ret = (struct http_reply){0};
	if (!prepare(f, q))
		return SENT_RETRY;
	r = curl_easy_perform(http.curl);
	if (r != CURLE_OK) {
		forward_why(f, "%s", http.error[0] ? http.error : curl_easy_strerror(r));
		return never_left(r) ? SENT_RETRY : SENT_UNSURE;
	}
	curl_easy_getinfo(http.curl, CURLINFO_RESPONSE_CODE, &ret->status);
	ret->text = http.reply;
	ret->len = http.reply_len;
	return judge_status(f, ret->status, ret_refused);
}

/* A batch that was refused: cut in halves until the one is found that nobody wants. */
static enum sent halve(struct forwarder *f, struct item **items, unsigned n)
{
	if (n == 1) {
		if (!forward_may_refuse(f))
			return SENT_RETRY;
		items[0]->state = ITEM_REFUSED;
		return SENT;
	}
	f->batch = n / 2;
	return SENT; /* still queued: the first half is next */
}

enum sent http_batch(struct forwarder *f, struct item **items, unsigned n, struct http_request *q,
		     const struct buffer *body, bool filled, struct http_reply *ret,
		     bool *ret_taken)
{
	bool refused;
	enum sent s;

	*ret = (struct http_reply){0};
	*ret_taken = false;
	if (!filled) {
		forward_why(f, "no memory for a batch");
		return SENT_RETRY;
	}
	q->body = body->at;
	q->len = body->len;
	s = http_send(f, q, ret, &refused);
	if (refused)
		return halve(f, items, n);
	*ret_taken = s == SENT;
	return s;
}
