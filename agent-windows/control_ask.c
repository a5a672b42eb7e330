/* control_ask: asks the running agent for its state, over its named pipe. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <windows.h>

#include "cli/command.h"
#include "cli/control.h"
#include "control.h"

#define PATIENCE_MS 5000

const char control_name[] = ", its named pipe";

static int failed(DWORD why)
{
	switch (why) {
	case ERROR_FILE_NOT_FOUND:
		return -ENOENT;
	case ERROR_ACCESS_DENIED:
		return -EACCES;
	default:
		return -EIO;
	}
}

static HANDLE pipe_open(const char *runtime)
{
	char name[PIPE_NAME_MAX];
	HANDLE h;

	pipe_name(runtime, name);
	h = CreateFileA(name, GENERIC_READ, 0, NULL, OPEN_EXISTING,
			SECURITY_SQOS_PRESENT | SECURITY_IDENTIFICATION, NULL);
	/* Somebody else is being answered. */
	if (h == INVALID_HANDLE_VALUE && GetLastError() == ERROR_PIPE_BUSY &&
	    WaitNamedPipeA(name, PATIENCE_MS))
		h = CreateFileA(name, GENERIC_READ, 0, NULL, OPEN_EXISTING,
				SECURITY_SQOS_PRESENT | SECURITY_IDENTIFICATION, NULL);
	return h;
}

int control_ask(const char *runtime, char **ret)
{
	HANDLE h = pipe_open(runtime);
	size_t len = 0;
	DWORD n = 0;
	char *buf;

	*ret = NULL;
	if (h == INVALID_HANDLE_VALUE)
		return failed(GetLastError());
	buf = calloc(1, CONTROL_ANSWER_MAX);
	while (buf && len < CONTROL_ANSWER_MAX - 1 &&
	       ReadFile(h, buf + len, (DWORD)(CONTROL_ANSWER_MAX - 1 - len), &n, NULL) && n)
		len += n;
	CloseHandle(h);
	*ret = buf;
	return buf ? 0 : -ENOMEM;
}

int command_poke_agent(const struct config *c)
{
	char *buf = NULL;
	int r = control_ask(c->runtime, &buf);

	free(buf);
	return r;
}
