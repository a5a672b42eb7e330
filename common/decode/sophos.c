/*
 * sophos: Sophos UTM (id="3005" ... caller="openvpn") and Sophos Firewall (device_name="SFW" ...
 * log_component="SSL VPN Authentication").
 *
 * Sees verdicts of remote access, of administrators and SSH (UTM's "caller" says which), the start
 * and end of SSL VPN sessions with their inner address. Cannot see: users of the captive portal and
 * of the proxy, which are no remote sessions and left out.
 *
 * Origin, user, component and status must have one value.
 *
 * Sources: docs.sophos.com, "Sophos Firewall: Syslog guide"; Sophos UTM's log.
 *
 * Example: id="3005" severity="warn" sys="System" sub="auth" name="Authentication failed"
 * srcip="203.0.113.9" host="" user="alice" caller="openvpn" reason="DENIED"
 */
#include "gateway.h"

static bool find_utm(const struct frame *f, struct span *msg, struct span *host)
{
	*msg = f->message;
	*host = f->host;
	if (gateway_starts(f, SPAN_LIT("id=\""), msg, host) ||
	    ((span_is(f->ident, "aua") || span_is(f->ident, "openvpn")) && !frame_has_writer(f)))
		return span_starts(*msg, SPAN_LIT("id=\"")) &&
		       text_find(*msg, SPAN_LIT(" sys=\""), 0) != TEXT_NOT_FOUND;
	return false;
}

static bool find_firewall(const struct frame *f, struct span *msg, struct span *host)
{
	return gateway_starts(f, SPAN_LIT("device=\"SFW\""), msg, host) ||
	       gateway_starts(f, SPAN_LIT("device_name=\""), msg, host);
}

static bool wants(const struct frame *f)
{
	struct span msg, host;

	return find_utm(f, &msg, &host) || find_firewall(f, &msg, &host);
}

static enum service service_of(struct span caller)
{
	if (span_is(caller, "openvpn") || span_is(caller, "pptp") || span_is(caller, "l2tp") ||
	    span_is(caller, "ipsec"))
		return SERVICE_VPN;
	if (span_is(caller, "sshd"))
		return SERVICE_SSH;
	return span_is(caller, "webadmin") || span_is(caller, "portal") ? SERVICE_WEB_REMOTE
									: SERVICE_NONE;
}

static enum decode_result verdict(const struct fields *f, struct event *e, const char **reason)
{
	struct span name, src, user, caller;

	*reason = "a line of UTM in which a field has two values";
	if (!fields_once(f, "name", &name) || !fields_once(f, "srcip", &src) ||
	    !fields_once(f, "user", &user) || !fields_once(f, "caller", &caller))
		return DECODE_BAD;
	gateway_begin(e, EVENT_ATTEMPT, service_of(caller));
	*reason = "UTM's, and no verdict about remote access";
	if (e->service == SERVICE_NONE)
		return DECODE_SKIPPED;
	if (span_is(name, "Authentication successful"))
		gateway_success(e);
	else if (span_is(name, "Authentication failed"))
		e->outcome = OUTCOME_FAILURE;
	else
		return DECODE_SKIPPED;
	gateway_account(e, user);
	e->method = METHOD_PASSWORD;
	e->gate.reason = fields_last(f, "reason");
	return gateway_origin(e, src) ? DECODE_EVENT : DECODE_SKIPPED;
}

static enum decode_result read_utm(const struct fields *f, struct event *e, const char **reason)
{
	struct span event, src, user;

	if (span_is(fields_first(f, "id"), "3004") || span_is(fields_first(f, "id"), "3005"))
		return verdict(f, e, reason);
	*reason = "UTM's, and neither a verdict nor about a VPN session";
	if (!fields_once(f, "event", &event) || !fields_once(f, "srcip", &src) ||
	    !fields_once(f, "username", &user))
		return DECODE_BAD;
	gateway_begin(e, EVENT_SESSION_OPEN, SERVICE_VPN);
	if (span_is(event, "Connection terminated"))
		e->kind = EVENT_SESSION_CLOSE;
	else if (span_is(event, "Connection started"))
		gateway_success(e);
	else
		return DECODE_SKIPPED;
	gateway_account(e, user);
	gateway_assigned(e, fields_last(f, "virtual_ip"));
	return gateway_origin(e, src) ? DECODE_EVENT : DECODE_SKIPPED;
}

/* SSL VPN's own lines name the inner address alone; the verdict before them has the origin. */
static bool read_tunnel(const struct fields *f, struct span status, struct event *e)
{
	gateway_begin(e, EVENT_AUTH_NOTE, SERVICE_VPN);
	if (span_is(status, "Terminated"))
		e->kind = EVENT_SESSION_CLOSE;
	else if (!span_is(status, "Established"))
		return false;
	gateway_assigned(e, fields_last(f, "ipaddress"));
	gateway_origin(e, fields_last(f, "remote_ip"));
	e->bytes_out = gateway_count(fields_last(f, "sent_bytes"));
	e->bytes_in = gateway_count(fields_last(f, "recv_bytes"));
	return true;
}

static enum service service_by_component(struct span component)
{
	if (span_starts(component, SPAN_LIT("SSL VPN")) ||
	    span_is(component, "VPN Authentication") || span_starts(component, SPAN_LIT("IPSec")))
		return SERVICE_VPN;
	if (span_is(component, "CLI"))
		return SERVICE_SSH;
	return span_is(component, "GUI") || span_is(component, "My Account Authentication") ||
			       span_is(component, "User Portal")
		       ? SERVICE_WEB_REMOTE
		       : SERVICE_NONE;
}

static enum decode_result read_firewall(const struct fields *f, struct event *e,
					const char **reason)
{
	struct span component, status, src, user;
	enum service service;

	*reason = "a line of Sophos Firewall in which a field has two values";
	if (!fields_once(f, "log_component", &component) || !fields_once(f, "status", &status) ||
	    !fields_once(f, "src_ip", &src) || !fields_once(f, "user_name", &user))
		return DECODE_BAD;
	service = service_by_component(component);
	*reason = "Sophos Firewall's, and neither a verdict nor about a VPN session";
	if (service == SERVICE_NONE)
		return DECODE_SKIPPED;
	if (span_is(component, "SSL VPN")) {
		if (!read_tunnel(f, status, e))
			return DECODE_SKIPPED;
		gateway_account(e, user);
		return DECODE_EVENT;
	}
	gateway_begin(e, EVENT_ATTEMPT, service);
	if (span_is(status, "Successful"))
		gateway_success(e);
	else if (span_is(status, "Failed"))
		e->outcome = OUTCOME_FAILURE;
	else
		return DECODE_SKIPPED;
	e->method = METHOD_PASSWORD;
	gateway_account(e, user);
	e->gate.reason = fields_last(f, "reason");
	return gateway_origin(e, src) ? DECODE_EVENT : DECODE_SKIPPED;
}

static enum decode_result decode(const struct frame *frame, struct event *ret, const char **reason)
{
	struct span msg, host;
	struct fields f;

	if (find_utm(frame, &msg, &host)) {
		fields_read(msg, &f);
		ret->host = host;
		return read_utm(&f, ret, reason);
	}
	*reason = "begins like a line of Sophos, but is cut";
	if (!find_firewall(frame, &msg, &host))
		return DECODE_BAD;
	fields_read(msg, &f);
	ret->host = fields_first(&f, "device_name");
	if (span_empty(ret->host) || span_is(ret->host, "SFW"))
		ret->host = span_empty(host) ? fields_first(&f, "device_id") : host;
	gateway_time(ret, gateway_clock(fields_first(&f, "date"), fields_first(&f, "time"),
					fields_first(&f, "timezone")));
	return read_firewall(&f, ret, reason);
}

const struct decoder decoder_sophos = {
	.name = "sophos",
	.about = "Sophos UTM and Sophos Firewall (XG): remote access and administrators",
	.example =
		"id=\"3005\" severity=\"warn\" sys=\"System\" sub=\"auth\" name=\"Authentication "
		"failed\" srcip=\"203.0.113.10\" host=\"\" user=\"alice\" caller=\"openvpn\" "
		"reason=\"DENIED\"",
	.wants = wants,
	.decode = decode,
};
