/* replay_store: see replay_store.h. */
#include "cli/replay_store.h"

#include "cli/command.h"
#include "common/plat.h"
#include "common/store/store.h"

#include <errno.h>
#include <string.h>

/* Nobody's file is added to: an agent's store holds what happened to it, and only that. */
static int make_new(const char *path)
{
	int fd = plat_new_file(path);

	if (fd == -EEXIST)
		return command_fail(EXIT_INPUT, "%s: exists; --store wants a new file", path);
	if (fd < 0)
		return command_fail(fd == -EACCES || fd == -EPERM ? EXIT_PERMISSION : EXIT_INPUT,
				    "%s: %s", path, strerror(-fd));
	plat_close(fd);
	return EXIT_FINE;
}

int replay_keep_try(const char *path)
{
	int code = make_new(path);

	if (!code)
		remove(path);
	return code;
}

static int put_all(struct store *s, const struct replay_table *alerts,
		   const struct replay_table *sessions)
{
	int r = store_begin(s);

	for (size_t i = 0; !r && i < sessions->count; i++)
		r = store_put_session(s, sessions->rows[i]);
	for (size_t i = 0; !r && i < alerts->count; i++)
		r = store_put_alert(s, alerts->rows[i]);
	return r ? r : store_commit(s);
}

int replay_keep(const char *path, const struct out_policy *policy,
		const struct replay_table *alerts, const struct replay_table *sessions)
{
	struct store *s = NULL;
	int r, code = make_new(path);

	if (code)
		return code;
	r = store_open(path, STORE_WRITE, &s);
	if (r)
		return command_fail(EXIT_INPUT, "%s: %s", path, store_open_reason(r));
	store_set_policy(s, policy);
	r = put_all(s, alerts, sessions);
	if (r)
		code = command_fail(EXIT_INPUT, "%s: %s", path,
				    *store_error(s) ? store_error(s) : strerror(-r));
	store_close(s);
	return code;
}
