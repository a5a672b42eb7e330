/*
 * windows_gateway: who gets in through a server that lets people in to others: RD Gateway, Network
 * Policy Server (RADIUS), Routing and Remote Access (VPN); and the file server's refusals.
 *
 *   RD Gateway   200 let in, 201 refused, 300 301 allowed or not to reach a computer, 302 connected
 *                to it, 303 (202, 307, 309) the end with bytes, 304 it could not be reached,
 *                312 313 a connection of which nobody is known yet
 *   NPS          6272 granted, 6273 denied (by reason code), 6274 dropped, 6278, 6279
 *   RRAS         20250 20274 who is on which line, 20271 denied, 20272 the end with bytes. A
 *                classic source: its strings have no names, so they are taken by position; the
 *                first is the connection's id (CoID) from 2008 R2 on
 *   SMBServer    551 a failed session setup, 1009 an anonymous one that was refused
 *
 * 201 comes after the password was checked: policy alone refuses. CallingStationID is the
 * client's address for a VPN, a MAC for Wi-Fi, which is no origin; ClientIPAddress is the NAS.
 * Cannot see: from where a VPN came that RRAS alone tells of (20250 has no address).
 *
 * Sources: learn.microsoft.com, "RD Gateway Server Connections" (ee891388), event-6272.md and
 * 6273.md of windows-itpro-docs, [MS-RNAP] reason codes, mprlog.h (20250 to 20274);
 * manifests of TerminalServices-Gateway, SMBServer.
 *
 * Example: 302, Username CORP\alice, IpAddress 203.0.113.9, Resource srv1.corp.example.
 */
#include "text.h"
#include "windows.h"

/* --- RD Gateway */

static bool read_gateway(const struct windows_event *w, struct event *e, const char **reason)
{
	(void)reason;
	windows_account(windows_field(w, "Username"), e);
	windows_origin(windows_field(w, "IpAddress"), text_none(), e);
	e->subject = windows_field(w, "Resource");
	if (!addr_parse(e->subject, &e->dest.addr, &e->dest.port))
		e->dest = (struct endpoint){0};
	e->service = SERVICE_RDGATEWAY;
	e->method = span_is(windows_field(w, "AuthType"), "NTLM") ? METHOD_PASSWORD : METHOD_NONE;
	return true;
}

static bool read_let_in(const struct windows_event *w, struct event *e, const char **reason)
{
	e->kind = EVENT_ATTEMPT;
	e->outcome = OUTCOME_SUCCESS;
	e->flags |= EVENT_ACCOUNT_EXISTS;
	return read_gateway(w, e, reason);
}

static bool read_kept_out(const struct windows_event *w, struct event *e, const char **reason)
{
	e->kind = EVENT_ATTEMPT;
	e->outcome = OUTCOME_FAILURE;
	e->flags |= EVENT_PASSWORD_RIGHT | EVENT_ACCOUNT_EXISTS;
	e->witness = WITNESS_PAM_LOG;
	return read_gateway(w, e, reason);
}

static bool read_denied(const struct windows_event *w, struct event *e, const char **reason)
{
	e->outcome = OUTCOME_REFUSED;
	return read_gateway(w, e, reason);
}

static bool read_connected(const struct windows_event *w, struct event *e, const char **reason)
{
	e->kind = EVENT_SESSION_OPEN;
	e->outcome = OUTCOME_SUCCESS;
	return read_gateway(w, e, reason);
}

static void lasted(struct event *e, uint64_t seconds)
{
	if (seconds && seconds < e->time_ns / 1000000000)
		e->opened_ns = e->time_ns - seconds * 1000000000;
}

/* The names are the manifest's; what the client sent came in here. */
static bool read_gateway_end(const struct windows_event *w, struct event *e, const char **reason)
{
	e->kind = EVENT_SESSION_CLOSE;
	e->bytes_in = windows_number(w, "BytesTransfered", 0);
	e->bytes_out = windows_number(w, "BytesReceived", 0);
	lasted(e, windows_number(w, "SessionDuration", 0));
	return read_gateway(w, e, reason);
}

static bool read_gateway_connection(const struct windows_event *w, struct event *e,
				    const char **reason)
{
	e->kind = EVENT_CONNECTION;
	return read_gateway(w, e, reason);
}

const struct windows_row windows_gateway_rows[] = {
	{200, read_let_in},
	{201, read_kept_out},
	{202, read_gateway_end},
	{300, read_gateway},
	{301, read_denied},
	{302, read_connected},
	{303, read_gateway_end},
	{304, read_denied},
	{307, read_gateway_end},
	{309, read_gateway_end},
	{312, read_gateway_connection},
	{313, read_gateway_connection},
	{0, NULL},
};

/* --- NPS */

struct reason_row {
	uint32_t code;
	enum outcome outcome;
	uint32_t flags;
};

/* [MS-RNAP] 2.2.2, reason codes. Not listed: policy, of which nothing follows for the password. */
static const struct reason_row reason_rows[] = {
	{7, OUTCOME_FAILURE, EVENT_ACCOUNT_UNKNOWN},			    /* no such domain */
	{8, OUTCOME_FAILURE, EVENT_ACCOUNT_UNKNOWN},			    /* no such user */
	{16, OUTCOME_FAILURE, 0},					    /* user or password */
	{23, OUTCOME_FAILURE, 0},					    /* EAP */
	{33, OUTCOME_FAILURE, EVENT_PASSWORD_RIGHT | EVENT_ACCOUNT_EXISTS}, /* must change it */
	{34, OUTCOME_FAILURE, EVENT_ACCOUNT_EXISTS},			    /* disabled */
	{35, OUTCOME_FAILURE, EVENT_PASSWORD_RIGHT | EVENT_ACCOUNT_EXISTS}, /* expired */
	{36, OUTCOME_REFUSED, EVENT_ACCOUNT_EXISTS},			    /* locked out */
	{37, OUTCOME_FAILURE, EVENT_PASSWORD_RIGHT | EVENT_ACCOUNT_EXISTS}, /* hours */
};

void windows_radius_reason(struct event *e, uint64_t code)
{
	e->win.status = (uint32_t)code;
	e->outcome = OUTCOME_REFUSED;
	for (size_t i = 0; i < sizeof(reason_rows) / sizeof(reason_rows[0]); i++)
		if (reason_rows[i].code == code) {
			e->outcome = reason_rows[i].outcome;
			e->flags |= reason_rows[i].flags;
		}
}

static bool is_password(struct span type)
{
	return span_starts(type, SPAN_LIT("MS-CHAP")) || span_is(type, "PAP") ||
	       span_is(type, "CHAP");
}

static bool read_radius(const struct windows_event *w, struct event *e, const char **reason)
{
	struct span station = windows_field(w, "CallingStationID"), none = text_none();

	(void)reason;
	windows_account(windows_field(w, "SubjectUserName"), e);
	if (span_empty(e->account))
		windows_account(windows_field(w, "FullyQualifiedSubjectUserName"), e);
	windows_origin(station, none, e);
	if (!e->origin.addr.family)
		e->client = station; /* a MAC, a phone number */
	if (!addr_parse(windows_field(w, "ClientIPAddress"), &e->local.addr, NULL))
		e->local = (struct endpoint){0};
	e->service = SERVICE_VPN;
	e->method =
		is_password(windows_field(w, "AuthenticationType")) ? METHOD_PASSWORD : METHOD_NONE;
	return true;
}

static bool read_granted(const struct windows_event *w, struct event *e, const char **reason)
{
	e->kind = EVENT_ATTEMPT;
	e->outcome = OUTCOME_SUCCESS;
	e->flags |= EVENT_ACCOUNT_EXISTS;
	return read_radius(w, e, reason);
}

static bool read_radius_denied(const struct windows_event *w, struct event *e, const char **reason)
{
	e->kind = EVENT_ATTEMPT;
	windows_radius_reason(e, windows_number(w, "ReasonCode", 16));
	return read_radius(w, e, reason);
}

bool windows_read_granted(const struct windows_event *w, struct event *e, const char **reason)
{
	return w->id == 6272   ? read_granted(w, e, reason)
	       : w->id == 6273 ? read_radius_denied(w, e, reason)
			       : read_radius(w, e, reason);
}

/* --- RRAS */

static struct span at(const struct windows_event *w, unsigned i)
{
	return i < w->count ? w->fields[i].value : text_none();
}

/* Where the strings begin that older systems have, too. */
static unsigned after_id(const struct windows_event *w, struct event *e)
{
	struct span id = at(w, 0);

	if (!span_starts(id, SPAN_LIT("{")) && !span_starts(id, SPAN_LIT("CoID")) &&
	    !span_is(id, "NA"))
		return 0;
	e->win.activity = windows_activity(id);
	e->win.session = (uint32_t)e->win.activity;
	return 1;
}

static bool read_line(const struct windows_event *w, struct event *e, const char **reason)
{
	unsigned n = after_id(w, e);

	(void)reason;
	windows_account(at(w, n), e);
	e->service = SERVICE_VPN;
	return true;
}

static bool read_line_error(const struct windows_event *w, struct event *e, const char **reason)
{
	unsigned n = after_id(w, e);

	(void)reason;
	windows_account(at(w, n + 1), e); /* behind the port */
	e->service = SERVICE_VPN;
	return true;
}

static bool read_line_denied(const struct windows_event *w, struct event *e, const char **reason)
{
	unsigned n = after_id(w, e);
	uint64_t code = windows_value(at(w, n + 3), 0);

	(void)reason;
	e->kind = EVENT_ATTEMPT;
	e->witness = WITNESS_PAM_LOG; /* NPS tells of the same try */
	windows_account(at(w, n), e);
	windows_origin(at(w, n + 1), text_none(), e);
	windows_radius_reason(e, code ? code : 16);
	e->service = SERVICE_VPN;
	return true;
}

/* user, port, two dates with their times, minutes, seconds, bytes sent, bytes received. */
static bool read_line_end(const struct windows_event *w, struct event *e, const char **reason)
{
	unsigned n = after_id(w, e);

	(void)reason;
	e->kind = EVENT_SESSION_CLOSE;
	windows_account(at(w, n), e);
	e->service = SERVICE_VPN;
	lasted(e, windows_value(at(w, n + 6), 0) % 1000000000 * 60 +
			  windows_value(at(w, n + 7), 0) % 60);
	e->bytes_out = windows_value(at(w, n + 8), 0);
	e->bytes_in = windows_value(at(w, n + 9), 0);
	return true;
}

const struct windows_row windows_rras_rows[] = {
	{20250, read_line},	{20255, read_line_error}, {20271, read_line_denied},
	{20272, read_line_end}, {20274, read_line},	  {0, NULL},
};

/* --- the file server */

/* A log renders a sockaddr as its bytes in hex. */
static bool read_sockaddr(struct span hex, struct endpoint *ret)
{
	uint8_t b[28] = {0};
	size_t n = hex.len / 2;

	if (hex.len % 2 || n < 16)
		return false;
	for (size_t i = 0; i < n && i < sizeof(b); i++) {
		int high = windows_hex(hex.ptr[2 * i]), low = windows_hex(hex.ptr[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		b[i] = (uint8_t)(high << 4 | low);
	}
	ret->port = (uint16_t)(b[2] << 8 | b[3]);
	if (b[0] == 2 && !b[1])
		ret->addr = addr_from_bytes(b + 4, 4);
	else if (b[0] == 23 && !b[1] && n >= 28)
		ret->addr = addr_from_bytes(b + 8, 16);
	else
		return false;
	return true;
}

static bool read_smb(const struct windows_event *w, struct event *e, const char **reason)
{
	struct span address = windows_field(w, "ClientAddress");

	e->kind = EVENT_ATTEMPT;
	e->service = SERVICE_SMB;
	windows_account(windows_field(w, "UserName"), e);
	windows_origin(address, text_none(), e);
	if (!e->origin.addr.family && !read_sockaddr(address, &e->origin))
		e->origin = (struct endpoint){0};
	e->client = windows_field(w, "ClientName");
	if (span_starts(e->client, SPAN_LIT("\\\\")))
		e->client = span_skip(e->client, 2);
	*reason = "a refusal that does not say whose";
	return e->origin.addr.family != ADDR_NONE;
}

static bool read_smb_failed(const struct windows_event *w, struct event *e, const char **reason)
{
	e->witness = WITNESS_PAM_LOG;
	e->method = METHOD_PASSWORD;
	windows_ntstatus(e, windows_number(w, "Status", 0xC000006D));
	if (e->outcome == OUTCOME_SUCCESS)
		e->outcome = OUTCOME_FAILURE;
	return read_smb(w, e, reason);
}

static bool read_smb_anonymous(const struct windows_event *w, struct event *e, const char **reason)
{
	e->outcome = OUTCOME_REFUSED;
	e->method = METHOD_NO_AUTH;
	return read_smb(w, e, reason);
}

const struct windows_row windows_smb_rows[] = {
	{551, read_smb_failed}, {1009, read_smb_anonymous}, {0, NULL}};
