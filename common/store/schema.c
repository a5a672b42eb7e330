/*
 * schema: the tables of the store, by version (PRAGMA user_version).
 *
 * One step a version; a step is never edited once released, a change is a new step. A store of a
 * newer version is refused (-EPROTO): half-understood history is worse than none. The columns are
 * what commands filter by; everything else is in `body` (body.h).
 */
#include <errno.h>
#include <stdio.h>

#include "store_internal.h"

#define APPLICATION_ID 0x4f757465 /* "Oute": tells our file from any other SQLite file */
#define DAMAGED	       (-1)	  /* user_version of a store that was found damaged while in use */

static const char *const steps[] = {
	/* 1 */
	"CREATE TABLE alerts("
	" id TEXT PRIMARY KEY, revision INTEGER NOT NULL, detection TEXT NOT NULL,"
	" severity INTEGER NOT NULL, state INTEGER NOT NULL, first_ns INTEGER NOT NULL,"
	" last_ns INTEGER NOT NULL, session TEXT NOT NULL, service TEXT NOT NULL,"
	" account TEXT NOT NULL, effective_account TEXT NOT NULL, origin BLOB NOT NULL,"
	" body TEXT NOT NULL);"
	"CREATE INDEX alerts_by_time ON alerts(last_ns);"
	"CREATE INDEX alerts_by_session ON alerts(session);"
	"CREATE TABLE sessions("
	" id TEXT PRIMARY KEY, severity INTEGER NOT NULL, state INTEGER NOT NULL,"
	" first_ns INTEGER NOT NULL, last_ns INTEGER NOT NULL, service TEXT NOT NULL,"
	" account TEXT NOT NULL, effective_account TEXT NOT NULL, origin BLOB NOT NULL,"
	" body TEXT NOT NULL);"
	"CREATE INDEX sessions_by_time ON sessions(last_ns);"
	"CREATE TABLE blobs(name TEXT PRIMARY KEY, value BLOB NOT NULL);",
	/* 2: what a person asked the agent for */
	"CREATE TABLE requests("
	" id INTEGER PRIMARY KEY AUTOINCREMENT, made_ns INTEGER NOT NULL, verb TEXT NOT NULL,"
	" subject TEXT NOT NULL, detail TEXT NOT NULL, result TEXT);",
	/* 3: what waits for forwarders (outbox.h) */
	"CREATE TABLE outbox("
	" seq INTEGER PRIMARY KEY AUTOINCREMENT, made_ns INTEGER NOT NULL, lane INTEGER NOT NULL,"
	" what INTEGER NOT NULL, severity INTEGER NOT NULL, id TEXT NOT NULL, body TEXT NOT NULL);"
	"CREATE INDEX outbox_by_lane ON outbox(lane, seq);"
	"CREATE INDEX outbox_by_id ON outbox(id);",
	/* 4: a chain over the alerts (ledger.h) */
	"CREATE TABLE ledger("
	" seq INTEGER PRIMARY KEY AUTOINCREMENT, what TEXT NOT NULL, id TEXT NOT NULL,"
	" digest BLOB NOT NULL, link BLOB NOT NULL);"
	"CREATE INDEX ledger_by_id ON ledger(id, seq);",
};
#define VERSION ((int)(sizeof(steps) / sizeof(steps[0])))

static int read_pragma(struct store *s, const char *sql, int *ret)
{
	sqlite3_stmt *st = NULL;
	int rc = sqlite3_prepare_v2(s->db, sql, -1, &st, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_step(st);
	if (rc == SQLITE_ROW)
		*ret = sqlite3_column_int(st, 0);
	sqlite3_finalize(st);
	return rc == SQLITE_ROW ? 0 : store_result(s, rc, "reading the store");
}

static int refuse(struct store *s, int err, const char *why)
{
	snprintf(s->error, sizeof(s->error), "%s", why);
	return err;
}

/* Is it ours, and of which version? 0 = it has no tables yet. */
static int identify(struct store *s, int *ret_version)
{
	int version = 0, application = 0, tables = 0;
	int r = read_pragma(s, "PRAGMA user_version", &version);

	if (!r)
		r = read_pragma(s, "PRAGMA application_id", &application);
	if (!r)
		r = read_pragma(s, "SELECT count(*) FROM sqlite_master", &tables);
	if (r)
		return r;
	if (version == DAMAGED)
		return refuse(s, STORE_DAMAGED, "the store was found damaged");
	if (tables && application != APPLICATION_ID)
		return refuse(s, -EIO, "this is a database of another program, not a store");
	if (version > VERSION)
		return refuse(
			s, -EPROTO,
			"the store was made by a newer version of Outergate; use that version, "
			"or move the store away to begin a new one");
	*ret_version = version;
	return 0;
}

static int run_steps(struct store *s, int version)
{
	char sql[80];
	int r = store_exec(s, "BEGIN IMMEDIATE", "upgrading the store");

	if (r)
		return r;
	for (; version < VERSION && !r; version++)
		r = store_exec(s, steps[version], "upgrading the store");
	snprintf(sql, sizeof(sql), "PRAGMA application_id = %d; PRAGMA user_version = %d;",
		 APPLICATION_ID, VERSION);
	if (!r)
		r = store_exec(s, sql, "upgrading the store");
	if (!r)
		r = store_exec(s, "COMMIT", "upgrading the store");
	if (r)
		sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
	return r;
}

int schema_prepare(struct store *s)
{
	int version = 0;
	int r = identify(s, &version);

	/* Pages freed by pruning can be given back; only a new file can be told. */
	if (!r && version == 0)
		r = store_exec(s, "PRAGMA auto_vacuum = INCREMENTAL", "creating the store");
	if (!r)
		r = store_exec(s,
			       "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;"
			       "PRAGMA journal_size_limit = 4194304; PRAGMA foreign_keys = OFF;"
			       "PRAGMA trusted_schema = OFF;",
			       "opening the store");
	if (!r && version < VERSION)
		r = run_steps(s, version);
	return r;
}

int schema_check(struct store *s)
{
	int version = 0;
	int r = identify(s, &version);

	if (r)
		return r == STORE_DAMAGED ? -EIO : r;
	if (version == 0)
		return refuse(s, -ENOENT,
			      "the store is empty: the agent has not written to it yet");
	/* Steps up to now added tables only: what is read is there since the first. */
	return 0;
}
