/*
 * schema_ocsf: Open Cybersecurity Schema Framework 1.8.0, one JSON object a line.
 *
 * An alert is a Detection Finding (2004), one about a blind or lying sensor a Compliance Finding
 * (2003). A session is Authentication (3002): Logon when it opens, Logoff when it closes. Events
 * are of the class that fits what happened (ocsf_event.c). metadata.uid is the same whenever a
 * record is sent again, finding_info.uid the same for every revision of an alert. What the schema
 * has no attribute for stands under unmapped, as in the product's own JSON.
 */
#include "ocsf_parts.h"

static void put_technique(struct writer *w, const char *key, struct span id)
{
	json_begin(w, key, '{');
	json_put_text(w, "uid", id);
	json_end(w, '}');
}

/* A row lists techniques and tactics; which technique serves which tactic it does not say. */
static void put_attacks(struct writer *w, const struct detection *d)
{
	struct span rest = span_of(d->attack), word;

	if (!d->attack || !*d->attack)
		return;
	json_begin(w, "attacks", '[');
	while (record_word(&rest, &word)) {
		const char *dot = memchr(word.ptr, '.', word.len);
		size_t n = dot ? (size_t)(dot - word.ptr) : word.len;

		json_begin(w, NULL, '{');
		put_technique(w, "technique", span_first(word, n));
		if (dot)
			put_technique(w, "sub_technique", word);
		json_put_str(w, "version", ATTACK_VERSION);
		json_end(w, '}');
	}
	for (rest = span_of(d->tactic); record_word(&rest, &word);) {
		json_begin(w, NULL, '{');
		json_begin(w, "tactic", '{');
		json_put_text(w, "uid", word);
		json_put_str(w, "name", record_tactic_name(word));
		json_end(w, '}');
		json_put_str(w, "version", ATTACK_VERSION);
		json_end(w, '}');
	}
	json_end(w, ']');
}

static void put_finding(struct writer *w, const struct alert *a)
{
	const struct detection *d = a->detection;

	json_begin(w, "finding_info", '{');
	json_put_str(w, "uid", a->id);
	json_put_str(w, "title", d->title);
	json_put_text(w, "desc", span_of_array(a->sentence, sizeof(a->sentence)));
	json_begin(w, "analytic", '{');
	json_put_str(w, "uid", d->id);
	json_put_str(w, "name", d->title);
	ocsf_put_pair(w, "type_id", "type", 1, "Rule");
	json_put_str(w, "version", OUTERGATE_VERSION);
	json_put_str(w, "category", d->stage);
	json_end(w, '}');
	put_attacks(w, d);
	if (d->data_components && *d->data_components)
		json_put_words(w, "data_sources", d->data_components, ';');
	json_put_u64(w, "created_time", record_ms(a->first_ns));
	json_put_u64(w, "first_seen_time", record_ms(a->first_ns));
	json_put_u64(w, "last_seen_time", record_ms(a->last_ns));
	json_put_u64(w, "modified_time", record_ms(a->last_ns));
	json_begin(w, "types", '[');
	json_put_str(w, NULL, d->stage);
	json_end(w, ']');
	json_end(w, '}');
}

/* Who did what to whom, and each event that shows it. */
static void put_evidences(struct writer *w, const struct alert *a)
{
	json_begin(w, "evidences", '[');
	json_begin(w, NULL, '{');
	json_put_str(w, "name", "subject");
	ocsf_put_endpoint(w, "src_endpoint", &a->origin, &a->geo, NULL);
	ocsf_put_endpoint(w, "dst_endpoint", &a->local, NULL, service_name(a->service));
	ocsf_put_user(w, "user", span_of_array(a->account, sizeof(a->account)));
	if (a->origin.addr.family)
		ocsf_put_connection(w, a->service, &a->origin.addr, false, false, 0);
	json_end(w, '}');
	for (uint32_t i = 0; i < a->evidence_count && i < ALERT_EVIDENCE; i++) {
		const struct alert_evidence *e = &a->evidence[i];

		json_begin(w, NULL, '{');
		json_put_str(w, "name", event_name(e->kind));
		json_begin(w, "data", '{');
		json_put_time(w, "time", e->time_ns);
		json_put_str(w, "trust", part_trust_name(e->trust));
		json_put_text(w, "text", span_of_array(e->text, sizeof(e->text)));
		json_end(w, '}');
		json_end(w, '}');
	}
	json_end(w, ']');
}

static void put_status(struct writer *w, const struct alert *a)
{
	if (a->state == ALERT_CLOSED)
		ocsf_put_pair(w, "status_id", "status", 4, "Resolved");
	else if (a->acked_ns)
		ocsf_put_pair(w, "status_id", "status", 2, "In Progress");
	else if (a->observe)
		ocsf_put_pair(w, "status_id", "status", 3, "Suppressed");
	else
		ocsf_put_pair(w, "status_id", "status", 1, "New");
	json_put_text(w, "status_detail",
		      span_of_array(*a->reason ? a->reason : a->numbers,
				    *a->reason ? sizeof(a->reason) : sizeof(a->numbers)));
}

static struct ocsf_what finding_what(const struct alert *a, bool sensor)
{
	static const char *const names[] = {"Create", "Update", "Close"};
	unsigned i = (unsigned)a->state <= ALERT_CLOSED ? (unsigned)a->state : ALERT_UPDATED;

	return (struct ocsf_what){sensor ? OCSF_COMPLIANCE : OCSF_DETECTION, i + 1, names[i]};
}

/* A host whose sensor is blind or lied to fails what it has to fulfil. */
static void put_compliance(struct writer *w, const struct alert *a)
{
	bool over = a->state == ALERT_CLOSED;

	json_begin(w, "compliance", '{');
	json_put_str(w, "control", a->detection->id);
	json_put_str(w, "desc", a->detection->title);
	ocsf_put_pair(w, "status_id", "status", over ? 1 : 3, over ? "Pass" : "Fail");
	json_end(w, '}');
}

static void put_risk(struct writer *w, const struct alert *a)
{
	static const char *const captions[SEVERITY_COUNT] = {"Info", "Low", "Medium", "High",
							     "Critical"};
	unsigned i = (unsigned)a->severity < SEVERITY_COUNT ? (unsigned)a->severity : 0;

	json_put_bool(w, "is_alert", a->state != ALERT_CLOSED && !a->observe && !a->learning);
	ocsf_put_pair(w, "risk_level_id", "risk_level", i, captions[i]);
}

static void put_resource(struct writer *w, const struct out_policy *p)
{
	if (!ocsf_has_device(p, (struct span){0}))
		return;
	json_begin(w, "resources", '[');
	json_begin(w, NULL, '{');
	json_put_str(w, "uid", p->host_id);
	json_put_str(w, "name", p->host_name);
	json_put_str(w, "type", "host");
	ocsf_put_pair(w, "role_id", "role", 3, "Affected");
	json_end(w, '}');
	json_end(w, ']');
}

static void put_body(struct writer *w, const struct alert *a, const struct out_policy *p,
		     bool sensor)
{
	const struct ocsf_observable seen[] = {
		{"evidences[0].src_endpoint.ip", {0}, &a->origin.addr},
		{"evidences[0].dst_endpoint.ip", {0}, &a->local.addr},
		{"evidences[0].user.name", span_of_array(a->account, sizeof(a->account)), NULL},
	};

	put_status(w, a);
	json_put_text(w, "message", span_of_array(a->sentence, sizeof(a->sentence)));
	json_put_u64(w, "count", a->count < INT32_MAX ? a->count : INT32_MAX);
	json_put_u64(w, "start_time", record_ms(a->first_ns));
	json_put_u64(w, "end_time", record_ms(a->last_ns));
	json_put_text(w, "comment", span_of_array(a->note, sizeof(a->note)));
	put_finding(w, a);
	if (sensor)
		put_compliance(w, a);
	else
		put_risk(w, a);
	put_evidences(w, a);
	if (a->detection->contain && *a->detection->contain) {
		json_begin(w, "remediation", '{');
		json_put_str(w, "desc", a->detection->contain);
		json_end(w, '}');
	}
	put_resource(w, p);
	ocsf_put_device(w, p, (struct span){0});
	ocsf_put_observables(w, seen, sizeof(seen) / sizeof(seen[0]));
}

static int alert(const struct alert *given, const struct out_policy *p, char *buf, size_t cap)
{
	bool sensor = !strcmp(given->detection->stage, "sensor");
	char id[RECORD_ID_MAX];
	struct alert a;
	struct writer w;

	privacy_alert(given, p, &a);
	writer_start(&w, buf, cap);
	json_begin(&w, NULL, '{');
	ocsf_put_head(&w, &(struct ocsf_head){
				  .what = finding_what(&a, sensor),
				  .severity = a.severity,
				  .time_ns = a.last_ns ? a.last_ns : a.first_ns,
				  .uid = record_alert_id(&a, id),
				  .session = a.session,
				  .code = a.detection->id,
				  .sequence = a.revision,
			  });
	put_body(&w, &a, p, sensor);
	json_begin(&w, "unmapped", '{');
	json_begin(&w, MODULE, '{');
	part_put_alert_rest(&w, &a, p);
	json_end(&w, '}');
	json_end(&w, '}');
	json_end(&w, '}');
	return writer_finish_json(&w);
}

static struct ocsf_what session_what(const struct session *s)
{
	if (s->state == SESSION_OPEN)
		return (struct ocsf_what){OCSF_AUTHENTICATION, 1, "Logon"};
	if (s->state == SESSION_CLOSED)
		return (struct ocsf_what){OCSF_AUTHENTICATION, 2, "Logoff"};
	return (struct ocsf_what){OCSF_AUTHENTICATION, OCSF_OTHER, session_state_name(s->state)};
}

static void put_logon(struct writer *w, const struct session *s)
{
	if (s->service == SERVICE_RDP || s->service == SERVICE_RDGATEWAY || s->has_pty)
		ocsf_put_pair(w, "logon_type_id", "logon_type", 10, "Remote Interactive");
	else
		ocsf_put_pair(w, "logon_type_id", "logon_type", 3, "Network");
	if (s->method == METHOD_GSSAPI)
		ocsf_put_pair(w, "auth_protocol_id", "auth_protocol", 2, "Kerberos");
	else if (s->method != METHOD_NONE)
		ocsf_put_pair(w, "auth_protocol_id", "auth_protocol", OCSF_OTHER,
			      method_name(s->method));
	json_put_bool(w, "is_remote", s->scope != SCOPE_LOOPBACK);
	json_begin(w, "service", '{');
	json_put_str(w, "name", s->service == SERVICE_NONE ? "unknown" : service_name(s->service));
	json_end(w, '}');
	json_begin(w, "session", '{');
	json_put_str(w, "uid", s->id);
	json_put_u64(w, "created_time", record_ms(s->open_ns));
	json_put_bool(w, "is_remote", s->scope != SCOPE_LOOPBACK);
	json_put_bool(w, "is_vpn", s->service == SERVICE_VPN);
	json_end(w, '}');
}

static void put_session_body(struct writer *w, const struct session *s)
{
	struct span account = span_of_array(s->account, sizeof(s->account));
	const struct ocsf_observable seen[] = {
		{"src_endpoint.ip", {0}, &s->origin.addr},
		{"dst_endpoint.ip", {0}, &s->local.addr},
		{"user.name", account, NULL},
	};

	ocsf_put_pair(w, "status_id", "status", 1, "Success");
	if (s->open_ns)
		json_put_u64(w, "start_time", record_ms(s->open_ns));
	if (s->close_ns)
		json_put_u64(w, "end_time", record_ms(s->close_ns));
	if (s->open_ns && s->close_ns >= s->open_ns)
		json_put_u64(w, "duration", record_ms(s->close_ns - s->open_ns));
	put_logon(w, s);
	ocsf_put_user(w, "user", account);
	ocsf_put_endpoint(w, "src_endpoint", &s->origin, &s->geo, NULL);
	ocsf_put_endpoint(w, "dst_endpoint", &s->local, NULL, service_name(s->service));
	ocsf_put_observables(w, seen, sizeof(seen) / sizeof(seen[0]));
}

static int session(const struct session *given, const struct out_policy *p, char *buf, size_t cap)
{
	char id[RECORD_ID_MAX];
	struct session s;
	struct writer w;

	privacy_session(given, p, &s);
	writer_start(&w, buf, cap);
	json_begin(&w, NULL, '{');
	ocsf_put_head(&w, &(struct ocsf_head){
				  .what = session_what(&s),
				  .severity = s.fired ? s.worst : SEVERITY_INFO,
				  .time_ns = record_session_time(&s),
				  .uid = record_session_id(&s, id),
				  .session = s.id,
				  .code = "session",
				  .device = ocsf_has_device(p, (struct span){0}),
			  });
	put_session_body(&w, &s);
	ocsf_put_device(&w, p, (struct span){0});
	json_begin(&w, "unmapped", '{');
	json_begin(&w, MODULE, '{');
	part_put_session(&w, &s);
	json_end(&w, '}');
	json_end(&w, '}');
	json_end(&w, '}');
	return writer_finish_json(&w);
}

const struct out_schema schema_ocsf = {
	.name = "ocsf",
	.alert = alert,
	.session = session,
	.event = ocsf_event,
	.repeat = ",\"resend\":true",
	.closing = 2,
};
