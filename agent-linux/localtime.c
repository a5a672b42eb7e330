/* localtime: which time zone this host keeps. */
#include <string.h>

#include "host.h"

#include "cli/zone_file.h"

/* "../usr/share/zoneinfo/Europe/Berlin" -> "Europe/Berlin" */
const char *plat_zone(char *buf, size_t cap)
{
	ssize_t n = host_readlink("/etc/localtime", buf, cap - 1);
	char *name;

	if (n <= 0)
		return "";
	buf[n] = '\0';
	name = strstr(buf, "zoneinfo/");
	return name ? name + strlen("zoneinfo/") : "";
}
