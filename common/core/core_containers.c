/*
 * containers: who is who among the containers of this host. The kernel tells that one began and in
 * which cgroup, which carries its id; its runtime tells its names. A session, a hand-off and an API
 * request know the id and are told with the names.
 *
 * Bounded: the CONTAINERS_MAX that were used last; what falls out loses its name, not its id.
 * Cannot see: a container that began before the agent, until something happens in it.
 *
 * Example: cgroup cri-containerd-4f5e....scope, annotations of pod shop/web-1.
 */
#include "core_internal.h"
#include "../container_id.h"
#include "core_text.h"

/* 12 hexadecimal digits of an id are as many as docker shows. */
#define ID_SHORT 12

struct container *container_find(struct core *c, struct span id)
{
	struct span digits = container_digits(id);

	for (unsigned i = 0; i < CONTAINERS_MAX; i++) {
		struct container *x = &c->containers[i];
		size_t len = strlen(x->id);

		if (!len)
			continue;
		if (span_is(id, x->id) || (digits.len >= ID_SHORT && digits.len <= len &&
					   memcmp(x->id, digits.ptr, digits.len) == 0)) {
			x->used_ns = c->now_ns;
			return x;
		}
	}
	return NULL;
}

static struct container *container_make(struct core *c, struct span id)
{
	struct container *oldest = &c->containers[0];

	for (unsigned i = 0; i < CONTAINERS_MAX; i++) {
		struct container *x = &c->containers[i];

		if (!x->id[0]) {
			oldest = x;
			break;
		}
		if (x->used_ns < oldest->used_ns)
			oldest = x;
	}
	*oldest = (struct container){.used_ns = c->now_ns};
	span_copy(oldest->id, sizeof(oldest->id), id);
	return oldest;
}

static void note(char *to, size_t cap, struct span said)
{
	if (!span_empty(said))
		span_copy(to, cap, said);
}

/* Its runtime's own program was in its group already: what was joined by the id has its name now.
 */
static void joined_have_names(struct core *c, const struct container *x)
{
	char digits[ID_SHORT + 1];

	span_copy(digits, sizeof(digits), container_digits(span_of(x->id)));
	for (uint32_t slot = 0; strlen(digits) == ID_SHORT && slot < c->sessions.fresh; slot++) {
		struct csession *s = pool_at(&c->sessions, slot);

		for (unsigned i = 0; pool_is_used(&c->sessions, slot) && i < s->pub.handoffs_kept;
		     i++) {
			struct session_handoff *h = &s->pub.handoffs[i];

			if (h->kind == HANDOFF_CONTAINER && h->state == HANDOFF_JOINED &&
			    !strchr(h->what, '(') && strstr(h->what, digits) &&
			    container_say(c, span_of(x->id), h->what, sizeof(h->what)))
				session_changed(c, s);
		}
	}
}

void container_told(struct core *c, const struct event *e)
{
	struct container *x;

	if (span_empty(e->api.container) || e->api.container.len >= sizeof(x->id))
		return;
	if (!(e->flags & EVENT_EXISTING)) {
		c->stats.containers_started += e->api.action == API_START;
		c->stats.containers_entered += e->api.action != API_START;
		c->stats.containers_unnamed +=
			e->api.action == API_START && span_empty(e->api.name) &&
			span_empty(e->api.pod_name) && span_empty(e->api.image);
	}
	if (!(e->flags & EVENT_ROOT))
		return; /* it could push out those that matter, and call itself like one of them */
	x = container_find(c, e->api.container);
	if (!x)
		x = container_make(c, e->api.container);
	note(x->name, sizeof(x->name), e->api.name);
	note(x->image, sizeof(x->image), e->api.image);
	note(x->pod, sizeof(x->pod), e->api.pod_name);
	joined_have_names(c, x);
}

void container_name(struct core *c, struct session *s, struct span id)
{
	const struct container *x = container_find(c, id);

	span_copy(s->container, sizeof(s->container), id);
	if (!x)
		return;
	memcpy(s->container_name, x->name, sizeof(s->container_name));
	memcpy(s->image, x->image, sizeof(s->image));
	if (!s->by_vpn) /* which stands there */
		memcpy(s->pod, x->pod, sizeof(s->pod));
}

bool container_is_of_pod(struct core *c, struct span cgroup, struct span pod)
{
	const struct container *x = span_empty(pod) ? NULL : container_find(c, cgroup);

	return x && x->pod[0] && span_is(pod, x->pod);
}

bool container_say(struct core *c, struct span cgroup, char *ret, size_t cap)
{
	const struct container *x = container_find(c, cgroup);
	struct text t = text_start(ret, cap);

	if (!x || (!x->pod[0] && !x->name[0]))
		return false;
	text_plain(&t, span_of(x->pod[0] ? x->pod : x->name), cap / 2);
	if (x->pod[0] && x->name[0]) {
		text_add(&t, "/");
		text_plain(&t, span_of(x->name), cap / 4);
	}
	text_add(&t, " (");
	text_plain(&t, span_first(span_of(x->id), ID_SHORT), ID_SHORT);
	text_add(&t, ")");
	return true;
}

bool core_knows_container(struct core *c, struct span id)
{
	const struct container *x = container_find(c, id);

	return x && (x->name[0] || x->pod[0] || x->image[0]);
}
