/* store_internal: what the files of store/ share. */
#ifndef OUTERGATE_STORE_INTERNAL_H
#define OUTERGATE_STORE_INTERNAL_H

#include <sqlite3.h>

#include "ledger_row.h"
#include "store.h"

/* An alert with every byte escaped stays below this; see the test of the bounds. */
#define STORE_BODY_MAX	OUT_ALERT_MAX
#define STORE_ERROR_MAX 320

enum store_statement {
	STATEMENT_PUT_ALERT,
	STATEMENT_PUT_SESSION,
	STATEMENT_PUT_BLOB,
	STATEMENT_GET_BLOB,
	STATEMENT_ALERTS,
	STATEMENT_SESSIONS,
	STATEMENT_FORGET_ALERTS,
	STATEMENT_FORGET_SESSIONS,
	STATEMENT_REQUEST_PUT,
	STATEMENT_REQUEST_NEXT,
	STATEMENT_REQUEST_DONE,
	STATEMENT_REQUEST_RESULT,
	STATEMENT_REQUEST_DROP,
	STATEMENT_ALERT_REVISION,
	STATEMENT_SESSION_LAST,
	STATEMENT_OUTBOX_PUT,
	STATEMENT_OUTBOX_READ,
	STATEMENT_OUTBOX_TRIM,
	STATEMENT_FORGET_OUTBOX_ALERTS,
	STATEMENT_FORGET_OUTBOX_SESSIONS,
	STATEMENT_FORGET_OUTBOX_EVENTS,
	STATEMENT_LEDGER_ROW,
	STATEMENT_LEDGER_PUT,
	STATEMENT_COUNT
};

struct store {
	sqlite3 *db;
	enum store_mode mode;
	bool in_transaction;
	bool outbox_known; /* the two numbers below are right */
	uint64_t outbox_rows, outbox_bytes;
	struct out_policy policy;
	sqlite3_stmt *statements[STATEMENT_COUNT];
	uint64_t ledger_seq; /* of the newest entry, 0: none */
	uint8_t ledger_link[LEDGER_LINK];
	char ledger_text[LEDGER_TEXT_MAX];
	char error[STORE_ERROR_MAX];
	char body[STORE_BODY_MAX];
	/* Rows are read into these. */
	struct alert alert;
	struct session session;
	struct detection unknown; /* stands for a detection that this version does not have */
	char unknown_id[64];
};

/* Keeps "what: SQLite's reason" for store_error() and turns the result into -errno; 0 for success.
 */
int store_result(struct store *s, int rc, const char *what);
int store_errno(int rc, sqlite3 *db);
int store_exec(struct store *s, const char *sql, const char *what);
/* The statement, reset and ready to bind; NULL after an error that store_error() tells. */
sqlite3_stmt *store_statement(struct store *s, enum store_statement which, const char *sql);
/* Runs a statement that returns no row. */
int store_run(struct store *s, sqlite3_stmt *st, const char *what);
/* One number; *ret untouched on failure. */
int store_query_u64(struct store *s, const char *sql, uint64_t *ret);

/* Not an errno: the file was marked as damaged when it was last used. */
#define STORE_DAMAGED (-100000)

/* schema.c: brings a writable database to this version, or looks whether a reader can read it. */
int schema_prepare(struct store *s);
int schema_check(struct store *s);

/* ledger.c, for the writer: where the chain ends; what a row is now; what left the table. */
int ledger_open(struct store *s);
/* The newest entry may be told: it will not be undone any more. */
void ledger_committed(struct store *s);
int ledger_add_alert(struct store *s, const char *id);
/* Entries for the alerts that this connection has deleted since the last call. */
int ledger_add_removed(struct store *s, const char *what);
int ledger_trim(struct store *s);
/* A transaction of its own, or a part of the one that is open. */
int store_part_begin(struct store *s);
int store_part_end(struct store *s, int r); /* r: undone if not 0; returned */

#define ORIGIN_KEY_LEN 17
/* Family and bytes: sorts so that a CIDR block is a range. */
void origin_key(const struct addr *a, unsigned char ret[ORIGIN_KEY_LEN]);

/* The range of keys that a CIDR block covers. */
void origin_range(const struct cidr *c, unsigned char low[ORIGIN_KEY_LEN],
		  unsigned char high[ORIGIN_KEY_LEN]);

static inline sqlite3_int64 store_int(uint64_t v)
{
	return v > INT64_MAX ? INT64_MAX : (sqlite3_int64)v;
}

#endif
