/*
 * service: the agent under the service manager, and `service install|remove|start|stop`.
 *
 * It runs as SYSTEM, since only SYSTEM may open the event log's own session; the manager starts it
 * again after a crash. Its directory belongs to SYSTEM and Administrators alone. The installer
 * (deploy/windows) calls the same commands.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent.h"

#include <sddl.h>

#include "cli/command.h"

#define NAME	 L"Outergate"
#define TITLE	 L"Outergate"
#define ABOUT	 L"Sees every external remote service session on this machine."
#define LOG_KEY	 L"SYSTEM\\CurrentControlSet\\Services\\EventLog\\Application\\Outergate"
#define ACCESS	 L"D:PAI(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)"
#define WAIT_MS	 30000
#define RESET_S	 86400
#define AGAIN_MS 5000

static SERVICE_STATUS_HANDLE handle;
static SERVICE_STATUS state = {.dwServiceType = SERVICE_WIN32_OWN_PROCESS};
static HANDLE stop;
static int (*work)(HANDLE stop);
static int code;

static void state_tell(DWORD now, DWORD wait_ms)
{
	state.dwCurrentState = now;
	state.dwWaitHint = wait_ms;
	state.dwControlsAccepted =
		now == SERVICE_RUNNING ? SERVICE_ACCEPT_STOP | SERVICE_ACCEPT_SHUTDOWN : 0;
	SetServiceStatus(handle, &state);
}

static DWORD WINAPI on_control(DWORD what, DWORD type, void *data, void *context)
{
	(void)type;
	(void)data;
	(void)context;
	if (what == SERVICE_CONTROL_STOP || what == SERVICE_CONTROL_SHUTDOWN) {
		state_tell(SERVICE_STOP_PENDING, WAIT_MS);
		SetEvent(stop);
		return NO_ERROR;
	}
	return what == SERVICE_CONTROL_INTERROGATE ? NO_ERROR : ERROR_CALL_NOT_IMPLEMENTED;
}

static void WINAPI service_main(DWORD argc, wchar_t **argv)
{
	(void)argc;
	(void)argv;
	handle = RegisterServiceCtrlHandlerExW(NAME, on_control, NULL);
	if (!handle)
		return;
	state_tell(SERVICE_RUNNING, 0);
	code = work(stop);
	state.dwWin32ExitCode = code ? ERROR_SERVICE_SPECIFIC_ERROR : NO_ERROR;
	state.dwServiceSpecificExitCode = (DWORD)code;
	state_tell(SERVICE_STOPPED, 0);
}

bool service_run(int (*w)(HANDLE stop), int *ret_code)
{
	static wchar_t name[] = NAME;
	SERVICE_TABLE_ENTRYW table[] = {{name, service_main}, {NULL, NULL}};

	work = w;
	stop = CreateEventW(NULL, TRUE, FALSE, NULL);
	if (!stop || !StartServiceCtrlDispatcherW(table))
		return false;
	*ret_code = code;
	return true;
}

/* --- the command */

static int failed(const char *what, DWORD why)
{
	char text[REASON_MAX];

	return command_fail(why == ERROR_ACCESS_DENIED ? EXIT_PERMISSION : EXIT_INPUT, "%s: %s",
			    what, system_error(why, text));
}

static bool is_well_known(PSID who)
{
	return IsWellKnownSid(who, WinLocalSystemSid) ||
	       IsWellKnownSid(who, WinBuiltinAdministratorsSid);
}

/* Any user may make a directory in ProgramData: who owns it could put a configuration there. */
static bool is_ours(void)
{
	BYTE sd[1024], user[sizeof(TOKEN_USER) + SECURITY_MAX_SID_SIZE];
	PSID owner = NULL;
	BOOL by_default;
	HANDLE token = NULL;
	DWORD n = 0;
	bool ok;

	if (!GetFileSecurityA(PLAT_DIR, OWNER_SECURITY_INFORMATION, sd, sizeof(sd), &n) ||
	    !GetSecurityDescriptorOwner(sd, &owner, &by_default) || !owner)
		return false;
	ok = is_well_known(owner);
	if (!ok && OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token)) {
		ok = GetTokenInformation(token, TokenUser, user, sizeof(user), &n) &&
		     EqualSid(owner, ((TOKEN_USER *)(void *)user)->User.Sid);
		CloseHandle(token);
	}
	return ok;
}

/* Its directory, for nobody but SYSTEM and Administrators. */
static int directory_make(void)
{
	SECURITY_ATTRIBUTES sa = {.nLength = sizeof(sa)};
	PSECURITY_DESCRIPTOR sd = NULL;
	bool ok;

	if (!ConvertStringSecurityDescriptorToSecurityDescriptorW(ACCESS, SDDL_REVISION_1, &sd,
								  NULL))
		return failed("its access list", GetLastError());
	sa.lpSecurityDescriptor = sd;
	ok = CreateDirectoryA(PLAT_DIR, &sa) != 0;
	if (!ok && GetLastError() == ERROR_ALREADY_EXISTS) {
		if (!is_ours()) {
			LocalFree(sd);
			return command_fail(EXIT_INPUT, PLAT_DIR
					    " belongs to somebody who is no administrator: "
					    "look at what is in it and remove it");
		}
		ok = SetFileSecurityA(PLAT_DIR, DACL_SECURITY_INFORMATION, sd) != 0;
	}
	LocalFree(sd);
	return ok ? EXIT_FINE : failed(PLAT_DIR, GetLastError());
}

/* So that the Event Log shows our sentences. */
static int log_register(const wchar_t *exe)
{
	DWORD types = EVENTLOG_ERROR_TYPE | EVENTLOG_WARNING_TYPE | EVENTLOG_INFORMATION_TYPE;
	HKEY k;
	LONG r = RegCreateKeyExW(HKEY_LOCAL_MACHINE, LOG_KEY, 0, NULL, 0, KEY_SET_VALUE, NULL, &k,
				 NULL);

	if (!r) {
		r = RegSetValueExW(k, L"EventMessageFile", 0, REG_EXPAND_SZ,
				   (const BYTE *)(const void *)exe,
				   (DWORD)((wcslen(exe) + 1) * sizeof(*exe)));
		if (!r)
			r = RegSetValueExW(k, L"TypesSupported", 0, REG_DWORD,
					   (const BYTE *)(const void *)&types, sizeof(types));
		RegCloseKey(k);
	}
	return r ? failed("the source in the Event Log", (DWORD)r) : EXIT_FINE;
}

/* Started again after 5 s, whatever ended it. */
static void recovery(SC_HANDLE s)
{
	SC_ACTION again[3] = {{SC_ACTION_RESTART, AGAIN_MS},
			      {SC_ACTION_RESTART, AGAIN_MS},
			      {SC_ACTION_RESTART, AGAIN_MS}};
	SERVICE_FAILURE_ACTIONSW actions = {
		.dwResetPeriod = RESET_S, .cActions = 3, .lpsaActions = again};
	SERVICE_FAILURE_ACTIONS_FLAG flag = {.fFailureActionsOnNonCrashFailures = TRUE};
	static wchar_t about[] = ABOUT;
	SERVICE_DESCRIPTIONW description = {.lpDescription = about};

	(void)ChangeServiceConfig2W(s, SERVICE_CONFIG_FAILURE_ACTIONS, &actions);
	(void)ChangeServiceConfig2W(s, SERVICE_CONFIG_FAILURE_ACTIONS_FLAG, &flag);
	(void)ChangeServiceConfig2W(s, SERVICE_CONFIG_DESCRIPTION, &description);
}

static int install(SC_HANDLE m)
{
	wchar_t exe[MAX_PATH], line[MAX_PATH + 32];
	SC_HANDLE s;
	int r = directory_make();

	if (r)
		return r;
	if (!GetModuleFileNameW(NULL, exe, MAX_PATH))
		return failed("its own path", GetLastError());
	r = installed_put(exe);
	if (!r)
		r = log_register(exe);
	if (r)
		return r;
	_snwprintf(line, sizeof(line) / sizeof(line[0]) - 1, L"\"%ls\" run --service", exe);
	line[sizeof(line) / sizeof(line[0]) - 1] = L'\0';
	s = CreateServiceW(m, NAME, TITLE, SERVICE_ALL_ACCESS, SERVICE_WIN32_OWN_PROCESS,
			   SERVICE_AUTO_START, SERVICE_ERROR_NORMAL, line, NULL, NULL, NULL, NULL,
			   NULL);
	if (!s && GetLastError() == ERROR_SERVICE_EXISTS) { /* a newer program in its place */
		s = OpenServiceW(m, NAME, SERVICE_ALL_ACCESS);
		if (s && !ChangeServiceConfigW(s, SERVICE_NO_CHANGE, SERVICE_AUTO_START,
					       SERVICE_NO_CHANGE, line, NULL, NULL, NULL, NULL,
					       NULL, NULL))
			r = failed("the service", GetLastError());
	}
	if (!s)
		return failed("the service cannot be made", GetLastError());
	recovery(s);
	CloseServiceHandle(s);
	if (!r)
		puts("installed; `outergate service start` starts it");
	return r;
}

static int wait_for(SC_HANDLE s, DWORD wanted)
{
	SERVICE_STATUS now = {0};

	for (unsigned ms = 0; ms < WAIT_MS; ms += 100) {
		if (!QueryServiceStatus(s, &now))
			return failed("its state", GetLastError());
		if (now.dwCurrentState == wanted)
			return EXIT_FINE;
		if (now.dwCurrentState == SERVICE_STOPPED)
			return command_fail(EXIT_INPUT,
					    "it ended at once; `outergate run` says why");
		Sleep(100);
	}
	return command_fail(EXIT_INPUT, "it does not answer within 30 s");
}

static int start(SC_HANDLE s)
{
	if (!StartServiceW(s, 0, NULL) && GetLastError() != ERROR_SERVICE_ALREADY_RUNNING)
		return failed("it cannot be started", GetLastError());
	return wait_for(s, SERVICE_RUNNING);
}

static int end(SC_HANDLE s)
{
	SERVICE_STATUS now;

	if (ControlService(s, SERVICE_CONTROL_STOP, &now))
		return wait_for(s, SERVICE_STOPPED);
	switch (GetLastError()) {
	case ERROR_SERVICE_NOT_ACTIVE:
		return EXIT_FINE;
	case ERROR_SERVICE_CANNOT_ACCEPT_CTRL: /* it is ending already, or has just begun */
		return wait_for(s, SERVICE_STOPPED);
	default:
		return failed("it cannot be stopped", GetLastError());
	}
}

static int uninstall(SC_HANDLE s)
{
	int r = end(s);

	if (r)
		return r;
	return DeleteService(s) ? EXIT_FINE
				: failed("the service cannot be removed", GetLastError());
}

/* Somebody took the service off by hand: what else there is goes all the same. */
static int service_remove(SC_HANDLE m, bool purge)
{
	SC_HANDLE s = OpenServiceW(m, NAME, SERVICE_ALL_ACCESS);
	DWORD why = s ? NO_ERROR : GetLastError();
	int r = s ? uninstall(s) : EXIT_FINE;

	if (s)
		CloseServiceHandle(s);
	else if (why != ERROR_SERVICE_DOES_NOT_EXIST)
		r = failed("the service", why);
	if (r)
		return r;
	(void)RegDeleteKeyW(HKEY_LOCAL_MACHINE, LOG_KEY);
	r = installed_remove(purge);
	if (!r && !s)
		r = failed("the service is not installed", why);
	return r;
}

static int verb_run(SC_HANDLE m, const char *verb)
{
	static const struct {
		const char *verb;
		int (*run)(SC_HANDLE s);
	} verbs[] = {{"start", start}, {"stop", end}};
	int r = -1;

	for (size_t i = 0; r < 0 && i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		SC_HANDLE s;

		if (strcmp(verb, verbs[i].verb))
			continue;
		s = OpenServiceW(m, NAME, SERVICE_ALL_ACCESS);
		r = s ? verbs[i].run(s) : failed("the service is not installed", GetLastError());
		if (s)
			CloseServiceHandle(s);
	}
	return r;
}

static int run(const struct command *self, int argc, char **argv)
{
	bool makes = argc > 1 && !strcmp(argv[1], "install");
	bool takes = argc > 1 && !strcmp(argv[1], "remove");
	bool purge = takes && argc == 3 && !strcmp(argv[2], "--purge");
	SC_HANDLE m;
	int r;

	if (argc != 2 && !purge)
		return command_usage(self, argc < 2 ? "what is it to do?" : argv[2]);
	m = OpenSCManagerW(NULL, NULL,
			   SC_MANAGER_CONNECT | (makes ? SC_MANAGER_CREATE_SERVICE : 0));
	if (!m)
		return failed("the service manager", GetLastError());
	if (makes)
		r = install(m);
	else
		r = takes ? service_remove(m, purge) : verb_run(m, argv[1]);
	CloseServiceHandle(m);
	return r < 0 ? command_usage(self, argv[1]) : r;
}

const struct command command_service = {
	.name = "service",
	.usage = "install|start|stop|remove [--purge]",
	.about = "the agent as a service of Windows",
	.help = "  install  register it (as SYSTEM, started with the machine, again after a "
		"crash), with the shipped\n"
		"           configuration and databases where there are none, or unchanged ones of "
		"an "
		"older version\n"
		"  remove   stop it and take it off; the store and a configuration that was "
		"changed "
		"stay\n"
		"  --purge  they go, too\n",
	.run = run,
};
