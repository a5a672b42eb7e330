/*
 * kafka: librdkafka, idempotent and acks=all: each record is reported by itself when all in-sync
 * replicas have it. The key is the host's id, so that a partition keeps one host's order; the
 * record's id is in the header "id", the name in "name".
 *
 * https://github.com/confluentinc/librdkafka/blob/master/CONFIGURATION.md
 */
#include "answer.h"
#include "forward.h"

#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <string.h>

static rd_kafka_t *producer;
static bool fatal, down;

struct option {
	const char *name, *value;
};

static void on_report(rd_kafka_t *rk, const rd_kafka_message_t *m, void *arg)
{
	struct forwarder *f = arg;
	uint64_t ticket = (uint64_t)(uintptr_t)m->_private;

	(void)rk;
	if (!m->err) {
		forward_resolve(f, ticket, true, ITEM_DONE);
		return;
	}
	forward_why(f, "%s", rd_kafka_err2str(m->err));
	switch (m->err) {
	case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
	case RD_KAFKA_RESP_ERR_INVALID_MSG:
	case RD_KAFKA_RESP_ERR_INVALID_MSG_SIZE:
	case RD_KAFKA_RESP_ERR_INVALID_RECORD:
		forward_resolve(f, ticket, true, ITEM_REFUSED);
		break;
	default:
		fatal = true; /* whether it is there is not known: all of it again */
	}
}

static void on_error(rd_kafka_t *rk, int err, const char *why, void *arg)
{
	(void)rk;
	forward_said(arg, "Kafka", why, strlen(why));
	down |= err == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN;
	/* Files may be others by now: a new producer reads them. */
	if (err == RD_KAFKA_RESP_ERR__SSL || err == RD_KAFKA_RESP_ERR__AUTHENTICATION)
		fatal = true;
}

static void on_log(const rd_kafka_t *rk, int level, const char *facility, const char *text)
{
	(void)rk, (void)level, (void)facility, (void)text; /* on_error has what matters */
}

static bool set(struct forwarder *f, rd_kafka_conf_t *c, const char *name, const char *value)
{
	char err[160];

	if (rd_kafka_conf_set(c, name, value, err, sizeof(err)) == RD_KAFKA_CONF_OK)
		return true;
	forward_why(f, "%s", err);
	return false;
}

static bool set_file(struct forwarder *f, rd_kafka_conf_t *c, enum forward_file which,
		     const char *name)
{
	static char text[FILE_MAX];
	int n = forward_file(f, which, text, sizeof(text));

	return n == 0 || (n > 0 && set(f, c, name, text));
}

static bool set_security(struct forwarder *f, rd_kafka_conf_t *c)
{
	const struct config_forwarder *to = f->to;
	bool sasl = to->user[0] != '\0';
	/* A password goes by TLS, or to this host itself (checked by the configuration). */
	bool tls = to->files[FORWARD_FILE_CA][0] || to->files[FORWARD_FILE_CERT][0] ||
		   (sasl && strncmp(to->url, "127.0.0.1:", 10) != 0);
	char secret[TOKEN_MAX] = "";

	if (sasl && forward_token(f, secret, sizeof(secret)) < 0)
		return false;
	return (!tls && !sasl) ||
	       (set(f, c, "security.protocol",
		    sasl ? tls ? "sasl_ssl" : "sasl_plaintext" : "ssl") &&
		(!tls || set(f, c, "ssl.endpoint.identification.algorithm", "https")) &&
		set_file(f, c, FORWARD_FILE_CA, "ssl.ca.pem") &&
		set_file(f, c, FORWARD_FILE_CERT, "ssl.certificate.pem") &&
		set_file(f, c, FORWARD_FILE_KEY, "ssl.key.pem") &&
		(!sasl ||
		 (set(f, c, "sasl.mechanism", "SCRAM-SHA-512") &&
		  set(f, c, "sasl.username", to->user) && set(f, c, "sasl.password", secret))));
}

static bool start(struct forwarder *f)
{
	static const struct option options[] = {
		{"enable.idempotence", "true"},
		{"acks", "all"},
		{"message.timeout.ms", "0"}, /* for ever: the outbox has it as long */
		{"linger.ms", "20"},
		{"queue.buffering.max.messages", "8192"},
		{"client.id", "outergate"},
		{"socket.keepalive.enable", "true"},
		{"reconnect.backoff.max.ms", "30000"},
	};
	rd_kafka_conf_t *c = rd_kafka_conf_new();
	char err[160];
	bool ok = c && set(f, c, "bootstrap.servers", f->to->url) && set_security(f, c) &&
		  set(f, c, "compression.codec", f->to->no_compression ? "none" : "gzip");

	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]) && ok; i++)
		ok = set(f, c, options[i].name, options[i].value);
	if (ok) {
		rd_kafka_conf_set_dr_msg_cb(c, on_report);
		rd_kafka_conf_set_error_cb(c, on_error);
		rd_kafka_conf_set_log_cb(c, on_log);
		rd_kafka_conf_set_opaque(c, f);
		producer = rd_kafka_new(RD_KAFKA_PRODUCER, c, err, sizeof(err));
		if (producer)
			return true;
		forward_why(f, "%s", err);
	}
	if (c)
		rd_kafka_conf_destroy(c);
	return false;
}

static int open_kafka(struct forwarder *f)
{
	(void)f;
	return 0;
}

static void stop(int flush_ms)
{
	if (!producer)
		return;
	if (flush_ms)
		rd_kafka_flush(producer, flush_ms);
	rd_kafka_purge(producer, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
	rd_kafka_poll(producer, 0);
	rd_kafka_destroy(producer);
	producer = NULL;
}

static enum sent send_kafka(struct forwarder *f, struct item **items, unsigned n)
{
	static uint64_t ticket;

	if (!producer && !start(f))
		return SENT_RETRY;
	for (unsigned i = 0; i < n; i++) {
		const struct item *it = items[i];
		rd_kafka_resp_err_t r;

		items[i]->ticket = ++ticket;
		r = rd_kafka_producev(
			producer, RD_KAFKA_V_TOPIC(f->to->target),
			RD_KAFKA_V_KEY(f->setup.host_id, strlen(f->setup.host_id)),
			RD_KAFKA_V_VALUE((void *)(uintptr_t)it->text, it->head.len),
			RD_KAFKA_V_HEADER("id", it->head.uid, (ssize_t)strlen(it->head.uid)),
			RD_KAFKA_V_HEADER("name", it->head.name, (ssize_t)strlen(it->head.name)),
			RD_KAFKA_V_TIMESTAMP((int64_t)(it->head.time_ns / NS_PER_MS)),
			RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
			RD_KAFKA_V_OPAQUE((void *)(uintptr_t)ticket), RD_KAFKA_V_END);
		if (!r) {
			items[i]->state = ITEM_PENDING;
		} else if (r == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE) {
			forward_why(f, "%s", rd_kafka_err2str(r));
			items[i]->state = ITEM_REFUSED;
		} else {
			forward_why(f, "%s", rd_kafka_err2str(r));
			return SENT_RETRY; /* its queue is full: the rest later */
		}
	}
	return SENT;
}

static enum sent take_kafka(struct forwarder *f)
{
	rd_kafka_poll(producer, 0);
	if (down)
		answer_state(f, true);
	down = false;
	if (!fatal && rd_kafka_fatal_error(producer, NULL, 0) == RD_KAFKA_RESP_ERR_NO_ERROR)
		return SENT;
	fatal = false;
	stop(0);
	fatal = false; /* of what was purged */
	return f->pending ? SENT_UNSURE : SENT;
}

static void close_kafka(struct forwarder *f)
{
	stop(f->pending ? 2000 : 0);
}

const struct protocol protocol_kafka = {
	.name = "kafka",
	.batch = 1024,
	.bytes = 4u << 20,
	.open = open_kafka,
	.send = send_kafka,
	.take = take_kafka,
	.close = close_kafka,
};
