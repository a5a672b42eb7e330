/*
 * config_receive: the rows of `Receivers`, and what of a row cannot work or would let anybody in.
 */
#include "config_receive.h"
#include "config_reader.h"
#include "decode/decode.h"

#include <stddef.h>

#define AT(field) offsetof(struct config_receiver, field)

static const struct {
	const char *prefix;
	enum receive_kind kind;
} kinds[] = {
	{"udp://", RECEIVE_UDP}, {"tcp://", RECEIVE_TCP}, {"tls://", RECEIVE_TLS},
	{"unix:", RECEIVE_UNIX}, {"pipe:", RECEIVE_PIPE},
};

/* "127.0.0.1:5514", "[::1]:5514", ":5514" (loopback) */
static bool read_at(const char *text, struct endpoint *ret)
{
	char whole[RECEIVE_SHOWN_MAX];
	uint16_t port = 0;

	snprintf(whole, sizeof(whole), "%s%s", text[0] == ':' ? "127.0.0.1" : "", text);
	if (!addr_parse(span_of(whole), &ret->addr, &port) || !port)
		return false;
	ret->port = port;
	return true;
}

static int read_listen(struct config_reader *r, const struct config_key *k, void *base)
{
	struct config_receiver *row = base;
	int err = read_text(r, k, base);

	for (size_t i = 0; !err && i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		const char *rest = row->listen + strlen(kinds[i].prefix);

		if (strncmp(row->listen, kinds[i].prefix, strlen(kinds[i].prefix)) != 0)
			continue;
		row->kind = kinds[i].kind;
		if (row->kind < RECEIVE_UNIX)
			return read_at(rest, &row->at)
				       ? 0
				       : reader_fail_value(r, k, "an address and a port");
		if (rest[0] != '/' || strlen(rest) >= sizeof(row->path))
			return reader_fail_value(r, k, "a path from / on, of up to 99 characters");
		snprintf(row->path, sizeof(row->path), "%s", rest);
		return 0;
	}
	return err ? err
		   : reader_fail_value(r, k,
				       "udp://, tcp:// or tls://ADDRESS:PORT, unix:/PATH or "
				       "pipe:/PATH");
}

static int read_source(struct config_reader *r, const struct config_key *k, void *base)
{
	int err = read_text(r, k, base);

	if (!err && decoder_find(span_of((char *)base + k->at)) < 0 &&
	    !config_own_has(r->config, (char *)base + k->at))
		return reader_fail_value(
			r, k, "a source of `outergate sources` or one of Decoders above");
	return err;
}

static const struct config_list from_list = {
	.count_at = AT(from_count),
	.item_size = sizeof(struct cidr),
	.max = RECEIVE_FROM_MAX,
};

static int item_from(struct config_reader *r, const struct config_key *k, void *item)
{
	return read_cidr(r, &(struct config_key){.name = k->name}, item);
}

#define FILE_KEY(word, which)                                                                      \
	{                                                                                          \
		"Receivers." word, .read = read_path, .at = AT(files[which]),                      \
				   .cap = FORWARD_FILE_MAX                                         \
	}

const struct config_key config_receive_keys[] = {
	{"Receivers.listen", .read = read_listen, .at = AT(listen), .cap = RECEIVE_SHOWN_MAX,
	 .required = true},
	{"Receivers.from", .read = read_list, .at = AT(from), .list = &from_list,
	 .item = item_from},
	{"Receivers.source", .read = read_source, .at = AT(source), .cap = 32},
	FILE_KEY("ca", FORWARD_FILE_CA),
	FILE_KEY("cert", FORWARD_FILE_CERT),
	FILE_KEY("key", FORWARD_FILE_KEY),
	{0},
};

static int check(struct config_reader *r, const struct config_receiver *row)
{
	bool tls = row->kind == RECEIVE_TLS, network = row->kind < RECEIVE_UNIX;
	bool has_file = row->files[FORWARD_FILE_CA][0] || row->files[FORWARD_FILE_CERT][0] ||
			row->files[FORWARD_FILE_KEY][0];

	if (tls && (!row->files[FORWARD_FILE_CERT][0] || !row->files[FORWARD_FILE_KEY][0]))
		return reader_fail(r, "Receivers: %s needs cert and key", row->listen);
	if (!tls && has_file)
		return reader_fail(r, "Receivers: ca, cert and key are for tls://, and %s is clear",
				   row->listen);
	if (!network && row->from_count)
		return reader_fail(r, "Receivers: from is for addresses, and %s has none",
				   row->listen);
	if (network && scope_of(&row->at.addr, NULL) != SCOPE_LOOPBACK && !row->from_count &&
	    !row->files[FORWARD_FILE_CA][0])
		return reader_fail(r,
				   "Receivers: %s can be reached from outside: say with from "
				   "whose lines are taken (or, of tls://, with ca)",
				   row->listen);
	return 0;
}

int item_receiver(struct config_reader *r, const struct config_key *k, void *item)
{
	const struct config *c = r->config;
	struct config_receiver *row = item;
	int err = read_map(r, k, item);

	if (!err)
		err = check(r, row);
	for (unsigned i = 0; !err && i < c->receivers_count; i++)
		if (&c->receivers[i] != row && !strcmp(c->receivers[i].listen, row->listen))
			return reader_fail(r, "Receivers: %s is there twice", row->listen);
	return err;
}
