/*
 * plat: the few things that Linux and Windows call by different names. The only place in common/
 * and cli/ with an #ifdef of the platform; the pure parts use its paths alone.
 */
#ifndef OUTERGATE_PLAT_H
#define OUTERGATE_PLAT_H

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#ifdef _WIN32
#include <io.h>

/* As windows.h has it, without all the rest of that. */
__declspec(dllimport) void __stdcall Sleep(unsigned long ms);

#define PLAT_WINDOWS  1
#define PLAT_COMMANDS COMMAND(service) /* of cli/commands.def, beside those of both */
#define PLAT_DIR      "C:\\ProgramData\\Outergate\\"
#define PLAT_CONFIG   PLAT_DIR "outergate.yaml"
#define PLAT_STORE    PLAT_DIR "outergate.db"
#define PLAT_RUN      PLAT_DIR "run"
#define PLAT_GEO      PLAT_DIR "geo\\"
#define PLAT_ZONES    PLAT_DIR "zoneinfo\\" /* Windows has none: files of the tz database go there */
#else
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#define PLAT_COMMANDS
#define PLAT_CONFIG "/etc/outergate/outergate.yaml"
#define PLAT_STORE  "/var/lib/outergate/outergate.db"
#define PLAT_RUN    "/run/outergate"
#define PLAT_GEO    "/var/lib/outergate/geo/"
#define PLAT_ZONES  "/usr/share/zoneinfo/"
#endif

/* First of all: what is written is the same bytes on both. */
static inline void plat_start(void)
{
#ifdef _WIN32
	(void)_setmode(_fileno(stdout), _O_BINARY);
	(void)_setmode(_fileno(stdin), _O_BINARY);
#endif
}

/*
 * An empty file that its owner writes and its group reads (on Windows the directory's ACL decides):
 * a descriptor, or -errno; -EEXIST when there is one.
 */
static inline int plat_new_file(const char *path)
{
#ifdef _WIN32
	int fd = _open(path, _O_CREAT | _O_EXCL | _O_WRONLY | _O_BINARY, 0600);
#else
	int fd = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC | O_NOFOLLOW, 0640);
#endif
	return fd < 0 ? -errno : fd;
}

/* Waits. */
static inline void plat_sleep_ms(unsigned ms)
{
#ifdef _WIN32
	Sleep(ms);
#else
	nanosleep(&(struct timespec){ms / 1000, (long)(ms % 1000) * 1000000}, NULL);
#endif
}

static inline void plat_close(int fd)
{
#ifdef _WIN32
	_close(fd);
#else
	close(fd);
#endif
}

/* 0 when it was made or is there already, else -errno. */
static inline int plat_create_file(const char *path)
{
	int fd = plat_new_file(path);

	if (fd < 0)
		return fd == -EEXIST ? 0 : fd;
	plat_close(fd);
	return 0;
}

/* 0, or -EIO: the system has no random numbers. */
static inline int plat_random(void *to, size_t n)
{
#ifdef _WIN32
	for (size_t i = 0; i < n; i++) {
		unsigned v = 0;

		if (rand_s(&v))
			return -EIO;
		((unsigned char *)to)[i] = (unsigned char)v;
	}
	return 0;
#else
	return getrandom(to, n, 0) == (ssize_t)n ? 0 : -EIO;
#endif
}

/* Where a command may put what it needs for a moment. */
static inline const char *plat_temp_dir(void)
{
#ifdef _WIN32
	const char *dir = getenv("TEMP");

	return dir ? dir : ".";
#else
	return "/tmp";
#endif
}

/* A file of our own that nobody else can have made; its name in ret. NULL and errno: none. */
static inline FILE *plat_temporary(char *ret, size_t cap)
{
#ifdef _WIN32
	int fd = -1;

	for (unsigned i = 0; fd < 0 && i < 100; i++) {
		unsigned n = 0;

		(void)rand_s(&n);
		snprintf(ret, cap, "%s\\outergate-%08x.tmp", plat_temp_dir(), n);
		fd = plat_new_file(ret);
		if (fd < 0 && fd != -EEXIST)
			break;
	}
	return fd < 0 ? NULL : _fdopen(fd, "wb");
#else
	int fd;

	snprintf(ret, cap, "/tmp/outergate-XXXXXX");
	fd = mkostemp(ret, O_CLOEXEC);
	return fd < 0 ? NULL : fdopen(fd, "wb");
#endif
}

#endif
