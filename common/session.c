/* session: the names of its enumerations, as outputs write them. */
#include "session.h"

#include <string.h>

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
		[ORIGIN_NONE] = "none",
		[ORIGIN_SOCKET] = "socket",
		[ORIGIN_ANCESTOR] = "ancestor",
		[ORIGIN_SNAPSHOT] = "snapshot",
		[ORIGIN_LOG] = "log",
		[ORIGIN_LOCAL_PROXY] = "local-proxy",
		[ORIGIN_TRUSTED_PROXY] = "trusted-proxy",
		[ORIGIN_PAM] = "pam",
		[ORIGIN_VPN] = "vpn",
	};

	return (unsigned)s < sizeof(names) / sizeof(names[0]) ? names[s] : "";
}

const char *handoff_state_name(enum handoff_state s)
{
	static const char *const names[] = {
		[HANDOFF_ASKED] = "asked",
		[HANDOFF_POSSIBLE] = "possible",
		[HANDOFF_JOINED] = "joined",
	};

	return (unsigned)s < sizeof(names) / sizeof(names[0]) ? names[s] : "";
}

const char *session_via(const struct session *s, uint32_t via, char buf[SESSION_VIA_MAX])
{
	const struct session_handoff *h;
	const char *kind;
	size_t n;

	buf[0] = '\0';
	if (!via)
		return buf;
	if (via > SESSION_HANDOFFS || via > s->handoffs_kept)
		return "another hand-off";
	h = &s->handoffs[via - 1];
	kind = handoff_name(h->kind);
	n = strlen(kind);
	memcpy(buf, kind, n);
	buf[n] = ' ';
	span_copy(buf + n + 1, SESSION_VIA_MAX - n - 1, span_of_array(h->what, sizeof(h->what)));
	return buf;
}
