/*
 * fuzz_exposure: any bytes as sshd's settings (that include themselves), command lines, a kubelet's
 * and dockerd's settings, and lines of /proc's tables. What is said of it is a text that ends, and
 * grades are grades.
 */
#include "fuzz.h"

#include "common/exposure/daemons.h"
#include "common/exposure/sockets.h"
#include "common/exposure/sshd_config.h"

static int read_same(void *arg, enum settings_file which, const char *name, char **ret, size_t *len)
{
	const struct span *text = arg;

	CHECK(which < SETTINGS_FILES && strlen(name) < EXPOSURE_PATH);
	*ret = malloc(text->len + 1);
	CHECK(*ret);
	memcpy(*ret, text->ptr, text->len);
	*len = text->len;
	return 0;
}

static bool one_part(void *arg, unsigned i, char name[EXPOSURE_PATH])
{
	(void)arg;
	strcpy(name, "10-x.conf");
	return i < 2;
}

static void judge(enum service service, const char *path, struct span args,
		  const struct exposure_reader *r)
{
	struct exposure x = {.service = service, .pid = 7, .at.port = 10255, .reach = REACH_ANYONE};
	struct mitigation m[EXPOSURE_MITIGATION];
	char text[EXPOSURE_TEXT_MAX];

	span_copy(x.path, sizeof(x.path), span_of(path));
	exposure_judge(&x, args, r);
	CHECK(x.auth <= EXPOSED_NONE && strlen(x.words) < sizeof(x.words) && x.words[0]);
	CHECK(exposure_mitigations(&x, m) <= EXPOSURE_MITIGATION);
	exposure_text(&x, text);
	CHECK(strlen(text) < sizeof(text));
}

static void lines(struct span text)
{
	struct fib_reader f = {{0}};
	struct bound_socket b;
	struct addr a;

	while (!span_empty(text)) {
		const char *end = memchr(text.ptr, '\n', text.len);
		size_t n = end ? (size_t)(end - text.ptr) : text.len;
		struct span line = span_first(text, n);

		(void)socket_line(line, false, &b);
		(void)socket_line(line, true, &b);
		(void)fib_line(&f, line, &a);
		(void)inet6_line(line, &a);
		text = span_skip(text, n + 1);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *copy = malloc(size + 1), account[ACCOUNT_MAX];
	struct span text = {copy, size};
	struct exposure_reader r = {&text, read_same, one_part};

	CHECK(copy);
	memcpy(copy, data, size);
	judge(SERVICE_SSH, "/usr/sbin/sshd", text, &r);
	judge(SERVICE_SSH, "/usr/sbin/dropbear", text, &r);
	judge(SERVICE_VNC, "/usr/bin/Xtigervnc", text, &r);
	judge(SERVICE_VNC, "/usr/bin/x11vnc", text, &r);
	judge(SERVICE_DOCKER, "/usr/sbin/dockerd", text, &r);
	judge(SERVICE_DOCKER, "/usr/sbin/dockerd", SPAN_LIT("dockerd"), &r);
	judge(SERVICE_KUBELET, "/usr/bin/kubelet", text, &r);
	judge(SERVICE_KUBELET, "/usr/bin/kubelet", SPAN_LIT("kubelet\0--config=/x"), &r);
	judge(SERVICE_KUBE_API, "/usr/bin/kube-apiserver", text, &r);
	if (sshd_title_account(text, account))
		CHECK(account[0] && strlen(account) < sizeof(account));
	(void)exposure_service(text, text, 22, size & 1);
	lines(text);
	free(copy);
	return 0;
}
