/*
 * paloalto: PAN-OS, its GLOBALPROTECT and SYSTEM logs as syslog CSV, and GLOBALPROTECT as CEF of
 * the log forwarding service.
 *
 * Sees of GlobalProtect: verdicts of portal and gateway, the connected tunnel, the inner address,
 * the client, the logout; the same of PAN-OS before 9.1, which told it in words in the SYSTEM log;
 * of SYSTEM/auth every verdict of an authentication profile, which does not say of what service it
 * was: a failure counts as one try with GlobalProtect's own line, a success opens nothing;
 * administrators by web and CLI. Cannot see: whether an account exists.
 *
 * PAN-OS puts a value with a comma or a quote into quotes and doubles its quotes, so that no name
 * moves a column. In the words of SYSTEM the name stands between quotes that it may hold itself:
 * they are read from the right.
 *
 * Sources: docs.paloaltonetworks.com: "GlobalProtect Log Fields", "System Log Fields", "Event
 * Descriptions for the GlobalProtect Logs in PAN-OS".
 *
 * Example: 1,2024/03/05 10:00:00,0123,GLOBALPROTECT,0,2562,2024/03/05 10:00:00,vsys1,gateway-auth,
 * login,RADIUS,,corp\alice,US,PC1,203.0.113.9,...,success,...
 */
#include "gateway.h"
#include "time_text.h"

enum { /* columns, from 0 */
	AT_TYPE = 3,
	AT_SUBTYPE = 4,
	AT_EVENT = 8,
	AT_METHOD = 10,
	AT_USER = 12,
	AT_MACHINE = 14,
	AT_PUBLIC = 15,
	AT_PUBLIC6 = 16,
	AT_PRIVATE = 17,
	AT_PRIVATE6 = 18,
	AT_REASON = 25,
	AT_ERROR = 26,
	AT_TEXT = 27,
	AT_STATUS = 28,
	AT_PORTAL = 33,
	AT_TIME = 36,
	AT_DEVICE = 47,
	AT_SYSTEM_TEXT = 14,
	AT_SYSTEM_DEVICE = 22,
	AT_SYSTEM_TIME = 25,
	AT_COUNT = 49
};

static bool find_line(const struct frame *f, struct span *msg, struct span *host)
{
	return gateway_starts(f, SPAN_LIT("CEF:0|Palo Alto Networks|LF|"), msg, host) ||
	       gateway_starts(f, SPAN_LIT("1,20"), msg, host);
}

static bool wants(const struct frame *f)
{
	struct span msg, host;

	return find_line(f, &msg, &host);
}

/* What GlobalProtect's events are. */
static const struct {
	const char *name;
	enum event_kind kind;
} events[] = {
	{"portal-auth", EVENT_ATTEMPT},
	{"gateway-auth", EVENT_ATTEMPT},
	{"clientlessvpn-login", EVENT_ATTEMPT},
	{"gateway-connected", EVENT_SESSION_OPEN},
	{"gateway-register", EVENT_AUTH_NOTE},
	{"gateway-getconfig", EVENT_AUTH_NOTE},
	{"gateway-framed-ip", EVENT_AUTH_NOTE},
	{"gateway-setup-ssl", EVENT_AUTH_NOTE},
	{"gateway-setup-ipsec", EVENT_AUTH_NOTE},
	{"gateway-switch-to-ssl", EVENT_AUTH_NOTE},
	{"gateway-tunnel-latency", EVENT_AUTH_NOTE},
	{"gateway-hip-report", EVENT_AUTH_NOTE},
	{"gateway-hip-check", EVENT_AUTH_NOTE},
	{"gateway-logout", EVENT_SESSION_CLOSE},
	{"gateway-config-release", EVENT_SESSION_CLOSE},
	{"clientlessvpn-logout", EVENT_SESSION_CLOSE},
};

/* What both shapes say. */
struct protect {
	struct span event, status, user, public4, public6, private4, private6;
	struct span machine, method, error, text, portal;
};

static enum method method_of(struct span name)
{
	if (span_is(name, "certificate") || span_is(name, "Certificate"))
		return METHOD_CERTIFICATE;
	if (span_is(name, "kerberos") || span_is(name, "Kerberos"))
		return METHOD_GSSAPI;
	return span_is(name, "SAML") || span_is(name, "cookie") ? METHOD_OTHER : METHOD_PASSWORD;
}

static bool set_kind(const struct protect *p, struct event *e)
{
	bool failed = span_is(p->status, "failure");

	gateway_begin(e, EVENT_NONE, SERVICE_VPN);
	for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++)
		if (span_is(p->event, events[i].name))
			e->kind = events[i].kind;
	if (e->kind == EVENT_ATTEMPT && failed)
		e->outcome = OUTCOME_FAILURE;
	else if (e->kind == EVENT_ATTEMPT || e->kind == EVENT_SESSION_OPEN)
		gateway_success(e);
	return e->kind != EVENT_NONE && (e->kind == EVENT_ATTEMPT || !failed);
}

static enum decode_result read_protect(const struct protect *p, struct event *e,
				       const char **reason)
{
	*reason = "GlobalProtect's, and neither a verdict nor about a session";
	if (!set_kind(p, e))
		return DECODE_SKIPPED;
	gateway_account(e, p->user);
	if (!gateway_origin(e, p->public4))
		gateway_origin(e, p->public6);
	gateway_assigned(e, p->private6);
	gateway_assigned(e, p->private4);
	e->client = p->machine;
	e->gate.group = p->portal;
	e->gate.reason = span_empty(p->error) ? p->text : p->error;
	if (e->kind == EVENT_ATTEMPT)
		e->method = method_of(p->method);
	return DECODE_EVENT;
}

static enum decode_result read_cef(const struct cef *c, struct span host, struct event *e,
				   const char **reason)
{
	const struct fields *f = &c->fields;
	struct protect p = {
		.event = fields_first(f, "PanOSEventIDValue"),
		.method = fields_first(f, "PanOSAuthMethod"),
		.user = fields_first(f, "PanOSSourceUserName"),
		.machine = fields_last(f, "PanOSEndpointDeviceName"),
		.public4 = fields_last(f, "PanOSPublicIPv4"),
		.public6 = fields_last(f, "PanOSPublicIPv6"),
		.private4 = fields_last(f, "PanOSPrivateIPv4"),
		.private6 = fields_last(f, "PanOSPrivateIPv6"),
		.error = fields_last(f, "PanOSConnectionError"),
		.text = fields_last(f, "PanOSDescription"),
		.status = fields_last(f, "PanOSEventStatus"),
		.portal = fields_last(f, "PanOSPortal"),
	};
	struct span device = fields_last(f, "PanOSDeviceName");

	*reason = "PAN-OS, and not of GlobalProtect";
	if (!span_is(c->id, "GLOBALPROTECT"))
		return DECODE_SKIPPED;
	e->host = span_empty(device) ? host : device;
	gateway_time(e, gateway_epoch(fields_first(f, "rt")));
	return read_protect(&p, e, reason);
}

static void read_time(struct span text, struct span fallback, struct event *e)
{
	struct time_text t;

	if (time_take_utc(&text, &t))
		gateway_time(e, t.time_ns);
	else
		gateway_local(e, fallback);
}

static enum decode_result read_csv(const struct span at[AT_COUNT], struct event *e,
				   const char **reason)
{
	struct protect p = {
		.event = at[AT_EVENT],
		.method = at[AT_METHOD],
		.user = at[AT_USER],
		.machine = at[AT_MACHINE],
		.public4 = at[AT_PUBLIC],
		.public6 = at[AT_PUBLIC6],
		.private4 = at[AT_PRIVATE],
		.private6 = at[AT_PRIVATE6],
		.error = at[AT_ERROR],
		.text = span_empty(at[AT_TEXT]) ? at[AT_REASON] : at[AT_TEXT],
		.status = at[AT_STATUS],
		.portal = at[AT_PORTAL],
	};

	return read_protect(&p, e, reason);
}

/* "failed authentication for user 'U'.  Reason: R. auth profile 'P', ..., From: A." */
static enum decode_result read_verdict(struct span text, struct event *e, const char **reason)
{
	bool failed = text_cut(&text, SPAN_LIT("failed authentication for user '"));
	size_t from, end;

	*reason = "PAN-OS's, and no verdict";
	if (!failed && !text_cut(&text, SPAN_LIT("authenticated for user '")))
		return DECODE_SKIPPED;
	from = text_find_last(text, SPAN_LIT("From: "));
	end = text_find_last(text, SPAN_LIT("'. "));
	*reason = "begins like a verdict of PAN-OS, but is cut";
	if (from == TEXT_NOT_FOUND || end == TEXT_NOT_FOUND)
		return DECODE_BAD;
	gateway_begin(e, failed ? EVENT_ATTEMPT : EVENT_AUTH_NOTE, SERVICE_OTHER);
	gateway_account(e, span_first(text, end));
	e->gate.reason = text_trim_left(span_skip(span_first(text, from), end + 2));
	if (text_cut(&e->gate.reason, SPAN_LIT("Reason: "))) {
		end = text_find(e->gate.reason, SPAN_LIT(". "), 0);
		e->gate.reason = span_first(e->gate.reason,
					    end == TEXT_NOT_FOUND ? e->gate.reason.len : end);
	}
	text = span_skip(text, from + 6);
	text_cut_end(&text, SPAN_LIT("."));
	gateway_origin(e, text);
	e->witness = WITNESS_PAM_LOG; /* GlobalProtect's own line is about the same try */
	e->method = METHOD_PASSWORD;
	if (failed)
		e->outcome = OUTCOME_FAILURE;
	else
		gateway_success(e);
	return DECODE_EVENT;
}

/* The value behind a label, up to the last of what follows it. */
static struct span labelled(struct span text, struct span label, struct span until)
{
	size_t at = text_find(text, label, 0), end;

	if (at == TEXT_NOT_FOUND)
		return text_none();
	text = span_skip(text, at + label.len);
	end = text_find_last(text, until);
	return span_first(text, end == TEXT_NOT_FOUND ? text.len : end);
}

/* "GlobalProtect gateway user login succeeded. Login from: A, Source region: US, User name: U,
 * Private IP: P, Client version: ..." of PAN-OS before 9.1. */
static enum decode_result read_words(struct span event, struct span text, struct event *e,
				     const char **reason)
{
	static const struct {
		const char *event;
		enum event_kind kind;
		enum outcome outcome;
		const char *until;
	} rows[] = {
		{"globalprotectportal-auth-succ", EVENT_ATTEMPT, OUTCOME_SUCCESS, ", Auth type: "},
		{"globalprotectportal-auth-fail", EVENT_ATTEMPT, OUTCOME_FAILURE, ", Reason: "},
		{"globalprotectgateway-auth-succ", EVENT_ATTEMPT, OUTCOME_SUCCESS, ", Auth type: "},
		{"globalprotectgateway-auth-fail", EVENT_ATTEMPT, OUTCOME_FAILURE, ", Reason: "},
		{"globalprotectgateway-regist-succ", EVENT_SESSION_OPEN, OUTCOME_SUCCESS,
		 ", Client OS version: "},
		{"globalprotectgateway-config-succ", EVENT_AUTH_NOTE, OUTCOME_UNKNOWN,
		 ", Private IP: "},
		{"globalprotectgateway-logout-succ", EVENT_SESSION_CLOSE, OUTCOME_UNKNOWN,
		 ", Client OS version: "},
	};
	struct span until = text_none(), from;
	size_t at;

	gateway_begin(e, EVENT_NONE, SERVICE_VPN);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (span_is(event, rows[i].event)) {
			e->kind = rows[i].kind;
			e->outcome = rows[i].outcome;
			until = span_of(rows[i].until);
		}
	*reason = "GlobalProtect's, and neither a verdict nor about a session";
	if (e->kind == EVENT_NONE)
		return DECODE_SKIPPED;
	if (e->outcome == OUTCOME_SUCCESS)
		gateway_success(e);
	from = labelled(text, SPAN_LIT("Login from: "), SPAN_LIT(", Source region: "));
	at = text_find(from, SPAN_LIT(","), 0);
	gateway_origin(e, span_first(from, at == TEXT_NOT_FOUND ? from.len : at));
	gateway_account(e, labelled(text, SPAN_LIT("User name: "), until));
	at = text_find_last(text, SPAN_LIT("Private IP: "));
	if (e->kind == EVENT_AUTH_NOTE && at != TEXT_NOT_FOUND) {
		from = span_skip(text, at + 12);
		at = text_find(from, SPAN_LIT(","), 0);
		gateway_assigned(e, span_first(from, at == TEXT_NOT_FOUND ? from.len : at));
	}
	at = text_find_last(text, SPAN_LIT("Reason: "));
	if (at != TEXT_NOT_FOUND)
		e->gate.reason = span_skip(text, at + 8);
	return DECODE_EVENT;
}

/* "User admin logged in via Web from 1.2.3.4 using https", "... logged out via CLI from 1.2.3.4" */
static enum decode_result read_admin(struct span text, struct event *e, const char **reason)
{
	size_t from = text_find_last(text, SPAN_LIT(" from ")), in, out;
	struct span who, address;

	*reason = "PAN-OS's SYSTEM log, and it tells of no login";
	if (from == TEXT_NOT_FOUND || !text_cut(&text, SPAN_LIT("User ")))
		return DECODE_SKIPPED;
	who = span_first(text, from - 5);
	address = span_skip(text, from - 5 + 6);
	in = text_find_last(who, SPAN_LIT(" logged in via "));
	out = text_find_last(who, SPAN_LIT(" logged out via "));
	if (in == TEXT_NOT_FOUND && out == TEXT_NOT_FOUND)
		return DECODE_SKIPPED;
	if (in == TEXT_NOT_FOUND || (out != TEXT_NOT_FOUND && out > in)) {
		gateway_begin(e, EVENT_SESSION_CLOSE, SERVICE_WEB_REMOTE);
		in = out;
	} else {
		gateway_begin(e, EVENT_ATTEMPT, SERVICE_WEB_REMOTE);
		gateway_success(e);
	}
	if (text_ends(who, SPAN_LIT("CLI")))
		e->service = SERVICE_SSH;
	gateway_account(e, span_first(who, in));
	return gateway_origin(e, text_cut_word(&address)) ? DECODE_EVENT : DECODE_SKIPPED;
}

static enum decode_result read_system(const struct span at[AT_COUNT], struct event *e,
				      const char **reason)
{
	if (span_is(at[AT_SUBTYPE], "auth"))
		return read_verdict(at[AT_SYSTEM_TEXT], e, reason);
	if (span_is(at[AT_SUBTYPE], "globalprotect"))
		return read_words(at[AT_EVENT], at[AT_SYSTEM_TEXT], e, reason);
	return read_admin(at[AT_SYSTEM_TEXT], e, reason);
}

static enum decode_result decode(const struct frame *f, struct event *ret, const char **reason)
{
	struct span at[AT_COUNT] = {0}, msg, host, device;
	bool is_system;
	struct cef cef;
	unsigned n = 0;

	*reason = "begins like a line of PAN-OS, but is cut";
	if (!find_line(f, &msg, &host))
		return DECODE_BAD;
	if (cef_read(msg, &cef))
		return read_cef(&cef, host, ret, reason);
	while (n < AT_COUNT && csv_cut(&msg, &at[n]))
		n++;
	is_system = span_is(at[AT_TYPE], "SYSTEM");
	if (!is_system && !span_is(at[AT_TYPE], "GLOBALPROTECT")) {
		*reason = "PAN-OS's, and neither of GlobalProtect nor of the system";
		return DECODE_SKIPPED;
	}
	if (n <= (is_system ? AT_SYSTEM_TEXT : AT_STATUS))
		return DECODE_BAD;
	device = at[is_system ? AT_SYSTEM_DEVICE : AT_DEVICE];
	ret->host = span_empty(device) ? host : device;
	read_time(at[is_system ? AT_SYSTEM_TIME : AT_TIME], at[6], ret);
	return is_system ? read_system(at, ret, reason) : read_csv(at, ret, reason);
}

const struct decoder decoder_paloalto = {
	.name = "paloalto",
	.about = "PAN-OS: GlobalProtect and SYSTEM logs (CSV; GlobalProtect as CEF, too)",
	.example =
		"1,2024/03/05 10:00:00,01230,SYSTEM,auth,2561,2024/03/05 10:00:00,,auth-fail,VPN,0,"
		"0,general,medium,\"failed authentication for user 'alice'.  Reason: Invalid "
		"username/password. auth profile 'VPN', vsys 'vsys1', From: "
		"203.0.113.10.\",7,0x0,0,"
		"0,0,0,,fw1,0,0,2024-03-05T10:00:00.691+01:00",
	.wants = wants,
	.decode = decode,
};
