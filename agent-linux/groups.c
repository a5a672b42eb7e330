/*
 * groups: who is in a group of this host, for BusinessHours. Asked at a login, by accounts that
 * exist; the account database is read each time, so that a change needs no restart.
 */
#include "groups.h"

#include <string.h>

#include "host.h"

bool group_has(const char *account, const char *group)
{
	const struct passwd *pw = host_user_named(account);
	gid_t own = pw ? pw->pw_gid : (gid_t)-1;
	const struct group *g = pw ? host_group(group) : NULL;

	if (!g)
		return false;
	if (g->gr_gid == own)
		return true;
	for (char **m = g->gr_mem; m && *m; m++)
		if (!strcmp(*m, account))
			return true;
	return false;
}
