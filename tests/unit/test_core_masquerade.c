/* Who calls himself what: names, command lines and files, and what may be so. */
#include "core_world.h"

#include "common/core/core_masquerade.h"

static void says(const char *comm, const char *args, const char *path, const char *wanted)
{
	struct span got = masquerades_as(span_of(comm), span_of(args), span_of(path));
	char text[64];

	span_copy(text, sizeof(text), got);
	assert_string_equal(text, wanted);
}

static void names_that_are_not_theirs(void **state)
{
	(void)state;
	says("sshd", "x", "/tmp/x", "sshd");
	says("x", "sshd: root@pts/0", "/home/a/x", "sshd");
	says("x", "/usr/sbin/cron", "/dev/shm/x", "cron");
	says("x", "-systemd", "/opt/x", "systemd");
	says("socat", "sshd", "/usr/bin/socat", "sshd");
	says("sshd", "sshd", "/usr/local/sbin/sshd-helper", "sshd");
	says("sshd", "sshd", "/memfd:sshd (deleted)", "sshd");
	says("sshd", "sshd", "/tmp/sshd (deleted)", "sshd");
	says("systemd-journal", "x", "/var/tmp/y", "systemd-journal");
	says("kworker/0:1", "[kworker/0:1]", "/usr/bin/socat", "kworker/0:1");
	says("x", "[kworker/u8:2]", "/usr/bin/x", "kworker/u8:2]");
}

static void names_that_are(void **state)
{
	(void)state;
	says("sshd", "sshd: alice [priv]", "/usr/sbin/sshd", "");
	says("sshd", "sshd: alice", "/usr/sbin/sshd (deleted)", ""); /* upgraded while it ran */
	says("sshd", "sshd-session: alice", "/usr/lib/openssh/sshd-session", "");
	says("sshd-session", "sshd-session: alice", "/usr/lib/openssh/sshd-session", "");
	says("(sd-pam)", "(sd-pam)", "/usr/lib/systemd/systemd", "");
	says("init", "/sbin/init", "/usr/lib/systemd/systemd", "");
	says("crond", "crond -f", "/bin/busybox", "");
	says("systemd-journal", "/lib/systemd/systemd-journald",
	     "/usr/lib/systemd/systemd-journald", "");
	says("dockerd", "dockerd", "/snap/docker/1/bin/dockerd", "");
	says("ssh", "ssh -R 2222:localhost:22 relay", "/usr/bin/ssh", "");
	says("frpc", "frpc", "/opt/frp/frpc", "");
	says("chronyd-helper", "chronyd-helper", "/opt/x", "");
	says("sshd", "sshd", "", ""); /* it was gone when somebody looked */
	says("", "", "/tmp/x", "");
	says("x", "[", "/tmp/x", "");
	says("x", "-", "/tmp/x", "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_that_are_not_theirs),
		cmocka_unit_test(names_that_are),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
