/*
 * source_fanotify: what its two files share: the kernel's events and the directories they are in
 * (source_fanotify.c), and the files with what they were (watched_files.c).
 */
#ifndef OUTERGATE_SOURCE_FANOTIFY_H
#define OUTERGATE_SOURCE_FANOTIFY_H

#include "common/authorized_key.h"
#include "engine.h"
#include "proc_table.h"
#include "watch_table.h"

#define FANOTIFY_HOMES_MAX 256
#define FANOTIFY_DIRS_MAX  (WATCH_HOME + FANOTIFY_HOMES_MAX * 5) /* five kinds a home */
#define FANOTIFY_FILES_MAX 4096
#define FANOTIFY_LIST_MAX  1024 /* entries looked at in one directory */

struct fanotify_dir {
	enum watch_kind kind;
	uint32_t uid; /* of whose home; 0 elsewhere */
	uint64_t fsid;
	struct priv_handle handle;
};

struct fanotify_home {
	uint32_t uid;
	char path[128];
};

/* Who did it, as far as it belongs to a session; found when the event came. */
struct culprit {
	uint32_t pid;
	bool known;   /* proc is a process of a session */
	bool managed; /* by a package manager, or the tool that changes one's own password */
	struct proc_entry proc;
};

struct watched_file {
	enum watch_kind kind;
	uint32_t uid;
	char *name;
	const struct watch_name *row;
	bool known; /* digest, size and lines are those of a content that was there */
	uint64_t digest[4], size;
	uint64_t *lines; /* hashes, sorted */
	unsigned lines_count;
	uint64_t looks_ns; /* start of the second in which looks are counted */
	unsigned looks;
	uint64_t due_ns; /* an event came after too many looks; 0: none waits */
	struct culprit due_who;
};

/* Changes by a hand-off's processes, of which the core is being told. */
#define LATER_MAX 16
struct later {
	struct watched_file *file;
	struct culprit who;
};

struct fanotify_source {
	struct watcher watcher;
	unsigned status;
	struct fanotify_dir dirs[FANOTIFY_DIRS_MAX];
	unsigned dirs_count;
	struct fanotify_home homes[FANOTIFY_HOMES_MAX];
	unsigned homes_count;
	uint64_t homes_ns; /* when to look for new homes; 0: not */
	unsigned homes_tries;
	unsigned at_next; /* which of the kept jobs goes next */
	uint64_t homes_scan_ns;
	struct watched_file files[FANOTIFY_FILES_MAX];
	unsigned files_count;
	uint64_t files_due_ns; /* 0: none */
	uint64_t awaited;      /* conn of those processes; 0: none */
	struct later later[LATER_MAX];
	unsigned later_used;
};

/* Path for people; the home is as the account database had it. */
void fanotify_path(const struct fanotify_source *s, enum watch_kind kind, uint32_t uid,
		   const char *name, char *ret, size_t cap);

/* --- watched_files.c */
void culprit_find(struct engine *e, uint32_t pid, struct culprit *ret);
/* Finds or makes; NULL: too many, or no name of the table. */
struct watched_file *watched_file_get(struct fanotify_source *s, enum watch_kind kind, uint32_t uid,
				      const char *name);
/* An event was about it: looked at now, or soon. */
void watched_file_touch(struct engine *e, struct watched_file *f, const struct culprit *who);
/* Takes its content as known; what changed is told when there is a who. */
void watched_file_look(struct engine *e, struct watched_file *f, const struct culprit *who);
void watched_files_poll(struct engine *e, uint64_t now);
void watched_files_free(struct fanotify_source *s);

#endif
