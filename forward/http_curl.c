/* http_curl: see the header. */
#include "http_curl.h"

#include "tls.h"

#if LIBCURL_VERSION_NUM >= 0x075500

void http_curl_schemes(CURL *c)
{
	curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
}

void http_curl_ca(CURL *c, struct forwarder *f, char *text, size_t len)
{
	struct curl_blob blob = {.data = text, .len = len, .flags = CURL_BLOB_NOCOPY};

	(void)f;
	curl_easy_setopt(c, CURLOPT_CAPATH, NULL); /* the system's, which libcurl would add */
	curl_easy_setopt(c, CURLOPT_CAINFO_BLOB, &blob);
}

static int on_leaving(void *arg, char *peer, char *local, int peer_port, int local_port)
{
	unsigned *requests = arg;

	(void)peer, (void)local, (void)peer_port, (void)local_port;
	return (*requests)++ ? CURL_PREREQFUNC_ABORT : CURL_PREREQFUNC_OK;
}

void http_curl_once(CURL *c, unsigned *requests)
{
	curl_easy_setopt(c, CURLOPT_PREREQFUNCTION, on_leaving);
	curl_easy_setopt(c, CURLOPT_PREREQDATA, requests);
}

#else

void http_curl_schemes(CURL *c)
{
	curl_easy_setopt(c, CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
	curl_easy_setopt(c, CURLOPT_REDIR_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
}

static CURLcode on_context(CURL *c, void *context, void *arg)
{
	(void)c;
	return tls_use_ca(arg, context) ? CURLE_OK : CURLE_SSL_CACERT_BADFILE;
}

void http_curl_ca(CURL *c, struct forwarder *f, char *text, size_t len)
{
	(void)text, (void)len; /* tls_use_ca() reads the same file */
	curl_easy_setopt(c, CURLOPT_CAPATH, NULL);
	curl_easy_setopt(c, CURLOPT_CAINFO, NULL);
	curl_easy_setopt(c, CURLOPT_SSL_CTX_FUNCTION, on_context);
	curl_easy_setopt(c, CURLOPT_SSL_CTX_DATA, f);
}

static int on_word(CURL *c, curl_infotype type, char *text, size_t len, void *arg)
{
	unsigned *requests = arg;

	(void)c, (void)text, (void)len;
	*requests += type == CURLINFO_HEADER_OUT;
	return 0;
}

void http_curl_once(CURL *c, unsigned *requests)
{
	curl_easy_setopt(c, CURLOPT_FRESH_CONNECT, 1L); /* nobody can refuse the repeat there */
	curl_easy_setopt(c, CURLOPT_VERBOSE, 1L);
	curl_easy_setopt(c, CURLOPT_DEBUGFUNCTION, on_word);
	curl_easy_setopt(c, CURLOPT_DEBUGDATA, requests);
}

#endif
