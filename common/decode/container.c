/*
 * container: see container.h. Both files are written by the engine, which root runs; what is in
 * them (names, images, annotations, mounts) was chosen by whoever had the container made.
 *
 * Sees the names that docker, containerd, CRI-O and podman give. Cannot see: the name of a podman
 * container, which its bundle does not say (the agent has it from conmon's command line).
 *
 * Example: annotations io.kubernetes.cri.sandbox-name = web-1, ...-namespace = shop: pod
 * shop/web-1.
 */
#include "container.h"

#include "api_parts.h"
#include "text.h"

static void cut_end(struct span *s, struct span end)
{
	if (s->len > end.len && span_eq(span_skip(*s, s->len - end.len), end))
		s->len -= end.len;
}

struct span container_of_name(struct span cgroup, struct span above)
{
	struct span name =
		span_is(cgroup, "payload") || span_is(cgroup, "container") ? above : cgroup;

	if (!text_cut(&name, SPAN_LIT("lxc.payload.")))
		(void)text_cut(&name, SPAN_LIT("systemd-nspawn@"));
	cut_end(&name, SPAN_LIT(".service"));
	cut_end(&name, SPAN_LIT(".scope"));
	return span_is(name, "/") ? text_none() : name;
}

struct bundle {
	struct container_words *w;
	struct api_list detail;
	uint32_t risks;
	struct span name, image, pod, ns;
	struct span destination, source, type; /* of the mount that is being read */
};

/* What an engine gives every container, and its named volumes, lead to nothing of the host's. */
static const char *const own_places[] = {
	"/var/lib/kubelet/pods/",
	"/var/lib/docker/",
	"/var/lib/containers/",
	"/run/containers/",
	"/run/containerd/io.",
	"/var/lib/containerd/",
	"/run/user/",
};

static bool is_engines(struct span source)
{
	for (size_t i = 0; i < sizeof(own_places) / sizeof(own_places[0]); i++)
		if (span_starts(source, span_of(own_places[i])))
			return true;
	return !span_empty(container_id(source));
}

/* Docker has its own hosts file beside its description of the container. */
static void note_engine(struct bundle *b)
{
	struct span dir = b->source;

	cut_end(&dir, SPAN_LIT("/hosts"));
	if (!span_is(b->destination, "/etc/hosts") || dir.len == b->source.len ||
	    dir.len >= sizeof(b->w->engine) || span_empty(container_id(dir)))
		return;
	span_copy(b->w->engine, sizeof(b->w->engine), dir);
}

static void mount_end(struct bundle *b)
{
	if (b->source.len && span_is(b->type, "bind")) {
		note_engine(b);
		if (!is_engines(b->source))
			api_mount(&b->risks, &b->detail, b->source, b->source);
	}
	b->source = b->destination = b->type = text_none();
}

static void take_first(struct span *to, struct span value)
{
	if (!to->len)
		*to = value;
}

static bool annotation(struct bundle *b, struct span name, struct span value)
{
	static const struct {
		const char *name;
		size_t to;
	} names[] = {
		{"io.kubernetes.cri.container-name", offsetof(struct bundle, name)},
		{"io.kubernetes.cri.image-name", offsetof(struct bundle, image)},
		{"io.kubernetes.cri.sandbox-name", offsetof(struct bundle, pod)},
		{"io.kubernetes.cri.sandbox-namespace", offsetof(struct bundle, ns)},
		{"io.kubernetes.cri-o.ImageName", offsetof(struct bundle, image)},
		{"io.kubernetes.container.name", offsetof(struct bundle, name)},
		{"io.kubernetes.pod.name", offsetof(struct bundle, pod)},
		{"io.kubernetes.pod.namespace", offsetof(struct bundle, ns)},
		{"nerdctl/name", offsetof(struct bundle, name)},
		{"org.opencontainers.image.ref.name", offsetof(struct bundle, image)},
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (!span_is(name, names[i].name))
			continue;
		take_first((struct span *)(void *)((char *)b + names[i].to), value);
		return true;
	}
	return false;
}

static void visit_bundle(void *arg, const struct json_path *p, struct span name, struct span value,
			 char type)
{
	struct bundle *b = arg;

	if (type == '{' && json_path_is(p, 1, name, "mounts[]", false))
		mount_end(b);
	if (type != '"')
		return;
	if (json_path_is(p, 1, name, "mounts[].destination", false))
		b->destination = value;
	else if (json_path_is(p, 1, name, "mounts[].source", false))
		b->source = value;
	else if (json_path_is(p, 1, name, "mounts[].type", false))
		b->type = value;
	else if (p->depth == 2 && span_is(p->names[1], "annotations"))
		(void)annotation(b, name, value);
	else if (json_path_is(p, 1, name, "process.capabilities.bounding[]", false))
		api_capability(&b->risks, &b->detail, value);
}

static void visit_docker(void *arg, const struct json_path *p, struct span name, struct span value,
			 char type)
{
	struct bundle *b = arg;

	if (type != '"')
		return;
	if (json_path_is(p, 1, name, "Name", false)) {
		(void)text_cut(&value, SPAN_LIT("/"));
		take_first(&b->name, value);
	} else if (json_path_is(p, 1, name, "Config.Image", false)) {
		b->image = value;
	} else if (p->depth == 3 && span_is(p->names[1], "Config") &&
		   span_is(p->names[2], "Labels")) {
		if (span_is(name, "io.kubernetes.container.name"))
			b->name = value; /* of the pod's author; Docker's is made up */
		else
			(void)annotation(b, name, value);
	}
}

static void tell(struct bundle *b, struct event *e)
{
	struct api_list pod = {.at = b->w->pod, .cap = sizeof(b->w->pod)};

	if (b->pod.len) {
		api_list_part(&pod, b->ns);
		api_list_part(&pod, b->ns.len ? SPAN_LIT("/") : text_none());
		api_list_part(&pod, b->pod);
		e->api.pod_name = api_list_all(&pod);
	}
	if (b->name.len)
		e->api.name = b->name;
	if (b->image.len)
		e->api.image = b->image;
	e->api.risks |= b->risks;
	if (b->detail.len)
		e->api.detail = api_list_all(&b->detail);
}

static const char *read_with(struct container_words *w, struct span json, struct event *e,
			     void (*visit)(void *, const struct json_path *, struct span,
					   struct span, char))
{
	struct json j = {.p = json.ptr,
			 .end = json.ptr + json.len,
			 .out = w->text,
			 .out_end = w->text + sizeof(w->text)};
	struct bundle b = {.w = w, .detail = {.at = w->detail, .cap = sizeof(w->detail)}};
	const char *wrong;

	if (!json.len)
		return "empty";
	json_space(&j);
	wrong = json_walk(&j, (struct json_visitor){visit, &b, NULL});
	mount_end(&b);
	tell(&b, e);
	return wrong;
}

const char *container_bundle(struct container_words *w, struct span json, struct event *e)
{
	w->engine[0] = '\0';
	return read_with(w, json, e, visit_bundle);
}

const char *container_docker(struct container_words *w, struct span json, struct event *e)
{
	return read_with(w, json, e, visit_docker);
}
