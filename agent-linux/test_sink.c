/* test_sink: the journal, as `outergate test` tries it. */
#include "cli/test_sink.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <systemd/sd-journal.h>

#include "cli/command.h"
#include "sink_journald.h"

#define ARRIVES_WITHIN_S 5

const char test_sink_name[] = "journald";

static uint64_t clock_now_ns(void)
{
	return (uint64_t)time(NULL) * UINT64_C(1000000000);
}

/* 1: there; 0: not within the time; or -errno. */
static int journal_has(const char *id)
{
	char match[ID_TEXT_MAX + 16];
	uint64_t end = clock_now_ns() + ARRIVES_WITHIN_S * UINT64_C(1000000000);
	sd_journal *j = NULL;
	int r = sd_journal_open(&j, SD_JOURNAL_LOCAL_ONLY);

	snprintf(match, sizeof(match), "OUTERGATE_ID=%s", id);
	if (r >= 0)
		r = sd_journal_add_match(j, match, 0);
	while (r >= 0) {
		r = sd_journal_seek_head(j);
		if (r >= 0)
			r = sd_journal_next(j);
		if (r != 0 || clock_now_ns() > end)
			break;
		r = sd_journal_wait(j, 200000);
	}
	sd_journal_close(j);
	return r;
}

int test_sink_arrived(const char *id, char *text, size_t cap)
{
	int r = journal_has(id);

	if (r > 0)
		snprintf(text, cap, "arrived: journalctl OUTERGATE_ID=%s", id);
	else if (r == 0)
		snprintf(text, cap,
			 "NOT in the journal after %d s (only root and the group systemd-journal "
			 "see "
			 "all of it; it drops what comes too fast)",
			 ARRIVES_WITHIN_S);
	else
		snprintf(text, cap, "handed over; the journal cannot be read: %s", strerror(-r));
	return r > 0 ? EXIT_FINE : r == -EACCES || r == -EPERM ? EXIT_PERMISSION : EXIT_INPUT;
}

int test_sink_send(const struct alert *a)
{
	static const struct out_policy policy = {.keep_unknown_accounts = true};

	return sink_journald_send(a, &policy);
}
