/*
 * catch_up: after the store has failed (a full disk) and works again: what the core knows and the
 * store does not is put there, and told to forwarders. The core's tables outlive a disk that is
 * full for hours; what they had to forget meanwhile was told to the journal alone.
 */
#include <stdio.h>
#include <string.h>

#include "engine.h"
#include "forward.h"

static unsigned alerts(struct engine *e, int *r)
{
	const struct alert *a;
	unsigned n = 0;

	for (unsigned i = 0; !*r && (a = core_alert_at(e->core, i)); i++) {
		uint32_t stored = 0;

		*r = store_alert_revision(e->store, a->id, &stored);
		if (*r || !a->revision || stored >= a->revision)
			continue;
		*r = store_put_alert(e->store, a);
		/* What was told before, or is to be told now. */
		if (!*r && !a->observe && (!stored || a->notify))
			forward_alert(e, a);
		n++;
	}
	return n;
}

static unsigned sessions(struct engine *e, int *r)
{
	const struct session *s;
	unsigned n = 0;

	for (unsigned i = 0; !*r && (s = core_session_at(e->core, i)); i++) {
		uint64_t last = s->last_ns > s->close_ns ? s->last_ns : s->close_ns, stored = 0;

		*r = store_session_last(e->store, s->id, &stored);
		if (*r || stored >= last)
			continue;
		*r = store_put_session(e->store, s);
		if (!*r)
			forward_session(e, s);
		n++;
	}
	return n;
}

bool engine_catch_up(struct engine *e)
{
	unsigned n = 0;
	int r = store_begin(e->store);

	if (r)
		return false;
	forward_forget_seen(e);
	n = alerts(e, &r);
	n += sessions(e, &r);
	if (store_commit(e->store) || r)
		return false;
	fprintf(stderr,
		"outergate: the store works again; %u alerts and sessions were put into it\n", n);
	return true;
}
