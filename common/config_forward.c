/*
 * config_forward: the rows of `Forwarders`, and what of a row cannot work: a URL that is none of
 * its kind, a secret over a clear connection, a name given twice.
 */
#include "config_forward.h"
#include "config_reader.h"

#include <stddef.h>

#define TIMEOUT_S 30

static const char *const schemas[] = {"outergate", "ecs", "ocsf", "cef", NULL};
static const char *const whats[] = {"alerts", "sessions", "events", "metrics", NULL};
static const char *const compressions[] = {"gzip", "none", NULL};
static const char *const severities[] = {"info", "low", "medium", "high", "critical", NULL};

/* What a URL of each kind begins with; the first is the usual one. */
static const struct {
	const char *secure, *clear; /* NULL: a list of host:port */
	const char *target;	    /* when none is given; NULL: it must be */
	enum forward_schema schema;
} rules[FORWARD_KINDS] = {
	[FORWARD_OTLP] = {"https://", "http://", "", FORWARD_SCHEMA_OUTERGATE},
	[FORWARD_KAFKA] = {NULL, NULL, "outergate", FORWARD_SCHEMA_OUTERGATE},
	[FORWARD_SYSLOG] = {"tls://", "tcp://", "", FORWARD_SCHEMA_OUTERGATE},
	[FORWARD_RELP] = {"tls://", "tcp://", "", FORWARD_SCHEMA_OUTERGATE},
	[FORWARD_HEC] = {"https://", "http://", "", FORWARD_SCHEMA_OUTERGATE},
	[FORWARD_ELASTIC] = {"https://", "http://", "logs-outergate-default", FORWARD_SCHEMA_ECS},
	[FORWARD_SENTINEL] = {"https://", "http://", "Custom-Outergate", FORWARD_SCHEMA_OUTERGATE},
	[FORWARD_PROMETHEUS] = {NULL, NULL, "", FORWARD_SCHEMA_OUTERGATE},
	[FORWARD_CLICKHOUSE] = {"https://", "http://", "outergate.records",
				FORWARD_SCHEMA_OUTERGATE},
};

#define AT(field) offsetof(struct config_forwarder, field)

static int item_what(struct config_reader *r, const struct config_key *k, void *item)
{
	unsigned v = 0;
	int err = read_word(r, &(struct config_key){.name = k->name, .words = whats}, &v);

	*(uint8_t *)item = (uint8_t)v;
	return err;
}

/* One more than the word's number: 0 is that none was written. */
static int read_schema(struct config_reader *r, const struct config_key *k, void *base)
{
	struct config_forwarder *f = base;
	unsigned v = 0;
	int err = read_word(r, &(struct config_key){.name = k->name, .words = schemas}, &v);

	f->schema = v + 1;
	return err;
}

static bool is_plain(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '_';
}

static int read_name(struct config_reader *r, const struct config_key *k, void *base)
{
	int err = read_text(r, k, base);

	for (const char *p = (const char *)base + k->at; !err && *p; p++)
		if (!is_plain(*p))
			return reader_fail_value(r, k, "letters, digits, - and _");
	return err;
}

static const struct config_list send_list = {
	.count_at = AT(send_count),
	.item_size = sizeof(uint8_t),
	.max = 4,
};

#define FILE_KEY(word, which)                                                                      \
	{                                                                                          \
		"Forwarders." word, .read = read_path, .at = AT(files[which]),                     \
				    .cap = FORWARD_FILE_MAX                                        \
	}
#define TEXT_KEY(word, field)                                                                      \
	{                                                                                          \
		"Forwarders." word, .read = read_text, .at = AT(field),                            \
				    .cap = sizeof(((struct config_forwarder *)0)->field)           \
	}

const struct config_key config_forward_keys[] = {
	{"Forwarders.name", .read = read_name, .at = AT(name), .cap = FORWARD_NAME_MAX,
	 .required = true},
	{"Forwarders.kind", .read = read_word, .at = AT(kind), .words = forward_kinds,
	 .required = true},
	{"Forwarders.url", .read = read_text, .at = AT(url), .cap = FORWARD_URL_MAX,
	 .required = true},
	{"Forwarders.schema", .read = read_schema},
	{"Forwarders.send", .read = read_list, .at = AT(send), .list = &send_list,
	 .item = item_what},
	{"Forwarders.severity", .read = read_word, .at = AT(severity), .words = severities},
	FILE_KEY("ca", FORWARD_FILE_CA),
	FILE_KEY("cert", FORWARD_FILE_CERT),
	FILE_KEY("key", FORWARD_FILE_KEY),
	FILE_KEY("secret", FORWARD_FILE_TOKEN),
	TEXT_KEY("user", user),
	TEXT_KEY("pin", pin),
	TEXT_KEY("server_name", server_name),
	TEXT_KEY("proxy", proxy),
	TEXT_KEY("target", target),
	TEXT_KEY("rule", rule),
	TEXT_KEY("tenant", tenant),
	TEXT_KEY("client", client),
	TEXT_KEY("token_url", token_url),
	{"Forwarders.compression", .read = read_word_bool, .at = AT(no_compression),
	 .words = compressions},
	{"Forwarders.pseudonymise", .read = read_bool, .at = AT(pseudonymise)},
	{"Forwarders.timeout", .read = read_seconds32, .at = AT(timeout_s), .min = 1, .max = 600},
	{0},
};

static bool begins(const char *s, const char *with)
{
	return !strncmp(s, with, strlen(with));
}

static bool is_loopback(const char *rest)
{
	struct span host = {rest, strcspn(rest, rest[0] == '[' ? "]" : ":/")};
	struct addr a;

	if (rest[0] == '[')
		host = span_skip(host, 1);
	return span_is(host, "localhost") ||
	       (addr_parse(host, &a, NULL) && scope_of(&a, NULL) == SCOPE_LOOPBACK);
}

/* What a kind does not look at is an error: a pin that nobody checks is worse than none. */
static int check_unused(struct config_reader *r, const struct config_forwarder *f)
{
	bool stream = f->kind == FORWARD_SYSLOG || f->kind == FORWARD_RELP;
	bool http = !stream && f->kind != FORWARD_KAFKA && f->kind != FORWARD_PROMETHEUS;
	bool clear = rules[f->kind].clear && begins(f->url, rules[f->kind].clear);

	if (f->server_name[0] && !stream)
		return reader_fail(r, "Forwarders.server_name: syslog and relp alone have it");
	if (f->proxy[0] && !http)
		return reader_fail(r, "Forwarders.proxy: %s goes by none", forward_kinds[f->kind]);
	if (f->pin[0] && !stream && !http)
		return reader_fail(r, "Forwarders.pin: %s cannot check it", forward_kinds[f->kind]);
	if (clear && (f->pin[0] || f->files[FORWARD_FILE_CA][0] || f->files[FORWARD_FILE_CERT][0]))
		return reader_fail(
			r, "Forwarders.url: ca, cert and pin are for TLS, and this is clear");
	if (strchr(f->url, '@'))
		return reader_fail(r, "Forwarders.url: no user in it; user and secret are keys");
	return 0;
}

static int check_url(struct config_reader *r, const struct config_forwarder *f)
{
	const char *secure = rules[f->kind].secure, *clear = rules[f->kind].clear;

	if (!secure) {
		if (strstr(f->url, "://") || !strchr(f->url, ':'))
			return reader_fail(r, "Forwarders.url: %s wants host:port,host:port",
					   forward_kinds[f->kind]);
		return 0;
	}
	if (begins(f->url, secure))
		return 0;
	if (!begins(f->url, clear))
		return reader_fail(r, "Forwarders.url: %s wants %s or %s", forward_kinds[f->kind],
				   secure, clear);
	/* Another host would be told the secret by whoever listens on the way. */
	if (f->files[FORWARD_FILE_TOKEN][0] && !is_loopback(f->url + strlen(clear)))
		return reader_fail(
			r, "Forwarders.url: a secret is only sent by %s, or to this host", secure);
	return 0;
}

static int check_sentinel(struct config_reader *r, const struct config_forwarder *f)
{
	if (!f->rule[0])
		return reader_fail(r, "Forwarders.rule is missing: the immutable id of the data "
				      "collection rule");
	if (begins(f->url, "http://") && !is_loopback(f->url + 7))
		return reader_fail(r, "Forwarders.url: the token is only sent by https://");
	if (f->token_url[0] && !begins(f->token_url, "https://") &&
	    (!begins(f->token_url, "http://") || !is_loopback(f->token_url + 7)))
		return reader_fail(r, "Forwarders.token_url: the secret is only sent by https://");
	if (!f->tenant[0] != !f->client[0])
		return reader_fail(r, "Forwarders: tenant and client go together (without both the "
				      "machine's managed identity is used)");
	if (f->client[0] && !f->files[FORWARD_FILE_TOKEN][0])
		return reader_fail(r,
				   "Forwarders.secret is missing: the file of the client's secret");
	return 0;
}

/* Numbers go where they can be asked for, or by OTLP; nothing else is asked for. */
static int check_metrics(struct config_reader *r, const struct config_forwarder *f)
{
	bool metrics = forward_wants(f, FORWARD_METRICS, 0);

	if (f->kind == FORWARD_PROMETHEUS && (!metrics || f->send_count != 1))
		return reader_fail(r, "Forwarders.send: prometheus serves metrics alone");
	if (metrics && f->kind != FORWARD_PROMETHEUS && f->kind != FORWARD_OTLP)
		return reader_fail(r, "Forwarders.send: metrics go by otlp or prometheus");
	return 0;
}

static int check_row(struct config_reader *r, const struct config_forwarder *f)
{
	const struct config *c = r->config;
	int err = check_url(r, f);

	if (!err)
		err = check_unused(r, f);
	for (unsigned i = 0; !err && i < c->forwarders_count; i++)
		if (&c->forwarders[i] != f && !strcmp(c->forwarders[i].name, f->name))
			return reader_fail(r, "Forwarders.name: %s is given twice", f->name);
	if (!err && !f->files[FORWARD_FILE_CERT][0] != !f->files[FORWARD_FILE_KEY][0])
		return reader_fail(r, "Forwarders: cert and key go together");
	if (!err && f->pin[0] && !begins(f->pin, "sha256//"))
		return reader_fail(r, "Forwarders.pin: sha256//<base64 of the public key's hash>");
	if (!err && f->kind == FORWARD_HEC && !f->files[FORWARD_FILE_TOKEN][0])
		return reader_fail(r, "Forwarders.secret is missing: the file of the HEC token");
	if (!err)
		err = check_metrics(r, f);
	if (!err && f->kind == FORWARD_SENTINEL)
		err = check_sentinel(r, f);
	if (!err && f->schema == FORWARD_SCHEMA_CEF && f->kind != FORWARD_SYSLOG &&
	    f->kind != FORWARD_RELP && f->kind != FORWARD_KAFKA)
		return reader_fail(r, "Forwarders.schema: cef is text; %s wants JSON",
				   forward_kinds[f->kind]);
	return err;
}

int item_forwarder(struct config_reader *r, const struct config_key *k, void *item)
{
	struct config_forwarder *f = item;
	int err = read_map(r, k, item);

	if (err)
		return err;
	f->schema = f->schema ? f->schema - 1 : rules[f->kind].schema;
	if (!f->send_count && f->kind == FORWARD_PROMETHEUS)
		f->send[f->send_count++] = 3;
	if (!f->send_count) {
		f->send[f->send_count++] = 0;
		f->send[f->send_count++] = 1;
	}
	if (!f->timeout_s)
		f->timeout_s = TIMEOUT_S;
	if (!f->target[0])
		span_copy(f->target, sizeof(f->target), span_of(rules[f->kind].target));
	return check_row(r, f);
}
