/*
 * otlp_metrics: the agent's numbers as OTLP/HTTP metrics in JSON, POST /v1/metrics, once a minute.
 *
 * https://opentelemetry.io/docs/specs/otlp/, opentelemetry/proto/metrics/v1/metrics.proto: a
 * counter is a cumulative (2), monotonic sum, anything else a gauge. A snapshot that does not
 * arrive is not sent again: the next one says more.
 */
#include "otlp.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static struct buffer body;
static char url[FORWARD_URL_MAX + 16];

static uint64_t wall_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
}

struct line {
	char name[96], label[24], value[320];
	uint64_t number;
};

/* "name 7" or "name{label="value"} 7", as common/out/metrics.c writes it. */
static bool line_read(const char *p, size_t n, struct line *ret)
{
	size_t name = strcspn(p, "{ "), at = name;

	*ret = (struct line){0};
	if (name >= sizeof(ret->name) || name >= n)
		return false;
	memcpy(ret->name, p, name);
	if (p[at] == '{') {
		const char *eq = memchr(p + at, '=', n - at);
		size_t k = 0;

		if (!eq || (size_t)(eq - p) - at - 1 >= sizeof(ret->label))
			return false;
		memcpy(ret->label, p + at + 1, (size_t)(eq - p) - at - 1);
		for (at = (size_t)(eq - p) + 2; at < n && p[at] != '"'; at++) {
			at += p[at] == '\\' && at + 1 < n;
			if (k + 1 < sizeof(ret->value))
				ret->value[k++] = p[at];
		}
		at += 2; /* quote and brace */
	}
	return at < n && sscanf(p + at, " %" SCNu64, &ret->number) == 1;
}

static bool add_point(const struct line *l, uint64_t start, uint64_t now, bool first)
{
	return buffer_format(&body,
			     "%s{\"startTimeUnixNano\":\"%" PRIu64 "\",\"timeUnixNano\":\"%" PRIu64
			     "\",\"asInt\":\"%" PRIu64 "\",\"attributes\":[",
			     first ? "" : ",", start, now, l->number) &&
	       (!l->label[0] ||
		(buffer_format(&body, "{\"key\":\"%s\",\"value\":{\"stringValue\":", l->label) &&
		 buffer_json(&body, l->value, strlen(l->value)) && buffer_puts(&body, "}}"))) &&
	       buffer_puts(&body, "]}");
}

static bool is_counter(const char *name)
{
	size_t n = strlen(name);

	return n > 6 && !strcmp(name + n - 6, "_total");
}

static bool open_metric(const char *name, bool first)
{
	return buffer_format(&body, "%s{\"name\":\"%s\",\"%s\":{%s\"dataPoints\":[",
			     first ? "" : ",", name, is_counter(name) ? "sum" : "gauge",
			     is_counter(name) ? "\"aggregationTemporality\":2,\"isMonotonic\":true,"
					      : "");
}

static bool fill(const char *text, size_t len, uint64_t start)
{
	char name[96] = "";
	uint64_t now = wall_ns();
	bool ok = true;

	for (size_t at = 0, n; at < len && ok; at += n + 1) {
		struct line l;

		n = strcspn(text + at, "\n");
		if (text[at] == '#' || !line_read(text + at, n, &l))
			continue;
		if (strcmp(name, l.name) != 0) {
			ok = (!name[0] || buffer_puts(&body, "]}}")) &&
			     open_metric(l.name, !name[0]);
			snprintf(name, sizeof(name), "%s", l.name);
			ok = ok && add_point(&l, start, now, true);
		} else {
			ok = add_point(&l, start, now, false);
		}
	}
	return ok && (!name[0] || buffer_puts(&body, "]}}"));
}

void otlp_metrics(struct forwarder *f, const char *text, size_t len)
{
	struct http_request q = {.url = url, .type = "application/json"};
	static uint64_t start;
	char line[TOKEN_MAX + 48];
	const char *headers[] = {line, NULL};
	struct http_reply r;
	bool refused;

	if (!start)
		start = wall_ns();
	http_url(f->to->url, "/v1/metrics", url, sizeof(url));
	if (strstr(url, "/v1/logs")) /* a whole path was given, for logs */
		memcpy(strstr(url, "/v1/logs"), "/v1/metrics", sizeof("/v1/metrics"));
	if (!otlp_headers(f, line, sizeof(line)))
		return;
	q.headers = line[0] ? headers : NULL;
	body.len = 0;
	if (!buffer_puts(&body, "{\"resourceMetrics\":[") || !otlp_resource(f, &body) ||
	    !buffer_puts(&body, ",\"scopeMetrics\":[{\"scope\":{\"name\":\"outergate\"},"
				"\"metrics\":[") ||
	    !fill(text, len, start) || !buffer_puts(&body, "]}]}]}"))
		return;
	q.body = body.at;
	q.len = body.len;
	(void)http_send(f, &q, &r, &refused);
}
