/* stored_events: see stored_events.h. */
#include "stored_events.h"

#include <string.h>

struct telling {
	const struct session *s;
	struct event base; /* what all of its events have in common */
	uint64_t outs;	   /* cookies of its own connections */
	void (*take)(void *arg, const struct event *e);
	void *arg;
};

static struct event event_of(const struct telling *t, enum event_kind kind, uint64_t time_ns)
{
	struct event e = t->base;

	e.kind = kind;
	e.time_ns = time_ns;
	return e;
}

static void tell(const struct telling *t, const struct event *e)
{
	t->take(t->arg, e);
}

static void tell_login(const struct telling *t)
{
	const struct session *s = t->s;
	struct event e =
		event_of(t, EVENT_CONNECTION, s->conn_open_ns ? s->conn_open_ns : s->open_ns);

	if (t->base.conn)
		tell(t, &e);
	e = event_of(t, EVENT_ATTEMPT, s->open_ns);
	e.outcome = OUTCOME_SUCCESS;
	e.trust = TRUST_TRANSPORT;
	e.method = s->method;
	e.account = span_of(s->account);
	e.key = span_of(s->key);
	e.client = span_of(s->client);
	e.flags = EVENT_ACCOUNT_EXISTS;
	tell(t, &e);
}

/* Arguments are kept joined by spaces: those that held one are cut there. */
static void tell_command(const struct telling *t, unsigned i)
{
	const struct session_command *k = &t->s->commands[i];
	struct event e = event_of(t, EVENT_EXEC, k->time_ns);
	char args[COMMAND_MAX];
	size_t n = strnlen(k->text, sizeof(k->text) - 1), first = 0;

	for (size_t at = 0; at < n; at++)
		args[at] = (char)(k->text[at] == ' ' ? '\0' : k->text[at]);
	args[n] = '\0';
	while (first < n && args[first])
		first++;
	e.args = (struct span){args, n};
	e.program = (struct span){args, first};
	e.proc = k->proc;
	e.uid = e.euid = k->uid;
	e.flags = EVENT_PROVEN | (i == 0 && t->s->has_pty ? (uint32_t)EVENT_STDIN_TTY : 0u);
	tell(t, &e);
}

static void tell_onward(struct telling *t, const struct session_dest *d)
{
	struct event e = event_of(t, EVENT_CONNECT, d->first_ns);

	e.dest = d->dest;
	e.local = (struct endpoint){.addr = d->source, .port = d->source_ports[0]};
	e.out_conn = ++t->outs;
	e.program = span_of(d->program);
	e.flags = EVENT_ESTABLISHED | EVENT_PROVEN;
	e.uid = e.euid = 1000; /* of nobody who matters */
	tell(t, &e);
	e.kind = EVENT_CONNECT_CLOSE;
	e.time_ns = d->last_ns > d->first_ns ? d->last_ns : d->first_ns;
	e.bytes_in = d->bytes_in;
	e.bytes_out = d->bytes_out;
	tell(t, &e);
}

static void tell_end(const struct telling *t)
{
	const struct session *s = t->s;
	struct event e = event_of(t, t->base.conn ? EVENT_CONNECTION_CLOSE : EVENT_SESSION_CLOSE,
				  s->close_ns ? s->close_ns : s->last_ns);

	e.account = span_of(s->account);
	e.bytes_in = s->bytes_in;
	e.bytes_out = s->bytes_out;
	tell(t, &e);
}

void stored_events(const struct session *s, uint64_t number,
		   void (*take)(void *arg, const struct event *e), void *arg)
{
	struct telling t = {.s = s, .outs = number << 16, .take = take, .arg = arg};

	t.base = (struct event){.trust = s->conn ? TRUST_KERNEL : TRUST_TEXT,
				.count = 1,
				.line = number,
				.service = s->service,
				.conn = s->conn ? number : 0,
				.netns = s->netns,
				.origin = s->origin,
				.local = s->local,
				.loginuid = UINT32_MAX,
				.audit_session = UINT32_MAX,
				.opened_ns = s->conn_open_ns};
	tell_login(&t);
	for (unsigned i = 0; s->conn && i < s->commands_kept && i < SESSION_CMDS; i++)
		tell_command(&t, i);
	for (unsigned i = 0; s->conn && i < s->dests_kept && i < SESSION_DESTS; i++)
		tell_onward(&t, &s->dests[i]);
	if (s->state == SESSION_CLOSED)
		tell_end(&t);
}
