/* html: see html.h. */
#include "html.h"

#include "../detect/detection.h"
#include "out_parts.h"

/* As long as the longest text of an alert, with each byte written as \xNN. */
#define ESCAPED_MAX (4 * ALERT_SENTENCE_MAX + 1)

static const char style[] =
	"body{font:14px/1.45 system-ui,sans-serif;margin:2em auto;max-width:78em;padding:0 1em;"
	"color:#1b1f24;background:#fff}h1{font-size:1.6em}h2{margin-top:2em;border-bottom:1px "
	"solid "
	"#ccc}table{border-collapse:collapse;width:100%}th,td{text-align:left;vertical-align:top;"
	"padding:.3em .6em;border-bottom:1px solid #e4e6e8;overflow-wrap:anywhere}th{background:"
	"#f4f5f6}time,code{font-family:ui-monospace,monospace;font-size:.92em}ol{list-style:none;"
	"padding-left:1em;border-left:3px solid #c9ced4}li{margin:.25em 0}li "
	"b{display:inline-block;"
	"min-width:8em}.s{border-radius:3px;padding:0 .4em;color:#fff;background:#6b7580}.low{"
	"background:#3a6ea5}.medium{background:#a86f00}.high{background:#b8391b}.critical{"
	"background:#7d0f2c}.none{color:#6b7580}@media(prefers-color-scheme:dark){body{color:#"
	"e4e6e8;"
	"background:#15181b}th{background:#22272c}td,th,h2{border-color:#3a4046}}";

/* The page fetches nothing and runs nothing, and says so to the browser. */
void html_head(struct writer *w, const char *title)
{
	writer_puts(w, "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
		       "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
		       "style-src 'unsafe-inline'\">\n"
		       "<meta name=\"viewport\" content=\"width=device-width\">\n"
		       "<meta name=\"referrer\" content=\"no-referrer\">\n<title>");
	html_text(w, span_of(title));
	writer_puts(w, "</title>\n<style>");
	writer_puts(w, style);
	writer_puts(w, "</style></head>\n<body>\n<h1>");
	html_text(w, span_of(title));
	writer_puts(w, "</h1>\n");
}

void html_foot(struct writer *w)
{
	writer_puts(w, "</body></html>\n");
}

static const char *entity_of(char c)
{
	switch (c) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return "&quot;";
	case '\'':
		return "&#39;";
	case '`':
		return "&#96;";
	default:
		return NULL;
	}
}

void html_text(struct writer *w, struct span s)
{
	char escaped[ESCAPED_MAX];
	struct writer e;

	writer_start(&e, escaped, sizeof(escaped));
	e.cut = true;
	writer_escaped(&e, s);
	writer_finish(&e);
	for (size_t i = 0; i < e.len; i++) {
		const char *entity = entity_of(escaped[i]);

		if (entity)
			writer_puts(w, entity);
		else
			writer_bytes(w, &escaped[i], 1);
	}
}

void html_cell(struct writer *w, const char *text)
{
	writer_puts(w, "<td>");
	html_text(w, span_of(text));
	writer_puts(w, "</td>");
}

void html_cell_number(struct writer *w, uint64_t v)
{
	writer_puts(w, "<td>");
	writer_number(w, v);
	writer_puts(w, "</td>");
}

static void put_time(struct writer *w, uint64_t ns)
{
	char buf[32];

	if (!ns)
		return;
	writer_puts(w, "<time>");
	writer_puts(w, out_time(ns, buf));
	writer_puts(w, "</time>");
}

void html_cell_time(struct writer *w, uint64_t ns)
{
	writer_puts(w, "<td>");
	put_time(w, ns);
	writer_puts(w, "</td>");
}

void html_cell_severity(struct writer *w, enum severity s)
{
	writer_puts(w, "<td><span class=\"s ");
	writer_puts(w, severity_name(s));
	writer_puts(w, "\">");
	writer_puts(w, severity_name(s));
	writer_puts(w, "</span></td>");
}

void html_cell_place(struct writer *w, const struct geo *g)
{
	writer_puts(w, "<td>");
	html_text(w, span_of(g->country));
	if (g->asn) {
		writer_puts(w, " AS");
		writer_number(w, g->asn);
		writer_puts(w, " ");
		html_text(w, span_of(g->as_org));
	}
	writer_puts(w, "</td>");
}

void html_table(struct writer *w, const char *heading, const char *columns)
{
	writer_puts(w, "<h2>");
	writer_puts(w, heading);
	writer_puts(w, "</h2>\n<table><thead><tr><th>");
	for (; *columns; columns++) {
		if (*columns == '|')
			writer_puts(w, "</th><th>");
		else
			writer_bytes(w, columns, 1);
	}
	writer_puts(w, "</th></tr></thead><tbody>\n");
}

void html_table_end(struct writer *w, unsigned rows)
{
	writer_puts(w, "</tbody></table>\n");
	if (!rows)
		writer_puts(w, "<p class=\"none\">none</p>\n");
}

static void cell_endpoint(struct writer *w, const struct endpoint *e)
{
	char buf[ENDPOINT_TEXT_MAX];

	html_cell(w, part_endpoint_text(e, buf));
}

static void cell_account(struct writer *w, const char *account, const char *effective)
{
	writer_puts(w, "<td>");
	html_text(w, span_of(account));
	if (*effective) {
		writer_puts(w, " as ");
		html_text(w, span_of(effective));
	}
	writer_puts(w, "</td>");
}

void html_alert_row(struct writer *w, const struct alert *a)
{
	writer_puts(w, "<tr>");
	html_cell_time(w, a->last_ns);
	html_cell_severity(w, a->severity);
	html_cell(w, a->detection->id);
	writer_puts(w, "<td>");
	html_text(w, span_of_array(a->sentence, sizeof(a->sentence)));
	writer_puts(w, "</td>");
	html_cell_number(w, a->count);
	html_cell(w, a->acked_ns ? "acknowledged" : alert_state_name(a->state));
	writer_puts(w, "<td><code>");
	html_text(w, span_first(span_of(a->id), 12));
	writer_puts(w, "</code></td></tr>\n");
}

static void cell_did(struct writer *w, const struct session *s)
{
	char buf[ENDPOINT_TEXT_MAX];

	writer_puts(w, "<td>");
	for (uint32_t i = 0; i < s->commands_kept && i < SESSION_CMDS; i++) {
		writer_puts(w, "<code>");
		html_text(w, span_of_array(s->commands[i].text, sizeof(s->commands[i].text)));
		writer_puts(w, "</code><br>");
	}
	if (s->commands_total > s->commands_kept) {
		writer_number(w, s->commands_total - s->commands_kept);
		writer_puts(w, " more<br>");
	}
	for (uint32_t i = 0; i < s->dests_kept && i < SESSION_DESTS; i++) {
		writer_puts(w, "on to ");
		writer_puts(w, part_endpoint_text(&s->dests[i].dest, buf));
		writer_puts(w, "<br>");
	}
	writer_puts(w, "</td>");
}

void html_session_row(struct writer *w, const struct session *s)
{
	writer_puts(w, "<tr>");
	html_cell_time(w, s->open_ns);
	html_cell_time(w, s->close_ns);
	html_cell(w, service_name(s->service));
	cell_account(w, s->account, s->effective_account);
	cell_endpoint(w, &s->origin);
	html_cell_place(w, &s->geo);
	html_cell(w, method_name(s->method));
	cell_did(w, s);
	if (s->bytes_known)
		html_cell_number(w, s->bytes_out);
	else
		html_cell(w, "unknown");
	if (s->fired)
		html_cell_severity(w, s->worst);
	else
		html_cell(w, "");
	writer_puts(w, "</tr>\n");
}

void html_moment(struct writer *w, uint64_t time_ns, const char *what, struct span text)
{
	writer_puts(w, "<li>");
	put_time(w, time_ns);
	writer_puts(w, " <b>");
	html_text(w, span_of(what));
	writer_puts(w, "</b> ");
	html_text(w, text);
	writer_puts(w, "</li>\n");
}
