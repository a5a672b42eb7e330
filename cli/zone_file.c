/*
 * zone_file: see zone_file.h.
 *
 * Format: RFC 8536. Of a TZif file of version 2 or later only the footer is read: the rule between
 * the last two newlines, which holds for today and after.
 */
#include "zone_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "common/plat.h"

#define ZONE_FILE_MAX (256u << 10)

static bool is_name(const char *name)
{
	return name[0] && name[0] != '/' && !strstr(name, "..");
}

static int footer(const char *text, size_t len, struct zone *ret)
{
	size_t end = len, from;

	if (len < 6 || memcmp(text, "TZif", 4) != 0 || text[4] < '2' || text[len - 1] != '\n')
		return -EBADMSG;
	end = len - 1;
	for (from = end; from > 0 && text[from - 1] != '\n'; from--)
		;
	return zone_parse((struct span){text + from, end - from}, ret) ? 0 : -EBADMSG;
}

int zone_from_file(const char *name, struct zone *ret)
{
	char path[sizeof(PLAT_ZONES) + 64], *text;
	size_t len;
	int r;

	if (!strcmp(name, "UTC") || !strcmp(name, "Etc/UTC")) {
		*ret = (struct zone){0};
		return 0;
	}
	if (!is_name(name) ||
	    snprintf(path, sizeof(path), PLAT_ZONES "%s", name) >= (int)sizeof(path))
		return -ENOENT;
	r = command_read_file(path, ZONE_FILE_MAX, &text, &len);
	if (r)
		return r == -EIO ? -ENOENT : r; /* a directory: Europe */
	r = footer(text, len, ret);
	free(text);
	return r;
}

void zone_of_host(char name[64], struct zone *ret)
{
	char link[512];
	const char *tz = getenv("TZ");

	if (!tz)
		tz = plat_zone(link, sizeof(link));
	tz += *tz == ':';
	*ret = (struct zone){0};
	if (!span_copy(name, 64, span_of(tz)) ||
	    (zone_from_file(name, ret) && !zone_parse(span_of(name), ret)))
		span_copy(name, 64, SPAN_LIT("UTC"));
}
