/*
 * fortinet: FortiGate's event log, as name=value pairs or CEF, and FortiAuthenticator's.
 *
 * Sees of SSL and IPsec VPN: failed logins with their reason, the tunnel that is up with its inner
 * address and number, its statistics, its end with bytes; of administrators: logins, failures and
 * logouts over web, SSH and telnet. Cannot see: whether an account exists (FortiOS calls many of
 * those unknown that do); the password's verdict apart from the tunnel; users of captive portals,
 * traffic and site-to-site tunnels are no remote sessions.
 *
 * FortiOS writes a quote in a value as \". Of its VPN lines what decides stands before the user's
 * name, and the first of a name counts; the rest is told from the right. In an administrator's line
 * the name is in the middle and again in the end: a field with two values is refused.
 *
 * Sources: docs.fortinet.com, FortiOS Log Message Reference: 39424 to 39426, 39943 to 39949, 37138,
 * 37139, 32001 to 32003; FortiAuthenticator's log.
 *
 * Example: date=2024-10-14 time=13:46:40 devname="fw" logid="0101039426" type="event" subtype="vpn"
 * action="ssl-login-fail" remip=203.0.113.9 user="alice" reason="sslvpn_login_permission_denied"
 */
#include "gateway.h"

struct forti {
	struct fields fields;
	bool is_cef;
};

/* What begins a line, FortiGate's own or a relay's that put some of it in front. */
static bool find_line(const struct frame *f, struct span *msg, struct span *host)
{
	static const struct span marks[] = {SPAN_LIT("date="), SPAN_LIT("time="),
					    SPAN_LIT("logver="), SPAN_LIT("type=\"event\"")};

	if (gateway_starts(f, SPAN_LIT("CEF:0|Fortinet|Forti"), msg, host))
		return true;
	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
		if (gateway_starts(f, marks[i], msg, host))
			return text_find(*msg, SPAN_LIT(" vd=\""), 0) != TEXT_NOT_FOUND;
	return false;
}

static bool wants(const struct frame *f)
{
	struct span msg, host;

	return find_line(f, &msg, &host);
}

/* CEF puts "FTNTFGT" before names that it has none for. */
static struct span get(const struct forti *f, const char *name, const char *cef, bool last)
{
	const char *wanted = f->is_cef ? cef : name;

	return gateway_word(last ? fields_last(&f->fields, wanted)
				 : fields_first(&f->fields, wanted));
}

static struct span before(const struct forti *f, const char *name, const char *cef)
{
	return get(f, name, cef, false);
}

static struct span after(const struct forti *f, const char *name, const char *cef)
{
	return get(f, name, cef, true);
}

static void read_time(const struct forti *f, struct event *e)
{
	uint64_t ns = gateway_epoch(before(f, "eventtime", "FTNTFGTeventtime"));

	if (!ns)
		ns = gateway_epoch(before(f, "timestamp", "FTNTFGTtimestamp"));
	if (!ns)
		ns = gateway_clock(before(f, "date", ""), before(f, "time", ""),
				   before(f, "tz", "FTNTFGTtz"));
	gateway_time(e, ns);
}

static struct span device(const struct forti *f)
{
	struct span name = before(f, "devname", "dvchost");

	return span_empty(name) ? before(f, "devid", "deviceExternalId") : name;
}

/* FortiOS's reasons of a failed login that say something about account or password. */
static void judge(struct event *e)
{
	if (span_is(e->gate.reason, "sslvpn_login_password_expired"))
		e->flags |= EVENT_PASSWORD_RIGHT | EVENT_ACCOUNT_EXISTS;
	if (span_starts(e->gate.reason, SPAN_LIT("sslvpn_login_cert")))
		e->method = METHOD_CERTIFICATE;
}

static bool is_ipsec(const struct forti *f)
{
	return span_starts(before(f, "tunneltype", "FTNTFGTtunneltype"), SPAN_LIT("ipsec")) ||
	       !span_empty(before(f, "xauthuser", "FTNTFGTxauthuser"));
}

static void read_vpn(const struct forti *f, struct event *e)
{
	struct span origin = before(f, "remip", "FTNTFGTremip");

	if (span_empty(origin) && f->is_cef)
		origin = before(f, "", "dst");
	gateway_origin(e, origin);
	gateway_account(e, is_ipsec(f) ? before(f, "xauthuser", "FTNTFGTxauthuser")
				       : before(f, "user", "duser"));
	gateway_assigned(e, before(f, "tunnelip", "FTNTFGTtunnelip"));
	if (is_ipsec(f))
		gateway_assigned(e, before(f, "assignip", "FTNTFGTassignip"));
	e->gate.session = gateway_number(before(f, "tunnelid", "FTNTFGTtunnelid"));
	e->gate.group = is_ipsec(f) ? after(f, "xauthgroup", "FTNTFGTxauthgroup")
				    : after(f, "group", "FTNTFGTgroup");
	e->gate.reason = after(f, "reason", "reason");
	e->bytes_out = gateway_count(after(f, "sentbyte", "out"));
	e->bytes_in = gateway_count(after(f, "rcvdbyte", "in"));
}

static enum decode_result vpn(const struct forti *f, struct event *e, const char **reason)
{
	struct span action = before(f, "action", "act");

	gateway_begin(e, EVENT_NONE, SERVICE_VPN);
	read_vpn(f, e);
	if (span_is(action, "ssl-login-fail")) {
		e->kind = EVENT_ATTEMPT;
		e->outcome = OUTCOME_FAILURE;
		e->method = METHOD_PASSWORD;
		judge(e);
	} else if (span_is(action, "tunnel-up")) {
		e->kind = EVENT_SESSION_OPEN;
		gateway_success(e);
	} else if (span_is(action, "tunnel-down")) {
		e->kind = EVENT_SESSION_CLOSE;
	} else if (span_is(action, "tunnel-stats")) {
		e->kind = EVENT_AUTH_NOTE;
	} else {
		*reason = "FortiGate's, and it tells of no VPN login";
		return DECODE_SKIPPED;
	}
	if (e->kind == EVENT_ATTEMPT || !span_empty(e->account))
		return DECODE_EVENT;
	*reason = "a tunnel without a user: between sites";
	return DECODE_SKIPPED;
}

/* "https(203.0.113.9)" */
static void origin_of_ui(struct event *e, struct span ui)
{
	size_t open = text_find(ui, SPAN_LIT("("), 0);

	if (open != TEXT_NOT_FOUND && text_cut_end(&ui, SPAN_LIT(")")))
		gateway_origin(e, span_skip(ui, open + 1));
}

static enum decode_result admin(const struct forti *f, struct event *e, const char **reason)
{
	const struct fields *all = &f->fields;
	struct span action, status, ui, from;

	*reason = "an administrator's line in which a field has two values";
	if (!fields_once(all, f->is_cef ? "act" : "action", &action) ||
	    !fields_once(all, f->is_cef ? "outcome" : "status", &status) ||
	    !fields_once(all, f->is_cef ? "sproc" : "ui", &ui) ||
	    !fields_once(all, f->is_cef ? "src" : "srcip", &from))
		return DECODE_BAD;
	*reason = "FortiGate's, and it tells of no administrator's login";
	gateway_begin(e, EVENT_ATTEMPT, gateway_way(ui));
	if (span_is(action, "logout"))
		e->kind = EVENT_SESSION_CLOSE;
	else if (!span_is(action, "login"))
		return DECODE_SKIPPED;
	else if (span_is(status, "success"))
		gateway_success(e);
	else
		e->outcome = OUTCOME_FAILURE;
	e->method = e->kind == EVENT_ATTEMPT ? METHOD_PASSWORD : METHOD_NONE;
	gateway_account(e, before(f, "user", "duser"));
	if (!gateway_origin(e, from))
		origin_of_ui(e, ui);
	e->gate.reason = after(f, "reason", "reason");
	*reason = "an administrator's login at the console";
	return e->origin.addr.family ? DECODE_EVENT : DECODE_SKIPPED;
}

/* FortiAuthenticator: of which service its client asked it is not told. */
static enum decode_result authenticator(const struct forti *f, struct event *e, const char **reason)
{
	struct span status = after(f, "status", "outcome");

	gateway_begin(e, EVENT_ATTEMPT, SERVICE_OTHER);
	*reason = "FortiAuthenticator's, and no verdict";
	if (span_is(status, "Success"))
		gateway_success(e);
	else if (span_is(status, "Failed"))
		e->outcome = OUTCOME_FAILURE;
	else
		return DECODE_SKIPPED;
	gateway_account(e, before(f, "user", "duser"));
	gateway_origin(e, before(f, "userip", "src"));
	e->gate.reason = after(f, "msg", "msg");
	if (text_ends(e->gate.reason, SPAN_LIT("user not found")))
		e->flags |= EVENT_ACCOUNT_UNKNOWN;
	return DECODE_EVENT;
}

static enum decode_result decode(const struct frame *frame, struct event *ret, const char **reason)
{
	struct span msg, host, subtype;
	struct forti f;
	struct cef cef;

	*reason = "begins like a line of FortiGate, but is cut";
	if (!find_line(frame, &msg, &host))
		return DECODE_BAD;
	f.is_cef = cef_read(msg, &cef);
	if (f.is_cef)
		f.fields = cef.fields;
	else
		fields_read(msg, &f.fields);
	ret->host = span_empty(device(&f)) ? host : device(&f);
	read_time(&f, ret);
	subtype = before(&f, "subtype", "FTNTFGTsubtype");
	if (span_is(subtype, "vpn"))
		return vpn(&f, ret, reason);
	if (span_is(subtype, "system"))
		return admin(&f, ret, reason);
	if (span_is(subtype, "Authentication"))
		return authenticator(&f, ret, reason);
	*reason = "FortiGate's, and neither of VPN nor of an administrator";
	return DECODE_SKIPPED;
}

const struct decoder decoder_fortinet = {
	.name = "fortinet",
	.about = "FortiGate: SSL and IPsec VPN, administrators (key=value or CEF); "
		 "FortiAuthenticator",
	.example = "date=2024-10-14 time=13:46:40 devname=\"fw1\" eventtime=1728938800841267391 "
		   "tz=\"-0700\" logid=\"0101039426\" type=\"event\" subtype=\"vpn\" vd=\"root\" "
		   "action=\"ssl-login-fail\" tunneltype=\"ssl-web\" tunnelid=0 remip=203.0.113.10 "
		   "user=\"alice\" group=\"N/A\" reason=\"sslvpn_login_permission_denied\" "
		   "msg=\"SSL user failed to logged in\"",
	.wants = wants,
	.decode = decode,
};
