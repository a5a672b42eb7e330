/*
 * outergate detections: the table of detections from the code itself, with the numbers in force.
 *
 * A table for people, JSON Lines (one object a detection) for programs, Markdown for the manual.
 */
#include "command.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/out/settings.h"
#include "common/out/writer.h"
#include "input.h"
#include "query.h"
#include "units.h"

#define ROW_MAX 16384 /* a row is constant text of ours; asserted by printing all of them */

static const char *scope_word(enum detection_scope s)
{
	static const char *const words[] = {
		[DETECT_EXTERNAL] = "external",
		[DETECT_ALL] = "all",
		[DETECT_LOOPBACK] = "loopback",
		[DETECT_HOST] = "host",
	};

	return words[s];
}

static enum severity severity_in_force(const struct config *c, unsigned i)
{
	return c->detections[i].has_severity ? c->detections[i].severity : detections[i]->severity;
}

static const char *state_word(const struct config_detection *d)
{
	return !d->enabled ? "off" : d->observe ? "observe" : "alert";
}

static void json_put_params(struct writer *w, const struct detection *d, const uint64_t *values)
{
	json_begin(w, "params", '[');
	for (unsigned i = 0; i < DETECTION_PARAMS_MAX && d->params[i].name; i++) {
		json_begin(w, NULL, '{');
		json_put_str(w, "name", d->params[i].name);
		json_put_u64(w, "value", values[i]);
		json_put_u64(w, "default", d->params[i].value);
		if (d->param_max[i])
			json_put_u64(w, "max", d->param_max[i]);
		json_put_str(w, "unit", unit_name(d->params[i].unit));
		json_put_str(w, "help", d->params[i].help);
		json_end(w, '}');
	}
	json_end(w, ']');
}

static void json_put_exceptions(struct writer *w, const struct config *c, unsigned detection)
{
	char text[ADDR_TEXT_MAX + 8], addr[ADDR_TEXT_MAX];

	json_begin(w, "exceptions", '[');
	for (unsigned i = 0; i < c->exceptions_count; i++) {
		const struct config_exception *x = &c->exceptions[i];

		if (x->detection != detection)
			continue;
		json_begin(w, NULL, '{');
		if (x->has_origin) {
			snprintf(text, sizeof(text), "%s/%u", addr_format(&x->origin.addr, addr),
				 x->origin.bits);
			json_put_str(w, "origin", text);
		}
		json_put_str(w, "account", x->account);
		json_put_str(w, "service", service_name(x->service));
		json_put_str(w, "method", method_name(x->method));
		if (x->port)
			json_put_u64(w, "port", x->port);
		json_put_str(w, "country", x->country);
		if (x->asn)
			json_put_u64(w, "asn", x->asn);
		json_put_str(w, "cause", x->cause);
		json_put_str(w, "effective_account", x->effective_account);
		json_put_str(w, "client", x->client);
		json_put_str(w, "key", x->key);
		json_put_str(w, "reason", x->reason);
		json_put_time(w, "until", x->until_ns);
		json_end(w, '}');
	}
	json_end(w, ']');
}

/* What else of the configuration decides, as it is in force. */
static void json_put_settings(struct writer *w, const struct config *c, const char *detection)
{
	struct setting s;

	json_begin(w, "settings", '{');
	for (unsigned i = 0; setting_of(c, detection, i, &s); i++)
		json_put_str(w, s.name, s.value);
	json_end(w, '}');
}

static int row_json(const struct config *c, unsigned i, char *buf, size_t cap)
{
	const struct detection *d = detections[i];
	struct writer w;

	writer_start(&w, buf, cap);
	json_begin(&w, NULL, '{');
	json_put_str(&w, "id", d->id);
	json_put_u64(&w, "number", d->number);
	json_put_str(&w, "title", d->title);
	json_put_str(&w, "severity", severity_name(severity_in_force(c, i)));
	json_put_str(&w, "severity_default", severity_name(d->severity));
	json_put_bool(&w, "enabled", c->detections[i].enabled);
	json_put_str(&w, "mode", c->detections[i].observe ? "observe" : "alert");
	json_put_str(&w, "scope", scope_word(d->scope));
	json_put_str(&w, "stage", d->stage);
	json_put_words(&w, "attack", d->attack, ' ');
	json_put_words(&w, "tactic", d->tactic, ' ');
	json_put_words(&w, "analytic", d->analytic, ' ');
	json_put_words(&w, "data_components", d->data_components, ';');
	json_put_words(&w, "reasons", d->reasons, ' ');
	json_put_params(&w, d, c->detections[i].params);
	json_put_settings(&w, c, d->id);
	json_put_exceptions(&w, c, i);
	json_put_str(&w, "triage", d->triage);
	json_put_str(&w, "contain", d->contain);
	json_put_str(&w, "false_positive", d->false_positive);
	json_put_str(&w, "tune", d->tune);
	json_put_str(&w, "mitigation", d->mitigation);
	json_end(&w, '}');
	return writer_finish_json(&w);
}

static void print_params(const struct detection *d, const uint64_t *values)
{
	char text[UNIT_TEXT_MAX];

	for (unsigned i = 0; i < DETECTION_PARAMS_MAX && d->params[i].name; i++)
		printf("%s%s=%s%s", i ? " " : "", d->params[i].name,
		       unit_format(values[i], d->params[i].unit, text),
		       values[i] == d->params[i].value ? "" : "*");
}

static int print_table(const struct config *c)
{
	char window[UNIT_TEXT_MAX];

	printf("%-28s %6s  %-8s  %-8s  %-7s  %-18s %s\n", "ID", "NUMBER", "SEVERITY", "SCOPE",
	       "STATE", "ATT&CK", "PARAMETERS");
	for (unsigned i = 0; i < DETECTION_COUNT; i++) {
		const struct detection *d = detections[i];

		printf("%-28s %6u  %-8s  %-8s  %-7s  %-18s ", d->id, d->number,
		       severity_name(severity_in_force(c, i)), scope_word(d->scope),
		       state_word(&c->detections[i]), d->attack);
		print_params(d, c->detections[i].params);
		putchar('\n');
	}
	printf("\nFailedLogonThreshold=%u TimeWindow=%s; * differs from the default\n",
	       c->failed_logon_threshold, unit_format(c->time_window_s, UNIT_SECONDS, window));
	return EXIT_FINE;
}

static int print_json(const struct config *c)
{
	for (unsigned i = 0; i < DETECTION_COUNT; i++) {
		char buf[ROW_MAX];

		if (row_json(c, i, buf, sizeof(buf)) < 0)
			return command_fail(EXIT_INPUT, "%s: row longer than %d bytes",
					    detections[i]->id, ROW_MAX);
		puts(buf);
	}
	return EXIT_FINE;
}

static void markdown_row(const char *label, const char *text)
{
	if (text && *text)
		printf("- **%s:** %s\n", label, text);
}

static void markdown_params(const struct detection *d, const uint64_t *values)
{
	char text[UNIT_TEXT_MAX];

	if (!d->params[0].name)
		return;
	printf("\n| parameter | value | meaning |\n|---|---|---|\n");
	for (unsigned i = 0; i < DETECTION_PARAMS_MAX && d->params[i].name; i++)
		printf("| `%s` | %s | %s |\n", d->params[i].name,
		       unit_format(values[i], d->params[i].unit, text), d->params[i].help);
}

static void markdown_detection(const struct config *c, unsigned i)
{
	const struct detection *d = detections[i];

	printf("\n## <a id=\"%u\"></a>%s\n\n%s.\n\n", d->number, d->id, d->title);
	printf("- **Number:** %u; **severity:** %s; **origins:** %s; **stage:** %s\n", d->number,
	       severity_name(severity_in_force(c, i)), scope_word(d->scope), d->stage);
	markdown_row("ATT&CK", d->attack);
	markdown_row("Tactics", d->tactic);
	markdown_row("DET0354 analytics", d->analytic);
	markdown_row("Data components", d->data_components);
	markdown_row("Reasons", d->reasons);
	markdown_row("Triage", d->triage);
	markdown_row("Contain", d->contain);
	markdown_row("False positives", d->false_positive);
	markdown_row("Tune", d->tune);
	markdown_row("Mitigation", d->mitigation);
	markdown_params(d, c->detections[i].params);
}

static void markdown_overview(const struct config *c)
{
	printf("\n| id | number | severity | ATT&CK | fires on |\n|---|---|---|---|---|\n");
	for (unsigned i = 0; i < DETECTION_COUNT; i++)
		printf("| [`%s`](#%u) | %u | %s | %s | %s |\n", detections[i]->id,
		       detections[i]->number, detections[i]->number,
		       severity_name(severity_in_force(c, i)), detections[i]->attack,
		       detections[i]->title);
}

static int print_markdown(const struct config *c)
{
	char window[UNIT_TEXT_MAX];

	printf("# Detections\n\nMade by `outergate detections --format markdown > "
	       "docs/DETECTIONS.md`; do not edit.\n\n"
	       "Numbers that several detections share: `FailedLogonThreshold` %u (more than), "
	       "`TimeWindow` %s.\n",
	       c->failed_logon_threshold, unit_format(c->time_window_s, UNIT_SECONDS, window));
	markdown_overview(c);
	for (unsigned i = 0; i < DETECTION_COUNT; i++)
		markdown_detection(c, i);
	return EXIT_FINE;
}

static const struct {
	const char *name;
	int (*print)(const struct config *c);
} formats[] = {{"table", print_table}, {"json", print_json}, {"markdown", print_markdown}};
#define FORMATS (sizeof(formats) / sizeof(formats[0]))

static int run_detections(const struct command *self, int argc, char **argv)
{
	const char *config = NULL, *format = "table";
	struct config c;

	for (int i = 1; i < argc; i++) {
		const char *value = option_value("--config", argc, argv, &i);

		if (value)
			config = value;
		else if ((value = option_value("--format", argc, argv, &i)) != NULL)
			format = value;
		else
			return command_usage(self, "unknown option or missing value");
	}
	for (size_t i = 0; i < FORMATS; i++) {
		int err;

		if (strcmp(formats[i].name, format) != 0)
			continue;
		err = command_config(config, &c);
		if (!err)
			err = formats[i].print(&c);
		return err ? err : query_finish();
	}
	return command_usage(self, "--format is table, json or markdown");
}

const struct command command_detections = {
	.name = "detections",
	.usage = "[--format table|json|markdown] [--config FILE]",
	.about = "every detection, with the parameters in force",
	.help = "  --format table     one line a detection (the default)\n"
		"  --format json      one object a line, with everything the row says\n"
		"  --format markdown  the same as a page of the manual\n"
		"  --config FILE      instead of " COMMAND_CONFIG_PATH "\n",
	.run = run_detections,
};
