/*
 * otlp: OTLP/HTTP logs in JSON, to an OpenTelemetry collector or whatever speaks it.
 *
 * https://opentelemetry.io/docs/specs/otlp/#otlphttp: POST /v1/logs; 200 may hold
 * {"partialSuccess":{"rejectedLogRecords":N,"errorMessage":...}}, and those are not to be sent
 * again; which ones they are is not said. 64-bit integers are text. Severity numbers are those of
 * https://opentelemetry.io/docs/specs/otel/logs/data-model/#field-severitynumber.
 *
 * The record itself is the body, as text: what the schema made of it. Its id is the attribute
 * log.record.uid, by which repeats can be dropped.
 */
#include "otlp.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const unsigned numbers[] = {9, 13, 14, 17, 21}; /* info low medium high critical */

static struct buffer body;
static char url[FORWARD_URL_MAX + 16];

static int open_otlp(struct forwarder *f)
{
	http_url(f->to->url, "/v1/logs", url, sizeof(url));
	return http_open(f);
}

static bool add_attribute(struct buffer *b, const char *key, const char *value, bool more)
{
	return buffer_format(b, "{\"key\":\"%s\",\"value\":{\"stringValue\":", key) &&
	       buffer_json(b, value, strlen(value)) && buffer_puts(b, more ? "}}," : "}}");
}

bool otlp_resource(const struct forwarder *f, struct buffer *b)
{
	return buffer_puts(b, "{\"resource\":{\"attributes\":[") &&
	       add_attribute(b, "service.name", "outergate", true) &&
	       add_attribute(b, "service.version", OUTERGATE_VERSION, true) &&
	       add_attribute(b, "host.id", f->setup.host_id, true) &&
	       add_attribute(b, "host.name", f->setup.host_name, false) && buffer_puts(b, "]}");
}

bool otlp_headers(struct forwarder *f, char *line, size_t cap)
{
	char token[TOKEN_MAX];

	line[0] = '\0';
	if (forward_token(f, token, sizeof(token)) < 0)
		return false;
	if (token[0])
		snprintf(line, cap, "Authorization: Bearer %s", token);
	return true;
}

static bool add_record(const struct item *it, bool first)
{
	uint32_t s = it->head.severity < 5 ? it->head.severity : 0;

	return buffer_format(&body,
			     "%s{\"timeUnixNano\":\"%" PRIu64
			     "\",\"observedTimeUnixNano\":\"%" PRIu64
			     "\",\"severityNumber\":%u,\"severityText\":\"%s\",\"attributes\":[",
			     first ? "" : ",", it->head.time_ns, it->head.time_ns, numbers[s],
			     forward_severity(s)) &&
	       add_attribute(&body, "log.record.uid", it->head.uid, true) &&
	       add_attribute(&body, "event.name", it->head.name, false) &&
	       buffer_puts(&body, "],\"body\":{\"stringValue\":") &&
	       buffer_json(&body, it->text, it->head.len) && buffer_puts(&body, "}}");
}

static bool fill(struct forwarder *f, struct item **items, unsigned n)
{
	bool ok;

	body.len = 0;
	ok = buffer_puts(&body, "{\"resourceLogs\":[") && otlp_resource(f, &body) &&
	     buffer_puts(&body, ",\"scopeLogs\":[{\"scope\":{\"name\":\"outergate\"},"
				"\"logRecords\":[");
	for (unsigned i = 0; i < n && ok; i++)
		ok = add_record(items[i], i == 0);
	return ok && buffer_puts(&body, "]}]}]}");
}

/* How many of them the collector did not take; it does not say which. */
static json_int_t rejected(struct forwarder *f, const struct http_reply *r)
{
	json_t *o = json_loadb(r->text, r->len, 0, NULL), *p = json_object_get(o, "partialSuccess");
	json_t *count = json_object_get(p, "rejectedLogRecords");
	const char *why = json_string_value(json_object_get(p, "errorMessage"));
	json_int_t n = json_is_string(count) ? strtoll(json_string_value(count), NULL, 10)
					     : json_integer_value(count);

	if (n > 0)
		forward_said(f, "partial success", why ? why : "", why ? strlen(why) : 0);
	json_decref(o);
	return n;
}

static enum sent send_otlp(struct forwarder *f, struct item **items, unsigned n)
{
	char line[TOKEN_MAX + 48];
	const char *headers[] = {line, NULL};
	struct http_request q = {.url = url, .type = "application/json"};
	struct http_reply r;
	bool taken;
	enum sent s;

	if (!otlp_headers(f, line, sizeof(line)))
		return SENT_RETRY;
	q.headers = line[0] ? headers : NULL;
	s = http_batch(f, items, n, &q, &body, fill(f, items, n), &r, &taken);
	if (!taken)
		return s;
	/* One by one, so that what is refused is known; the others arrive twice and are marked. */
	if (rejected(f, &r) > 0) {
		if (n > 1) {
			f->batch = 1;
			return SENT_UNSURE;
		}
		items[0]->state = ITEM_REFUSED;
		return SENT;
	}
	forward_all(items, n, ITEM_DONE);
	return SENT;
}

const struct protocol protocol_otlp = {
	.name = "otlp",
	.batch = 512,
	.bytes = 1u << 20,
	.open = open_otlp,
	.send = send_otlp,
	.metrics = otlp_metrics,
	.close = http_close,
};
