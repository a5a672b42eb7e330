/*
 * alert_json: one alert as one JSON object (SPEC 4.4 and 5), one line.
 *
 * Keys are absent when unknown. `time` is the first event, `last_time` the newest. `attack` are
 * ATT&CK techniques of release `attack_version`; `det` is MITRE's detection strategy. What a person
 * is to do (triage, contain, ...) comes from the detection's own row, so every sink carries it.
 */
#include "out_parts.h"

#include "privacy.h"

#define DET "DET0354"

static void put_head(struct writer *w, const struct alert *a)
{
	const struct detection *d = a->detection;

	json_put_u64(w, "schema", ALERT_SCHEMA);
	json_put_str(w, "id", a->id);
	json_put_u64(w, "revision", a->revision);
	json_put_str(w, "state", alert_state_name(a->state));
	json_put_str(w, "previous", a->previous);
	json_put_str(w, "part_of", a->part_of);
	json_put_str(w, "detection", d->id);
	json_put_u64(w, "number", d->number);
	json_put_str(w, "severity", severity_name(a->severity));
	json_put_str(w, "reason", a->reason);
	json_put_time(w, "time", a->first_ns);
	json_put_time(w, "last_time", a->last_ns);
	json_put_u64(w, "count", a->count);
	json_put_time(w, "acknowledged", a->acked_ns);
	json_put_text(w, "note", span_of_array(a->note, sizeof(a->note)));
	json_put_str(w, "session", a->session);
}

static void put_subject(struct writer *w, const struct alert *a)
{
	json_put_str(w, "service", service_name(a->service));
	json_put_str(w, "account", a->account);
	json_put_str(w, "effective_account", a->effective_account);
	json_put_str(w, "identity", a->key[0] ? a->key : a->account);
	part_put_origin(w, &a->origin, a->scope, a->origin_source, &a->geo, &a->via);
	part_put_endpoint(w, "local", &a->local);
	json_put_str(w, "method", method_name(a->method));
	json_put_str(w, "key", a->key);
	json_put_str(w, "client", a->client);
	json_put_str(w, "stage", a->stage);
	json_put_str(w, "numbers", a->numbers);
}

static void put_meaning(struct writer *w, const struct detection *d)
{
	json_put_words(w, "attack", d->attack ? d->attack : "", ' ');
	json_put_str(w, "attack_version", ATTACK_VERSION);
	json_put_words(w, "tactics", d->tactic ? d->tactic : "", ' ');
	json_put_str(w, "det", DET);
	json_put_str(w, "analytic", d->analytic);
	json_put_words(w, "data_components", d->data_components ? d->data_components : "", ';');
}

static void put_evidence(struct writer *w, const struct alert *a)
{
	json_begin(w, "evidence", '[');
	for (uint32_t i = 0; i < a->evidence_count && i < ALERT_EVIDENCE; i++) {
		const struct alert_evidence *e = &a->evidence[i];

		json_begin(w, NULL, '{');
		json_put_time(w, "time", e->time_ns);
		json_put_str(w, "kind", event_name(e->kind));
		json_put_str(w, "trust", part_trust_name(e->trust));
		if (e->line)
			json_put_u64(w, "line", e->line);
		json_put_text(w, "text", span_of_array(e->text, sizeof(e->text)));
		json_end(w, '}');
	}
	json_end(w, ']');
}

static void put_advice(struct writer *w, const struct detection *d)
{
	json_put_str(w, "triage", d->triage);
	json_put_str(w, "contain", d->contain);
	json_put_str(w, "false_positive", d->false_positive);
	json_put_str(w, "tune", d->tune);
	json_put_str(w, "mitigation", d->mitigation);
}

void part_put_alert_rest(struct writer *w, const struct alert *a, const struct out_policy *p)
{
	json_put_bool(w, "learning", a->learning);
	json_put_bool(w, "observe", a->observe);
	if (a->test)
		json_put_bool(w, "test", true);
	put_head(w, a);
	put_subject(w, a);
	put_meaning(w, a->detection);
	put_evidence(w, a);
	put_advice(w, a->detection);
	json_put_str(w, "ledger", p->ledger ? p->ledger : "");
}

int out_alert_json(const struct alert *a, const struct out_policy *p, char *buf, size_t cap)
{
	struct alert shown;
	struct writer w;

	privacy_alert(a, p, &shown);
	writer_start(&w, buf, cap);
	json_begin(&w, NULL, '{');
	put_head(&w, &shown);
	if (a->test)
		json_put_bool(&w, "test", true);
	part_put_host(&w, p);
	put_subject(&w, &shown);
	put_meaning(&w, a->detection);
	json_put_text(&w, "sentence", span_of_array(shown.sentence, sizeof(shown.sentence)));
	put_evidence(&w, &shown);
	json_put_bool(&w, "learning", a->learning);
	json_put_bool(&w, "observe", a->observe);
	put_advice(&w, a->detection);
	json_put_str(&w, "ledger", p->ledger ? p->ledger : "");
	json_end(&w, '}');
	return writer_finish_json(&w);
}
