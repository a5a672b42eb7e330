/*
 * control: a unix socket in the runtime directory. A connection gets one JSON object, the state of
 * the agent now, and is closed; nothing is read from it.
 */
#include "engine.h"
#include "exposure.h"
#include "forward.h"
#include "reload.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "cli/status_json.h"
#include "common/store/request_run.h"
#include "cli/control.h"

/* Each is true of every installation of this version. */
static const char *const control_unseen[] = {
	"logins of daemons that use no PAM and log to no source above",
	"UDP services that log nothing, but WireGuard: mosh, QUIC",
	"AF_VSOCK listeners; logins over a local socket (AF_UNIX) by processes of this host",
};
#define CONTROL_UNSEEN_COUNT (sizeof(control_unseen) / sizeof(control_unseen[0]))

#define REQUESTS_AT_ONCE 64

static json_t *sensors_json(const struct engine *e)
{
	json_t *a = json_array();

	for (unsigned i = 0; i < SENSOR_PARTS; i++) {
		const struct sensor_row *row = &e->setup.rows[i];

		json_array_append_new(a, json_pack("{ss ss ss sb ss}", "name", row->name, "hook",
						   row->hook, "sees", row->sees, "on",
						   engine_row_on(e, i), "reason",
						   engine_row_reason(e, i)));
	}
	return a;
}

static void put_number(json_t *o, const char *name, uint64_t n)
{
	if (n)
		json_object_set_new(o, name, json_integer((json_int_t)n));
}

static json_t *sources_json(const struct engine *e)
{
	static const char *const states[] = {"off", "on", "failed"};
	json_t *a = json_array();

	for (unsigned i = 0; i < e->sources_count; i++) {
		const struct source_status *s = &e->sources[i];

		json_t *o =
			json_pack("{ss ss ss sI sI sI}", "name", s->name, "state", states[s->state],
				  "reason", s->reason, "lines", (json_int_t)s->lines, "skipped",
				  (json_int_t)s->skipped, "bad", (json_int_t)s->bad);

		put_number(o, "lost", s->lost);
		put_number(o, "refused", s->refused);
		put_number(o, "cut", s->cut);
		if (s->sample[0]) {
			json_object_set_new(o, "sample", json_string(s->sample));
			json_object_set_new(o, "sample_why", json_string(s->sample_why));
		}
		json_array_append_new(a, o);
	}
	return a;
}

static json_t *counters_json(const struct engine *e)
{
	json_t *o = status_counters(e->core);

#define KERNEL(name)                                                                               \
	json_object_set_new(o, "kernel_" #name,                                                    \
			    json_integer((json_int_t)e->setup.counters[WIRE_STAT_##name]));
	WIRE_STATS(KERNEL)
#undef KERNEL
	return o;
}

/* What this build cannot see at all, said every time somebody asks. */
static json_t *unseen_json(const struct engine *e)
{
	json_t *a = json_array();
	char text[SENSOR_REASON_MAX + 64];

	for (unsigned i = 0; i < CONTROL_UNSEEN_COUNT; i++)
		json_array_append_new(a, json_string(control_unseen[i]));
	status_geo_unseen(&e->geo, a);
	if (e->setup.kept[0]) {
		snprintf(text, sizeof(text),
			 "what happens while the agent is dead, beyond live sessions and logs (%s)",
			 e->setup.kept);
		json_array_append_new(a, json_string(text));
	}
	for (unsigned i = 0; i < SENSOR_PARTS; i++) {
		const struct sensor_row *row = &e->setup.rows[i];

		if (engine_row_on(e, i))
			continue;
		snprintf(text, sizeof(text), "%s (%s is off)", row->sees, row->name);
		json_array_append_new(a, json_string(text));
	}
	return a;
}

/* The file is not what is in force, and why. */
static void put_refusal(const struct engine *e, json_t *o)
{
	char why[320], at[32];
	uint64_t at_ns;
	json_t *reason;

	if (!reload_refused(e->setup.refusal, &at_ns, why, sizeof(why)))
		return;
	reason = json_string(why);
	if (!reason) /* a line of the file, and no UTF-8 */
		reason = json_string("the agent's log says why");
	json_object_set_new(o, "reload_refused",
			    json_pack("{ss so}", "time", out_time(at_ns, at), "reason", reason));
}

static char *status_text(struct engine *e)
{
	char started[32], now[32];
	unsigned findings, changes;
	struct rusage ru;
	json_t *o;
	char *ret;

	kernel_source_losses(e);
	getrusage(RUSAGE_SELF, &ru);
	o = json_pack("{ss si ss ss ss ss ss sb so so so so so sI sI}", "version",
		      OUTERGATE_VERSION, "pid", (int)getpid(), "user", e->setup.user, "started",
		      out_time(e->started_ns, started), "now", out_time(clock_wall_ns(), now),
		      "configuration", e->setup.config_name, "store", e->config->store,
		      "store_failing", e->store_failing, "sensors", sensors_json(e), "sources",
		      sources_json(e), "not_seen", unseen_json(e), "sessions",
		      status_sessions(e->core), "counters", counters_json(e), "libpam_attached",
		      (json_int_t)e->libpam_attached, "max_resident_kib", (json_int_t)ru.ru_maxrss);
	if (!o)
		return NULL;
	put_refusal(e, o);
	exposures_counts(e, &findings, &changes);
	json_object_set_new(
		o, "exposure",
		json_pack("{si si}", "reachable", (int)findings, "changes", (int)changes));
	json_object_set_new(o, "exceptions", status_exceptions(e->core, e->config));
	json_object_set_new(o, "expiries", status_expiries(e->config, clock_wall_ns()));
	json_object_set_new(o, "geo", status_geo(&e->geo));
	json_object_set_new(o, "geo_unreadable", json_integer((json_int_t)e->geo.set.unreadable));
	json_object_set_new(o, "forwarders", forward_status(e));
	json_object_set_new(o, "kept_while_dead", json_boolean(!e->setup.kept[0]));
	json_object_set_new(o, "kept_reason", json_string(e->setup.kept));
	json_object_set_new(o, "marks",
			    json_string(e->setup.task_storage ? "task storage" : "hash"));
	ret = json_dumps(o, JSON_COMPACT);
	json_decref(o);
	return ret;
}

static void exposure_asked(struct engine *e, char result[REQUEST_RESULT_MAX])
{
	const char *failed = e->exposures ? exposures_look(e) : "out of memory";

	snprintf(result, REQUEST_RESULT_MAX, "%s%s", failed ? "failed: " : "looked",
		 failed ? failed : "");
}

/* What somebody has asked for since, before anything is told. */
void engine_requests(struct engine *e)
{
	struct event tick = {.kind = EVENT_TICK, .time_ns = clock_wall_ns(), .count = 1};
	char result[REQUEST_RESULT_MAX];
	struct store_request q;
	unsigned n = 0;

	for (; n < REQUESTS_AT_ONCE && !store_request_next(e->store, &q); n++) {
		if (!strcmp(q.verb, "test"))
			sinks_test(e, q.subject, q.detail, result, sizeof(result));
		else if (!strcmp(q.verb, "exposure"))
			exposure_asked(e, result);
		else
			request_run(e->core, e->store, &q, tick.time_ns, result);
		if (store_request_done(e->store, q.id, result))
			return; /* the store fails: said elsewhere */
	}
	if (!n)
		return;
	engine_event(e, &tick); /* alerts that changed go out */
	e->dirty = true;
	engine_save(e);
	engine_flush(e);
}

static void on_control(struct engine *e, struct watcher *w)
{
	struct timeval patience = {.tv_usec = 200000};
	int fd = accept4(w->fd, NULL, NULL, SOCK_CLOEXEC);
	size_t at = 0, len;
	char *text;

	if (fd < 0)
		return;
	/* A reader that does not read costs at most this, and only members of our group connect. */
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	engine_requests(e);
	text = status_text(e);
	len = text ? strlen(text) : 0;
	while (at < len) {
		ssize_t n = send(fd, text + at, len - at, MSG_NOSIGNAL);

		if (n <= 0)
			break;
		at += (size_t)n;
	}
	free(text);
	close(fd);
}

int control_open(struct engine *e)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd;

	if (snprintf(a.sun_path, sizeof(a.sun_path), "%s/" CONTROL_NAME, e->config->runtime) >=
	    (int)sizeof(a.sun_path))
		return -ENAMETOOLONG;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	unlink(a.sun_path);
	if (bind(fd, (struct sockaddr *)&a, sizeof(a)) || chmod(a.sun_path, 0660) ||
	    listen(fd, 4)) {
		int r = -errno;

		close(fd);
		return r;
	}
	return engine_watch(e, &e->control, fd, on_control, NULL);
}
