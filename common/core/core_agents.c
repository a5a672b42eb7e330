/*
 * agents: shells for somebody who did not come in. A process of this host went out to them and
 * gave them a terminal, or its connection as stdin and stdout: a support or management agent, the
 * console of a tunnel, a reverse shell. What they run is followed as one session of the service
 * `agent`, whose origin is the other end of that connection.
 *
 * The kernel tells of the agent first and of the shell's program next, both by the connection's
 * cookie. An agent is known by its program's path, once it was used on three distinct days without
 * any other high alert, or once a person said that it is expected.
 *
 * Cannot see: who sits at the other end, behind the agent's own server.
 *
 * Example: /opt/support/agentd is connected to 198.51.100.7:443 and starts bash on a terminal.
 */
#include "core_internal.h"

#include "core_detect.h"
#include "core_text.h"

static struct agent *agent_at(const struct core *c, uint64_t cookie)
{
	for (unsigned i = 0; cookie && i < AGENTS_MAX; i++)
		if (c->agents.at[i].cookie == cookie)
			return (struct agent *)(uintptr_t)&c->agents.at[i];
	return NULL;
}

void agent_told(struct core *c, const struct event *e)
{
	struct conn *n = e->conn ? conn_join(c, e) : NULL;
	struct agent *a = n ? agent_at(c, e->conn) : NULL;
	size_t len = e->args.len < AGENT_WORDS ? e->args.len : AGENT_WORDS;

	if (!n)
		return;
	n->outward = true;
	if (!a)
		a = &c->agents.at[c->agents.next++ % AGENTS_MAX];
	*a = (struct agent){.cookie = e->conn, .proc = e->proc, .uid = e->uid};
	a->args_len = (uint32_t)len;
	if (len)
		memcpy(a->args, e->args.ptr, len);
	span_copy(a->program, sizeof(a->program), e->program);
	span_copy(a->path, sizeof(a->path), e->path);
}

static void account_of(const struct event *e, char ret[ACCOUNT_MAX])
{
	struct text t = text_start(ret, ACCOUNT_MAX);

	if (span_empty(e->user))
		text_add(&t, "uid:%u", e->uid);
	else
		text_plain(&t, e->user, ACCOUNT_MAX - 1);
}

/* Anybody can make one: they must not fill the table in which logins are. */
static bool are_too_many(const struct core *c)
{
	unsigned live = 0;

	for (uint32_t slot = 0; slot < c->sessions.fresh; slot++) {
		const struct csession *s = pool_at(&c->sessions, slot);

		live += pool_is_used(&c->sessions, slot) && s->pub.service == SERVICE_AGENT &&
			s->pub.state != SESSION_CLOSED;
	}
	return live >= AGENT_SESSIONS;
}

void agent_session(struct core *c, struct conn *n, const struct event *e)
{
	const struct agent *a = agent_at(c, n->cookie);
	struct event opened = *e;
	char account[ACCOUNT_MAX];
	struct csession *s;

	if (are_too_many(c)) {
		c->stats.agents_refused++;
		return;
	}
	account_of(e, account);
	opened.account = span_of(account);
	opened.method = METHOD_NONE;
	if (a)
		opened.client = span_of(a->path[0] ? a->path : a->program);
	n->service = SERVICE_AGENT;
	s = session_start(c, n, &opened);
	if (!s)
		return;
	s->pub.method_inferred = false;
	s->pub.has_pty = e->flags & EVENT_STDIN_TTY;
	core_detect_one(c, DETECTION_access_agent_session, e, n, s, "");
	held_replay(c, n);
}

const struct agent *agent_of_session(const struct core *c, const struct csession *s)
{
	const struct conn *n = pool_get(&c->conns, s->conn);

	return n ? agent_at(c, n->cookie) : NULL;
}

static uint64_t agent_key(const struct core *c, const struct csession *s)
{
	static const struct addr nowhere;

	return seen_key(c, SEEN_AGENT, hash_text(c->seed, span_of(s->pub.client)), &nowhere,
			SERVICE_AGENT);
}

bool agent_is_known(const struct core *c, const struct csession *s)
{
	return s->pub.client[0] && seen_is_learned(c, agent_key(c, s));
}

/* That it is new is no reason never to learn it; any other high alert is. */
void agent_learn(struct core *c, struct csession *s, uint32_t day)
{
	enum severity worst = SEVERITY_MEDIUM;

	for (unsigned i = 0; i < DETECTION_COUNT; i++)
		if (i != DETECTION_access_agent_session && s->worst_by[i] > worst)
			worst = (enum severity)s->worst_by[i];
	if (s->pub.client[0])
		seen_add(c, agent_key(c, s), s->expected ? SEVERITY_INFO : worst, day);
}
