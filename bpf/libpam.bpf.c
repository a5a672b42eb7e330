/*
 * Which libpam files are in use: every mapping of a file named libpam.so*, in all namespaces. Told
 * by inode, so a chroot, a container and an upgraded package are each seen. FUSE files are left
 * alone: opening one would wait for whoever serves it.
 */

#define FUSE_SUPER_MAGIC 0x65735546 /* linux/magic.h */
#define VM_EXEC		 0x4	    /* linux/mm.h */

/* Only what a trusted caller could call: code, mapped by root, of a file that is root's alone. */
static __always_inline bool libpam_is_trusted(struct task_struct *task, struct vm_area_struct *vma,
					      struct inode *inode)
{
	__u32 root = own_root(task), owner = BPF_CORE_READ(inode, i_uid.val);

	return (BPF_CORE_READ(vma, vm_flags) & VM_EXEC) &&
	       BPF_CORE_READ(task, cred, euid.val) == root && (owner == root || owner == 0) &&
	       !(BPF_CORE_READ(inode, i_mode) & 022);
}

SEC("iter/task_vma")
int snapshot_libpam(struct bpf_iter__task_vma *ctx)
{
	struct wire_mapping r = {
		.hdr = {.kind = KIND_MAPPING, .version = WIRE_VERSION, .size = sizeof(r)}};
	struct vm_area_struct *vma = ctx->vma;
	struct task_struct *task = ctx->task;
	const unsigned char *name;
	char text[12] = {};
	struct inode *inode;
	struct file *file;

	if (!task || !vma || task->pid != task->tgid)
		return 0;
	file = BPF_CORE_READ(vma, vm_file);
	if (!file)
		return 0;
	name = BPF_CORE_READ(file, f_path.dentry, d_name.name);
	bpf_probe_read_kernel_str(text, sizeof(text), name);
	for (int i = 0; i < 10; i++)
		if (text[i] != "libpam.so."[i])
			return 0;
	inode = BPF_CORE_READ(file, f_inode);
	if ((BPF_CORE_READ(inode, i_mode) & S_IFMT) != S_IFREG ||
	    BPF_CORE_READ(inode, i_sb, s_magic) == FUSE_SUPER_MAGIC ||
	    !libpam_is_trusted(task, vma, inode))
		return 0;
	r.start = BPF_CORE_READ(vma, vm_start);
	r.end = BPF_CORE_READ(vma, vm_end);
	r.ino = BPF_CORE_READ(inode, i_ino);
	r.dev = BPF_CORE_READ(inode, i_sb, s_dev);
	r.tgid = task->tgid;
	bpf_seq_write(ctx->meta->seq, &r, sizeof(r));
	return 0;
}
