/*
 * api_docker: the Docker Engine API (v1.24 to v1.54; moby's api/server/router), and podman's, which
 * is the same beside its own (libpod, pkg/specgen). Names of members
 * are told apart as dockerd does it, so not by their case.
 *
 * Sees create, start, exec and attach, images, volumes and Swarm services; of a body that is cut
 * what is there. Cannot see: what an image brings along (its own Entrypoint, USER), the output of
 * what ran, whose exec an exec id is.
 *
 * Example: POST /v1.41/containers/4f5e/exec {"Cmd":["sh","-c","id"]} runs "sh -c id" in 4f5e.
 */
#include "api_parts.h"
#include "text.h"

struct body {
	struct api_list entry, cmd, detail;
	struct span image, id;
	uint32_t risks;
};

static bool is_true(struct span value)
{
	return span_is(value, "true");
}

static void risk_if(struct body *b, bool set, uint32_t risk, struct span as_written)
{
	if (set)
		api_risk(&b->risks, &b->detail, risk, as_written);
}

static void take_entry(struct body *b, struct span value)
{
	api_list_argument(&b->entry, value);
}

static void take_cmd(struct body *b, struct span value)
{
	api_list_argument(&b->cmd, value);
}

static void take_image(struct body *b, struct span value)
{
	b->image = value;
}

static void take_privileged(struct body *b, struct span value)
{
	risk_if(b, is_true(value), RISK_PRIVILEGED, SPAN_LIT("privileged"));
}

static void take_capability(struct body *b, struct span value)
{
	api_capability(&b->risks, &b->detail, value);
}

/* "/srv/a:/b:ro", or "volume:/b" */
static void take_bind(struct body *b, struct span value)
{
	size_t colon = text_find(value, SPAN_LIT(":"), 0);

	api_mount(&b->risks, &b->detail, colon == TEXT_NOT_FOUND ? value : span_first(value, colon),
		  value);
}

/* Of a bind it is a path, of a volume a name. */
static void take_source(struct body *b, struct span value)
{
	api_mount(&b->risks, &b->detail, value, value);
}

static void take_network(struct body *b, struct span value)
{
	risk_if(b, span_is(value, "host"), RISK_HOST_NETWORK, SPAN_LIT("host network"));
}

static void take_pid(struct body *b, struct span value)
{
	risk_if(b, span_is(value, "host"), RISK_HOST_PID, SPAN_LIT("host pid"));
}

static void take_ipc(struct body *b, struct span value)
{
	risk_if(b, span_is(value, "host"), RISK_HOST_IPC, SPAN_LIT("host ipc"));
}

static void take_device(struct body *b, struct span value)
{
	risk_if(b, value.len != 0, RISK_DEVICE, value);
}

static const struct {
	const char *where;
	char type; /* of the value: '"' or 'w' */
	void (*take)(struct body *b, struct span value);
} members[] = {
	{"Image", '"', take_image},
	{"Entrypoint", '"', take_entry},
	{"Entrypoint[]", '"', take_entry},
	{"Cmd", '"', take_cmd},
	{"Cmd[]", '"', take_cmd},
	{"Privileged", 'w', take_privileged}, /* of an exec */
	{"HostConfig.Privileged", 'w', take_privileged},
	{"HostConfig.CapAdd[]", '"', take_capability},
	{"HostConfig.Binds[]", '"', take_bind},
	{"HostConfig.Mounts[].Source", '"', take_source},
	{"HostConfig.Mounts[].VolumeOptions.DriverConfig.Options.device", '"', take_source},
	{"HostConfig.NetworkMode", '"', take_network},
	{"HostConfig.PidMode", '"', take_pid},
	{"HostConfig.IpcMode", '"', take_ipc},
	{"HostConfig.Devices[].PathOnHost", '"', take_device},
	{"HostConfig.DeviceCgroupRules[]", '"', take_device},
	{"DriverOpts.device", '"', take_source}, /* a volume that is a directory of the host */
	/* podman's own (libpod) */
	{"command[]", '"', take_cmd},
	{"cap_add[]", '"', take_capability},
	{"mounts[].source", '"', take_source},
	{"netns.nsmode", '"', take_network},
	{"pidns.nsmode", '"', take_pid},
	{"ipcns.nsmode", '"', take_ipc},
	{"devices[].path", '"', take_device},
	{"TaskTemplate.ContainerSpec.Image", '"', take_image},
	{"TaskTemplate.ContainerSpec.Command[]", '"', take_entry},
	{"TaskTemplate.ContainerSpec.Args[]", '"', take_cmd},
	{"TaskTemplate.ContainerSpec.Mounts[].Source", '"', take_source},
	{"TaskTemplate.ContainerSpec.CapabilityAdd[]", '"', take_capability},
	{"TaskTemplate.Networks[].Target", '"', take_network},
};

static void visit(void *arg, const struct json_path *p, struct span name, struct span value,
		  char type)
{
	struct body *b = arg;

	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
		if (members[i].type == type && json_path_is(p, 1, name, members[i].where, true))
			members[i].take(b, value);
}

static bool is_method(const struct event *e, const char *name)
{
	return span_is(e->subject, name);
}

static bool reads_only(const struct event *e)
{
	return is_method(e, "GET") || is_method(e, "HEAD") || is_method(e, "OPTIONS");
}

static enum api_action container_action(const struct event *e, const struct api_target *t)
{
	struct span what = api_part(t, 2);

	if (api_part_is(t, 1, "create"))
		return is_method(e, "POST") ? API_CREATE : API_OTHER;
	if (span_is(what, "attach")) /* GET .../attach/ws, too */
		return API_EXEC;
	if (reads_only(e))
		return API_READ;
	if (span_is(what, "start") || span_is(what, "restart"))
		return API_START;
	if (span_is(what, "exec"))
		return API_EXEC;
	/* A terminal's size and waiting for an end change nothing. */
	return span_is(what, "resize") || span_is(what, "wait") ? API_OTHER : API_CHANGE;
}

static enum api_action action_of(const struct event *e, const struct api_target *t)
{
	if (api_part_is(t, 0, "_ping") || (api_part_is(t, 0, "version") && t->count == 1))
		return reads_only(e) ? API_HARMLESS : API_OTHER;
	if (api_part_is(t, 0, "containers"))
		return container_action(e, t);
	if (api_part_is(t, 0, "exec") && api_part_is(t, 2, "start"))
		return API_EXEC;
	if (api_part_is(t, 0, "exec") && api_part_is(t, 2, "resize"))
		return API_OTHER;
	if (api_part_is(t, 0, "services") && api_part_is(t, 1, "create"))
		return API_CREATE;
	if (!t->count || span_empty(e->subject))
		return API_OTHER;
	return reads_only(e) ? API_READ : API_CHANGE;
}

/* "/v1.41/info" is "/info", and podman's "/v4.3.1/libpod/info", too. */
static bool is_version(struct span v)
{
	if (v.len < 2 || v.ptr[0] != 'v')
		return false;
	for (size_t i = 1; i < v.len; i++)
		if (!text_is_digit(v.ptr[i]) && v.ptr[i] != '.')
			return false;
	return true;
}

static void cut_part(struct api_target *t, bool is_there)
{
	if (!is_there)
		return;
	t->count--;
	memmove(&t->parts[0], &t->parts[1], t->count * sizeof(t->parts[0]));
}

static void cut_version(struct api_target *t)
{
	cut_part(t, is_version(api_part(t, 0)));
	cut_part(t, api_part_is(t, 0, "libpod"));
}

/* POST /images/create?fromImage=alpine&tag=latest, /build?t=name */
static struct span image_by_query(struct json *j, const struct api_target *t)
{
	if (api_part_is(t, 0, "images"))
		return api_query(j, t->query, "fromImage");
	return api_part_is(t, 0, "build") ? api_query(j, t->query, "t") : text_none();
}

static struct span container_of(struct json *j, const struct api_target *t)
{
	if (!api_part_is(t, 0, "containers") || api_part_is(t, 1, "json"))
		return text_none();
	return api_part_is(t, 1, "create") ? api_query(j, t->query, "name") : api_part(t, 1);
}

void api_docker(struct api_words *w, struct event *e)
{
	struct json j = api_body(w, e);
	struct body b = {.entry = {.at = w->command, .cap = sizeof(w->command)},
			 .cmd = {.at = w->later, .cap = sizeof(w->later)},
			 .detail = {.at = w->detail, .cap = sizeof(w->detail)}};
	struct api_target t;

	api_target_read(&j, e->path, &t);
	cut_version(&t);
	e->api.action = action_of(e, &t);
	if (e->api.action != API_CREATE || span_empty(e->api.container))
		e->api.container = container_of(&j, &t);
	b.image = image_by_query(&j, &t);
	json_space(&j);
	if (!reads_only(e) && j.p < j.end && *j.p == '{' && /* an archive is none */
	    json_walk(&j, (struct json_visitor){visit, &b, NULL}))
		e->flags |= EVENT_TRUNCATED;
	e->api.image = b.image;
	e->api.risks = b.risks;
	e->api.detail = api_list_all(&b.detail);
	for (struct span rest = api_list_all(&b.cmd), one; rest.len;) {
		one = span_of_array(rest.ptr, rest.len);
		api_list_argument(&b.entry, one);
		rest = span_skip(rest, one.len + 1);
	}
	e->args = api_list_all(&b.entry);
	if (b.entry.cut || b.cmd.cut || b.detail.cut || j.cut || j.deep)
		e->flags |= EVENT_TRUNCATED;
}
