/*
 * html: pieces of one HTML page that holds alerts and sessions (`outergate report`). Pure, into a
 * writer. Whatever comes from outside goes through html_text() or html_cell(): first escaped as in
 * any output (no control, direction or invisible character), then so that no byte of it is markup,
 * in an element as in an attribute.
 */
#ifndef OUTERGATE_HTML_H
#define OUTERGATE_HTML_H

#include "out.h"
#include "writer.h"

void html_head(struct writer *w, const char *title);
void html_foot(struct writer *w);
void html_text(struct writer *w, struct span s);
/* <td>...</td> */
void html_cell(struct writer *w, const char *text);
void html_cell_number(struct writer *w, uint64_t v);
void html_cell_time(struct writer *w, uint64_t ns);
void html_cell_severity(struct writer *w, enum severity s);
/* The start of a section with a table; columns: names, separated by '|'. */
void html_table(struct writer *w, const char *heading, const char *columns);
void html_table_end(struct writer *w, unsigned rows);
void html_alert_row(struct writer *w, const struct alert *a);
void html_session_row(struct writer *w, const struct session *s);
/* One moment of a timeline. */
void html_moment(struct writer *w, uint64_t time_ns, const char *what, struct span text);
/* "NL AS64500 Name" of what a database told. */
void html_cell_place(struct writer *w, const struct geo *g);

#endif
