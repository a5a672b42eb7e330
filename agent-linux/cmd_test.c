/*
 * outergate test: sends a test alert wherever alerts go, and says what arrived.
 *
 * A running agent sends it itself: with its own configuration, rights and connections, by the row
 * of sinks that a real one takes. Then the journal is read for the alert's id, since what was
 * handed over is not yet kept. Without an agent the journal is tried from here, and only that.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include <systemd/sd-journal.h>

#include "cli/ask.h"
#include "common/detect/detection.h"
#include "common/out/test_alert.h"
#include "common/store/request_run.h"
#include "sink_journald.h"

#define ARRIVES_WITHIN_S 5

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

	if (getrandom(bytes, sizeof(bytes), 0) != sizeof(bytes))
		return -EIO;
	for (unsigned i = 0; i < sizeof(bytes); i++)
		snprintf(ret + (size_t)2 * i, 3, "%02x", bytes[i]);
	return 0;
}

static uint64_t now_ns(void)
{
	return (uint64_t)time(NULL) * UINT64_C(1000000000);
}

static void report(struct trial *t, const char *sink, const char *what, int code)
{
	printf("%-10s %s\n", sink, what);
	t->wanted++;
	t->arrived += code == EXIT_FINE;
	if (code > t->code)
		t->code = code;
}

/* 1: there; 0: not within the time; or -errno. */
static int journal_has(const char *id)
{
	char match[ID_TEXT_MAX + 16];
	uint64_t end = now_ns() + ARRIVES_WITHIN_S * UINT64_C(1000000000);
	sd_journal *j = NULL;
	int r = sd_journal_open(&j, SD_JOURNAL_LOCAL_ONLY);

	snprintf(match, sizeof(match), "OUTERGATE_ID=%s", id);
	if (r >= 0)
		r = sd_journal_add_match(j, match, 0);
	while (r >= 0) {
		r = sd_journal_seek_head(j);
		if (r >= 0)
			r = sd_journal_next(j);
		if (r != 0 || now_ns() > end)
			break;
		r = sd_journal_wait(j, 200000);
	}
	sd_journal_close(j);
	return r;
}

static void report_journald(struct trial *t)
{
	char text[200];
	int r = journal_has(t->id);

	if (r > 0)
		snprintf(text, sizeof(text), "arrived: journalctl OUTERGATE_ID=%s", t->id);
	else if (r == 0)
		snprintf(text, sizeof(text),
			 "NOT in the journal after %d s (only root and the group systemd-journal "
			 "see "
			 "all of it; it drops what comes too fast)",
			 ARRIVES_WITHIN_S);
	else
		snprintf(text, sizeof(text), "handed over; the journal cannot be read: %s",
			 strerror(-r));
	report(t, "journald", text,
	       r > 0			     ? EXIT_FINE
	       : r == -EACCES || r == -EPERM ? EXIT_PERMISSION
					     : EXIT_INPUT);
}

/* "journald sent;json sent;forwarder-x Connection refused" */
static void report_answer(struct trial *t, char *answer)
{
	char *save = NULL;

	for (char *row = strtok_r(answer, ";", &save); row; row = strtok_r(NULL, ";", &save)) {
		char *what = strchr(row, ' ');

		if (!what)
			continue;
		*what++ = '\0';
		if (strcmp(what, "sent") != 0)
			report(t, row, what, EXIT_INPUT);
		else if (!strcmp(row, "journald"))
			report_journald(t);
		else
			report(t, row, "written to the agent's standard output", EXIT_FINE);
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
	static const struct out_policy policy = {.keep_unknown_accounts = true};
	static struct alert a;
	int r;

	puts("the agent does not run: the journal is tried from here, nothing else can be");
	if (!t->config->journald)
		return command_fail(EXIT_INPUT, "Outputs.Journald is off");
	if (test_alert(&a, t->detection, t->id, now_ns()))
		return command_fail(EXIT_USAGE, "there is no detection %s", t->detection);
	r = sink_journald_send(&a, &policy);
	if (r)
		report(t, "journald", strerror(-r), EXIT_INPUT);
	else
		report_journald(t);
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
