/*
 * api_parts: what the readers of container APIs share: targets in parts, lists of words, what about
 * a container leads out of it. Internal to decode/.
 */
#ifndef OUTERGATE_DECODE_API_PARTS_H
#define OUTERGATE_DECODE_API_PARTS_H

#include "api_words.h"
#include "json_tree.h"

#define API_PARTS_MAX 12

/* "/v1/a%20b?c=d" is v1, "a b" and the query c=d. */
struct api_target {
	struct span parts[API_PARTS_MAX];
	unsigned count;
	struct span query; /* as sent */
};

/* A list being put together; what does not fit is counted in `cut`. */
struct api_list {
	char *at;
	size_t len, cap;
	bool cut;
};

/* The body of a request, its words unescaped into w->text. */
struct json api_body(struct api_words *w, const struct event *e);
/* Into j->out: what a URL's %XX stand for. plus: "+" is a space (in a query). */
struct span api_unquoted(struct json *j, struct span s, bool plus);
void api_target_read(struct json *j, struct span target, struct api_target *ret);
/* Is part i that? */
bool api_part_is(const struct api_target *t, unsigned i, const char *text);
struct span api_part(const struct api_target *t, unsigned i);
/* Takes the next "name=value" off a query. False: there is none. */
bool api_query_cut(struct json *j, struct span *query, struct span *name, struct span *value);
/* The first of that name; empty when there is none. */
struct span api_query(struct json *j, struct span query, const char *name);

bool api_is_one(struct span s, const char *const *names, size_t n);
#define API_IS_ONE(s, names) api_is_one(s, names, sizeof(names) / sizeof((names)[0]))

/* One argument of a command, ended by NUL. */
void api_list_argument(struct api_list *l, struct span s);
/* As it is, behind what is there. */
void api_list_part(struct api_list *l, struct span s);
/* One of several, ", " between them. */
void api_list_word(struct api_list *l, struct span s);
static inline struct span api_list_all(const struct api_list *l)
{
	return (struct span){l->at, l->len};
}
/* "namespace/name" in w->name */
struct span api_name(struct api_words *w, struct span ns, struct span name);

/* What is about a container; adds to *risks and tells it in detail. */
void api_risk(uint32_t *risks, struct api_list *detail, uint32_t risk, struct span as_written);
void api_capability(uint32_t *risks, struct api_list *detail, struct span name);
/* path: on the host; as_written: what is told of it. A name that is no path is a volume. */
void api_mount(uint32_t *risks, struct api_list *detail, struct span path, struct span as_written);

/* The readers. */
void api_docker(struct api_words *w, struct event *e);
void api_kubelet(struct api_words *w, struct event *e);
void api_kube(struct api_words *w, struct event *e);
void api_dashboard(struct api_words *w, struct event *e);

/* What a request to the Kubernetes API is about (api_kube.c). */
struct kube_request {
	struct span verb; /* get list watch create update patch delete deletecollection */
	struct span resource, subresource, ns, name;
	struct span asked[3]; /* of nodes/proxy: of the node, "exec", namespace, pod */
	struct span query;    /* as sent */
	bool is_public_path;  /* /version, /healthz and their like */
};
void kube_request_read(struct json *j, struct span verb, struct span target,
		       struct kube_request *ret);
enum api_action kube_action(const struct kube_request *q);
/* args of an exec by its query: command=... */
void kube_command(struct json *j, struct span query, struct api_list *command);

/* A pod, or what makes pods: one value of it. */
struct kube_object {
	unsigned containers; /* begun so far, of those whose command is told: the first */
	uint32_t risks;
	struct api_list command, detail;
	struct span image, name, ns;
};
/* from: the level of its members (json_path_is). */
void kube_object_visit(struct kube_object *o, const struct json_path *p, unsigned from,
		       struct span name, struct span value, char type);
/* Can there be something of it in the object or array of that name? */
bool kube_object_enter(const struct json_path *p, unsigned from, struct span name);
/* Everything of e->api but the action, which is there; the arguments. */
void kube_tell(struct api_words *w, struct event *e, const struct kube_request *q,
	       struct kube_object *o);

#endif
