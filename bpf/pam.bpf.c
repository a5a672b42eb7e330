/*
 * PAM calls, by uprobes on libpam: who asked to authenticate, with what result. The verdict is
 * made in user space from the order of calls; here a call is believed only from euid 0 running an
 * executable that is root-owned and not writable by others. authtok is never read.
 *
 * Cannot see: a daemon that uses no PAM (UsePAM no, dropbear), a statically linked libpam.
 */

/* Offsets in struct pam_handle (libpam/pam_private.h, the same from 1.4 to 1.7 on 64-bit). */
const volatile __u32 pam_off_service = 40;
const volatile __u32 pam_off_user = 48;
const volatile __u32 pam_off_rhost = 56;
const volatile __u32 pam_off_tty = 72;

struct pam_inside {
	__u64 handle;
	__u32 call, pad;
};
/* Threads inside a call; a thread that dies inside leaves an entry for the LRU to take. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 2048);
	__type(key, __u64);
	__type(value, struct pam_inside);
} pam_calls SEC(".maps");

static __always_inline bool caller_trusted(struct task_struct *leader)
{
	struct inode *exe = BPF_CORE_READ(leader, mm, exe_file, f_inode);
	__u32 root = own_root(leader), owner = BPF_CORE_READ(exe, i_uid.val);

	if (BPF_CORE_READ(leader, cred, euid.val) != root)
		return false;
	return (owner == root || owner == 0) && !(BPF_CORE_READ(exe, i_mode) & 022);
}

static __always_inline void pam_text(char *dst, __u32 cap, __u64 handle, __u32 off)
{
	const char *p = NULL;

	if (bpf_probe_read_user(&p, sizeof(p), (void *)(handle + off)) || !p)
		return;
	if (bpf_probe_read_user_str(dst, cap, p) < 0)
		count(WIRE_STAT_read_failed);
}

/* A login passed: the connection moves to the table that nothing evicts. */
static __always_inline void conn_prove(const struct mark *m)
{
	__u64 cookie = m->conn.cookie;
	struct noted *n = bpf_map_lookup_elem(&noted, &cookie);
	struct proven p = {.conn = m->conn, .processes = 1};

	if (bpf_map_lookup_elem(&proven, &cookie))
		return;
	if (n) {
		p.opened = n->opened;
		p.processes = n->processes;
	}
	if (bpf_map_update_elem(&proven, &cookie, &p, BPF_NOEXIST))
		count(WIRE_STAT_map_full_sessions);
	else
		bpf_map_delete_elem(&noted, &cookie);
}

/* Services that change the account inside a session and never open one. */
static __always_inline bool is_elevation(const char *service)
{
	return service[0] == 's' && service[1] == 'u' && /* su, su-l, sudo, sudo-i */
	       (service[2] == 0 || service[2] == '-' || service[2] == 'd');
}

static __always_inline void pam_emit(__u64 handle, __u32 call, int ret)
{
	struct task_struct *leader = current_leader();
	struct wire_pam *r;
	struct mark *m;

	if (!leader)
		return;
	if (!caller_trusted(leader)) {
		count(WIRE_STAT_pam_untrusted);
		return;
	}
	if (is_manager(leader)) {
		manager_looks();
		manager_binds();
	}
	m = mark_get(leader);
	/* Who was started by a broker is asked by somebody of their own, or nobody's login. */
	if ((!m || m->conn.cookie & HANDOFF_ID) && !is_manager(leader))
		m = bind_by_descriptor(leader, 16);
	if (!m) {
		m = bind_by_local_peer(leader);
		if (m)
			m->flags |= WIRE_F_LOCAL_PEER;
	}
	r = RECORD(true, KIND_PAM, wire_pam);
	if (!r)
		return;
	proc_fill(&r->proc, leader);
	r->call = call;
	r->ret = ret;
	r->handle = handle;
	pam_text(r->service, sizeof(r->service), handle, pam_off_service);
	pam_text(r->user, sizeof(r->user), handle, pam_off_user);
	pam_text(r->rhost, sizeof(r->rhost), handle, pam_off_rhost);
	pam_text(r->tty, sizeof(r->tty), handle, pam_off_tty);
	if (r->user[WIRE_NAME - 2])
		r->flags |= WIRE_F_TRUNCATED;
	if (m) {
		r->conn = m->conn;
		if (call == WIRE_PAM_ACCT_MGMT && (ret == 0 || ret == 12) &&
		    !(m->flags & WIRE_F_USER_EXEC) && !is_elevation(r->service))
			conn_prove(m);
		r->flags |= m->flags & 0xffff;
		if (!(m->flags & MARK_BOUND))
			r->flags |= WIRE_F_CHILD_CALL;
		if (is_proven(m->conn.cookie))
			r->flags |= WIRE_F_PROVEN;
	}
	record_submit_precious(r);
}

static __always_inline void pam_inside_set(bool inside)
{
	struct task_struct *leader = current_leader();
	struct mark *m;

	m = leader ? mark_get(leader) : NULL;
	if (!m)
		return;
	if (inside)
		m->flags |= MARK_IN_PAM;
	else
		m->flags &= ~MARK_IN_PAM;
}

static __always_inline int pam_enter(struct pt_regs *ctx, __u32 call)
{
	struct pam_inside in = {.handle = PT_REGS_PARM1(ctx), .call = call};
	__u64 id = bpf_get_current_pid_tgid();

	bpf_map_update_elem(&pam_calls, &id, &in, BPF_ANY);
	pam_inside_set(true);
	return 0;
}

static __always_inline int pam_leave(struct pt_regs *ctx)
{
	__u64 id = bpf_get_current_pid_tgid();
	struct pam_inside *in = bpf_map_lookup_elem(&pam_calls, &id);
	struct pam_inside was;

	if (!in)
		return 0;
	was = *in;
	bpf_map_delete_elem(&pam_calls, &id);
	pam_inside_set(false);
	pam_emit(was.handle, was.call, (int)PT_REGS_RC(ctx));
	return 0;
}

#define PAM_PAIR(name, CALL)                                                                       \
	SEC("uprobe")                                                                              \
	int name##_enter(struct pt_regs *ctx)                                                      \
	{                                                                                          \
		return pam_enter(ctx, CALL);                                                       \
	}                                                                                          \
	SEC("uretprobe")                                                                           \
	int name##_leave(struct pt_regs *ctx)                                                      \
	{                                                                                          \
		return pam_leave(ctx);                                                             \
	}

PAM_PAIR(pam_authenticate, WIRE_PAM_AUTHENTICATE)
PAM_PAIR(pam_acct_mgmt, WIRE_PAM_ACCT_MGMT)
PAM_PAIR(pam_open_session, WIRE_PAM_OPEN_SESSION)
PAM_PAIR(pam_close_session, WIRE_PAM_CLOSE_SESSION)

/* The handle is freed inside, so its strings are read at entry; status is the second argument. */
SEC("uprobe")
int pam_end_enter(struct pt_regs *ctx)
{
	pam_emit(PT_REGS_PARM1(ctx), WIRE_PAM_END, (int)PT_REGS_PARM2(ctx));
	return 0;
}
