/*
 * handoff_fit: does what a broker started fit what a session asked it for? By what names it: the
 * unit, the job's file, the command line. Both sides are chosen by whoever runs the programs, so
 * each is looked at as bytes within bounds.
 *
 * A command line is compared as the tail of the asking one's: systemd-run and docker put their own
 * options before it, and systemd-run makes its first word a path. Cannot see: what a program says
 * on the socket; a unit's specifiers (%i) once they are replaced.
 *
 * Example: `systemd-run --collect sleep 60` fits `/usr/bin/sleep 60` in run-r0a1b....service.
 */
#include "core_internal.h"

#define CUT_LEAST 16 /* of a command line that was cut, so much must be the same */

static struct span trimmed(struct span args)
{
	while (args.len && !args.ptr[args.len - 1])
		args.len--;
	return args;
}

/*
 * The same, or the same as far as the shorter goes where one was cut. A backslash more is none:
 * systemd (252) that is reloaded between a transient unit's making and its start has read its
 * command line again, with "\;" where ";" was asked for.
 */
static bool tail_is(struct span asked, struct span born, bool is_cut)
{
	size_t i = 0, j = 0;

	asked = trimmed(asked);
	born = trimmed(born);
	while (i < asked.len && j < born.len) {
		if (asked.ptr[i] == born.ptr[j])
			i++;
		else if (born.ptr[j] != '\\')
			return false;
		j++;
	}
	return (i == asked.len && j == born.len) || (is_cut && i >= CUT_LEAST);
}

bool handoff_args_fit(struct span asked, struct span born, bool is_cut)
{
	struct span first, word;

	/* The tool's own name; systemctl starts what has a command line of its own. */
	if (!span_cut_arg(&born, &first) || !span_cut_arg(&asked, &word) ||
	    span_is(span_base(word), "systemctl"))
		return false;
	while (span_cut_arg(&asked, &word))
		if (span_eq(span_base(word), span_base(first)) && tail_is(asked, born, is_cut))
			return true;
	return false;
}

bool handoff_container_is(struct span id, struct span cgroup)
{
	return id.len >= 12 && span_has(cgroup, id);
}

/* A pod's number; in names of systemd's cgroups "_" stands for "-". */
bool handoff_pod_is(struct span asked, struct span born)
{
	if (span_empty(asked) || asked.len != born.len)
		return false;
	for (size_t i = 0; i < asked.len; i++)
		if (asked.ptr[i] != born.ptr[i] && (asked.ptr[i] != '-' || born.ptr[i] != '_'))
			return false;
	return true;
}

bool handoff_words_are(struct span asked, struct span born)
{
	asked = trimmed(asked);
	born = trimmed(born);
	return asked.len && span_eq(asked, born);
}

/* "web" and "web.service" are one. */
static bool is_unit(struct span word, struct span unit)
{
	static const char *const suffixes[] = {".service", ".scope", ".timer"};

	if (span_eq(word, unit))
		return true;
	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
		struct span end = span_of(suffixes[i]);

		if (unit.len > end.len && span_eq(span_skip(unit, unit.len - end.len), end) &&
		    span_eq(word, span_first(unit, unit.len - end.len)))
			return true;
	}
	return false;
}

bool handoff_unit_fits(struct span asked, struct span unit)
{
	static const struct span option = {"--unit=", 7};
	struct span word;

	if (span_empty(unit) || !span_cut_arg(&asked, &word))
		return false;
	while (span_cut_arg(&asked, &word)) {
		if (span_starts(word, option))
			word = span_skip(word, option.len);
		if (!span_empty(word) && is_unit(word, unit))
			return true;
	}
	return false;
}

bool handoff_unit_is_transient(struct span unit)
{
	return span_starts(unit, SPAN_LIT("run-"));
}

bool handoff_file_fits(struct span file, struct span name)
{
	return !span_empty(name) && span_eq(span_base(file), name);
}

/* What follows a line in the text of a change. */
static bool line_ends(struct span rest)
{
	return span_empty(rest) || span_starts(rest, SPAN_LIT(", ")) ||
	       span_starts(rest, SPAN_LIT(" (sha256"));
}

/* The command of `sh -c COMMAND` in what a change added, whose lines are cut. */
bool handoff_job_fits(struct span text, struct span args)
{
	struct span word, last = {0};

	while (span_cut_arg(&args, &word))
		last = word;
	for (size_t i = 1; i < text.len && last.len > 1; i++) {
		struct span here = span_skip(text, i);
		size_t n = 0;

		if (text.ptr[i - 1] != ' ' && text.ptr[i - 1] != '\t')
			continue;
		while (n < here.len && n < last.len && here.ptr[n] == last.ptr[n])
			n++;
		if ((n == last.len || n >= CUT_LEAST) && line_ends(span_skip(here, n)))
			return true;
	}
	return false;
}
