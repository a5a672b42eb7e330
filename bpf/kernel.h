/*
 * Every kernel field that Outergate reads, as CO-RE partial types: this file is the audit list.
 * libbpf relocates each access by the running kernel's BTF; a field that is missing there makes
 * the load fail with its name, never a wrong value.
 */
#ifndef OUTERGATE_KERNEL_H
#define OUTERGATE_KERNEL_H

#include <linux/bpf.h>
#include <linux/ptrace.h>
#include <linux/types.h>
#include <stdbool.h>

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_tracing.h>

#define AF_UNIX	      1
#define AF_INET	      2
#define AF_INET6      10
#define IPPROTO_TCP   6
#define IPPROTO_MPTCP 262 /* include/uapi/linux/in.h */
#define S_IFMT	      0170000
#define S_IFSOCK      0140000
#define S_IFIFO	      0010000
#define S_IFCHR	      0020000
#define S_IFREG	      0100000
#define FMODE_WRITE   2 /* include/linux/fs.h */
#define PIDTYPE_TGID  1 /* include/linux/pid_types.h; since 4.19 */
#define PTMX_RDEV                                                                                  \
	(5 << 20 | 2) /* Documentation/admin-guide/devices.txt, in the kernel's own encoding */

/* enum of include/net/tcp_states.h; stable ABI by tcp(7) and TCP_INFO. */
enum tcp_state_value {
	KTCP_ESTABLISHED = 1,
	KTCP_SYN_SENT = 2,
	KTCP_SYN_RECV = 3,
	KTCP_CLOSE = 7,
	KTCP_LISTEN = 10
};

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

typedef struct {
	__u32 val;
} kuid_t;

struct uid_gid_extent {
	__u32 first, lower_first, count;
};
struct uid_gid_map {
	__u32 nr_extents;
	struct uid_gid_extent extent[5];
};
struct user_namespace {
	struct uid_gid_map uid_map;
	int level; /* 0: the host's */
	kuid_t owner;
};
struct capability_set { /* kernel_cap_t; two numbers of 32 bits before 6.3 */
	__u64 bits;
};
struct cred {
	kuid_t uid, euid;
	struct capability_set cap_bset;
	struct user_namespace *user_ns;
};

struct ns_common {
	unsigned int inum;
};
struct net {
	struct ns_common ns;
};

struct super_block {
	unsigned int s_dev;
	unsigned long s_magic;
};
struct inode {
	unsigned short i_mode;
	kuid_t i_uid;
	unsigned int i_rdev;
	unsigned long i_ino;
	struct super_block *i_sb;
};
struct qstr {
	const unsigned char *name;
};
struct dentry {
	struct qstr d_name;
};
struct path {
	struct dentry *dentry;
};
struct vm_area_struct {
	unsigned long vm_start, vm_end, vm_flags;
	struct file *vm_file;
};
struct file {
	struct path f_path;
	struct inode *f_inode;
	const void *f_op;
	unsigned int f_mode;
	void *private_data;
};
struct fdtable {
	unsigned int max_fds;
	struct file **fd;
};
struct files_struct {
	struct fdtable *fdt;
};
struct mm_struct {
	struct file *exe_file;
	unsigned long arg_start, arg_end;
};

struct css_set {
	struct cgroup *dfl_cgrp;
};

struct hlist_node {
	struct hlist_node *next;
};
struct hlist_head {
	struct hlist_node *first;
};

typedef struct {
	int counter;
} atomic_t;
struct signal_struct {
	atomic_t live; /* threads that have not begun to exit */
};

struct task_struct {
	int pid, tgid;
	struct signal_struct *signal;
	int exit_code;
	struct task_struct *group_leader, *real_parent;
	__u64 start_boottime;
	const struct cred *cred;
	kuid_t loginuid;
	unsigned int sessionid;
	struct files_struct *files;
	struct mm_struct *mm;
	struct css_set *cgroups;
	struct nsproxy *nsproxy;
	struct hlist_node pid_links[4]; /* by enum pid_type */
	char comm[16];
};

struct linux_binprm {
	const char *filename;
};

typedef struct {
	long long counter;
} atomic64_t;
typedef struct {
	struct net *net;
} possible_net_t;
struct in6_addr {
	union {
		__u8 u6_addr8[16];
	} in6_u;
};
struct sock_common {
	unsigned short skc_family;
	volatile unsigned char skc_state;
	__be32 skc_daddr, skc_rcv_saddr;
	__be16 skc_dport;
	__u16 skc_num;
	possible_net_t skc_net;
	struct in6_addr skc_v6_daddr, skc_v6_rcv_saddr;
	atomic64_t skc_cookie;
};
struct upid {
	int nr;
};
struct pid {
	struct hlist_head tasks[4]; /* by enum pid_type */
	struct upid numbers[1];	    /* [0]: in the initial pid namespace */
};
struct kernfs_node {
	__u64 id;
	const char *name;
};
struct cgroup_subsys_state {
	struct cgroup *cgroup;
	struct cgroup_subsys_state *parent;
};

struct cgroup {
	struct cgroup_subsys_state self;
	struct kernfs_node *kn;
};
struct sock_cgroup_data {
	struct cgroup *cgroup; /* from 5.15; before it is the value of val */
};
struct sock_cgroup_data___old {
	__u64 val;
};
struct sock {
	struct sock_common __sk_common;
	struct sock_cgroup_data sk_cgrp_data; /* of the one that made the socket */
	__u16 sk_protocol;
	struct pid *sk_peer_pid; /* local sockets: SO_PEERCRED */
};
struct unix_sock {
	void *addr; /* shared by what was accepted of one listener */
};
struct sockaddr_un {
	unsigned short sun_family;
	char sun_path[108];
};
struct unix_address { /* net/af_unix.h */
	struct sockaddr_un name[0];
};
struct bpf_sock_addr_kern {
	void *uaddr;
};
struct tcp_sock {
	__u64 bytes_received, bytes_acked;
	__u64 bytes_sent; /* from 4.19 */
	__u32 copied_seq, rcv_nxt;
	bool is_mptcp; /* a subflow; from 5.6, where MPTCP is built in */
};
struct mptcp_sock { /* what a process holds; both from 6.5 (commit 38967f424b5b) */
	__u64 bytes_received, bytes_acked;
};
struct nsproxy {
	struct ipc_namespace *ipc_ns;
	struct mnt_namespace *mnt_ns;
	struct pid_namespace *pid_ns_for_children;
	struct net *net_ns;
};
struct pid_namespace {
	struct task_struct *child_reaper; /* its process 1 */
	unsigned int level;		  /* 0: the host's */
};
struct socket {
	struct sock *sk;
};

struct seq_file {
	void *buf;
};
struct bpf_iter_meta {
	struct seq_file *seq;
	__u64 session_id, seq_num;
};
struct bpf_iter__task_file {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
	__u32 fd;
	struct file *file;
};
struct bpf_iter__task_vma {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
	struct vm_area_struct *vma;
};
struct bpf_iter__task {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
};

#pragma clang attribute pop

#endif
