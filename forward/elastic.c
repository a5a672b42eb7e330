/*
 * elastic: Elasticsearch's and OpenSearch's bulk API.
 *
 * https://www.elastic.co/docs/api/doc/elasticsearch/operation/operation-bulk: one `create` a record
 * with its id, so that a repeat is 409 and nothing is there twice; each item of the answer has a
 * status of its own: 2xx and 409 are there, 429 and 5xx are tried again, anything else is refused.
 */
#include "http.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

static struct buffer body;
static char url[FORWARD_URL_MAX + 80];

static int open_elastic(struct forwarder *f)
{
	http_url(f->to->url, "/_bulk?filter_path=items.*.status,items.*.error.reason", url,
		 sizeof(url));
	return http_open(f);
}

static bool fill(struct forwarder *f, struct item **items, unsigned n)
{
	bool ok = true;

	body.len = 0;
	for (unsigned i = 0; i < n && ok; i++)
		ok = buffer_puts(&body, "{\"create\":{\"_index\":") &&
		     buffer_json(&body, f->to->target, strlen(f->to->target)) &&
		     buffer_puts(&body, ",\"_id\":") &&
		     buffer_json(&body, items[i]->head.uid, strlen(items[i]->head.uid)) &&
		     buffer_puts(&body, "}}\n") &&
		     buffer_add(&body, items[i]->text, items[i]->head.len) &&
		     buffer_puts(&body, "\n");
	return ok;
}

static enum item_state judge_item(struct forwarder *f, json_t *entry)
{
	json_t *create = json_object_get(entry, "create");
	json_int_t status = json_integer_value(json_object_get(create, "status"));
	json_t *error = json_object_get(create, "error");
	const char *why = json_string_value(json_object_get(error, "reason"));
	char what[48];

	if ((status >= 200 && status < 300) || status == 409)
		return ITEM_DONE;
	snprintf(what, sizeof(what), "status %d of a record", (int)status);
	forward_said(f, what, why ? why : "", why ? strlen(why) : 0);
	/* 401, 403 and 404 are about us or the index: not this record's fault. */
	if (status == 429 || status >= 500 || !status || (status > 400 && status <= 404))
		return ITEM_QUEUED;
	return forward_may_refuse(f) ? ITEM_REFUSED : ITEM_QUEUED;
}

static enum sent judge_items(struct forwarder *f, struct item **items, unsigned n,
			     const struct http_reply *r)
{
	json_t *o = json_loadb(r->text, r->len, 0, NULL), *list = json_object_get(o, "items");
	enum sent s = SENT;

	if (json_array_size(list) != n) {
		forward_said(f, "an answer that is none of the bulk API", r->text, r->len);
		f->batch = n > 1 ? n / 2 : 1; /* or one that was too long */
		s = SENT_UNSURE;
	}
	for (unsigned i = 0; i < n && s != SENT_UNSURE; i++) {
		items[i]->state = judge_item(f, json_array_get(list, i));
		if (items[i]->state == ITEM_QUEUED)
			s = SENT_RETRY;
	}
	json_decref(o);
	return s;
}

static enum sent send_elastic(struct forwarder *f, struct item **items, unsigned n)
{
	struct http_request q = {.url = url, .type = "application/x-ndjson"};
	char token[TOKEN_MAX], line[TOKEN_MAX + 48];
	const char *headers[] = {line, NULL};
	struct http_reply r;
	bool taken;
	enum sent s;

	if (forward_token(f, token, sizeof(token)) < 0)
		return SENT_RETRY;
	snprintf(line, sizeof(line), "Authorization: ApiKey %s", token);
	if (f->to->user[0]) {
		q.user = f->to->user;
		q.password = token;
	} else if (token[0]) {
		q.headers = headers;
	}
	s = http_batch(f, items, n, &q, &body, fill(f, items, n), &r, &taken);
	return taken ? judge_items(f, items, n, &r) : s;
}

const struct protocol protocol_elastic = {
	.name = "elastic",
	.batch = 1024,
	.bytes = 4u << 20,
	.open = open_elastic,
	.send = send_elastic,
	.close = http_close,
};
