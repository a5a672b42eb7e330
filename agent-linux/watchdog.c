/*
 * watchdog: the service manager hears that the engine's loop goes round, three times as often as
 * it asks for. Only the parent may tell it, so both halves must live.
 */
#include "engine.h"
#include "priv.h"

#include <errno.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_S 1000000000ull

static void on_timer(struct engine *e, struct watcher *w)
{
	struct priv_msg m = {.kind = PRIV_ALIVE};
	uint64_t expirations;

	if (read(w->fd, &expirations, sizeof(expirations)) == sizeof(expirations))
		(void)priv_send(e->setup.priv, &m, -1);
}

int watchdog_open(struct engine *e)
{
	uint64_t each = e->setup.watchdog_ns / 3;
	struct itimerspec t = {.it_interval = {.tv_sec = (time_t)(each / NS_PER_S),
					       .tv_nsec = (long)(each % NS_PER_S)}};
	int fd;

	if (!each)
		return 0;
	t.it_value = t.it_interval;
	/* A clock that nobody sets, and that stands still while the machine sleeps, as theirs does.
	 */
	fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (fd < 0 || timerfd_settime(fd, 0, &t, NULL))
		return -errno;
	return engine_watch(e, &e->alive, fd, on_timer, NULL);
}
