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
#include "host.h"
#include "parent.h"
#include "pins.h"
#include "priv_wireguard.h"
#include "reload.h"

struct run_options {
	const char *config, *host_root, *host_name;
	bool json, unpin, watch;
};

static int options_parse(const struct command *self, int argc, char **argv, struct run_options *o)
{
	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--config") && i + 1 < argc)
			o->config = argv[++i];
		else if (!strcmp(argv[i], "--host-root") && i + 1 < argc)
			o->host_root = argv[++i];
		else if (!strcmp(argv[i], "--host-name") && i + 1 < argc)
			o->host_name = argv[++i];
		else if (!strcmp(argv[i], "--watch-config"))
			o->watch = true;
		else if (!strcmp(argv[i], "--json"))
			o->json = true;
		else if (!strcmp(argv[i], "--unpin"))
			o->unpin = true;
		else
			return command_usage(self, argv[i]);
	}
	return 0;
}

/* What each capability is for; all are needed on every kernel (uprobes: CAP_SYS_ADMIN). */
static const struct need {
	unsigned cap;
	const char *name, *why;
	bool roots; /* only of one who is root */
} needs[] = {
	{CAP_BPF, "CAP_BPF", "load its kernel programs", false},
	{CAP_PERFMON, "CAP_PERFMON", "attach to tracepoints", false},
	{CAP_NET_ADMIN, "CAP_NET_ADMIN", "see the peers of connections", false},
	{CAP_SYS_ADMIN, "CAP_SYS_ADMIN", "attach to libpam", false},
	{CAP_SETUID, "CAP_SETUID", "run its unprivileged half", true},
	{CAP_SETGID, "CAP_SETGID", "run its unprivileged half", true},
};

static int capabilities_check(void)
{
	if (capng_get_caps_process())
		return command_fail(EXIT_PERMISSION, "cannot read its own capabilities");
	for (size_t i = 0; i < sizeof(needs) / sizeof(needs[0]); i++)
		if (!(needs[i].roots && geteuid()) &&
		    !capng_have_capability(CAPNG_EFFECTIVE, needs[i].cap))
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

/* Before anything of the host is looked at. */
static int host_take(const struct run_options *o)
{
	int r = o->host_root ? host_root_set(o->host_root) : 0;

	if (o->host_name)
		host_name_set(o->host_name);
	if (!r)
		return 0;
	return command_fail(r == -EACCES || r == -EPERM ? EXIT_PERMISSION : EXIT_INPUT,
			    "cannot open %s, the root of the host: %s", o->host_root, strerror(-r));
}

/* The file whose changes count; NULL: embedded defaults. */
static const char *config_file(const struct run_options *o)
{
	if (o->config)
		return o->config;
	return faccessat(AT_FDCWD, COMMAND_CONFIG_PATH, F_OK, AT_EACCESS) ? NULL
									  : COMMAND_CONFIG_PATH;
}

static int user_find(struct sandbox_user *ret)
{
	int r = sandbox_user(ret);

	if (r == -ENOENT)
		return command_fail(EXIT_PERMISSION,
				    "neither user " SANDBOX_USER " nor nobody exists");
	return r ? command_fail(EXIT_INPUT, "cannot look up user " SANDBOX_USER ": %s",
				strerror(-r))
		 : 0;
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
	struct reload reload;
	const char *file;
	int r, netlink = priv_wireguard_take();

	/* What the one who started us left open besides is nobody's business here. */
	(void)sandbox_close(&netlink, 1);
	r = options_parse(self, argc, argv, &o);
	if (!r)
		r = host_take(&o);
	if (!r)
		r = command_config(o.config, &config);
	if (!r)
		r = capabilities_check();
	if (!r)
		r = user_find(&user);
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
	r = sandbox_parent(err, sizeof(err));
	if (r)
		return command_fail(EXIT_PERMISSION, "%s", err);
	setup.config = &config;
	file = config_file(&o);
	setup.config_name = file ? file : "embedded defaults";
	reload_settings(setup.config_name, setup.settings);
	setup.took_over = sensor_took_over(sensor);
	r = reload_open(&reload, file, o.watch);
	if (r)
		return command_fail(EXIT_INPUT, "cannot watch %s: %s", setup.config_name,
				    strerror(-r));
	setup.refusal = reload.refusal;
	setup.kept = sensor_kept(sensor);
	setup.json_asked = o.json;
	setup.json = o.json || config.json;
	setup.rows = sensor_rows(sensor);
	setup.task_storage = sensor_uses_task_storage(sensor);
	setup.slots = slots;
	setup.ring_maps[0] = sensor_ring_precious(sensor);
	setup.ring_maps[1] = sensor_ring_bulk(sensor);
	setup.ring_maps[2] = sensor_ring_first(sensor);
	setup.counters = sensor_counters(sensor);
	r = parent_run(sensor, &setup, &user, &reload);
	sensor_close(sensor);
	/* Ctrl-C ends a trial for good; a stopped or killed service goes on watching. */
	if (setup.interrupted)
		pins_remove(config.runtime);
	return r;
}

const struct command command_run = {
	.name = "run",
	.usage = "[--config FILE] [--watch-config] [--host-root DIR] [--host-name NAME] [--json] "
		 "[--unpin]",
	.about = "watch this host, in the foreground",
	.help = "  --config FILE  configuration (default " COMMAND_CONFIG_PATH
		" if it exists, else the embedded defaults)\n"
		"  --watch-config also read it again when it changes (SIGHUP does, too)\n"
		"  --host-root DIR  the root of the host to watch, from inside a container: "
		"/proc/1/root\n"
		"  --host-name NAME what that host is called\n"
		"  --json         alerts as JSON Lines on stdout\n"
		"  --unpin        remove the hooks that a stopped agent left on, and end\n\n"
		"On a terminal it shows a live view; otherwise it is quiet and tells the "
		"journal.\n",
	.run = run,
};
