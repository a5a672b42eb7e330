/*
 * auth.spray: one source tries many accounts.
 *
 * Sees at least so many distinct accounts of one source in TimeWindow. Low; medium when several of
 * them exist here; high when one of them then logs in from there.
 * Cannot see: a spray from a new address for each account.
 *
 * Example: root, admin, test, oracle, ... ten names from 203.0.113.9, then one as deploy.
 */
#include "../core/core_detect.h"

enum {
	PARAM_ACCOUNTS,
	PARAM_EXISTING
};

static unsigned distinct(const struct detect_ctx *x, const struct event *e, const struct spray *p,
			 unsigned *ret_exist)
{
	uint32_t window = core_window_ds(x->core), newest = core_ds(x->core, e->time_ns);
	unsigned n = 0;

	*ret_exist = 0;
	for (unsigned i = 0; i < SPRAY_ACCOUNTS; i++)
		if (p->stamp[i] > newest)
			newest = p->stamp[i];
	for (unsigned i = 0; i < SPRAY_ACCOUNTS; i++) {
		if (newest - p->stamp[i] >= window) /* never, too */
			continue;
		n++;
		*ret_exist += p->exists >> i & 1;
	}
	return n;
}

static void say(struct detect_ctx *x, const struct event *e, struct alert *a, unsigned n,
		unsigned exist)
{
	struct text t = TEXT_IN(a->sentence);

	text_addr(&t, &a->origin.addr);
	text_add(&t, " (%s) tried at least %u accounts, %u of which exist here",
		 scope_name(a->scope), n, exist);
	if (e->kind == EVENT_SESSION_OPEN) {
		text_add(&t, ", and then logged in as ");
		text_quote(&t, e->account, 48);
	}
	text_add(&t, ".");
	t = TEXT_IN(a->numbers);
	text_add(&t, "%u accounts >= %u in ", n, (unsigned)detect_param(x, PARAM_ACCOUNTS));
	say_duration(&t, x->core->config.time_window_s);
}

static enum severity weigh(const struct detect_ctx *x, bool success, unsigned exist)
{
	if (success)
		return severity_by_scope(x, SEVERITY_HIGH);
	return severity_by_scope(x, exist >= detect_param(x, PARAM_EXISTING) ? SEVERITY_MEDIUM
									     : SEVERITY_LOW);
}

static struct calert *open_alert(struct detect_ctx *x, const struct event *e, const struct spray *p)
{
	struct fire f = {.reason = ""};
	struct calert *a = pool_get(&x->core->alerts, p->alert);

	return a && a->pub.state != ALERT_CLOSED ? a : alert_find(x, e, &f);
}

static void step(struct detect_ctx *x, const struct event *e)
{
	struct fire f = {.reason = "", .restart = true};
	bool success = e->kind == EVENT_SESSION_OPEN, is_new;
	unsigned n, exist;
	struct spray *p;
	struct calert *a;

	if (!x->source || (success && x->session->pub.existing))
		return;
	p = success ? spray_find(x->core, &x->source->addr) : x->core->credited_spray;
	n = p ? distinct(x, e, p, &exist) : 0;
	if (!p)
		return;
	if (n < detect_param(x, PARAM_ACCOUNTS)) {
		p->alert = HANDLE_NONE;
		return;
	}
	f.severity = weigh(x, success, exist);
	f.open = a = open_alert(x, e, p);
	if (!a && alert_told_before(x, p->alert, f.severity))
		return;
	if (a && !success && n <= a->pub.count && f.severity <= a->pub.severity) {
		alert_seen(a, e->time_ns);
		return; /* the same accounts again */
	}
	f.count = a && n < a->pub.count ? (uint32_t)a->pub.count : n;
	f.quiet = !a && f.severity <= SEVERITY_LOW && !digest_allows(x, e);
	a = alert_raise(x, e, &f, &is_new);
	p->alert = a ? pool_handle(&x->core->alerts, pool_slot(&x->core->alerts, a)) : HANDLE_NONE;
	if (a && (success || a->pub.severity < SEVERITY_HIGH))
		say(x, e, &a->pub, n, exist);
}

const struct detection detection_auth_spray = {
	.id = "auth.spray",
	.number = 1103,
	.severity = SEVERITY_LOW,
	.scope = DETECT_ALL,
	.stage = "attempts",
	.title = "One source tries many accounts",
	.attack = "T1110.003",
	.tactic = "TA0006",
	.analytic = "AN1004 AN1005",
	.data_components = "User Account Authentication (DC0002)",
	.reasons = "",
	.events = EVENT_BIT(ATTEMPT) | EVENT_BIT(SESSION_OPEN),
	.params = {{"Accounts", 10, UNIT_COUNT, "distinct accounts of one source, at most 15"},
		   {"Existing", 3, UNIT_COUNT, "medium when so many of them exist here"}},
	.triage = "Did one of the accounts log in from there? Then its password is known outside.",
	.contain = "Block the source; change the passwords of the accounts that exist.",
	.false_positive = "A gateway or NAT in front of many people.",
	.tune = "Accounts; an exception for the gateway's address.",
	.mitigation = "M1032 M1027 M1036",
	.step = step,
	.param_max = {SPRAY_ACCOUNTS - 1},
	.key = KEY_SOURCE,
};
