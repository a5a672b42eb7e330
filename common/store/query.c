/*
 * query: alerts and sessions that match a filter, newest first.
 *
 * One statement a table with every condition in it: an empty condition is true. The tables are
 * bounded by retention, so that no plan has to be clever.
 */
#include "store_internal.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>

#include "body.h"

#define LIMIT_DEFAULT 1000
#define ID_PREFIX_MIN 4

/* ?1 since, ?2 until, ?3 service, ?4 account, ?5 and ?6 origin, ?7 severity, ?8 id, ?9 live */
#define CONDITIONS                                                                                 \
	" WHERE (?1 = 0 OR last_ns >= ?1) AND (?2 = 0 OR first_ns <= ?2)"                          \
	" AND (?3 = '' OR service = ?3)"                                                           \
	" AND (?4 = '' OR account = ?4 OR effective_account = ?4)"                                 \
	" AND (?5 IS NULL OR origin BETWEEN ?5 AND ?6) AND severity >= ?7"                         \
	" AND (?8 = '' OR substr(id, 1, length(?8)) = ?8) AND (?9 = 0 OR state <> 2)"
#define ORDER " ORDER BY last_ns DESC, id LIMIT ?12"

/* ?10 detection, ?11 session */
#define SELECT_ALERTS                                                                              \
	"SELECT body FROM alerts" CONDITIONS                                                       \
	" AND (?10 = '' OR detection = ?10) AND (?11 = '' OR session = ?11)" ORDER
#define SELECT_SESSIONS                                                                            \
	"SELECT body FROM sessions" CONDITIONS " AND (?10 = '' OR EXISTS(SELECT 1 FROM alerts"     \
	" WHERE alerts.session = sessions.id AND alerts.detection = ?10))"                         \
	" AND (?11 = '' OR id = ?11)" ORDER

static_assert((int)ALERT_CLOSED == 2 && (int)SESSION_CLOSED == 2, "CONDITIONS says state <> 2");

static void bind_span(sqlite3_stmt *st, int at, struct span s)
{
	sqlite3_bind_text(st, at, s.len ? s.ptr : "", (int)s.len, SQLITE_STATIC);
}

static int bind_origin(struct store *s, sqlite3_stmt *st, struct span origin)
{
	unsigned char low[ORIGIN_KEY_LEN], high[ORIGIN_KEY_LEN];
	struct cidr c;

	if (span_empty(origin))
		return 0;
	if (!cidr_parse(origin, &c)) {
		snprintf(s->error, sizeof(s->error), "not an address or CIDR block: %.64s",
			 origin.ptr);
		return -EINVAL;
	}
	origin_range(&c, low, high);
	sqlite3_bind_blob(st, 5, low, sizeof(low), SQLITE_TRANSIENT);
	sqlite3_bind_blob(st, 6, high, sizeof(high), SQLITE_TRANSIENT);
	return 0;
}

static int bind_filter(struct store *s, sqlite3_stmt *st, const struct store_filter *f)
{
	if (f->id.len && f->id.len < ID_PREFIX_MIN) {
		snprintf(s->error, sizeof(s->error), "an id needs at least %d characters",
			 ID_PREFIX_MIN);
		return -EINVAL;
	}
	sqlite3_clear_bindings(st);
	sqlite3_bind_int64(st, 1, store_int(f->since_ns));
	sqlite3_bind_int64(st, 2, store_int(f->until_ns));
	sqlite3_bind_text(st, 3, service_name(f->service), -1, SQLITE_STATIC);
	bind_span(st, 4, f->account);
	sqlite3_bind_int64(st, 7, f->severity);
	bind_span(st, 8, f->id);
	sqlite3_bind_int64(st, 9, f->live);
	bind_span(st, 10, f->detection);
	bind_span(st, 11, f->session);
	sqlite3_bind_int64(st, 12, f->limit ? f->limit : LIMIT_DEFAULT);
	return bind_origin(s, st, f->origin);
}

/* What a row is made into: true to go on. */
struct reader {
	int (*row)(struct store *s, const struct reader *r, const char *body, size_t len,
		   bool *more);
	bool (*on_alert)(void *arg, const struct alert *a);
	bool (*on_session)(void *arg, const struct session *x);
	void *arg;
};

static int unreadable(struct store *s, int err)
{
	snprintf(s->error, sizeof(s->error), "a row of the store cannot be read");
	return err;
}

/* An alert of a detection that this version does not have still has its story. */
static const struct detection *stand_in(struct store *s)
{
	s->unknown = (struct detection){
		.id = s->unknown_id,
		.title = "a detection that this version does not have",
		.stage = s->alert.stage,
		.attack = "",
		.tactic = "",
		.analytic = "",
		.data_components = "",
		.reasons = "",
		.triage = "",
		.contain = "",
		.false_positive = "",
		.tune = "",
		.mitigation = "",
	};
	return &s->unknown;
}

static int read_alert(struct store *s, const struct reader *r, const char *body, size_t len,
		      bool *more)
{
	int err = body_get_alert(body, len, &s->alert, s->unknown_id, sizeof(s->unknown_id));

	if (err)
		return unreadable(s, err);
	if (!s->alert.detection)
		s->alert.detection = stand_in(s);
	*more = r->on_alert(r->arg, &s->alert);
	return 0;
}

static int read_session(struct store *s, const struct reader *r, const char *body, size_t len,
			bool *more)
{
	int err = body_get_session(body, len, &s->session);

	if (err)
		return unreadable(s, err);
	*more = r->on_session(r->arg, &s->session);
	return 0;
}

static int run_query(struct store *s, sqlite3_stmt *st, const struct store_filter *f,
		     const struct reader *reader)
{
	const char *body;
	bool more = true;
	int rc = SQLITE_DONE, r = bind_filter(s, st, f);

	while (!r && more) {
		rc = sqlite3_step(st);
		if (rc != SQLITE_ROW)
			break;
		body = (const char *)sqlite3_column_text(st, 0);
		r = body ? reader->row(s, reader, body, (size_t)sqlite3_column_bytes(st, 0), &more)
			 : store_result(s, SQLITE_NOMEM, "reading the store");
	}
	if (!r)
		r = store_result(s, rc, "reading the store");
	sqlite3_reset(st);
	sqlite3_clear_bindings(st);
	return r;
}

int store_alerts(struct store *s, const struct store_filter *f,
		 bool (*row)(void *arg, const struct alert *a), void *arg)
{
	struct reader r = {.row = read_alert, .on_alert = row, .arg = arg};
	sqlite3_stmt *st = store_statement(s, STATEMENT_ALERTS, SELECT_ALERTS);

	return st ? run_query(s, st, f, &r) : -EIO;
}

int store_sessions(struct store *s, const struct store_filter *f,
		   bool (*row)(void *arg, const struct session *x), void *arg)
{
	struct reader r = {.row = read_session, .on_session = row, .arg = arg};
	sqlite3_stmt *st = store_statement(s, STATEMENT_SESSIONS, SELECT_SESSIONS);

	return st ? run_query(s, st, f, &r) : -EIO;
}

static int number_of(struct store *s, enum store_statement which, const char *sql, const char *id,
		     int64_t *ret)
{
	sqlite3_stmt *st = store_statement(s, which, sql);
	int rc;

	if (!st)
		return -EIO;
	sqlite3_bind_text(st, 1, id, -1, SQLITE_STATIC);
	rc = sqlite3_step(st);
	*ret = rc == SQLITE_ROW ? sqlite3_column_int64(st, 0) : 0;
	sqlite3_reset(st);
	return rc == SQLITE_ROW || rc == SQLITE_DONE ? 0 : store_result(s, rc, "reading the store");
}

int store_alert_revision(struct store *s, const char *id, uint32_t *ret)
{
	int64_t v = 0;
	int r = number_of(s, STATEMENT_ALERT_REVISION, "SELECT revision FROM alerts WHERE id = ?1",
			  id, &v);

	if (!r)
		*ret = (uint32_t)v;
	return r;
}

int store_session_last(struct store *s, const char *id, uint64_t *ret_ns)
{
	int64_t v = 0;
	int r = number_of(s, STATEMENT_SESSION_LAST, "SELECT last_ns FROM sessions WHERE id = ?1",
			  id, &v);

	if (!r)
		*ret_ns = (uint64_t)v;
	return r;
}
