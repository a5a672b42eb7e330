/*
 * outergate check: is this configuration good, and what does it say in short?
 *
 * Reads the file as the agent does, with the same parser. Sees only the file: that an account or a
 * log file it names exists on this host is not checked.
 */
#include "command.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/config_expiry.h"
#include "common/out/out.h"
#include "geo_files.h"
#include "outergate.yaml.h" /* outergate_yaml[], made of deploy/outergate.yaml */
#include "query.h"
#include "units.h"

const char *command_shipped_config(void)
{
	return outergate_yaml;
}

static void warn_expiries(const struct config *c, uint64_t now_ns)
{
	struct config_expiry x;
	char text[CONFIG_EXPIRY_TEXT + 64];

	for (unsigned i = 0; config_expiry_at(c, i, &x); i++)
		if (config_expiry_say(&x, now_ns, text, sizeof(text)) != EXPIRY_FAR)
			command_fail(0, "warning: %s", text);
}

/* What a list needs and no database has. */
static void warn_geo(const struct config *c, const struct geo_files *g)
{
	/* Of the built-in list nobody knows here what the agent will find. */
	uint32_t fields = c->geo_is_default ? UINT32_MAX : geo_set_fields(&g->set);

	if (c->whitelist.countries_count && !(fields & GEO_FIELD_COUNTRY))
		command_fail(0, "warning: GeoIPWhitelist.countries: no database in use knows "
				"countries");
	if (c->whitelist.asns_count && !(fields & GEO_FIELD_NETWORK))
		command_fail(0, "warning: GeoIPWhitelist.asns: no database in use knows networks");
	if (!c->whitelist.countries_count && !c->whitelist.asns_count &&
	    c->whitelist.unresolved_alert)
		command_fail(0, "warning: GeoIPWhitelist.unresolved has no effect while both lists "
				"are empty");
}

static const char *geo_words(uint32_t fields, char buf[64])
{
	snprintf(buf, 64, "%s%s%s%s", fields & GEO_FIELD_COUNTRY ? " country" : "",
		 fields & GEO_FIELD_POINT ? " place" : "",
		 fields & GEO_FIELD_NETWORK ? " network" : "",
		 fields & GEO_FIELD_FLAGS ? " flags" : "");
	return buf;
}

static void print_geo(const struct config *c, const struct geo_files *g)
{
	char words[64], day[32];

	if (c->geo_is_default) {
		puts("  geo         the built-in list, as far as it is there; see outergate "
		     "status");
		return;
	}
	for (unsigned i = 0; i < g->count; i++) {
		const struct geo_db *db = &g->set.dbs[i];

		if (g->files[i].state != GEO_FILE_OPEN)
			continue;
		day[strlen(out_time(db->built_s * 1000000000, day)) > 10 ? 10 : 0] = '\0';
		printf("  geo         %s: %s of %s:%s\n", g->files[i].path, db->type, day,
		       geo_words(db->fields, words));
	}
	if (!geo_files_used(g))
		puts("  geo         no database: origins have no country");
}

static void warn_idle(const struct config *c)
{
	const char *key;

	for (unsigned i = 0; (key = config_idle_at(c, i)); i++)
		command_fail(0, "warning: %s has no effect in this version", key);
}

static void print_lists(const struct config *c)
{
	const struct {
		const char *name;
		unsigned count;
	} lists[] = {
		{"KnownRemoteIPs", c->known_count},
		{"KnownSSHClients", c->clients_count},
		{"ExpectedOnward", c->onward_count},
		{"ExpectedAutomation", c->expected_automation_count},
		{"SharedAccounts", c->shared_accounts_count},
		{"RemoteApplications", c->applications_count},
		{"CriticalHosts", c->critical_hosts_count},
		{"Scope.Overrides", c->scope.count},
		{"GeoIPWhitelist.countries", c->whitelist.countries_count},
		{"GeoIPWhitelist.asns", c->whitelist.asns_count},
		{"Travel", c->travel_count},
		{"VPNPools", c->vpn_pools_count},
	};

	printf("  lists       ");
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		printf("%s%s %u", i ? ", " : "", lists[i].name, lists[i].count);
	putchar('\n');
	for (unsigned i = 0; i < c->ranges_count; i++)
		printf("  ranges      %s: %u blocks\n", c->ranges[i].path,
		       c->ranges[i].set ? c->ranges[i].set->count : 0);
}

static void print_detections(const struct config *c)
{
	unsigned enabled = 0, observe = 0;

	for (unsigned i = 0; i < DETECTION_COUNT; i++) {
		enabled += c->detections[i].enabled;
		observe += c->detections[i].enabled && c->detections[i].observe;
	}
	printf("  detections  %u of %u enabled, %u of them only observe, %u exceptions\n", enabled,
	       (unsigned)DETECTION_COUNT, observe, c->exceptions_count);
}

static void print_sources(const struct config *c)
{
	printf("  sources     %s", c->journal ? "journal" : "no journal");
	for (unsigned i = 0; i < c->files_count; i++)
		printf(", %s", c->files[i]);
	printf("; ports");
	for (unsigned i = 0; i < c->watch_ports_count; i++)
		printf(" %u", c->watch_ports[i]);
	printf("%s\n", c->watch_ports_count ? "" : " none");
}

static void print_summary(const struct config *c, const struct geo_files *g)
{
	static const char *const roles[] = {"server", "bastion", "ci"};
	char window[UNIT_TEXT_MAX], alerts[UNIT_TEXT_MAX], sessions[UNIT_TEXT_MAX],
		bytes[UNIT_TEXT_MAX];

	printf("  guessing    more than %u failures in %s\n", c->failed_logon_threshold,
	       unit_format(c->time_window_s, UNIT_SECONDS, window));
	printf("  role, mode  %s, %s\n", roles[c->role], c->observe ? "observe" : "alert");
	print_lists(c);
	print_detections(c);
	print_sources(c);
	printf("  outputs     %s%s%s\n", c->journald ? "journald" : "",
	       c->journald && c->json ? ", " : "",
	       c->json	     ? "json"
	       : c->journald ? ""
			     : "none");
	for (unsigned i = 0; i < c->receivers_count; i++)
		printf("  receiver    %s\n", c->receivers[i].listen);
	for (unsigned i = 0; i < c->forwarders_count; i++)
		printf("  forwarder   %s: %s, %s\n", c->forwarders[i].name,
		       forward_kinds[c->forwarders[i].kind], c->forwarders[i].url);
	printf("  store       %s: alerts %s, sessions %s, at most %s\n", c->store,
	       unit_format(c->retention_alerts_s, UNIT_SECONDS, alerts),
	       unit_format(c->retention_sessions_s, UNIT_SECONDS, sessions),
	       unit_format(c->store_max_bytes, UNIT_BYTES, bytes));
	print_geo(c, g);
}

static bool file_exists(const char *path)
{
	FILE *f = fopen(path, "rb");

	if (f)
		fclose(f);
	return f != NULL;
}

/* The file is good: what it says, and what in it will do nothing. */
static int check_tell(const char *path, const struct config *c, const struct geo_files *g)
{
	if (!path && !file_exists(COMMAND_CONFIG_PATH))
		printf("no %s: the embedded defaults are in force\n", COMMAND_CONFIG_PATH);
	else
		printf("%s: ok\n", path ? path : COMMAND_CONFIG_PATH);
	print_summary(c, g);
	warn_geo(c, g);
	warn_idle(c);
	warn_expiries(c, (uint64_t)time(NULL) * 1000000000);
	return query_finish();
}

static int check_file(const char *path)
{
	struct geo_files *g = calloc(1, sizeof(*g));
	struct config c;
	int err = command_config(path, &c);

	if (!g)
		return command_fail(EXIT_INPUT, "out of memory");
	if (!err && !c.geo_is_default)
		err = command_geo(g, &c);
	if (!err)
		err = check_tell(path, &c, g);
	geo_files_close(g);
	free(g);
	return err;
}

static int run_check(const struct command *self, int argc, char **argv)
{
	const char *path = argc > 1 ? argv[1] : NULL;

	if (argc > 2)
		return command_usage(self, "more than one file");
	if (path && !strcmp(path, "--defaults")) {
		fputs(outergate_yaml, stdout);
		return query_finish();
	}
	if (path && path[0] == '-')
		return command_usage(self, "unknown option");
	return check_file(path);
}

const struct command command_check = {
	.name = "check",
	.usage = "[FILE | --defaults]",
	.about = "validate a configuration; say the exact line and reason of a mistake",
	.help = "  FILE        instead of " COMMAND_CONFIG_PATH "\n"
		"  --defaults  print the default configuration, with comments\n\n"
		"Exit: 0 good, 1 not. Warns of exceptions and known addresses that have expired\n"
		"or will within 7 days.\n",
	.run = run_check,
};
