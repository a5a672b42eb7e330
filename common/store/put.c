/*
 * put: alerts and sessions into the store, under the store's privacy policy: what an operator
 * does not want kept never reaches the disk.
 */
#include "store_internal.h"

#include <errno.h>
#include <stdio.h>

#include "../out/privacy.h"
#include "body.h"

void origin_key(const struct addr *a, unsigned char ret[ORIGIN_KEY_LEN])
{
	ret[0] = a->family;
	memcpy(ret + 1, a->bytes, sizeof(a->bytes));
}

void origin_range(const struct cidr *c, unsigned char low[ORIGIN_KEY_LEN],
		  unsigned char high[ORIGIN_KEY_LEN])
{
	origin_key(&c->addr, low);
	origin_key(&c->addr, high);
	for (unsigned bit = c->bits; bit < 128; bit++)
		high[1 + bit / 8] |= (unsigned char)(0x80 >> bit % 8);
}

static void bind_text(sqlite3_stmt *st, int at, const char *s)
{
	sqlite3_bind_text(st, at, s, -1, SQLITE_STATIC);
}

static int too_big(struct store *s, const char *what)
{
	snprintf(s->error, sizeof(s->error), "%s: larger than a row may be", what);
	return -EFBIG;
}

#define PUT_ALERT                                                                                  \
	"INSERT INTO alerts(id, revision, detection, severity, state, first_ns, last_ns, session," \
	" service, account, effective_account, origin, body)"                                      \
	" VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)"                          \
	" ON CONFLICT(id) DO UPDATE SET revision = excluded.revision,"                             \
	" severity = excluded.severity, state = excluded.state, first_ns = excluded.first_ns,"     \
	" last_ns = excluded.last_ns, session = excluded.session, service = excluded.service,"     \
	" account = excluded.account, effective_account = excluded.effective_account,"             \
	" origin = excluded.origin, body = excluded.body"                                          \
	" WHERE excluded.revision >= alerts.revision"

static int put_alert(struct store *s, const struct alert *a)
{
	struct alert kept;
	unsigned char origin[ORIGIN_KEY_LEN];
	sqlite3_stmt *st = store_statement(s, STATEMENT_PUT_ALERT, PUT_ALERT);
	int len;

	if (!st)
		return -EIO;
	if (a->test) {
		snprintf(s->error, sizeof(s->error), "a test alert is not stored");
		return -EINVAL;
	}
	privacy_alert(a, &s->policy, &kept);
	len = body_put_alert(&kept, s->body, sizeof(s->body));
	if (len < 0)
		return too_big(s, "storing an alert");
	origin_key(&kept.origin.addr, origin);
	bind_text(st, 1, kept.id);
	sqlite3_bind_int64(st, 2, kept.revision);
	bind_text(st, 3, kept.detection->id);
	sqlite3_bind_int64(st, 4, kept.severity);
	sqlite3_bind_int64(st, 5, kept.state);
	sqlite3_bind_int64(st, 6, store_int(kept.first_ns));
	sqlite3_bind_int64(st, 7, store_int(kept.last_ns ? kept.last_ns : kept.first_ns));
	bind_text(st, 8, kept.session);
	bind_text(st, 9, service_name(kept.service));
	bind_text(st, 10, kept.account);
	bind_text(st, 11, kept.effective_account);
	sqlite3_bind_blob(st, 12, origin, sizeof(origin), SQLITE_STATIC);
	sqlite3_bind_text(st, 13, s->body, len, SQLITE_STATIC);
	return store_run(s, st, "storing an alert");
}

int store_put_alert(struct store *s, const struct alert *a)
{
	int r = store_part_begin(s);

	if (r)
		return r;
	r = put_alert(s, a);
	if (!r && sqlite3_changes(s->db)) /* not an older revision, which changes nothing */
		r = ledger_add_alert(s, a->id);
	return store_part_end(s, r);
}

#define PUT_SESSION                                                                                \
	"INSERT OR REPLACE INTO sessions(id, severity, state, first_ns, last_ns, service,"         \
	" account, effective_account, origin, body)"                                               \
	" VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)"

static uint64_t last_seen(const struct session *x)
{
	uint64_t t = x->last_ns > x->close_ns ? x->last_ns : x->close_ns;

	return t > x->open_ns ? t : x->open_ns;
}

int store_put_session(struct store *s, const struct session *x)
{
	struct session kept;
	unsigned char origin[ORIGIN_KEY_LEN];
	sqlite3_stmt *st = store_statement(s, STATEMENT_PUT_SESSION, PUT_SESSION);
	int len;

	if (!st)
		return -EIO;
	privacy_session(x, &s->policy, &kept);
	len = body_put_session(&kept, s->body, sizeof(s->body));
	if (len < 0)
		return too_big(s, "storing a session");
	origin_key(&kept.origin.addr, origin);
	bind_text(st, 1, kept.id);
	sqlite3_bind_int64(st, 2, kept.worst);
	sqlite3_bind_int64(st, 3, kept.state);
	sqlite3_bind_int64(st, 4, store_int(kept.open_ns));
	sqlite3_bind_int64(st, 5, store_int(last_seen(&kept)));
	bind_text(st, 6, service_name(kept.service));
	bind_text(st, 7, kept.account);
	bind_text(st, 8, kept.effective_account);
	sqlite3_bind_blob(st, 9, origin, sizeof(origin), SQLITE_STATIC);
	sqlite3_bind_text(st, 10, s->body, len, SQLITE_STATIC);
	return store_run(s, st, "storing a session");
}
