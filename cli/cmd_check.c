/*
 * outergate check: is this configuration good, and what does it say in short?
 *
 * Reads the file as the agent does, with the same parser. Sees only the file: that an account or a
 * log file it names exists on this host is not checked.
 */
#include "command.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/out/out.h"
#include "outergate.yaml.h" /* outergate_yaml[], made of deploy/outergate.yaml */
#include "query.h"
#include "units.h"

#define EXPIRY_WARN_DAYS 7
#define DAY_NS		 ((uint64_t)86400 * 1000000000)

static void warn_expiry(const char *what, const char *which, uint64_t until_ns, uint64_t now_ns)
{
	char day[32];

	if (until_ns == 0 || until_ns > now_ns + EXPIRY_WARN_DAYS * DAY_NS)
		return;
	day[strlen(out_time(until_ns, day)) > 10 ? 10 : 0] = '\0';
	if (until_ns <= now_ns)
		command_fail(0, "warning: %s %s expired on %s and has no effect", what, which, day);
	else
		command_fail(0, "warning: %s %s expires on %s", what, which, day);
}

static void warn_expiries(const struct config *c, uint64_t now_ns)
{
	char which[CONFIG_TEXT_MAX + 64], block[ADDR_TEXT_MAX];

	for (unsigned i = 0; i < c->exceptions_count; i++) {
		const struct config_exception *x = &c->exceptions[i];

		snprintf(which, sizeof(which), "of %s (%s)", detections[x->detection]->id,
			 x->reason);
		warn_expiry("the exception", which, x->until_ns, now_ns);
	}
	for (unsigned i = 0; i < c->known_count; i++) {
		const struct known_remote *k = &c->known[i];

		snprintf(which, sizeof(which), "%s/%u", addr_format(&k->cidr.addr, block),
			 k->cidr.bits);
		warn_expiry("KnownRemoteIPs", which, k->until_ns, now_ns);
	}
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
		{"CriticalHosts", c->critical_hosts_count},
		{"Scope.Overrides", c->scope.count},
	};

	printf("  lists       ");
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		printf("%s%s %u", i ? ", " : "", lists[i].name, lists[i].count);
	putchar('\n');
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

static void print_summary(const struct config *c)
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
	printf("  store       %s: alerts %s, sessions %s, at most %s\n", c->store,
	       unit_format(c->retention_alerts_s, UNIT_SECONDS, alerts),
	       unit_format(c->retention_sessions_s, UNIT_SECONDS, sessions),
	       unit_format(c->store_max_bytes, UNIT_BYTES, bytes));
}

static bool file_exists(const char *path)
{
	FILE *f = fopen(path, "rb");

	if (f)
		fclose(f);
	return f != NULL;
}

static int run_check(const struct command *self, int argc, char **argv)
{
	const char *path = argc > 1 ? argv[1] : NULL;
	struct config c;
	int err;

	if (argc > 2)
		return command_usage(self, "more than one file");
	if (path && !strcmp(path, "--defaults"))
		return fputs(outergate_yaml, stdout) < 0
			       ? command_fail(EXIT_INPUT, "writing the output: %s", strerror(errno))
			       : query_finish();
	if (path && path[0] == '-')
		return command_usage(self, "unknown option");
	err = command_config(path, &c);
	if (err)
		return err;
	if (!path && !file_exists(COMMAND_CONFIG_PATH))
		printf("no %s: the embedded defaults are in force\n", COMMAND_CONFIG_PATH);
	else
		printf("%s: ok\n", path ? path : COMMAND_CONFIG_PATH);
	print_summary(&c);
	warn_idle(&c);
	warn_expiries(&c, (uint64_t)time(NULL) * 1000000000);
	return query_finish();
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
