/*
 * Containers, whatever runs them (runc, crun, containerd, CRI-O, podman, LXC): a program that
 * begins in another mount namespace than the process above it is the first of a container, or was
 * put into one (docker exec, kubectl exec). What is started inside has its parent's namespace and
 * pays two comparisons.
 *
 * Not seen: a container that keeps the host's mount namespace; threads of a container that is not
 * made by an exec.
 *
 * Example: containerd-shim and, below it, /usr/sbin/nginx in cgroup docker-4f5e....scope.
 */
static __always_inline __u32 shared_namespaces(struct task_struct *leader,
					       struct task_struct *above)
{
	__u32 shares = 0;

	if (BPF_CORE_READ(leader, nsproxy, net_ns) == BPF_CORE_READ(above, nsproxy, net_ns))
		shares |= WIRE_SHARES_NET;
	if (BPF_CORE_READ(leader, nsproxy, ipc_ns) == BPF_CORE_READ(above, nsproxy, ipc_ns))
		shares |= WIRE_SHARES_IPC;
	if (BPF_CORE_READ(leader, nsproxy, pid_ns_for_children) ==
	    BPF_CORE_READ(above, nsproxy, pid_ns_for_children))
		shares |= WIRE_SHARES_PID;
	return shares;
}

static __always_inline bool is_first_of_its_own(struct task_struct *leader)
{
	struct pid_namespace *ns = BPF_CORE_READ(leader, nsproxy, pid_ns_for_children);

	return BPF_CORE_READ(ns, level) && BPF_CORE_READ(ns, child_reaper) == leader;
}

/* The names of its cgroup and of the one above. */
static __always_inline void cgroup_names(struct task_struct *leader, struct wire_container *r)
{
	struct cgroup *cg = BPF_CORE_READ(leader, cgroups, dfl_cgrp);

	bpf_probe_read_kernel_str(r->unit, sizeof(r->unit), BPF_CORE_READ(cg, kn, name));
	bpf_probe_read_kernel_str(r->above, sizeof(r->above),
				  BPF_CORE_READ(cg, self.parent, cgroup, kn, name));
}

/* A program has begun in another mount namespace; its file's name, an address in the kernel. */
__noinline int container_tell(__u64 filename)
{
	struct task_struct *leader = current_leader(), *above;
	struct wire_container *r;
	__u32 puid;

	if (!leader)
		return 0;
	above = BPF_CORE_READ(leader, real_parent, group_leader);
	puid = BPF_CORE_READ(above, cred, uid.val);
	if (share_take(puid, KIND_CONTAINER) == SHARED_NONE)
		return 0;
	r = RECORD(false, KIND_CONTAINER, wire_container);
	if (!r)
		return 0;
	proc_fill(&r->proc, leader);
	r->puid = puid;
	r->shares = shared_namespaces(leader, above);
	if (is_first_of_its_own(leader))
		r->flags = WIRE_F_INIT;
	if (!BPF_CORE_READ(leader, cred, user_ns, level))
		BPF_CORE_READ_INTO(&r->caps, leader, cred, cap_bset);
	BPF_CORE_READ_STR_INTO(&r->above_comm, above, comm);
	cgroup_names(leader, r);
	bpf_probe_read_kernel_str(r->exe, sizeof(r->exe), (const char *)filename);
	r->args_len = args_read(r->args, leader, &r->flags);
	record_submit_bulk(r, sizeof(*r));
	return 0;
}

/* Plain loads: this is every exec of the host. */
static __always_inline bool is_put_elsewhere(struct task_struct *leader)
{
	struct task_struct *above = leader->real_parent;
	struct nsproxy *mine = leader->nsproxy, *theirs = above ? above->nsproxy : NULL;

	return mine && theirs && mine != theirs && mine->mnt_ns != theirs->mnt_ns;
}
