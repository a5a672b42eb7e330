/* habit: what the detections about odd logins share: who judges, and how it is told. */
#include "core_detect.h"

enum severity severity_unless_known(const struct detect_ctx *x, enum severity s)
{
	return known_origin(x->core, &x->session->pub) ? SEVERITY_INFO : s;
}

const struct profile *habits_of(const struct detect_ctx *x, uint64_t days, uint64_t logins,
				bool *ret_learning)
{
	const struct session *s = &x->session->pub;
	const struct profile *own = profile_of_identity(x->core, s);
	const struct profile *all = profile_of_account(x->core, s);

	*ret_learning = false;
	if (profile_is_mature(own, days, logins, s->open_ns))
		return own;
	if (profile_is_mature(all, days, logins, s->open_ns))
		return all;
	*ret_learning = true;
	return own ? own : all;
}

bool habit_is_new(const struct detect_ctx *x, const struct profile *p, enum trait_kind kind)
{
	char value[TRAIT_VALUE];

	trait_of_session(&x->session->pub, kind, value);
	return value[0] && !profile_has(x->core, p, kind, value);
}

void say_habits(struct text *t, const struct profile *p, const struct session *s)
{
	text_add(t, "%u logins in %u days known", p->logins, core_day(s->open_ns) - p->first_day);
}

/* On a session of a mail service it is mail.abnormal_access. False: the oddity is disabled. */
static bool odd_raises_as(struct detect_ctx *x, struct fire *f)
{
	static const struct {
		unsigned index;
		const char *reason;
	} rows[] = {
		{DETECTION_origin_new_place, "new_place"},
		{DETECTION_origin_country_not_allowed, "country_not_allowed"},
		{DETECTION_origin_impossible_travel, "impossible_travel"},
		{DETECTION_origin_anonymizer, "anonymizer"},
		{DETECTION_origin_new_client, "new_client"},
		{DETECTION_origin_outside_hours, "outside_hours"},
	};

	if (!x->core->config.detections[x->index].enabled)
		return false;
	if (x->session->pub.service != SERVICE_MAIL)
		return true;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (rows[i].index != x->index)
			continue;
		x->index = DETECTION_mail_abnormal_access;
		x->detection = detections[x->index];
		f->reason = rows[i].reason;
		if (f->severity > SEVERITY_MEDIUM)
			f->severity = SEVERITY_MEDIUM;
		break;
	}
	return true;
}

struct calert *odd_alert(struct detect_ctx *x, const struct event *e, struct fire *f)
{
	bool is_new;

	return odd_raises_as(x, f) ? alert_raise(x, e, f, &is_new) : NULL;
}

struct calert *odd_raise(struct detect_ctx *x, const struct event *e, enum severity s,
			 const char *reason, bool learning)
{
	struct fire f = {.severity = severity_unless_known(x, s), .reason = reason, .count = 1};
	bool told, is_new;
	struct calert *a;

	if (!odd_raises_as(x, &f))
		return NULL;
	told = x->session->pub.anomaly_mask >> x->index & 1;
	if (learning)
		f.severity = SEVERITY_INFO;
	f.quiet = f.severity == SEVERITY_INFO;
	if (told && x->session->worst_by[x->index] >= f.severity)
		return NULL;
	if (told)
		f.count = 0; /* the same login, now that its key is known */
	f.first_ns = x->session->pub.open_ns;
	a = alert_raise(x, e, &f, &is_new);
	if (a)
		a->pub.learning = learning;
	return a;
}
