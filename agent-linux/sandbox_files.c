/* sandbox_files: Landlock. The C library has no wrappers for its three calls. */
#include "sandbox_filter.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Later than this system's header: rights that an older kernel does not know must not be asked. */
#define FS_REFER    (1ULL << 13) /* ABI 2, 5.19: from one directory to another */
#define FS_TRUNCATE (1ULL << 14) /* ABI 3, 6.2 */

#define READ_RIGHTS (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define WRITE_RIGHTS                                                                               \
	(LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR |                           \
	 LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_CHAR |                           \
	 LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG |                               \
	 LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO |                             \
	 LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_SYM)
/* Of these only what a store and a socket are made of. */
#define STORE_RIGHTS                                                                               \
	(LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_FILE |                          \
	 LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SOCK)
#define FILE_RIGHTS (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE | FS_TRUNCATE)

static int allow(int ruleset, const char *path, uint64_t rights)
{
	struct landlock_path_beneath_attr rule = {
		.parent_fd = open(path, O_PATH | O_CLOEXEC),
		.allowed_access = rights,
	};
	struct stat st;
	int r = 0;

	if (rule.parent_fd < 0)
		return errno == ENOENT ? 0 : -errno;
	if (!fstat(rule.parent_fd, &st) && !S_ISDIR(st.st_mode))
		rule.allowed_access &= FILE_RIGHTS;
	if (syscall(__NR_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0))
		r = -errno;
	close(rule.parent_fd);
	return r;
}

int sandbox_files(const char *const *read, size_t reads, const char *const *write, size_t writes)
{
	struct landlock_ruleset_attr all = {.handled_access_fs = LANDLOCK_ACCESS_FS_EXECUTE |
								 READ_RIGHTS | WRITE_RIGHTS};
	long abi = syscall(__NR_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	uint64_t written = READ_RIGHTS | STORE_RIGHTS;
	int ruleset, r = 0;

	/* Older than 5.13; not among the kernel's active modules; kept from us by another's filter.
	 */
	if (abi < 0)
		return errno == ENOSYS || errno == EOPNOTSUPP || errno == EPERM ? 1 : -errno;
	if (abi >= 2)
		all.handled_access_fs |= FS_REFER;
	if (abi >= 3) {
		all.handled_access_fs |= FS_TRUNCATE;
		written |= FS_TRUNCATE;
	}
	ruleset = (int)syscall(__NR_landlock_create_ruleset, &all, sizeof(all), 0);
	if (ruleset < 0)
		return -errno;
	for (size_t i = 0; !r && i < reads; i++)
		r = allow(ruleset, read[i], READ_RIGHTS);
	for (size_t i = 0; !r && i < writes; i++)
		r = allow(ruleset, write[i], written);
	if (!r && (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
		   syscall(__NR_landlock_restrict_self, ruleset, 0)))
		r = -errno;
	close(ruleset);
	return r;
}
