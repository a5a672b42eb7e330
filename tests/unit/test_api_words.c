/* What targets and bodies of container APIs mean: as docker's client, curl and kubectl send them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "common/decode/api_words.h"

static struct api_words words;

/* Deeper than what is looked at. */
#define NESTED "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]"

static struct event asked(enum service service, const char *method, const char *target,
			  struct span body)
{
	struct event e = {.service = service,
			  .subject = span_of(method),
			  .path = span_of(target),
			  .text = body};

	api_read(&words, &e);
	return e;
}

static struct event docker(const char *method, const char *target, const char *body)
{
	return asked(SERVICE_DOCKER, method, target, span_of(body));
}

static bool args_are(const struct event *e, const char *wanted) /* with spaces between */
{
	char text[API_COMMAND_MAX];

	for (size_t i = 0; i < e->args.len; i++)
		text[i] = e->args.ptr[i] ? e->args.ptr[i] : ' ';
	return span_is((struct span){text, e->args.len ? e->args.len - 1 : 0}, wanted);
}

#define ALL_RISKS                                                                                  \
	(RISK_PRIVILEGED | RISK_HOST_NETWORK | RISK_HOST_PID | RISK_HOST_IPC | RISK_HOST_MOUNT |   \
	 RISK_ENGINE_SOCKET | RISK_CAPABILITY | RISK_DEVICE)

/* docker create --name pwn --privileged --pid host --net host --ipc host -v /:/host -v data:/d
 * --mount type=bind,source=/var/run/docker.sock,target=/s --cap-add SYS_ADMIN --device /dev/sda
 * --entrypoint chroot alpine /host sh -c 'id > /tmp/x; echo "a b"' */
static const char client_body[] =
	"{\"Hostname\":\"\",\"Domainname\":\"\",\"User\":\"\",\"AttachStdin\":false,\"A"
	"ttachStdout\":true,\"AttachStderr\":true,\"Tty\":false,\"OpenStdin\":false,\"S"
	"tdinOnce\":false,\"Env\":null,\"Cmd\":[\"/host\",\"sh\",\"-c\",\"id \\u003e /t"
	"mp/x; echo \\\"a b\\\"\"],\"Image\":\"alpine\",\"Volumes\":{},\"WorkingDir\":\""
	"\",\"Entrypoint\":[\"chroot\"],\"OnBuild\":null,\"Labels\":{},\"HostConfig\":{"
	"\"Binds\":[\"/:/host\",\"data:/d\"],\"ContainerIDFile\":\"\",\"LogConfig\":{\""
	"Type\":\"\",\"Config\":{}},\"NetworkMode\":\"host\",\"PortBindings\":{},\"Rest"
	"artPolicy\":{\"Name\":\"no\",\"MaximumRetryCount\":0},\"AutoRemove\":false,\"V"
	"olumeDriver\":\"\",\"VolumesFrom\":null,\"ConsoleSize\":[0,0],\"CapAdd\":[\"CA"
	"P_SYS_ADMIN\"],\"CapDrop\":null,\"CgroupnsMode\":\"\",\"Dns\":[],\"DnsOptions\""
	":[],\"DnsSearch\":[],\"ExtraHosts\":null,\"GroupAdd\":null,\"IpcMode\":\"host\""
	",\"Cgroup\":\"\",\"Links\":null,\"OomScoreAdj\":0,\"PidMode\":\"host\",\"Privi"
	"leged\":true,\"PublishAllPorts\":false,\"ReadonlyRootfs\":false,\"SecurityOpt\""
	":null,\"UTSMode\":\"\",\"UsernsMode\":\"\",\"ShmSize\":0,\"Isolation\":\"\",\""
	"CpuShares\":0,\"Memory\":0,\"NanoCpus\":0,\"CgroupParent\":\"\",\"BlkioWeight\""
	":0,\"BlkioWeightDevice\":[],\"BlkioDeviceReadBps\":[],\"BlkioDeviceWriteBps\":"
	"[],\"BlkioDeviceReadIOps\":[],\"BlkioDeviceWriteIOps\":[],\"CpuPeriod\":0,\"Cp"
	"uQuota\":0,\"CpuRealtimePeriod\":0,\"CpuRealtimeRuntime\":0,\"CpusetCpus\":\"\""
	",\"CpusetMems\":\"\",\"Devices\":[{\"PathOnHost\":\"/dev/sda\",\"PathInContain"
	"er\":\"/dev/sda\",\"CgroupPermissions\":\"rwm\"}],\"DeviceCgroupRules\":null,\""
	"DeviceRequests\":null,\"MemoryReservation\":0,\"MemorySwap\":0,\"MemorySwappin"
	"ess\":-1,\"OomKillDisable\":false,\"PidsLimit\":0,\"Ulimits\":[],\"CpuCount\":"
	"0,\"CpuPercent\":0,\"IOMaximumIOps\":0,\"IOMaximumBandwidth\":0,\"Mounts\":[{\""
	"Type\":\"bind\",\"Source\":\"/var/run/docker.sock\",\"Target\":\"/s\"}],\"Mask"
	"edPaths\":null,\"ReadonlyPaths\":null},\"NetworkingConfig\":{\"EndpointsConfig"
	"\":{}}}\n";

static void a_create_of_the_client(void **state)
{
	struct event e = docker("POST", "/v1.41/containers/create?name=pwn", client_body);

	(void)state;
	assert_int_equal(e.api.action, API_CREATE);
	assert_int_equal(e.api.risks, ALL_RISKS);
	assert_true(span_is(e.api.container, "pwn") && span_is(e.api.image, "alpine"));
	assert_true(args_are(&e, "chroot /host sh -c id > /tmp/x; echo \"a b\""));
	assert_true(span_is(e.api.detail,
			    "/:/host, host network, CAP_SYS_ADMIN, host ipc, host pid, "
			    "privileged, /dev/sda, /var/run/docker.sock"));
	assert_int_equal(e.flags & EVENT_TRUNCATED, 0);
}

/* Of a body that ends anywhere is told what is before that, and that it ended. */
static void a_create_that_is_cut(void **state)
{
	size_t whole = sizeof(client_body) - 2; /* its newline is no part */
	struct event e;

	(void)state;
	for (size_t n = 0; n <= whole; n++) {
		char *copy = test_malloc(n + 1); /* what is behind it is not read */

		memcpy(copy, client_body, n);
		e = asked(SERVICE_DOCKER, "POST", "/containers/create", (struct span){copy, n});
		assert_int_equal(e.api.action, API_CREATE);
		assert_int_equal(e.flags & EVENT_TRUNCATED, n && n < whole ? EVENT_TRUNCATED : 0);
		if (n > (size_t)(strstr(client_body, "\"ContainerIDFile") - client_body))
			assert_true(e.api.risks & RISK_HOST_MOUNT);
		test_free(copy);
	}
	e = asked(SERVICE_DOCKER, "POST", "/containers/create",
		  SPAN_LIT("{\"Cmd\":[\"sh\",\"-c\",\"curl 203.0.113.9"));
	assert_true(args_are(&e, "sh -c curl 203.0.113.9"));
}

static void what_is_told_of_a_body(void **state)
{
	static const struct {
		const char *body, *args, *detail;
		uint32_t risks;
	} rows[] = {
		{"{\"Cmd\":\"id\"}", "id", "", 0},
		{"{\"cmd\":[\"id\"],\"HOSTCONFIG\":{\"privileged\":true}}", "id", "privileged",
		 RISK_PRIVILEGED}, /* dockerd does not mind */
		{"{\"Ho\xC5\xBFtConfig\":{\"Binds\":[\"/:/h\"]}}", "", "/:/h", RISK_HOST_MOUNT},
		{"{\"Host\\u0043onfig\":{\"Binds\":[\"\\u002f:/h\"]}}", "", "/:/h",
		 RISK_HOST_MOUNT},
		{"{\"HostConfig\":{\"Privileged\":false,\"NetworkMode\":\"bridge\",\"PidMode\":"
		 "\"\","
		 "\"Binds\":[\"data:/d\"],\"CapAdd\":[\"NET_BIND_SERVICE\"],\"Devices\":[]}}",
		 "", "", 0},
		{"{\"HostConfig\":{\"Privileged\":\"true\"}}", "", "", 0}, /* dockerd refuses it */
		{"{\"Env\":[\"Privileged=true\"],\"Labels\":{\"HostConfig\":\"x\",\"Privileged\":"
		 "\"true\"}}",
		 "", "", 0},
		{"{\"HostConfig\":{\"Binds\":[\"/etc/localtime:/etc/localtime:ro\"]}}", "", "", 0},
		{"{\"HostConfig\":{\"Binds\":[\"/etc/localtime/../shadow:/s\"]}}", "",
		 "/etc/localtime/../shadow:/s", RISK_HOST_MOUNT},
		{"{\"HostConfig\":{\"Binds\":[\"/run//./docker.sock:/s\"]}}", "",
		 "/run//./docker.sock:/s", RISK_ENGINE_SOCKET},
		{"{\"HostConfig\":{\"Binds\":[\"/var/run:/r\"]}}", "", "/var/run:/r",
		 RISK_HOST_MOUNT | RISK_ENGINE_SOCKET},
		{"{\"HostConfig\":{\"Binds\":[\"/srv/../../..:/r\"]}}", "", "/srv/../../..:/r",
		 RISK_HOST_MOUNT},
		{"{\"HostConfig\":{\"CapAdd\":[\"all\",\"sys_ptrace\"]}}", "", "all, sys_ptrace",
		 RISK_CAPABILITY},
		{"{\"HostConfig\":{\"DeviceCgroupRules\":[\"a *:* rwm\"]}}", "", "a *:* rwm",
		 RISK_DEVICE},
		{"{\"HostConfig\":{\"Mounts\":[{\"Type\":\"volume\",\"Source\":\"data\","
		 "\"VolumeOptions\":{\"DriverConfig\":{\"Options\":{\"o\":\"bind\",\"device\":\"/"
		 "\"}}}}]}}",
		 "", "/", RISK_HOST_MOUNT},
		/* nothing before it hides what comes */
		{"{\"x\":" NESTED ",\"HostConfig\":{\"Privileged\":true}}", "", "privileged",
		 RISK_PRIVILEGED},
		{"{\"x\":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\"]]\\\"]\",{}]]]]]]]]]]]]]]]]]]]]]]]]]"
		 "]]]]]]]]]],"
		 "\"Cmd\":[\"id\"]}",
		 "id", "", 0},
		{"", "", "", 0},
		{"[]", "", "", 0},
		{"k8s\0", "", "", 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct event e = docker("POST", "/containers/create", rows[i].body);

		if (e.api.risks != rows[i].risks || !args_are(&e, rows[i].args) ||
		    !span_is(e.api.detail, rows[i].detail))
			fail_msg("row %zu: %x %.*s", i, e.api.risks, (int)e.api.detail.len,
				 e.api.detail.ptr);
	}
}

static const struct {
	enum service service;
	const char *method, *target;
	enum api_action action;
	const char *container, *image;
} targets[] = {
#define D SERVICE_DOCKER
	{D, "HEAD", "/_ping", API_HARMLESS, "", ""},
	{D, "GET", "/v1.24/version", API_HARMLESS, "", ""},
	{D, "GET", "/v1.41/info", API_READ, "", ""},
	{D, "GET", "/containers/json?all=1", API_READ, "", ""},
	{D, "GET", "http://x/%63ontainers/4f5e/logs", API_READ, "4f5e", ""},
	{D, "POST", "/v1.41/containers/create?name=a%20b", API_CREATE, "a b", ""},
	{D, "POST", "/containers/4f5e/start", API_START, "4f5e", ""},
	{D, "POST", "//containers/4f5e/restart?t=5", API_START, "4f5e", ""},
	{D, "POST", "/containers/4f5e/exec", API_EXEC, "4f5e", ""},
	{D, "POST", "/containers/4f5e/attach?stream=1", API_EXEC, "4f5e", ""},
	{D, "GET", "/containers/4f5e/attach/ws", API_EXEC, "4f5e", ""},
	{D, "POST", "/v1.41/exec/99/start", API_EXEC, "", ""},
	{D, "GET", "/v1.41/exec/99/json", API_READ, "", ""},
	{D, "POST", "/v1.41/containers/4f5e/resize?h=1&w=2", API_OTHER, "4f5e", ""},
	{D, "PUT", "/containers/4f5e/archive?path=/", API_CHANGE, "4f5e", ""},
	{D, "DELETE", "/containers/4f5e", API_CHANGE, "4f5e", ""},
	{D, "POST", "/images/create?fromImage=alpine&tag=latest", API_CHANGE, "", "alpine"},
	{D, "POST", "/build?t=x%2Fy", API_CHANGE, "", "x/y"},
	{D, "POST", "/services/create", API_CREATE, "", ""},
	{D, "GET", "/", API_OTHER, "", ""},
	{D, "GET", "/v/version", API_READ, "", ""},
	{D, "GET", "", API_OTHER, "", ""},
#define K SERVICE_KUBELET
	{K, "GET", "/healthz", API_HARMLESS, "", ""},
	{K, "GET", "/pods", API_READ, "", ""},
	{K, "GET", "/containerLogs/default/web/app", API_READ, "default/web", ""},
	{K, "POST", "/run/kube-system/dns/c", API_EXEC, "kube-system/dns", ""},
	{K, "GET", "/exec/default/web/app?command=id", API_EXEC, "default/web", ""},
	{K, "POST", "/portForward/default/web", API_EXEC, "default/web", ""},
	{K, "POST", "/checkpoint/default/web/app", API_CHANGE, "default/web", ""},
#define A SERVICE_KUBE_API
	{A, "GET", "/healthz/etcd", API_HARMLESS, "", ""},
	{A, "GET", "/version?timeout=32s", API_HARMLESS, "", ""},
	{A, "POST", "/version", API_CHANGE, "", ""},
	{A, "GET", "/openid/v1/jwks", API_HARMLESS, "", ""},
	{A, "GET", "/api/v1/namespaces/kube-public/configmaps/cluster-info", API_HARMLESS, "", ""},
	{A, "GET", "/api/v1/namespaces/kube-system/secrets", API_READ, "", ""},
	{A, "GET", "/api", API_READ, "", ""},
	{A, "POST", "/api/v1/namespaces/a/pods", API_CREATE, "a", ""},
	{A, "POST", "/apis/apps/v1/namespaces/a/daemonsets", API_CREATE, "a", ""},
	{A, "POST", "/api/v1/namespaces/a/pods/b/exec?command=id", API_EXEC, "a/b", ""},
	{A, "GET", "/api/v1/namespaces/a/pods/b/log", API_READ, "a/b", ""},
	{A, "POST", "/api/v1/namespaces/a/pods/b/binding", API_CHANGE, "a/b", ""},
	{A, "PATCH", "/api/v1/namespaces/a/pods/b/ephemeralcontainers", API_EXEC, "a/b", ""},
	{A, "POST", "/api/v1/nodes/n1/proxy/run/a/b/c?cmd=id", API_EXEC, "a/b", ""},
	{A, "GET", "/api/v1/nodes/n1/proxy/pods", API_READ, "", ""},
	{A, "POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", API_READ, "", ""},
	{A, "DELETE", "/api/v1/namespaces/a", API_CHANGE, "", ""},
	{A, "BREW", "/api/v1/namespaces/a", API_OTHER, "", ""},
	{SERVICE_SSH, "GET", "/containers/json", API_OTHER, "", ""},
};

static void what_a_target_is(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
		struct event e = asked(targets[i].service, targets[i].method, targets[i].target,
				       (struct span){0});

		if (e.api.action != targets[i].action ||
		    !span_is(e.api.container, targets[i].container) ||
		    !span_is(e.api.image, targets[i].image))
			fail_msg("%s %s: %d '%.*s'", targets[i].method, targets[i].target,
				 (int)e.api.action, (int)e.api.container.len, e.api.container.ptr);
	}
}

/* A query longer than what is kept loses nothing that counts, or says so. */
static void a_long_query(void **state)
{
	char target[4000] = "/run/default/pod/c?x=";
	struct event e;

	(void)state;
	memset(target + strlen(target), '+', 2100);
	strcat(target, "&cmd=id+-a");
	e = asked(SERVICE_KUBELET, "POST", target, (struct span){0});
	assert_true(args_are(&e, "id -a"));
	memset(target + strlen("/run/default/pod/c?x="), '+', 3900);
	strcpy(target + 3900, "&cmd=id+-a");
	e = asked(SERVICE_KUBELET, "POST", target, (struct span){0});
	assert_true(args_are(&e, "id -a") || e.flags & EVENT_TRUNCATED);
}

static void commands_of_kubelets(void **state)
{
	struct event e =
		asked(K, "POST", "/run/default/web/app", SPAN_LIT("cmd=cat+/etc/%73hadow"));

	(void)state;
	assert_true(args_are(&e, "cat /etc/shadow"));
	e = asked(K, "POST",
		  "/exec/kube-system/p/c?command=sh&input=1&command=-c&command=id%26%26ls",
		  (struct span){0});
	assert_true(args_are(&e, "sh -c id&&ls"));
	assert_int_equal(e.api.risks, RISK_SYSTEM_NAMESPACE);
}

static void a_pod_in_clear_text(void **state)
{
	struct event e =
		asked(A, "POST", "/apis/batch/v1/namespaces/kube-system/cronjobs",
		      SPAN_LIT("{\"kind\":\"CronJob\",\"metadata\":{\"name\":\"x\"},\"spec\":{"
			       "\"jobTemplate\":{"
			       "\"spec\":{\"template\":{\"spec\":{\"hostPID\":true,\"volumes\":[{"
			       "\"name\":\"r\","
			       "\"hostPath\":{\"path\":\"/dev/"
			       "sda\"}}],\"containers\":[{\"image\":\"alpine\","
			       "\"command\":[\"sh\"],\"args\":[\"-c\",\"id\"],\"securityContext\":{"
			       "\"privileged\":"
			       "true}},{\"image\":\"second\",\"command\":[\"no\"]}]}}}}}}"));

	(void)state;
	assert_int_equal(e.api.action, API_CREATE);
	assert_int_equal(e.api.risks, RISK_HOST_PID | RISK_HOST_MOUNT | RISK_DEVICE |
					      RISK_PRIVILEGED | RISK_SYSTEM_NAMESPACE);
	assert_true(span_is(e.api.container, "kube-system/x") && span_is(e.api.image, "alpine"));
	assert_true(args_are(&e, "sh -c id"));
	/* the same words elsewhere in it mean nothing */
	e = asked(
		A, "POST", "/api/v1/namespaces/a/pods",
		SPAN_LIT("{\"metadata\":{\"annotations\":{\"spec\":\"{hostPID:true}\",\"hostPID\":"
			 "\"true\"}},"
			 "\"spec\":{\"nodeSelector\":{\"hostPID\":\"true\"},\"hostPID\":false}}"));
	assert_int_equal(e.api.risks, 0);
}

/* More than there is room for is cut, and said to be. */
static void what_is_too_much(void **state)
{
	static char body[API_TEXT_MAX], target[API_TEXT_MAX];
	struct event e;
	size_t n = 0;

	(void)state;
	n += (size_t)snprintf(body, sizeof(body), "{\"HostConfig\":{\"CapAdd\":[\"ALL\"");
	while (n + 300 < sizeof(body))
		n += (size_t)snprintf(body + n, sizeof(body) - n, ",\"SYS_ADMIN\"");
	(void)snprintf(body + n, sizeof(body) - n, "]},\"Cmd\":[\"%0200d\"]}", 1);
	e = docker("POST", "/containers/create", body);
	assert_true(e.api.risks == RISK_CAPABILITY && e.flags & EVENT_TRUNCATED);
	assert_int_equal(e.api.detail.len, API_DETAIL_MAX);
	assert_int_equal(e.args.len, 201);
	n = (size_t)snprintf(target, sizeof(target), "/exec/a/b/c?");
	while (n + 20 < sizeof(target))
		n += (size_t)snprintf(target + n, sizeof(target) - n, "command=%%41bcdefg&");
	e = asked(K, "POST", target, (struct span){0});
	assert_true(e.flags & EVENT_TRUNCATED);
	assert_true(e.args.len <= API_COMMAND_MAX && !e.args.ptr[e.args.len - 1]);
	memset(target, '/', sizeof(target) - 1);
	e = docker("GET", target, "");
	assert_int_equal(e.api.action, API_OTHER);
	for (n = 0; n + 3 < sizeof(target); n += 2)
		memcpy(target + n, "/a", 2);
	target[n] = '\0';
	e = asked(A, "GET", target, (struct span){0});
	assert_int_equal(e.api.action, API_READ);
	memset(body, '{', sizeof(body) - 1);
	e = docker("POST", "/containers/create", body);
	assert_true(e.flags & EVENT_TRUNCATED);
}

/* The dashboard: its page is nothing, its API is what its account may do. */
static void what_a_dashboard_is_asked(void **state)
{
	static const struct {
		const char *method, *target, *container;
		enum api_action action;
	} rows[] = {
		{"GET", "/", "", API_HARMLESS},
		{"GET", "/assets/images/x.svg", "", API_HARMLESS},
		{"GET", "/api/v1/login/status", "", API_HARMLESS},
		{"POST", "/api/v1/login", "", API_HARMLESS},
		{"GET", "/api/v1/secret/kube-system?itemsPerPage=10", "", API_READ},
		{"GET", "/api/v1/pod/default/web-1", "default/web-1", API_READ},
		{"GET", "/api/v1/pod/default/web-1/shell/web", "default/web-1", API_EXEC},
		{"POST", "/api/v1/appdeploymentfromfile", "", API_CREATE},
		{"POST", "/api/v1/appdeployment/validate/name", "", API_CHANGE},
		{"DELETE", "/api/v1/_raw/pod/namespace/default/name/web-1", "", API_CHANGE},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct event e = asked(SERVICE_KUBE_DASHBOARD, rows[i].method, rows[i].target,
				       (struct span){0});

		if (e.api.action != rows[i].action || !span_is(e.api.container, rows[i].container))
			fail_msg("row %zu", i);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_a_dashboard_is_asked),
		cmocka_unit_test(a_create_of_the_client),
		cmocka_unit_test(a_create_that_is_cut),
		cmocka_unit_test(what_is_told_of_a_body),
		cmocka_unit_test(what_a_target_is),
		cmocka_unit_test(a_long_query),
		cmocka_unit_test(commands_of_kubelets),
		cmocka_unit_test(a_pod_in_clear_text),
		cmocka_unit_test(what_is_too_much),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
