/*
 * clickhouse: INSERT by HTTP (https://clickhouse.com/docs/interfaces/http), one JSON object a row
 * of the table that deploy/collector/clickhouse makes: id, kind, name, time, severity, host,
 * record.
 *
 * A repeat is a row with the same id, which ReplacingMergeTree merges. A batch is one block and
 * goes in whole or not at all; insert_deduplication_token has replicated tables drop it already.
 */
#include "http.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/out/privacy.h"

static struct buffer body;
static char url[FORWARD_URL_MAX + 512];

static int open_clickhouse(struct forwarder *f)
{
	char base[FORWARD_URL_MAX + 16];

	for (const char *p = f->to->target; *p; p++)
		if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.",
			    *p)) {
			forward_why(f, "target: not the name of a table");
			return -1;
		}
	http_url(f->to->url, "/", base, sizeof(base));
	snprintf(url, sizeof(url),
		 "%s%squery=INSERT%%20INTO%%20%s%%20FORMAT%%20JSONEachRow"
		 "&input_format_skip_unknown_fields=1&date_time_input_format=best_effort",
		 base, strchr(base, '?') ? "&" : "?", f->to->target);
	return http_open(f);
}

static bool add_row(struct forwarder *f, const struct item *it)
{
	static const char *const kinds[] = {"", "alert", "session", "", "event"};

	return buffer_format(
		       &body,
		       "{\"id\":\"%s\",\"kind\":\"%s\",\"name\":\"%s\",\"time\":\"%" PRIu64
		       ".%09" PRIu64 "\",\"severity\":\"%s\",\"host_id\":\"%s\",\"host_name\":",
		       it->head.uid, it->head.what <= 4 ? kinds[it->head.what] : "", it->head.name,
		       it->head.time_ns / NS_PER_S, it->head.time_ns % NS_PER_S,
		       forward_severity(it->head.severity), f->setup.host_id) &&
	       buffer_json(&body, f->setup.host_name, strlen(f->setup.host_name)) &&
	       buffer_puts(&body, ",\"record\":") && buffer_json(&body, it->text, it->head.len) &&
	       buffer_puts(&body, "}\n");
}

/* Of all their ids: another batch is another block. */
static uint64_t hash_of(struct item **items, unsigned n)
{
	uint64_t h = n;

	for (unsigned i = 0; i < n; i++)
		h = privacy_hash((struct span){items[i]->head.uid, strlen(items[i]->head.uid)}, h);
	return h;
}

static enum sent send_clickhouse(struct forwarder *f, struct item **items, unsigned n)
{
	struct http_request q = {.type = "application/x-ndjson"};
	char token[TOKEN_MAX], to[sizeof(url) + 128];
	struct http_reply r;
	bool taken, ok = true;
	enum sent s;

	if (forward_token(f, token, sizeof(token)) < 0)
		return SENT_RETRY;
	if (f->to->user[0]) {
		q.user = f->to->user;
		q.password = token;
	}
	snprintf(to, sizeof(to), "%s&insert_deduplication_token=%016" PRIx64 "_%u", url,
		 hash_of(items, n), n);
	q.url = to;
	body.len = 0;
	for (unsigned i = 0; i < n && ok; i++)
		ok = add_row(f, items[i]);
	s = http_batch(f, items, n, &q, &body, ok, &r, &taken);
	if (taken)
		forward_all(items, n, ITEM_DONE);
	return s;
}

const struct protocol protocol_clickhouse = {
	.name = "clickhouse",
	.batch = 2048,
	.bytes = 4u << 20,
	.open = open_clickhouse,
	.send = send_clickhouse,
	.close = http_close,
};
