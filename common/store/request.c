/*
 * request: what a person asks the agent for, by way of the store: it outlives either side, needs no
 * protocol to be parsed by a privileged process, and who may write the store may ask.
 */
#include "store_internal.h"

#include <errno.h>

#include "../out/privacy.h"
#include "../out/writer.h"

static void bind_text(sqlite3_stmt *st, int at, const char *s)
{
	sqlite3_bind_text(st, at, s, -1, SQLITE_STATIC);
}

int64_t store_request_put(struct store *s, const char *verb, const char *subject,
			  const char *detail, uint64_t now_ns)
{
	sqlite3_stmt *st = store_statement(s, STATEMENT_REQUEST_PUT,
					   "INSERT INTO requests(made_ns, verb, subject, detail)"
					   " VALUES(?1, ?2, ?3, ?4)");
	int r;

	if (!st)
		return -EIO;
	sqlite3_bind_int64(st, 1, store_int(now_ns));
	bind_text(st, 2, verb);
	bind_text(st, 3, subject);
	bind_text(st, 4, detail);
	r = store_run(s, st, "asking the agent");
	return r ? r : sqlite3_last_insert_rowid(s->db);
}

static void take(sqlite3_stmt *st, int column, char *ret, size_t cap)
{
	const char *text = (const char *)sqlite3_column_text(st, column);

	span_copy(ret, cap, span_of(text ? text : ""));
}

int store_request_next(struct store *s, struct store_request *ret)
{
	sqlite3_stmt *st = store_statement(s, STATEMENT_REQUEST_NEXT,
					   "SELECT id, verb, subject, detail FROM requests"
					   " WHERE result IS NULL ORDER BY id LIMIT 1");
	int rc;

	if (!st)
		return -EIO;
	rc = sqlite3_step(st);
	if (rc == SQLITE_ROW) {
		ret->id = sqlite3_column_int64(st, 0);
		take(st, 1, ret->verb, sizeof(ret->verb));
		take(st, 2, ret->subject, sizeof(ret->subject));
		take(st, 3, ret->detail, sizeof(ret->detail));
	}
	sqlite3_reset(st);
	return rc == SQLITE_ROW	   ? 0
	       : rc == SQLITE_DONE ? -ENOENT
				   : store_result(s, rc, "reading requests");
}

int store_request_done(struct store *s, int64_t id, const char *result)
{
	sqlite3_stmt *st = store_statement(s, STATEMENT_REQUEST_DONE,
					   "UPDATE requests SET result = ?2 WHERE id = ?1");

	if (!st)
		return -EIO;
	sqlite3_bind_int64(st, 1, id);
	bind_text(st, 2, result);
	return store_run(s, st, "answering a request");
}

static int drop(struct store *s, int64_t id)
{
	sqlite3_stmt *st =
		store_statement(s, STATEMENT_REQUEST_DROP, "DELETE FROM requests WHERE id = ?1");

	if (!st)
		return -EIO;
	sqlite3_bind_int64(st, 1, id);
	return store_run(s, st, "ending a request");
}

int store_request_result(struct store *s, int64_t id, char *ret, size_t cap)
{
	sqlite3_stmt *st = store_statement(s, STATEMENT_REQUEST_RESULT,
					   "SELECT result FROM requests WHERE id = ?1"
					   " AND result IS NOT NULL");
	int rc;

	if (!st)
		return -EIO;
	sqlite3_bind_int64(st, 1, id);
	rc = sqlite3_step(st);
	if (rc == SQLITE_ROW)
		take(st, 0, ret, cap);
	sqlite3_reset(st);
	if (rc == SQLITE_DONE)
		return -EAGAIN;
	return rc == SQLITE_ROW ? drop(s, id) : store_result(s, rc, "reading an answer");
}

/* --- forgetting */

static int forget(struct store *s, enum store_statement which, const char *sql, struct span account,
		  const struct cidr *origin, uint64_t *rows)
{
	unsigned char low[ORIGIN_KEY_LEN], high[ORIGIN_KEY_LEN];
	sqlite3_stmt *st = store_statement(s, which, sql);
	int r;

	if (!st)
		return -EIO;
	sqlite3_clear_bindings(st);
	sqlite3_bind_text(st, 1, account.len ? account.ptr : "", (int)account.len, SQLITE_STATIC);
	if (origin) {
		origin_range(origin, low, high);
		sqlite3_bind_blob(st, 2, low, sizeof(low), SQLITE_STATIC);
		sqlite3_bind_blob(st, 3, high, sizeof(high), SQLITE_STATIC);
	}
	r = store_run(s, st, "forgetting");
	if (!r)
		*rows += (uint64_t)sqlite3_changes(s->db);
	return r;
}

#define WHOSE                                                                                      \
	" WHERE (?1 <> '' AND (account = ?1 OR effective_account = ?1))"                           \
	" OR (?2 IS NOT NULL AND origin BETWEEN ?2 AND ?3)"

/* Events are kept as they are sent: by the text of the name or of the one address. */
static int forget_events(struct store *s, struct span account, const struct cidr *origin)
{
	sqlite3_stmt *st = store_statement(s, STATEMENT_FORGET_OUTBOX_EVENTS,
					   "DELETE FROM outbox WHERE what = 4"
					   " AND instr(body, ?1) > 0");
	char quoted[ACCOUNT_MAX * 6 + 8], address[ADDR_TEXT_MAX];
	struct writer w;
	int n;

	if (!st)
		return -EIO;
	writer_start(&w, quoted, sizeof(quoted));
	json_put_text(&w, NULL, origin ? span_of(addr_format(&origin->addr, address)) : account);
	n = writer_finish(&w);
	if (n <= 0 || (origin && origin->bits != 128))
		return 0;
	sqlite3_bind_text(st, 1, quoted, n, SQLITE_STATIC);
	return store_run(s, st, "forgetting");
}

/* What still waits for a forwarder is not told any more. */
static int forget_unsent(struct store *s, struct span account, const struct cidr *origin)
{
	uint64_t rows = 0;
	int r = forget(s, STATEMENT_FORGET_OUTBOX_ALERTS,
		       "DELETE FROM outbox WHERE id IN (SELECT id FROM alerts" WHOSE ")", account,
		       origin, &rows);

	if (!r)
		r = forget(s, STATEMENT_FORGET_OUTBOX_SESSIONS,
			   "DELETE FROM outbox WHERE id IN (SELECT id FROM sessions" WHOSE ")",
			   account, origin, &rows);
	if (!r)
		r = forget_events(s, account, origin);
	s->outbox_known = false;
	return r;
}

static int forget_all(struct store *s, struct span account, const struct cidr *origin,
		      uint64_t *ret_rows)
{
	char hidden[PRIVACY_NAME_MAX] = "";
	uint64_t rows = 0;
	int r = 0;

	if (!origin) /* an account that is not here is kept by its hash */
		privacy_name(account, s->policy.privacy_key, hidden);
	for (unsigned i = 0; i < (origin ? 1u : 2u) && !r; i++) {
		struct span name = i ? span_of(hidden) : account;

		r = forget_unsent(s, name, origin);
		if (!r)
			r = forget(s, STATEMENT_FORGET_ALERTS, "DELETE FROM alerts" WHOSE, name,
				   origin, &rows);
		if (!r)
			r = forget(s, STATEMENT_FORGET_SESSIONS, "DELETE FROM sessions" WHOSE, name,
				   origin, &rows);
	}
	if (!r)
		*ret_rows = rows;
	return r;
}

int store_forget(struct store *s, struct span account, const struct cidr *origin,
		 uint64_t *ret_rows)
{
	int r = store_part_begin(s);

	if (r)
		return r;
	r = forget_all(s, account, origin, ret_rows);
	if (!r)
		r = ledger_add_removed(s, "forgotten");
	return store_part_end(s, r);
}
