/* ledger_verify: is the chain whole, and are the alerts what it says? */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ledger_row.h"
#include "store_internal.h"

#define TOLD_MAX 100

struct verify {
	struct store *s;
	void (*told)(void *arg, const char *sentence);
	void *arg;
	struct ledger_summary *sum;
};

__attribute__((format(printf, 2, 3))) static void finding(struct verify *v, const char *format, ...)
{
	char text[320];
	va_list args;

	if (v->sum->findings++ >= TOLD_MAX)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	v->told(v->arg, text);
}

/* Ids come from a file that somebody may have edited. */
static const char *plain(const char *id, char ret[ID_TEXT_MAX])
{
	size_t n = 0;

	for (; id[n] && n + 1 < ID_TEXT_MAX; n++)
		ret[n] = (id[n] > ' ' && id[n] < 127) ? id[n] : '?';
	ret[n] = '\0';
	return ret;
}

static void entry(struct verify *v, struct ledger_row *before, const struct ledger_row *row,
		  bool ours)
{
	uint8_t link[LEDGER_LINK];

	if (row->seq != before->seq + 1) {
		finding(v, "entries %" PRIu64 " to %" PRIu64 " of the ledger are gone",
			before->seq + 1, row->seq - 1);
	} else {
		ledger_link(before->link, row, link);
		if (!ours || memcmp(link, row->link, LEDGER_LINK) != 0)
			finding(v, "entry %" PRIu64 " of the ledger is not what was written",
				row->seq);
	}
	*before = *row;
	v->sum->entries++;
}

static int chain(struct verify *v)
{
	struct ledger_row before, row;
	sqlite3_stmt *st = NULL;
	uint64_t ever = 0;
	int rc, r = ledger_begin(v->s, &before);

	if (r)
		return r;
	v->sum->first = before.seq + 1;
	rc = sqlite3_prepare_v2(v->s->db, LEDGER_ROWS " ORDER BY seq", -1, &st, NULL);
	if (rc == SQLITE_OK)
		while ((rc = sqlite3_step(st)) == SQLITE_ROW) {
			bool ours = ledger_row_read(st, &row);

			entry(v, &before, &row, ours);
		}
	sqlite3_finalize(st);
	if (rc != SQLITE_DONE)
		return store_result(v->s, rc, "reading the ledger");
	v->sum->last = before.seq;
	if (before.seq)
		ledger_text(before.seq, before.link, v->sum->head);
	r = store_query_u64(v->s,
			    "SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = "
			    "'ledger'",
			    &ever);
	if (!r && ever > before.seq)
		finding(v, "the ledger's last %" PRIu64 " entries are gone", ever - before.seq);
	return r;
}

/* Each alert's newest entry, and what became of the alert. */
#define NEWEST                                                                                     \
	"SELECT l.seq, l.what, l.id, l.digest, l.link FROM ledger l WHERE l.seq ="                 \
	" (SELECT max(seq) FROM ledger m WHERE m.id = l.id) ORDER BY l.seq"

static int alert_is(struct verify *v, const struct ledger_row *row)
{
	uint8_t digest[LEDGER_LINK];
	char id[ID_TEXT_MAX];
	int r = ledger_digest(v->s, row->id, digest);

	if (r && r != -ENOENT)
		return r;
	if (strcmp(row->what, LEDGER_ALERT) != 0) {
		if (!r)
			finding(v, "alert %s was removed (%.15s) and is there again",
				plain(row->id, id), row->what);
		return 0;
	}
	v->sum->alerts++;
	if (r)
		finding(v, "alert %s was deleted, and not by the agent", plain(row->id, id));
	else if (memcmp(digest, row->digest, LEDGER_LINK) != 0)
		finding(v, "alert %s is not what the agent wrote", plain(row->id, id));
	return 0;
}

static int alerts(struct verify *v)
{
	sqlite3_stmt *st = NULL;
	struct ledger_row row;
	int r = 0, rc = sqlite3_prepare_v2(v->s->db, NEWEST, -1, &st, NULL);

	if (rc == SQLITE_OK)
		while (!r && (rc = sqlite3_step(st)) == SQLITE_ROW)
			if (ledger_row_read(st, &row)) /* else chain() has told */
				r = alert_is(v, &row);
	sqlite3_finalize(st);
	if (!r && rc != SQLITE_DONE)
		r = store_result(v->s, rc, "reading the ledger");
	return r;
}

static int version_is(struct store *s, bool *ret)
{
	uint64_t n = 0;
	int r = store_query_u64(s, "SELECT count(*) FROM sqlite_master WHERE name = 'ledger'", &n);

	*ret = n != 0;
	return r;
}

int ledger_verify(struct store *s, void (*told)(void *arg, const char *sentence), void *arg,
		  struct ledger_summary *ret)
{
	struct verify v = {s, told, arg, ret};
	bool has = false;
	int r = version_is(s, &has);

	memset(ret, 0, sizeof(*ret));
	if (r || !has) /* an older version's store, which no newer agent has opened yet */
		return r;
	r = chain(&v);
	if (!r)
		r = alerts(&v);
	if (!r)
		r = store_query_u64(
			s, "SELECT count(*) FROM alerts WHERE id NOT IN (SELECT id FROM ledger)",
			&ret->uncovered);
	return r;
}

static bool text_parse(struct span text, uint64_t *ret_seq)
{
	size_t i = 0;

	*ret_seq = 0;
	for (; i < text.len && i < 18 && text.ptr[i] >= '0' && text.ptr[i] <= '9'; i++)
		*ret_seq = *ret_seq * 10 + (uint64_t)(text.ptr[i] - '0');
	return i && *ret_seq && text.len == i + 1 + LEDGER_LINK && text.ptr[i] == ':';
}

int ledger_expect(struct store *s, struct span text, char *why, size_t cap)
{
	char now[LEDGER_TEXT_MAX];
	struct ledger_row row, begin;
	sqlite3_stmt *st = NULL;
	uint64_t seq;
	bool found = false;
	int rc, r;

	if (!text_parse(text, &seq))
		return -EINVAL;
	r = ledger_begin(s, &begin);
	if (r)
		return r;
	if (seq <= begin.seq)
		return 2;
	rc = sqlite3_prepare_v2(s->db, LEDGER_ROWS " WHERE seq = ?1", -1, &st, NULL);
	if (rc == SQLITE_OK) {
		sqlite3_bind_int64(st, 1, store_int(seq));
		rc = sqlite3_step(st);
	}
	if (rc == SQLITE_ROW && ledger_row_read(st, &row)) {
		ledger_text(row.seq, row.link, now);
		found = span_eq(text, span_of(now));
		snprintf(why, cap, "entry %" PRIu64 " of the ledger is not the one that was told",
			 seq);
	} else {
		snprintf(why, cap, "entry %" PRIu64 " of the ledger was told, and is gone", seq);
	}
	sqlite3_finalize(st);
	if (rc != SQLITE_ROW && rc != SQLITE_DONE)
		return store_result(s, rc, "reading the ledger");
	return found ? 0 : 1;
}
