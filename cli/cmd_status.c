/* status: asks the running agent what is hooked, what is not and why. */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "cli/control.h"
#include "common/store/json_read.h"

static const char *text(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s ? s : "";
}

static void print_geo(const json_t *o)
{
	const json_t *row;
	size_t i;

	puts("\ngeo databases");
	json_array_foreach(json_object_get(o, "geo"), i, row)
	{
		const char *who = text(row, "attribution");

		printf("  %-44s %-6s  %s%s%.10s%s%s%s%s\n", text(row, "path"), text(row, "state"),
		       text(row, "type"), *text(row, "built") ? " of " : "", text(row, "built"),
		       *who ? "; " : "", who, *text(row, "reason") ? "  " : "",
		       text(row, "reason"));
	}
	if (json_integer_value(json_object_get(o, "geo_unreadable")))
		printf("  %lld lookups met damaged records\n",
		       (long long)json_integer_value(json_object_get(o, "geo_unreadable")));
}

static long long number(const json_t *o, const char *key)
{
	return (long long)json_integer_value(json_object_get(o, key));
}

/* What came in, what became nothing and an example of that, what was lost. */
static void print_source(const json_t *row)
{
	static const struct {
		const char *key, *words;
	} more[] = {{"bad", "could not be read"},
		    {"cut", "were cut"},
		    {"lost", "lost"},
		    {"refused", "senders refused"}};

	printf("  %-28s %-6s %10lld lines  %s", text(row, "name"), text(row, "state"),
	       number(row, "lines"), text(row, "reason"));
	for (size_t i = 0; i < sizeof(more) / sizeof(more[0]); i++)
		if (number(row, more[i].key))
			printf("%s%lld %s", i || text(row, "reason")[0] ? ", " : "",
			       number(row, more[i].key), more[i].words);
	putchar('\n');
	if (text(row, "sample")[0])
		printf("      not used, the last (%s): %s\n", text(row, "sample_why"),
		       text(row, "sample"));
}

static void print_rows(const json_t *o)
{
	const json_t *row;
	size_t i;

	puts("\nsensors");
	json_array_foreach(json_object_get(o, "sensors"), i, row)
	{
		bool on = json_is_true(json_object_get(row, "on"));

		printf("  %-9s %-3s  %-28s %s%s%s\n", text(row, "name"), on ? "on" : "OFF",
		       text(row, "hook"), text(row, "sees"), on ? "" : ": ", text(row, "reason"));
	}
	puts("\nsources");
	json_array_foreach(json_object_get(o, "sources"), i, row) print_source(row);
	print_geo(o);
	puts("\nnot seen");
	json_array_foreach(json_object_get(o, "not_seen"), i, row)
		printf("  %s\n", json_string_value(row));
}

/* Each hides alerts: how many, why, and how long still. */
static void print_exceptions(const json_t *o)
{
	const json_t *rows = json_object_get(o, "exceptions"), *row;
	size_t i;

	if (!json_array_size(rows))
		return;
	puts("\nexceptions");
	json_array_foreach(rows, i, row)
	{
		const char *until = text(row, "until");

		printf("  %-28s %10lld kept back  %s%s%.10s\n", text(row, "detection"),
		       (long long)json_integer_value(json_object_get(row, "count")),
		       text(row, "reason"),
		       !until[0]			   ? ""
		       : strcmp(until, text(o, "now")) < 0 ? ", EXPIRED on "
							   : ", until ",
		       until);
	}
}

static void print_expiries(const json_t *o)
{
	const json_t *row;
	size_t i;

	json_array_foreach(json_object_get(o, "expiries"), i, row)
		printf("%s  %s\n", i ? "" : "\nends soon\n", json_string_value(row));
}

/* What waits for each collector, and why. */
static void print_forwarders(const json_t *o)
{
	const json_t *rows = json_object_get(o, "forwarders"), *row;
	size_t i;

	if (!json_array_size(rows))
		return;
	puts("\nforwarders");
	json_array_foreach(rows, i, row)
	{
		bool failing = json_is_true(json_object_get(row, "failing"));

		printf("  %-16s %-10s %-4s %8lld waiting %10lld delivered  %s%s%s\n",
		       text(row, "name"), text(row, "kind"), failing ? "FAIL" : "on",
		       number(row, "waiting"), number(row, "delivered"), text(row, "url"),
		       text(row, "reason")[0] ? ": " : "", text(row, "reason"));
		if (number(row, "refused") || number(row, "dropped"))
			printf("  %-16s %lld refused by the collector, %lld LOST: the outbox was "
			       "full\n",
			       "", number(row, "refused"), number(row, "dropped"));
	}
}

static void print_table(json_t *o)
{
	const json_t *refused = json_object_get(o, "reload_refused");
	const json_t *sessions = json_object_get(o, "sessions");
	const json_t *exposure = json_object_get(o, "exposure");
	const char *key;
	json_t *v;

	printf("outergate %s, pid %lld, user %s, since %s\n", text(o, "version"),
	       (long long)json_integer_value(json_object_get(o, "pid")), text(o, "user"),
	       text(o, "started"));
	printf("configuration %s, store %s%s\n", text(o, "configuration"), text(o, "store"),
	       json_is_true(json_object_get(o, "store_failing")) ? " (FAILING)" : "");
	if (refused)
		printf("reload REFUSED at %s, the former configuration is in force: %s\n",
		       text(refused, "time"), text(refused, "reason"));
	printf("sessions %lld live, %lld of them from before the agent\n",
	       (long long)json_integer_value(json_object_get(sessions, "live")),
	       (long long)json_integer_value(json_object_get(sessions, "existing")));
	if (exposure)
		printf("listening %lld remote services can be reached from outside, %lld new or "
		       "changed (outergate exposure)\n",
		       (long long)json_integer_value(json_object_get(exposure, "reachable")),
		       (long long)json_integer_value(json_object_get(exposure, "changes")));
	print_rows(o);
	print_forwarders(o);
	print_exceptions(o);
	print_expiries(o);
	puts("\ncounters (those above 0)");
	json_object_foreach(json_object_get(o, "counters"), key, v) if (json_integer_value(v))
		printf("  %-28s %12lld\n", key, (long long)json_integer_value(v));
}

static int status(const struct command *self, int argc, char **argv)
{
	static struct config config;
	const char *path = NULL, *format = "table";
	char *buf = NULL;
	json_t *o;
	int r;

	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--config") && i + 1 < argc)
			path = argv[++i];
		else if (!strcmp(argv[i], "--format") && i + 1 < argc)
			format = argv[++i];
		else
			return command_usage(self, argv[i]);
	}
	if (strcmp(format, "json") && strcmp(format, "table"))
		return command_usage(self, format);
	r = command_config(path, &config);
	if (r)
		return r;
	r = control_ask(config.runtime, &buf);
	if (r == -EACCES)
		return command_fail(EXIT_PERMISSION, "not permitted to ask the agent: %s",
				    strerror(-r));
	if (r)
		return command_fail(EXIT_INPUT, "the agent does not run (no answer on %s%s: %s)",
				    config.runtime, control_name, strerror(-r));
	o = json_read(buf, strlen(buf), 0, NULL);
	if (!o)
		r = command_fail(EXIT_INPUT, "the agent gave no readable answer");
	else if (!strcmp(format, "json"))
		puts(buf);
	else
		print_table(o);
	json_decref(o);
	free(buf);
	return r;
}

const struct command command_status = {
	.name = "status",
	.usage = "[--format table|json] [--config FILE]",
	.about = "what the running agent sees, what it does not see and why",
	.help = "  --format table|json  (default table)\n"
		"  --config FILE        configuration of the agent, for its runtime directory\n",
	.run = status,
};
