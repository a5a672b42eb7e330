/*
 * config_forward: where alerts, sessions and events are sent, one row a destination. Plain data:
 * the agent hands a row to the process that sends (forward/), byte for byte.
 *
 *   Forwarders:
 *     - {name: siem, kind: otlp, url: "https://collector.example:4318"}
 *
 * Files are paths of this host; the privileged parent opens them, so that a key or a token may be
 * root's alone.
 */
#ifndef OUTERGATE_CONFIG_FORWARD_H
#define OUTERGATE_CONFIG_FORWARD_H

#include <stdbool.h>
#include <stdint.h>

#define FORWARDERS_MAX	   8
#define FORWARD_NAME_MAX   32
#define FORWARD_URL_MAX	   192
#define FORWARD_FILE_MAX   160
#define FORWARD_TARGET_MAX 96

#define FORWARD(id, word) FORWARD_##id,
enum forward_kind {
#include "config_forward.def"
	FORWARD_KINDS
};
#undef FORWARD
extern const char *const forward_kinds[]; /* as written; NULL ends */

/* Files that the parent opens. */
enum forward_file {
	FORWARD_FILE_CA,
	FORWARD_FILE_CERT,
	FORWARD_FILE_KEY,
	FORWARD_FILE_TOKEN, /* a token, a password, a client's secret: its first line */
	FORWARD_FILES
};

enum forward_schema { /* in the order of out_schema_at() */
	FORWARD_SCHEMA_OUTERGATE,
	FORWARD_SCHEMA_ECS,
	FORWARD_SCHEMA_OCSF,
	FORWARD_SCHEMA_CEF
};

enum forward_what { /* bits */
	FORWARD_ALERTS = 1u << 0,
	FORWARD_SESSIONS = 1u << 1,
	FORWARD_EVENTS = 1u << 2,
	FORWARD_METRICS = 1u << 3 /* asked for by the sender, never in the outbox */
};

struct config_forwarder {
	char name[FORWARD_NAME_MAX]; /* what the cursor is kept by: letters, digits, - and _ */
	uint32_t kind;		     /* enum forward_kind */
	uint32_t schema;	     /* enum forward_schema */
	char url[FORWARD_URL_MAX]; /* https://host:port/path; tls://host:port; Kafka: host:port,...
				    */
	char files[FORWARD_FILES][FORWARD_FILE_MAX];
	char user[64];			       /* ClickHouse, Elasticsearch, Kafka (SASL) */
	char pin[64];			       /* "sha256//<base64>" of the server's public key */
	char server_name[96];		       /* instead of the URL's host, in certificates */
	char proxy[128];		       /* HTTP */
	char target[FORWARD_TARGET_MAX];       /* topic, data stream, table, index; see the kind */
	char rule[64], tenant[64], client[64]; /* Sentinel: data collection rule, application */
	char token_url[128]; /* Sentinel, where it is not Microsoft's public one */
	uint8_t send[4];     /* bit numbers of enum forward_what */
	uint32_t send_count;
	uint32_t severity; /* enum severity: alerts below it are not sent */
	bool no_compression, pseudonymise;
	uint32_t timeout_s;
};

/* Does that destination want it? severity: of an alert; others: 0. */
bool forward_wants(const struct config_forwarder *f, enum forward_what what, uint32_t severity);

#endif
