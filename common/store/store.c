/*
 * store: opening, errors, transactions and named values. The rows are put.c, query.c and prune.c.
 *
 * Opening for writing never deletes anything: a file that is damaged (or no database at all) is
 * renamed to "<path>.corrupt-<n>", a new store is begun and store_error() says so, though the
 * result is 0. A store of a newer version, or of another program, is refused and left alone.
 * Damage found later fails that write with -EIO and marks the file, so that the next open does
 * this.
 *
 * Readers never write. Where a reader may not even write SQLite's shared memory (another user,
 * a read-only mount, an agent that is not running), it reads the file as immutable: it then sees
 * everything up to the last checkpoint.
 */
#include "store_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "../plat.h"

#define BUSY_MS	   2000
#define ASIDE_MAX  100 /* damaged files that are kept; then opening fails */
#define PATH_BYTES 4096
#define BLOB_MAX   (64 << 20)

int store_errno(int rc, sqlite3 *db)
{
	int system = db ? sqlite3_system_errno(db) : 0;

	switch (rc & 0xff) {
	case SQLITE_OK:
	case SQLITE_DONE:
	case SQLITE_ROW:
		return 0;
	case SQLITE_FULL:
		return -ENOSPC;
	case SQLITE_READONLY:
		return -EROFS;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return -EBUSY;
	case SQLITE_NOMEM:
		return -ENOMEM;
	case SQLITE_PERM:
	case SQLITE_AUTH:
		return -EACCES;
	case SQLITE_CANTOPEN:
		return system > 0 ? -system : -ENOENT;
	case SQLITE_TOOBIG:
		return -EFBIG;
	default:
		return -EIO;
	}
}

/* The next open shall put the file aside; failing to say so loses nothing. */
static void mark_damaged(struct store *s)
{
	if (s->mode != STORE_WRITE)
		return;
	sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
	sqlite3_exec(s->db, "PRAGMA user_version = -1", NULL, NULL, NULL);
}

/*
 * A disk that cannot be read just now is "malformed" to SQLite, too. What its last system call on
 * the file or its log said tells the two apart.
 */
static bool is_unreadable(struct store *s, int rc)
{
	sqlite3_file *log = NULL;
	int err = 0;

	if ((rc & 0xff) != SQLITE_CORRUPT || !s->db)
		return false;
	(void)sqlite3_file_control(s->db, "main", SQLITE_FCNTL_LAST_ERRNO, &err);
	if (!err && sqlite3_file_control(s->db, "main", SQLITE_FCNTL_JOURNAL_POINTER, &log) == 0 &&
	    log && log->pMethods)
		(void)log->pMethods->xFileControl(log, SQLITE_FCNTL_LAST_ERRNO, &err);
	return err == EIO || err == ENXIO || err == ERANGE;
}

int store_result(struct store *s, int rc, const char *what)
{
	int err = store_errno(rc, s->db);

	if (err == 0)
		return 0;
	if (is_unreadable(s, rc)) {
		snprintf(s->error, sizeof(s->error), "%s: the disk cannot be read: %s", what,
			 strerror(EIO));
		return -EIO;
	}
	snprintf(s->error, sizeof(s->error), "%s: %s", what, sqlite3_errmsg(s->db));
	if ((rc & 0xff) == SQLITE_CORRUPT)
		mark_damaged(s);
	return err;
}

int store_exec(struct store *s, const char *sql, const char *what)
{
	return store_result(s, sqlite3_exec(s->db, sql, NULL, NULL, NULL), what);
}

sqlite3_stmt *store_statement(struct store *s, enum store_statement which, const char *sql)
{
	sqlite3_stmt **st = &s->statements[which];

	if (*st) {
		sqlite3_reset(*st);
		return *st;
	}
	if (store_result(s, sqlite3_prepare_v3(s->db, sql, -1, SQLITE_PREPARE_PERSISTENT, st, NULL),
			 "preparing a statement"))
		return NULL;
	return *st;
}

int store_run(struct store *s, sqlite3_stmt *st, const char *what)
{
	int r = store_result(s, sqlite3_step(st), what);

	sqlite3_reset(st);
	sqlite3_clear_bindings(st);
	return r;
}

int store_query_u64(struct store *s, const char *sql, uint64_t *ret)
{
	sqlite3_stmt *st = NULL;
	int rc = sqlite3_prepare_v2(s->db, sql, -1, &st, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_step(st);
	if (rc == SQLITE_ROW)
		*ret = (uint64_t)sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	return store_result(s, rc, "asking the store");
}

const char *store_error(const struct store *s)
{
	return s ? s->error : "";
}

const char *store_open_reason(int err)
{
	static const struct {
		int err;
		const char *text;
	} reasons[] = {
		{-ENOENT, "there is no store yet"},
		{-EPROTO, "the store was made by another version of Outergate"},
		{-EACCES, "not permitted to open the store"},
		{-EPERM, "not permitted to open the store"},
		{-EROFS, "the file system of the store is read-only"},
		{-ENOSPC, "no space left for the store"},
		{-EIO, "the file is not a store, or it is damaged"},
		{-EBUSY, "the store is locked by another process"},
	};

	for (unsigned i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
		if (reasons[i].err == err)
			return reasons[i].text;
	return strerror(-err);
}

static void close_db(struct store *s)
{
	for (unsigned i = 0; i < STATEMENT_COUNT; i++) {
		sqlite3_finalize(s->statements[i]);
		s->statements[i] = NULL;
	}
	sqlite3_close_v2(s->db);
	s->db = NULL;
}

static int open_db(struct store *s, const char *name, int flags)
{
	int rc = sqlite3_open_v2(name, &s->db, flags | SQLITE_OPEN_NOMUTEX, NULL);

	if (!s->db) { /* no memory for it */
		snprintf(s->error, sizeof(s->error), "opening the store: %s", strerror(ENOMEM));
		return -ENOMEM;
	}
	if (rc == SQLITE_OK)
		rc = sqlite3_busy_timeout(s->db, BUSY_MS);
	sqlite3_extended_result_codes(s->db, 1);
	return store_result(s, rc, "opening the store");
}

/* "path-wal" and "path-shm" belong to the file; without them it would be another state. */
static int rename_with_side_files(const char *path, const char *aside)
{
	static const char *const ends[] = {"-wal", "-shm", ""};
	char from[PATH_BYTES + 8], to[PATH_BYTES + 32];

	for (unsigned i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		snprintf(from, sizeof(from), "%s%s", path, ends[i]);
		snprintf(to, sizeof(to), "%s%s", aside, ends[i]);
		if (rename(from, to) && errno != ENOENT)
			return -errno;
	}
	return 0;
}

static int put_aside(const char *path, char aside[PATH_BYTES + 16])
{
	for (unsigned n = 1; n <= ASIDE_MAX; n++) {
		FILE *f;

		snprintf(aside, PATH_BYTES + 16, "%s.corrupt-%u", path, n);
		f = fopen(aside, "rb");
		if (!f && errno == ENOENT)
			return rename_with_side_files(path, aside);
		if (f)
			fclose(f);
	}
	return -EEXIST;
}

static int try_write(struct store *s, const char *path)
{
	int r = plat_create_file(path);

	if (r) {
		snprintf(s->error, sizeof(s->error), "creating the store: %s", strerror(-r));
		return r;
	}
	r = open_db(s, path, SQLITE_OPEN_READWRITE);
	if (!r && sqlite3_db_readonly(s->db, "main") == 1) {
		snprintf(s->error, sizeof(s->error), "the store cannot be written");
		return -EROFS;
	}
	if (!r)
		r = schema_prepare(s);
	if (r)
		return r;
	r = ledger_open(s);
	/* It may be the first to meet the damage, which is marked then. */
	return r && schema_prepare(s) == STORE_DAMAGED ? STORE_DAMAGED : r;
}

static bool is_damaged(struct store *s, int err)
{
	int rc = s->db ? sqlite3_errcode(s->db) & 0xff : SQLITE_OK;

	if (is_unreadable(s, rc))
		return false;
	return err == STORE_DAMAGED || rc == SQLITE_NOTADB || rc == SQLITE_CORRUPT;
}

static int open_write(struct store *s, const char *path)
{
	char aside[PATH_BYTES + 16];
	int r = try_write(s, path);
	bool lasting = false;

	if (r && s->db && is_unreadable(s, sqlite3_errcode(s->db))) {
		close_db(s); /* a file that is unreadable twice is as good as damaged */
		r = try_write(s, path);
		lasting = r && s->db && is_unreadable(s, sqlite3_errcode(s->db));
	}
	if (!r || !(lasting || is_damaged(s, r)))
		return r;
	close_db(s);
	r = put_aside(path, aside);
	if (r) {
		snprintf(s->error, sizeof(s->error), "putting the damaged store aside: %s",
			 strerror(-r));
		return r;
	}
	r = try_write(s, path);
	if (!r)
		snprintf(s->error, sizeof(s->error),
			 "the store was damaged; it is kept as %.200s and a new one was begun",
			 aside);
	return r;
}

/* "file:<path, escaped>?immutable=1" */
static int immutable_name(const char *path, char *buf, size_t cap)
{
	size_t n = (size_t)snprintf(buf, cap, "file:");

	for (; *path && n + 16 < cap; path++) {
		bool plain = *path != '%' && *path != '?' && *path != '#' && *path != ' ';

		n += (size_t)snprintf(buf + n, cap - n, plain ? "%c" : "%%%02X",
				      (unsigned char)*path);
	}
	if (*path)
		return -ENAMETOOLONG;
	snprintf(buf + n, cap - n, "?immutable=1");
	return 0;
}

static int open_read(struct store *s, const char *path)
{
	char name[3 * PATH_BYTES];
	FILE *f = fopen(path, "rb");
	int r;

	if (!f)
		return -errno;
	fclose(f);
	r = open_db(s, path, SQLITE_OPEN_READONLY);
	if (!r)
		r = schema_check(s);
	if (!r || r == -EPROTO || is_damaged(s, r))
		return r;
	close_db(s);
	r = immutable_name(path, name, sizeof(name));
	if (!r)
		r = open_db(s, name, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI);
	return r ? r : schema_check(s);
}

static int open_beside(struct store *s, const char *path)
{
	int r = open_db(s, path, SQLITE_OPEN_READONLY);

	return r ? r : schema_check(s);
}

int store_open(const char *path, enum store_mode mode, struct store **ret)
{
	struct store *s;
	int r;

	if (strlen(path) >= PATH_BYTES)
		return -ENAMETOOLONG;
	s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	s->mode = mode;
	if (mode == STORE_READ_BESIDE)
		r = open_beside(s, path);
	else
		r = mode == STORE_WRITE ? open_write(s, path) : open_read(s, path);
	if (r) {
		store_close(s);
		return r == STORE_DAMAGED ? -EIO : r;
	}
	*ret = s;
	return 0;
}

void store_close(struct store *s)
{
	if (!s)
		return;
	close_db(s);
	free(s);
}

void store_set_policy(struct store *s, const struct out_policy *p)
{
	s->policy = *p;
}

int store_begin(struct store *s)
{
	int r;

	if (s->in_transaction)
		return -EALREADY;
	r = store_exec(s, "BEGIN IMMEDIATE", "beginning a transaction");
	s->in_transaction = r == 0;
	return r;
}

/* What was counted in memory is not there. */
static void rolled_back(struct store *s)
{
	char why[STORE_ERROR_MAX]; /* the caller's reason is the one to tell */

	s->outbox_known = false;
	memcpy(why, s->error, sizeof(why));
	(void)ledger_open(s); /* fails as long as the disk does; the next write fails, too */
	memcpy(s->error, why, sizeof(why));
}

/* A full disk may have rolled it back behind our back: then nothing is there to commit. */
int store_commit(struct store *s)
{
	int r;

	if (!s->in_transaction)
		return -EINVAL;
	s->in_transaction = false;
	if (sqlite3_get_autocommit(s->db)) {
		rolled_back(s);
		return -EIO;
	}
	r = store_exec(s, "COMMIT", "committing");
	if (r) {
		sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
		rolled_back(s);
	} else {
		ledger_committed(s);
	}
	return r;
}

int store_part_begin(struct store *s)
{
	return store_exec(s, "SAVEPOINT part", "beginning a part");
}

int store_part_end(struct store *s, int r)
{
	if (!r)
		r = store_exec(s, "RELEASE part", "ending a part");
	if (!r) {
		if (!s->in_transaction)
			ledger_committed(s);
		return 0;
	}
	sqlite3_exec(s->db, "ROLLBACK TO part", NULL, NULL, NULL);
	sqlite3_exec(s->db, "RELEASE part", NULL, NULL, NULL);
	rolled_back(s);
	return r;
}

int store_sync(struct store *s)
{
	sqlite3_file *log = NULL;

	/* https://sqlite.org/c3ref/c_fcntl_begin_atomic_write.html#sqlitefcntljournalpointer */
	if (sqlite3_file_control(s->db, "main", SQLITE_FCNTL_JOURNAL_POINTER, &log) != SQLITE_OK ||
	    !log || !log->pMethods)
		return 0; /* nothing was written yet */
	return store_result(s, log->pMethods->xSync(log, SQLITE_SYNC_NORMAL), "syncing the store");
}

int store_put_blob(struct store *s, const char *name, const void *buf, size_t len)
{
	sqlite3_stmt *st;

	if (len > BLOB_MAX)
		return -EFBIG;
	st = store_statement(s, STATEMENT_PUT_BLOB,
			     "INSERT INTO blobs(name, value) VALUES(?1, ?2)"
			     " ON CONFLICT(name) DO UPDATE SET value = excluded.value");
	if (!st)
		return -EIO;
	sqlite3_bind_text(st, 1, name, -1, SQLITE_STATIC);
	sqlite3_bind_blob(st, 2, len ? buf : "", (int)len, SQLITE_STATIC);
	return store_run(s, st, "storing a value");
}

int store_get_blob(struct store *s, const char *name, void **ret, size_t *ret_len)
{
	sqlite3_stmt *st =
		store_statement(s, STATEMENT_GET_BLOB, "SELECT value FROM blobs WHERE name = ?1");
	int rc, r = 0;

	if (!st)
		return -EIO;
	sqlite3_bind_text(st, 1, name, -1, SQLITE_STATIC);
	rc = sqlite3_step(st);
	if (rc == SQLITE_ROW) {
		const void *value = sqlite3_column_blob(st, 0); /* NULL: empty, or no memory */
		size_t len = (size_t)sqlite3_column_bytes(st, 0);
		void *copy = value || !len ? malloc(len + 1) : NULL;

		if (copy) {
			memcpy(copy, len ? value : "", len);
			((char *)copy)[len] = '\0';
			*ret = copy;
			*ret_len = len;
		} else {
			r = -ENOMEM;
		}
	} else {
		r = rc == SQLITE_DONE ? -ENOENT : store_result(s, rc, "reading a value");
	}
	sqlite3_reset(st);
	sqlite3_clear_bindings(st);
	return r;
}
