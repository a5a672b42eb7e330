/*
 * Programs of others (others.bpf.o) beside the agent's, as tracers and network plugins have them,
 * and questions about programs.
 *
 * others trace OBJECT LIBPAM: to the agent's tracepoints and both ends of libpam's calls.
 *
 * others cgroup OBJECT KIND DIRECTORY: to each hook of a cgroup; KIND is multi, override,
 * exclusive.
 *
 * Both say "READY N", wait for SIGTERM, then print "RAN name count" of each program.
 *
 * others can OBJECT kprobe|trampoline: exit 0 when one is attached and fires.
 *
 * others runs: "RUNS name count" of what is loaded (sysctl kernel.bpf_stats_enabled).
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static struct bpf_object *object;

static int failed(const char *what)
{
	fprintf(stderr, "others: %s: %s\n", what, strerror(errno));
	return 1;
}

static int starts(const char *s, const char *with)
{
	return !strncmp(s, with, strlen(with));
}

/* Those whose name begins so, loaded. */
static int load(const char *path, const char *with)
{
	struct rlimit infinity = {RLIM_INFINITY, RLIM_INFINITY};
	struct bpf_program *p;

	(void)setrlimit(RLIMIT_MEMLOCK, &infinity);
	object = bpf_object__open_file(path, NULL);
	if (!object)
		return -1;
	bpf_object__for_each_program(p, object)
	{
		const char *name = bpf_program__name(p);

		bpf_program__set_autoload(
			p, starts(name, with) || (!strcmp(with, "trace") && strstr(name, "_pam_")));
	}
	return bpf_object__load(object);
}

static unsigned long long ran(int fd)
{
	struct bpf_prog_info info = {0};
	unsigned size = sizeof(info);

	return bpf_obj_get_info_by_fd(fd, &info, &size) ? 0 : info.run_cnt;
}

static int stay(int count)
{
	struct bpf_program *p;
	sigset_t end;
	int got;

	sigemptyset(&end);
	sigaddset(&end, SIGTERM);
	sigprocmask(SIG_BLOCK, &end, NULL);
	printf("READY %d\n", count);
	fflush(stdout);
	sigwait(&end, &got);
	bpf_object__for_each_program(p, object) if (bpf_program__autoload(p))
		printf("RAN %s %llu\n", bpf_program__name(p), ran(bpf_program__fd(p)));
	return 0;
}

static int trace(const char *path, const char *library)
{
	struct bpf_program *p;
	int count = 0;

	if (load(path, "trace"))
		return failed("load");
	bpf_object__for_each_program(p, object)
	{
		const char *name = bpf_program__name(p);
		LIBBPF_OPTS(bpf_uprobe_opts, o, .retprobe = starts(name, "leave_"),
			    .func_name = name + strlen("leave_"));

		if (!bpf_program__autoload(p))
			continue;
		if (!(strstr(name, "_pam_") ? bpf_program__attach_uprobe_opts(p, -1, library, 0, &o)
					    : bpf_program__attach(p)))
			return failed(name);
		count++;
	}
	return stay(count);
}

static int cgroup(const char *path, const char *kind, const char *directory)
{
	int fd = open(directory, O_RDONLY | O_DIRECTORY), count = 0;
	unsigned flags = !strcmp(kind, "multi")	     ? BPF_F_ALLOW_MULTI
			 : !strcmp(kind, "override") ? BPF_F_ALLOW_OVERRIDE
						     : 0;
	struct bpf_program *p;

	if (fd < 0 || load(path, "cgroup"))
		return failed("load");
	bpf_object__for_each_program(p, object)
	{
		if (!bpf_program__autoload(p))
			continue;
		if (bpf_prog_attach(bpf_program__fd(p), fd, bpf_program__expected_attach_type(p),
				    flags))
			return failed(bpf_program__name(p));
		count++;
	}
	return stay(count);
}

static int can(const char *path, const char *what)
{
	char name[32];
	struct bpf_program *p;
	struct bpf_link *l;

	snprintf(name, sizeof(name), "can_%s", what);
	if (load(path, name))
		return 1;
	p = bpf_object__find_program_by_name(object, name);
	l = bpf_program__attach(p);
	if (!l)
		return 1;
	close(open("/proc/uptime", O_RDONLY));
	return ran(bpf_program__fd(p)) == 0;
}

static int runs(void)
{
	unsigned id = 0;

	while (!bpf_prog_get_next_id(id, &id)) {
		struct bpf_prog_info info = {0};
		unsigned size = sizeof(info);
		int fd = bpf_prog_get_fd_by_id(id);

		if (fd < 0)
			continue;
		if (!bpf_obj_get_info_by_fd(fd, &info, &size))
			printf("RUNS %s %llu\n", info.name, (unsigned long long)info.run_cnt);
		close(fd);
	}
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 4 && !strcmp(argv[1], "trace"))
		return trace(argv[2], argv[3]);
	if (argc == 5 && !strcmp(argv[1], "cgroup"))
		return cgroup(argv[2], argv[3], argv[4]);
	if (argc == 4 && !strcmp(argv[1], "can"))
		return can(argv[2], argv[3]);
	if (argc == 2 && !strcmp(argv[1], "runs"))
		return runs();
	return 2;
}
