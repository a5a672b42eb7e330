/*
 * alert_text: alerts and sessions for a person: one line for the live view, the whole story for
 * `explain`. Every text from outside is escaped; a line never holds a newline or a colour that is
 * not ours.
 *
 *   2026-11-22T06:31:00.123Z  HIGH      auth.bruteforce_success  203.0.113.9 got in as root ...
 */
#include "out_parts.h"

#include "privacy.h"

#define INDENT "  "

/* By severity: quiet, cyan, yellow, red, white on red. */
static const char *const colours[SEVERITY_COUNT] = {"\033[2m", "\033[36m", "\033[33m", "\033[31m",
						    "\033[1;37;41m"};
static const char *const severity_words[SEVERITY_COUNT] = {"INFO", "LOW", "MEDIUM", "HIGH",
							   "CRITICAL"};

static const char *severity_word(enum severity s)
{
	return (unsigned)s < SEVERITY_COUNT ? severity_words[s] : "?";
}

static void put_time(struct writer *w, uint64_t ns)
{
	char buf[32];

	writer_puts(w, ns ? out_time(ns, buf) : "-");
}

static void put_severity(struct writer *w, enum severity s, bool colour)
{
	bool paint = colour && (unsigned)s < SEVERITY_COUNT;

	if (paint)
		writer_puts(w, colours[s]);
	writer_column(w, severity_word(s), 8);
	if (paint)
		writer_puts(w, "\033[0m");
}

int out_alert_line(const struct alert *a, const struct out_policy *p, bool colour, char *buf,
		   size_t cap)
{
	struct alert shown;
	struct writer w;

	privacy_alert(a, p, &shown);
	writer_start(&w, buf, cap);
	put_time(&w, a->last_ns ? a->last_ns : a->first_ns);
	writer_puts(&w, "  ");
	put_severity(&w, a->severity, colour);
	writer_puts(&w, "  ");
	writer_column(&w, a->detection->id, 26);
	writer_puts(&w, "  ");
	writer_escaped(&w, span_of_array(shown.sentence, sizeof(shown.sentence)));
	writer_puts(&w, "  [");
	writer_escaped(&w, span_first(span_of(a->id), 12));
	if (a->state == ALERT_CLOSED)
		writer_puts(&w, " closed");
	writer_puts(&w, a->learning ? " learning]" : "]");
	return writer_finish(&w);
}

static void put_escaped_str(struct writer *w, const char *s)
{
	writer_escaped(w, span_of(s));
}

int out_session_line(const struct session *s, const struct out_policy *p, char *buf, size_t cap)
{
	char end[ENDPOINT_TEXT_MAX];
	struct writer w;

	(void)p; /* nothing here is private */
	writer_start(&w, buf, cap);
	put_time(&w, s->state == SESSION_CLOSED ? s->close_ns : s->open_ns);
	writer_puts(&w, "  ");
	writer_column(&w, session_state_name(s->state), 9);
	writer_puts(&w, "  ");
	put_escaped_str(&w, s->account[0] ? s->account : "-");
	writer_puts(&w, " from ");
	writer_puts(&w, part_endpoint_text(&s->origin, end));
	writer_puts(&w, " by ");
	writer_puts(&w, s->service ? service_name(s->service) : "an unknown service");
	if (s->method) {
		writer_puts(&w, ", ");
		writer_puts(&w, method_name(s->method));
	}
	writer_puts(&w, ", ");
	writer_number(&w, s->commands_total);
	writer_puts(&w, " commands  [");
	put_escaped_str(&w, s->id);
	writer_puts(&w, "]");
	return writer_finish(&w);
}
