/*
 * probe: what this kernel offers, and what would be chosen from it. Loads at most empty programs;
 * one of them is attached for a moment, to see whether that can be done.
 */
#include <errno.h>
#include <jansson.h>
#include <linux/limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <cap-ng.h>

#include "cli/command.h"
#include "sensor.h"

struct feature {
	const char *name, *use;
	int has; /* 1 yes, 0 no, < 0: -errno of the question itself */
	char detail[SENSOR_REASON_MAX];
};

static int quiet(enum libbpf_print_level level, const char *format, va_list ap)
{
	(void)level;
	(void)format;
	(void)ap;
	return 0;
}

static int has_btf(char *detail, size_t cap)
{
	(void)detail;
	(void)cap;
	return !access("/sys/kernel/btf/vmlinux", R_OK);
}

static int has_ringbuf(char *detail, size_t cap)
{
	(void)detail;
	(void)cap;
	return libbpf_probe_bpf_map_type(BPF_MAP_TYPE_RINGBUF, NULL);
}

static int has_task_storage(char *detail, size_t cap)
{
	snprintf(detail, cap, "marks on processes: task storage if yes, else a hash");
	return libbpf_probe_bpf_map_type(BPF_MAP_TYPE_TASK_STORAGE, NULL);
}

/* A program of the tracing kind for one kernel type or function: its descriptor, or -errno. */
static int load(enum bpf_attach_type how, const char *name, uint32_t kind,
		const struct bpf_insn *insns, size_t count)
{
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = how);
	struct btf *btf = btf__load_vmlinux_btf();
	int fd = -ENOENT, id;

	if (libbpf_get_error(btf))
		return -ENOENT;
	id = btf__find_by_name_kind(btf, name, kind);
	if (id > 0) {
		opts.attach_btf_id = (__u32)id;
		fd = bpf_prog_load(BPF_PROG_TYPE_TRACING, NULL, "GPL", insns, count, &opts);
	}
	btf__free(btf);
	return fd;
}

static int load_empty(enum bpf_attach_type how, const char *name, uint32_t kind)
{
	static const struct bpf_insn insns[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0},
		{.code = BPF_JMP | BPF_EXIT}};

	return load(how, name, kind, insns, 2);
}

static int close_loaded(int fd)
{
	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static int has_tracing(char *detail, size_t cap)
{
	(void)detail;
	(void)cap;
	return close_loaded(
		load_empty(BPF_TRACE_RAW_TP, "btf_trace_sched_process_fork", BTF_KIND_TYPEDEF));
}

/* bpf_probe_read_kernel of nothing: a kernel locked down for confidentiality refuses that. */
static int has_reads(char *detail, size_t cap)
{
	static const struct bpf_insn insns[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = BPF_REG_1, .src_reg = BPF_REG_10},
		{.code = BPF_ALU64 | BPF_ADD, .dst_reg = BPF_REG_1, .imm = -8},
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_2, .imm = 8},
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_3},
		{.code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_probe_read_kernel},
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0},
		{.code = BPF_JMP | BPF_EXIT}};

	(void)detail;
	(void)cap;
	return close_loaded(load(BPF_TRACE_RAW_TP, "btf_trace_sched_process_fork", BTF_KIND_TYPEDEF,
				 insns, sizeof(insns) / sizeof(insns[0])));
}

static int has_sock_addr(char *detail, size_t cap)
{
	(void)detail;
	(void)cap;
	return libbpf_probe_bpf_prog_type(BPF_PROG_TYPE_CGROUP_SOCK_ADDR, NULL);
}

static int has_cgroup(char *detail, size_t cap)
{
	return sensor_cgroup_root(detail, cap) == 0;
}

static int has_kprobe(char *detail, size_t cap)
{
	snprintf(detail, cap, "not needed; adds detail only");
	return !access("/sys/kernel/tracing/kprobe_events", F_OK) ||
	       !access("/sys/kernel/debug/tracing/kprobe_events", F_OK);
}

static int has_uprobe(char *detail, size_t cap)
{
	(void)detail;
	(void)cap;
	return !access("/sys/bus/event_source/devices/uprobe/type", R_OK);
}

static int has_lsm(char *detail, size_t cap)
{
	FILE *f = fopen("/sys/kernel/security/lsm", "re");
	int has = f ? 0 : -errno;

	if (f && fgets(detail, (int)cap, f)) {
		detail[strcspn(detail, "\n")] = '\0';
		has = strstr(detail, "bpf") != NULL;
	}
	if (f)
		fclose(f);
	return has;
}

static int has_trampoline(char *detail, size_t cap)
{
	int fd = load_empty(BPF_TRACE_FENTRY, "inet_csk_accept", BTF_KIND_FUNC), link;

	snprintf(detail, cap, "fentry, fexit; not needed; adds detail only");
	/* arm64 before 6.4 takes the program and has nothing to call it from. */
	link = fd < 0 ? fd : bpf_raw_tracepoint_open(NULL, fd);
	(void)close_loaded(fd);
	return close_loaded(link);
}

static int has_caps(char *detail, size_t cap)
{
	static const struct {
		unsigned cap;
		const char *name;
	} want[] = {{CAP_BPF, "CAP_BPF"},
		    {CAP_PERFMON, "CAP_PERFMON"},
		    {CAP_NET_ADMIN, "CAP_NET_ADMIN"},
		    {CAP_SYS_ADMIN, "CAP_SYS_ADMIN"}};
	size_t len = 0;

	detail[0] = '\0';
	if (capng_get_caps_process())
		return -EINVAL;
	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]) && len < cap; i++)
		if (!capng_have_capability(CAPNG_EFFECTIVE, want[i].cap))
			len += (size_t)snprintf(detail + len, cap - len, "%s%s",
						len ? ", " : "missing: ", want[i].name);
	return len == 0;
}

static struct feature features[] = {
	{"capabilities", "everything", 0, ""},
	{"btf", "everything: field offsets of this kernel", 0, ""},
	{"ring buffer", "everything: records", 0, ""},
	{"tp_btf", "processes, connections, listeners", 0, ""},
	{"kernel memory", "everything: not when locked down for confidentiality", 0, ""},
	{"cgroup sock_addr", "whose connection a process serves", 0, ""},
	{"cgroup2 root", "where the peer hooks are attached", 0, ""},
	{"uprobe", "PAM verdicts", 0, ""},
	{"task storage", "cheap marks on processes", 0, ""},
	{"trampoline", "nothing depends on it", 0, ""},
	{"kprobe", "nothing depends on it", 0, ""},
	{"bpf lsm", "nothing depends on it", 0, ""},
};

static int (*const questions[])(char *, size_t) = {
	has_caps,   has_btf,	has_ringbuf,	  has_tracing,	  has_reads,  has_sock_addr,
	has_cgroup, has_uprobe, has_task_storage, has_trampoline, has_kprobe, has_lsm,
};
#define FEATURES	(sizeof(features) / sizeof(features[0]))
#define FEATURES_NEEDED 8

_Static_assert(FEATURES == sizeof(questions) / sizeof(questions[0]), "one question a feature");

static void print_json(const struct utsname *u)
{
	json_t *a = json_array(), *o;

	for (size_t i = 0; i < FEATURES; i++)
		json_array_append_new(
			a, json_pack("{ss ss sb sb ss}", "name", features[i].name, "use",
				     features[i].use, "has", features[i].has > 0, "needed",
				     i < FEATURES_NEEDED, "detail", features[i].detail));
	o = json_pack("{ss ss so}", "kernel", u->release, "machine", u->machine, "features", a);
	json_dumpf(o, stdout, JSON_COMPACT);
	putchar('\n');
	json_decref(o);
}

static void print_table(const struct utsname *u)
{
	printf("kernel %s %s\n", u->release, u->machine);
	for (size_t i = 0; i < FEATURES; i++)
		printf("  %-17s %-4s %-9s %s%s%s\n", features[i].name,
		       features[i].has > 0 ? "yes" : (features[i].has < 0 ? "?" : "no"),
		       i < FEATURES_NEEDED ? "needed" : "optional", features[i].use,
		       features[i].detail[0] ? ": " : "", features[i].detail);
}

static int probe(const struct command *self, int argc, char **argv)
{
	const char *format = "table";
	struct utsname u;
	int missing = 0;

	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--format") && i + 1 < argc)
			format = argv[++i];
		else
			return command_usage(self, argv[i]);
	}
	if (strcmp(format, "json") && strcmp(format, "table"))
		return command_usage(self, format);
	libbpf_set_print(quiet);
	uname(&u);
	for (size_t i = 0; i < FEATURES; i++) {
		features[i].has = questions[i](features[i].detail, sizeof(features[i].detail));
		missing += i < FEATURES_NEEDED && features[i].has <= 0;
	}
	if (!strcmp(format, "json"))
		print_json(&u);
	else
		print_table(&u);
	if (!missing)
		return EXIT_FINE;
	if (features[0].has <= 0)
		return command_fail(EXIT_PERMISSION,
				    "not permitted to ask the kernel everything (%s)",
				    features[0].detail);
	return command_fail(EXIT_INPUT, "this kernel lacks %d of what Outergate needs", missing);
}

const struct command command_probe = {
	.name = "probe",
	.usage = "[--format table|json]",
	.about = "what this kernel offers, without starting the agent",
	.help = "  --format table|json  (default table)\n",
	.run = probe,
};
