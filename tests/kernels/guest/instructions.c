/*
 * What the verifier walked through: "INSNS program count" for each of the agent's programs, loaded
 * in the best way that this kernel takes, as agent-linux/sensor.c does. What does not load is told
 * with the verifier's last line.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "outergate.skel.h"

#define UNIX_CONNECT (enum bpf_attach_type)49 /* from Linux 6.7 */
#define PROGRAMS     64
#define LOG	     (256 * 1024)

static char logs[PROGRAMS][LOG];

static int quiet(enum libbpf_print_level level, const char *format, va_list ap)
{
	(void)level;
	(void)format;
	(void)ap;
	return 0;
}

static int has_unix(void)
{
	const struct bpf_insn one[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 1},
		{.code = BPF_JMP | BPF_EXIT},
	};
	LIBBPF_OPTS(bpf_prog_load_opts, o, .expected_attach_type = UNIX_CONNECT);

	return bpf_prog_load(BPF_PROG_TYPE_CGROUP_SOCK_ADDR, NULL, "Dual BSD/GPL", one, 2, &o) >= 0;
}

static struct outergate_bpf *try(int storage, int helpers)
{
	struct outergate_bpf *s = outergate_bpf__open();
	struct bpf_program *p;
	unsigned i = 0;

	if (!s)
		return NULL;
	s->rodata->use_task_storage = storage;
	s->rodata->use_sock_helpers = helpers;
	if (!storage)
		bpf_map__set_autocreate(s->maps.marks_task, false);
	bpf_program__set_type(s->progs.handoff_connects, BPF_PROG_TYPE_CGROUP_SOCK_ADDR);
	bpf_program__set_expected_attach_type(s->progs.handoff_connects, UNIX_CONNECT);
	bpf_program__set_autoload(s->progs.handoff_connects, has_unix());
	bpf_program__set_autoload(s->progs.snapshot_libpam,
				  libbpf_find_vmlinux_btf_id("task_vma", BPF_TRACE_ITER) > 0);
	bpf_program__set_autoload(s->progs.peer_wanted4, !helpers);
	bpf_program__set_autoload(s->progs.peer_wanted6, !helpers);
	bpf_object__for_each_program(p, s->obj)
	{
		if (i == PROGRAMS)
			exit(3);
		logs[i][0] = '\0';
		bpf_program__set_log_buf(p, logs[i++], LOG);
		bpf_program__set_log_level(p, 4); /* figures alone */
	}
	if (!outergate_bpf__load(s))
		return s;
	outergate_bpf__destroy(s);
	return NULL;
}

/* The last that has a log is the one that was not taken. */
static void refused(void)
{
	struct outergate_bpf *s = outergate_bpf__open();
	struct bpf_program *p;
	const char *name = "nothing";
	unsigned i = 0, at = 0;

	bpf_object__for_each_program(p, s->obj)
	{
		if (logs[i][0]) {
			name = bpf_program__name(p);
			at = i;
		}
		i++;
	}
	printf("INSNS %s refused\n%s\n", name, logs[at]);
}

int main(void)
{
	struct rlimit infinity = {RLIM_INFINITY, RLIM_INFINITY};
	struct outergate_bpf *s;
	struct bpf_program *p;
	unsigned i = 0;

	(void)setrlimit(RLIMIT_MEMLOCK, &infinity);
	libbpf_set_print(quiet);
	s = try(1, 1);
	if (!s)
		s = try(0, 1);
	if (!s)
		s = try(0, 0);
	if (!s) {
		refused();
		return 1;
	}
	bpf_object__for_each_program(p, s->obj)
	{
		const char *at = strstr(logs[i++], "processed ");

		if (bpf_program__autoload(p))
			printf("INSNS %s %d\n", bpf_program__name(p), at ? atoi(at + 10) : 0);
	}
	return 0;
}
