/* metrics: see the header. */
#include "metrics.h"

#define PREFIX "outergate_"

void metric_begin(struct writer *w, const char *name, const char *help, bool counter)
{
	const char *end = counter ? "_total" : "";

	writer_puts(w, "# HELP " PREFIX);
	writer_puts(w, name);
	writer_puts(w, end);
	writer_puts(w, " ");
	writer_puts(w, help);
	writer_puts(w, "\n# TYPE " PREFIX);
	writer_puts(w, name);
	writer_puts(w, end);
	writer_puts(w, counter ? " counter\n" : " gauge\n");
}

/* Backslash, quote and newline are escaped; what else is odd becomes a question mark. */
static void put_label(struct writer *w, const char *value)
{
	for (; *value; value++) {
		unsigned char c = (unsigned char)*value;

		if (c == '\\' || c == '"')
			writer_bytes(w, "\\", 1);
		writer_bytes(w, c < ' ' || c >= 0x7f ? "?" : value, 1);
	}
}

void metric_put(struct writer *w, const char *name, bool counter, const char *label,
		const char *value, uint64_t v)
{
	writer_puts(w, PREFIX);
	writer_puts(w, name);
	writer_puts(w, counter ? "_total" : "");
	if (label) {
		writer_puts(w, "{");
		writer_puts(w, label);
		writer_puts(w, "=\"");
		put_label(w, value);
		writer_puts(w, "\"}");
	}
	writer_puts(w, " ");
	writer_number(w, v);
	writer_puts(w, "\n");
}

void metric_one(struct writer *w, const char *name, const char *help, bool counter, uint64_t v)
{
	metric_begin(w, name, help, counter);
	metric_put(w, name, counter, NULL, NULL, v);
}

void metrics_stats(struct writer *w, const struct stats *st)
{
#define STAT(name, help) metric_one(w, #name, help, true, st->name);
#include "../stats.def"
#undef STAT
}
