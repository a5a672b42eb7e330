/*
 * exposure: which remote services listen here. The running agent looks and answers by way of the
 * store; without one, root looks itself, in two halves like the agent's, and changes nothing.
 */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/ask.h"
#include "cli/exposure_report.h"
#include "engine.h"
#include "exposure_scan.h"
#include "priv_container.h"
#include "priv_exposure.h"
#include "sandbox.h"
#include "common/store/json_read.h"

#define NOTE_MAX 256

static int options_parse(const struct command *self, int argc, char **argv, struct query *q)
{
	*q = (struct query){0};
	for (int i = 1; i < argc; i++) {
		const char *value = i + 1 < argc ? argv[i + 1] : NULL;

		if (!strcmp(argv[i], "--format") && value &&
		    (!strcmp(value, "json") || !strcmp(value, "table")))
			q->json = !strcmp(value, "json");
		else if (!strcmp(argv[i], "--config") && value)
			q->config = value;
		else if (!strcmp(argv[i], "--store") && value)
			q->store = value;
		else
			return command_usage(self, argv[i]);
		i++;
	}
	return EXIT_FINE;
}

static int show(const json_t *report, const struct query *q, const char *note)
{
	if (!q->json) {
		exposure_report_print(report, note);
		return query_finish();
	}
	json_dumpf(report, stdout, JSON_COMPACT);
	putchar('\n');
	return query_finish();
}

/* What the store has; NULL: nothing, or nothing that may be read. */
static json_t *kept_report(const struct config *c)
{
	struct store *s = NULL;
	json_t *report = NULL;
	void *text = NULL;
	size_t len = 0;

	if (access(c->store, R_OK) || store_open(c->store, STORE_READ, &s))
		return NULL;
	if (!store_get_blob(s, EXPOSURE_BLOB, &text, &len))
		report = json_read(text, len, 0, NULL);
	free(text);
	store_close(s);
	return report;
}

static const char *text_of(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s ? s : "";
}

/* The agent runs: it looks now, where we may ask it to; else what it saw last. */
static int by_agent(const struct query *q, const struct config *c)
{
	char answer[REQUEST_RESULT_MAX], note[NOTE_MAX];
	struct ask a = {.config = (struct config *)(uintptr_t)c};
	const char *fresh = "";
	json_t *report;
	int r;

	if (!access(c->store, W_OK) && !store_open(c->store, STORE_WRITE, &a.store)) {
		r = ask_agent_answer(&a, "exposure", "", "", answer);
		store_close(a.store);
		if (!r && !strncmp(answer, "failed: ", 8))
			return command_fail(EXIT_INPUT, "the agent cannot look at what listens: %s",
					    answer + 8);
		fresh = r ? "" : " just now";
	}
	report = kept_report(c);
	if (!report)
		return command_fail(EXIT_PERMISSION,
				    "%s: not permitted to read what the agent has seen", c->store);
	snprintf(note, sizeof(note), "seen by the running agent%s, %.19sZ", fresh,
		 text_of(report, "time"));
	r = show(report, q, note);
	json_decref(report);
	return r;
}

/* The unprivileged half: looks, and prints. */
static int look(const struct query *q, const struct config *c, int priv, const json_t *before)
{
	struct exposure *rows = calloc(EXPOSURE_MAX, sizeof(*rows));
	struct packages *packages = calloc(1, sizeof(*packages));
	struct exposure_scan s = {.priv = priv, .rules = &c->scope, .packages = packages};
	int n = rows && packages ? exposure_scan(&s, rows) : -ENOMEM, r;
	json_t *report;

	if (n < 0)
		return command_fail(EXIT_INPUT, "cannot look at what listens: %s", strerror(-n));
	report = exposure_report(rows, (unsigned)n, s.left_out, before, clock_wall_ns(), "command");
	r = show(report, q,
		 before ? "seen by this command, since no agent runs; compared with what the agent "
			  "had seen"
			: "seen by this command, since no agent runs; there is nothing to compare "
			  "it with");
	json_decref(report);
	free(rows);
	free(packages);
	return r;
}

/* The privileged half: opens, and parses nothing; until the other one is done. */
static void serve(int sock)
{
	struct priv_msg m;
	int fd, r;

	while (!priv_recv(sock, &m, &fd)) {
		if (fd >= 0)
			close(fd);
		fd = -1;
		switch (m.kind) {
		case PRIV_SOCKETS:
			r = priv_sockets(&m, &fd);
			break;
		case PRIV_SETTINGS:
			r = priv_settings(&m, &fd);
			break;
		case PRIV_PROGRAM:
			r = priv_program(&m);
			break;
		case PRIV_CONTAINER:
			r = container_open(&m, &fd);
			break;
		default:
			return;
		}
		m.result = r < 0 ? r : 0;
		r = priv_send(sock, &m, fd);
		if (fd >= 0)
			close(fd);
		if (r)
			return;
	}
}

static int child_main(const struct query *q, const struct config *c, int sock,
		      const struct sandbox_user *user, const json_t *before)
{
	char err[160];

	if (sandbox_enter(user, c, err, sizeof(err)))
		return command_fail(EXIT_PERMISSION, "%s", err);
	return look(q, c, sock, before);
}

static int by_ourselves(const struct query *q, const struct config *c)
{
	struct sandbox_user user;
	json_t *before = kept_report(c);
	int pair[2], status = 0;
	pid_t child;

	if (sandbox_user(&user) || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair)) {
		json_decref(before);
		return command_fail(EXIT_INPUT, "there is no user " SANDBOX_USER " and no nobody");
	}
	fflush(NULL);
	child = fork();
	if (child == 0) {
		int r;

		close(pair[0]);
		r = child_main(q, c, pair[1], &user, before);
		fflush(NULL);
		_exit(r);
	}
	close(pair[1]);
	json_decref(before);
	if (child > 0)
		serve(pair[0]);
	close(pair[0]);
	if (child < 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status))
		return command_fail(EXIT_INPUT, "the unprivileged half did not end in order");
	return WEXITSTATUS(status);
}

/* Somebody else than root, and no agent. */
static int by_the_past(const struct query *q, const struct config *c)
{
	json_t *report = kept_report(c);
	char note[NOTE_MAX];
	int r;

	if (!report)
		return command_fail(EXIT_PERMISSION,
				    "no agent runs, and only root may look at what listens");
	snprintf(note, sizeof(note), "as the agent saw it, %.19sZ; it does not run now",
		 text_of(report, "time"));
	r = show(report, q, note);
	json_decref(report);
	return r;
}

static int answer(const struct query *q, struct config *c)
{
	int r = command_config(q->config, c);

	if (r)
		return r;
	if (q->store)
		span_copy(c->store, sizeof(c->store), span_of(q->store));
	r = command_poke_agent(c);
	if (!r)
		return by_agent(q, c);
	if (r == -EACCES)
		return command_fail(EXIT_PERMISSION, "%s: not permitted to ask the agent",
				    c->runtime);
	return geteuid() ? by_the_past(q, c) : by_ourselves(q, c);
}

static int exposure(const struct command *self, int argc, char **argv)
{
	struct config *c;
	struct query q;
	int r = options_parse(self, argc, argv, &q);

	if (r)
		return r;
	c = calloc(1, sizeof(*c));
	r = c ? answer(&q, c) : command_fail(EXIT_INPUT, "out of memory");
	free(c);
	return r;
}

const struct command command_exposure = {
	.name = "exposure",
	.usage = "[--format table|json] [--config FILE] [--store PATH]",
	.about = "which remote services listen, who can reach them, what they ask for, what to do",
	.help = "  --format table|json  (default table)\n" QUERY_STORE_HELP
		"\nThe running agent looks and answers; without one, root looks itself. REACH is "
		"what the bound\naddress allows: loopback, private, anyone (any address, or one "
		"that counts as external);\nfirewalls are not judged. ASKS is how strong the "
		"authentication is: none, weak (passwords, root,\nclear text), strong, unknown. "
		"The baseline is what listened when the agent first looked.\n",
	.run = exposure,
};
