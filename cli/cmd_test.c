/*
 * outergate test: sends a test alert wherever alerts go, and says what arrived.
 *
 * A running agent sends it itself: with its own configuration, rights and connections, by the row
 * of sinks that a real one takes. Then this host's log is read for the alert's id where it can be,
 * since what was handed over is not yet kept. Without an agent that log is tried from here, and
 * only that.
 */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/ask.h"
#include "cli/control.h"
#include "common/detect/detection.h"
#include "common/out/test_alert.h"
#include "common/store/request_run.h"
#include "common/plat.h"
#include "test_sink.h"
#include "common/store/json_read.h"

struct trial {
	const char *detection;
	struct query q;
	struct config *config;
	char id[ID_TEXT_MAX];
	unsigned wanted, arrived;
	int code; /* the worst */
};

static int make_id(char ret[ID_TEXT_MAX])
{
	uint8_t bytes[ID_TEXT_MAX / 2];

	if (plat_random(bytes, sizeof(bytes)))
		return -EIO;
	for (unsigned i = 0; i < sizeof(bytes); i++)
		snprintf(ret + (size_t)2 * i, 3, "%02x", bytes[i]);
	return 0;
}

static uint64_t now_ns(void)
{
	return (uint64_t)time(NULL) * UINT64_C(1000000000);
}

static bool is_text(const json_t *o, const char *key, const char *want)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s && !strcmp(s, want);
}

static void report(struct trial *t, const char *sink, const char *what, int code)
{
	printf("%-10s %s\n", sink, what);
	t->wanted++;
	t->arrived += code == EXIT_FINE;
	if (code > t->code)
		t->code = code;
}

#define DELIVERED_WITHIN_S 15

/* What the agent says became of the test at that collector: 1 with the text, 0 nothing yet. */
static int collector_said(const struct trial *t, const char *name, char *text, size_t cap)
{
	char *answer = NULL;
	json_t *o, *f;
	size_t i;
	int got = 0;

	if (control_ask(t->config->runtime, &answer))
		return 0;
	o = json_read(answer, strlen(answer), 0, NULL);
	json_array_foreach(json_object_get(o, "forwarders"), i, f)
	{
		const char *what = json_string_value(json_object_get(f, "tested_result"));
		const char *why = json_string_value(json_object_get(f, "reason"));

		if (!is_text(f, "name", name) || !is_text(f, "tested", t->id))
			continue;
		got = what && what[0];
		snprintf(text, cap, "%s", got ? what : why ? why : "");
	}
	json_decref(o);
	free(answer);
	return got;
}

static void report_collector(struct trial *t, const char *name)
{
	char said[TEST_SINK_TEXT] = "", text[TEST_SINK_TEXT + 64];
	time_t end = time(NULL) + DELIVERED_WITHIN_S;
	int got;

	do {
		got = collector_said(t, name, said, sizeof(said));
		if (!got)
			plat_sleep_ms(200);
	} while (!got && time(NULL) < end);
	if (got)
		report(t, name, said, strncmp(said, "delivered", 9) != 0 ? EXIT_INPUT : EXIT_FINE);
	else {
		snprintf(text, sizeof(text), "NOT delivered after %d s%s%s", DELIVERED_WITHIN_S,
			 said[0] ? ": " : "", said);
		report(t, name, text, EXIT_INPUT);
	}
}

/* "journald sent;json sent;forwarder-x Connection refused" */
static void report_answer(struct trial *t, char *answer)
{
	char *save = NULL, text[TEST_SINK_TEXT];
	int code;

	for (char *row = strtok_r(answer, ";", &save); row; row = strtok_r(NULL, ";", &save)) {
		char *what = strchr(row, ' ');

		if (!what)
			continue;
		*what++ = '\0';
		if (!strcmp(what, "handed over")) {
			report_collector(t, row);
		} else if (strcmp(what, "sent") != 0) {
			report(t, row, what, EXIT_INPUT);
		} else if (!strcmp(row, test_sink_name)) {
			code = test_sink_arrived(t->id, text, sizeof(text));
			report(t, row, text, code);
		} else {
			report(t, row, "written to the agent's standard output", EXIT_FINE);
		}
	}
}

static int by_agent(struct trial *t)
{
	char answer[REQUEST_RESULT_MAX];
	struct ask a;
	int r = ask_open(&t->q, &a);

	if (r != EXIT_FINE)
		return r;
	r = ask_agent_answer(&a, "test", t->detection, t->id, answer);
	ask_close(&a);
	if (r == -EAGAIN)
		return command_fail(EXIT_INPUT, "the agent has not answered");
	if (r)
		return r;
	if (!strncmp(answer, "failed: ", 8))
		return command_fail(EXIT_INPUT, "%s", answer + 8);
	report_answer(t, answer);
	return t->code;
}

/* Without an agent: what this process itself can try. */
static int from_here(struct trial *t)
{
	static struct alert a;
	char text[TEST_SINK_TEXT];
	int r;

	printf("the agent does not run: %s is tried from here, nothing else can be\n",
	       test_sink_name);
	if (!t->config->journald)
		return command_fail(EXIT_INPUT, "Outputs.Journald is off");
	if (test_alert(&a, t->detection, t->id, now_ns()))
		return command_fail(EXIT_USAGE, "there is no detection %s", t->detection);
	r = test_sink_send(&a);
	if (r) {
		report(t, test_sink_name, strerror(-r), EXIT_INPUT);
		return t->code;
	}
	r = test_sink_arrived(t->id, text, sizeof(text));
	report(t, test_sink_name, text, r);
	return t->code;
}

static void say_mode(const struct trial *t)
{
	const struct config_detection *d =
		&t->config->detections[detection_find(span_of(t->detection))];

	if (!d->enabled)
		printf("%s is not enabled: real ones are not told\n", t->detection);
	else if (d->observe)
		printf("%s is in Mode observe: real ones are stored and not sent\n", t->detection);
}

static int run_test(const struct command *self, struct trial *t)
{
	int r;

	t->detection = t->q.word ? t->q.word : TEST_ALERT_DETECTION;
	if (detection_find(span_of(t->detection)) < 0)
		return command_usage(self, "no such detection; `outergate detections` lists them");
	r = command_config(t->q.config, t->config);
	if (r)
		return r;
	if (make_id(t->id))
		return command_fail(EXIT_INPUT, "no random numbers");
	r = command_poke_agent(t->config);
	if (r == -EACCES || r == -EPERM)
		return command_fail(EXIT_PERMISSION, "not permitted to ask the agent; root may");
	r = r ? from_here(t) : by_agent(t);
	if (r == EXIT_FINE)
		say_mode(t);
	return r == EXIT_FINE ? query_finish() : r;
}

static int run(const struct command *self, int argc, char **argv)
{
	struct trial t = {.config = calloc(1, sizeof(*t.config))};
	int r = t.config ? query_parse(self, argc, argv, false, &t.q)
			 : command_fail(EXIT_INPUT, "out of memory");

	if (r == EXIT_FINE)
		r = run_test(self, &t);
	free(t.config);
	return r;
}

const struct command command_test = {
	.name = "test",
	.usage = "[--config FILE] [--store PATH] [DETECTION]",
	.about = "sends a marked test alert wherever alerts go, and says what arrived",
	.help = "  DETECTION      as which (" TEST_ALERT_DETECTION "), with its severity\n"
		"  --config FILE  of the agent, for its runtime directory and store\n"
		"  --store PATH   another store than the configuration's\n"
		"\nA running agent sends it as it sends a real one; it is not stored and changes "
		"no\n"
		"count. It carries \"test\": true and OUTERGATE_TEST=1. Without an agent the "
		"journal\n"
		"alone is tried. Exit: 0 it arrived everywhere, 1 not, 3 not permitted.\n",
	.run = run,
};
