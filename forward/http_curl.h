/*
 * http_curl: what libcurl is told in other words since 7.85; Debian 11 has 7.74.
 * Sources: curl_easy_setopt(3) and the pages of the options it lists, "AVAILABILITY".
 */
#ifndef OUTERGATE_FORWARD_HTTP_CURL_H
#define OUTERGATE_FORWARD_HTTP_CURL_H

#include <curl/curl.h>

#include "forward.h"

/* Nothing but http and https, whatever the address says. */
void http_curl_schemes(CURL *c);

/* The authorities of PEM text[len] and no others; text and f must live until the request is done.
 */
void http_curl_ca(CURL *c, struct forwarder *f, char *text, size_t len);

/*
 * *requests counts what has left for the request of now, which must be one: libcurl sends it once
 * more by itself when a connection that was used before ends without an answer, and that would be
 * a repeat that says nothing of it. requests must live until the request is done.
 */
void http_curl_once(CURL *c, unsigned *requests);

#endif
