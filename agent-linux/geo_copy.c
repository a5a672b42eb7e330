/*
 * geo_copy: a database's bytes in a file without a name, mapped.
 *
 * On the file system of the store rather than in memory, so that the pages can be dropped and read
 * again. Copied by plain reads: a file that is cut meanwhile gives a short copy, never a fault.
 */
#include "cli/geo_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define COPY_CHUNK (256u * 1024)
#define COPY_MAX   (UINT64_C(1) << 30) /* the largest known city database is 140 MB */

int geo_file_open(const char *path)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat st;
	int r = fd < 0 ? -errno : 0;

	if (!r && fstat(fd, &st))
		r = -errno;
	if (!r && !S_ISREG(st.st_mode))
		r = S_ISDIR(st.st_mode) ? -EISDIR : -ENXIO;
	if (r && fd >= 0)
		close(fd);
	return r ? r : fd;
}

int geo_file_stamp(int fd, struct geo_stamp *ret)
{
	struct stat st;

	if (fstat(fd, &st))
		return -errno;
	*ret = (struct geo_stamp){
		.device = st.st_dev,
		.inode = st.st_ino,
		.mtime_ns =
			(uint64_t)st.st_mtim.tv_sec * 1000000000u + (uint64_t)st.st_mtim.tv_nsec,
		.size = (uint64_t)st.st_size,
	};
	return 0;
}

void geo_file_close(int fd)
{
	close(fd);
}

/* O_TMPFILE where the file system has it; else a name that is gone at once. */
static int nameless(const char *dir)
{
	char path[CONFIG_PATH_MAX + 16];
	int fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != ENOENT))
		return fd < 0 ? -errno : fd;
	snprintf(path, sizeof(path), "%s/.geo-XXXXXX", dir);
	fd = mkostemp(path, O_CLOEXEC);
	if (fd < 0)
		return -errno;
	unlink(path);
	return fd;
}

static int write_all(int fd, const char *p, size_t n)
{
	while (n) {
		ssize_t w = write(fd, p, n);

		if (w < 0 && errno != EINTR)
			return -errno;
		if (w > 0) {
			p += w;
			n -= (size_t)w;
		}
	}
	return 0;
}

static int copy_bytes(int from, int to, size_t *ret)
{
	char *chunk = malloc(COPY_CHUNK);
	uint64_t at = 0;
	int r = chunk ? 0 : -ENOMEM;

	while (!r) {
		ssize_t n = pread(from, chunk, COPY_CHUNK, (off_t)at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			r = -errno;
		if (n <= 0)
			break;
		at += (uint64_t)n;
		r = at > COPY_MAX ? -EFBIG : write_all(to, chunk, (size_t)n);
	}
	free(chunk);
	*ret = (size_t)at;
	return r;
}

int geo_copy_make(int fd, const char *dir, struct geo_copy *ret)
{
	struct geo_copy c = {.fd = nameless(dir)};
	void *p = NULL;
	int r = c.fd < 0 ? c.fd : copy_bytes(fd, c.fd, &c.len);

	if (!r && c.len) {
		p = mmap(NULL, c.len, PROT_READ, MAP_PRIVATE, c.fd, 0);
		r = p == MAP_FAILED ? -errno : 0;
	}
	if (r) {
		if (c.fd >= 0)
			close(c.fd);
		return r;
	}
	c.bytes = p;
	snprintf(c.name, sizeof(c.name), "/proc/self/fd/%d", c.fd);
	*ret = c;
	return 0;
}

void geo_copy_free(struct geo_copy *c)
{
	if (c->bytes)
		munmap((void *)(uintptr_t)c->bytes, c->len);
	if (c->fd >= 0)
		close(c->fd);
	*c = (struct geo_copy){.fd = -1};
}
