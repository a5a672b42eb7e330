/*
 * expiries: a line in the journal when an exception, a known place or a journey of the
 * configuration is about to end, and one when it has ended: what was quiet will alert again.
 *
 * Each is told once; the store remembers what was told, so that a restart does not repeat it.
 */
#include "engine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SD_JOURNAL_SUPPRESS_LOCATION
#include <systemd/sd-journal.h>

#include "common/config_expiry.h"
#include "common/out/siphash.h"

#define TOLD_BLOB "expiries-told"
#define TOLD_MAX  (CONFIG_EXCEPTIONS_MAX + CONFIG_KNOWN_MAX + CONFIG_TRAVEL_MAX)

struct told {
	uint64_t marks[TOLD_MAX];
	unsigned count;
};

static bool has(const struct told *t, uint64_t mark)
{
	for (unsigned i = 0; i < t->count; i++)
		if (t->marks[i] == mark)
			return true;
	return false;
}

static void restore(struct engine *e, struct told *ret)
{
	void *blob = NULL;
	size_t len = 0;

	if (!engine_kept(e, TOLD_BLOB, &blob, &len))
		return;
	if (len % sizeof(ret->marks[0]) == 0 && len <= sizeof(ret->marks)) {
		memcpy(ret->marks, blob, len);
		ret->count = (unsigned)(len / sizeof(ret->marks[0]));
	}
	free(blob);
}

static void tell(struct engine *e, const char *text)
{
	char shown[4 * (CONFIG_EXPIRY_TEXT + 64)];

	if (config_pseudonymises(e->config, CONFIG_SINK_JOURNALD)) /* an entry names who */
		text = "something of the configuration ends within 7 days or has ended; outergate "
		       "status says what";
	if (out_escape(span_of(text), shown, sizeof(shown)) < 0)
		return;
	if (e->setup.terminal || !e->config->journald) /* a service's stderr is the journal */
		fprintf(stderr, "outergate: warning: %s\n", shown);
	if (e->config->journald &&
	    sd_journal_send("MESSAGE=%s", shown, "PRIORITY=4", "SYSLOG_IDENTIFIER=outergate",
			    "OUTERGATE_NOTICE=expiry", NULL))
		core_stats(e->core)->sink_errors++;
}

void expiries_tell(struct engine *e, uint64_t now_ns)
{
	char text[CONFIG_EXPIRY_TEXT + 64];
	struct told before = {0}, now = {0};
	struct config_expiry x;

	restore(e, &before);
	for (unsigned i = 0; now.count < TOLD_MAX && config_expiry_at(e->config, i, &x); i++) {
		uint64_t mark;

		if (config_expiry_say(&x, now_ns, text, sizeof(text)) == EXPIRY_FAR)
			continue;
		mark = siphash(span_of(text), 0, 0);
		if (!has(&before, mark) && !has(&now, mark))
			tell(e, text);
		now.marks[now.count++] = mark;
	}
	if (now.count != before.count || memcmp(now.marks, before.marks, sizeof(now.marks)) != 0)
		store_put_blob(e->store, TOLD_BLOB, now.marks, now.count * sizeof(now.marks[0]));
}
