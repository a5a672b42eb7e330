/* ask: see ask.h. */
#include "ask.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static int open_to_write(struct ask *a)
{
	int r = store_open(a->config->store, STORE_WRITE, &a->store);

	if (r == -EACCES || r == -EPERM || r == -EROFS)
		return command_fail(EXIT_PERMISSION, "%s: not permitted to write; root may",
				    a->config->store);
	return r ? command_fail(EXIT_INPUT, "%s: %s", a->config->store, store_open_reason(r))
		 : EXIT_FINE;
}

int ask_open(const struct query *q, struct ask *ret)
{
	struct store *reader = NULL;
	int r = query_open(q, &reader); /* says what is wrong, and makes no store */

	store_close(reader);
	if (r != EXIT_FINE)
		return r;
	*ret = (struct ask){.config = calloc(1, sizeof(*ret->config))};
	if (!ret->config)
		return command_fail(EXIT_INPUT, "out of memory");
	r = command_config(q->config, ret->config);
	if (r == EXIT_FINE && q->store)
		span_copy(ret->config->store, sizeof(ret->config->store), span_of(q->store));
	if (r == EXIT_FINE)
		r = open_to_write(ret);
	if (r != EXIT_FINE)
		ask_close(ret);
	return r;
}

void ask_close(struct ask *a)
{
	store_close(a->store);
	free(a->config);
	*a = (struct ask){0};
}

int ask_agent_answer(struct ask *a, const char *verb, const char *subject, const char *detail,
		     char ret[REQUEST_RESULT_MAX])
{
	uint64_t now_ns = (uint64_t)time(NULL) * 1000000000u;
	int64_t id;
	int r;

	if (strlen(subject) >= sizeof(((struct store_request *)0)->subject) ||
	    strlen(detail) >= ALERT_NOTE_MAX)
		return command_fail(EXIT_USAGE, "that is too long");
	id = store_request_put(a->store, verb, subject, detail, now_ns);
	if (id < 0)
		return id == -EROFS || id == -EACCES
			       ? command_fail(EXIT_PERMISSION,
					      "%s: not permitted to write; root may",
					      a->config->store)
			       : query_failed(a->store, (int)id);
	r = command_poke_agent(a->config);
	if (!r)
		r = store_request_result(a->store, id, ret, REQUEST_RESULT_MAX);
	return r ? -EAGAIN : 0;
}

int ask_agent(struct ask *a, const char *verb, const char *subject, const char *detail)
{
	char answer[REQUEST_RESULT_MAX];
	int r = ask_agent_answer(a, verb, subject, detail, answer);

	if (r == -EAGAIN) {
		puts("the agent does not answer; it will do this when it runs");
		return EXIT_FINE;
	}
	if (r)
		return r;
	if (!strncmp(answer, "failed: ", 8))
		return command_fail(EXIT_INPUT, "%s", answer + 8);
	puts(answer);
	return EXIT_FINE;
}
