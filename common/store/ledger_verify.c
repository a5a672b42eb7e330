/*
 * ledger_verify: is the chain whole, and are the alerts what it says?
 *
 * It goes entry by entry, so that it can be left and taken up again: first the chain, then each
 * alert's newest entry.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ledger_row.h"
#include "store_internal.h"

#define TOLD_MAX 100

enum stage {
	STAGE_BEGIN,
	STAGE_CHAIN,
	STAGE_ALERTS,
	STAGE_END
};

struct ledger_check {
	struct store *s;
	void (*told)(void *arg, const char *sentence);
	void *arg;
	struct ledger_summary sum;
	enum stage stage;
	sqlite3_stmt *rows;	  /* of the stage */
	struct ledger_row before; /* of the chain */
};

__attribute__((format(printf, 2, 3))) static void finding(struct ledger_check *v,
							  const char *format, ...)
{
	char text[320];
	va_list args;

	if (v->sum.findings++ >= TOLD_MAX)
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

static void entry(struct ledger_check *v, const struct ledger_row *row, bool ours)
{
	uint8_t link[LEDGER_LINK];

	if (row->seq != v->before.seq + 1) {
		finding(v, "entries %" PRIu64 " to %" PRIu64 " of the ledger are gone",
			v->before.seq + 1, row->seq - 1);
	} else {
		ledger_link(v->before.link, row, link);
		if (!ours || memcmp(link, row->link, LEDGER_LINK) != 0)
			finding(v, "entry %" PRIu64 " of the ledger is not what was written",
				row->seq);
	}
	v->before = *row;
	v->sum.entries++;
}

/* The last entry was seen. */
static int chain_end(struct ledger_check *v)
{
	uint64_t ever = 0;
	int r;

	v->sum.last = v->before.seq;
	if (v->before.seq)
		ledger_text(v->before.seq, v->before.link, v->sum.head);
	r = store_query_u64(v->s,
			    "SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = "
			    "'ledger'",
			    &ever);
	if (!r && ever > v->before.seq)
		finding(v, "the ledger's last %" PRIu64 " entries are gone", ever - v->before.seq);
	return r;
}

/* Each alert's newest entry, and what became of the alert. */
#define NEWEST                                                                                     \
	"SELECT l.seq, l.what, l.id, l.digest, l.link FROM ledger l WHERE l.seq ="                 \
	" (SELECT max(seq) FROM ledger m WHERE m.id = l.id) ORDER BY l.seq"

static int alert_is(struct ledger_check *v, const struct ledger_row *row)
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
	v->sum.alerts++;
	if (r)
		finding(v, "alert %s was deleted, and not by the agent", plain(row->id, id));
	else if (memcmp(digest, row->digest, LEDGER_LINK) != 0)
		finding(v, "alert %s is not what the agent wrote", plain(row->id, id));
	return 0;
}

static int version_is(struct store *s, bool *ret)
{
	uint64_t n = 0;
	int r = store_query_u64(s, "SELECT count(*) FROM sqlite_master WHERE name = 'ledger'", &n);

	*ret = n != 0;
	return r;
}

static int stage_enter(struct ledger_check *v, enum stage next)
{
	const char *sql = next == STAGE_CHAIN ? LEDGER_ROWS " ORDER BY seq" : NEWEST;

	sqlite3_finalize(v->rows);
	v->rows = NULL;
	v->stage = next;
	return next == STAGE_END
		       ? 0
		       : store_result(v->s, sqlite3_prepare_v2(v->s->db, sql, -1, &v->rows, NULL),
				      "reading the ledger");
}

static int begin(struct ledger_check *v)
{
	bool has = false;
	int r = version_is(v->s, &has);

	if (r)
		return r;
	if (!has) /* an older version's store, which no newer agent has opened yet */
		return stage_enter(v, STAGE_END);
	r = ledger_begin(v->s, &v->before);
	v->sum.first = v->before.seq + 1;
	return r ? r : stage_enter(v, STAGE_CHAIN);
}

/* One row of the stage, or its end and the next stage's beginning. */
static int row_take(struct ledger_check *v)
{
	struct ledger_row row;
	int r, rc = sqlite3_step(v->rows);
	bool ours;

	if (rc == SQLITE_ROW) {
		ours = ledger_row_read(v->rows, &row);
		if (v->stage == STAGE_CHAIN)
			entry(v, &row, ours);
		else if (ours) /* else the chain has told */
			return alert_is(v, &row);
		return 0;
	}
	if (rc != SQLITE_DONE)
		return store_result(v->s, rc, "reading the ledger");
	if (v->stage == STAGE_ALERTS)
		return stage_enter(v, STAGE_END);
	r = chain_end(v);
	return r ? r : stage_enter(v, STAGE_ALERTS);
}

int ledger_check_step(struct ledger_check *v, unsigned rows)
{
	int r = v->stage == STAGE_BEGIN ? begin(v) : 0;

	while (!r && v->stage != STAGE_END && rows--)
		r = row_take(v);
	return r ? r : v->stage != STAGE_END;
}

int ledger_verify(struct store *s, void (*told)(void *arg, const char *sentence), void *arg,
		  struct ledger_summary *ret)
{
	struct ledger_check v = {.s = s, .told = told, .arg = arg};
	int r;

	do
		r = ledger_check_step(&v, 1024);
	while (r > 0);
	sqlite3_finalize(v.rows);
	if (!r && v.sum.first)
		r = store_query_u64(
			s, "SELECT count(*) FROM alerts WHERE id NOT IN (SELECT id FROM ledger)",
			&v.sum.uncovered);
	*ret = v.sum;
	return r;
}

int ledger_check_begin(const char *path, void (*told)(void *arg, const char *sentence), void *arg,
		       struct ledger_check **ret)
{
	struct ledger_check *v = calloc(1, sizeof(*v));
	uint64_t n;
	int r;

	if (!v)
		return -ENOMEM;
	v->told = told;
	v->arg = arg;
	r = store_open(path, STORE_READ_BESIDE, &v->s);
	/* What is read first decides which state is seen. */
	if (!r)
		r = store_exec(v->s, "BEGIN", "beginning to read");
	if (!r)
		r = store_query_u64(v->s, "SELECT count(*) FROM sqlite_master", &n);
	if (r)
		ledger_check_end(v);
	else
		*ret = v;
	return r;
}

const struct ledger_summary *ledger_check_summary(const struct ledger_check *v)
{
	return &v->sum;
}

void ledger_check_end(struct ledger_check *v)
{
	if (!v)
		return;
	sqlite3_finalize(v->rows);
	store_close(v->s);
	free(v);
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
