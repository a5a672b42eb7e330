/*
 * api_kube: the Kubernetes API and the kubelet's own (10250; 10255 reads only).
 *
 * Sees what a request is about by its path, the command of an exec by its query, and of pods and
 * what makes pods the first container and all that leads to the node. Cannot see: bodies in
 * protobuf, as controllers send them; what a webhook adds to a pod later.
 *
 * Example: POST /api/v1/namespaces/a/pods/b/exec?command=sh&command=-c&command=id
 */
#include "api_parts.h"
#include "text.h"

/* --- targets */

static const char *const public_paths[] = {"version", "healthz", "livez", "readyz"};

/* What system:public-info-viewer and a published issuer show to everybody. */
static bool is_public(const struct api_target *t)
{
	if (t->count && API_IS_ONE(t->parts[0], public_paths))
		return true;
	return (api_part_is(t, 0, ".well-known") && api_part_is(t, 1, "openid-configuration")) ||
	       (api_part_is(t, 0, "openid") && api_part_is(t, 2, "jwks"));
}

/* As RequestInfoFactory of k8s.io/apiserver takes a path apart. */
static void read_resource(const struct api_target *t, unsigned i, struct kube_request *q)
{
	struct span what;

	if (api_part_is(t, i, "watch")) {
		q->verb = SPAN_LIT("watch");
		i++;
	}
	what = api_part(t, i + 2);
	if (api_part_is(t, i, "namespaces") && what.len && !span_is(what, "status") &&
	    !span_is(what, "finalize")) {
		q->ns = api_part(t, i + 1);
		i += 2;
	}
	q->resource = api_part(t, i);
	q->name = api_part(t, i + 1);
	q->subresource = api_part(t, i + 2);
	for (unsigned k = 0; k < 3; k++)
		q->asked[k] = api_part(t, i + 3 + k);
}

void kube_request_read(struct json *j, struct span verb, struct span target,
		       struct kube_request *ret)
{
	struct api_target t;

	*ret = (struct kube_request){.verb = verb};
	api_target_read(j, target, &t);
	ret->query = t.query;
	ret->is_public_path = is_public(&t);
	if (api_part_is(&t, 0, "api") && t.count > 2)
		read_resource(&t, 2, ret);
	else if (api_part_is(&t, 0, "apis") && t.count > 3)
		read_resource(&t, 3, ret);
}

static const char *const makes_pods[] = {
	"pods",		"deployments", "daemonsets",
	"statefulsets", "replicasets", "replicationcontrollers",
	"jobs",		"cronjobs",
};
static const char *const reading_verbs[] = {"get", "list", "watch", "head", "options"};
/* "Who am I, what may I?": created, and yet nothing is. */
static const char *const questions[] = {
	"tokenreviews",
	"subjectaccessreviews",
	"selfsubjectaccessreviews",
	"selfsubjectrulesreviews",
	"localsubjectaccessreviews",
	"selfsubjectreviews",
};
static const char *const running_subresources[] = {"exec", "attach", "portforward"};
static const char *const running_paths[] = {"exec", "run", "attach", "portForward", "cri"};

static bool runs_something(const struct kube_request *q)
{
	if (span_is(q->resource, "pods") && API_IS_ONE(q->subresource, running_subresources))
		return true;
	if (span_is(q->resource, "pods") && span_is(q->subresource, "ephemeralcontainers"))
		return !API_IS_ONE(q->verb, reading_verbs); /* kubectl debug */
	return span_is(q->resource, "nodes") && span_is(q->subresource, "proxy") &&
	       API_IS_ONE(q->asked[0], running_paths);
}

/* What kubeadm shows to those who want to join. */
static bool is_cluster_info(const struct kube_request *q)
{
	return span_is(q->resource, "configmaps") && span_is(q->ns, "kube-public") &&
	       span_is(q->name, "cluster-info");
}

enum api_action kube_action(const struct kube_request *q)
{
	bool reads = API_IS_ONE(q->verb, reading_verbs);

	if (span_empty(q->verb))
		return API_OTHER;
	if (runs_something(q))
		return API_EXEC;
	if (reads)
		return q->is_public_path || is_cluster_info(q) ? API_HARMLESS : API_READ;
	if (span_is(q->verb, "create") && API_IS_ONE(q->resource, makes_pods) &&
	    span_empty(q->subresource))
		return API_CREATE;
	return API_IS_ONE(q->resource, questions) ? API_READ : API_CHANGE;
}

/* "ls -la /": the kubelet cuts it at its spaces. */
static void run_command(struct span words, struct api_list *command)
{
	struct span rest = words, word;

	while (rest.len) {
		word = text_cut_word(&rest);
		if (word.len)
			api_list_argument(command, word);
	}
}

void kube_command(struct json *j, struct span query, struct api_list *command)
{
	struct span name, value;

	while (api_query_cut(j, &query, &name, &value)) {
		if (span_is(name, "command"))
			api_list_argument(command, value);
		else if (span_is(name, "cmd")) /* the kubelet's /run */
			run_command(value, command);
	}
}

/* --- pods */

static void risk_if(struct kube_object *o, struct span value, uint32_t risk, struct span as_written)
{
	if (span_is(value, "true"))
		api_risk(&o->risks, &o->detail, risk, as_written);
}

static void begin_container(struct kube_object *o, struct span value)
{
	(void)value;
	o->containers++;
}

static void take_image(struct kube_object *o, struct span value)
{
	if (o->containers == 1)
		o->image = value;
}

static void take_word(struct kube_object *o, struct span value)
{
	if (o->containers == 1)
		api_list_argument(&o->command, value);
}

static void take_privileged(struct kube_object *o, struct span value)
{
	risk_if(o, value, RISK_PRIVILEGED, SPAN_LIT("privileged"));
}

static void take_capability(struct kube_object *o, struct span value)
{
	api_capability(&o->risks, &o->detail, value);
}

static void take_network(struct kube_object *o, struct span value)
{
	risk_if(o, value, RISK_HOST_NETWORK, SPAN_LIT("host network"));
}

static void take_pid(struct kube_object *o, struct span value)
{
	risk_if(o, value, RISK_HOST_PID, SPAN_LIT("host pid"));
}

static void take_ipc(struct kube_object *o, struct span value)
{
	risk_if(o, value, RISK_HOST_IPC, SPAN_LIT("host ipc"));
}

static void take_host_path(struct kube_object *o, struct span value)
{
	api_mount(&o->risks, &o->detail, value, value);
	if (span_starts(value, SPAN_LIT("/dev/")))
		o->risks |= RISK_DEVICE;
}

/* Of a pod's spec. */
static const struct {
	const char *where;
	char type;
	void (*take)(struct kube_object *o, struct span value);
} members[] = {
	{"containers[]", '{', begin_container},
	{"containers[].image", '"', take_image},
	{"containers[].command[]", '"', take_word},
	{"containers[].args[]", '"', take_word},
	{"containers[].securityContext.privileged", 'w', take_privileged},
	{"containers[].securityContext.capabilities.add[]", '"', take_capability},
	{"initContainers[].securityContext.privileged", 'w', take_privileged},
	{"initContainers[].securityContext.capabilities.add[]", '"', take_capability},
	{"ephemeralContainers[]", '{', begin_container},
	{"ephemeralContainers[].image", '"', take_image},
	{"ephemeralContainers[].command[]", '"', take_word},
	{"ephemeralContainers[].args[]", '"', take_word},
	{"ephemeralContainers[].securityContext.privileged", 'w', take_privileged},
	{"ephemeralContainers[].securityContext.capabilities.add[]", '"', take_capability},
	{"hostNetwork", 'w', take_network},
	{"hostPID", 'w', take_pid},
	{"hostIPC", 'w', take_ipc},
	{"volumes[].hostPath.path", '"', take_host_path},
};

#define CHAIN_MAX 5
/* Where a pod's spec is: in a pod, in what makes pods, in a cron job, in a template. */
static const char *const chains[][CHAIN_MAX] = {
	{"spec"},
	{"spec", "template", "spec"},
	{"spec", "jobTemplate", "spec", "template", "spec"},
	{"template", "spec"},
};

/* The level behind that chain; 0: the value is not below it. */
static unsigned level_of(const struct json_path *p, unsigned from, const char *const *chain)
{
	unsigned n = 0;

	while (n < CHAIN_MAX && chain[n]) {
		if (from + n >= p->depth || p->types[from + n] != '{' ||
		    !span_is(p->names[from + n], chain[n]))
			return 0;
		n++;
	}
	return from + n;
}

void kube_object_visit(struct kube_object *o, const struct json_path *p, unsigned from,
		       struct span name, struct span value, char type)
{
	if (p->depth > from && span_is(p->names[from], "metadata")) {
		if (type == '"' && json_path_is(p, from, name, "metadata.name", false))
			o->name = value;
		if (type == '"' && json_path_is(p, from, name, "metadata.namespace", false))
			o->ns = value;
		return;
	}
	for (size_t c = 0; c < sizeof(chains) / sizeof(chains[0]); c++) {
		unsigned level = level_of(p, from, chains[c]);

		struct span top = level < p->depth ? p->names[level] : name;

		if (!level || !top.len)
			continue;
		for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
			if (members[i].type == type && members[i].where[0] == top.ptr[0] &&
			    json_path_is(p, level, name, members[i].where, false))
				members[i].take(o, value);
	}
}

/* Objects and arrays below the metadata have nothing; those of a spec may. */
bool kube_object_enter(const struct json_path *p, unsigned from, struct span name)
{
	struct span top = p->depth > from ? p->names[from] : name;

	return p->depth < from || (p->depth == from && span_is(top, "metadata")) ||
	       span_is(top, "spec") || span_is(top, "template");
}

static void visit(void *arg, const struct json_path *p, struct span name, struct span value,
		  char type)
{
	kube_object_visit(arg, p, 1, name, value, type);
}

static bool enter(void *arg, const struct json_path *p, struct span name, char type)
{
	(void)arg, (void)type;
	return kube_object_enter(p, 1, name);
}

void kube_tell(struct api_words *w, struct event *e, const struct kube_request *q,
	       struct kube_object *o)
{
	struct span ns = q->ns.len ? q->ns : o->ns, name = q->name.len ? q->name : o->name;
	bool asks_node = e->api.action == API_EXEC && span_is(q->resource, "nodes");

	if (asks_node) {
		ns = q->asked[1];
		name = q->asked[2];
	}
	if (e->api.action != API_READ && e->api.action != API_HARMLESS &&
	    span_is(ns, "kube-system"))
		api_risk(&o->risks, &o->detail, RISK_SYSTEM_NAMESPACE, ns);
	if (asks_node ||
	    (API_IS_ONE(q->resource, makes_pods) && (name.len || e->api.action == API_CREATE)))
		e->api.container = api_name(w, ns, name);
	e->api.image = o->image;
	e->api.risks = o->risks;
	e->api.detail = api_list_all(&o->detail);
	e->args = api_list_all(&o->command);
	if (o->command.cut || o->detail.cut)
		e->flags |= EVENT_TRUNCATED;
}

/* --- in clear text: kubectl proxy, --insecure-port of old */

static struct span verb_of(struct span method, bool *reads)
{
	static const struct {
		const char *method, *verb;
	} verbs[] = {{"GET", "get"},	  {"HEAD", "head"},  {"OPTIONS", "options"},
		     {"POST", "create"},  {"PUT", "update"}, {"PATCH", "patch"},
		     {"DELETE", "delete"}};

	*reads = false;
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (span_is(method, verbs[i].method)) {
			*reads = i < 3;
			return span_of(verbs[i].verb);
		}
	return text_none();
}

void api_kube(struct api_words *w, struct event *e)
{
	struct json j = api_body(w, e);
	struct kube_object o = {.command = {.at = w->command, .cap = sizeof(w->command)},
				.detail = {.at = w->detail, .cap = sizeof(w->detail)}};
	struct kube_request q;
	bool reads;

	kube_request_read(&j, verb_of(e->subject, &reads), e->path, &q);
	e->api.action = kube_action(&q);
	json_space(&j);
	if (!reads && j.p < j.end && *j.p == '{' &&
	    json_walk(&j, (struct json_visitor){visit, &o, enter}))
		e->flags |= EVENT_TRUNCATED;
	if (e->api.action == API_EXEC)
		kube_command(&j, q.query, &o.command);
	kube_tell(w, e, &q, &o);
	if (j.cut || j.deep)
		e->flags |= EVENT_TRUNCATED;
}

/* --- the kubelet */

static enum api_action kubelet_action(const struct event *e, const struct api_target *t)
{
	bool reads;
	struct span verb = verb_of(e->subject, &reads);

	if (t->count && API_IS_ONE(t->parts[0], running_paths))
		return API_EXEC;
	if (!verb.len || !t->count)
		return API_OTHER;
	if (!reads)
		return API_CHANGE;
	return api_part_is(t, 0, "healthz") ? API_HARMLESS : API_READ;
}

static const char *const names_pods[] = {"exec",	"run",		 "attach",
					 "portForward", "containerLogs", "checkpoint"};

void api_kubelet(struct api_words *w, struct event *e)
{
	struct json j = {.out = w->text, .out_end = w->text + sizeof(w->text)};
	struct api_list command = {.at = w->command, .cap = sizeof(w->command)};
	struct api_target t;

	api_target_read(&j, e->path, &t);
	e->api.action = kubelet_action(e, &t);
	if (t.count && API_IS_ONE(t.parts[0], names_pods))
		e->api.container = api_name(w, api_part(&t, 1), api_part(&t, 2));
	if (e->api.action == API_EXEC)
		kube_command(&j, t.query, &command);
	if (api_part_is(&t, 0, "run") && !command.len) /* a form, in the query or the body */
		run_command(api_query(&j, e->text, "cmd"), &command);
	if (command.cut || j.cut)
		e->flags |= EVENT_TRUNCATED;
	e->args = api_list_all(&command);
	if (span_is(api_part(&t, 1), "kube-system") && e->api.container.len &&
	    e->api.action == API_EXEC)
		e->api.risks |= RISK_SYSTEM_NAMESPACE;
}
