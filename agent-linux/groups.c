/*
 * groups: who is in a group of this host, for BusinessHours. Asked at a login, by accounts that
 * exist; the account database is read each time, so that a change needs no restart.
 */
#include "groups.h"

#include <grp.h>
#include <pwd.h>
#include <string.h>

bool group_has(const char *account, const char *group)
{
	const struct passwd *pw = getpwnam(account);
	gid_t own = pw ? pw->pw_gid : (gid_t)-1;
	const struct group *g = pw ? getgrnam(group) : NULL;

	if (!g)
		return false;
	if (g->gr_gid == own)
		return true;
	for (char **m = g->gr_mem; m && *m; m++)
		if (!strcmp(*m, account))
			return true;
	return false;
}
