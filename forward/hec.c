/*
 * hec: Splunk's HTTP Event Collector, with indexer acknowledgement where the token has it.
 *
 * https://docs.splunk.com/Documentation/Splunk/latest/Data/AboutHECIDXAck: 200 with an ackId says
 * that it was received; only {"acks":{"ID":true}} says that it is indexed. Without an ackId in the
 * answer the token does not use acknowledgement, and 200 is all there is. An id that stays false
 * for twice the timeout is taken for lost, as Splunk advises, and everything since is sent again.
 */
#include "http.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#define ASK_EVERY (NS_PER_S / 2)
#define TICKETS	  64 /* batches that wait at once */

static struct buffer body;
static char url[FORWARD_URL_MAX + 64], ack_url[FORWARD_URL_MAX + 160];
static char channel[37];
static struct {
	uint64_t ack, sent_ns;
} tickets[TICKETS]; /* in the order of sending; ack + 1 is the items' ticket */
static unsigned tickets_count;
static uint64_t asked_ns;

static void make_channel(void)
{
	unsigned char b[16] = {0};

	(void)!getrandom(b, sizeof(b), 0);
	snprintf(channel, sizeof(channel),
		 "%02x%02x%02x%02x-%02x%02x-4%x%02x-a%x%02x-%02x%02x%02x%02x%02x%02x", b[0], b[1],
		 b[2], b[3], b[4], b[5], b[6] & 15, b[7], b[8] & 15, b[9], b[10], b[11], b[12],
		 b[13], b[14], b[15]);
}

/* What comes late for an older one says nothing any more. */
static void channel_begin(struct forwarder *f)
{
	char base[FORWARD_URL_MAX + 32];

	make_channel();
	http_url(f->to->url, "/services/collector", base, sizeof(base));
	snprintf(url, sizeof(url), "%s/event", base);
	snprintf(ack_url, sizeof(ack_url), "%s/ack?channel=%s", base, channel);
}

static int open_hec(struct forwarder *f)
{
	channel_begin(f);
	return http_open(f);
}

static bool headers_make(struct forwarder *f, char lines[2][TOKEN_MAX + 48], const char *ret[3])
{
	char token[TOKEN_MAX];

	if (forward_token(f, token, sizeof(token)) < 0)
		return false;
	snprintf(lines[0], TOKEN_MAX + 48, "Authorization: Splunk %s", token);
	snprintf(lines[1], TOKEN_MAX + 48, "X-Splunk-Request-Channel: %s", channel);
	ret[0] = lines[0];
	ret[1] = lines[1];
	ret[2] = NULL;
	return true;
}

static bool add_event(struct forwarder *f, const struct item *it)
{
	return buffer_format(&body,
			     "{\"time\":%" PRIu64 ".%03" PRIu64 ",\"source\":\"outergate\","
			     "\"sourcetype\":\"outergate\",\"host\":",
			     it->head.time_ns / NS_PER_S, it->head.time_ns / NS_PER_MS % 1000) &&
	       buffer_json(&body, f->setup.host_name, strlen(f->setup.host_name)) &&
	       (!f->to->target[0] || (buffer_puts(&body, ",\"index\":") &&
				      buffer_json(&body, f->to->target, strlen(f->to->target)))) &&
	       buffer_format(&body,
			     ",\"fields\":{\"record_id\":\"%s\"},\"event\":", it->head.uid) &&
	       buffer_add(&body, it->text, it->head.len) && buffer_puts(&body, "}\n");
}

/* The ack's number of an answer, -1: there is none. */
static json_int_t ack_of(const struct http_reply *r)
{
	json_t *o = json_loadb(r->text, r->len, 0, NULL), *id = json_object_get(o, "ackId");
	json_int_t v = json_is_integer(id) ? json_integer_value(id) : -1;

	json_decref(o);
	return v;
}

static enum sent lost(struct forwarder *f)
{
	tickets_count = 0;
	channel_begin(f);
	return SENT_UNSURE;
}

static enum sent send_hec(struct forwarder *f, struct item **items, unsigned n)
{
	struct http_request q = {.url = url, .type = "application/json"};
	char lines[2][TOKEN_MAX + 48];
	const char *headers[3];
	struct http_reply r;
	json_int_t ack;
	bool taken, ok = true;
	enum sent s;

	if (tickets_count == TICKETS)
		return SENT; /* take() makes room */
	if (!headers_make(f, lines, headers))
		return SENT_RETRY;
	q.headers = headers;
	body.len = 0;
	for (unsigned i = 0; i < n && ok; i++)
		ok = add_event(f, items[i]);
	s = http_batch(f, items, n, &q, &body, ok, &r, &taken);
	if (!taken)
		return s == SENT_UNSURE ? lost(f) : s;
	ack = ack_of(&r);
	if (ack < 0) {
		forward_all(items, n, ITEM_DONE);
		return SENT;
	}
	if (tickets_count && (uint64_t)ack <= tickets[tickets_count - 1].ack) {
		forward_why(f, "the indexer counts anew: it was started again");
		return lost(f);
	}
	forward_all(items, n, ITEM_PENDING);
	for (unsigned i = 0; i < n; i++)
		items[i]->ticket = (uint64_t)ack + 1;
	tickets[tickets_count].ack = (uint64_t)ack;
	tickets[tickets_count++].sent_ns = now_ns();
	return SENT;
}

static bool is_late(const struct forwarder *f, unsigned i)
{
	return now_ns() - tickets[i].sent_ns > 2 * (uint64_t)f->to->timeout_s * NS_PER_S;
}

static enum sent take_acks(struct forwarder *f, const struct http_reply *r)
{
	json_t *o = json_loadb(r->text, r->len, 0, NULL), *acks = json_object_get(o, "acks");
	unsigned kept = 0;
	bool late = false;

	for (unsigned i = 0; i < tickets_count; i++) {
		char key[24];

		snprintf(key, sizeof(key), "%" PRIu64, tickets[i].ack);
		if (json_is_true(json_object_get(acks, key))) {
			forward_resolve(f, tickets[i].ack + 1, true, ITEM_DONE);
			continue;
		}
		late |= is_late(f, i);
		tickets[kept++] = tickets[i];
	}
	tickets_count = kept;
	json_decref(o);
	if (!late)
		return SENT;
	forward_why(f, "the indexer did not acknowledge for %u s", 2 * f->to->timeout_s);
	return lost(f);
}

static enum sent take_hec(struct forwarder *f)
{
	struct http_request q = {.url = ack_url, .type = "application/json", .plain = true};
	char lines[2][TOKEN_MAX + 48];
	const char *headers[3];
	struct http_reply r;
	bool refused;
	enum sent s;

	if (now_ns() - asked_ns < ASK_EVERY || !tickets_count)
		return SENT;
	asked_ns = now_ns();
	if (!headers_make(f, lines, headers))
		return SENT;
	q.headers = headers;
	body.len = 0;
	if (!buffer_puts(&body, "{\"acks\":["))
		return SENT;
	for (unsigned i = 0; i < tickets_count; i++)
		if (!buffer_format(&body, "%s%" PRIu64, i ? "," : "", tickets[i].ack))
			return SENT;
	if (!buffer_puts(&body, "]}"))
		return SENT;
	q.body = body.at;
	q.len = body.len;
	s = http_send(f, &q, &r, &refused);
	if (s == SENT)
		return take_acks(f, &r);
	/* Not to be had now: what waits may still be acknowledged, until it is too late. */
	if (is_late(f, 0))
		return lost(f);
	return SENT;
}

const struct protocol protocol_hec = {
	.name = "hec",
	.batch = 512,
	.bytes = 800u << 10,
	.open = open_hec,
	.send = send_hec,
	.take = take_hec,
	.close = http_close,
};
