/* alert: the names of its states, as outputs write them. */
#include "alert.h"

const char *alert_state_name(enum alert_state s)
{
	static const char *const names[] = {
		[ALERT_OPEN] = "open",
		[ALERT_UPDATED] = "updated",
		[ALERT_CLOSED] = "closed",
	};

	return (unsigned)s < sizeof(names) / sizeof(names[0]) ? names[s] : "";
}
