/*
 * config: the embedded defaults, the table of all keys, and the parser's entry.
 *
 *   FailedLogonThreshold: 5
 *   TimeWindow: 15m
 *   KnownRemoteIPs: [198.51.100.0/24, {cidr: 203.0.113.7, account: backup, until: 2026-12-31}]
 *
 * A key that is designed but not built yet stands in the table as unsupported: it is an error that
 * says so, never a word that is read and has no effect.
 */
#include "config_reader.h"
#include "plat.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define CONFIG_BYTES_MAX (1u << 20) /* four times the largest file with every list full */
#define DAY_S		 86400u
#define YEAR_S		 (366 * DAY_S)

_Static_assert(sizeof(enum role) == sizeof(unsigned), "read_word() stores an unsigned");
_Static_assert(DETECTION_COUNT <= 64, "one bit a detection");

static const char *const roles[] = {"server", "bastion", "ci", NULL};
static const char *const modes[] = {"alert", "observe", NULL};
static const char *const unresolved[] = {"allow", "alert", NULL};
static const char *const unknown_accounts[] = {"hash", "keep", NULL};
static const char *const sinks[] = {"journald", "json", NULL};
static const char *const command_lines[] = {"redacted", "full", "none", NULL};

/* The same file is read once, however many entries name it. */
static int read_range_file(struct config_reader *r, const struct config_key *k, void *base)
{
	struct known_remote *n = base;
	struct config *c = r->config;
	struct config_ranges f = {0};
	unsigned i = 0;
	int err =
		read_path(r, &(struct config_key){.name = k->name, .cap = CONFIG_PATH_MAX}, f.path);

	if (err)
		return err;
	while (i < c->ranges_count && strcmp(c->ranges[i].path, f.path) != 0)
		i++;
	if (i == CONFIG_RANGES_MAX)
		return reader_fail(r, "%s: more than %u files", k->name, CONFIG_RANGES_MAX);
	if (i == c->ranges_count) {
		f.line = (unsigned)r->event.start_mark.line + 1;
		c->ranges[c->ranges_count++] = f;
	}
	n->ranges = (uint8_t)(i + 1);
	return 0;
}

/* What is left out of hours is all day, and every day. */
static void fill_hours(struct hours_rule *h)
{
	if (h->days && !h->ranges_count)
		h->ranges[h->ranges_count++] = (struct hours_range){0, 24 * 60};
	if (h->ranges_count && !h->days)
		h->days = 0x7f;
}

static int item_known(struct config_reader *r, const struct config_key *k, void *item)
{
	struct known_remote *n = item;
	int err;

	if (r->event.type == YAML_MAPPING_START_EVENT) {
		err = read_map(r, k, item);
		if (!err && !n->cidr.addr.family == !n->ranges)
			return reader_fail(r, "%s: either a cidr or a file", k->name);
		fill_hours(&n->hours);
		return err;
	}
	return read_cidr(r, &(struct config_key){.name = k->name}, item);
}

static int item_client(struct config_reader *r, const struct config_key *k, void *item)
{
	struct known_client *c = item;
	struct span s = {0};
	int err = reader_scalar(r, k, &s);

	if (err)
		return err;
	if (config_fingerprint(s)) {
		span_copy(c->key, sizeof(c->key), s);
		return 0;
	}
	c->is_cidr = true;
	if (!cidr_parse(s, &c->cidr))
		return reader_fail_value(r, k,
					 "a CIDR block without host bits or a key "
					 "fingerprint (SHA256:...)");
	return 0;
}

static int read_any_account(struct config_reader *r, const struct config_key *k, void *base)
{
	char *account = (char *)base + k->at;
	int err = read_text(r, k, base);

	if (!err && !strcmp(account, "*"))
		account[0] = '\0';
	return err;
}

static int read_scope(struct config_reader *r, const struct config_key *k, void *base)
{
	struct scope_override *o = base;
	struct span s = {0};
	int err = reader_scalar(r, k, &s);

	if (!err && !scope_from_name(s, &o->scope))
		return reader_fail_value(r, k,
					 "one of: loopback link-local private shared "
					 "reserved external");
	return err;
}

static int item_travel(struct config_reader *r, const struct config_key *k, void *item)
{
	const struct travel *t = item;
	int err = read_map(r, k, item);

	if (!err && !t->countries_count)
		return reader_fail(r, "Travel.countries is empty: it would allow nothing");
	if (!err && t->from_ns && t->until_ns && t->from_ns > t->until_ns)
		return reader_fail(r, "Travel.until is before Travel.from");
	return err;
}

/* Lists of plain values: the item itself is the value. */
static int item_account(struct config_reader *r, const struct config_key *k, void *item)
{
	return read_text(r, &(struct config_key){.name = k->name, .cap = ACCOUNT_TEXT_MAX}, item);
}

static int item_path(struct config_reader *r, const struct config_key *k, void *item)
{
	return read_path(r, &(struct config_key){.name = k->name, .cap = CONFIG_PATH_MAX}, item);
}

/* A pattern in the name of the file alone: newest.h of the agent. */
static int item_log(struct config_reader *r, const struct config_key *k, void *item)
{
	const char *path = item, *slash;
	int ret = item_path(r, k, item);

	slash = ret ? NULL : strrchr(path, '/');
	if (slash && strcspn(path, "*?[") < (size_t)(slash - path))
		return reader_fail(r, "%s: '%s' has a pattern in its directory", k->name, path);
	return ret;
}

static int read_databases(struct config_reader *r, const struct config_key *k, void *base)
{
	r->config->geo_is_default = false;
	return read_list(r, k, base);
}

static int item_cidr(struct config_reader *r, const struct config_key *k, void *item)
{
	return read_cidr(r, &(struct config_key){.name = k->name}, item);
}

static int item_sink(struct config_reader *r, const struct config_key *k, void *item)
{
	const struct config_key plain = {.name = k->name, .words = sinks};
	unsigned sink = 0;
	int err = read_word(r, &plain, &sink);

	if (!err && config_pseudonymises(r->config, (enum config_sink)sink))
		return reader_fail(r, "%s: %s is given twice", k->name, sinks[sink]);
	*(uint8_t *)item = (uint8_t)sink;
	return err;
}

#define AT(field) offsetof(struct config, field)
#define LIST(name, field, limit)                                                                   \
	static const struct config_list name = {                                                   \
		.count_at = AT(field##_count),                                                     \
		.item_size = sizeof(((struct config *)0)->field[0]),                               \
		.max = limit,                                                                      \
	}
LIST(known_list, known, CONFIG_KNOWN_MAX);
LIST(clients_list, clients, CONFIG_CLIENTS_MAX);
LIST(onward_list, onward, CONFIG_ONWARD_MAX);
LIST(shared_list, shared_accounts, CONFIG_NAMES_MAX);
LIST(applications_list, applications, CONFIG_NAMES_MAX);
LIST(automation_list, expected_automation, CONFIG_NAMES_MAX);
LIST(critical_list, critical_hosts, CONFIG_NAMES_MAX);
LIST(files_list, files, CONFIG_FILES_MAX);
LIST(relayed_list, relayed, CONFIG_RELAYED_MAX);
LIST(geo_list, geo_databases, CONFIG_GEO_MAX);
LIST(countries_list, whitelist.countries, CONFIG_COUNTRIES_MAX);
LIST(asns_list, whitelist.asns, CONFIG_ASNS_MAX);
LIST(travel_list, travel, CONFIG_TRAVEL_MAX);
LIST(pools_list, vpn_pools, CONFIG_NAMES_MAX);
LIST(allowed_list, allowed, CONFIG_NAMES_MAX);
LIST(proxies_list, proxies, CONFIG_NAMES_MAX);
LIST(ports_list, watch_ports, CONFIG_PORTS_MAX);
LIST(forwarders_list, forwarders, FORWARDERS_MAX);
LIST(receivers_list, receivers, RECEIVERS_MAX);
LIST(own_list, own, OWN_MAX);
LIST(pseudonymise_list, pseudonymise, CONFIG_SINKS);
static const struct config_list override_list = {
	.count_at = AT(scope.count),
	.item_size = sizeof(struct scope_override),
	.max = SCOPE_OVERRIDES_MAX,
};

static const struct config_list travel_countries_list = {
	.count_at = offsetof(struct travel, countries_count),
	.item_size = sizeof(((struct travel *)0)->countries[0]),
	.max = CONFIG_TRAVEL_COUNTRIES,
};

static const struct config_key known_keys[] = {
	{"KnownRemoteIPs.cidr", .read = read_cidr, .at = offsetof(struct known_remote, cidr)},
	{"KnownRemoteIPs.file", .read = read_range_file},
	{"KnownRemoteIPs.key", .read = read_fingerprint, .at = offsetof(struct known_remote, key),
	 .cap = FINGERPRINT_MAX},
	{"KnownRemoteIPs.days", .read = read_days, .at = offsetof(struct known_remote, hours.days)},
	{"KnownRemoteIPs.hours", .read = read_hour_ranges,
	 .at = offsetof(struct known_remote, hours)},
	{"KnownRemoteIPs.account", .read = read_text, .at = offsetof(struct known_remote, account),
	 .cap = ACCOUNT_TEXT_MAX},
	{"KnownRemoteIPs.service", .read = read_service,
	 .at = offsetof(struct known_remote, service)},
	{"KnownRemoteIPs.until", .read = read_until, .at = offsetof(struct known_remote, until_ns)},
	{0},
};

static const struct config_key onward_keys[] = {
	{"ExpectedOnward.from", .read = read_any_account,
	 .at = offsetof(struct expected_onward, from), .cap = ACCOUNT_TEXT_MAX},
	{"ExpectedOnward.to", .read = read_cidr, .at = offsetof(struct expected_onward, to),
	 .required = true},
	{"ExpectedOnward.service", .read = read_service,
	 .at = offsetof(struct expected_onward, service)},
	{0},
};

static const struct config_key whitelist_keys[] = {
	{"GeoIPWhitelist.countries", .read = read_list, .at = AT(whitelist.countries),
	 .list = &countries_list, .item = item_country},
	{"GeoIPWhitelist.asns", .read = read_list, .at = AT(whitelist.asns), .list = &asns_list,
	 .item = item_asn},
	{"GeoIPWhitelist.unresolved", .read = read_word_bool, .at = AT(whitelist.unresolved_alert),
	 .words = unresolved},
	{0},
};

static const char *const proxy_kinds[] = {"proxy-protocol", "xff", NULL};

static const struct config_key proxy_keys[] = {
	{"TrustedProxies.from", .read = read_cidr, .at = offsetof(struct trusted_proxy, from),
	 .required = true},
	{"TrustedProxies.port", .read = read_u32, .at = offsetof(struct trusted_proxy, port),
	 .min = 1, .max = 65535},
	{"TrustedProxies.kind", .read = read_word, .at = offsetof(struct trusted_proxy, kind),
	 .words = proxy_kinds, .required = true},
	{0},
};

static const struct config_key travel_keys[] = {
	{"Travel.account", .read = read_text, .at = offsetof(struct travel, account),
	 .cap = ACCOUNT_TEXT_MAX, .required = true},
	{"Travel.countries", .read = read_list, .at = offsetof(struct travel, countries),
	 .list = &travel_countries_list, .item = item_country, .required = true},
	{"Travel.from", .read = read_from, .at = offsetof(struct travel, from_ns)},
	{"Travel.until", .read = read_until, .at = offsetof(struct travel, until_ns)},
	{0},
};

static const struct config_key override_keys[] = {
	{"Scope.Overrides.cidr", .read = read_cidr, .at = offsetof(struct scope_override, cidr),
	 .required = true},
	{"Scope.Overrides.scope", .read = read_scope, .required = true},
	{0},
};

static const struct config_key scope_keys[] = {
	{"Scope.SharedIsLocal", .read = read_bool, .at = AT(scope.shared_is_local)},
	{"Scope.Overrides", .read = read_list, .at = AT(scope.rows), .list = &override_list,
	 .item = read_map, .sub = override_keys},
	{0},
};

static const struct config_key privacy_keys[] = {
	{"Privacy.UnknownAccounts", .read = read_word_bool, .at = AT(keep_unknown_accounts),
	 .words = unknown_accounts},
	{"Privacy.CommandLines", .read = read_word, .at = AT(command_lines),
	 .words = command_lines},
	{"Privacy.Pseudonymise", .read = read_list, .at = AT(pseudonymise),
	 .list = &pseudonymise_list, .item = item_sink},
	{0},
};

static const struct config_key retention_keys[] = {
	{"Retention.Alerts", .read = read_seconds, .at = AT(retention_alerts_s), .min = 3600,
	 .max = 10 * YEAR_S},
	{"Retention.Sessions", .read = read_seconds, .at = AT(retention_sessions_s), .min = 3600,
	 .max = 10 * YEAR_S},
	{"Retention.MaxBytes", .read = read_bytes, .at = AT(store_max_bytes), .min = 1u << 20,
	 .max = (uint64_t)1 << 40},
	{"Retention.OutboxMaxBytes", .read = read_bytes, .at = AT(outbox_max_bytes),
	 .min = 1u << 20, .max = (uint64_t)1 << 36},
	{"Retention.Profiles", .read = read_seconds, .at = AT(retention_profiles_s), .min = DAY_S,
	 .max = 10 * YEAR_S},
	{0},
};

static const struct config_key source_keys[] = {
	{"Sources.Journal", .read = read_bool, .at = AT(journal)},
	{"Sources.Files", .read = read_list, .at = AT(files), .list = &files_list,
	 .item = item_log},
	{"Sources.RelayedFiles", .read = read_list, .at = AT(relayed), .list = &relayed_list,
	 .item = item_log},
	{"Sources.WatchPorts", .read = read_list, .at = AT(watch_ports), .list = &ports_list,
	 .item = read_port},
	{0},
};

static const struct config_key output_keys[] = {
	{"Outputs.Journald", .read = read_bool, .at = AT(journald)},
	{"Outputs.Json", .read = read_bool, .at = AT(json)},
	{0},
};

/* The upper ends keep the core below 512 MiB however they are combined. */
static const struct config_key limit_keys[] = {
	{"Limits.Sessions", .read = read_u32, .at = AT(limits.sessions), .min = 64, .max = 32768},
	{"Limits.Sources", .read = read_u32, .at = AT(limits.sources), .min = 1024, .max = 1048576},
	{"Limits.Accounts", .read = read_u32, .at = AT(limits.accounts), .min = 256, .max = 65536},
	{"Limits.Connections", .read = read_u32, .at = AT(limits.conns), .min = 256, .max = 262144},
	{"Limits.Profiles", .read = read_u32, .at = AT(limits.profiles), .min = 16, .max = 65536},
	{"Limits.Alerts", .read = read_u32, .at = AT(limits.alerts), .min = 64, .max = 16384},
	{0},
};

static const struct config_key keys[] = {
	{"FailedLogonThreshold", .read = read_u32, .at = AT(failed_logon_threshold), .min = 1,
	 .max = 10000},
	{"TimeWindow", .read = read_seconds32, .at = AT(time_window_s), .min = 1, .max = DAY_S},
	{"Role", .read = read_word, .at = AT(role), .words = roles},
	{"Mode", .read = read_word_bool, .at = AT(observe), .words = modes},
	{"Scope", .read = read_map, .sub = scope_keys},
	{"KnownRemoteIPs", .read = read_list, .at = AT(known), .list = &known_list,
	 .item = item_known, .sub = known_keys},
	{"KnownSSHClients", .read = read_list, .at = AT(clients), .list = &clients_list,
	 .item = item_client},
	{"ExpectedOnward", .read = read_list, .at = AT(onward), .list = &onward_list,
	 .item = read_map, .sub = onward_keys},
	{"ExpectedAutomation", .read = read_list, .at = AT(expected_automation),
	 .list = &automation_list, .item = item_account},
	{"SharedAccounts", .read = read_list, .at = AT(shared_accounts), .list = &shared_list,
	 .item = item_account},
	{"RemoteApplications", .read = read_list, .at = AT(applications),
	 .list = &applications_list, .item = item_account},
	{"CriticalHosts", .read = read_list, .at = AT(critical_hosts), .list = &critical_list,
	 .item = item_cidr},
	{"GeoDatabases", .read = read_databases, .at = AT(geo_databases), .list = &geo_list,
	 .item = item_path},
	{"GeoIPWhitelist", .read = read_map, .sub = whitelist_keys},
	{"Travel", .read = read_list, .at = AT(travel), .list = &travel_list, .item = item_travel,
	 .sub = travel_keys},
	{"VPNPools", .read = read_list, .at = AT(vpn_pools), .list = &pools_list,
	 .item = item_cidr},
	{"Detections", .read = read_detections, .sub = config_detection_keys},
	{"Privacy", .read = read_map, .sub = privacy_keys},
	{"Retention", .read = read_map, .sub = retention_keys},
	{"Sources", .read = read_map, .sub = source_keys},
	{"Outputs", .read = read_map, .sub = output_keys},
	{"Store", .read = read_path, .at = AT(store), .cap = CONFIG_PATH_MAX},
	{"Runtime", .read = read_path, .at = AT(runtime), .cap = CONFIG_PATH_MAX},
	{"Limits", .read = read_map, .sub = limit_keys},
	{"BusinessHours", .read = read_hours, .sub = config_hours_keys},
	{"KnownVNCServers", .read = read_unsupported},
	{"AllowedCIDRs", .read = read_list, .at = AT(allowed), .list = &allowed_list,
	 .item = item_cidr},
	{"TrustedProxies", .read = read_list, .at = AT(proxies), .list = &proxies_list,
	 .item = read_map, .sub = proxy_keys},
	{"Forwarders", .read = read_list, .at = AT(forwarders), .list = &forwarders_list,
	 .item = item_forwarder, .sub = config_forward_keys},
	{"Decoders", .read = read_list, .at = AT(own), .list = &own_list, .item = item_own,
	 .sub = config_own_keys},
	{"Receivers", .read = read_list, .at = AT(receivers), .list = &receivers_list,
	 .item = item_receiver, .sub = config_receive_keys},
	{0},
};
static const struct config_key root = {"configuration", read_map, .sub = keys};

/* Walks depth first; *index counts down to the one wanted. */
static const char *key_at(const struct config_key *table, unsigned *index)
{
	for (const struct config_key *k = table; k && k->name; k++) {
		const char *inside;

		if (k->read == read_unsupported)
			continue;
		if ((*index)-- == 0)
			return k->name;
		inside = key_at(k->sub, index);
		if (inside)
			return inside;
	}
	return NULL;
}

bool config_pseudonymises(const struct config *c, enum config_sink sink)
{
	for (unsigned i = 0; i < c->pseudonymise_count; i++)
		if (c->pseudonymise[i] == sink)
			return true;
	return false;
}

const char *config_key_at(unsigned index)
{
	return key_at(keys, &index);
}

/* Keys that are checked and kept for detections of a later version. Zero is their default. */
static const struct {
	const char *name;
	size_t at; /* of an unsigned */
} idle[] = {
	{"Role", AT(role)},
};

const char *config_idle_at(const struct config *c, unsigned index)
{
	for (unsigned i = 0; i < sizeof(idle) / sizeof(idle[0]); i++) {
		unsigned v;

		memcpy(&v, (const char *)c + idle[i].at, sizeof(v));
		if (v && index-- == 0)
			return idle[i].name;
	}
	return NULL;
}

static void detections_default(struct config *c)
{
	for (unsigned i = 0; i < DETECTION_COUNT; i++) {
		c->detections[i].enabled = true;
		for (unsigned j = 0; j < DETECTION_PARAMS_MAX; j++)
			c->detections[i].params[j] = detections[i]->params[j].value;
	}
}

void config_defaults(struct config *ret)
{
	static const char *const files[] = {"/var/log/auth.log", "/var/log/secure"};
	/* Of tools/geo.sh; and of libloc, whose package and updater both put it there. */
	static const char *const geo[] = {PLAT_GEO "country.mmdb", "/var/lib/location/database.db"};
	static const uint16_t watched[] = {22, 135, 139, 445, 593}; /* ssh; SMB and RPC */

	memset(ret, 0, sizeof(*ret));
	ret->failed_logon_threshold = 5;
	ret->time_window_s = 15 * 60;
	detections_default(ret);
	ret->retention_alerts_s = 90 * DAY_S;
	ret->retention_sessions_s = 30 * DAY_S;
	ret->retention_profiles_s = 180 * DAY_S;
	ret->store_max_bytes = 256u << 20;
	ret->outbox_max_bytes = 256u << 20;
	ret->journal = ret->journald = true;
	for (unsigned i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		span_copy(ret->files[ret->files_count++], CONFIG_PATH_MAX, span_of(files[i]));
	ret->files_own = ret->files_count;
	for (unsigned i = 0; i < sizeof(geo) / sizeof(geo[0]); i++)
		span_copy(ret->geo_databases[ret->geo_databases_count++], CONFIG_PATH_MAX,
			  span_of(geo[i]));
	ret->geo_is_default = true;
	for (size_t i = 0; i < sizeof(watched) / sizeof(watched[0]); i++)
		ret->watch_ports[ret->watch_ports_count++] = watched[i];
	span_copy(ret->store, CONFIG_PATH_MAX, SPAN_LIT(PLAT_STORE));
	span_copy(ret->runtime, CONFIG_PATH_MAX, SPAN_LIT(PLAT_RUN));
	ret->limits = (struct config_limits){
		.sessions = 512,
		.sources = 65536,
		.accounts = 4096,
		.conns = 4096,
		.procs = 16384,
		.alerts = 512,
		.profiles = 512,
	};
}

/* From the start of the stream to its end: at most one document, one map. */
static int read_stream(struct config_reader *r)
{
	int err = reader_next(r);

	if (!err)
		err = reader_next(r);
	if (err || r->event.type == YAML_STREAM_END_EVENT)
		return err;
	err = reader_next(r);
	if (err)
		return err;
	if (r->event.type != YAML_SCALAR_EVENT || r->event.data.scalar.length)
		err = read_map(r, &root, r->config);
	if (!err)
		err = reader_next(r);
	if (!err)
		err = reader_next(r);
	if (!err && r->event.type != YAML_STREAM_END_EVENT)
		return reader_fail(r, "a second document; one is enough");
	return err;
}

/* A detection without a Mode of its own has the global one. */
static void modes_inherit(struct config_reader *r)
{
	for (unsigned i = 0; i < DETECTION_COUNT; i++)
		if (!(r->mode_is_own >> i & 1))
			r->config->detections[i].observe = r->config->observe;
}

static int parse_into(struct config_reader *r, const char *text, size_t len)
{
	int err;

	/* UTF-8 is said, not guessed, so the mark that some editors write is skipped here. */
	if (len >= 3 && !memcmp(text, "\xef\xbb\xbf", 3)) {
		text += 3;
		len -= 3;
	}
	if (!yaml_parser_initialize(&r->yaml)) {
		snprintf(r->err, CONFIG_ERROR_MAX, "%.120s: out of memory", r->name);
		return -ENOMEM;
	}
	r->text = text;
	r->len = len;
	yaml_parser_set_encoding(&r->yaml, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&r->yaml, (const unsigned char *)text, len);
	err = read_stream(r);
	if (!err)
		modes_inherit(r);
	yaml_event_delete(&r->event);
	yaml_parser_delete(&r->yaml);
	return err;
}

/* One list for who reads them. */
static int files_join(struct config_reader *r)
{
	struct config *c = r->config;

	c->files_own = c->files_count;
	for (unsigned i = 0; i < c->relayed_count; i++) {
		for (unsigned k = 0; k < c->files_own; k++)
			if (!strcmp(c->files[k], c->relayed[i])) {
				snprintf(r->err, CONFIG_ERROR_MAX,
					 "%.120s: Sources: %.120s is in Files and in RelayedFiles",
					 r->name, c->relayed[i]);
				return -EINVAL;
			}
		if (c->files_count == CONFIG_FILES_MAX) {
			snprintf(r->err, CONFIG_ERROR_MAX,
				 "%.120s: Sources: more than %d files in all", r->name,
				 CONFIG_FILES_MAX);
			return -EINVAL;
		}
		memcpy(c->files[c->files_count++], c->relayed[i], CONFIG_PATH_MAX);
	}
	return 0;
}

int config_parse(const char *text, size_t len, const char *name, struct config *ret,
		 char err[CONFIG_ERROR_MAX])
{
	struct config_reader r = {.name = name, .err = err};
	int result;

	err[0] = '\0';
	if (len > CONFIG_BYTES_MAX) {
		snprintf(err, CONFIG_ERROR_MAX, "%.120s:1: larger than 1 MiB", name);
		return -EFBIG;
	}
	r.config = malloc(sizeof(*r.config));
	if (!r.config) {
		snprintf(err, CONFIG_ERROR_MAX, "%.120s: out of memory", name);
		return -ENOMEM;
	}
	config_defaults(r.config);
	result = parse_into(&r, text, len);
	if (!result)
		result = files_join(&r);
	if (!result)
		memcpy(ret, r.config, sizeof(*ret));
	free(r.own_examples);
	free(r.config);
	return result;
}
