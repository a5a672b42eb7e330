/*
 * config_changes: the parts of struct config by the key that they come from, compared byte by byte.
 * Both began as zeroes (config_defaults), so room that nobody uses is the same. The sets of
 * KnownRemoteIPs.file lie elsewhere and are compared by what is in them.
 */
#include "config_changes.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

/* From one member to the end of another; members of one key lie together. */
#define PART(key, first, last)                                                                     \
	{                                                                                          \
		key, offsetof(struct config, first),                                               \
			offsetof(struct config, last) + sizeof(((struct config *)0)->last)         \
	}

static const struct part {
	const char *key;
	size_t from, to;
} parts[] = {
	PART("FailedLogonThreshold", failed_logon_threshold, failed_logon_threshold),
	PART("TimeWindow", time_window_s, time_window_s),
	PART("Role", role, role),
	PART("Mode", observe, observe),
	PART("BusinessHours", hours, hours),
	PART("Scope", scope, scope),
	PART("KnownRemoteIPs", known, known_count),
	PART("KnownSSHClients", clients, clients_count),
	PART("ExpectedOnward", onward, onward_count),
	PART("SharedAccounts", shared_accounts, shared_accounts_count),
	PART("ExpectedAutomation", expected_automation, expected_automation_count),
	PART("CriticalHosts", critical_hosts, critical_hosts_count),
	PART("GeoIPWhitelist", whitelist, whitelist),
	PART("Travel", travel, travel_count),
	PART("AllowedCIDRs", allowed, allowed_count),
	PART("TrustedProxies", proxies, proxies_count),
	PART("VPNPools", vpn_pools, vpn_pools_count),
	PART("RemoteApplications", applications, applications_count),
	PART("GeoDatabases", geo_databases, geo_is_default),
	PART("Detections", detections, exceptions_count),
	PART("Privacy", keep_unknown_accounts, pseudonymise_count),
	PART("Retention", retention_alerts_s, store_max_bytes),
	PART("Sources", journal, watch_ports_count),
	PART("Forwarders", forwarders, forwarders_count),
	PART("Receivers", receivers, receivers_count),
	PART("Decoders", own, own_lines_count),
	PART("Retention.OutboxMaxBytes", outbox_max_bytes, outbox_max_bytes),
	PART("Outputs", journald, json),
	PART("Store", store, store),
	PART("Runtime", runtime, runtime),
	PART("Limits", limits, limits),
};

static bool same_set(const struct range_set *a, const struct range_set *b)
{
	if (!a || !b)
		return a == b;
	return a->count == b->count && !memcmp(a->rows, b->rows, a->count * sizeof(*a->rows));
}

static bool same_ranges(const struct config *a, const struct config *b)
{
	if (a->ranges_count != b->ranges_count)
		return false;
	for (unsigned i = 0; i < a->ranges_count; i++)
		if (strcmp(a->ranges[i].path, b->ranges[i].path) != 0 ||
		    !same_set(a->ranges[i].set, b->ranges[i].set))
			return false;
	return true;
}

static unsigned add(const char *key, unsigned count, char ret[CONFIG_CHANGES_MAX])
{
	size_t len = strlen(ret);

	snprintf(ret + len, CONFIG_CHANGES_MAX - len, "%s%s", count ? ", " : "", key);
	return count + 1;
}

unsigned config_changes(const struct config *a, const struct config *b,
			char ret[CONFIG_CHANGES_MAX])
{
	unsigned count = 0;

	ret[0] = '\0';
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (memcmp((const char *)a + parts[i].from, (const char *)b + parts[i].from,
			   parts[i].to - parts[i].from) != 0)
			count = add(parts[i].key, count, ret);
	if (!same_ranges(a, b))
		count = add("KnownRemoteIPs.file", count, ret);
	return count;
}
