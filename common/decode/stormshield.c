/*
 * stormshield: Stormshield Network Security: its logs "auth" and "xvpn" (id=firewall ...
 * logtype="xvpn").
 *
 * Sees SSL VPN users who are in, with their inner address, and tunnels that are removed;
 * verdicts of SSH and of the web administration on the firewall. Cannot see: from where an IPsec
 * user came in other logs than these; enrolments of second factors are no logins.
 *
 * Origin, user, message and log must have one value.
 *
 * Source: documentation.stormshield.eu, "Description of audit logs": l_auth, l_xvpn.
 *
 * Example: id=firewall time="2024-08-26 23:53:57" fw="sns1" tz=+0200 user="alice"
 * domain="example.com" src=203.0.113.9 remotenet=10.0.1.6 localnet=10.0.1.5 msg="User authenticated
 * in ASQ" logtype="xvpn"
 */
#include "gateway.h"

static bool find_line(const struct frame *f, struct span *msg, struct span *host)
{
	return (gateway_starts(f, SPAN_LIT("id=firewall time="), msg, host) ||
		gateway_starts(f, SPAN_LIT("time=\""), msg, host)) &&
	       text_find(*msg, SPAN_LIT(" logtype=\""), 0) != TEXT_NOT_FOUND;
}

static bool wants(const struct frame *f)
{
	struct span msg, host;

	return find_line(f, &msg, &host);
}

static bool read_tunnel(struct span words, const struct fields *f, struct event *e)
{
	gateway_begin(e, EVENT_SESSION_OPEN, SERVICE_VPN);
	gateway_assigned(e, fields_last(f, "remotenet"));
	if (span_is(words, "SSL tunnel removed") || span_is(words, "User logout"))
		e->kind = EVENT_SESSION_CLOSE;
	else if (span_is(words, "SSL tunnel created") ||
		 span_is(words, "User authenticated in ASQ"))
		gateway_success(e);
	else
		return false;
	return true;
}

static bool read_verdict(struct span words, struct event *e)
{
	bool ssh = span_starts(words, SPAN_LIT("SSH authentication "));

	gateway_begin(e, EVENT_ATTEMPT, ssh ? SERVICE_SSH : SERVICE_WEB_REMOTE);
	e->method = METHOD_PASSWORD;
	if (span_starts(words, SPAN_LIT("SSH authentication success")) ||
	    span_starts(words, SPAN_LIT("Authentication success")))
		gateway_success(e);
	else if (span_starts(words, SPAN_LIT("SSH authentication failed")) ||
		 span_starts(words, SPAN_LIT("Authentication failed")))
		e->outcome = OUTCOME_FAILURE;
	else
		return false;
	if (e->outcome == OUTCOME_FAILURE)
		e->gate.reason = gateway_after(words, SPAN_LIT(": "), SPAN_LIT("\n"));
	if (text_ends(words, SPAN_LIT("user not found in ldap")))
		e->flags |= EVENT_ACCOUNT_UNKNOWN;
	return true;
}

static enum decode_result decode(const struct frame *frame, struct event *ret, const char **reason)
{
	struct span msg, host, words, src, user, log, when;
	struct fields f;

	*reason = "a line of Stormshield that is cut, or in which a field has two values";
	if (!find_line(frame, &msg, &host))
		return DECODE_BAD;
	fields_read(msg, &f);
	if (!fields_once(&f, "msg", &words) || !fields_once(&f, "src", &src) ||
	    !fields_once(&f, "user", &user) || !fields_once(&f, "logtype", &log))
		return DECODE_BAD;
	ret->host = span_empty(fields_first(&f, "fw")) ? host : fields_first(&f, "fw");
	when = fields_first(&f, "time");
	gateway_time(ret, gateway_clock(span_first(when, 10), span_skip(when, 11),
					fields_first(&f, "tz")));
	*reason = "Stormshield's, and neither a verdict nor about a VPN session";
	if (!(span_is(log, "xvpn") && read_tunnel(words, &f, ret)) &&
	    !(span_is(log, "auth") && read_verdict(words, ret)))
		return DECODE_SKIPPED;
	gateway_account(ret, user);
	ret->gate.group = fields_last(&f, "domain");
	return gateway_origin(ret, src) ? DECODE_EVENT : DECODE_SKIPPED;
}

const struct decoder decoder_stormshield = {
	.name = "stormshield",
	.about = "Stormshield Network Security: SSL VPN, SSH and web administration",
	.example = "id=firewall time=\"2024-08-26 23:53:57\" fw=\"sns1\" tz=+0200 user=\"alice\" "
		   "domain=\"example.com\" src=203.0.113.10 remotenet=10.0.1.6 localnet=10.0.1.5 "
		   "msg=\"User authenticated in ASQ\" logtype=\"xvpn\"",
	.wants = wants,
	.decode = decode,
};
