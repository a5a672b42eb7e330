/*
 * sink: where a told alert goes: the journal, JSON Lines or a live view on stdout. One row a sink,
 * so that a test alert (`outergate test`) goes wherever a real one would.
 */
#include "engine.h"
#include "forward.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/out/test_alert.h"
#include "common/store/ledger.h"
#include "sink_journald.h"

struct sink {
	const char *name;
	bool (*wanted)(const struct engine *e);
	int (*send)(struct engine *e, const struct alert *a,
		    const struct out_policy *p); /* 0 or -errno */
	int config;				 /* enum config_sink, -1: it is local */
};

static int stdout_line(struct engine *e, int n)
{
	if (n < 0)
		return n;
	if (fputs(e->scratch, stdout) < 0 || fputc('\n', stdout) < 0 || fflush(stdout))
		return errno ? -errno : -EIO;
	return 0;
}

static bool journald_wanted(const struct engine *e)
{
	return e->config->journald;
}

static int journald_send(struct engine *e, const struct alert *a, const struct out_policy *p)
{
	(void)e;
	return sink_journald_send(a, p);
}

static bool json_wanted(const struct engine *e)
{
	return e->setup.json;
}

static int json_send(struct engine *e, const struct alert *a, const struct out_policy *p)
{
	return stdout_line(e, out_alert_json(a, p, e->scratch, sizeof(e->scratch)));
}

static bool view_wanted(const struct engine *e)
{
	return e->setup.terminal && !e->setup.json;
}

static int view_send(struct engine *e, const struct alert *a, const struct out_policy *p)
{
	return stdout_line(e, out_alert_line(a, p, true, e->scratch, sizeof(e->scratch)));
}

static const struct sink sinks[] = {
	{"journald", journald_wanted, journald_send, CONFIG_SINK_JOURNALD},
	{"json", json_wanted, json_send, CONFIG_SINK_JSON},
	{"view", view_wanted, view_send, -1},
};
#define SINKS (sizeof(sinks) / sizeof(sinks[0]))

static int sink_send(struct engine *e, const struct sink *s, const struct alert *a)
{
	struct out_policy p = e->policy;
	int r;

	p.ledger = ledger_head(e->store);
	p.pseudonymise =
		s->config >= 0 && config_pseudonymises(e->config, (enum config_sink)s->config);
	r = s->send(e, a, &p);
	if (r)
		core_stats(e->core)->sink_errors++;
	return r;
}

void sinks_alert(struct engine *e, const struct alert *a)
{
	for (size_t i = 0; i < SINKS; i++)
		if (sinks[i].wanted(e))
			(void)sink_send(e, &sinks[i], a);
}

void sinks_test(struct engine *e, const char *detection, const char *id, char *ret, size_t cap)
{
	static struct alert a;
	size_t n = 0;

	if (test_alert(&a, detection, id, clock_wall_ns())) {
		snprintf(ret, cap, "failed: there is no detection %.60s", detection);
		return;
	}
	ret[0] = '\0';
	for (size_t i = 0; i < SINKS && n < cap; i++) {
		int r;

		if (!sinks[i].wanted(e))
			continue;
		r = sink_send(e, &sinks[i], &a);
		n += (size_t)snprintf(ret + n, cap - n, "%s%s %s", n ? ";" : "", sinks[i].name,
				      r ? strerror(-r) : "sent");
	}
	forward_test(e, &a, ret, cap);
	if (!ret[0])
		snprintf(ret, cap, "failed: no output is on (Outputs), alerts are only stored");
}

void sinks_session(struct engine *e, const struct session *s)
{
	/* The live view tells a session when it opens and when it ends. */
	if (!view_wanted(e))
		return;
	if (s->state != SESSION_CLOSED && s->last_ns != s->open_ns)
		return;
	if (stdout_line(e, out_session_line(s, &e->policy, e->scratch, sizeof(e->scratch))))
		core_stats(e->core)->sink_errors++;
}
