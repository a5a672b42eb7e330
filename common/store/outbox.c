/* outbox: see the header. The counts of rows and bytes are kept in memory; SQLite sums them once.
 */
#include "outbox.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "../out/privacy.h"
#include "body.h"
#include "store_internal.h"

#define CURSOR_VERSION 1
#define CURSOR_NAME    64
#define ROUNDS	       64 /* bounds one call of outbox_bound; the next goes on */

static int put(struct store *s, enum forward_what what, enum severity severity, const char *id,
	       const char *body, size_t len, uint64_t now_ns)
{
	sqlite3_stmt *st = store_statement(
		s, STATEMENT_OUTBOX_PUT,
		"INSERT INTO outbox(made_ns, lane, what, severity, id, body)"
		" SELECT ?1, ?2, ?3, ?4, ?5, ?6 WHERE NOT EXISTS(SELECT 1 FROM outbox"
		" WHERE id = ?5 AND what = ?3 AND severity = ?4 AND (?3 = 4 OR body = ?6))");
	int r;

	if (!st)
		return -EIO;
	sqlite3_bind_int64(st, 1, store_int(now_ns));
	sqlite3_bind_int64(st, 2, what == FORWARD_ALERTS ? OUTBOX_ALERTS : OUTBOX_OTHERS);
	sqlite3_bind_int64(st, 3, what);
	sqlite3_bind_int64(st, 4, severity);
	sqlite3_bind_text(st, 5, id, -1, SQLITE_STATIC);
	sqlite3_bind_text(st, 6, body, (int)len, SQLITE_STATIC);
	r = store_run(s, st, "putting into the outbox");
	if (!r && s->outbox_known && sqlite3_changes(s->db)) {
		s->outbox_rows++;
		s->outbox_bytes += len;
	}
	return r;
}

static int too_big(struct store *s)
{
	snprintf(s->error, sizeof(s->error), "putting into the outbox: larger than a row may be");
	return -EFBIG;
}

int outbox_put_alert(struct store *s, const struct alert *a, uint64_t now_ns)
{
	struct alert kept;
	int len;

	privacy_alert(a, &s->policy, &kept);
	len = body_put_alert(&kept, s->body, sizeof(s->body));
	return len < 0 ? too_big(s)
		       : put(s, FORWARD_ALERTS, a->severity, a->id, s->body, (size_t)len, now_ns);
}

int outbox_put_session(struct store *s, const struct session *x, uint64_t now_ns)
{
	struct session kept;
	int len;

	privacy_session(x, &s->policy, &kept);
	len = body_put_session(&kept, s->body, sizeof(s->body));
	return len < 0 ? too_big(s)
		       : put(s, FORWARD_SESSIONS, 0, x->id, s->body, (size_t)len, now_ns);
}

int outbox_put_event(struct store *s, unsigned form, const char *id, const char *text, size_t len,
		     uint64_t time_ns)
{
	return put(s, FORWARD_EVENTS, (enum severity)form, id, text, len, time_ns);
}

int outbox_read(struct store *s, enum outbox_lane lane, uint64_t after, unsigned limit,
		bool (*row)(void *arg, const struct outbox_row *r), void *arg)
{
	sqlite3_stmt *st =
		store_statement(s, STATEMENT_OUTBOX_READ,
				"SELECT seq, made_ns, what, severity, id, body FROM outbox"
				" WHERE lane = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3");
	int rc;

	if (!st)
		return -EIO;
	sqlite3_bind_int64(st, 1, lane);
	sqlite3_bind_int64(st, 2, store_int(after));
	sqlite3_bind_int64(st, 3, limit);
	while ((rc = sqlite3_step(st)) == SQLITE_ROW) {
		struct outbox_row r = {
			.seq = (uint64_t)sqlite3_column_int64(st, 0),
			.made_ns = (uint64_t)sqlite3_column_int64(st, 1),
			.what = (enum forward_what)sqlite3_column_int(st, 2),
			.severity = (enum severity)sqlite3_column_int(st, 3),
			.id = (const char *)sqlite3_column_text(st, 4),
			.body = (const char *)sqlite3_column_text(st, 5),
			.len = (size_t)sqlite3_column_bytes(st, 5),
		};

		if (!row(arg, &r))
			break;
	}
	sqlite3_reset(st);
	return rc == SQLITE_ROW || rc == SQLITE_DONE ? 0
						     : store_result(s, rc, "reading the outbox");
}

/* Of all that were ever put, also when none is left: AUTOINCREMENT remembers. */
int outbox_last(struct store *s, uint64_t *ret)
{
	uint64_t v = 0;
	int r = store_query_u64(
		s, "SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'outbox'", &v);

	if (!r)
		*ret = v;
	return r;
}

static void cursor_name(const char *name, char ret[CURSOR_NAME])
{
	snprintf(ret, CURSOR_NAME, "forward:%s", name);
}

int outbox_cursor_get(struct store *s, const char *name, struct outbox_cursor *ret)
{
	struct outbox_cursor c = {.version = CURSOR_VERSION};
	char key[CURSOR_NAME];
	void *kept = NULL;
	size_t len = 0;
	uint64_t last = 0;
	int r;

	cursor_name(name, key);
	r = store_get_blob(s, key, &kept, &len);
	if (!r) {
		bool fits = len == sizeof(c);

		if (fits)
			memcpy(&c, kept, sizeof(c));
		free(kept);
		if (fits && c.version == CURSOR_VERSION) {
			*ret = c;
			return 0;
		}
		c = (struct outbox_cursor){.version = CURSOR_VERSION};
	} else if (r != -ENOENT) {
		return r;
	}
	r = outbox_last(s, &last);
	if (r)
		return r;
	for (unsigned i = 0; i < OUTBOX_LANES; i++)
		c.acked[i] = c.handed[i] = last;
	*ret = c;
	return outbox_cursor_put(s, name, &c);
}

int outbox_cursor_put(struct store *s, const char *name, const struct outbox_cursor *c)
{
	char key[CURSOR_NAME];

	cursor_name(name, key);
	return store_put_blob(s, key, c, sizeof(*c));
}

/* Rows that are about to go leave the counts; summing all that stay would read every body. */
static int uncount(struct store *s, const char *which)
{
	uint64_t rows = 0, bytes = 0;
	char sql[512];
	int r;

	if (!s->outbox_known)
		return 0;
	snprintf(sql, sizeof(sql), "SELECT count(*) %s", which);
	r = store_query_u64(s, sql, &rows);
	snprintf(sql, sizeof(sql), "SELECT coalesce(sum(length(CAST(body AS BLOB))), 0) %s", which);
	if (!r && rows)
		r = store_query_u64(s, sql, &bytes);
	if (r || rows > s->outbox_rows || bytes > s->outbox_bytes) {
		s->outbox_known = false;
		return r;
	}
	s->outbox_rows -= rows;
	s->outbox_bytes -= bytes;
	return 0;
}

static int trim_lane(struct store *s, unsigned lane, uint64_t most)
{
	sqlite3_stmt *st = store_statement(s, STATEMENT_OUTBOX_TRIM,
					   "DELETE FROM outbox WHERE lane = ?1 AND seq <= ?2");
	char which[96];
	int r;

	if (!st)
		return -EIO;
	snprintf(which, sizeof(which), "FROM outbox WHERE lane = %u AND seq <= %lld", lane,
		 (long long)store_int(most));
	r = uncount(s, which);
	if (r)
		return r;
	sqlite3_bind_int64(st, 1, lane);
	sqlite3_bind_int64(st, 2, store_int(most));
	r = store_run(s, st, "trimming the outbox");
	if (r)
		s->outbox_known = false;
	return r;
}

int outbox_trim(struct store *s, const struct outbox_cursor *cursors, unsigned n,
		uint64_t keep_after)
{
	int r = 0;

	for (unsigned lane = 0; lane < OUTBOX_LANES && !r; lane++) {
		uint64_t most = keep_after;

		for (unsigned i = 0; i < n; i++)
			if (cursors[i].acked[lane] < most)
				most = cursors[i].acked[lane];
		r = trim_lane(s, lane, most);
	}
	return r;
}

int outbox_between(struct store *s, enum outbox_lane lane, uint64_t first, uint64_t last,
		   uint64_t *ret)
{
	char sql[128];

	snprintf(sql, sizeof(sql),
		 "SELECT count(*) FROM outbox WHERE lane = %d AND seq > %lld AND seq <= %lld",
		 (int)lane, (long long)store_int(first), (long long)store_int(last));
	return store_query_u64(s, sql, ret);
}

int outbox_waiting(struct store *s, const struct outbox_cursor *c,
		   const struct config_forwarder *to, unsigned form, uint64_t *ret)
{
	char sql[320];

	snprintf(sql, sizeof(sql),
		 "SELECT count(*) FROM outbox WHERE"
		 " (lane = 0 AND seq > %lld AND %d AND severity >= %u) OR (lane = 1 AND seq > %lld"
		 " AND ((what = 2 AND %d) OR (what = 4 AND %d AND severity = %u)))",
		 (long long)store_int(c->acked[OUTBOX_ALERTS]),
		 forward_wants(to, FORWARD_ALERTS, SEVERITY_COUNT), to->severity,
		 (long long)store_int(c->acked[OUTBOX_OTHERS]),
		 forward_wants(to, FORWARD_SESSIONS, 0), forward_wants(to, FORWARD_EVENTS, 0),
		 form);
	return store_query_u64(s, sql, ret);
}

int outbox_size(struct store *s, uint64_t *ret_rows, uint64_t *ret_bytes)
{
	int r = 0;

	if (!s->outbox_known) {
		r = store_query_u64(s, "SELECT count(*) FROM outbox", &s->outbox_rows);
		if (!r)
			r = store_query_u64(s,
					    "SELECT coalesce(sum(length(CAST(body AS BLOB))), 0)"
					    " FROM outbox",
					    &s->outbox_bytes);
		s->outbox_known = r == 0;
	}
	if (!r) {
		*ret_rows = s->outbox_rows;
		*ret_bytes = s->outbox_bytes;
	}
	return r;
}

/* One sixteenth at a time, the least precious first. */
static const char *const victims[] = {
	"FROM outbox WHERE seq IN (SELECT seq FROM outbox WHERE what = 4 ORDER BY seq"
	" LIMIT 1 + (SELECT count(*) / 16 FROM outbox))",
	"FROM outbox WHERE seq IN (SELECT seq FROM outbox WHERE what = 2 ORDER BY seq"
	" LIMIT 1 + (SELECT count(*) / 16 FROM outbox))",
	"FROM outbox WHERE seq IN (SELECT seq FROM outbox ORDER BY severity, seq"
	" LIMIT 1 + (SELECT count(*) / 16 FROM outbox))",
};
#define VICTIMS (sizeof(victims) / sizeof(victims[0]))
_Static_assert(FORWARD_SESSIONS == 2 && FORWARD_EVENTS == 4, "victims says so");

/* How many of those who go each of them did not have. */
static int count_lost(struct store *s, const char *victim, struct outbox_cursor *cursors,
		      unsigned n, uint64_t *rows)
{
	char sql[512];
	uint64_t most = 0;
	int r = 0;

	for (unsigned i = 0; i < n && !r; i++) {
		uint64_t lost = 0;

		snprintf(sql, sizeof(sql),
			 "SELECT count(*) %s AND ((lane = 0 AND seq > %lld)"
			 " OR (lane = 1 AND seq > %lld))",
			 victim, (long long)store_int(cursors[i].acked[OUTBOX_ALERTS]),
			 (long long)store_int(cursors[i].acked[OUTBOX_OTHERS]));
		r = store_query_u64(s, sql, &lost);
		cursors[i].dropped += lost;
		most = lost > most ? lost : most;
	}
	*rows += most;
	return r;
}

int outbox_bound(struct store *s, uint64_t max_bytes, struct outbox_cursor *cursors, unsigned n,
		 uint64_t *ret_rows)
{
	uint64_t lost = 0;
	size_t kind = 0;
	int r = 0;

	for (unsigned round = 0; !r && round < ROUNDS && kind < VICTIMS; round++) {
		uint64_t rows = 0, bytes = 0;
		char sql[320];

		r = outbox_size(s, &rows, &bytes);
		if (r || bytes <= max_bytes)
			break;
		r = count_lost(s, victims[kind], cursors, n, &lost);
		snprintf(sql, sizeof(sql), "DELETE %s", victims[kind]);
		if (!r)
			r = uncount(s, victims[kind]);
		if (!r)
			r = store_exec(s, sql, "bounding the outbox");
		if (!r && !sqlite3_changes(s->db))
			kind++;
		if (r)
			s->outbox_known = false;
	}
	*ret_rows = lost;
	return r;
}

int outbox_alert(const struct outbox_row *r, struct alert *ret)
{
	char id[64];
	int err = body_get_alert(r->body, r->len, ret, id, sizeof(id));

	return err ? err : ret->detection ? 0 : -EBADMSG;
}

int outbox_session(const struct outbox_row *r, struct session *ret)
{
	return body_get_session(r->body, r->len, ret);
}
