/*
 * okta: Okta's system log, one LogEvent a line.
 *
 * Sees logins to Okta, to an application by it (the first AppInstance among the targets), by its
 * RADIUS agent, which is a VPN's, and second factors: approved, wrong, denied. A password that is
 * asked for as a factor is a password. A lockout is no try. Cannot see: what happened in the
 * application; sessions' ends.
 *
 * Example: {"eventType":"user.session.start","outcome":{"result":"FAILURE","reason":
 *           "INVALID_CREDENTIALS"},"actor":{"alternateId":"alice"},"client":{"ipAddress":"..."}}
 */
#include "cloud.h"
#include "text.h"

struct okta {
	struct json_picking picking;
	struct span type, result, why, user, address, time, uuid, os, device, factor;
	struct span domain, app;
	struct span target_type, target_name; /* of the target being read */
	bool is_password;
};

static const struct json_want wants[] = {
	JSON_WANT(struct okta, type, "eventType"),
	JSON_WANT(struct okta, result, "outcome", "result"),
	JSON_WANT(struct okta, why, "outcome", "reason"),
	JSON_WANT(struct okta, user, "actor", "alternateId"),
	JSON_WANT(struct okta, address, "client", "ipAddress"),
	JSON_WANT(struct okta, os, "client", "userAgent", "os"),
	JSON_WANT(struct okta, device, "device", "id"),
	JSON_WANT(struct okta, time, "published"),
	JSON_WANT(struct okta, uuid, "uuid"),
	JSON_WANT(struct okta, factor, "debugContext", "debugData", "factor"),
};

static const struct form {
	const char *type;
	enum event_kind kind;
	enum service service; /* OTHER: by the application */
} forms[] = {
	{"user.session.start", EVENT_ATTEMPT, SERVICE_OTHER},
	{"user.authentication.sso", EVENT_ATTEMPT, SERVICE_OTHER},
	{"user.authentication.auth_via_radius", EVENT_ATTEMPT, SERVICE_VPN},
	{"user.authentication.auth_via_mfa", EVENT_MFA, SERVICE_OTHER},
	{"user.mfa.okta_verify.deny_push", EVENT_MFA, SERVICE_OTHER},
};

static void target_take(struct okta *x)
{
	if (span_is(x->target_type, "AppInstance") && !x->app.len)
		x->app = x->target_name;
	if (span_is(x->target_type, "AuthenticatorEnrollment") &&
	    span_is(x->target_name, "Password"))
		x->is_password = true;
}

static void visit(void *arg, const struct json_path *p, struct span name, struct span value,
		  char type)
{
	struct okta *x = arg;

	json_pick_visit(&x->picking, p, name, value, type);
	if (p->depth < 2 || p->types[1] != '[' || !span_is(p->names[1], "target"))
		return;
	if (p->depth == 2 && type == '{')
		x->target_type = x->target_name = text_none();
	if (p->depth != 3 || p->types[2] != '{')
		return;
	if (span_is(name, "type"))
		x->target_type = value;
	else if (span_is(name, "displayName"))
		x->target_name = value;
	else
		return;
	target_take(x);
}

static bool enter(void *arg, const struct json_path *p, struct span name, char type)
{
	struct okta *x = arg;
	bool is_target = p->depth == 1 ? span_is(name, "target")
				       : p->depth == 2 && span_is(p->names[1], "target");

	return json_pick_enter(&x->picking, p, name, type) || is_target;
}

static const struct form *form_of(struct span type)
{
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
		if (span_is(type, forms[i].type))
			return &forms[i];
	return NULL;
}

static enum outcome outcome_of(const struct okta *x)
{
	if (span_is(x->type, "user.mfa.okta_verify.deny_push"))
		return OUTCOME_FAILURE; /* its own outcome is that it was denied well */
	if (span_is(x->result, "SUCCESS"))
		return OUTCOME_SUCCESS;
	if (span_is(x->why, "LOCKED_OUT") || span_is(x->result, "DENY"))
		return OUTCOME_REFUSED;
	return span_is(x->result, "FAILURE") ? OUTCOME_FAILURE : OUTCOME_UNKNOWN;
}

bool okta_read(struct cloud_record *r)
{
	struct okta x = {0};
	const struct form *f;
	const char *wrong;

	json_pick_begin(&x.picking,
			(struct json_picker){wants, sizeof(wants) / sizeof(wants[0]), &x, false});
	wrong = json_walk(&r->j, (struct json_visitor){visit, &x, enter});
	f = form_of(x.type);
	if (!span_starts(x.type, SPAN_LIT("user.")) || span_empty(x.uuid) || span_empty(x.time))
		return false;
	if (wrong)
		return cloud_bad(r, wrong);
	if (!f)
		return cloud_skip(r, "Okta's, and it tells of no login");
	cloud_event(r, text_none(), x.time);
	x.is_password |= span_starts(x.factor, SPAN_LIT("PASSWORD"));
	r->e->kind = f->kind == EVENT_MFA && x.is_password ? EVENT_ATTEMPT : f->kind;
	r->e->outcome = outcome_of(&x);
	if (r->e->kind == EVENT_MFA && r->e->outcome > OUTCOME_FAILURE)
		return cloud_skip(r, "a second factor that nobody was asked for");
	if (r->e->outcome == OUTCOME_UNKNOWN)
		r->e->kind = EVENT_AUTH_NOTE;
	r->e->service = f->service == SERVICE_OTHER ? cloud_application(x.app) : f->service;
	r->e->method = r->e->kind == EVENT_ATTEMPT ? METHOD_PASSWORD : METHOD_NONE;
	r->e->account = x.user;
	r->e->client = span_empty(x.device) ? x.os : x.device;
	r->e->gate.group = x.app;
	r->e->gate.reason = x.why;
	cloud_origin(r, x.address);
	return true;
}

const struct decoder decoder_okta = {
	.name = "okta",
	.about = "Okta's system log",
	.example =
		"{\"actor\":{\"alternateId\":\"alice@example.org\"},\"client\":{\"ipAddress\":"
		"\"203.0.113.10\"},\"eventType\":\"user.session.start\",\"outcome\":{\"result\":"
		"\"FAILURE\",\"reason\":\"INVALID_CREDENTIALS\"},\"published\":"
		"\"2026-10-10T04:31:28.072Z\",\"uuid\":\"33333333-3333-3333-3333-333333333333\"}",
};
