/*
 * priv_files: marks directories and reads files for the child, which names them by kind, user and
 * name; the path is ours. The content of a file is hashed here and never parsed; only files whose
 * lines are told are handed over, so that the child sees no shadow file and no private key.
 *
 * What lies below a home is its user's to arrange (links, FIFOs, file systems that never answer),
 * so it is looked at in a short-lived process.
 */
#include "priv_files.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/fanotify.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "common/sha256.h"
#include "host.h"
#include "root_open.h"
#include "watch_table.h"

#ifndef AT_HANDLE_FID
#define AT_HANDLE_FID 0x200 /* Linux 6.5: handles of file systems that cannot be exported */
#endif

#define MASK_DIRS  (FAN_CREATE | FAN_MOVED_TO | FAN_ONDIR)
#define MASK_FILES (MASK_DIRS | FAN_CLOSE_WRITE | FAN_MODIFY | FAN_EVENT_ON_CHILD)

struct request {
	int fanotify;
	enum watch_kind kind;
	uid_t uid;
};

int priv_files_open(char *reason, size_t cap)
{
	int fd = fanotify_init(FAN_CLASS_NOTIF | FAN_CLOEXEC | FAN_NONBLOCK | FAN_UNLIMITED_MARKS |
				       FAN_REPORT_DFID_NAME,
			       O_RDONLY | O_CLOEXEC);
	int r = fd < 0 ? -errno : 0;

	reason[0] = '\0';
	if (!r)
		return fd;
	if (r == -ENOSYS)
		snprintf(reason, cap, "this kernel is built without fanotify");
	else if (r == -EINVAL)
		snprintf(reason, cap, "this kernel's fanotify does not tell names (before 5.9)");
	else
		snprintf(reason, cap, "fanotify: %s", strerror(-r));
	return r;
}

/* An O_PATH descriptor of the directory. */
static int dir_open(const struct request *q)
{
	struct open_how how = {.flags = O_PATH | O_DIRECTORY | O_CLOEXEC,
			       .resolve = RESOLVE_NO_MAGICLINKS};
	const char *path = watch_dirs[q->kind].path;
	const struct passwd *pw;
	struct stat st;
	int home, fd;

	if (!watch_is_user(q->kind))
		return host_open(path, O_PATH | O_DIRECTORY);
	pw = host_user(q->uid);
	if (!pw || !pw->pw_dir || pw->pw_dir[0] != '/')
		return -ENOENT;
	home = host_open(pw->pw_dir, O_PATH | O_DIRECTORY);
	if (home < 0 || !path[0])
		return home;
	fd = (int)syscall(__NR_openat2, home, path, &how, sizeof(how));
	if (fd < 0)
		fd = -errno;
	close(home);
	/* A link may lead to a directory of the user's own, not to somebody else's. */
	if (fd >= 0 && (fstat(fd, &st) || (st.st_uid != q->uid && st.st_uid != 0))) {
		close(fd);
		return -EACCES;
	}
	return fd;
}

static int handle_of(int dir, struct priv_msg *m)
{
	union {
		struct file_handle h;
		char room[sizeof(struct file_handle) + MAX_HANDLE_SZ];
	} u;
	struct priv_handle told = {0};
	struct statfs fs;
	int mount;

	u.h.handle_bytes = sizeof(told.data);
	if (name_to_handle_at(dir, "", &u.h, &mount, AT_EMPTY_PATH | AT_HANDLE_FID)) {
		u.h.handle_bytes = sizeof(told.data);
		if (name_to_handle_at(dir, "", &u.h, &mount, AT_EMPTY_PATH))
			return -errno;
	}
	if (fstatfs(dir, &fs))
		return -errno;
	told.bytes = u.h.handle_bytes;
	told.type = u.h.handle_type;
	memcpy(told.data, u.room + sizeof(u.h), told.bytes);
	memcpy(m->name, &told, sizeof(told));
	memcpy(&m->value[0], &fs.f_fsid, sizeof(m->value[0]));
	return 0;
}

_Static_assert(sizeof(struct priv_handle) <= PRIV_NAME_MAX, "a handle travels as the name");
_Static_assert(sizeof(((struct statfs *)0)->f_fsid) == sizeof(uint64_t), "f_fsid");

static int watch_work(void *arg, struct priv_msg *m, int *ret_fd)
{
	const struct request *q = arg;
	bool has_files = watch_dirs[q->kind].names;
	int dir = dir_open(q), r = 0;

	if (dir < 0)
		return dir;
	if (fanotify_mark(q->fanotify, FAN_MARK_ADD | FAN_MARK_ONLYDIR,
			  has_files ? MASK_FILES : MASK_DIRS, dir, "."))
		r = -errno;
	if (!r)
		r = handle_of(dir, m);
	if (!r && has_files)
		*ret_fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_NONBLOCK | O_CLOEXEC);
	close(dir);
	return r;
}

static void digest_tell(struct sha256 *s, struct priv_msg *m, uint64_t size)
{
	uint8_t digest[SHA256_SIZE];

	sha256_end(s, digest);
	memcpy(m->value, digest, sizeof(digest));
	m->value[SHA256_SIZE / sizeof(m->value[0])] = size;
}

static int digest_link(int dir, struct priv_msg *m)
{
	struct sha256 s;
	char target[4096]; /* PATH_MAX */
	ssize_t n = readlinkat(dir, m->name, target, sizeof(target));

	if (n < 0)
		return -errno;
	sha256_start(&s);
	sha256_add(&s, "link to ", 8);
	sha256_add(&s, target, (size_t)n);
	digest_tell(&s, m, (uint64_t)n);
	return 0;
}

static int digest_file(int fd, struct priv_msg *m)
{
	char buf[16384];
	size_t left = PRIV_FILE_MAX;
	struct sha256 s;
	struct stat st;

	sha256_start(&s);
	while (left) {
		ssize_t n = read(fd, buf, left < sizeof(buf) ? left : sizeof(buf));

		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		sha256_add(&s, buf, (size_t)n);
		left -= (size_t)n;
	}
	if (fstat(fd, &st))
		return -errno;
	digest_tell(&s, m, (uint64_t)st.st_size);
	return lseek(fd, 0, SEEK_SET) ? -errno : 0;
}

/* Would its owner, or anybody, be allowed to read it? */
static bool may_be_shown(const struct request *q, const struct stat *st)
{
	return st->st_uid == q->uid || (st->st_mode & S_IROTH);
}

static int read_in(const struct request *q, int dir, struct priv_msg *m, int *ret_fd)
{
	enum watch_lines lines = watch_match(q->kind, m->name)->lines;
	struct stat st;
	int fd, r;

	if (fstatat(dir, m->name, &st, AT_SYMLINK_NOFOLLOW))
		return -errno;
	if (S_ISLNK(st.st_mode))
		return digest_link(dir, m);
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	fd = openat(dir, m->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	r = fstat(fd, &st) ? -errno : S_ISREG(st.st_mode) ? digest_file(fd, m) : -EINVAL;
	if (!r && lines != LINES_NONE && may_be_shown(q, &st))
		*ret_fd = fd;
	else
		close(fd);
	return r;
}

static int read_work(void *arg, struct priv_msg *m, int *ret_fd)
{
	const struct request *q = arg;
	int dir = dir_open(q), r;

	if (dir < 0)
		return dir;
	r = read_in(q, dir, m, ret_fd);
	close(dir);
	return r;
}

static int request_of(const struct priv_msg *m, struct request *ret)
{
	if (m->arg <= WATCH_NONE || m->arg >= WATCH_KINDS)
		return -EPROTO;
	ret->kind = (enum watch_kind)m->arg;
	ret->uid = watch_is_user(ret->kind) ? m->arg2 : 0;
	return 0;
}

static int run(const struct request *q, int (*work)(void *, struct priv_msg *, int *),
	       struct priv_msg *m, int *ret_fd)
{
	struct request copy = *q;

	if (watch_is_user(q->kind))
		return helper_run(work, &copy, m, ret_fd);
	return work(&copy, m, ret_fd);
}

int priv_files_watch(int fanotify, struct priv_msg *m, int *ret_fd)
{
	struct request q = {.fanotify = fanotify};

	*ret_fd = -1;
	if (request_of(m, &q) || fanotify < 0)
		return -EPROTO;
	return run(&q, watch_work, m, ret_fd);
}

int priv_files_read(struct priv_msg *m, int *ret_fd)
{
	struct request q = {.fanotify = -1};

	*ret_fd = -1;
	if (request_of(m, &q) || !memchr(m->name, '\0', sizeof(m->name)) || !m->name[0] ||
	    strchr(m->name, '/') || !strcmp(m->name, ".") || !strcmp(m->name, "..") ||
	    !watch_match(q.kind, m->name))
		return -EPROTO;
	return run(&q, read_work, m, ret_fd);
}
