/*
 * duo: Duo's authentication log and logins to its administration, as its Admin API gives them.
 *
 * Sees whether a prompt was approved, denied or marked as fraud, by whom, from where, for which
 * application. Where nobody was asked (a remembered device, bypass, policy) it is a note: no answer
 * to a prompt. Cannot see: where the telephone was that answered. Other logs (telephony,
 * enrolments, changes) are left out.
 *
 * Example: {"event_type":"authentication","result":"denied","reason":"user_marked_fraud",
 *           "user":{"name":"alice"},"access_device":{"ip":"203.0.113.7"},"isotimestamp":"..."}
 */
#include "cloud.h"
#include "text.h"

struct duo {
	struct span type, log, result, why, user, user2, address, address2, app, time, host, action;
	struct span description, os;
};

static const struct json_want wants[] = {
	JSON_WANT(struct duo, type, "event_type"),
	JSON_WANT(struct duo, log, "eventtype"),
	JSON_WANT(struct duo, result, "result"),
	JSON_WANT(struct duo, why, "reason"),
	JSON_WANT(struct duo, user, "user", "name"),
	JSON_WANT(struct duo, user2, "username"),
	JSON_WANT(struct duo, address, "access_device", "ip"),
	JSON_WANT(struct duo, address2, "ip"),
	JSON_WANT(struct duo, app, "application", "name"),
	JSON_WANT(struct duo, time, "isotimestamp"),
	JSON_WANT(struct duo, host, "host"),
	JSON_WANT(struct duo, action, "action"),
	JSON_WANT(struct duo, description, "description"),
	JSON_WANT(struct duo, os, "access_device", "os"),
};

/* Reasons by which somebody answered a prompt; any other is Duo's own. */
static bool was_asked(struct span why)
{
	static const char *const reasons[] = {
		"user_approved",     "valid_passcode",	     "user_cancelled",
		"user_marked_fraud", "no_response",	     "invalid_passcode",
		"user_mistake",	     "deny_unenrolled_user", "timeout",
	};

	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
		if (span_is(why, reasons[i]))
			return true;
	return false;
}

/* Of "{\"ip_address\": \"203.0.113.7\", ...}", which is a text. */
static struct span address_in(struct span description)
{
	size_t at = text_find(description, SPAN_LIT("\"ip_address\": \""), 0), end;

	if (at == TEXT_NOT_FOUND)
		return text_none();
	description = span_skip(description, at + 15);
	end = text_find(description, SPAN_LIT("\""), 0);
	return end == TEXT_NOT_FOUND ? text_none() : span_first(description, end);
}

static bool read_admin(struct cloud_record *r, const struct duo *x)
{
	bool failed = span_is(x->action, "admin_login_error");

	if (!failed && !span_is(x->action, "admin_login"))
		return cloud_skip(r, "Duo's, and it tells of no login");
	cloud_event(r, x->host, x->time);
	r->e->outcome = failed ? OUTCOME_FAILURE : OUTCOME_SUCCESS;
	r->e->service = SERVICE_OTHER;
	r->e->account = x->user2;
	cloud_origin(r, address_in(x->description));
	return true;
}

static bool read_answer(struct cloud_record *r, const struct duo *x)
{
	cloud_event(r, x->host, x->time);
	r->e->outcome = span_is(x->result, "success") ? OUTCOME_SUCCESS : OUTCOME_FAILURE;
	r->e->kind = was_asked(x->why) ? EVENT_MFA : EVENT_AUTH_NOTE;
	r->e->flags |= EVENT_ACCOUNT_EXISTS; /* others are not asked */
	r->e->service = cloud_application(x->app);
	r->e->account = span_empty(x->user) ? x->user2 : x->user;
	r->e->client = x->os;
	r->e->gate.group = x->app;
	r->e->gate.reason = x->why;
	cloud_origin(r, span_empty(x->address) ? x->address2 : x->address);
	return true;
}

bool duo_read(struct cloud_record *r)
{
	struct duo x = {0};
	const char *wrong = json_pick(
		&r->j, (struct json_picker){wants, sizeof(wants) / sizeof(wants[0]), &x, false});

	if (wrong)
		return false;
	if (span_is(x.log, "admin_log") || span_starts(x.action, SPAN_LIT("admin_login")))
		return read_admin(r, &x);
	if (span_is(x.type, "authentication") && !span_empty(x.result))
		return read_answer(r, &x);
	return span_is(x.type, "enrollment") ? cloud_skip(r, "Duo's, and it tells of no login")
					     : false;
}

const struct decoder decoder_duo = {
	.name = "duo",
	.about = "Duo's authentication log, and logins to its administration",
	.example = "{\"access_device\":{\"ip\":\"203.0.113.10\"},\"application\":{\"name\":"
		   "\"GlobalProtect\"},\"event_type\":\"authentication\",\"factor\":\"duo_push\","
		   "\"isotimestamp\":\"2026-08-06T13:06:35.43+00:00\",\"reason\":"
		   "\"user_marked_fraud\",\"result\":\"denied\",\"user\":{\"name\":\"alice\"}}",
};
