/* status_json: see the header. */
#include "status_json.h"

#include "common/config_expiry.h"
#include "common/out/out.h"

json_t *status_counters(struct core *core)
{
	const struct stats *st = core_stats(core);
	json_t *o = json_object();

#define STAT(name, help) json_object_set_new(o, #name, json_integer((json_int_t)st->name));
#include "common/stats.def"
#undef STAT
	return o;
}

json_t *status_sessions(const struct core *core)
{
	json_int_t live = 0, existing = 0;
	const struct session *s;

	for (unsigned i = 0; (s = core_session_at(core, i)); i++) {
		live += s->state != SESSION_CLOSED;
		existing += s->state != SESSION_CLOSED && s->existing;
	}
	return json_pack("{sI sI}", "live", live, "existing", existing);
}

json_t *status_exceptions(const struct core *core, const struct config *c)
{
	json_t *a = json_array();
	char until[32];

	for (unsigned i = 0; i < c->exceptions_count; i++) {
		const struct config_exception *x = &c->exceptions[i];

		json_array_append_new(a, json_pack("{ss ss ss sI}", "detection",
						   detections[x->detection]->id, "reason",
						   x->reason, "until",
						   x->until_ns ? out_time(x->until_ns, until) : "",
						   "count", (json_int_t)core_excepted(core, i)));
	}
	return a;
}

json_t *status_expiries(const struct config *c, uint64_t now_ns)
{
	char text[CONFIG_EXPIRY_TEXT + 64];
	struct config_expiry x;
	json_t *a = json_array();

	for (unsigned i = 0; config_expiry_at(c, i, &x); i++)
		if (config_expiry_say(&x, now_ns, text, sizeof(text)) != EXPIRY_FAR)
			json_array_append_new(a, json_string(text));
	return a;
}

json_t *status_geo(const struct geo_files *g)
{
	static const char *const states[] = {"absent", "on", "failed"};
	json_t *a = json_array();

	for (unsigned i = 0; i < g->count; i++) {
		const struct geo_file *f = &g->files[i];
		const struct geo_db *db = &g->set.dbs[i];
		const char *who = geo_db_attribution(db, f->path);
		char built[32] = "";

		if (db->built_s)
			out_time(db->built_s * 1000000000, built);
		json_array_append_new(a, json_pack("{ss ss ss ss ss ss sb sb sb sb}", "path",
						   f->path, "state", states[f->state], "reason",
						   f->reason, "type", db->type, "built", built,
						   "attribution", who ? who : "", "countries",
						   (db->fields & GEO_FIELD_COUNTRY) != 0, "places",
						   (db->fields & GEO_FIELD_POINT) != 0, "networks",
						   (db->fields & GEO_FIELD_NETWORK) != 0, "flags",
						   (db->fields & GEO_FIELD_FLAGS) != 0));
	}
	return a;
}

void status_geo_unseen(const struct geo_files *g, json_t *a)
{
	static const struct {
		uint32_t field;
		const char *text;
	} needs[] = {
		{GEO_FIELD_COUNTRY, "countries of origins, and origin.country_not_allowed (no "
				    "database in use knows countries)"},
		{GEO_FIELD_NETWORK, "networks (AS numbers) of origins (no database in use knows "
				    "them)"},
		{GEO_FIELD_POINT, "origin.impossible_travel (no database in use knows places, only "
				  "countries)"},
		{GEO_FIELD_FLAGS, "origin.anonymizer (no database in use flags anonymizers)"},
	};
	uint32_t fields = geo_set_fields(&g->set);

	for (size_t i = 0; i < sizeof(needs) / sizeof(needs[0]); i++)
		if (!(fields & needs[i].field))
			json_array_append_new(a, json_string(needs[i].text));
}
