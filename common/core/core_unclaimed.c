/*
 * unclaimed: programs that began in a container and were nobody's, for as long as a log may take to
 * say that somebody had asked for them: kubelet tells of a request when it has ended, and so does
 * kube-apiserver of one that it hands to a node. The very same words, begun while the request was
 * under way, are that request's; each once.
 *
 * Cannot see: what such a program started in turn, which nobody followed.
 *
 * Example: `id` in a container; 200 ms later "POST /run/default/web/c?cmd=id" from 203.0.113.9.
 */
#include "core_internal.h"

static struct span kept(char *at, size_t cap, struct span s)
{
	s = span_first(s, cap);
	if (s.len)
		memcpy(at, s.ptr, s.len);
	return (struct span){at, s.len};
}

void unclaimed_note(struct core *c, const struct event *e)
{
	struct unclaimed *u = &c->engines.unclaimed[c->engines.unclaimed_next++ % UNCLAIMED_MAX];

	if (e->args.len > sizeof(u->args)) /* cut words are no proof */
		return;
	u->e = *e;
	event_drop_texts(&u->e);
	u->e.args = kept(u->args, sizeof(u->args), e->args);
	u->e.program = kept(u->program, sizeof(u->program), e->program);
	u->e.subject = kept(u->cgroup, sizeof(u->cgroup), e->subject);
}

/* Of a request that was under way from e->opened_ns to e->time_ns. */
struct event *unclaimed_find(struct core *c, const struct event *e)
{
	for (unsigned i = 0; i < UNCLAIMED_MAX; i++) {
		struct event *x = &c->engines.unclaimed[i].e;

		if (x->kind != EVENT_EXEC || x->time_ns < e->opened_ns || x->time_ns > e->time_ns ||
		    x->flags & EVENT_TRUNCATED || !handoff_words_are(e->args, x->args))
			continue;
		return x;
	}
	return NULL;
}
