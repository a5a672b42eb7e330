/*
 * windows_rdp: what Terminal Services tells: RdpCoreTS (the connection), RemoteConnectionManager
 * (a user asked) and LocalSessionManager (sessions by their number).
 *
 * Sees the client's address and, from 131, its port; 140 is a failed network level authentication,
 * without an account. 131 is a connection and no logon: scanners make it, too. 1149 proves a logon
 * only together with 4624 (without network level authentication it comes before the password).
 * Cannot see: how somebody authenticated.
 *
 * Exporters that drop the fields of these events (they are UserData, not EventData) keep the
 * rendered text; its lines are taken by their order, since their words are translated.
 *
 * Example: LocalSessionManager 21, User CORP\alice, SessionID 2, Address 203.0.113.9.
 */
#include "text.h"
#include "windows.h"

/* The first run of digits in a rendered text. */
static struct span first_number(struct span text)
{
	size_t i = 0, n;

	while (i < text.len && !text_is_digit(text.ptr[i]))
		i++;
	for (n = i; n < text.len && text_is_digit(text.ptr[n]); n++)
		;
	return span_first(span_skip(text, i), n - i);
}

struct told {
	struct span user, session, address;
};

static struct told read_told(const struct windows_event *w)
{
	struct told t = {windows_field(w, "User"), windows_field(w, "SessionID"),
			 windows_field(w, "Address")};
	struct span lines[WINDOWS_LINES_MAX] = {0};

	if (!span_empty(t.session) || !windows_message(w->message, lines))
		return t;
	return (struct told){lines[0], lines[1], lines[2]};
}

/* 21, 22, 24, 25 and, without an address, 23, 41 and 42. */
static bool read_session(const struct windows_event *w, struct event *e, const char **reason)
{
	struct told t = read_told(w);

	windows_account(t.user, e);
	windows_origin(t.address, text_none(), e);
	e->win.session = text_u32(t.session, 0);
	e->service = SERVICE_RDP;
	*reason = "a session at the console";
	return !span_is(t.address, "LOCAL");
}

static bool read_opened(const struct windows_event *w, struct event *e, const char **reason)
{
	e->kind = EVENT_SESSION_OPEN;
	e->outcome = OUTCOME_SUCCESS;
	return read_session(w, e, reason);
}

static bool read_closed(const struct windows_event *w, struct event *e, const char **reason)
{
	e->kind = EVENT_SESSION_CLOSE;
	return read_session(w, e, reason);
}

static bool read_dropped(const struct windows_event *w, struct event *e, const char **reason)
{
	e->kind = EVENT_CONNECTION_CLOSE;
	return read_session(w, e, reason);
}

/* 39 and 40 name the session alone. */
static bool read_left(const struct windows_event *w, struct event *e, const char **reason)
{
	struct span session = windows_field(w, w->id == 39 ? "TargetSession" : "Session");

	(void)reason;
	if (span_empty(session))
		session = first_number(w->message);
	e->kind = EVENT_CONNECTION_CLOSE;
	e->win.session = text_u32(session, 0);
	e->service = SERVICE_RDP;
	return true;
}

static bool read_connection(const struct windows_event *w, struct event *e, const char **reason)
{
	(void)reason;
	e->kind = EVENT_CONNECTION;
	e->service = SERVICE_RDP;
	windows_origin(windows_field(w, "ClientIP"), text_none(), e);
	return true;
}

static bool read_refused(const struct windows_event *w, struct event *e, const char **reason)
{
	(void)reason;
	e->kind = EVENT_ATTEMPT;
	e->outcome = OUTCOME_FAILURE;
	e->service = SERVICE_RDP;
	e->witness = WITNESS_PAM_LOG;
	e->method = METHOD_PASSWORD;
	windows_origin(windows_field(w, "IPString"), text_none(), e);
	return true;
}

static bool read_end(const struct windows_event *w, struct event *e, const char **reason)
{
	(void)w;
	(void)reason;
	e->kind = EVENT_CONNECTION_CLOSE;
	e->service = SERVICE_RDP;
	return true;
}

static bool read_asked(const struct windows_event *w, struct event *e, const char **reason)
{
	struct span lines[WINDOWS_LINES_MAX] = {0};

	(void)reason;
	lines[0] = windows_field(w, "Param1");
	lines[2] = windows_field(w, "Param3");
	if (span_empty(lines[2]))
		windows_message(w->message, lines);
	windows_account(lines[0], e);
	windows_origin(lines[2], text_none(), e);
	e->service = SERVICE_RDP;
	return true;
}

const struct windows_row windows_rdp_rows[] = {{98, read_connection}, {102, read_end},
					       {103, read_end},	      {131, read_connection},
					       {140, read_refused},   {0, NULL}};
const struct windows_row windows_session_rows[] = {
	{21, read_opened},  {22, read_session}, {23, read_closed}, {24, read_dropped},
	{25, read_opened},  {39, read_left},	{40, read_left},   {41, read_session},
	{42, read_session}, {0, NULL}};
const struct windows_row windows_connection_rows[] = {
	{261, read_connection}, {1149, read_asked}, {0, NULL}};
