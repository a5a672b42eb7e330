/* Programs of others, beside the agent's: they do nothing and let everything pass. */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#define OTHER(section, name)                                                                       \
	SEC(section) int name(void *ctx)                                                           \
	{                                                                                          \
		(void)ctx;                                                                         \
		return 1;                                                                          \
	}
/* Tracing programs may return 0 alone. */
#define TRACER(section, name)                                                                      \
	SEC(section) int name(void *ctx)                                                           \
	{                                                                                          \
		(void)ctx;                                                                         \
		return 0;                                                                          \
	}

TRACER("tp_btf/sched_process_fork", trace_fork)
TRACER("tp_btf/sched_process_exec", trace_exec)
TRACER("tp_btf/sched_process_exit", trace_exit)
TRACER("tp_btf/inet_sock_set_state", trace_state)
TRACER("raw_tp/sched_process_fork", trace_raw_fork)
TRACER("raw_tp/sched_process_exec", trace_raw_exec)
TRACER("raw_tp/sched_process_exit", trace_raw_exit)
TRACER("raw_tp/inet_sock_set_state", trace_raw_state)
TRACER("uprobe", enter_pam_authenticate)
TRACER("uretprobe", leave_pam_authenticate)
TRACER("uprobe", enter_pam_acct_mgmt)
TRACER("uretprobe", leave_pam_acct_mgmt)
TRACER("uprobe", enter_pam_open_session)
TRACER("uretprobe", leave_pam_open_session)
TRACER("uprobe", enter_pam_close_session)
TRACER("uretprobe", leave_pam_close_session)
TRACER("uprobe", enter_pam_end)

OTHER("cgroup/getpeername4", cgroup_peer4)
OTHER("cgroup/getpeername6", cgroup_peer6)
OTHER("cgroup/connect4", cgroup_connect4)
OTHER("cgroup/connect6", cgroup_connect6)
OTHER("cgroup_skb/ingress", cgroup_in)
OTHER("cgroup_skb/egress", cgroup_out)

TRACER("kprobe/do_sys_openat2", can_kprobe)
TRACER("fentry/do_sys_openat2", can_trampoline)

char _license[] SEC("license") = "GPL";
