/*
 * prune: keeps the store within its age and its size.
 *
 * By age: closed sessions and closed alerts past their retention. By size: the oldest closed
 * sessions first, then the least severe and oldest alerts, until the rows are below the bound;
 * open ones last of all. Named values do not count: they are bounded by who puts them.
 */
#include "store_internal.h"
#include "outbox.h"

#include <errno.h>

#define ROUNDS 64 /* bounds one call; the next call goes on */
/* So does this, of each statement and of a call: who calls has something else to do. */
#define ROWS_MAX  1000
#define ROWS_TEXT "1000"
#define SECOND	  UINT64_C(1000000000)

static int delete_older(struct store *s, const char *sql, uint64_t before_ns, uint64_t *rows)
{
	sqlite3_stmt *st = NULL;
	int r = store_result(s, sqlite3_prepare_v2(s->db, sql, -1, &st, NULL), "pruning");

	if (r)
		return r;
	sqlite3_bind_int64(st, 1, store_int(before_ns));
	r = store_result(s, sqlite3_step(st), "pruning");
	if (!r)
		*rows += (uint64_t)sqlite3_changes(s->db);
	sqlite3_finalize(st);
	return r;
}

static int prune_age(struct store *s, uint64_t now_ns, uint64_t alerts_s, uint64_t sessions_s,
		     uint64_t *rows)
{
	uint64_t now = now_ns / SECOND;
	int r = 0;

	if (alerts_s && alerts_s < now)
		r = delete_older(s,
				 "DELETE FROM alerts WHERE rowid IN (SELECT rowid FROM alerts "
				 "WHERE last_ns < ?1 AND state = 2 LIMIT " ROWS_TEXT ")",
				 (now - alerts_s) * SECOND, rows);
	if (!r && sessions_s && sessions_s < now)
		r = delete_older(s,
				 "DELETE FROM sessions WHERE rowid IN (SELECT rowid FROM sessions "
				 "WHERE last_ns < ?1 AND state = 2 LIMIT " ROWS_TEXT ")",
				 (now - sessions_s) * SECOND, rows);
	return r;
}

/* Bytes that rows take: pages in use less the named values. */
static int used_bytes(struct store *s, uint64_t *ret)
{
	uint64_t pages = 0, unused = 0, size = 0, blobs = 0, rows = 0, waiting = 0;
	int r = store_query_u64(s, "PRAGMA page_count", &pages);

	if (!r)
		r = store_query_u64(s, "PRAGMA freelist_count", &unused);
	if (!r)
		r = store_query_u64(s, "PRAGMA page_size", &size);
	if (!r)
		r = store_query_u64(s, "SELECT coalesce(sum(length(value)), 0) FROM blobs", &blobs);
	if (!r)
		r = outbox_size(s, &rows, &waiting);
	if (r)
		return r;
	blobs += waiting; /* bounded by itself */
	pages = (pages - unused) * size;
	*ret = pages > blobs ? pages - blobs : 0;
	return 0;
}

/* One sixteenth, so that a small excess costs little history. */
static const char *const victims[] = {
	"DELETE FROM sessions WHERE rowid IN (SELECT rowid FROM sessions WHERE state = 2"
	" ORDER BY last_ns LIMIT 1 + (SELECT min(count(*) / 16, " ROWS_TEXT ") FROM sessions))",
	"DELETE FROM alerts WHERE rowid IN (SELECT rowid FROM alerts WHERE state = 2"
	" ORDER BY severity, last_ns LIMIT 1 + (SELECT min(count(*) / 16, " ROWS_TEXT
	") FROM alerts))",
	"DELETE FROM sessions WHERE rowid IN (SELECT rowid FROM sessions"
	" ORDER BY last_ns LIMIT 1 + (SELECT min(count(*) / 16, " ROWS_TEXT ") FROM sessions))",
	"DELETE FROM alerts WHERE rowid IN (SELECT rowid FROM alerts"
	" ORDER BY severity, last_ns LIMIT 1 + (SELECT min(count(*) / 16, " ROWS_TEXT
	") FROM alerts))",
};
#define VICTIMS (sizeof(victims) / sizeof(victims[0]))

static int prune_size(struct store *s, uint64_t max_bytes, uint64_t *rows)
{
	size_t kind = 0;

	for (unsigned round = 0; max_bytes && round < ROUNDS && kind < VICTIMS && *rows < ROWS_MAX;
	     round++) {
		uint64_t used = 0;
		int changed, r = used_bytes(s, &used);

		if (r || used <= max_bytes)
			return r;
		r = store_exec(s, victims[kind], "pruning");
		if (r)
			return r;
		changed = sqlite3_changes(s->db);
		*rows += (uint64_t)changed;
		if (changed == 0)
			kind++;
	}
	return 0;
}

int store_prune(struct store *s, uint64_t now_ns, uint64_t alerts_s, uint64_t sessions_s,
		uint64_t max_bytes, uint64_t *ret_rows)
{
	uint64_t rows = 0;
	int r = store_part_begin(s);

	if (r)
		return r;
	r = prune_age(s, now_ns, alerts_s, sessions_s, &rows);
	if (!r)
		r = prune_size(s, max_bytes, &rows);
	if (!r)
		r = ledger_add_removed(s, "retention");
	if (!r)
		r = ledger_trim(s);
	r = store_part_end(s, r);
	if (!r)
		r = store_exec(s, "PRAGMA incremental_vacuum", "giving space back");
	if (!r && ret_rows)
		*ret_rows = rows;
	return r;
}
