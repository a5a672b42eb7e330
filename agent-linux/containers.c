/*
 * containers: names for a container when it begins, when something is put into one that is not
 * known yet, and when somebody logs in inside of one. The descriptions are the runtime's and the
 * engine's own files; the parent opens them, they are read here.
 *
 * Cannot see: which container a process is in whose cgroup does not carry an id (cgroup namespaces
 * of LXC on version 1).
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "containers.h"

#define DESCRIPTION_MAX (1u << 20) /* with its seccomp profile a bundle's has 10 to 60 KB */

/* The id in its cgroup's path, of whatever hierarchy. */
struct span container_of_process(uint32_t pid, char id[CONTAINER_ID_DIGITS])
{
	char path[32], line[512];
	struct span found = {0};
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%u/cgroup", pid);
	f = fopen(path, "re");
	while (f && span_empty(found) && fgets(line, sizeof(line), f)) {
		found = container_id(span_of(line));
		if (!span_empty(found)) {
			memcpy(id, found.ptr, CONTAINER_ID_DIGITS);
			found = (struct span){id, CONTAINER_ID_DIGITS};
		}
	}
	if (f)
		(void)fclose(f);
	return found;
}

/* The whole of it, in a buffer that is the caller's to free; empty: none, or too long to be one. */
static struct span read_whole(int fd, char **ret)
{
	size_t len = 0;
	ssize_t n = 1;

	*ret = malloc(DESCRIPTION_MAX);
	while (*ret && len < DESCRIPTION_MAX && n > 0) {
		n = read(fd, *ret + len, DESCRIPTION_MAX - len);
		len += n > 0 ? (size_t)n : 0;
	}
	close(fd);
	return *ret && n == 0 ? (struct span){*ret, len} : (struct span){0};
}

/*
 * conmon says on its command line where the bundle is ("-b") and, of podman's, what the bundle does
 * not: how the container is called ("-n").
 */
static struct span by_conmon(struct container_texts *t, uint32_t runtime, struct event *ev)
{
	struct span rest, word, dir = {0};
	char path[32];
	size_t n = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%u/cmdline", runtime);
	f = fopen(path, "re");
	if (!f)
		return dir;
	n = fread(t->cmdline, 1, sizeof(t->cmdline), f);
	(void)fclose(f);
	rest = (struct span){t->cmdline, n};
	if (!span_cut_arg(&rest, &word) || !span_is(span_base(word), "conmon"))
		return dir;
	while (span_cut_arg(&rest, &word)) {
		if ((span_is(word, "-b") || span_is(word, "--bundle")) &&
		    !span_cut_arg(&rest, &dir))
			break;
		if ((span_is(word, "-n") || span_is(word, "--name")) &&
		    !span_cut_arg(&rest, &ev->api.name))
			break;
	}
	return dir;
}

static int open_description(int priv, struct priv_msg *m, const char *dir, bool is_docker)
{
	int fd = -1, r;

	snprintf(m->name, sizeof(m->name), "%s", dir);
	m->value[0] = is_docker;
	r = priv_call(priv, m, &fd);
	return r ? r : fd;
}

void containers_ask(int priv, struct event *ev, uint32_t above, struct container_texts *t)
{
	struct priv_msg m = {.kind = PRIV_CONTAINER, .arg = ev->proc.pid, .arg2 = above};
	int fd = open_description(priv, &m, "", false);
	char dir[CONTAINER_DIR_MAX];

	if (fd < 0 && m.arg2) {
		span_copy(dir, sizeof(dir), by_conmon(t, m.arg2, ev));
		fd = dir[0] ? open_description(priv, &m, dir, false) : fd;
	}
	if (fd < 0)
		return;
	(void)container_bundle(&t->words, read_whole(fd, &t->bundle), ev);
	if (!t->words.engine[0])
		return;
	fd = open_description(priv, &m, t->words.engine, true);
	if (fd >= 0)
		(void)container_docker(&t->more, read_whole(fd, &t->engine), ev);
}

/* A container that was there before us. */
static void tell(struct engine *e, const struct event *of)
{
	struct event ev = {.kind = EVENT_CONTAINER,
			   .time_ns = of->time_ns,
			   .trust = of->trust,
			   .witness = of->witness,
			   .flags = EVENT_EXISTING | EVENT_ROOT,
			   .count = 1,
			   .proc = of->proc,
			   .api = {.action = API_START, .container = of->api.container}};
	struct container_texts t = {0};

	containers_ask(e->setup.priv, &ev, 0, &t);
	engine_event(e, &ev);
	containers_done(&t);
}

void containers_name(struct engine *e, struct event *ev, struct container_texts *t)
{
	bool logs_in = ev->kind == EVENT_PAM && ev->pam_call == PAM_CALL_ACCT_MGMT;

	t->bundle = t->engine = NULL;
	if (ev->kind != EVENT_CONTAINER && !logs_in)
		return;
	if (span_empty(ev->api.container))
		ev->api.container = container_of_process(ev->proc.pid, t->id);
	if (span_empty(ev->api.container))
		return;
	if (logs_in && !core_knows_container(e->core, ev->api.container))
		tell(e, ev);
	/* What a user calls a container of their own making, nobody has to believe. */
	if (ev->kind == EVENT_CONTAINER && ev->flags & EVENT_ROOT &&
	    (ev->api.action == API_START || !core_knows_container(e->core, ev->api.container)))
		containers_ask(e->setup.priv, ev, ev->parent.pid, t);
}

void containers_done(struct container_texts *t)
{
	free(t->bundle);
	free(t->engine);
}
