/*
 * cloudtrail: AWS CloudTrail: logins to the console, shells on instances by Session Manager, keys
 * that EC2 Instance Connect puts on one.
 *
 * Sees who logged in to the console from where, whether it failed; who started and ended a session
 * on which instance; who has had a key put on which instance for a minute (sshd there tells of the
 * login). A name that does not exist is hidden by AWS. Cannot see: the end of a console's
 * session; calls by keys. A file as AWS stores it ({"Records":[...]}) is read as it is.
 *
 * Sources: AWS CloudTrail's record contents; "AWS Management Console sign-in events"; the APIs of
 * Systems Manager (StartSession, TerminateSession) and EC2 Instance Connect (SendSSHPublicKey).
 *
 * Example: {"eventSource":"signin.amazonaws.com","eventName":"ConsoleLogin","sourceIPAddress":
 *           "203.0.113.7","responseElements":{"ConsoleLogin":"Failure"},"userIdentity":{...}}
 */
#include "cloud.h"
#include "gateway.h"

struct trail {
	struct span source, name, time, address, agent, result, error, message, user, arn, kind,
		tenant;
	struct span target, instance, os_user, asked, given; /* the last: a session's id */
};

static const struct json_want wants[] = {
	JSON_WANT(struct trail, source, "eventSource"),
	JSON_WANT(struct trail, name, "eventName"),
	JSON_WANT(struct trail, time, "eventTime"),
	JSON_WANT(struct trail, address, "sourceIPAddress"),
	JSON_WANT(struct trail, agent, "userAgent"),
	JSON_WANT(struct trail, result, "responseElements", "ConsoleLogin"),
	JSON_WANT(struct trail, error, "errorCode"),
	JSON_WANT(struct trail, message, "errorMessage"),
	JSON_WANT(struct trail, user, "userIdentity", "userName"),
	JSON_WANT(struct trail, arn, "userIdentity", "arn"),
	JSON_WANT(struct trail, kind, "userIdentity", "type"),
	JSON_WANT(struct trail, tenant, "recipientAccountId"),
	JSON_WANT(struct trail, target, "requestParameters", "target"),
	JSON_WANT(struct trail, instance, "requestParameters", "instanceId"),
	JSON_WANT(struct trail, os_user, "requestParameters", "osUser"),
	JSON_WANT(struct trail, asked, "requestParameters", "sessionId"),
	JSON_WANT(struct trail, given, "responseElements", "sessionId"),
};

/* The name; of a role the end of its ARN, which says who took it; the account's owner is root. */
static struct span who(const struct trail *x)
{
	if (!span_empty(x->user))
		return x->user;
	return span_is(x->kind, "Root") ? SPAN_LIT("root") : span_base(x->arn);
}

static bool read_console(struct cloud_record *r, const struct trail *x)
{
	cloud_event(r, x->tenant, x->time);
	r->e->outcome = span_is(x->result, "Success") ? OUTCOME_SUCCESS : OUTCOME_FAILURE;
	r->e->service = SERVICE_WEB_REMOTE;
	r->e->method = METHOD_PASSWORD;
	r->e->account = who(x);
	if (span_is(r->e->account, "HIDDEN_DUE_TO_SECURITY_REASONS")) {
		r->e->account = text_none();
		r->e->flags |= EVENT_ACCOUNT_UNKNOWN;
	}
	r->e->client = x->agent;
	r->e->gate.reason = x->message;
	cloud_origin(r, x->address);
	return true;
}

static void fill_shell(struct cloud_record *r, const struct trail *x)
{
	r->e->service = SERVICE_AGENT;
	r->e->account = who(x);
	r->e->client = x->agent;
	r->e->gate.reason = x->message;
	cloud_origin(r, x->address);
}

static bool read_shell(struct cloud_record *r, const struct trail *x)
{
	cloud_event(r, x->tenant, x->time);
	r->e->kind = EVENT_SESSION_OPEN;
	r->e->outcome = OUTCOME_SUCCESS;
	if (!span_empty(x->error)) {
		r->e->kind = EVENT_AUTH_NOTE;
		r->e->outcome = OUTCOME_REFUSED;
	}
	fill_shell(r, x);
	r->e->subject = x->target;
	r->e->gate.session = gateway_number(x->given);
	return true;
}

static bool read_shell_end(struct cloud_record *r, const struct trail *x)
{
	if (!span_empty(x->error))
		return cloud_skip(r, "a session that was not ended");
	cloud_event(r, x->tenant, x->time);
	fill_shell(r, x);
	r->e->kind = EVENT_SESSION_CLOSE;
	/* Whoever ends it may be another, elsewhere. */
	r->e->account = text_none();
	r->e->origin = (struct endpoint){0};
	r->e->gate.session = gateway_number(x->asked);
	return true;
}

/* A public key is on the instance for 60 seconds. */
static bool read_key(struct cloud_record *r, const struct trail *x)
{
	cloud_event(r, x->tenant, x->time);
	fill_shell(r, x);
	r->e->kind = EVENT_AUTH_NOTE;
	r->e->outcome = span_empty(x->error) ? OUTCOME_SUCCESS : OUTCOME_REFUSED;
	r->e->service = SERVICE_SSH;
	r->e->subject = x->instance;
	r->e->gate.group = x->os_user;
	return true;
}

bool cloudtrail_read(struct cloud_record *r)
{
	struct trail x = {0};
	const char *wrong = json_pick(
		&r->j, (struct json_picker){wants, sizeof(wants) / sizeof(wants[0]), &x, false});

	if (wrong || !text_ends(x.source, SPAN_LIT(".amazonaws.com")) || span_empty(x.name))
		return false;
	if (span_is(x.source, "signin.amazonaws.com") && span_is(x.name, "ConsoleLogin"))
		return read_console(r, &x);
	if (span_is(x.source, "ssm.amazonaws.com") && span_is(x.name, "StartSession"))
		return read_shell(r, &x);
	if (span_is(x.source, "ssm.amazonaws.com") && span_is(x.name, "TerminateSession"))
		return read_shell_end(r, &x);
	if (span_is(x.source, "ec2-instance-connect.amazonaws.com") &&
	    (span_is(x.name, "SendSSHPublicKey") ||
	     span_is(x.name, "SendSerialConsoleSSHPublicKey")))
		return read_key(r, &x);
	return cloud_skip(r, "AWS', and it tells of no login");
}

const struct decoder decoder_cloudtrail = {
	.name = "cloudtrail",
	.about = "AWS CloudTrail: logins to the console, Session Manager, EC2 Instance Connect",
	.example = "{\"eventVersion\":\"1.08\",\"userIdentity\":{\"type\":\"IAMUser\",\"userName\":"
		   "\"alice\"},\"eventTime\":\"2026-11-10T16:24:34Z\",\"eventSource\":"
		   "\"signin.amazonaws.com\",\"eventName\":\"ConsoleLogin\",\"sourceIPAddress\":"
		   "\"203.0.113.10\",\"errorMessage\":\"Failed authentication\","
		   "\"responseElements\":{\"ConsoleLogin\":\"Failure\"},\"recipientAccountId\":"
		   "\"123456789012\"}",
};
