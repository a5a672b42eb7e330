/* run: the agent, in the foreground or as a service. */
#include <stdio.h>
#include <string.h>

#include "agent.h"
#include "cli/command.h"

struct run_options {
	const char *config;
	bool json, service;
};

static int options_parse(const struct command *self, int argc, char **argv, struct run_options *o)
{
	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--config") && i + 1 < argc)
			o->config = argv[++i];
		else if (!strcmp(argv[i], "--json"))
			o->json = true;
		else if (!strcmp(argv[i], "--service"))
			o->service = true;
		else
			return command_usage(self, argv[i]);
	}
	return 0;
}

static bool is_system(void)
{
	BYTE buf[sizeof(TOKEN_USER) + SECURITY_MAX_SID_SIZE];
	HANDLE token = NULL;
	DWORD n = 0;
	bool yes = false;

	if (OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token) &&
	    GetTokenInformation(token, TokenUser, buf, sizeof(buf), &n))
		yes = IsWellKnownSid(((TOKEN_USER *)(void *)buf)->User.Sid, WinLocalSystemSid);
	if (token)
		CloseHandle(token);
	return yes;
}

/* The directory of a path; one that cannot be made is said when the store is opened. */
static void directory_make(const char *path)
{
	char dir[CONFIG_PATH_MAX];
	char *slash, *back;

	snprintf(dir, sizeof(dir), "%s", path);
	slash = strrchr(dir, '/');
	back = strrchr(dir, '\\');
	if (back > slash)
		slash = back;
	if (!slash)
		return;
	*slash = '\0';
	(void)CreateDirectoryA(dir, NULL);
}

static struct run_options options;
static HANDLE console_stop;

static BOOL WINAPI on_console(DWORD what)
{
	(void)what;
	SetEvent(console_stop);
	return TRUE;
}

/* One agent a runtime directory: two would share sessions and store. */
static int lock_take(const struct config *c)
{
	char name[96];
	uint64_t h = 1469598103934665603ull;

	for (const char *p = c->runtime; *p; p++)
		h = (h ^ (unsigned char)*p) * 1099511628211ull;
	snprintf(name, sizeof(name), "Global\\Outergate-%016llx", (unsigned long long)h);
	if (!CreateMutexA(NULL, TRUE, name) || GetLastError() == ERROR_ALREADY_EXISTS)
		return command_fail(EXIT_INPUT, "another agent already runs with %s", c->runtime);
	return 0; /* held until we end */
}

static int serve(HANDLE stop)
{
	static struct config config;
	static struct agent agent;
	int r = command_config(options.config, &config);

	if (r)
		return r;
	directory_make(config.store);
	r = lock_take(&config);
	if (r)
		return r;
	agent.config = &config;
	agent.config_name = options.config ? options.config : COMMAND_CONFIG_PATH;
	if (!options.config && GetFileAttributesA(COMMAND_CONFIG_PATH) == INVALID_FILE_ATTRIBUTES)
		agent.config_name = "embedded defaults";
	agent.stop = stop;
	agent.json = options.json || config.json;
	agent.service = options.service;
	agent.is_system = is_system();
	return agent_run(&agent);
}

static int run(const struct command *self, int argc, char **argv)
{
	int r = options_parse(self, argc, argv, &options), code = 0;

	if (r)
		return r;
	if (options.service) {
		if (service_run(serve, &code))
			return code;
		return command_fail(EXIT_USAGE, "--service is for the service manager; without it "
						"the agent runs here");
	}
	console_stop = CreateEventW(NULL, TRUE, FALSE, NULL);
	if (!console_stop || !SetConsoleCtrlHandler(on_console, TRUE))
		return command_fail(EXIT_INPUT, "no event to be stopped by");
	return serve(console_stop);
}

const struct command command_run = {
	.name = "run",
	.usage = "[--config FILE] [--json] [--service]",
	.about = "watch this machine, in the foreground",
	.help = "  --config FILE  configuration (default " COMMAND_CONFIG_PATH
		" if it exists, else the embedded defaults)\n"
		"  --json         alerts as JSON Lines on stdout\n"
		"  --service      as the service manager starts it\n\n"
		"As SYSTEM it hears events as they happen; else the event log alone is read.\n",
	.run = run,
};
