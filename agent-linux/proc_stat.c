/* proc_stat: see the header. */
#include "proc_stat.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool read_some(uint32_t pid, const char *file, char *buf, size_t cap)
{
	char path[48];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%u/%s", pid, file);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	n = read(fd, buf, cap - 1);
	close(fd);
	buf[n > 0 ? n : 0] = '\0';
	return n > 0;
}

uint64_t proc_stat(uint32_t pid, unsigned field)
{
	char buf[512], *at;

	if (!read_some(pid, "stat", buf, sizeof(buf)))
		return 0;
	at = strrchr(buf, ')'); /* the end of field 2: the name may hold anything */
	for (unsigned i = 2; at && i < field; i++)
		at = strchr(at + 1, ' ');
	return at ? strtoull(at + 1, NULL, 10) : 0;
}

bool proc_name(uint32_t pid, char *ret, size_t cap)
{
	ret[0] = '\0';
	if (!read_some(pid, "comm", ret, cap))
		return false;
	ret[strcspn(ret, "\n")] = '\0';
	return true;
}
