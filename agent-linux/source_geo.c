/*
 * source_geo: the databases of places and networks that the engine asks.
 *
 * Opened by the child itself where it may, else by the parent (a file that only root reads). A file
 * that is not there or cannot be used is said once and in `status`; the agent goes on without it
 * and looks again.
 */
#include "engine.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static int geo_open(void *arg, unsigned index, const char *path)
{
	struct engine *e = arg;
	struct priv_msg m = {.kind = PRIV_OPEN_FILE, .arg = index, .arg2 = 2};
	int fd = geo_file_open(path), r;

	if (fd != -EACCES)
		return fd;
	r = priv_call(e->setup.priv, &m, &fd);
	return r ? r : fd;
}

static void say(const char *sentence)
{
	fprintf(stderr, "outergate: %s\n", sentence);
}

void geo_source_open(struct engine *e)
{
	struct geo_files *g = &e->geo;
	char *slash;

	g->open = geo_open;
	g->arg = e;
	snprintf(g->scratch, sizeof(g->scratch), "%s", e->config->store);
	slash = strrchr(g->scratch, '/');
	if (slash)
		*slash = '\0';
	geo_files_open(g, e->config);
	g->looked_ns = clock_wall_ns();
	for (unsigned i = 0; i < g->count; i++)
		if (g->files[i].state == GEO_FILE_FAILED ||
		    (g->files[i].state == GEO_FILE_ABSENT && !g->optional))
			fprintf(stderr, "outergate: geo database %s: %s\n", g->files[i].path,
				g->files[i].reason);
}

void geo_source_poll(struct engine *e, uint64_t now)
{
	geo_files_poll(&e->geo, now, say);
}

uint64_t geo_source_next(const struct engine *e)
{
	return e->geo.count ? e->geo.looked_ns + GEO_POLL_NS : UINT64_MAX;
}
