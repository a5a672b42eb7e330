/* session: the names of its enumerations, as outputs write them. */
#include "session.h"

const char *session_state_name(enum session_state s)
{
	static const char *const names[] = {
		[SESSION_OPEN] = "open",
		[SESSION_LINGERING] = "lingering",
		[SESSION_CLOSED] = "closed",
	};

	return (unsigned)s < sizeof(names) / sizeof(names[0]) ? names[s] : "";
}

const char *origin_source_name(enum origin_source s)
{
	static const char *const names[] = {
		[ORIGIN_NONE] = "none",		[ORIGIN_SOCKET] = "socket",
		[ORIGIN_ANCESTOR] = "ancestor", [ORIGIN_SNAPSHOT] = "snapshot",
		[ORIGIN_LOG] = "log",		[ORIGIN_LOCAL_PROXY] = "local-proxy",
	};

	return (unsigned)s < sizeof(names) / sizeof(names[0]) ? names[s] : "";
}
