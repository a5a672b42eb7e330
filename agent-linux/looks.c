/*
 * looks: programs that see packets go on one cgroup for a while and come off again, so that sockets
 * which nobody watches cost nothing but in those seconds.
 *
 * A listener that nobody watches has accepted somebody from outside: what its server answers is
 * looked at for WIRE_LOOK_NS (bpf/first.bpf.c). The kernel says when it is time for that, at most
 * four times an hour and listener. Cannot see: ports that are for nothing in particular (there no
 * answer is out of place); a server that answers later, each time; the first answer, if it comes
 * within a millisecond.
 *
 * A program begins, or is there, that has the name of a tool of VPNs: what is said first to the
 * outside over UDP is looked at for WIRE_LOOK_OUT_NS (bpf/outward_udp.bpf.c).
 */
#include "engine.h"

#include "common/decode/spoken.h"

static void next_of(const struct look looks[LOOKS_MAX], uint64_t *next)
{
	for (unsigned i = 0; i < LOOKS_MAX; i++)
		if (looks[i].until_ns && looks[i].until_ns < *next)
			*next = looks[i].until_ns;
}

uint64_t looks_next(const struct engine *e)
{
	uint64_t next = UINT64_MAX;

	next_of(e->looks, &next);
	next_of(e->outward_looks, &next);
	return next;
}

static void tick(struct engine *e, struct look looks[LOOKS_MAX], uint64_t now)
{
	uint32_t which = looks == e->outward_looks ? PRIV_LOOK_OUTWARD : 0;

	for (unsigned i = 0; i < LOOKS_MAX; i++) {
		struct look *l = &looks[i];
		struct priv_msg m = {
			.kind = PRIV_LOOK, .arg = PRIV_LOOK_END | which, .value = {l->cgroup}};

		/* A clock that was set back makes no look longer. */
		if (!l->until_ns || (now < l->until_ns && l->until_ns - now <= l->for_ns))
			continue;
		(void)priv_call(e->setup.priv, &m, NULL);
		*l = (struct look){0};
	}
}

void looks_tick(struct engine *e, uint64_t now)
{
	tick(e, e->looks, now);
	tick(e, e->outward_looks, now);
}

/* Its place, where it is looked at now, or a free one; NULL: later, when the kernel asks again. */
static struct look *look_place(struct look looks[LOOKS_MAX], uint64_t cgroup)
{
	struct look *free = NULL;

	for (unsigned i = 0; i < LOOKS_MAX; i++) {
		if (looks[i].until_ns && looks[i].cgroup == cgroup)
			return &looks[i];
		if (!looks[i].until_ns)
			free = &looks[i];
	}
	return free;
}

void looks_hint(struct engine *e, const struct event *ev)
{
	bool outward = !ev->dest.port;
	uint64_t for_ns = outward ? WIRE_LOOK_OUT_NS : WIRE_LOOK_NS;
	struct priv_msg m = {
		.kind = PRIV_LOOK, .arg = outward ? PRIV_LOOK_OUTWARD : 0, .value = {ev->cgroup}};
	enum service meant;
	struct look *l;

	if (!(ev->flags & EVENT_LOOK) || !ev->cgroup ||
	    (!outward && !port_is_for(ev->dest.port, &meant)))
		return;
	l = look_place(outward ? e->outward_looks : e->looks, ev->cgroup);
	/* A cgroup that is gone, or that others have for themselves: nothing can be seen there. */
	if (!l || (!l->until_ns && priv_call(e->setup.priv, &m, NULL)))
		return;
	*l = (struct look){
		.cgroup = ev->cgroup, .until_ns = clock_wall_ns() + for_ns, .for_ns = for_ns};
}
