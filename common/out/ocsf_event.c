/*
 * ocsf_event: one event in OCSF; see schema_ocsf.c.
 *
 *   attempts, notes, PAM calls, logins, second factors   Authentication 3002
 *   connections in and out                               SSH 4007, RDP 4005, SMB 4006, Tunnel 4014
 *                                                        by their service, else Network 4001
 *   listeners                                            Network 4001, Listen
 *   requests to container and cluster APIs               API Activity 6003
 *   programs, containers, brokers                        Process Activity 1007
 *   changed files                                        File System Activity 1001
 *   sensors, losses, and what has no end to name         Base Event 0
 *
 * SMB's own activities are about files: a connection is its Other, and named.
 */
#include "ocsf_parts.h"

static struct ocsf_what net(enum service s, unsigned activity)
{
	static const char *const names[] = {"", "Open", "Close", "", "", "", "Traffic"};
	const char *name = names[activity];

	switch (s) {
	case SERVICE_SSH:
		return (struct ocsf_what){OCSF_SSH, activity, name};
	case SERVICE_RDP:
		if (activity == 1)
			return (struct ocsf_what){OCSF_RDP, 1, "Initial Request"};
		if (activity == 2)
			return (struct ocsf_what){OCSF_RDP, 7, "Disconnect"};
		return (struct ocsf_what){OCSF_RDP, activity, name};
	case SERVICE_SMB:
		return (struct ocsf_what){OCSF_SMB, OCSF_OTHER, name};
	case SERVICE_VPN:
		if (activity > 2)
			return (struct ocsf_what){OCSF_TUNNEL, OCSF_OTHER, name};
		return (struct ocsf_what){OCSF_TUNNEL, activity, name};
	default:
		return (struct ocsf_what){OCSF_NETWORK, activity, name};
	}
}

static struct ocsf_what pam(const struct event *e)
{
	switch (e->pam_call) {
	case PAM_CALL_AUTHENTICATE:
		return (struct ocsf_what){OCSF_AUTHENTICATION, 1, "Logon"};
	case PAM_CALL_CLOSE_SESSION:
		return (struct ocsf_what){OCSF_AUTHENTICATION, 2, "Logoff"};
	default:
		return (struct ocsf_what){OCSF_AUTHENTICATION, OCSF_OTHER, event_name(e->kind)};
	}
}

static struct ocsf_what api(const struct event *e)
{
	switch (e->api.action) {
	case API_CREATE:
		return (struct ocsf_what){OCSF_API, 1, "Create"};
	case API_READ:
	case API_HARMLESS:
		return (struct ocsf_what){OCSF_API, 2, "Read"};
	case API_START:
	case API_CHANGE:
		return (struct ocsf_what){OCSF_API, 3, "Update"};
	default:
		return (struct ocsf_what){OCSF_API, OCSF_OTHER, api_action_name(e->api.action)};
	}
}

static struct ocsf_what what_happened(const struct event *e)
{
	switch (e->kind) {
	case EVENT_ATTEMPT:
	case EVENT_SESSION_OPEN:
		return (struct ocsf_what){OCSF_AUTHENTICATION, 1, "Logon"};
	case EVENT_SESSION_CLOSE:
		return (struct ocsf_what){OCSF_AUTHENTICATION, 2, "Logoff"};
	case EVENT_AUTH_NOTE:
	case EVENT_MFA:
		return (struct ocsf_what){OCSF_AUTHENTICATION, OCSF_OTHER, event_name(e->kind)};
	case EVENT_PAM:
		return pam(e);
	case EVENT_CONNECTION:
	case EVENT_CONNECT:
	case EVENT_LOOPBACK:
		return net(e->service, 1);
	case EVENT_CONNECTION_CLOSE:
	case EVENT_CONNECT_CLOSE:
		return net(e->service, 2);
	case EVENT_BYTES:
		return net(e->service, 6);
	case EVENT_LISTEN:
		return (struct ocsf_what){OCSF_NETWORK, 7, "Listen"};
	case EVENT_CLIENT:
	case EVENT_PROXY_HEADER:
		return (struct ocsf_what){OCSF_NETWORK, OCSF_OTHER, event_name(e->kind)};
	case EVENT_API:
		return api(e);
	case EVENT_FORK:
	case EVENT_EXEC:
	case EVENT_SERVER_SHELL:
	case EVENT_CONTAINER:
		return (struct ocsf_what){OCSF_PROCESS, 1, "Launch"};
	case EVENT_EXIT:
		return (struct ocsf_what){OCSF_PROCESS, 2, "Terminate"};
	case EVENT_SNAPSHOT:
	case EVENT_HANDOFF:
		return (struct ocsf_what){OCSF_PROCESS, OCSF_OTHER, event_name(e->kind)};
	case EVENT_FILE:
		return (struct ocsf_what){OCSF_FILE, 3, "Update"};
	default:
		return (struct ocsf_what){OCSF_BASE, OCSF_OTHER, event_name(e->kind)};
	}
}

static bool is_out(const struct event *e)
{
	return e->kind == EVENT_CONNECT || e->kind == EVENT_CONNECT_CLOSE;
}

/* The other end of what the event is about, seen from the client. */
static const struct endpoint *target(const struct event *e)
{
	return is_out(e) || e->kind == EVENT_LOOPBACK || e->kind == EVENT_LISTEN ? &e->dest
										 : &e->local;
}

static const struct endpoint *client(const struct event *e)
{
	return is_out(e) ? &e->local : &e->origin;
}

static bool is_network(enum ocsf_class c)
{
	return c / 1000 == 4;
}

/* A class whose required part nobody knows is none: the event is told as a base event. */
static struct ocsf_what what_of(const struct event *e, const struct out_policy *p)
{
	struct ocsf_what what = what_happened(e);
	bool named = e->service != SERVICE_NONE && e->kind != EVENT_LISTEN;
	bool ends = client(e)->addr.family || target(e)->addr.family || named;
	bool host = ocsf_has_device(p, e->host);
	bool process = host && e->proc.pid;
	bool file = host && !span_empty(e->path);

	if ((is_network(what.class) && !ends) || (what.class == OCSF_PROCESS && !process) ||
	    (what.class == OCSF_FILE && !file))
		return (struct ocsf_what){OCSF_BASE, OCSF_OTHER, event_name(e->kind)};
	return what;
}

static void put_status(struct writer *w, const struct event *e)
{
	if (e->outcome == OUTCOME_SUCCESS)
		ocsf_put_pair(w, "status_id", "status", 1, "Success");
	else if (e->outcome == OUTCOME_UNKNOWN)
		ocsf_put_pair(w, "status_id", "status", 0, "Unknown");
	else
		ocsf_put_pair(w, "status_id", "status", 2, "Failure");
	json_put_str(w, "status_detail",
		     e->outcome == OUTCOME_UNKNOWN ? "" : outcome_name(e->outcome));
}

static void put_process(struct writer *w, const char *key, const struct event *e)
{
	char command[RECORD_COMMAND_MAX];

	json_begin(w, key, '{');
	json_put_u64(w, "pid", e->proc.pid);
	json_put_text(w, "name", span_base(e->program));
	if (!span_empty(e->program) && *e->program.ptr == '/')
		json_put_text(w, "path", e->program);
	json_put_text(w, "cmd_line", record_command(e->args, command));
	if (!span_empty(e->user))
		ocsf_put_user(w, "user", e->user);
	if (e->parent.pid) {
		json_begin(w, "parent_process", '{');
		json_put_u64(w, "pid", e->parent.pid);
		json_end(w, '}');
	}
	ocsf_put_container(w, e->api.container, e->api.name, e->api.image, e->api.pod_name);
	json_end(w, '}');
}

/* Who had the program started: its parent, else who it runs for, else that nobody knows. */
static void put_actor(struct writer *w, const struct event *e)
{
	struct span who = span_empty(e->account) ? e->user : e->account;

	json_begin(w, "actor", '{');
	if (e->parent.pid) {
		json_begin(w, "process", '{');
		json_put_u64(w, "pid", e->parent.pid);
		json_end(w, '}');
	}
	if (!span_empty(who) || !e->parent.pid)
		ocsf_put_user(w, "user", who);
	json_end(w, '}');
}

static void put_authentication(struct writer *w, const struct event *e)
{
	ocsf_put_user(w, "user", e->account);
	json_begin(w, "service", '{');
	json_put_text(w, "name",
		      e->service != SERVICE_NONE    ? span_of(service_name(e->service))
		      : !span_empty(e->pam_service) ? e->pam_service
						    : SPAN_LIT("unknown"));
	json_end(w, '}');
	if (e->method == METHOD_GSSAPI)
		ocsf_put_pair(w, "auth_protocol_id", "auth_protocol", 2, "Kerberos");
	else if (e->method != METHOD_NONE)
		ocsf_put_pair(w, "auth_protocol_id", "auth_protocol", OCSF_OTHER,
			      method_name(e->method));
	if (e->kind == EVENT_MFA)
		json_put_bool(w, "is_mfa", true);
	if (e->origin.addr.family)
		json_put_bool(w, "is_remote", true);
	if (!span_empty(e->tty)) {
		json_begin(w, "session", '{');
		json_put_text(w, "terminal", e->tty);
		json_end(w, '}');
	}
}

static void put_network(struct writer *w, const struct event *e)
{
	bool out = is_out(e);

	ocsf_put_connection(w, e->service, out ? &e->dest.addr : &e->origin.addr, out,
			    e->kind == EVENT_LOOPBACK, out ? e->out_conn : e->conn);
	json_put_str(w, "app_name", service_name(e->service));
	if (record_has_bytes(e))
		ocsf_put_traffic(w, e->bytes_in, e->bytes_out);
	if (e->opened_ns)
		json_put_u64(w, "start_time", record_ms(e->opened_ns));
}

static void put_api(struct writer *w, const struct event *e)
{
	const struct event_api *a = &e->api;
	struct span what = span_empty(a->container) ? a->pod_name : a->container;

	json_begin(w, "actor", '{');
	ocsf_put_user(w, "user", e->account);
	json_end(w, '}');
	json_begin(w, "api", '{');
	json_put_text(w, "operation",
		      span_empty(e->subject) ? span_of(api_action_name(a->action)) : e->subject);
	if (e->result > 0) {
		json_begin(w, "response", '{');
		json_put_u64(w, "code", (uint64_t)e->result);
		json_end(w, '}');
	}
	json_begin(w, "service", '{');
	json_put_str(w, "name", e->service == SERVICE_NONE ? "unknown" : service_name(e->service));
	json_end(w, '}');
	json_end(w, '}');
	if (!span_empty(e->path) || !span_empty(e->client)) {
		json_begin(w, "http_request", '{');
		json_put_text(w, "user_agent", e->client);
		if (!span_empty(e->path)) {
			json_begin(w, "url", '{');
			json_put_text(w, "path", e->path);
			json_end(w, '}');
		}
		json_end(w, '}');
	}
	if (span_empty(what))
		return;
	json_begin(w, "resources", '[');
	json_begin(w, NULL, '{');
	json_put_text(w, "name", what);
	json_put_str(w, "type", span_empty(a->container) ? "pod" : "container");
	json_end(w, '}');
	json_end(w, ']');
}

static void put_file(struct writer *w, const struct event *e)
{
	json_begin(w, "file", '{');
	json_put_text(w, "name", span_empty(span_base(e->path)) ? e->path : span_base(e->path));
	json_put_text(w, "path", e->path);
	ocsf_put_pair(w, "type_id", "type", 0, "Unknown");
	if (e->after.len == 64) {
		json_begin(w, "hashes", '[');
		json_begin(w, NULL, '{');
		ocsf_put_pair(w, "algorithm_id", "algorithm", 3, "SHA-256");
		json_put_text(w, "value", e->after);
		json_end(w, '}');
		json_end(w, ']');
	}
	json_end(w, '}');
	put_actor(w, e);
}

/* A source that the class requires stands there even when only its absence is known. */
static void put_ends(struct writer *w, const struct event *e, enum ocsf_class class)
{
	bool must = class == OCSF_API && !e->origin.addr.family;

	ocsf_put_endpoint(w, "src_endpoint", client(e), NULL, must ? "unknown" : NULL);
	ocsf_put_endpoint(w, "dst_endpoint", target(e), NULL,
			  e->kind == EVENT_LISTEN ? NULL : service_name(e->service));
}

static void put_body(struct writer *w, const struct event *e, enum ocsf_class class)
{
	const struct ocsf_observable seen[] = {
		{"src_endpoint.ip", {0}, &client(e)->addr},
		{"dst_endpoint.ip", {0}, &target(e)->addr},
		{"user.name", class == OCSF_AUTHENTICATION ? e->account : (struct span){0}, NULL},
		{"actor.user.name", class == OCSF_API ? e->account : (struct span){0}, NULL},
	};
	bool ends = class == OCSF_AUTHENTICATION || class == OCSF_API || is_network(class);

	put_status(w, e);
	if (ends)
		put_ends(w, e, class);
	if (class == OCSF_AUTHENTICATION)
		put_authentication(w, e);
	if (is_network(class))
		put_network(w, e);
	if (class == OCSF_API)
		put_api(w, e);
	if (class == OCSF_FILE)
		put_file(w, e);
	if (class == OCSF_PROCESS) {
		put_process(w, "process", e);
		put_actor(w, e);
		if (e->kind == EVENT_EXIT && e->result >= 0)
			json_put_u64(w, "exit_code", (uint64_t)e->result);
	}
	if (ends)
		ocsf_put_observables(w, seen, sizeof(seen) / sizeof(seen[0]));
}

int ocsf_event(const struct event *given, const struct out_policy *p, char *buf, size_t cap)
{
	struct privacy_texts texts;
	char id[ID_TEXT_MAX];
	struct event e, all;
	struct ocsf_what what;
	struct writer w;

	privacy_event(given, p, &all, &texts);
	e = all;
	record_bound_texts(&e);
	what = what_of(&e, p);
	writer_start(&w, buf, cap);
	json_begin(&w, NULL, '{');
	ocsf_put_head(&w,
		      &(struct ocsf_head){
			      .what = what,
			      .time_ns = e.time_ns,
			      .uid = event_id(given, p, id),
			      .code = event_name(e.kind),
			      .sequence = e.line,
			      .device = ocsf_has_device(p, e.host),
			      .container = what.class == OCSF_PROCESS &&
					   !(span_empty(e.api.container) && span_empty(e.api.name)),
		      });
	if (e.trust != TRUST_KERNEL)
		json_put_text(&w, "message", span_first(e.text, PRIVACY_EVENT_TEXT));
	if (e.count > 1)
		json_put_u64(&w, "count", e.count);
	put_body(&w, &e, what.class);
	ocsf_put_device(&w, p, e.host);
	json_begin(&w, "unmapped", '{');
	json_begin(&w, MODULE, '{');
	part_put_event(&w, &all);
	json_end(&w, '}');
	json_end(&w, '}');
	json_end(&w, '}');
	return writer_finish_json(&w);
}
