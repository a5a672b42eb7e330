/* pipe_name: see control.h. */
#include <stdint.h>
#include <stdio.h>

#include "common/out/siphash.h"
#include "control.h"

void pipe_name(const char *runtime, char ret[PIPE_NAME_MAX])
{
	snprintf(ret, PIPE_NAME_MAX, "\\\\.\\pipe\\outergate-%016llx",
		 (unsigned long long)siphash(span_of(runtime), 0, 1));
}
