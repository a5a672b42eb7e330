/*
 * plat: the few things that Linux and Windows call by different names. The only place in common/
 * with an #ifdef of the platform; used by the store alone, never by the pure parts.
 */
#ifndef OUTERGATE_PLAT_H
#define OUTERGATE_PLAT_H

#include <errno.h>
#include <fcntl.h>
#ifdef _WIN32
#include <io.h>
#else
#include <unistd.h>
#endif

/*
 * An empty file that its owner writes and its group reads (on Windows the directory's ACL decides).
 * 0 when it was made or is there already, else -errno.
 */
static inline int plat_create_file(const char *path)
{
#ifdef _WIN32
	int fd = _open(path, _O_CREAT | _O_EXCL | _O_WRONLY | _O_BINARY, 0600);
#else
	int fd = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC | O_NOFOLLOW, 0640);
#endif

	if (fd < 0)
		return errno == EEXIST ? 0 : -errno;
#ifdef _WIN32
	_close(fd);
#else
	close(fd);
#endif
	return 0;
}

#endif
