/*
 * api_dashboard: the Kubernetes dashboard's own API (v2.7, src/app/backend/handler/apihandler.go),
 * in clear text: whoever reaches a dashboard with its login skipped has the rights of its account.
 *
 * Cannot see: what is asked inside TLS; what a shell's WebSocket carries.
 *
 * Example: GET /api/v1/pod/default/web-1/shell/web runs a shell in default/web-1.
 */
#include "api_parts.h"

/* The page itself, and what it needs before anybody has logged in. */
static const char *const before_login[] = {
	"login", "csrftoken", "settings", "systembanner", "plugin", "token",
};

static bool reads_only(const struct event *e)
{
	return span_is(e->subject, "GET") || span_is(e->subject, "HEAD") ||
	       span_is(e->subject, "OPTIONS");
}

static enum api_action action_of(const struct event *e, const struct api_target *t)
{
	struct span what = api_part(t, 2);

	if (!api_part_is(t, 0, "api") || API_IS_ONE(what, before_login))
		return reads_only(e) || span_is(what, "login") ? API_HARMLESS : API_OTHER;
	if (span_is(what, "pod") && api_part_is(t, 5, "shell"))
		return API_EXEC;
	if (reads_only(e))
		return API_READ;
	/* "appdeployment/validate/name" makes nothing. */
	if ((span_is(what, "appdeployment") || span_is(what, "appdeploymentfromfile")) &&
	    t->count == 3)
		return API_CREATE;
	return API_CHANGE;
}

void api_dashboard(struct api_words *w, struct event *e)
{
	struct json j = {.out = w->text, .out_end = w->text + sizeof(w->text)};
	struct api_target t;

	api_target_read(&j, e->path, &t);
	e->api.action = action_of(e, &t);
	if (api_part_is(&t, 2, "pod") && t.count > 4)
		e->api.container = api_name(w, api_part(&t, 3), api_part(&t, 4));
	if (span_is(api_part(&t, 3), "kube-system") && e->api.action == API_EXEC)
		e->api.risks |= RISK_SYSTEM_NAMESPACE;
	if (j.cut)
		e->flags |= EVENT_TRUNCATED;
}
