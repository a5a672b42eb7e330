/*
 * teleport: Teleport's audit log, one event a line as JSON.
 *
 * Sees logins to the cluster, certificates that a node refused, sessions by SSH, on Kubernetes,
 * applications and desktops, their end, and the bytes of one. Cannot see: the address of who uses a
 * desktop or an application (the first has the desktop's there); what was done in a session.
 *
 * A session is named by its sid, so that its end, which has no address, finds it.
 *
 * Sources: goteleport.com, "Audit Event Reference" (SSH Sessions, Applications, Desktop Access);
 * gravitational/teleport: lib/events/codes.go, the web interface's samples of every event.
 *
 * Example: {"code":"T2000I","event":"session.start","addr.remote":"203.0.113.9:51752","login":
 *           "root","sid":"5640...","user":"bob","time":"2026-04-22T00:00:51.543Z","uid":"84c0..."}
 */
#include "cloud.h"
#include "gateway.h"

struct teleport {
	struct span event, code, uid, time, user, sid, error, cluster, proto, success;
	struct span host, kube, app, desktop, rx, tx, method;
	struct span remote;
};

static const struct json_want wants[] = {
	JSON_WANT(struct teleport, event, "event"),
	JSON_WANT(struct teleport, code, "code"),
	JSON_WANT(struct teleport, uid, "uid"),
	JSON_WANT(struct teleport, time, "time"),
	JSON_WANT(struct teleport, user, "user"),
	JSON_WANT(struct teleport, sid, "sid"),
	JSON_WANT(struct teleport, error, "error"),
	JSON_WANT(struct teleport, cluster, "cluster_name"),
	JSON_WANT(struct teleport, proto, "proto"),
	JSON_WANT(struct teleport, success, "success"),
	JSON_WANT(struct teleport, host, "server_hostname"),
	JSON_WANT(struct teleport, kube, "kubernetes_cluster"),
	JSON_WANT(struct teleport, app, "app_name"),
	JSON_WANT(struct teleport, desktop, "desktop_addr"),
	JSON_WANT(struct teleport, rx, "rx"),
	JSON_WANT(struct teleport, tx, "tx"),
	JSON_WANT(struct teleport, method, "method"),
	JSON_WANT(struct teleport, remote, "addr.remote"), /* one name */
};

/* Of a desktop the address is the desktop's. */
static const struct form {
	struct span event;
	enum event_kind kind;
	enum service service;
	bool has_origin;
} forms[] = {
	{SPAN_LIT("user.login"), EVENT_ATTEMPT, SERVICE_WEB_REMOTE, true},
	{SPAN_LIT("auth"), EVENT_ATTEMPT, SERVICE_SSH, true},
	{SPAN_LIT("session.start"), EVENT_SESSION_OPEN, SERVICE_SSH, true},
	{SPAN_LIT("session.join"), EVENT_AUTH_NOTE, SERVICE_SSH, true},
	{SPAN_LIT("session.data"), EVENT_AUTH_NOTE, SERVICE_SSH, true},
	{SPAN_LIT("session.end"), EVENT_SESSION_CLOSE, SERVICE_SSH, false},
	{SPAN_LIT("app.session.start"), EVENT_SESSION_OPEN, SERVICE_WEB_REMOTE, false},
	{SPAN_LIT("app.session.end"), EVENT_SESSION_CLOSE, SERVICE_WEB_REMOTE, false},
	{SPAN_LIT("windows.desktop.session.start"), EVENT_SESSION_OPEN, SERVICE_RDP, false},
	{SPAN_LIT("windows.desktop.session.end"), EVENT_SESSION_CLOSE, SERVICE_RDP, false},
};

static const struct form *form_of(struct span event)
{
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
		if (span_eq(event, forms[i].event))
			return &forms[i];
	return NULL;
}

/* "T2000I": a letter, three or four letters and digits, a letter. */
static bool is_code(struct span s)
{
	if (s.len < 5 || s.len > 9 || s.ptr[0] != 'T')
		return false;
	for (size_t i = 1; i < s.len; i++)
		if (!text_is_digit(s.ptr[i]) && !(s.ptr[i] >= 'A' && s.ptr[i] <= 'Z'))
			return false;
	return true;
}

static void fill(struct cloud_record *r, const struct teleport *x, const struct form *f)
{
	struct event *e = r->e;
	char last = x->code.ptr[x->code.len - 1]; /* I: information, W: warning, E: error */
	bool failed = span_is(x->success, "false") || last == 'W' || last == 'E';

	gateway_row(e, f->kind, f->service, OUTCOME_UNKNOWN);
	e->method = f->kind != EVENT_ATTEMPT	  ? METHOD_NONE
		    : f->service == SERVICE_SSH	  ? METHOD_CERTIFICATE
		    : span_is(x->method, "local") ? METHOD_PASSWORD
						  : METHOD_OTHER;
	if (f->kind != EVENT_SESSION_CLOSE && f->kind != EVENT_AUTH_NOTE) {
		e->outcome = failed ? OUTCOME_FAILURE : OUTCOME_SUCCESS;
		if (failed && e->kind == EVENT_SESSION_OPEN) {
			e->kind = EVENT_AUTH_NOTE; /* who may not */
			e->outcome = OUTCOME_REFUSED;
		}
	}
	if (span_is(x->proto, "kube"))
		e->service = SERVICE_KUBE_API;
	e->account = x->user;
	e->gate.session = gateway_number(x->sid);
	e->gate.reason = x->error;
	e->gate.group = !span_empty(x->host)   ? x->host
			: !span_empty(x->kube) ? x->kube
			: !span_empty(x->app)  ? x->app
					       : x->desktop;
	e->bytes_in = gateway_count(x->rx);
	e->bytes_out = gateway_count(x->tx);
	if (f->has_origin)
		cloud_origin(r, x->remote);
}

bool teleport_read(struct cloud_record *r)
{
	struct teleport x = {0};
	const char *wrong = json_pick(
		&r->j, (struct json_picker){wants, sizeof(wants) / sizeof(wants[0]), &x, false});
	const struct form *f = form_of(x.event);

	if (!is_code(x.code) || span_empty(x.uid) || span_empty(x.time) || span_empty(x.event))
		return false;
	if (wrong)
		return cloud_bad(r, wrong);
	if (!f)
		return cloud_skip(r, "Teleport's, and neither a verdict nor about a session");
	cloud_event(r, x.cluster, x.time);
	fill(r, &x, f);
	return true;
}

const struct decoder decoder_teleport = {
	.name = "teleport",
	.about = "Teleport's audit log: logins, sessions",
	.example = "{\"addr.local\":\"192.0.2.1:3022\",\"addr.remote\":\"203.0.113.10:51752\","
		   "\"code\":"
		   "\"T2000I\",\"ei\":0,\"event\":\"session.start\",\"login\":\"root\",\"sid\":"
		   "\"56408539-6536-11e9-80a1-427cfde50f5a\",\"time\":\"2026-04-22T00:00:51.543Z\","
		   "\"uid\":\"84c07a99-856c-419f-9de5-15560451a116\",\"user\":\"bob\"}",
};
