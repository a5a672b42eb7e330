/*
 * config: every operator's word, as plain data. Filled from YAML by config_parse(), read by the
 * core and the agent. MITRE DET0354's mutable elements keep their own names.
 *
 * config_parse() is all or nothing: on an error *ret is untouched and err holds one sentence with
 * line and reason. It does no I/O; the caller reads the file.
 */
#ifndef OUTERGATE_CONFIG_H
#define OUTERGATE_CONFIG_H

#include "config_forward.h"
#include "config_receive.h"
#include "decode/own.h"
#include "detect/detection.h"
#include "ranges.h"
#include "scope.h"
#include "zone.h"

/* Lists are bounded so that the core needs no allocation; the parser says so when one is full. */
#define CONFIG_KNOWN_MAX      256
#define CONFIG_CLIENTS_MAX    256
#define CONFIG_ONWARD_MAX     128
#define CONFIG_FILES_MAX      16
#define CONFIG_RELAYED_MAX    8
#define CONFIG_PORTS_MAX      64
#define CONFIG_NAMES_MAX      64
#define CONFIG_EXCEPTIONS_MAX 128
#define CONFIG_PATH_MAX	      256
#define CONFIG_TEXT_MAX	      96
#define CONFIG_ERROR_MAX      320
#define ACCOUNT_TEXT_MAX      64
#define CONFIG_CAUSE_MAX      32

/* Of places and networks. */
#define CONFIG_GEO_MAX		8
#define CONFIG_COUNTRIES_MAX	256 /* all there are */
#define CONFIG_ASNS_MAX		256
#define CONFIG_TRAVEL_MAX	64
#define CONFIG_TRAVEL_COUNTRIES 16

#define HOURS_RANGES_MAX 4

/* A range of minutes of the local day; to below from goes on past midnight. */
struct hours_range {
	uint16_t from, to;
};

/* When it is business: on those days (bit 0 = Monday) in those ranges. */
struct hours_rule {
	uint8_t days;
	uint8_t ranges_count;
	struct hours_range ranges[HOURS_RANGES_MAX];
};

#define CONFIG_RANGES_MAX 4
#define FINGERPRINT_MAX	  51 /* "SHA256:", 43 characters and the NUL */

/* A file of many blocks, as a provider publishes them. */
struct config_ranges {
	char path[CONFIG_PATH_MAX];
	unsigned line;		     /* where the configuration names it */
	const struct range_set *set; /* NULL until the caller has read it: nobody is in it */
};

/*
 * KnownRemoteIPs: a CIDR or a file of them, optionally bound to an account, a key or a service, to
 * hours of the week, and to an end.
 */
struct known_remote {
	struct cidr cidr;
	uint8_t ranges;			/* 0: the cidr; else ranges[ranges - 1] */
	char account[ACCOUNT_TEXT_MAX]; /* "" = any */
	char key[FINGERPRINT_MAX];	/* "" = any */
	enum service service;		/* NONE = any */
	struct hours_rule hours;	/* days 0 = always; in BusinessHours.timezone */
	uint64_t until_ns;		/* 0 = for ever */
};

/* KnownSSHClients: a CIDR or a key fingerprint ("SHA256:..."). */
struct known_client {
	bool is_cidr;
	struct cidr cidr;
	char key[CONFIG_TEXT_MAX];
};

/* ExpectedOnward: account ("" or "*" = any) goes from this host to a CIDR by a service. */
struct expected_onward {
	char from[ACCOUNT_TEXT_MAX];
	struct cidr to;
	enum service service; /* NONE = any */
};

/* GeoIPWhitelist: allowed if country or ASN matches; both lists empty = off. */
struct geo_whitelist {
	char countries[CONFIG_COUNTRIES_MAX][3];
	unsigned countries_count;
	uint32_t asns[CONFIG_ASNS_MAX];
	unsigned asns_count;
	bool unresolved_alert; /* a place that no database knows */
};

/* TrustedProxies: who may say whom they speak for, to which of our ports, and how. */
enum proxy_kind {
	PROXY_KIND_HEADER, /* a PROXY header, version 1 or 2 */
	PROXY_KIND_XFF,	   /* the last address of X-Forwarded-For */
};
struct trusted_proxy {
	struct cidr from;
	uint32_t port; /* 0 = any */
	uint32_t kind; /* enum proxy_kind */
};

/* Travel: that account may come from those countries, from a day to a day. */
struct travel {
	char account[ACCOUNT_TEXT_MAX];
	char countries[CONFIG_TRAVEL_COUNTRIES][3];
	unsigned countries_count;
	uint64_t from_ns, until_ns; /* 0 = open */
};

/* Detections.<id>.exceptions: all given fields must match; an expired one is inert. */
struct config_exception {
	uint16_t detection; /* index */
	bool has_origin;
	struct cidr origin;
	char account[ACCOUNT_TEXT_MAX];
	enum service service;
	enum method method; /* NONE = any */
	uint16_t port;	    /* of our listener; 0 = any */
	uint32_t asn;	    /* 0 = any */
	char country[3];
	char cause[CONFIG_CAUSE_MAX]; /* the alert's reason */
	char effective_account[ACCOUNT_TEXT_MAX];
	char client[ACCOUNT_TEXT_MAX]; /* all of what it calls itself */
	char key[CONFIG_TEXT_MAX];
	char reason[CONFIG_TEXT_MAX]; /* why the operator wants it; required */
	uint64_t until_ns;	      /* 0 = for ever */
};

struct config_detection {
	bool enabled;
	bool observe; /* in force: its own Mode, else the global one */
	bool has_severity;
	enum severity severity;
	uint64_t params[DETECTION_PARAMS_MAX]; /* in force, in the row's order */
};

#define HOURS_HOLIDAYS_MAX  64
#define HOURS_OVERRIDES_MAX 32

/* For an account, or whoever is in a group of this host: instead of the general rule. */
struct hours_override {
	char account[ACCOUNT_TEXT_MAX], group[ACCOUNT_TEXT_MAX];
	struct hours_rule rule;
};

/* BusinessHours; days 0 = not configured. The zone is UTC until the caller resolved zone_name. */
struct business_hours {
	struct hours_rule rule;
	struct zone zone;
	char zone_name[64]; /* or a POSIX rule, as the configuration says it; "" = UTC */
	unsigned zone_line; /* of a name, which the caller resolves; else 0 */
	int32_t holidays[HOURS_HOLIDAYS_MAX]; /* days since 1970, there */
	unsigned holidays_count;
	struct hours_override overrides[HOURS_OVERRIDES_MAX];
	unsigned overrides_count;
};

/* Where alerts are sent; the store is none: it has the truth. */
enum config_sink {
	CONFIG_SINK_JOURNALD,
	CONFIG_SINK_JSON,
	CONFIG_SINKS
};

enum role {
	ROLE_SERVER,
	ROLE_BASTION,
	ROLE_CI
};

struct config_limits {
	uint32_t sessions; /* live and recently closed */
	uint32_t sources;  /* tracked origins */
	uint32_t accounts;
	uint32_t conns;	   /* unproven connections */
	uint32_t procs;	   /* processes of sessions */
	uint32_t alerts;   /* open alerts */
	uint32_t profiles; /* identities whose habits are known */
};

struct config {
	uint32_t failed_logon_threshold; /* fires on MORE than this */
	uint32_t time_window_s;
	enum role role;
	bool observe; /* Mode, of what has none of its own */
	struct business_hours hours;
	struct scope_rules scope;

	struct known_remote known[CONFIG_KNOWN_MAX];
	unsigned known_count;
	struct config_ranges ranges[CONFIG_RANGES_MAX];
	unsigned ranges_count;
	struct known_client clients[CONFIG_CLIENTS_MAX];
	unsigned clients_count;
	struct expected_onward onward[CONFIG_ONWARD_MAX];
	unsigned onward_count;
	char shared_accounts[CONFIG_NAMES_MAX][ACCOUNT_TEXT_MAX];
	unsigned shared_accounts_count;
	char applications[CONFIG_NAMES_MAX][ACCOUNT_TEXT_MAX]; /* RemoteApplications */
	unsigned applications_count;
	char expected_automation[CONFIG_NAMES_MAX][ACCOUNT_TEXT_MAX];
	unsigned expected_automation_count;
	struct cidr critical_hosts[CONFIG_NAMES_MAX];
	unsigned critical_hosts_count;

	struct geo_whitelist whitelist;
	struct travel travel[CONFIG_TRAVEL_MAX];
	unsigned travel_count;
	struct cidr
		allowed[CONFIG_NAMES_MAX]; /* AllowedCIDRs: may use container APIs from outside */
	unsigned allowed_count;
	struct trusted_proxy proxies[CONFIG_NAMES_MAX];
	unsigned proxies_count;
	struct cidr vpn_pools[CONFIG_NAMES_MAX];
	unsigned vpn_pools_count;
	char geo_databases[CONFIG_GEO_MAX][CONFIG_PATH_MAX];
	unsigned geo_databases_count;
	bool geo_is_default; /* the built-in list: the agent alone looks whether they are there */

	struct config_detection detections[DETECTION_COUNT];
	struct config_exception exceptions[CONFIG_EXCEPTIONS_MAX];
	unsigned exceptions_count;

	/* Privacy */
	bool keep_unknown_accounts;
	enum {
		COMMANDS_REDACTED,
		COMMANDS_FULL,
		COMMANDS_NONE
	} command_lines;
	uint8_t pseudonymise[CONFIG_SINKS]; /* enum config_sink */
	unsigned pseudonymise_count;
	/* Retention, seconds; and the store's size bound, bytes */
	uint64_t retention_alerts_s, retention_sessions_s, retention_profiles_s, store_max_bytes;
	/* Sources */
	bool journal;
	char files[CONFIG_FILES_MAX][CONFIG_PATH_MAX];
	unsigned files_count;
	/* Of files those from this one on hold other hosts' lines: RelayedFiles, put behind Files.
	 */
	unsigned files_own;
	char relayed[CONFIG_RELAYED_MAX][CONFIG_PATH_MAX];
	unsigned relayed_count;
	uint16_t watch_ports[CONFIG_PORTS_MAX];
	unsigned watch_ports_count;
	/* Outputs */
	struct config_forwarder forwarders[FORWARDERS_MAX];
	unsigned forwarders_count;
	struct config_receiver receivers[RECEIVERS_MAX];
	unsigned receivers_count;
	/* Decoders */
	struct own_source own[OWN_MAX];
	unsigned own_count;
	struct own_line own_lines[OWN_LINES_MAX];
	unsigned own_lines_count;
	uint64_t outbox_max_bytes;     /* of what waits for a forwarder */
	bool journald;		       /* alerts to the journal */
	bool json;		       /* alerts as JSON Lines on stdout */
	char store[CONFIG_PATH_MAX];   /* SQLite file */
	char runtime[CONFIG_PATH_MAX]; /* directory of the control socket */
	struct config_limits limits;
};

/* Is that time within the hours of that account? Always when none are configured. */
bool hours_are_business(const struct business_hours *h, const char *account,
			bool (*in_group)(const char *account, const char *group), uint64_t time_ns);

/* A key's fingerprint as `ssh-keygen -l` prints it, whole. */
bool config_fingerprint(struct span s);
/* "2026-12-31": the last nanosecond of that day, in UTC. */
bool config_until(struct span s, uint64_t *ret_ns);
/* Privacy.Pseudonymise names that sink. */
bool config_pseudonymises(const struct config *c, enum config_sink sink);
/* The same for one rule, in the zone of h. */
bool hours_rule_fits(const struct business_hours *h, const struct hours_rule *rule,
		     uint64_t time_ns);

/* The embedded defaults. */
void config_defaults(struct config *ret);
/* YAML text on top of the defaults. name is for the message ("outergate.yaml:12: ..."). */
int config_parse(const char *text, size_t len, const char *name, struct config *ret,
		 char err[CONFIG_ERROR_MAX]);
/* The keys one may write, for `check` and the docs; NULL past the end. */
const char *config_key_at(unsigned index);
/* What Decoders describes, compiled; *ret NULL where it describes none. 0 or -ENOMEM. */
int config_own_new(const struct config *c, struct own **ret);
/* Keys that c sets but nothing in this version looks at, so that `check` can say so; NULL past. */
const char *config_idle_at(const struct config *c, unsigned index);

#endif
