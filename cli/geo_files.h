/*
 * geo_files: the operator's databases as files: opened as private copies, exchanged underfoot.
 *
 * A file that is in use may be replaced, cut or deleted at any moment, and a mapping of it would
 * end the process when it is read. So its bytes are first copied to a file without a name, which
 * nobody else can open, and only the copy is mapped. A new version that cannot be used leaves the
 * old one in force, and is told.
 *
 * Example: `mv new.mmdb /var/lib/outergate/geo/country.mmdb` is in force some ten seconds later.
 */
#ifndef OUTERGATE_GEO_FILES_H
#define OUTERGATE_GEO_FILES_H

#include "common/config.h"
#include "common/enrich/geo_db.h"

#define GEO_REASON_MAX (GEO_ERROR_MAX + 64)
#define GEO_POLL_NS    (10 * UINT64_C(1000000000)) /* how often files are looked at again */

/* Tells one version of a file from another. */
struct geo_stamp {
	uint64_t device, inode, mtime_ns, size;
};

struct geo_copy {
	const uint8_t *bytes; /* NULL: none */
	size_t len;
	int fd;
	char name[CONFIG_PATH_MAX]; /* a path that leads to the same bytes while fd is open */
};

enum geo_file_state {
	GEO_FILE_ABSENT,
	GEO_FILE_OPEN,
	GEO_FILE_FAILED
};

struct geo_file {
	char path[CONFIG_PATH_MAX];
	enum geo_file_state state;
	char reason[GEO_REASON_MAX]; /* why it, or its new version, is not in use; or "" */
	struct geo_stamp tried;	     /* the version that was opened last, or could not be */
	struct geo_stamp fresh;	     /* one that was written just now: perhaps not to its end */
	struct geo_copy copy;	     /* of what reads its bytes in place */
};

struct geo_files {
	struct geo_set set;
	struct geo_file files[GEO_DBS_MAX];
	unsigned count;
	bool optional; /* the built-in list: a file that is not there is no mistake */
	uint64_t looked_ns;
	/* A descriptor of files[index], or -errno; NULL: it is opened by its path. */
	int (*open)(void *arg, unsigned index, const char *path);
	void *arg;
	char scratch[CONFIG_PATH_MAX]; /* directory of the copies */
};

/* Opens what can be opened; returns how many files could not be, beside absent optional ones. */
unsigned geo_files_open(struct geo_files *g, const struct config *c);
/* Looks again when it is time; tells each change in one sentence. True: answers may differ now. */
bool geo_files_poll(struct geo_files *g, uint64_t now_ns, void (*say)(const char *sentence));
void geo_files_close(struct geo_files *g);
/* Databases in use. */
unsigned geo_files_used(const struct geo_files *g);

/*
 * For a command: opens them all; 0, or a sentence about each that cannot be read and EXIT_INPUT.
 */
int command_geo(struct geo_files *g, const struct config *c);

/* Of the platform. All return -errno on failure. */
int geo_file_open(const char *path); /* regular files only; a descriptor */
int geo_file_stamp(int fd, struct geo_stamp *ret);
void geo_file_close(int fd);
int geo_copy_make(int fd, const char *dir, struct geo_copy *ret);
void geo_copy_free(struct geo_copy *c);

#endif
