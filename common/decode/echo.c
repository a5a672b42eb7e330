/* echo: a direct-mapped table; a collision forgets the older event, which costs one echo. */
#include "echo.h"

#include <string.h>

#include "../out/siphash.h"

/* What makes two lines the same; the raw text differs by its frame. */
static uint64_t event_hash(const struct event *ev)
{
	char addr[ADDR_TEXT_MAX];
	struct {
		uint32_t kind, outcome, method, pid, port, count;
		uint64_t account, key, text, asked;
		uint64_t logon, when; /* of a Windows event, whose time is exact in both */
	} k = {0};

	k.kind = ev->kind;
	k.outcome = ev->outcome;
	k.method = ev->method;
	k.pid = ev->proc.pid;
	k.port = ev->origin.port;
	k.count = ev->count;
	k.account = siphash(ev->account, 0, 1);
	k.key = siphash(ev->key, 0, 2);
	if (ev->win.id) {
		k.logon = ev->win.logon ^ (uint64_t)ev->win.id << 48;
		k.when = ev->time_ns;
	}
	k.asked = siphash(ev->subject, siphash(ev->path, 0, 4), 5); /* of an API */
	addr_format(&ev->origin.addr, addr);
	if (ev->flags & EVENT_ELSEWHERE) /* hosts' ports and process ids may be the same */
		k.asked ^= siphash(ev->host, 0, 6);
	k.text = siphash(span_of(addr), ev->witness,
			 ev->flags & (EVENT_PREAUTH | EVENT_ACCOUNT_UNKNOWN));
	return siphash((struct span){(const char *)&k, sizeof(k)}, 0, 3);
}

bool echo_seen(struct echo *x, unsigned source, const struct event *ev)
{
	uint64_t hash = event_hash(ev);
	struct echo_row *row = &x->rows[hash % ECHO_ROWS];
	uint8_t most = 0;

	if (source >= ECHO_SOURCES || ev->trust == TRUST_FORGED)
		return false;
	if (row->hash != hash || ev->time_ns > row->time_ns + ECHO_WINDOW_NS) {
		memset(row, 0, sizeof(*row));
		row->hash = hash;
	}
	row->time_ns = ev->time_ns;
	if (row->told[source] < UINT8_MAX)
		row->told[source]++;
	for (unsigned i = 0; i < ECHO_SOURCES; i++)
		if (i != source && row->told[i] > most)
			most = row->told[i];
	return row->told[source] <= most;
}
