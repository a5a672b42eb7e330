/*
 * horizon: VMware (Omnissa) Horizon Connection Server, its events by syslog or in files of the same
 * form (RFC 5424 with structured data).
 *
 * Sees logins to the broker and to its administration, failed and refused ones with their reason,
 * sessions on a machine, their end. Cannot see: where an agent's session came from, which the
 * broker's login of the same number (BrokerSessionId) or account tells.
 *
 * A client that came by a gateway (UAG) is the last of ForwardedClientIpAddress that is outside. A
 * field that is there twice makes the line bad: structured data escapes its quotes.
 *
 * Sources: Omnissa, "Horizon Administration": Horizon event messages (BROKER_*, AGENT_*,
 * REST_AUTH_*, HELPDESK_*), "Generating Horizon Event Log Messages in Syslog Format"; Google
 * SecOps, "Collect VMware Horizon logs" (the fields); a line in the tests of Splunk Connect for
 * Syslog.
 *
 * Example: <110>1 2020-06-18T08:44:09.039Z cs1 View - 73 [View@6876 Severity="AUDIT_SUCCESS"
 * EventType="BROKER_USERLOGGEDIN" UserDisplayName="CORP\\bob" ClientIpAddress="203.0.113.9"] User
 * CORP\bob has logged in
 */
#include "gateway.h"

static const struct {
	struct span type;
	enum event_kind kind;
	enum outcome outcome;
} rows[] = {
	{SPAN_LIT("BROKER_USERLOGGEDIN"), EVENT_ATTEMPT, OUTCOME_SUCCESS},
	{SPAN_LIT("BROKER_USERLOGGEDOUT"), EVENT_SESSION_CLOSE, OUTCOME_UNKNOWN},
	{SPAN_LIT("BROKER_USER_NOT_ENTITLED"), EVENT_ATTEMPT, OUTCOME_REFUSED},
	{SPAN_LIT("BROKER_USER_NOT_AUTHORIZED"), EVENT_ATTEMPT, OUTCOME_REFUSED},
	{SPAN_LIT("AGENT_CONNECTED"), EVENT_SESSION_OPEN, OUTCOME_SUCCESS},
	{SPAN_LIT("AGENT_RECONNECTED"), EVENT_SESSION_OPEN, OUTCOME_SUCCESS},
	{SPAN_LIT("AGENT_DISCONNECTED"), EVENT_SESSION_CLOSE, OUTCOME_UNKNOWN},
	{SPAN_LIT("AGENT_ENDED"), EVENT_SESSION_CLOSE, OUTCOME_UNKNOWN},
	{SPAN_LIT("REST_AUTH_LOGIN_SUCCESS"), EVENT_ATTEMPT, OUTCOME_SUCCESS},
	{SPAN_LIT("REST_AUTH_LOGIN_FAILURE"), EVENT_ATTEMPT, OUTCOME_FAILURE},
	{SPAN_LIT("REST_AUTH_LOGOUT_SUCCESS"), EVENT_SESSION_CLOSE, OUTCOME_UNKNOWN},
	{SPAN_LIT("HELPDESK_USERLOGGEDIN_BASIC"), EVENT_ATTEMPT, OUTCOME_SUCCESS},
	{SPAN_LIT("HELPDESK_USERLOGGEDIN_SSO"), EVENT_ATTEMPT, OUTCOME_SUCCESS},
	{SPAN_LIT("HELPDESK_USERLOGIN_BASIC_FAILED"), EVENT_ATTEMPT, OUTCOME_FAILURE},
	{SPAN_LIT("HELPDESK_USERLOGIN_SSO_FAILED"), EVENT_ATTEMPT, OUTCOME_FAILURE},
	{SPAN_LIT("HELPDESK_USERLOGGEDOFF"), EVENT_SESSION_CLOSE, OUTCOME_UNKNOWN},
};

/* What follows BROKER_USER_AUTHFAILED_ and is no wrong password or token. */
static const char *const refused[] = {
	"ACCOUNT_DISABLED",    "ACCOUNT_EXPIRED",      "ACCOUNT_LOCKED_OUT",
	"ACCOUNT_RESTRICTION", "PASSWORD_EXPIRED",     "PASSWORD_MUST_CHANGE",
	"TIME_RESTRICTION",    "SAML_ACCESS_REQUIRED", "NO_LOGON_SERVERS",
};

static bool wants(const struct frame *f)
{
	return span_is(f->ident, "View") && !frame_has_writer(f) &&
	       span_starts(f->data, SPAN_LIT("[View@6876 "));
}

static bool set_kind(struct span type, struct event *e)
{
	struct span why = type;
	enum outcome outcome = OUTCOME_FAILURE;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (!span_eq(type, rows[i].type))
			continue;
		gateway_row(e, rows[i].kind, SERVICE_WEB_REMOTE, rows[i].outcome);
		return true;
	}
	if (!text_cut(&why, SPAN_LIT("BROKER_USER_AUTHFAILED_")))
		return false;
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
		if (span_is(why, refused[i]))
			outcome = OUTCOME_REFUSED;
	gateway_row(e, EVENT_ATTEMPT, SERVICE_WEB_REMOTE, outcome);
	e->gate.reason = why;
	return true;
}

static enum decode_result decode(const struct frame *frame, struct event *ret, const char **reason)
{
	struct span s = span_skip(frame->data, 11), type, user, peer, hops, group, number;
	struct fields f;

	*reason = "a line of Horizon that is cut, or in which a field has two values";
	text_cut_end(&s, SPAN_LIT("]"));
	fields_read(s, &f);
	if (!fields_once(&f, "EventType", &type) || !fields_once(&f, "UserDisplayName", &user) ||
	    !fields_once(&f, "ClientIpAddress", &peer) ||
	    !fields_once(&f, "ForwardedClientIpAddress", &hops) ||
	    !fields_once(&f, "BrokerSessionId", &number))
		return DECODE_BAD;
	*reason = "Horizon's, and neither a verdict nor about a session";
	if (!set_kind(type, ret))
		return DECODE_SKIPPED;
	ret->program = text_none();
	gateway_account(ret, user);
	ret->gate.session = gateway_number(number);
	group = fields_first(&f, "PoolId");
	ret->gate.group = span_empty(group) ? fields_first(&f, "MachineName") : group;
	if (!gateway_forwarded(ret, hops, peer) && !span_empty(hops))
		gateway_forwarded(ret, text_none(), hops);
	return DECODE_EVENT;
}

const struct decoder decoder_horizon = {
	.name = "horizon",
	.about = "VMware Horizon: logins to the broker, sessions on machines; syslog (RFC 5424)",
	.example =
		"<110>1 2020-06-18T08:44:09.039Z cs1 View - 73 [View@6876 Severity=\"AUDIT_FAIL\" "
		"Module=\"Broker\" EventType=\"BROKER_USER_AUTHFAILED_BAD_USER_PASSWORD\" "
		"UserDisplayName=\"CORP\\\\bob\" ClientIpAddress=\"203.0.113.10\"] User CORP\\bob "
		"failed to authenticate because of a bad username or password",
	.wants = wants,
	.decode = decode,
};
