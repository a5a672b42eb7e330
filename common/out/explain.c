/*
 * explain: the whole story of one alert for `outergate explain`: what happened and why it counts,
 * who and where, what the session did, the evidence, and what to do about it.
 */
#include "out_parts.h"

#include "privacy.h"
#include "settings.h"

#define LABEL_WIDTH 21

static void put_heading(struct writer *w, const char *text)
{
	writer_puts(w, "\n");
	writer_puts(w, text);
	writer_puts(w, "\n");
}

/* "  Label             text"; nothing when there is no text. */
static void put_field(struct writer *w, const char *label, const char *text)
{
	if (!text || !*text)
		return;
	writer_puts(w, "  ");
	writer_column(w, label, LABEL_WIDTH);
	writer_escaped(w, span_of(text));
	writer_puts(w, "\n");
}

static void put_field_time(struct writer *w, const char *label, uint64_t ns)
{
	char buf[32];

	put_field(w, label, ns ? out_time(ns, buf) : "");
}

static void put_field_number(struct writer *w, const char *label, uint64_t v)
{
	writer_puts(w, "  ");
	writer_column(w, label, LABEL_WIDTH);
	writer_number(w, v);
	writer_puts(w, "\n");
}

static void put_field_endpoint(struct writer *w, const char *label, const struct endpoint *e)
{
	char buf[ENDPOINT_TEXT_MAX];

	if (e->addr.family != ADDR_NONE)
		put_field(w, label, part_endpoint_text(e, buf));
}

static void put_title(struct writer *w, const struct alert *a)
{
	writer_puts(w, severity_name(a->severity));
	writer_puts(w, "  ");
	writer_puts(w, a->detection->id);
	writer_puts(w, "  ");
	writer_puts(w, a->detection->title ? a->detection->title : "");
	writer_puts(w, "\n");
	put_field(w, "Alert", a->id);
	put_field(w, "State", alert_state_name(a->state));
	put_field_number(w, "Revision", a->revision);
	put_field(w, "Recurs from", a->previous);
	put_field(w, "Part of", a->part_of);
	put_field_time(w, "Acknowledged", a->acked_ns);
	put_field(w, "Note", a->note);
	if (a->learning)
		put_field(w, "Learning", "this identity is still being learned");
	if (a->observe)
		put_field(w, "Observed", "stored only: this detection does not notify");
}

static void put_what(struct writer *w, const struct alert *a)
{
	put_heading(w, "What happened");
	writer_puts(w, "  ");
	writer_escaped(w, span_of_array(a->sentence, sizeof(a->sentence)));
	writer_puts(w, "\n");
	put_field(w, "Why", a->numbers);
	put_field(w, "Reason", a->reason);
	put_field_time(w, "First", a->first_ns);
	put_field_time(w, "Last", a->last_ns);
	put_field_number(w, "Count", a->count);
	put_field(w, "Stage", a->stage);
	put_field(w, "ATT&CK", a->detection->attack);
	put_field(w, "DET0354", a->detection->analytic);
}

static void put_who(struct writer *w, const struct alert *a)
{
	put_heading(w, "Who and where");
	put_field(w, "Service", service_name(a->service));
	put_field_endpoint(w, "Origin", &a->origin);
	put_field(w, "Country", a->geo.country);
	if (a->geo.asn)
		put_field_number(w, "AS number", a->geo.asn);
	put_field(w, "AS organisation", a->geo.as_org);
	if (a->scope != SCOPE_NONE)
		put_field(w, "Origin's scope", scope_name(a->scope));
	if (a->origin_source != ORIGIN_NONE)
		put_field(w, "Origin proven by", origin_source_name(a->origin_source));
	put_field_endpoint(w, "Reached", &a->local);
	put_field(w, "Account", a->account);
	if (a->account_unknown)
		put_field(w, "", "(no such account on this host)");
	put_field(w, "Effective account", a->effective_account);
	put_field(w, "Method", method_name(a->method));
	put_field(w, "Key", a->key);
	put_field(w, "Client", a->client);
}

static void put_commands(struct writer *w, const struct session *s)
{
	char buf[32];

	for (uint32_t i = 0; i < s->commands_kept && i < SESSION_CMDS; i++) {
		const struct session_command *c = &s->commands[i];

		writer_puts(w, "    ");
		writer_puts(w, out_time(c->time_ns, buf));
		writer_puts(w, "  uid ");
		writer_number(w, c->uid);
		writer_puts(w, "  ");
		writer_escaped(w, span_of_array(c->text, sizeof(c->text)));
		writer_puts(w, "\n");
	}
}

static void put_destinations(struct writer *w, const struct session *s)
{
	char buf[ENDPOINT_TEXT_MAX];

	for (uint32_t i = 0; i < s->dests_kept && i < SESSION_DESTS; i++) {
		const struct session_dest *d = &s->dests[i];

		writer_puts(w, "    to ");
		writer_puts(w, part_endpoint_text(&d->dest, buf));
		writer_puts(w, d->service ? " " : "");
		writer_puts(w, service_name(d->service));
		writer_puts(w, " by ");
		writer_escaped(w, span_of_array(d->program, sizeof(d->program)));
		writer_puts(w, ", ");
		writer_number(w, d->count);
		writer_puts(w, d->count == 1 ? " time\n" : " times\n");
	}
}

static void put_handoffs(struct writer *w, const struct session *s)
{
	for (uint32_t i = 0; i < s->handoffs_kept && i < SESSION_HANDOFFS; i++) {
		const struct session_handoff *h = &s->handoffs[i];

		writer_puts(w, "    ");
		writer_puts(w, handoff_name(h->kind));
		writer_puts(w, " by ");
		writer_escaped(w, span_of_array(h->by, sizeof(h->by)));
		writer_puts(w, h->to[0] ? " at " : "");
		writer_escaped(w, span_of_array(h->to, sizeof(h->to)));
		if (h->state != HANDOFF_ASKED) {
			writer_puts(w, h->state == HANDOFF_JOINED ? ": started "
								  : ": possibly the cause of ");
			writer_escaped(w, span_of_array(h->what, sizeof(h->what)));
			writer_puts(w, " after ");
			writer_number(w, part_after_ms(h));
			writer_puts(w, " ms");
		}
		writer_puts(w, "\n");
	}
}

static void put_stages(struct writer *w, const struct session *s)
{
	struct session_stage stages[SESSION_STAGES];
	struct writer text;
	char buf[64];

	part_session_stages(s, stages);
	writer_start(&text, buf, sizeof(buf));
	for (unsigned i = 0; i < SESSION_STAGES; i++) {
		if (!stages[i].seen)
			continue;
		writer_puts(&text, text.len ? ", " : "");
		writer_puts(&text, stages[i].name);
	}
	writer_finish(&text);
	put_field(w, "Stages", buf);
}

static void put_session(struct writer *w, const struct session *s)
{
	put_heading(w, "The session");
	put_field(w, "Session", s->id);
	put_field(w, "State", session_state_name(s->state));
	put_field(w, "Account", s->account);
	put_field_endpoint(w, "Origin", &s->origin);
	put_field(w, "Existing", s->existing ? "yes: it was there before the agent" : "");
	put_field_time(w, "Opened", s->open_ns);
	put_field_time(w, "Closed", s->close_ns);
	put_field_number(w, "Failures before", s->failures_before);
	if (s->bytes_known) {
		put_field_number(w, "Bytes received", s->bytes_in);
		put_field_number(w, "Bytes sent", s->bytes_out);
	}
	put_stages(w, s);
	put_field_number(w, "Commands", s->commands_total);
	put_commands(w, s);
	put_field_number(w, "Destinations", s->dests_total);
	put_destinations(w, s);
	if (s->handoffs_total) {
		put_field_number(w, "Handed off", s->handoffs_total);
		put_handoffs(w, s);
	}
}

static void put_evidence(struct writer *w, const struct alert *a)
{
	char buf[32];

	put_heading(w, "Evidence");
	for (uint32_t i = 0; i < a->evidence_count && i < ALERT_EVIDENCE; i++) {
		const struct alert_evidence *e = &a->evidence[i];

		writer_puts(w, "  ");
		writer_puts(w, out_time(e->time_ns, buf));
		writer_puts(w, "  ");
		writer_column(w, event_name(e->kind), 14);
		writer_puts(w, "  ");
		writer_column(w, part_trust_name(e->trust), 9);
		writer_puts(w, "  ");
		if (e->line) {
			writer_puts(w, "line ");
			writer_number(w, e->line);
			writer_puts(w, ": ");
		}
		writer_escaped(w, span_of_array(e->text, sizeof(e->text)));
		writer_puts(w, "\n");
	}
	if (a->count > a->evidence_count)
		writer_puts(w, "  (the first and the last are kept; all are counted)\n");
}

/* "5", "15m", "256MiB": as the configuration writes it. */
static void put_value(struct writer *w, uint64_t v, enum param_unit unit)
{
	static const struct {
		enum param_unit unit;
		uint64_t size;
		const char *name;
	} units[] = {
		{UNIT_SECONDS, 86400, "d"},	 {UNIT_SECONDS, 3600, "h"},
		{UNIT_SECONDS, 60, "m"},	 {UNIT_SECONDS, 1, "s"},
		{UNIT_BYTES, 1ull << 30, "GiB"}, {UNIT_BYTES, 1ull << 20, "MiB"},
		{UNIT_BYTES, 1ull << 10, "KiB"}, {UNIT_BYTES, 1, " bytes"},
	};

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (units[i].unit != unit || v % units[i].size)
			continue;
		writer_number(w, v / units[i].size);
		writer_puts(w, units[i].name);
		return;
	}
	writer_number(w, v);
}

static void put_number_in_force(struct writer *w, const char *name, uint64_t v,
				enum param_unit unit, const char *help)
{
	writer_puts(w, "  ");
	writer_column(w, name, LABEL_WIDTH);
	put_value(w, v, unit);
	writer_puts(w, "  ");
	writer_puts(w, help);
	writer_puts(w, "\n");
}

/* What it looks for, and its numbers; c: those in force, NULL: as shipped. */
static void put_rule(struct writer *w, const struct alert *a, const struct config *c)
{
	const struct detection *d = a->detection;
	int index = detection_find(span_of(d->id));
	struct setting setting;

	put_heading(w, "The rule");
	put_field(w, "Looks for", d->title);
	put_field(w, "Its reasons", d->reasons);
	for (unsigned i = 0; i < DETECTION_PARAMS_MAX && d->params[i].name; i++)
		put_number_in_force(w, d->params[i].name,
				    c && index >= 0 ? c->detections[index].params[i]
						    : d->params[i].value,
				    d->params[i].unit, d->params[i].help);
	for (unsigned i = 0; c && setting_of(c, d->id, i, &setting); i++) {
		writer_puts(w, "  ");
		writer_column(w, setting.name, LABEL_WIDTH);
		writer_puts(w, setting.value);
		writer_puts(w, "  ");
		writer_puts(w, setting.help);
		writer_puts(w, "\n");
	}
}

/* Names of ATT&CK's mitigations (attack.mitre.org/mitigations/enterprise). */
static const char *mitigation_name(struct span id)
{
	static const struct {
		const char *id, *name;
	} rows[] = {
		{"M1018", "User Account Management"},
		{"M1021", "Restrict Web-Based Content"},
		{"M1022", "Restrict File and Directory Permissions"},
		{"M1026", "Privileged Account Management"},
		{"M1027", "Password Policies"},
		{"M1029", "Remote Data Storage"},
		{"M1030", "Network Segmentation"},
		{"M1031", "Network Intrusion Prevention"},
		{"M1032", "Multi-factor Authentication"},
		{"M1033", "Limit Software Installation"},
		{"M1035", "Limit Access to Resource Over Network"},
		{"M1036", "Account Use Policies"},
		{"M1037", "Filter Network Traffic"},
		{"M1038", "Execution Prevention"},
		{"M1042", "Disable or Remove Feature or Program"},
		{"M1045", "Code Signing"},
		{"M1047", "Audit"},
		{"M1057", "Data Loss Prevention"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (span_is(id, rows[i].id))
			return rows[i].name;
	return "";
}

static void put_prevention(struct writer *w, const char *ids)
{
	struct span left = span_of(ids ? ids : "");

	if (left.len)
		put_heading(w, "What would have prevented it");
	while (left.len) {
		const char *space = memchr(left.ptr, ' ', left.len);
		size_t n = space ? (size_t)(space - left.ptr) : left.len;
		char id[16];

		span_copy(id, sizeof(id), span_first(left, n));
		put_field(w, id, mitigation_name(span_first(left, n)));
		left = span_skip(left, n < left.len ? n + 1 : n);
	}
}

static void put_advice(struct writer *w, const struct detection *d)
{
	put_heading(w, "What to do");
	put_field(w, "Triage", d->triage);
	put_field(w, "Contain", d->contain);
	put_field(w, "False positive", d->false_positive);
	put_field(w, "Tune", d->tune);
}

int out_session_explain(const struct session *s, const struct out_policy *p, char *buf, size_t cap)
{
	struct session shown;
	struct writer w;

	privacy_session(s, p, &shown);
	writer_start(&w, buf, cap);
	put_session(&w, &shown);
	return writer_finish(&w);
}

int out_alert_explain(const struct alert *a, const struct session *s, const struct config *c,
		      const struct out_policy *p, char *buf, size_t cap)
{
	struct alert shown;
	struct session followed;
	struct writer w;

	privacy_alert(a, p, &shown);
	writer_start(&w, buf, cap);
	put_title(&w, &shown);
	put_what(&w, &shown);
	put_who(&w, &shown);
	if (s) {
		privacy_session(s, p, &followed);
		put_session(&w, &followed);
	}
	put_evidence(&w, &shown);
	put_rule(&w, &shown, c);
	put_advice(&w, a->detection);
	put_prevention(&w, a->detection->mitigation);
	return writer_finish(&w);
}
