/* exposure_parts: see the header. */
#include "exposure_parts.h"

#define EXPOSURE_LOUD 8

static void say_where(struct text *t, const struct event *e)
{
	bool v6 = e->local.addr.family == ADDR_V6;

	text_add(t, "%s on %s", service_name(e->service), v6 ? "[" : "");
	text_addr(t, &e->local.addr);
	text_add(t, "%s:%u, ", v6 ? "]" : "", (unsigned)e->local.port);
	text_quote(t, span_empty(e->path) ? e->program : e->path, 96);
	text_add(t, span_empty(e->via) ? " of no known package" : " of the package ");
	if (!span_empty(e->via))
		text_quote(t, e->via, 48);
	text_add(t, " (pid %u", (unsigned)e->proc.pid);
	if (!span_empty(e->api.container)) {
		text_add(t, ", container ");
		text_quote(t, e->api.container, 48);
	}
	text_add(t, ")");
}

void exposure_raise(struct detect_ctx *x, const struct event *e, enum severity severity,
		    const char *what)
{
	struct fire f = {.severity = severity, .reason = "", .count = 1};
	struct calert *a;
	struct text t;
	bool is_new;

	/* Anybody may listen on hundreds of ports: of one user's a day's first few are sent. */
	f.quiet = !seen_few(x->core, SEEN_EXPOSED, e->uid, core_day(e->time_ns), EXPOSURE_LOUD);
	a = alert_raise(x, e, &f, &is_new);
	if (!a)
		return;
	t = TEXT_IN(a->pub.sentence);
	text_add(&t, "%s", what);
	say_where(&t, e);
	if (x->session || !span_empty(e->account)) {
		text_add(&t, ", opened in the session of ");
		text_quote(&t, x->session ? span_of(x->session->pub.account) : e->account, 48);
	}
	if (x->session) {
		text_add(&t, " from ");
		say_from(&t, &x->session->pub);
	}
	text_add(&t, ". It asks for ");
	text_plain(&t, span_empty(e->subject) ? SPAN_LIT("what is not known") : e->subject, 160);
	text_add(&t, ".");
	t = TEXT_IN(a->pub.numbers);
	text_add(&t, "not in the baseline; reachable from outside; firewall not judged");
}
