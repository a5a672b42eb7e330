/* out_parts: see out_parts.h. */
#include "out_parts.h"

static void put_endpoint_members(struct writer *w, const struct endpoint *e)
{
	char buf[ADDR_TEXT_MAX];

	json_put_str(w, "address", addr_format(&e->addr, buf));
	if (e->port)
		json_put_u64(w, "port", e->port);
}

static bool endpoint_empty(const struct endpoint *e)
{
	return e->addr.family == ADDR_NONE && e->port == 0;
}

void part_put_endpoint(struct writer *w, const char *key, const struct endpoint *e)
{
	if (endpoint_empty(e))
		return;
	json_begin(w, key, '{');
	put_endpoint_members(w, e);
	json_end(w, '}');
}

void part_put_origin(struct writer *w, const struct endpoint *e, enum scope scope,
		     enum origin_source source, const struct geo *g, const struct endpoint *via)
{
	if (endpoint_empty(e))
		return;
	json_begin(w, "origin", '{');
	put_endpoint_members(w, e);
	if (scope != SCOPE_NONE)
		json_put_str(w, "scope", scope_name(scope));
	if (source != ORIGIN_NONE)
		json_put_str(w, "source", origin_source_name(source));
	if (g->country[0])
		json_put_str(w, "country", g->country);
	if (g->asn)
		json_put_u64(w, "asn", g->asn);
	if (g->as_org[0])
		json_put_str(w, "as_org", g->as_org);
	if (g->has_point) {
		json_put_degrees(w, "latitude", g->latitude_e4);
		json_put_degrees(w, "longitude", g->longitude_e4);
		json_put_u64(w, "radius_km", g->radius_km);
	}
	if (!endpoint_empty(via)) {
		json_begin(w, "via", '[');
		part_put_endpoint(w, NULL, via);
		json_end(w, ']');
	}
	json_end(w, '}');
}

void part_put_host(struct writer *w, const struct out_policy *p)
{
	json_put_str(w, "host_id", p->host_id);
	json_put_str(w, "boot_id", p->boot_id);
	json_put_str(w, "host_name", p->host_name);
}

const char *part_trust_name(enum trust t)
{
	static const char *const names[] = {"text", "forged", "transport", "kernel"};

	return (unsigned)t < sizeof(names) / sizeof(names[0]) ? names[t] : "";
}

_Static_assert(DETECTION_COUNT <= 64, "anomaly_mask has a bit a detection");

/* Did a detection of that stage fire on the session? */
static bool stage_fired(const struct session *s, const char *stage)
{
	for (unsigned i = 0; i < DETECTION_COUNT; i++)
		if (s->anomaly_mask >> i & 1 && !strcmp(detections[i]->stage, stage))
			return true;
	return false;
}

void part_session_stages(const struct session *s, struct session_stage ret[SESSION_STAGES])
{
	bool active = s->has_shell || s->has_transfer || s->has_forward || s->commands_total ||
		      s->dests_total;

	ret[0] = (struct session_stage){"attempts",
					s->failures_before > 0 || stage_fired(s, "attempts")};
	ret[1] = (struct session_stage){"access", s->open_ns != 0};
	ret[2] = (struct session_stage){"anomaly", stage_fired(s, "anomaly")};
	ret[3] = (struct session_stage){"activity", active || stage_fired(s, "activity")};
}

const char *part_endpoint_text(const struct endpoint *e, char buf[ENDPOINT_TEXT_MAX])
{
	char addr[ADDR_TEXT_MAX];
	struct writer w;

	addr_format(&e->addr, addr);
	writer_start(&w, buf, ENDPOINT_TEXT_MAX);
	if (e->port && e->addr.family == ADDR_V6)
		writer_bytes(&w, "[", 1);
	writer_puts(&w, e->addr.family == ADDR_NONE ? "-" : addr);
	if (e->port && e->addr.family == ADDR_V6)
		writer_bytes(&w, "]", 1);
	if (e->port && e->addr.family != ADDR_NONE) {
		writer_bytes(&w, ":", 1);
		writer_number(&w, e->port);
	}
	writer_finish(&w);
	return buf;
}

uint64_t part_after_ms(const struct session_handoff *h)
{
	return h->born_ns > h->time_ns ? (h->born_ns - h->time_ns) / 1000000 : 0;
}
