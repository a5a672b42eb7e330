/* ocsf_parts: see ocsf_parts.h. */
#include "ocsf_parts.h"

#define OCSF_VERSION "1.8.0"

static const struct {
	enum ocsf_class class;
	const char *caption, *category;
	unsigned category_uid;
} classes[] = {
	{OCSF_BASE, "Base Event", "Uncategorized", 0},
	{OCSF_FILE, "File System Activity", "System Activity", 1},
	{OCSF_PROCESS, "Process Activity", "System Activity", 1},
	{OCSF_COMPLIANCE, "Compliance Finding", "Findings", 2},
	{OCSF_DETECTION, "Detection Finding", "Findings", 2},
	{OCSF_AUTHENTICATION, "Authentication", "Identity & Access Management", 3},
	{OCSF_NETWORK, "Network Activity", "Network Activity", 4},
	{OCSF_RDP, "RDP Activity", "Network Activity", 4},
	{OCSF_SMB, "SMB Activity", "Network Activity", 4},
	{OCSF_SSH, "SSH Activity", "Network Activity", 4},
	{OCSF_TUNNEL, "Tunnel Activity", "Network Activity", 4},
	{OCSF_API, "API Activity", "Application Activity", 6},
};

void ocsf_put_pair(struct writer *w, const char *id_key, const char *key, uint64_t id,
		   const char *caption)
{
	json_put_u64(w, id_key, id);
	json_put_str(w, key, caption);
}

static void put_class(struct writer *w, struct ocsf_what what)
{
	char name[96];
	size_t i = 0;
	struct writer n;

	while (i + 1 < sizeof(classes) / sizeof(classes[0]) && classes[i].class != what.class)
		i++;
	writer_start(&n, name, sizeof(name));
	n.cut = true;
	writer_puts(&n, classes[i].caption);
	writer_puts(&n, ": ");
	writer_puts(&n, what.activity == OCSF_OTHER ? "Other" : what.name);
	writer_finish(&n);
	ocsf_put_pair(w, "activity_id", "activity_name", what.activity, what.name);
	ocsf_put_pair(w, "category_uid", "category_name", classes[i].category_uid,
		      classes[i].category);
	ocsf_put_pair(w, "class_uid", "class_name", (unsigned)what.class, classes[i].caption);
	ocsf_put_pair(w, "type_uid", "type_name", (unsigned)what.class * 100 + what.activity, name);
}

static void put_metadata(struct writer *w, const struct ocsf_head *h)
{
	json_begin(w, "metadata", '{');
	json_put_str(w, "version", OCSF_VERSION);
	json_begin(w, "product", '{');
	json_put_str(w, "name", PRODUCT);
	json_put_str(w, "vendor_name", PRODUCT);
	json_put_str(w, "version", OUTERGATE_VERSION);
	json_end(w, '}');
	json_put_str(w, "uid", h->uid);
	json_put_str(w, "correlation_uid", h->session);
	json_put_str(w, "event_code", h->code);
	if (h->sequence)
		json_put_u64(w, "sequence", h->sequence);
	if (h->device || h->container) {
		json_begin(w, "profiles", '[');
		json_put_str(w, NULL, h->device ? "host" : "");
		json_put_str(w, NULL, h->container ? "container" : "");
		json_end(w, ']');
	}
	json_end(w, '}');
}

void ocsf_put_head(struct writer *w, const struct ocsf_head *h)
{
	static const char *const captions[SEVERITY_COUNT] = {"Informational", "Low", "Medium",
							     "High", "Critical"};
	unsigned s = (unsigned)h->severity < SEVERITY_COUNT ? (unsigned)h->severity : 0;

	put_class(w, h->what);
	ocsf_put_pair(w, "severity_id", "severity", s + 1, captions[s]);
	json_put_u64(w, "time", record_ms(h->time_ns));
	put_metadata(w, h);
}

bool ocsf_has_device(const struct out_policy *p, struct span logged)
{
	return !span_empty(span_of(p->host_id)) || !span_empty(span_of(p->host_name)) ||
	       !span_empty(logged);
}

void ocsf_put_device(struct writer *w, const struct out_policy *p, struct span logged)
{
	struct span name = span_empty(span_of(p->host_name)) ? logged : span_of(p->host_name);

	if (!ocsf_has_device(p, logged))
		return;
	json_begin(w, "device", '{');
	ocsf_put_pair(w, "type_id", "type", 0, "Unknown");
	json_put_str(w, "uid", p->host_id);
	json_put_text(w, "hostname", name);
	json_put_str(w, "boot_uid", p->boot_id);
	json_end(w, '}');
}

static void put_place(struct writer *w, const struct geo *g)
{
	if (g->country[0] || g->city[0]) {
		json_begin(w, "location", '{');
		json_put_text(w, "country", span_of_array(g->country, sizeof(g->country)));
		json_put_text(w, "city", span_of_array(g->city, sizeof(g->city)));
		if (g->has_point) {
			json_put_degrees(w, "lat", g->latitude_e4);
			json_put_degrees(w, "long", g->longitude_e4);
		}
		json_end(w, '}');
	}
	if (!g->asn)
		return;
	json_begin(w, "autonomous_system", '{');
	json_put_u64(w, "number", g->asn);
	json_put_text(w, "name", span_of_array(g->as_org, sizeof(g->as_org)));
	json_end(w, '}');
}

void ocsf_put_endpoint(struct writer *w, const char *key, const struct endpoint *e,
		       const struct geo *g, const char *service)
{
	bool named = service && *service;

	if (!e->addr.family && !named)
		return;
	json_begin(w, key, '{');
	record_put_addr(w, "ip", &e->addr);
	if (e->port)
		json_put_u64(w, "port", e->port);
	json_put_str(w, "svc_name", service);
	if (g)
		put_place(w, g);
	json_end(w, '}');
}

void ocsf_put_user(struct writer *w, const char *key, struct span name)
{
	json_begin(w, key, '{');
	if (span_empty(name))
		ocsf_put_pair(w, "type_id", "type", 0, "Unknown");
	json_put_text(w, "name", span_empty(name) ? SPAN_LIT("unknown") : name);
	json_end(w, '}');
}

void ocsf_put_connection(struct writer *w, enum service s, const struct addr *a, bool out,
			 bool local, uint64_t conn)
{
	bool tcp = *record_transport(s);
	char digits[24];
	struct writer d;

	json_begin(w, "connection_info", '{');
	if (local)
		ocsf_put_pair(w, "direction_id", "direction", 4, "Local");
	else
		ocsf_put_pair(w, "direction_id", "direction", out ? 2 : 1,
			      out ? "Outbound" : "Inbound");
	if (tcp) {
		json_put_str(w, "protocol_name", "tcp");
		json_put_u64(w, "protocol_num", 6);
	}
	if (a->family)
		ocsf_put_pair(w, "protocol_ver_id", "protocol_ver", a->family,
			      a->family == ADDR_V4 ? "Internet Protocol version 4 (IPv4)"
						   : "Internet Protocol version 6 (IPv6)");
	if (conn) {
		writer_start(&d, digits, sizeof(digits));
		writer_number(&d, conn);
		writer_finish(&d);
		json_put_str(w, "uid", digits);
	}
	json_end(w, '}');
}

void ocsf_put_traffic(struct writer *w, uint64_t in, uint64_t out)
{
	json_begin(w, "traffic", '{');
	json_put_u64(w, "bytes_in", in);
	json_put_u64(w, "bytes_out", out);
	json_put_u64(w, "bytes", in + out);
	json_end(w, '}');
}

void ocsf_put_container(struct writer *w, struct span id, struct span name, struct span image,
			struct span pod)
{
	if (span_empty(id) && span_empty(name))
		return;
	json_begin(w, "container", '{');
	json_put_text(w, "uid", id);
	json_put_text(w, "name", name);
	if (!span_empty(image)) {
		json_begin(w, "image", '{');
		json_put_text(w, "uid", image);
		json_end(w, '}');
	}
	json_put_str(w, "orchestrator", span_empty(pod) ? "" : "kubernetes");
	json_end(w, '}');
}

void ocsf_put_observables(struct writer *w, const struct ocsf_observable *o, size_t n)
{
	bool any = false;

	for (size_t i = 0; i < n; i++) {
		bool addr = o[i].addr && o[i].addr->family;

		if (!addr && span_empty(o[i].user))
			continue;
		if (!any)
			json_begin(w, "observables", '[');
		any = true;
		json_begin(w, NULL, '{');
		json_put_str(w, "name", o[i].path);
		ocsf_put_pair(w, "type_id", "type", addr ? 2 : 4,
			      addr ? "IP Address" : "User Name");
		if (addr)
			record_put_addr(w, "value", o[i].addr);
		else
			json_put_text(w, "value", o[i].user);
		json_end(w, '}');
	}
	if (any)
		json_end(w, ']');
}
