/* run: the agent in the foreground. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cap-ng.h>

#include "cli/command.h"
#include "common/sha256.h"
#include "parent.h"
#include "pins.h"

struct run_options {
	const char *config;
	bool json, unpin;
};

static int options_parse(const struct command *self, int argc, char **argv, struct run_options *o)
{
	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--config") && i + 1 < argc)
			o->config = argv[++i];
		else if (!strcmp(argv[i], "--json"))
			o->json = true;
		else if (!strcmp(argv[i], "--unpin"))
			o->unpin = true;
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
	struct stat st;

	if (mkdir(path, 0750) && errno != EEXIST)
		return command_fail(EXIT_INPUT, "cannot make %s: %s", path, strerror(errno));
	/* A package has made it already, and the service may not give files away. */
	if (!lstat(path, &st) && S_ISDIR(st.st_mode) && st.st_uid == u->uid && st.st_gid == u->gid)
		return 0;
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

/* One agent a runtime directory: two would share hooks, rings and store. */
static int lock_take(const struct config *c)
{
	char path[CONFIG_PATH_MAX + 8];
	int fd;

	snprintf(path, sizeof(path), "%s/lock", c->runtime);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return command_fail(EXIT_INPUT, "cannot open %s: %s", path, strerror(errno));
	if (flock(fd, LOCK_EX | LOCK_NB))
		return command_fail(EXIT_INPUT, "another agent already runs with %s", c->runtime);
	return 0; /* held until we end */
}

/* Somebody edited it between two runs: the agent says so at its start. */
static void settings_hash(const char *name, char ret[65])
{
	uint8_t digest[SHA256_SIZE], buf[4096];
	FILE *f = fopen(name, "re"); /* "embedded defaults": hashed as no file */
	struct sha256 h;
	size_t n;

	sha256_start(&h);
	while (f && (n = fread(buf, 1, sizeof(buf), f)) > 0)
		sha256_add(&h, buf, n);
	if (f)
		fclose(f);
	sha256_end(&h, digest);
	for (int i = 0; i < SHA256_SIZE; i++)
		snprintf(ret + 2 * i, 3, "%02x", digest[i]);
}

static int run(const struct command *self, int argc, char **argv)
{
	struct engine_setup setup = {.terminal = isatty(STDOUT_FILENO)};
	static struct ring_slot slots[KERNEL_RINGS];
	static struct config config; /* some 200 KiB */
	struct sandbox_user user;
	struct sensor *sensor = NULL;
	char err[SENSOR_REASON_MAX];
	struct run_options o = {0};
	int r;

	/* What the one who started us left open is nobody's business here. */
	(void)sandbox_close(NULL, 0);
	r = options_parse(self, argc, argv, &o);
	if (!r)
		r = command_config(o.config, &config);
	if (!r)
		r = capabilities_check();
	if (!r && sandbox_user(&user))
		r = command_fail(EXIT_PERMISSION,
				 "neither user " SANDBOX_USER " nor nobody exists");
	if (!r)
		r = directories_make(&config, &user);
	if (!r)
		r = lock_take(&config);
	if (r)
		return r;
	if (o.unpin) {
		pins_remove(config.runtime);
		return EXIT_FINE;
	}
	r = sensor_open(&config, &sensor, err);
	if (r)
		return command_fail(r == -EPERM || r == -EACCES ? EXIT_PERMISSION : EXIT_INPUT,
				    "%s", err);
	r = kernel_rings_open(slots, (int[KERNEL_RINGS]){sensor_ring_precious(sensor),
							 sensor_ring_bulk(sensor),
							 sensor_ring_first(sensor)});
	if (r)
		return command_fail(EXIT_INPUT, "cannot map the rings: %s", strerror(-r));
	r = sandbox_parent(err, sizeof(err));
	if (r)
		return command_fail(EXIT_PERMISSION, "%s", err);
	setup.config = &config;
	setup.config_name = COMMAND_CONFIG_PATH;
	if (o.config)
		setup.config_name = o.config;
	else if (access(COMMAND_CONFIG_PATH, F_OK))
		setup.config_name = "embedded defaults";
	settings_hash(setup.config_name, setup.settings);
	setup.took_over = sensor_took_over(sensor);
	setup.kept = sensor_kept(sensor);
	setup.json = o.json || config.json;
	setup.rows = sensor_rows(sensor);
	setup.task_storage = sensor_uses_task_storage(sensor);
	setup.slots = slots;
	setup.counters = sensor_counters(sensor);
	r = parent_run(sensor, &setup, &user);
	sensor_close(sensor);
	/* Ctrl-C ends a trial for good; a stopped or killed service goes on watching. */
	if (setup.interrupted)
		pins_remove(config.runtime);
	return r;
}

const struct command command_run = {
	.name = "run",
	.usage = "[--config FILE] [--json] [--unpin]",
	.about = "watch this host, in the foreground",
	.help = "  --config FILE  configuration (default " COMMAND_CONFIG_PATH
		" if it exists, else the embedded defaults)\n"
		"  --json         alerts as JSON Lines on stdout\n"
		"  --unpin        remove the hooks that a stopped agent left on, and end\n\n"
		"On a terminal it shows a live view; otherwise it is quiet and tells the "
		"journal.\n",
	.run = run,
};
