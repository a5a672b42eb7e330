/* lockdown: see the header. */
#include "lockdown.h"

#include <stdio.h>
#include <string.h>

bool lockdown_is_confidential(void)
{
	char line[80] = "";
	FILE *f = fopen("/sys/kernel/security/lockdown", "re");
	bool ret = f && fgets(line, sizeof(line), f) && strstr(line, "[confidentiality]");

	if (f)
		fclose(f);
	return ret;
}
