/* The sandbox, by exceeding it: each try in a process of its own that has entered it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <asm/sockios.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent-linux/sandbox_filter.h"

static char dir[PATH_MAX], beside[PATH_MAX + 16], within[PATH_MAX + 16];

/* What a try ends with: 0, an errno, or FATAL + a signal. */
#define FATAL 1000

static int outcome(enum sandbox_role role, int (*attempt)(void))
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		prctl(PR_SET_DUMPABLE, 0); /* no core of a process that is killed */
		_exit(sandbox_filter(role) ? 250 : attempt());
	}
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) ? FATAL + WTERMSIG(status) : WEXITSTATUS(status);
}

static int did(long r)
{
	return r < 0 ? errno : 0;
}

static int run_program(void)
{
	return did(execl("/bin/true", "true", (char *)NULL));
}
static int trace(void)
{
	return did(ptrace(PTRACE_TRACEME, 0, 0, 0));
}
static int kernel_program(void)
{
	return did(syscall(SYS_bpf, 0, NULL, 0));
}
static int namespaces(void)
{
	return did(syscall(SYS_unshare, 0));
}
static int another_root(void)
{
	return did(chroot("/"));
}
static int module(void)
{
	return did(syscall(SYS_delete_module, "none", 0));
}
static int another_user(void)
{
	return did(setresuid((uid_t)-1, (uid_t)-1, (uid_t)-1));
}
static int the_clock(void)
{
	return did(syscall(SYS_clock_settime, CLOCK_REALTIME, NULL));
}
static int memory_of_another(void)
{
	return did(syscall(SYS_process_vm_readv, getppid(), NULL, 0, NULL, 0, 0));
}
static int a_process(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	return did(pid);
}
static int a_signal(void)
{
	return did(kill(getppid(), 0));
}
static int code_written(void)
{
	return mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		    0) == MAP_FAILED
		       ? errno
		       : 0;
}
static int code_of_data(void)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? 251 : did(mprotect(p, 4096, PROT_READ | PROT_EXEC));
}
static int internet(void)
{
	return did(socket(AF_INET, SOCK_STREAM, 0));
}
static int internet6(void)
{
	return did(socket(AF_INET6, SOCK_DGRAM, 0));
}
static int packets(void)
{
	return did(socket(AF_PACKET, SOCK_RAW, 0));
}
static int local(void)
{
	return did(socket(AF_UNIX, SOCK_DGRAM, 0));
}
static int newer(void)
{
	return did(syscall(SYS_process_madvise, -1, NULL, 0, 0, 0));
}
static void *nothing(void *arg)
{
	return arg;
}
static int a_thread(void)
{
	pthread_t t;
	int r = pthread_create(&t, NULL, nothing, NULL);

	return r ? r : pthread_join(t, NULL);
}
static int a_name(void)
{
	struct addrinfo *list = NULL;
	int r = getaddrinfo("localhost", "443", NULL, &list);

	if (!r)
		freeaddrinfo(list);
	return r ? 252 : 0;
}
static int unlink_one(void)
{
	return did(unlink("/nonexistent/file"));
}
static int a_file(void)
{
	FILE *f = fopen("/etc/passwd", "re");
	char line[64];

	return f && fgets(line, sizeof(line), f) && !fclose(f) ? 0 : 253;
}

/* A parent of the same user: no signal reaches it. */
static int a_thread_of_another(void)
{
	return did(syscall(SYS_tgkill, getppid(), getppid(), SIGTERM));
}
static int an_owner(void)
{
	int pair[2];

	return pipe2(pair, O_CLOEXEC) ? 253 : did(fcntl(pair[0], F_SETOWN, getppid()));
}
static int a_signal_of_events(void)
{
	int pair[2];

	return pipe2(pair, O_CLOEXEC) ? 253 : did(fcntl(pair[0], F_SETSIG, SIGKILL));
}
static int an_owner_by_ioctl(void)
{
	int s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), parent = getppid();

	return s < 0 ? 253 : did(ioctl(s, FIOSETOWN, &parent));
}
static int a_lock(void)
{
	struct flock l = {.l_type = F_RDLCK};
	int fd = open("/etc/passwd", O_RDONLY | O_CLOEXEC);

	return fd < 0 ? 253 : did(fcntl(fd, F_SETLK, &l));
}

static void calls(void **state)
{
	static const struct {
		const char *what;
		int (*attempt)(void);
		int engine, forwarder;
	} rows[] = {
		{"a program", run_program, FATAL + SIGSYS, FATAL + SIGSYS},
		{"tracing", trace, FATAL + SIGSYS, FATAL + SIGSYS},
		{"a kernel program", kernel_program, FATAL + SIGSYS, FATAL + SIGSYS},
		{"namespaces", namespaces, FATAL + SIGSYS, FATAL + SIGSYS},
		{"another root", another_root, FATAL + SIGSYS, FATAL + SIGSYS},
		{"a module", module, FATAL + SIGSYS, FATAL + SIGSYS},
		{"another user", another_user, FATAL + SIGSYS, FATAL + SIGSYS},
		{"the clock", the_clock, FATAL + SIGSYS, FATAL + SIGSYS},
		{"another's memory", memory_of_another, FATAL + SIGSYS, FATAL + SIGSYS},
		{"a process", a_process, ENOSYS, ENOSYS},
		{"a signal", a_signal, ENOSYS, ENOSYS},
		{"a thread of another", a_thread_of_another, ENOSYS, ENOSYS},
		{"another's signals", an_owner, ENOSYS, ENOSYS},
		{"which signal", a_signal_of_events, ENOSYS, ENOSYS},
		{"another's signals by ioctl", an_owner_by_ioctl, ENOSYS, 0},
		{"a lock", a_lock, 0, 0},
		{"code that can be written", code_written, ENOSYS, ENOSYS},
		{"code of what was data", code_of_data, ENOSYS, ENOSYS},
		{"a socket of the internet", internet, EAFNOSUPPORT, 0},
		{"IPv6", internet6, EAFNOSUPPORT, 0},
		{"raw packets", packets, EAFNOSUPPORT, ENOSYS},
		{"a local socket", local, 0, 0},
		{"a call of a newer kernel", newer, ENOSYS, ENOSYS},
		{"a thread", a_thread, ENOSYS, 0},
		{"a name", a_name, 0, 0},
		{"removing a file", unlink_one, ENOENT, ENOSYS},
		{"reading a file", a_file, 0, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int e = outcome(SANDBOX_ENGINE, rows[i].attempt);
		int f = outcome(SANDBOX_FORWARDER, rows[i].attempt);

		if (e != rows[i].engine || f != rows[i].forwarder)
			fail_msg("%s: engine %d (not %d), forwarder %d (not %d)", rows[i].what, e,
				 rows[i].engine, f, rows[i].forwarder);
	}
}

static int touch(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	int r = did(fd);

	if (fd >= 0)
		close(fd);
	return r;
}

static int look(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int r = did(fd);

	if (fd >= 0)
		close(fd);
	return r;
}

/* The number of the first that is not as it should be, 0: all are. */
static int files_tried(void)
{
	const char *read[] = {"/etc", "/nonexistent"}, *write[] = {within};
	char path[PATH_MAX + 64], other[PATH_MAX + 64];
	int r = sandbox_files(read, 2, write, 1);

	if (r)
		return r > 0 ? 77 : 1;
	snprintf(path, sizeof(path), "%s/store.db", within);
	snprintf(other, sizeof(other), "%s/store.db-aside", within);
	if (touch(path) || look(path))
		return 2;
	if (rename(path, other) || truncate(other, 0) || unlink(other))
		return 3;
	if (touch(beside) != EACCES || look(beside) != EACCES)
		return 4;
	if (look("/etc/passwd") || touch("/etc/passwd") != EACCES)
		return 5;
	if (look("/proc/self/status") != EACCES)
		return 6;
	if (run_program() != EACCES)
		return 7;
	if (!mkdir(other, 0700) || errno != EACCES || !symlink("/", other) || errno != EACCES)
		return 8;
	return 0;
}

static void files(void **state)
{
	int status = 0;
	pid_t pid;

	(void)state;
	pid = fork();
	if (pid == 0)
		_exit(files_tried());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 77) {
		print_message("SKIPPED: this kernel has no Landlock\n");
		skip();
	}
	assert_int_equal(WEXITSTATUS(status), 0);
}

static int make(void **state)
{
	const char *base = getenv("TMPDIR");

	(void)state;
	snprintf(dir, sizeof(dir) - 16, "%s/outergate-sandbox-XXXXXX", base ? base : "/tmp");
	if (!mkdtemp(dir))
		return -1;
	snprintf(within, sizeof(within), "%s/store", dir);
	snprintf(beside, sizeof(beside), "%s/beside", dir);
	return mkdir(within, 0700) || touch(beside);
}

static int clean(void **state)
{
	(void)state;
	return unlink(beside) || rmdir(within) || rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(calls), cmocka_unit_test(files)};

	return cmocka_run_group_tests(tests, make, clean);
}
