/*
 * outergate verify: is the store what the agent wrote? Deleted, edited and re-added alerts, entries
 * missing in between, and what the journal or a collector was told and the store has no more.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/store/ledger.h"
#include "query.h"

struct seen {
	unsigned good, old, bad;
};

static void on_finding(void *arg, const char *sentence)
{
	(void)arg;
	printf("  %s\n", sentence);
}

/* One line: an entry, or the name of a journal field before it; other lines are none of ours. */
static int expect_line(struct store *s, char *line, struct seen *seen)
{
	char *text = strrchr(line, '='), why[160];
	int r;

	text = text ? text + 1 : line;
	text[strcspn(text, " \t\r\n")] = '\0';
	r = ledger_expect(s, span_of(text), why, sizeof(why));
	if (r == 1) {
		printf("  %s\n", why);
		seen->bad++;
	} else if (r >= 0) {
		seen->good += r == 0;
		seen->old += r == 2;
	}
	return r;
}

static int expect_all(struct store *s, struct seen *seen)
{
	char line[4096];
	int r = 0;

	while (r >= 0 && fgets(line, sizeof(line), stdin)) {
		r = expect_line(s, line, seen);
		if (r == -EINVAL)
			r = 0;
	}
	if (r < 0)
		return query_failed(s, r);
	if (ferror(stdin))
		return command_fail(EXIT_INPUT, "reading the input: %s", strerror(errno));
	if (seen->good + seen->bad + seen->old == 0)
		return command_fail(EXIT_INPUT, "no line of the input is an entry (57:0123...)");
	return EXIT_FINE;
}

static int expect_given(struct store *s, const char *what, struct seen *seen)
{
	char text[LEDGER_TEXT_MAX + 8];
	int r;

	if (!what)
		return EXIT_FINE;
	if (!strcmp(what, "-"))
		return expect_all(s, seen);
	snprintf(text, sizeof(text), "%s", what);
	r = expect_line(s, text, seen);
	if (r == -EINVAL)
		return command_fail(EXIT_USAGE, "--expect: an entry is a number, a colon and 32 "
						"hexadecimal digits, as the journal's "
						"OUTERGATE_LEDGER has it");
	return r < 0 ? query_failed(s, r) : EXIT_FINE;
}

static void summary_print(const struct ledger_summary *sum, const struct seen *seen)
{
	if (!sum->entries) {
		puts("The ledger is empty: no alert was put since it was begun.");
	} else {
		printf("%llu entries (%llu to %llu) about %llu alerts; the newest is %s.\n",
		       (unsigned long long)sum->entries, (unsigned long long)sum->first,
		       (unsigned long long)sum->last, (unsigned long long)sum->alerts, sum->head);
	}
	if (sum->uncovered)
		printf("%llu alerts are older than the ledger: nothing can be said of them.\n",
		       (unsigned long long)sum->uncovered);
	if (seen->good || seen->old)
		printf("%u entries that were told elsewhere are there; %u are older than the "
		       "ledger.\n",
		       seen->good, seen->old);
	if (sum->findings || seen->bad)
		printf("The store was tampered with: %llu findings.\n",
		       (unsigned long long)sum->findings + seen->bad);
	else
		puts("Nothing was deleted or edited as far as it tells.");
}

static int options_parse(const struct command *self, int argc, char **argv, struct query *q,
			 const char **ret_expect)
{
	for (int i = 1; i < argc; i++) {
		const char **to = NULL;

		if (!strcmp(argv[i], "--store"))
			to = &q->store;
		else if (!strcmp(argv[i], "--config"))
			to = &q->config;
		else if (!strcmp(argv[i], "--expect"))
			to = ret_expect;
		if (!to || i + 1 == argc)
			return command_usage(self, argv[i]);
		*to = argv[++i];
	}
	return EXIT_FINE;
}

static int run(const struct command *self, int argc, char **argv)
{
	struct ledger_summary sum;
	const char *expect = NULL;
	struct store *s = NULL;
	struct seen seen = {0};
	struct query q = {0};
	int r = options_parse(self, argc, argv, &q, &expect);

	if (r == EXIT_FINE)
		r = query_open(&q, &s);
	if (r != EXIT_FINE)
		return r;
	r = ledger_verify(s, on_finding, NULL, &sum);
	if (r)
		r = query_failed(s, r);
	if (r == EXIT_FINE)
		r = expect_given(s, expect, &seen);
	store_close(s);
	if (r != EXIT_FINE)
		return r;
	summary_print(&sum, &seen);
	r = query_finish();
	return r == EXIT_FINE && (sum.findings || seen.bad) ? EXIT_INPUT : r;
}

const struct command command_verify = {
	.name = "verify",
	.usage = "[--expect ENTRY|-] [--store PATH] [--config FILE]",
	.about = "is the store what the agent wrote?",
	.help = "  --expect ENTRY       this entry was told elsewhere: 57:0123456789abcdef...\n"
		"  --expect -           each line of the input, as of\n"
		"      journalctl -t outergate -o cat "
		"--output-fields=OUTERGATE_LEDGER\n" QUERY_STORE_HELP
		"\nExit code 1 when an alert was deleted or edited, or an entry is missing.\n",
	.run = run,
};
