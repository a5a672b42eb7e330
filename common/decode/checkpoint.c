/*
 * checkpoint: Check Point gateways and management by Log Exporter: syslog (name:"value"; ...), CEF,
 * LEEF.
 *
 * Sees logins, failed logins and logouts of remote access (VPN, Mobile Access) with the office mode
 * address, and of administrators. A login that Identity Awareness learned from a domain controller
 * is nobody's session here. Cannot see: whether an account exists.
 *
 * Names are escaped (\" in syslog, \= in CEF); origin, action and product must have one value.
 *
 * Source: support.checkpoint.com sk144192, "Description of Fields in Check Point Logs".
 *
 * Example: [action:"Failed Log In"; time:"1618249417"; origin:"192.0.2.1"; product:"Mobile Access";
 * src:"203.0.113.9"; user:"alice"; reason:"Invalid credentials"]
 */
#include "gateway.h"

enum shape {
	SHAPE_NONE,
	SHAPE_SYSLOG,
	SHAPE_CEF,
	SHAPE_LEEF
};

struct names {
	const char *action, *user, *src, *product, *reason, *time;
};

static const struct names by_shape[] = {
	[SHAPE_SYSLOG] = {"action", "user", "src", "product", "reason", "time"},
	[SHAPE_CEF] = {"act", "suser", "src", "product", "reason", "rt"},
	[SHAPE_LEEF] = {"action", "usrName", "src", "product", "reason", "devTime"},
};

static enum shape find_line(const struct frame *f, struct span *msg, struct span *host)
{
	if (gateway_starts(f, SPAN_LIT("CEF:0|Check Point|"), msg, host))
		return SHAPE_CEF;
	if (gateway_starts(f, SPAN_LIT("LEEF:2.0|Check Point|"), msg, host))
		return SHAPE_LEEF;
	*msg = f->message;
	*host = f->host;
	if (frame_has_writer(f))
		return SHAPE_NONE;
	if (span_is(f->ident, "CheckPoint"))
		return SHAPE_SYSLOG;
	return gateway_starts(f, SPAN_LIT("syslog[action:\""), msg, host) ? SHAPE_SYSLOG
									  : SHAPE_NONE;
}

static bool wants(const struct frame *f)
{
	struct span msg, host;

	return find_line(f, &msg, &host) != SHAPE_NONE;
}

static void read_fields(enum shape shape, struct span msg, struct fields *f)
{
	struct cef cef;

	if (shape == SHAPE_SYSLOG) {
		text_cut(&msg, SPAN_LIT("syslog"));
		text_cut(&msg, SPAN_LIT("["));
		fields_read_colon(msg, f);
	} else if (shape == SHAPE_CEF ? cef_read(msg, &cef) : leef_read(msg, &cef)) {
		*f = cef.fields;
	} else {
		f->count = 0;
	}
}

static bool is_remote_access(struct span product)
{
	return span_is(product, "Mobile Access") || span_is(product, "Connectra") ||
	       span_is(product, "VPN") || span_starts(product, SPAN_LIT("VPN-1")) ||
	       span_starts(product, SPAN_LIT("Endpoint Security"));
}

/* "alice" or "Alice Example (alice)" */
static void read_user(struct span name, struct event *e)
{
	size_t open = text_find_last(name, SPAN_LIT("("));

	if (open != TEXT_NOT_FOUND && text_cut_end(&name, SPAN_LIT(")")))
		name = span_skip(name, open + 1);
	gateway_account(e, name);
}

static bool set_action(struct span action, struct event *e)
{
	if (span_is(action, "Log Out")) {
		e->kind = EVENT_SESSION_CLOSE;
	} else if (span_is(action, "Failed Log In")) {
		e->kind = EVENT_ATTEMPT;
		e->outcome = OUTCOME_FAILURE;
	} else if (span_is(action, "Log In")) {
		e->kind = EVENT_ATTEMPT;
		gateway_success(e);
	}
	e->method = e->kind == EVENT_ATTEMPT ? METHOD_PASSWORD : METHOD_NONE;
	return e->kind != EVENT_NONE;
}

/* The audit log of the management server. */
static enum decode_result admin(const struct fields *f, struct event *e, const char **reason)
{
	struct span operation, address;

	*reason = "Check Point's, and no login";
	gateway_begin(e, EVENT_NONE, SERVICE_WEB_REMOTE);
	if (!fields_once(f, "operation", &operation) || !fields_once(f, "client_ip", &address) ||
	    !set_action(operation, e) || !gateway_origin(e, address))
		return DECODE_SKIPPED;
	gateway_account(e, fields_first(f, "administrator"));
	return DECODE_EVENT;
}

static enum decode_result decode(const struct frame *frame, struct event *ret, const char **reason)
{
	struct span msg, host, action, src, product, device;
	enum shape shape = find_line(frame, &msg, &host);
	const struct names *n = &by_shape[shape];
	struct fields f;

	*reason = "begins like a line of Check Point, but is cut or has a field with two values";
	if (shape == SHAPE_NONE)
		return DECODE_BAD;
	read_fields(shape, msg, &f);
	device = fields_first(&f, "origin");
	ret->host = span_empty(host) ? device : host;
	gateway_time(ret, gateway_epoch(fields_first(&f, n->time)));
	if (!span_empty(fields_first(&f, "administrator")))
		return admin(&f, ret, reason);
	if (!fields_once(&f, n->action, &action) || !fields_once(&f, n->src, &src) ||
	    !fields_once(&f, n->product, &product))
		return DECODE_BAD;
	*reason = "Check Point's, and no login of remote access";
	gateway_begin(ret, EVENT_NONE, SERVICE_VPN);
	if (!is_remote_access(product) || !set_action(action, ret))
		return DECODE_SKIPPED;
	gateway_origin(ret, src);
	read_user(fields_first(&f, n->user), ret);
	gateway_assigned(ret, fields_last(&f, "office_mode_ip"));
	ret->client = fields_last(&f, "client_name");
	ret->gate.reason = fields_last(&f, n->reason);
	return DECODE_EVENT;
}

const struct decoder decoder_checkpoint = {
	.name = "checkpoint",
	.about = "Check Point: remote access and administrators (Log Exporter: syslog, CEF, LEEF)",
	.example = "<134>1 2021-04-12T17:43:37Z cp1 CheckPoint 7 - [action:\"Failed Log In\"; "
		   "time:\"1618249417\"; origin:\"192.0.2.1\"; product:\"Mobile Access\"; "
		   "src:\"203.0.113.10\"; user:\"alice\"; reason:\"Invalid credentials\"]",
	.wants = wants,
	.decode = decode,
};
