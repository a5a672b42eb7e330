/* ledger: see the header. Here is the writer's half; ledger_verify.c reads it again. */
#include "ledger_row.h"
#include "store_internal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Some 10 MiB. What was trimmed is remembered as the place where the chain begins. */
#define ENTRIES_MAX 65536

/* Every column, each after its length: no two rows have the same text. */
#define ALERT_ROW                                                                                  \
	"SELECT id, revision, detection, severity, state, first_ns, last_ns, session, service,"    \
	" account, effective_account, hex(origin), body FROM alerts WHERE id = ?1"

static void add_column(struct sha256 *h, sqlite3_stmt *st, int column)
{
	/* As text first: its length is of that text. */
	const unsigned char *text = sqlite3_column_text(st, column);
	int bytes = sqlite3_column_bytes(st, column);
	uint8_t length[4];

	for (int i = 0; i < 4; i++)
		length[i] = (uint8_t)((unsigned)bytes >> 8 * i);
	sha256_add(h, length, sizeof(length));
	sha256_add(h, text ? (const void *)text : "", (size_t)bytes);
}

int ledger_digest(struct store *s, const char *id, uint8_t ret[LEDGER_LINK])
{
	sqlite3_stmt *st = store_statement(s, STATEMENT_LEDGER_ROW, ALERT_ROW);
	struct sha256 h;
	int rc;

	if (!st)
		return -EIO;
	sqlite3_bind_text(st, 1, id, -1, SQLITE_STATIC);
	rc = sqlite3_step(st);
	if (rc == SQLITE_ROW) {
		sha256_start(&h);
		for (int i = 0; i < sqlite3_column_count(st); i++)
			add_column(&h, st, i);
		sha256_end(&h, ret);
	}
	sqlite3_reset(st);
	sqlite3_clear_bindings(st);
	if (rc == SQLITE_ROW)
		return 0;
	return rc == SQLITE_DONE ? -ENOENT : store_result(s, rc, "reading an alert");
}

static void add_text(struct sha256 *h, const char *text)
{
	sha256_add(h, text, strlen(text) + 1);
}

void ledger_link(const uint8_t before[LEDGER_LINK], const struct ledger_row *row,
		 uint8_t ret[LEDGER_LINK])
{
	struct sha256 h;
	uint8_t seq[8];

	for (int i = 0; i < 8; i++)
		seq[i] = (uint8_t)(row->seq >> 8 * i);
	sha256_start(&h);
	sha256_add(&h, before, LEDGER_LINK);
	sha256_add(&h, seq, sizeof(seq));
	add_text(&h, row->what);
	add_text(&h, row->id);
	sha256_add(&h, row->digest, LEDGER_LINK);
	sha256_end(&h, ret);
}

void ledger_text(uint64_t seq, const uint8_t link[LEDGER_LINK], char ret[LEDGER_TEXT_MAX])
{
	int n = snprintf(ret, LEDGER_TEXT_MAX, "%llu:", (unsigned long long)seq);

	for (int i = 0; i < LEDGER_LINK / 2; i++)
		snprintf(ret + n + 2 * i, (size_t)(LEDGER_TEXT_MAX - n - 2 * i), "%02x", link[i]);
}

static void head_set(struct store *s, uint64_t seq, const uint8_t link[LEDGER_LINK])
{
	s->ledger_seq = seq;
	memcpy(s->ledger_link, link, LEDGER_LINK);
}

void ledger_committed(struct store *s)
{
	if (s->ledger_seq)
		ledger_text(s->ledger_seq, s->ledger_link, s->ledger_text);
	else
		s->ledger_text[0] = '\0';
}

const char *ledger_head(const struct store *s)
{
	return s->ledger_text;
}

int ledger_begin(struct store *s, struct ledger_row *ret)
{
	sqlite3_stmt *st = NULL;
	int rc;

	memset(ret, 0, sizeof(*ret));
	rc = sqlite3_prepare_v2(s->db, "SELECT value FROM blobs WHERE name = 'ledger-begin'", -1,
				&st, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_step(st);
	if (rc == SQLITE_ROW && sqlite3_column_bytes(st, 0) == 8 + LEDGER_LINK) {
		const uint8_t *value = sqlite3_column_blob(st, 0);

		for (int i = 0; i < 8; i++)
			ret->seq |= (uint64_t)value[i] << 8 * i;
		memcpy(ret->link, value + 8, LEDGER_LINK);
	}
	sqlite3_finalize(st);
	return rc == SQLITE_ROW || rc == SQLITE_DONE ? 0
						     : store_result(s, rc, "reading the ledger");
}

bool ledger_row_read(sqlite3_stmt *st, struct ledger_row *ret)
{
	memset(ret, 0, sizeof(*ret));
	ret->seq = (uint64_t)sqlite3_column_int64(st, 0);
	snprintf(ret->what, sizeof(ret->what), "%s",
		 sqlite3_column_text(st, 1) ? (const char *)sqlite3_column_text(st, 1) : "");
	snprintf(ret->id, sizeof(ret->id), "%s",
		 sqlite3_column_text(st, 2) ? (const char *)sqlite3_column_text(st, 2) : "");
	/* Of a damaged one, what the next was linked to: one edit is one finding. */
	if (sqlite3_column_bytes(st, 4) != LEDGER_LINK)
		return false;
	memcpy(ret->link, sqlite3_column_blob(st, 4), LEDGER_LINK);
	if (sqlite3_column_bytes(st, 3) != LEDGER_LINK)
		return false;
	memcpy(ret->digest, sqlite3_column_blob(st, 3), LEDGER_LINK);
	return true;
}

/* The newest entry, or where the chain begins. */
static int head_read(struct store *s)
{
	struct ledger_row row;
	sqlite3_stmt *st = NULL;
	int rc, r = ledger_begin(s, &row);

	if (r)
		return r;
	rc = sqlite3_prepare_v2(s->db, LEDGER_ROWS " ORDER BY seq DESC LIMIT 1", -1, &st, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_step(st);
	if (rc == SQLITE_ROW)
		(void)ledger_row_read(st, &row); /* a damaged one is told by ledger_verify() */
	sqlite3_finalize(st);
	if (rc != SQLITE_ROW && rc != SQLITE_DONE)
		return store_result(s, rc, "reading the ledger");
	head_set(s, row.seq, row.link);
	return 0;
}

int ledger_open(struct store *s)
{
	/* What this connection deletes is noted; what another does is not. */
	int r = store_exec(s,
			   "PRAGMA temp_store = MEMORY;"
			   "CREATE TEMP TABLE IF NOT EXISTS removed(id TEXT NOT NULL);"
			   "CREATE TEMP TRIGGER IF NOT EXISTS alerts_removed AFTER DELETE ON"
			   " main.alerts BEGIN INSERT INTO removed VALUES(OLD.id); END;",
			   "opening the ledger");

	if (!r)
		r = head_read(s);
	if (!r)
		ledger_committed(s);
	return r;
}

static int add(struct store *s, const char *what, const char *id, const uint8_t digest[LEDGER_LINK])
{
	sqlite3_stmt *st = store_statement(
		s, STATEMENT_LEDGER_PUT,
		"INSERT INTO ledger(seq, what, id, digest, link) VALUES(?1, ?2, ?3, ?4, ?5)");
	struct ledger_row row = {.seq = s->ledger_seq + 1};
	int r;

	if (!st)
		return -EIO;
	snprintf(row.what, sizeof(row.what), "%s", what);
	snprintf(row.id, sizeof(row.id), "%s", id);
	memcpy(row.digest, digest, LEDGER_LINK);
	ledger_link(s->ledger_link, &row, row.link);
	sqlite3_bind_int64(st, 1, store_int(row.seq));
	sqlite3_bind_text(st, 2, row.what, -1, SQLITE_STATIC);
	sqlite3_bind_text(st, 3, row.id, -1, SQLITE_STATIC);
	sqlite3_bind_blob(st, 4, row.digest, LEDGER_LINK, SQLITE_STATIC);
	sqlite3_bind_blob(st, 5, row.link, LEDGER_LINK, SQLITE_STATIC);
	r = store_run(s, st, "writing the ledger");
	if (!r)
		head_set(s, row.seq, row.link);
	return r;
}

int ledger_add_alert(struct store *s, const char *id)
{
	uint8_t digest[LEDGER_LINK];
	int r = ledger_digest(s, id, digest);

	return r ? r : add(s, LEDGER_ALERT, id, digest);
}

int ledger_add_removed(struct store *s, const char *what)
{
	static const uint8_t nothing[LEDGER_LINK];
	sqlite3_stmt *st = NULL;
	int rc = sqlite3_prepare_v2(s->db, "SELECT id FROM removed ORDER BY rowid", -1, &st, NULL);
	int r = store_result(s, rc, "reading what was removed");

	while (!r && (rc = sqlite3_step(st)) == SQLITE_ROW)
		r = add(s, what, (const char *)sqlite3_column_text(st, 0), nothing);
	sqlite3_finalize(st);
	if (!r)
		r = store_result(s, rc, "reading what was removed");
	return r ? r : store_exec(s, "DELETE FROM removed", "writing the ledger");
}

/* Where the chain begins from now on: after the last entry that goes. */
static int begin_move(struct store *s, uint64_t seq)
{
	uint8_t value[8 + LEDGER_LINK];
	struct ledger_row row = {0};
	sqlite3_stmt *st = NULL;
	bool found = false;
	int rc = sqlite3_prepare_v2(s->db, LEDGER_ROWS " WHERE seq = ?1", -1, &st, NULL);

	if (rc == SQLITE_OK) {
		sqlite3_bind_int64(st, 1, store_int(seq));
		rc = sqlite3_step(st);
	}
	if (rc == SQLITE_ROW)
		found = ledger_row_read(st, &row);
	sqlite3_finalize(st);
	if (rc != SQLITE_ROW && rc != SQLITE_DONE)
		return store_result(s, rc, "reading the ledger");
	if (!found)
		return -ENOENT; /* somebody was there: what is left stays, to be told */
	for (int i = 0; i < 8; i++)
		value[i] = (uint8_t)(row.seq >> 8 * i);
	memcpy(value + 8, row.link, LEDGER_LINK);
	return store_put_blob(s, "ledger-begin", value, sizeof(value));
}

int ledger_trim(struct store *s)
{
	char sql[96];
	int r;

	if (s->ledger_seq <= ENTRIES_MAX)
		return 0;
	r = begin_move(s, s->ledger_seq - ENTRIES_MAX);
	if (r)
		return r == -ENOENT ? 0 : r;
	snprintf(sql, sizeof(sql), "DELETE FROM ledger WHERE seq <= %llu",
		 (unsigned long long)(s->ledger_seq - ENTRIES_MAX));
	return store_exec(s, sql, "trimming the ledger");
}
