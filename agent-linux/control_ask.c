/* control_ask: asks the running agent for its state, over its socket. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "cli/control.h"
#include "cli/command.h"

const char control_name[] = "/" CONTROL_NAME;

int control_ask(const char *runtime, char **ret)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), r = 0;
	size_t len = 0;
	char *buf;

	if (fd < 0)
		return -errno;
	if (snprintf(a.sun_path, sizeof(a.sun_path), "%s/" CONTROL_NAME, runtime) >=
	    (int)sizeof(a.sun_path))
		r = -ENAMETOOLONG;
	if (!r && connect(fd, (struct sockaddr *)&a, sizeof(a)))
		r = -errno;
	buf = r ? NULL : calloc(1, CONTROL_ANSWER_MAX);
	while (buf && len < CONTROL_ANSWER_MAX - 1) {
		ssize_t n = read(fd, buf + len, CONTROL_ANSWER_MAX - 1 - len);

		if (n <= 0)
			break;
		len += (size_t)n;
	}
	close(fd);
	*ret = buf;
	return r ? r : (buf ? 0 : -ENOMEM);
}

int command_poke_agent(const struct config *c)
{
	char *buf = NULL;
	int r = control_ask(c->runtime, &buf);

	free(buf);
	return r;
}
