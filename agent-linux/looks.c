/*
 * looks: a listener that nobody watches has accepted somebody from outside. What its server answers
 * is looked at for WIRE_LOOK_NS: the programs of bpf/first.bpf.c go on its cgroup and come off
 * again, so that sockets which nobody watches cost nothing but in those seconds. The kernel says
 * when it is time for a look, at most four an hour and listener.
 *
 * Cannot see: ports that are for nothing in particular (there no answer is out of place); a server
 * that answers later, each time; the first answer, if it comes within a millisecond.
 */
#include "engine.h"

#include "common/decode/spoken.h"

uint64_t looks_next(const struct engine *e)
{
	uint64_t next = UINT64_MAX;

	for (unsigned i = 0; i < LOOKS_MAX; i++)
		if (e->looks[i].until_ns && e->looks[i].until_ns < next)
			next = e->looks[i].until_ns;
	return next;
}

void looks_tick(struct engine *e, uint64_t now)
{
	for (unsigned i = 0; i < LOOKS_MAX; i++) {
		struct priv_msg m = {.kind = PRIV_LOOK, .arg = 1, .value = {e->looks[i].cgroup}};

		/* A clock that was set back makes no look longer. */
		if (!e->looks[i].until_ns ||
		    (now < e->looks[i].until_ns && e->looks[i].until_ns - now <= WIRE_LOOK_NS))
			continue;
		(void)priv_call(e->setup.priv, &m, NULL);
		e->looks[i] = (struct look){0};
	}
}

/* Its place, where it is looked at now, or a free one; NULL: later, when the kernel asks again. */
static struct look *look_place(struct engine *e, uint64_t cgroup)
{
	struct look *free = NULL;

	for (unsigned i = 0; i < LOOKS_MAX; i++) {
		if (e->looks[i].until_ns && e->looks[i].cgroup == cgroup)
			return &e->looks[i];
		if (!e->looks[i].until_ns)
			free = &e->looks[i];
	}
	return free;
}

void looks_hint(struct engine *e, const struct event *ev)
{
	struct priv_msg m = {.kind = PRIV_LOOK, .value = {ev->cgroup}};
	enum service meant;
	struct look *l;

	if (!(ev->flags & EVENT_LOOK) || !ev->cgroup || !port_is_for(ev->dest.port, &meant))
		return;
	l = look_place(e, ev->cgroup);
	/* A cgroup that is gone, or that others have for themselves: nothing can be seen there. */
	if (!l || (!l->until_ns && priv_call(e->setup.priv, &m, NULL)))
		return;
	*l = (struct look){.cgroup = ev->cgroup, .until_ns = clock_wall_ns() + WIRE_LOOK_NS};
}
