/* Names of containers: by cgroup, by bundle, by Docker; whose a pod is that an API asked for. */
#include "common/decode/container.h"
#include "core_world.h"

#define ID "4f5e6d7c8b9a0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796"

static void an_id_is_64_digits(void **state)
{
	static const struct {
		const char *cgroup, *id;
	} rows[] = {
		{"docker-" ID ".scope", ID},
		{"cri-containerd-" ID ".scope", ID},
		{"libpod-" ID, ID},
		{ID, ID},
		{"0::/kubepods/besteffort/pod1-2/" ID "\n", ID},
		{ID "0", ""}, /* 65 */
		{"session-4.scope", ""},
		{"pod3f1c2d3e-0000-4000-8000-0123456789ab", ""},
		{"", ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (!span_is(container_id(span_of(rows[i].cgroup)), rows[i].id))
			fail_msg("row %zu", i);
}

static void others_by_their_cgroup(void **state)
{
	(void)state;
	assert_true(span_is(container_of_name(SPAN_LIT("lxc.payload.web"), SPAN_LIT("/")), "web"));
	assert_true(span_is(
		container_of_name(SPAN_LIT("payload"), SPAN_LIT("systemd-nspawn@db.service")),
		"db"));
	assert_true(span_is(container_of_name(SPAN_LIT("c1"), SPAN_LIT("/")), "c1"));
	assert_true(span_empty(container_of_name(SPAN_LIT("/"), SPAN_LIT(""))));
}

static struct event bundle(struct container_words *w, const char *text, const char **wrong)
{
	struct event e = {.kind = EVENT_CONTAINER};

	*wrong = container_bundle(w, span_of(text), &e);
	return e;
}

static void a_bundle_of_containerd(void **state)
{
	struct container_words w;
	const char *wrong;
	struct event e = bundle(
		&w,
		"{\"ociVersion\":\"1.0.2\",\"process\":{\"capabilities\":{\"bounding\":"
		"[\"CAP_CHOWN\",\"CAP_SYS_ADMIN\"]}},\"mounts\":[{\"destination\":\"/proc\","
		"\"type\":\"proc\",\"source\":\"proc\"},{\"destination\":\"/"
		"host\",\"type\":\"bind\","
		"\"source\":\"/etc\",\"options\":[\"rbind\"]},{\"destination\":\"/etc/"
		"hosts\",\"type\":"
		"\"bind\",\"source\":\"/var/lib/kubelet/pods/1/etc-hosts\"}],\"annotations\":{"
		"\"io.kubernetes.cri.container-name\":\"nginx\",\"io.kubernetes.cri.image-name\":"
		"\"nginx:1.25\",\"io.kubernetes.cri.sandbox-name\":\"web-1\","
		"\"io.kubernetes.cri.sandbox-namespace\":\"shop\"}}",
		&wrong);

	(void)state;
	assert_null(wrong);
	assert_true(span_is(e.api.name, "nginx"));
	assert_true(span_is(e.api.image, "nginx:1.25"));
	assert_true(span_is(e.api.pod_name, "shop/web-1"));
	assert_int_equal(e.api.risks, RISK_CAPABILITY | RISK_HOST_MOUNT);
	assert_true(span_is(e.api.detail, "CAP_SYS_ADMIN, /etc"));
	assert_string_equal(w.engine, "");
}

static void docker_keeps_its_own(void **state)
{
	struct container_words w, more;
	const char *wrong;
	struct event e = bundle(&w,
				"{\"mounts\":[{\"source\":\"/srv/docker/containers/" ID
				"/hosts\",\"destination\":\"/etc/hosts\",\"type\":\"bind\"}]}",
				&wrong);

	(void)state;
	assert_null(wrong);
	assert_int_equal(e.api.risks, 0);
	assert_string_equal(w.engine, "/srv/docker/containers/" ID);
	wrong = container_docker(&more,
				 SPAN_LIT("{\"ID\":\"4f\",\"Name\":\"/web\",\"Config\":{\"Image\":"
					  "\"nginx:1.25\",\"Labels\":{\"a\":\"b\"}}}"),
				 &e);
	assert_null(wrong);
	assert_true(span_is(e.api.name, "web"));
	assert_true(span_is(e.api.image, "nginx:1.25"));
	assert_true(span_empty(e.api.pod_name));
	/* dockershim's: the pod is in the labels, and Docker's name is made of it. */
	wrong = container_docker(
		&more,
		SPAN_LIT("{\"Name\":\"/k8s_c_web_default_1_0\",\"Config\":{\"Labels\":{"
			 "\"io.kubernetes.container.name\":\"c\",\"io.kubernetes.pod.name\":"
			 "\"web\",\"io.kubernetes.pod.namespace\":\"default\"}}}"),
		&e);
	assert_null(wrong);
	assert_true(span_is(e.api.name, "c"));
	assert_true(span_is(e.api.pod_name, "default/web"));
}

static void a_bad_description_names_what_it_can(void **state)
{
	struct container_words w;
	const char *wrong;
	struct event e =
		bundle(&w, "{\"annotations\":{\"io.kubernetes.pod.name\":\"web\",", &wrong);

	(void)state;
	assert_non_null(wrong);
	assert_true(span_is(e.api.pod_name, "web"));
	(void)bundle(&w, "", &wrong);
	assert_non_null(wrong);
	(void)bundle(&w, "[1]", &wrong);
	assert_non_null(wrong);
	/* A mount of their own in that place leads nowhere. */
	(void)bundle(&w,
		     "{\"mounts\":[{\"destination\":\"/etc/hosts\",\"type\":\"bind\",\"source\":"
		     "\"/home/mallory/hosts\"}]}",
		     &wrong);
	assert_string_equal(w.engine, "");
}

static struct event began(double at, const char *cgroup, const char *pod, uint32_t flags)
{
	return (struct event){
		.kind = EVENT_CONTAINER,
		.trust = TRUST_KERNEL,
		.flags = flags,
		.count = 1,
		.time_ns = (T0 * SEC) + (uint64_t)(at * 1e9),
		.api = {.action = API_START,
			.container = container_id(span_of(cgroup)),
			.name = SPAN_LIT("nginx"),
			.pod_name = span_of(pod)},
	};
}

static struct event ran(struct world *w, double at, const char *cgroup)
{
	struct event e = kernel_event(w, EVENT_EXEC, at, 0, NULL, 0);

	e.local = (struct endpoint){0};
	e.handoff = 1ull << 63 | 7;
	e.broker = (struct broker){.kind = HANDOFF_CONTAINER, .proc = {77, 1}};
	e.program = SPAN_LIT("/bin/sh");
	e.args = (struct span){"sh\0-c\0id", 8};
	e.subject = span_of(cgroup);
	return e;
}

/* Asked for by name in the cluster's API; told by name on the node where it begins. */
static void a_pod_that_was_asked_for(void **state)
{
	static const char *const pods[] = {"shop/web-1", "shop/web-2"};

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		struct world *w = world_new(true);
		struct event ask = {
			.kind = EVENT_API,
			.service = SERVICE_KUBE_API,
			.trust = TRUST_TEXT,
			.count = 1,
			.time_ns = T0 * SEC,
			.origin = ep("203.0.113.9", 0),
			.subject = SPAN_LIT("create"),
			.path = SPAN_LIT("/api/v1/namespaces/shop/pods"),
			.account = SPAN_LIT("system:anonymous"),
			.result = 201,
			.outcome = OUTCOME_SUCCESS,
			.api = {.action = API_CREATE,
				.anonymous = true,
				.container = SPAN_LIT("shop/web-1")},
		};
		struct event start = began(2, "cri-containerd-" ID ".scope", pods[i], EVENT_ROOT);
		struct event run = ran(w, 2.1, "cri-containerd-" ID ".scope");
		const struct session *s;

		step(w, &ask);
		step(w, &start);
		step(w, &run);
		s = core_session_at(w->core, 0);
		assert_non_null(s);
		assert_int_equal(s->commands_total, i == 0);
		if (i == 0) {
			assert_string_equal(s->handoffs[0].what, "shop/web-1/nginx (4f5e6d7c8b9a)");
			assert_int_equal(s->handoffs[0].state, HANDOFF_JOINED);
		}
		assert_int_equal(core_stats(w->core)->containers_started, 1);
		world_free(w);
	}
}

/* A user's own "container" may not call itself like the one that was asked for. */
static void a_users_container_names_nothing(void **state)
{
	struct world *w = world_new(false);
	struct event e = began(1, ID, "shop/web-1", 0);

	(void)state;
	step(w, &e);
	assert_false(core_knows_container(w->core, SPAN_LIT(ID)));
	assert_int_equal(core_stats(w->core)->containers_started, 1);
	e.flags = EVENT_ROOT;
	step(w, &e);
	assert_true(core_knows_container(w->core, SPAN_LIT(ID)));
	assert_true(core_knows_container(w->core, SPAN_LIT("docker-" ID ".scope")));
	assert_true(core_knows_container(w->core, span_first(SPAN_LIT(ID), 12)));
	assert_false(core_knows_container(w->core, span_first(SPAN_LIT(ID), 11)));
	world_free(w);
}

/* A thousand later, those used last are known. */
static void many_come_and_go(void **state)
{
	struct world *w = world_new(false);
	char id[65];

	(void)state;
	for (unsigned i = 0; i < 1000; i++) {
		struct event e;

		memset(id, 'a', 64);
		snprintf(id, sizeof(id), "%064x", i * 2654435761u);
		memmove(id, id + 56, 8); /* the first digits differ */
		e = began(i, id, "", EVENT_ROOT);
		step(w, &e);
		assert_true(core_knows_container(w->core, span_of(id)));
	}
	assert_int_equal(core_stats(w->core)->containers_started, 1000);
	assert_false(core_knows_container(w->core, SPAN_LIT(ID)));
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_id_is_64_digits),
		cmocka_unit_test(others_by_their_cgroup),
		cmocka_unit_test(a_bundle_of_containerd),
		cmocka_unit_test(docker_keeps_its_own),
		cmocka_unit_test(a_bad_description_names_what_it_can),
		cmocka_unit_test(a_pod_that_was_asked_for),
		cmocka_unit_test(a_users_container_names_nothing),
		cmocka_unit_test(many_come_and_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
