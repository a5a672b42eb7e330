/* ecs_parts: see ecs_parts.h. */
#include "ecs_parts.h"

#define ECS_VERSION "9.4.0"

void ecs_put_words(struct writer *w, const char *key, const char *words)
{
	json_put_words(w, key, words, ' ');
}

void ecs_put_base(struct writer *w, const struct out_policy *p, uint64_t time_ns)
{
	char time[32];

	json_put_str(w, "@timestamp", out_time(time_ns, time)); /* required: 1970 when not known */
	json_begin(w, "ecs", '{');
	json_put_str(w, "version", ECS_VERSION);
	json_end(w, '}');
	json_begin(w, "agent", '{');
	json_put_str(w, "type", MODULE);
	json_put_str(w, "version", OUTERGATE_VERSION);
	json_put_str(w, "id", p->host_id);
	json_end(w, '}');
}

void ecs_put_host(struct writer *w, const struct out_policy *p, struct span logged)
{
	struct span name = span_empty(span_of(p->host_name)) ? logged : span_of(p->host_name);

	if (span_empty(span_of(p->host_id)) && span_empty(span_of(p->boot_id)) && span_empty(name))
		return;
	json_begin(w, "host", '{');
	json_put_str(w, "id", p->host_id);
	json_put_text(w, "name", name);
	json_put_text(w, "hostname", name);
	if (!span_empty(span_of(p->boot_id))) {
		json_begin(w, "boot", '{');
		json_put_str(w, "id", p->boot_id);
		json_end(w, '}');
	}
	json_end(w, '}');
}

static void put_geo(struct writer *w, const struct geo *g)
{
	if (g->asn) {
		json_begin(w, "as", '{');
		json_put_u64(w, "number", g->asn);
		if (g->as_org[0]) {
			json_begin(w, "organization", '{');
			json_put_text(w, "name", span_of_array(g->as_org, sizeof(g->as_org)));
			json_end(w, '}');
		}
		json_end(w, '}');
	}
	if (!g->country[0] && !g->city[0] && !g->has_point)
		return;
	json_begin(w, "geo", '{');
	json_put_text(w, "country_iso_code", span_of_array(g->country, sizeof(g->country)));
	json_put_text(w, "city_name", span_of_array(g->city, sizeof(g->city)));
	if (g->has_point) {
		json_begin(w, "location", '{');
		json_put_degrees(w, "lat", g->latitude_e4);
		json_put_degrees(w, "lon", g->longitude_e4);
		json_end(w, '}');
	}
	json_end(w, '}');
}

/* aa:bb:cc:dd:ee:ff in the form of RFC 7042. */
static void put_mac(struct writer *w, struct span mac)
{
	char text[17];

	if (mac.len != sizeof(text))
		return;
	for (unsigned i = 0; i < sizeof(text); i++) {
		char c = mac.ptr[i];

		if (i % 3 == 2 ? c != ':' && c != '-'
			       : !((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') ||
				   (c >= 'A' && c <= 'F')))
			return;
		text[i] = i % 3 == 2 ? '-' : (char)(c >= 'a' ? c - 'a' + 'A' : c);
	}
	json_put_text(w, "mac", (struct span){text, sizeof(text)});
}

void ecs_put_end(struct writer *w, struct ecs_end e)
{
	if (!e.at->addr.family && !e.at->port && !e.bytes_known)
		return;
	json_begin(w, e.key, '{');
	record_put_addr(w, "address", &e.at->addr);
	record_put_addr(w, "ip", &e.at->addr);
	if (e.at->port)
		json_put_u64(w, "port", e.at->port);
	if (e.bytes_known)
		json_put_u64(w, "bytes", e.bytes);
	put_mac(w, e.mac);
	if (e.geo)
		put_geo(w, e.geo);
	json_end(w, '}');
}

void ecs_put_network(struct writer *w, enum service s, const struct addr *a, bool out,
		     bool bytes_known, uint64_t bytes)
{
	if (s == SERVICE_NONE && !a->family)
		return;
	json_begin(w, "network", '{');
	json_put_str(w, "direction", out ? "egress" : "ingress");
	json_put_str(w, "transport", record_transport(s));
	json_put_str(w, "protocol", *record_transport(s) ? service_name(s) : "");
	if (a->family)
		json_put_str(w, "type", a->family == ADDR_V4 ? "ipv4" : "ipv6");
	if (bytes_known)
		json_put_u64(w, "bytes", bytes);
	json_end(w, '}');
}

void ecs_put_service(struct writer *w, enum service s)
{
	if (s == SERVICE_NONE)
		return;
	json_begin(w, "service", '{');
	json_put_str(w, "type", service_name(s));
	json_end(w, '}');
}

void ecs_put_user(struct writer *w, struct span name, struct span effective, bool has_id,
		  uint32_t id)
{
	char digits[12];
	struct writer d;

	if (span_empty(name) && span_empty(effective) && !has_id)
		return;
	json_begin(w, "user", '{');
	json_put_text(w, "name", name);
	if (has_id) {
		writer_start(&d, digits, sizeof(digits));
		writer_number(&d, id);
		writer_finish(&d);
		json_put_str(w, "id", digits);
	}
	if (!span_empty(effective)) {
		json_begin(w, "effective", '{');
		json_put_text(w, "name", effective);
		json_end(w, '}');
	}
	json_end(w, '}');
}

void ecs_relate_addr(struct ecs_related *r, const struct addr *a)
{
	for (unsigned i = 0; i < r->addrs; i++)
		if (addr_eq(r->addr[i], a))
			return;
	if (a->family && r->addrs < RELATED_MAX)
		r->addr[r->addrs++] = a;
}

void ecs_relate_user(struct ecs_related *r, struct span s)
{
	for (unsigned i = 0; i < r->users; i++)
		if (span_eq(r->user[i], s))
			return;
	if (!span_empty(s) && r->users < sizeof(r->user) / sizeof(r->user[0]))
		r->user[r->users++] = s;
}

void ecs_put_related(struct writer *w, const struct ecs_related *r, const struct out_policy *p)
{
	if (!r->addrs && !r->users && span_empty(span_of(p->host_name)))
		return;
	json_begin(w, "related", '{');
	if (r->addrs) {
		json_begin(w, "ip", '[');
		for (unsigned i = 0; i < r->addrs; i++)
			record_put_addr(w, NULL, r->addr[i]);
		json_end(w, ']');
	}
	if (r->users) {
		json_begin(w, "user", '[');
		for (unsigned i = 0; i < r->users; i++)
			json_put_text(w, NULL, r->user[i]);
		json_end(w, ']');
	}
	if (!span_empty(span_of(p->host_name))) {
		json_begin(w, "hosts", '[');
		json_put_str(w, NULL, p->host_name);
		json_end(w, ']');
	}
	json_end(w, '}');
}

/* How the session of these processes came in: the schema's own question. */
void ecs_put_entry(struct writer *w, enum service s, const struct addr *origin)
{
	json_begin(w, "entry_leader", '{');
	json_begin(w, "entry_meta", '{');
	json_put_str(w, "type", s == SERVICE_SSH ? "sshd" : service_name(s));
	if (origin->family) {
		json_begin(w, "source", '{');
		record_put_addr(w, "ip", origin);
		json_end(w, '}');
	}
	json_end(w, '}');
	json_end(w, '}');
}

/* As Elastic's own rules weigh them. */
static const struct {
	uint64_t severity, risk;
} weights[SEVERITY_COUNT] = {{1, 1}, {2, 21}, {3, 47}, {4, 73}, {5, 99}};

void ecs_put_weight(struct writer *w, enum severity s)
{
	unsigned i = (unsigned)s < SEVERITY_COUNT ? (unsigned)s : 0;

	json_put_u64(w, "severity", weights[i].severity);
	json_put_u64(w, "risk_score", weights[i].risk);
}

void ecs_put_container(struct writer *w, struct span id, struct span name, struct span image,
		       struct span pod)
{
	const char *slash = pod.len ? memchr(pod.ptr, '/', pod.len) : NULL;
	size_t ns = slash ? (size_t)(slash - pod.ptr) : 0;

	if (!span_empty(id) || !span_empty(name) || !span_empty(image)) {
		json_begin(w, "container", '{');
		json_put_text(w, "id", id);
		json_put_text(w, "name", name);
		if (!span_empty(image)) {
			json_begin(w, "image", '{');
			json_put_text(w, "name", image);
			json_end(w, '}');
		}
		json_end(w, '}');
	}
	if (span_empty(pod))
		return;
	json_begin(w, "orchestrator", '{');
	json_put_str(w, "type", "kubernetes");
	json_put_text(w, "namespace", span_first(pod, ns));
	json_begin(w, "resource", '{');
	json_put_str(w, "type", "pod");
	json_put_text(w, "name", slash ? span_skip(pod, ns + 1) : pod);
	json_end(w, '}');
	json_end(w, '}');
}
