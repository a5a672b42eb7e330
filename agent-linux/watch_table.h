/*
 * watch_table: which directories are watched for changes that stay, and which names in them.
 *
 * Both halves of the agent use it: the child asks by kind, user and name, and the parent takes the
 * path from here and from the account database, so that no path is ever told.
 */
#ifndef OUTERGATE_WATCH_TABLE_H
#define OUTERGATE_WATCH_TABLE_H

#include <stdbool.h>
#include <stddef.h>

enum watch_kind {
	WATCH_NONE,
	WATCH_HOMES, /* where homes appear */
	WATCH_ETC,
	WATCH_ETC_SSH,
	WATCH_SSHD_D,
	WATCH_UNITS,
	WATCH_CRON_D,
	WATCH_CRON_HOURLY,
	WATCH_CRON_DAILY,
	WATCH_CRON_WEEKLY,
	WATCH_CRON_MONTHLY,
	WATCH_CRONTABS,
	WATCH_AT,	/* Debian */
	WATCH_AT_SPOOL, /* Red Hat */
	WATCH_SUDOERS_D,
	WATCH_PAM_D,
	WATCH_TOR,
	WATCH_HOME, /* from here on: of a user */
	WATCH_SSH,
	WATCH_CONFIG,
	WATCH_CONFIG_SYSTEMD,
	WATCH_USER_UNITS,
	WATCH_KINDS
};

/* What a new line of the file is, told in the alert. */
enum watch_lines {
	LINES_NONE,
	LINES_KEYS,    /* authorized_keys: fingerprints */
	LINES_ACCOUNTS /* passwd, group, cron.d: the line, cut */
};

struct watch_name {
	const char *pattern; /* fnmatch(3) with FNM_EXTMATCH; the first that fits decides */
	const char *reason;  /* NULL: not this one */
	enum watch_lines lines;
};

struct watch_dir {
	const char *path;		/* of a user: below the home, "" the home itself */
	enum watch_kind parent;		/* NONE: nothing tells when it appears */
	const char *component;		/* its name there */
	const struct watch_name *names; /* ends with a NULL pattern; NULL: only directories */
};

extern const struct watch_dir watch_dirs[WATCH_KINDS];

static inline bool watch_is_user(enum watch_kind k)
{
	return k >= WATCH_HOME;
}

/* Each job is a file of its own name. */
static inline bool watch_is_at(enum watch_kind k)
{
	return k == WATCH_AT || k == WATCH_AT_SPOOL;
}

/* NULL: a name that makes nothing persist. */
const struct watch_name *watch_match(enum watch_kind kind, const char *name);

#endif
