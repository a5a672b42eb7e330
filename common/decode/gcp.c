/*
 * gcp: Google Cloud's audit logs, one LogEntry a line: logins to Google accounts of the
 * organization and tunnels through Identity-Aware Proxy to an instance.
 *
 * Sees who logged in or failed to and from where; who was let through IAP's TCP forwarding to which
 * instance, or not. Cannot see: the end of a tunnel; OS Login's own checks name the instance's
 * address, not the client's: sshd there tells of it.
 *
 * Sources: cloud.google.com, "Understand audit logs", AuditLog (protoPayload); Google Workspace
 * login audit (google.login.LoginService); "Enable Cloud Audit Logs for IAP" (AuthorizeUser,
 * iap.tunnelInstances.accessViaIAP).
 *
 * Example: {"protoPayload":{"authenticationInfo":{"principalEmail":"bob@example.org"},
 *           "requestMetadata":{"callerIp":"203.0.113.9"},"serviceName":"login.googleapis.com",
 *           "methodName":"google.login.LoginService.loginFailure"},"timestamp":"..."}
 */
#include "cloud.h"
#include "text.h"

struct gcp {
	struct span service, method, user, address, agent, code, message, granted, permission,
		resource, time, project;
};

#define PAYLOAD(field, ...) JSON_WANT(struct gcp, field, "protoPayload", __VA_ARGS__)

static const struct json_want wants[] = {
	PAYLOAD(service, "serviceName"),
	PAYLOAD(method, "methodName"),
	PAYLOAD(user, "authenticationInfo", "principalEmail"),
	PAYLOAD(address, "requestMetadata", "callerIp"),
	PAYLOAD(agent, "requestMetadata", "callerSuppliedUserAgent"),
	PAYLOAD(code, "status", "code"),
	PAYLOAD(message, "status", "message"),
	PAYLOAD(granted, "authorizationInfo", "[]", "granted"),
	PAYLOAD(permission, "authorizationInfo", "[]", "permission"),
	PAYLOAD(resource, "resourceName"),
	JSON_WANT(struct gcp, time, "timestamp"),
	JSON_WANT(struct gcp, project, "resource", "labels", "project_id"),
};

static void fill(struct cloud_record *r, const struct gcp *x)
{
	cloud_event(r, x->project, x->time);
	r->e->account = x->user;
	r->e->client = x->agent;
	r->e->gate.reason = x->message;
	cloud_origin(r, x->address);
}

static bool read_login(struct cloud_record *r, const struct gcp *x)
{
	bool failed = text_ends(x->method, SPAN_LIT(".loginFailure"));

	if (!failed && !text_ends(x->method, SPAN_LIT(".loginSuccess")))
		return cloud_skip(r, "Google's, and no login or failed one");
	fill(r, x);
	r->e->service = SERVICE_OTHER;
	r->e->method = METHOD_PASSWORD;
	r->e->outcome = failed ? OUTCOME_FAILURE : OUTCOME_SUCCESS;
	r->e->gate.group = x->service;
	return true;
}

static bool read_tunnel(struct cloud_record *r, const struct gcp *x)
{
	bool refused = span_is(x->granted, "false") || text_u32(x->code, 0) != 0;

	if (!span_starts(x->permission, SPAN_LIT("iap.tunnel")))
		return cloud_skip(r, "IAP's, of a web application");
	fill(r, x);
	r->e->kind = refused ? EVENT_AUTH_NOTE : EVENT_SESSION_OPEN;
	r->e->outcome = refused ? OUTCOME_REFUSED : OUTCOME_SUCCESS;
	r->e->service = SERVICE_AGENT;
	r->e->subject = span_base(x->resource);
	return true;
}

bool gcp_read(struct cloud_record *r)
{
	struct gcp x = {0};
	const char *wrong = json_pick(
		&r->j, (struct json_picker){wants, sizeof(wants) / sizeof(wants[0]), &x, false});

	if (wrong || span_empty(x.method) || !text_ends(x.service, SPAN_LIT(".googleapis.com")))
		return false;
	if (span_starts(x.method, SPAN_LIT("google.login.LoginService.")))
		return read_login(r, &x);
	if (span_is(x.service, "iap.googleapis.com") && span_is(x.method, "AuthorizeUser"))
		return read_tunnel(r, &x);
	return cloud_skip(r, "Google Cloud's, and it tells of no login");
}

const struct decoder decoder_gcp = {
	.name = "gcp",
	.about = "Google Cloud's audit logs: logins, tunnels through IAP",
	.example =
		"{\"protoPayload\":{\"@type\":\"type.googleapis.com/google.cloud.audit.AuditLog\","
		"\"authenticationInfo\":{\"principalEmail\":\"bob@example.org\"},"
		"\"requestMetadata\":{\"callerIp\":\"203.0.113.10\"},\"serviceName\":"
		"\"login.googleapis.com\",\"methodName\":"
		"\"google.login.LoginService.loginFailure\"},\"timestamp\":"
		"\"2026-01-01T00:00:00.000001Z\"}",
};
