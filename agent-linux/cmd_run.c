/* run: the agent in the foreground. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cap-ng.h>

#include "cli/command.h"
#include "parent.h"

static int options_parse(const struct command *self, int argc, char **argv, const char **config,
			 bool *json)
{
	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--config") && i + 1 < argc)
			*config = argv[++i];
		else if (!strcmp(argv[i], "--json"))
			*json = true;
		else
			return command_usage(self, argv[i]);
	}
	return 0;
}

/* What each capability is for; all four are needed on every kernel (uprobes: CAP_SYS_ADMIN). */
static const struct need {
	unsigned cap;
	const char *name, *why;
} needs[] = {
	{CAP_BPF, "CAP_BPF", "load its kernel programs"},
	{CAP_PERFMON, "CAP_PERFMON", "attach to tracepoints"},
	{CAP_NET_ADMIN, "CAP_NET_ADMIN", "see the peers of connections"},
	{CAP_SYS_ADMIN, "CAP_SYS_ADMIN", "attach to libpam"},
	{CAP_SETUID, "CAP_SETUID", "run its unprivileged half"},
	{CAP_SETGID, "CAP_SETGID", "run its unprivileged half"},
};

static int capabilities_check(void)
{
	if (capng_get_caps_process())
		return command_fail(EXIT_PERMISSION, "cannot read its own capabilities");
	for (size_t i = 0; i < sizeof(needs) / sizeof(needs[0]); i++)
		if (!capng_have_capability(CAPNG_EFFECTIVE, needs[i].cap))
			return command_fail(EXIT_PERMISSION,
					    "not permitted: %s is missing, which it needs to %s; "
					    "run it as root",
					    needs[i].name, needs[i].why);
	return 0;
}

/* Makes the last directory of a path for the unprivileged user, as a package would. */
static int directory_make(const char *path, const struct sandbox_user *u)
{
	if (mkdir(path, 0750) && errno != EEXIST)
		return command_fail(EXIT_INPUT, "cannot make %s: %s", path, strerror(errno));
	if (chown(path, u->uid, u->gid))
		return command_fail(EXIT_INPUT, "cannot give %s to user %s: %s", path, u->name,
				    strerror(errno));
	return 0;
}

static int directories_make(const struct config *c, const struct sandbox_user *u)
{
	char dir[CONFIG_PATH_MAX];
	char *slash;
	int r;

	snprintf(dir, sizeof(dir), "%s", c->store);
	slash = strrchr(dir, '/');
	if (!slash || slash == dir)
		return command_fail(EXIT_INPUT,
				    "Store: %s must be a file in a directory of its own", c->store);
	*slash = '\0';
	r = directory_make(dir, u);
	return r ? r : directory_make(c->runtime, u);
}

static int run(const struct command *self, int argc, char **argv)
{
	struct engine_setup setup = {.terminal = isatty(STDOUT_FILENO)};
	static struct config config; /* some 200 KiB */
	struct sandbox_user user;
	struct sensor *sensor = NULL;
	char err[SENSOR_REASON_MAX];
	const char *path = NULL;
	int r;

	r = options_parse(self, argc, argv, &path, &setup.json);
	if (!r)
		r = command_config(path, &config);
	if (!r)
		r = capabilities_check();
	if (!r && sandbox_user(&user))
		r = command_fail(EXIT_PERMISSION,
				 "neither user " SANDBOX_USER " nor nobody exists");
	if (!r)
		r = directories_make(&config, &user);
	if (r)
		return r;
	r = sensor_open(&config, &sensor, err);
	if (r)
		return command_fail(r == -EPERM || r == -EACCES ? EXIT_PERMISSION : EXIT_INPUT,
				    "%s", err);
	setup.config = &config;
	setup.config_name = path				? path
			    : access(COMMAND_CONFIG_PATH, F_OK) ? "embedded defaults"
								: COMMAND_CONFIG_PATH;
	setup.json = setup.json || config.json;
	setup.rows = sensor_rows(sensor);
	setup.task_storage = sensor_uses_task_storage(sensor);
	setup.ring_precious = sensor_ring_precious(sensor);
	setup.ring_bulk = sensor_ring_bulk(sensor);
	setup.counters = sensor_counters(sensor);
	r = parent_run(sensor, &setup, &user);
	sensor_close(sensor);
	return r;
}

const struct command command_run = {
	.name = "run",
	.usage = "[--config FILE] [--json]",
	.about = "watch this host, in the foreground",
	.help = "  --config FILE  configuration (default " COMMAND_CONFIG_PATH
		" if it exists, else the embedded defaults)\n"
		"  --json         alerts as JSON Lines on stdout\n\n"
		"On a terminal it shows a live view; otherwise it is quiet and tells the "
		"journal.\n",
	.run = run,
};
