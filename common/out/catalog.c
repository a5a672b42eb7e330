/*
 * catalog: what journald knows of a detection: MESSAGE_ID and the explanation that `journalctl -x`
 * prints below an alert. deploy/outergate.catalog is made of these entries by tools/catalog.sh.
 *
 * The prefix is random, chosen once; it never changes, and neither does a detection's number.
 */
#include "out.h"

#include "writer.h"

#define MESSAGE_ID_PREFIX "7d1e0c5ab2f84b6f9c3a51d86e04" /* and four hex digits */

const char *out_message_id(uint16_t number, char buf[OUT_MESSAGE_ID_MAX])
{
	static const char hex[] = "0123456789abcdef";
	struct writer w;

	writer_start(&w, buf, OUT_MESSAGE_ID_MAX);
	writer_puts(&w, MESSAGE_ID_PREFIX);
	for (int shift = 12; shift >= 0; shift -= 4)
		writer_bytes(&w, &hex[number >> shift & 15], 1);
	writer_finish(&w);
	return buf;
}

static void put_section(struct writer *w, const char *label, const char *text)
{
	if (!text || !*text)
		return;
	writer_puts(w, label);
	writer_puts(w, ": ");
	writer_escaped(w, span_of(text));
	writer_puts(w, "\n");
}

int out_catalog_entry(const struct detection *d, char *buf, size_t cap)
{
	char id[OUT_MESSAGE_ID_MAX];
	struct writer w;

	writer_start(&w, buf, cap);
	writer_puts(&w, "-- ");
	writer_puts(&w, out_message_id(d->number, id));
	writer_puts(&w, "\nSubject: ");
	writer_puts(&w, d->id);
	writer_puts(&w, ": ");
	writer_puts(&w, d->title ? d->title : "");
	writer_puts(&w, "\nDefined-By: outergate\n\n@MESSAGE@\n\n");
	put_section(&w, "Triage", d->triage);
	put_section(&w, "Contain", d->contain);
	put_section(&w, "False positive", d->false_positive);
	put_section(&w, "Tune", d->tune);
	put_section(&w, "Mitigation", d->mitigation);
	put_section(&w, "ATT&CK", d->attack);
	writer_puts(&w, "\nThe whole story: outergate explain @OUTERGATE_ID@\n");
	return writer_finish(&w);
}
