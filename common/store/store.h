/*
 * store: what survives: alerts, sessions, the core's memory, source cursors. SQLite, WAL mode,
 * bounded by age and size. One writer (the agent's unprivileged child), many readers (commands).
 *
 * All functions return 0 or -errno; store_error() is one sentence about the last failure.
 */
#ifndef OUTERGATE_STORE_H
#define OUTERGATE_STORE_H

#include "../alert.h"
#include "../out/out.h"

struct store;

enum store_mode {
	STORE_READ,
	STORE_WRITE,
	/*
	 * A second connection of the process that writes: SQLite alone touches the file, since
	 * whoever else opens and closes it takes the writer's POSIX locks away, and another process
	 * would then take its log away.
	 */
	STORE_READ_BESIDE
};

/*
 * -ENOENT: no such store (READ only); -EPROTO: made by a newer version; -EIO: not a database.
 * The directory is the caller's to make; the file is made with mode 0640. WRITE puts a damaged file
 * aside as "<path>.corrupt-<n>" and begins a new one: the result is 0 and store_error() tells.
 */
int store_open(const char *path, enum store_mode mode, struct store **ret);
void store_close(struct store *s);
const char *store_error(const struct store *s);
/* One sentence about what store_open() returned. */
const char *store_open_reason(int err);

/*
 * Privacy of what is put from now on; until then everything private is hidden (key 0). What is read
 * has been through it: show it with keep_unknown_accounts and COMMANDS_FULL.
 */
void store_set_policy(struct store *s, const struct out_policy *p);

/* Insert or replace by id (an older revision never replaces a newer one). */
int store_put_alert(struct store *s, const struct alert *a);
/* What is stored of it: a revision, and when it was seen last; 0 when there is nothing. */
int store_alert_revision(struct store *s, const char *id, uint32_t *ret);
int store_session_last(struct store *s, const char *id, uint64_t *ret_ns);
int store_put_session(struct store *s, const struct session *x);
/* Named small values: "core" (core_export), "journal-cursor", "file:<path>" ... */
int store_put_blob(struct store *s, const char *name, const void *buf, size_t len);
/* *ret is malloc'ed, the caller frees; -ENOENT when there is none. */
int store_get_blob(struct store *s, const char *name, void **ret, size_t *ret_len);

/* Writes between begin and commit are one transaction. */
int store_begin(struct store *s);
int store_commit(struct store *s);
/* What was committed outlives a power failure from here on (a commit alone outlives a kill). */
int store_sync(struct store *s);

/*
 * Deletes what is older than the retention or over the size; *ret_rows may be NULL. Some 1,000 rows
 * at a time: when it has deleted any, call it again soon.
 */
int store_prune(struct store *s, uint64_t now_ns, uint64_t alerts_s, uint64_t sessions_s,
		uint64_t max_bytes, uint64_t *ret_rows);

/*
 * What a person asks the agent for: a verb, whom or what it is about, a word more. The agent does
 * it and writes one sentence; who asked reads it. Returns the id, or -errno.
 */
int64_t store_request_put(struct store *s, const char *verb, const char *subject,
			  const char *detail, uint64_t now_ns);
struct store_request {
	int64_t id;
	char verb[16], subject[128], detail[192];
};
/* The oldest that nobody has done; -ENOENT when there is none. */
int store_request_next(struct store *s, struct store_request *ret);
int store_request_done(struct store *s, int64_t id, const char *result);
/* The sentence; -EAGAIN as long as there is none. What was read is gone. */
int store_request_result(struct store *s, int64_t id, char *ret, size_t cap);

/* Alerts and sessions of an account, or of an origin (the other is empty). */
int store_forget(struct store *s, struct span account, const struct cidr *origin,
		 uint64_t *ret_rows);

struct store_filter {
	uint64_t since_ns, until_ns; /* 0 = open */
	enum service service;	     /* NONE = any */
	struct span account, origin; /* origin: address or CIDR text; empty = any */
	enum severity severity;	     /* at least */
	struct span detection;	     /* empty = any */
	struct span id;		     /* full id or a prefix of at least 4; empty = any */
	struct span session;	     /* alerts of that session; empty = any */
	bool live;		     /* sessions: open or lingering only; alerts: not closed */
	unsigned limit;		     /* 0 = 1000 */
};

/* Newest first. The callback returns false to stop. The alert's strings are as stored. */
int store_alerts(struct store *s, const struct store_filter *f,
		 bool (*row)(void *arg, const struct alert *a), void *arg);
int store_sessions(struct store *s, const struct store_filter *f,
		   bool (*row)(void *arg, const struct session *x), void *arg);

#endif
