/*
 * geo_copy: a database's bytes in a file of our own beside the store, mapped. Nobody else may write
 * it meanwhile. libmaxminddb opens it by its name and shares it for reading alone, so it cannot be
 * one that goes when it is closed: what a killed agent left is removed when the next makes its own.
 */
#include "cli/geo_files.h"

#include <errno.h>
#include <fcntl.h>
#include <io.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <windows.h>

#define COPY_CHUNK    (256u * 1024)
#define FILETIME_1970 116444736000000000ull
#define COPY_MAX      (UINT64_C(1) << 30) /* the largest known city database is 140 MB */

static int failed(void)
{
	switch (GetLastError()) {
	case ERROR_FILE_NOT_FOUND:
	case ERROR_PATH_NOT_FOUND:
		return -ENOENT;
	case ERROR_ACCESS_DENIED:
	case ERROR_SHARING_VIOLATION:
		return -EACCES;
	case ERROR_DISK_FULL:
		return -ENOSPC;
	default:
		return -EIO;
	}
}

int geo_file_open(const char *path)
{
	struct _stat64 st;
	HANDLE h;

	if (_stat64(path, &st))
		return -errno;
	if ((st.st_mode & S_IFMT) != S_IFREG)
		return (st.st_mode & S_IFMT) == S_IFDIR ? -EISDIR : -ENXIO;
	/* Whoever replaces it may do so while it is read. */
	h = CreateFileA(path, GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE,
			NULL, OPEN_EXISTING, 0, NULL);
	return h == INVALID_HANDLE_VALUE ? failed()
					 : _open_osfhandle((intptr_t)h, _O_RDONLY | _O_BINARY);
}

int geo_file_stamp(int fd, struct geo_stamp *ret)
{
	BY_HANDLE_FILE_INFORMATION i;
	uint64_t written;

	if (!GetFileInformationByHandle((HANDLE)_get_osfhandle(fd), &i))
		return failed();
	written =
		(uint64_t)i.ftLastWriteTime.dwHighDateTime << 32 | i.ftLastWriteTime.dwLowDateTime;
	*ret = (struct geo_stamp){
		.device = i.dwVolumeSerialNumber,
		.inode = (uint64_t)i.nFileIndexHigh << 32 | i.nFileIndexLow,
		.mtime_ns = written > FILETIME_1970 ? (written - FILETIME_1970) * 100 : 0,
		.size = (uint64_t)i.nFileSizeHigh << 32 | i.nFileSizeLow,
	};
	return 0;
}

void geo_file_close(int fd)
{
	_close(fd);
}

static int copy_bytes(int from, HANDLE to, size_t *ret)
{
	char *chunk = malloc(COPY_CHUNK);
	uint64_t at = 0;
	int r = chunk ? 0 : -ENOMEM;

	if (!r && _lseeki64(from, 0, SEEK_SET) < 0)
		r = -errno;
	while (!r) {
		int n = _read(from, chunk, COPY_CHUNK);
		DWORD put = 0;

		if (n < 0)
			r = -errno;
		if (n <= 0)
			break;
		at += (uint64_t)n;
		if (at > COPY_MAX)
			r = -EFBIG;
		else if (!WriteFile(to, chunk, (DWORD)n, &put, NULL) || put != (DWORD)n)
			r = failed();
	}
	free(chunk);
	*ret = (size_t)at;
	return r;
}

/* Those that nobody has open. */
static void leftovers_remove(const char *dir)
{
	char path[CONFIG_PATH_MAX];
	WIN32_FIND_DATAA found;
	HANDLE h;

	snprintf(path, sizeof(path), "%s\\outergate-geo-????????.tmp", dir);
	h = FindFirstFileA(path, &found);
	if (h == INVALID_HANDLE_VALUE)
		return;
	do {
		if (snprintf(path, sizeof(path), "%s\\%s", dir, found.cFileName) <
		    (int)sizeof(path))
			(void)DeleteFileA(path);
	} while (FindNextFileA(h, &found));
	FindClose(h);
}

static int copy_write(int from, const char *name, size_t *ret_len)
{
	HANDLE h = CreateFileA(name, GENERIC_WRITE, 0, NULL, CREATE_NEW, FILE_ATTRIBUTE_TEMPORARY,
			       NULL);
	int r = h == INVALID_HANDLE_VALUE ? failed() : copy_bytes(from, h, ret_len);

	if (h != INVALID_HANDLE_VALUE)
		CloseHandle(h);
	return r;
}

static int copy_map(struct geo_copy *c)
{
	HANDLE h =
		CreateFileA(c->name, GENERIC_READ, FILE_SHARE_READ, NULL, OPEN_EXISTING, 0, NULL);
	HANDLE map = NULL;
	int r = h == INVALID_HANDLE_VALUE ? failed() : 0;

	if (!r && c->len) {
		map = CreateFileMappingA(h, NULL, PAGE_READONLY, 0, 0, NULL);
		c->bytes = map ? MapViewOfFile(map, FILE_MAP_READ, 0, 0, 0) : NULL;
		r = c->bytes ? 0 : failed();
		if (map)
			CloseHandle(map);
	}
	if (!r)
		c->fd = _open_osfhandle((intptr_t)h, _O_RDONLY | _O_BINARY);
	else if (h != INVALID_HANDLE_VALUE)
		CloseHandle(h);
	return r;
}

int geo_copy_make(int fd, const char *dir, struct geo_copy *ret)
{
	struct geo_copy c = {.fd = -1};
	unsigned n = 0;
	int r;

	leftovers_remove(dir);
	(void)rand_s(&n);
	if (snprintf(c.name, sizeof(c.name), "%s\\outergate-geo-%08x.tmp", dir, n) >=
	    (int)sizeof(c.name))
		return -ENAMETOOLONG;
	r = copy_write(fd, c.name, &c.len);
	if (!r)
		r = copy_map(&c);
	if (r) {
		(void)DeleteFileA(c.name);
		return r;
	}
	*ret = c;
	return 0;
}

void geo_copy_free(struct geo_copy *c)
{
	if (c->bytes)
		UnmapViewOfFile(c->bytes);
	if (c->fd >= 0) {
		_close(c->fd);
		(void)DeleteFileA(c->name);
	}
	*c = (struct geo_copy){.fd = -1};
}
