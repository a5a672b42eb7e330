/*
 * entra: sign-ins to Microsoft Entra ID (Azure AD) by persons: SigninLogs as diagnostic settings
 * export them, as a Log Analytics table has them, and as Microsoft Graph gives them.
 *
 * Sees who signed in to which application from where, with what device, and why it failed. A right
 * password that only awaits the second factor (50074, 50076, 50158 ...) is neither a failure nor a
 * login yet. 500121 is a second factor that was not given. Policy that refuses a right password
 * (53003 and its like) is told as that. Cannot see: what happened in the application; a sign-in
 * that Microsoft did not log. Applications' own sign-ins (service principals) are left out.
 *
 * Example: {"category":"SignInLogs","resultType":"50126","callerIpAddress":"203.0.113.7",
 *           "properties":{"userPrincipalName":"alice@example.org","appDisplayName":"GlobalProtect"}}
 */
#include "cloud.h"
#include "text.h"

struct signin {
	struct span user, app, address, address2, code, code2, why, why2;
	struct span time, time2, time3, tenant, tenant2;
	struct span device, os, agent, country, risk, type;
};

static const struct json_want wants[] = {
	JSON_WANT(struct signin, user, "userPrincipalName"),
	JSON_WANT(struct signin, app, "appDisplayName"),
	JSON_WANT(struct signin, address, "ipAddress"),
	JSON_WANT(struct signin, address2, "callerIpAddress"),
	JSON_WANT(struct signin, code, "status", "errorCode"),
	JSON_WANT(struct signin, code2, "resultType"),
	JSON_WANT(struct signin, why, "status", "failureReason"),
	JSON_WANT(struct signin, why2, "resultDescription"),
	JSON_WANT(struct signin, time, "createdDateTime"),
	JSON_WANT(struct signin, time2, "time"),
	JSON_WANT(struct signin, time3, "timeGenerated"),
	JSON_WANT(struct signin, tenant, "tenantId"),
	JSON_WANT(struct signin, tenant2, "homeTenantId"),
	JSON_WANT(struct signin, device, "deviceDetail", "deviceId"),
	JSON_WANT(struct signin, os, "deviceDetail", "operatingSystem"),
	JSON_WANT(struct signin, agent, "userAgent"),
	JSON_WANT(struct signin, country, "location", "countryOrRegion"),
	JSON_WANT(struct signin, risk, "riskLevelDuringSignIn"),
	JSON_WANT(struct signin, type, "category"),
};

/* Microsoft's AADSTS codes that say something of a password or a second factor. */
static const struct code {
	uint32_t code;
	enum event_kind kind;
	enum outcome outcome;
	uint32_t flags;
} codes[] = {
	{0, EVENT_ATTEMPT, OUTCOME_SUCCESS, EVENT_ACCOUNT_EXISTS},
	{50126, EVENT_ATTEMPT, OUTCOME_FAILURE, 0}, /* wrong password */
	{50056, EVENT_ATTEMPT, OUTCOME_FAILURE, 0}, /* none, or none is stored */
	{50064, EVENT_ATTEMPT, OUTCOME_FAILURE, 0},
	{50034, EVENT_ATTEMPT, OUTCOME_FAILURE, EVENT_ACCOUNT_UNKNOWN},
	{50020, EVENT_ATTEMPT, OUTCOME_FAILURE, EVENT_ACCOUNT_UNKNOWN}, /* not of this tenant */
	{50055, EVENT_ATTEMPT, OUTCOME_FAILURE, EVENT_PASSWORD_RIGHT},	/* expired */
	{50057, EVENT_ATTEMPT, OUTCOME_FAILURE, EVENT_PASSWORD_RIGHT},	/* disabled */
	{50105, EVENT_ATTEMPT, OUTCOME_FAILURE, EVENT_PASSWORD_RIGHT},	/* not assigned */
	{50144, EVENT_ATTEMPT, OUTCOME_FAILURE, EVENT_PASSWORD_RIGHT},
	{53000, EVENT_ATTEMPT, OUTCOME_FAILURE, EVENT_PASSWORD_RIGHT}, /* device not compliant */
	{53001, EVENT_ATTEMPT, OUTCOME_FAILURE, EVENT_PASSWORD_RIGHT},
	{53002, EVENT_ATTEMPT, OUTCOME_FAILURE, EVENT_PASSWORD_RIGHT},
	{53003, EVENT_ATTEMPT, OUTCOME_FAILURE, EVENT_PASSWORD_RIGHT}, /* conditional access */
	{53004, EVENT_ATTEMPT, OUTCOME_FAILURE, EVENT_PASSWORD_RIGHT},
	{50053, EVENT_ATTEMPT, OUTCOME_REFUSED, 0}, /* locked, or a malicious address */
	{500121, EVENT_MFA, OUTCOME_FAILURE, EVENT_ACCOUNT_EXISTS},
};

/* Any other is on the way to an answer, or an application's mistake. */
static const struct code *code_of(struct span text)
{
	static const struct code other = {1, EVENT_AUTH_NOTE, OUTCOME_UNKNOWN, 0};
	uint32_t n = text_u32(text, 1);

	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		if (codes[i].code == n)
			return &codes[i];
	return &other;
}

static struct span either(struct span a, struct span b)
{
	return span_empty(a) ? b : a;
}

static void add(struct json *j, struct span s)
{
	for (size_t i = 0; i < s.len; i++)
		json_byte(j, (unsigned char)s.ptr[i]);
}

/* "FR, risk high" of a success; what Microsoft says of the failure. */
static struct span reason_of(struct json *j, const struct signin *x, const struct code *c)
{
	const char *start = j->out;
	bool is_risk =
		!span_empty(x->risk) && !span_is(x->risk, "none") && !span_is(x->risk, "hidden");

	if (c->outcome != OUTCOME_SUCCESS)
		return either(x->why, x->why2);
	if (!is_risk)
		return x->country;
	add(j, x->country);
	add(j, span_empty(x->country) ? SPAN_LIT("risk ") : SPAN_LIT(", risk "));
	add(j, x->risk);
	return (struct span){start, (size_t)(j->out - start)};
}

bool entra_read(struct cloud_record *r)
{
	struct signin x = {0};
	const char *wrong = json_pick(
		&r->j, (struct json_picker){wants, sizeof(wants) / sizeof(wants[0]), &x, false});
	struct span code = either(x.code, x.code2);
	const struct code *c = code_of(code);

	if (span_is(x.type, "ServicePrincipalSignInLogs") ||
	    span_is(x.type, "ManagedIdentitySignInLogs"))
		return cloud_skip(r, "an application signed in, no person");
	if (span_empty(x.user) || span_empty(x.app) || span_empty(code))
		return false;
	if (wrong)
		return cloud_bad(r, wrong);
	cloud_event(r, either(x.tenant, x.tenant2), either(x.time, either(x.time2, x.time3)));
	r->e->kind = c->kind;
	r->e->outcome = c->outcome;
	r->e->flags |= c->flags;
	r->e->account = x.user;
	r->e->service = cloud_application(x.app);
	r->e->method = c->kind == EVENT_ATTEMPT ? METHOD_PASSWORD : METHOD_NONE;
	r->e->client = either(x.device, either(x.os, x.agent));
	r->e->gate.group = x.app;
	r->e->gate.reason = reason_of(&r->j, &x, c);
	cloud_origin(r, either(x.address, x.address2));
	return true;
}

const struct decoder decoder_entra = {
	.name = "entra",
	.about = "Microsoft Entra sign-ins: SigninLogs of Azure Monitor, Log Analytics, Graph",
	.example = "{\"time\":\"2026-03-30T14:52:21.7Z\",\"category\":\"SignInLogs\",\"tenantId\":"
		   "\"11111111-1111-1111-1111-222222222222\",\"resultType\":\"50126\","
		   "\"callerIpAddress\":\"203.0.113.10\",\"properties\":{\"userPrincipalName\":"
		   "\"alice@example.org\",\"appDisplayName\":\"GlobalProtect\",\"status\":"
		   "{\"errorCode\":50126,\"failureReason\":\"Invalid username or password.\"}}}",
};
