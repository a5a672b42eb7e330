/*
 * sentinel: Microsoft Sentinel by the Logs Ingestion API.
 *
 * https://learn.microsoft.com/azure/azure-monitor/logs/logs-ingestion-api-overview: POST
 * {endpoint}/dataCollectionRules/{rule}/streams/{stream}?api-version=2023-01-01, a JSON array of at
 * most 1 MB, 204. The token is of an application (client credentials) or of the machine's managed
 * identity, and is asked for again before it ends and whenever it is refused.
 */
#include "http.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TOKEN_EARLY (300 * NS_PER_S)
#define IDENTITY_URL                                                                               \
	"http://169.254.169.254/metadata/identity/oauth2/token?api-version=2018-02-01"             \
	"&resource=https%3A%2F%2Fmonitor.azure.com"

static struct buffer body;
static char url[FORWARD_URL_MAX + 256], token_url[FORWARD_URL_MAX + 64];
static char token[8192];
static uint64_t token_until_ns;

static int open_sentinel(struct forwarder *f)
{
	const struct config_forwarder *c = f->to;
	size_t n = strlen(c->url);

	snprintf(url, sizeof(url), "%.*s/dataCollectionRules/%s/streams/%s?api-version=2023-01-01",
		 (int)(n && c->url[n - 1] == '/' ? n - 1 : n), c->url, c->rule, c->target);
	if (c->token_url[0])
		snprintf(token_url, sizeof(token_url), "%s", c->token_url);
	else if (c->client[0])
		snprintf(token_url, sizeof(token_url),
			 "https://login.microsoftonline.com/%s/oauth2/v2.0/token", c->tenant);
	else
		snprintf(token_url, sizeof(token_url), "%s", IDENTITY_URL);
	return http_open(f);
}

static bool take_token(struct forwarder *f, const struct http_reply *r)
{
	json_t *o = json_loadb(r->text, r->len, 0, NULL);
	const char *t = json_string_value(json_object_get(o, "access_token"));
	json_t *in = json_object_get(o, "expires_in"); /* a number, or text from the identity */
	json_int_t s = json_is_string(in) ? strtoll(json_string_value(in), NULL, 10)
					  : json_integer_value(in);
	bool ok = t && s > 0 && s < 1000000 &&
		  snprintf(token, sizeof(token), "%s", t) < (int)sizeof(token) &&
		  !strpbrk(token, "\r\n");

	if (ok)
		token_until_ns = now_ns() + (uint64_t)s * NS_PER_S;
	else
		forward_why(f, "an answer of the identity service that holds no token");
	json_decref(o);
	return ok;
}

static bool add_quoted(const char *key, const char *value)
{
	bool ok = buffer_puts(&body, key);

	for (; *value && ok; value++) {
		char c = *value;
		bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
			     (c >= '0' && c <= '9') || strchr("-_.~", c);

		ok = buffer_format(&body, plain ? "%c" : "%%%02X", (unsigned char)c);
	}
	return ok;
}

static enum sent token_get(struct forwarder *f)
{
	static const char *const metadata[] = {"Metadata: true", NULL};
	struct http_request q = {
		.url = token_url, .type = "application/x-www-form-urlencoded", .plain = true};
	char secret[TOKEN_MAX];
	struct http_reply r;
	bool refused;

	if (token[0] && now_ns() + TOKEN_EARLY < token_until_ns)
		return SENT;
	token[0] = '\0';
	if (!f->to->client[0]) {
		q.headers = metadata;
	} else {
		body.len = 0;
		if (forward_token(f, secret, sizeof(secret)) < 0)
			return SENT_RETRY;
		if (!add_quoted("grant_type=client_credentials&client_id=", f->to->client) ||
		    !add_quoted("&client_secret=", secret) ||
		    !add_quoted("&scope=", "https://monitor.azure.com/.default"))
			return SENT_RETRY;
		q.body = body.at;
		q.len = body.len;
	}
	if (http_send(f, &q, &r, &refused) != SENT || !take_token(f, &r))
		return SENT_RETRY; /* no record has left */
	return SENT;
}

/* Rows of the stream that deploy/collector/sentinel declares: the records themselves. */
static bool fill(struct item **items, unsigned n)
{
	bool ok;

	body.len = 0;
	ok = buffer_puts(&body, "[");
	for (unsigned i = 0; i < n && ok; i++)
		ok = buffer_puts(&body, i ? "," : "") &&
		     buffer_add(&body, items[i]->text, items[i]->head.len);
	return ok && buffer_puts(&body, "]");
}

static enum sent send_sentinel(struct forwarder *f, struct item **items, unsigned n)
{
	struct http_request q = {.url = url, .type = "application/json"};
	static char line[sizeof(token) + 32];
	const char *headers[] = {line, NULL};
	struct http_reply r;
	bool taken;
	enum sent s = token_get(f);

	if (s != SENT)
		return s;
	snprintf(line, sizeof(line), "Authorization: Bearer %s", token);
	q.headers = headers;
	s = http_batch(f, items, n, &q, &body, fill(items, n), &r, &taken);
	if (r.status == 401)
		token[0] = '\0';
	if (taken)
		forward_all(items, n, ITEM_DONE);
	return s;
}

const struct protocol protocol_sentinel = {
	.name = "sentinel",
	.batch = 512,
	.bytes = 900u << 10, /* 1 MB with what is around each */
	.open = open_sentinel,
	.send = send_sentinel,
	.close = http_close,
};
