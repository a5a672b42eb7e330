/*
 * request_run: see request_run.h. Verbs: ack, close, note (an alert's id; the note), expect (an
 * alert's id), forget-account (a name), forget-origin (a CIDR block), forget-habits (a name).
 */
#include "request_run.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct found {
	struct alert alert;
	struct session session;
	bool has_alert, has_session;
};

static bool take_alert(void *arg, const struct alert *a)
{
	struct found *f = arg;

	f->alert = *a;
	f->has_alert = true;
	return false;
}

static bool take_session(void *arg, const struct session *x)
{
	struct found *f = arg;

	f->session = *x;
	f->has_session = true;
	return false;
}

static void find(struct store *s, const char *id, struct found *f)
{
	struct store_filter by_id = {.id = span_of(id), .limit = 1};

	if (store_alerts(s, &by_id, take_alert, f) || !f->has_alert || !f->alert.session[0])
		return;
	by_id.id = span_of(f->alert.session);
	store_sessions(s, &by_id, take_session, f);
}

/* An alert that is only in the store any more. */
static int word_of_old(struct store *s, struct alert *a, enum core_word word, const char *note,
		       uint64_t now_ns)
{
	if (note)
		span_copy(a->note, sizeof(a->note), span_of(note));
	if (word != CORE_NOTED)
		a->acked_ns = now_ns;
	if (word == CORE_CLOSED)
		a->state = ALERT_CLOSED;
	a->revision++;
	return store_put_alert(s, a);
}

static void word(struct core *core, struct store *s, const struct store_request *q,
		 enum core_word word, uint64_t now_ns, char ret[REQUEST_RESULT_MAX])
{
	struct found *f = calloc(1, sizeof(*f));
	const char *note = q->detail[0] ? q->detail : NULL;
	int r = core_alert_word(core, q->subject, word, note, now_ns);

	if (r == -ENOENT && f) {
		find(s, q->subject, f);
		if (f->has_alert)
			r = word_of_old(s, &f->alert, word, note, now_ns);
	}
	free(f);
	if (r)
		snprintf(ret, REQUEST_RESULT_MAX, "failed: %s",
			 r == -ENOENT ? "there is no such alert" : store_error(s));
	else
		snprintf(ret, REQUEST_RESULT_MAX, "alert %s %s", q->subject,
			 word == CORE_SEEN     ? "acknowledged"
			 : word == CORE_CLOSED ? "closed"
					       : "noted");
}

static void expect(struct core *core, struct store *s, const char *id, char ret[REQUEST_RESULT_MAX])
{
	struct found *f = calloc(1, sizeof(*f));

	if (f)
		find(s, id, f);
	if (f && f->has_session)
		core_expect(core, &f->session);
	snprintf(ret, REQUEST_RESULT_MAX, "%s",
		 f && f->has_session ? "what its session did is learned as expected"
				     : "failed: it has no session to learn from");
	free(f);
}

static void forget(struct core *core, struct store *s, const struct store_request *q,
		   char ret[REQUEST_RESULT_MAX])
{
	bool by_origin = !strcmp(q->verb, "forget-origin");
	struct span account = span_of(by_origin ? "" : q->subject);
	struct cidr origin;
	unsigned in_memory;
	uint64_t rows = 0;
	int r;

	if (by_origin && !cidr_parse(span_of(q->subject), &origin)) {
		snprintf(ret, REQUEST_RESULT_MAX, "failed: not an address or CIDR block");
		return;
	}
	in_memory = core_forget(core, account, by_origin ? &origin : NULL);
	r = store_forget(s, account, by_origin ? &origin : NULL, &rows);
	if (r)
		snprintf(ret, REQUEST_RESULT_MAX, "failed: %s", store_error(s));
	else
		snprintf(ret, REQUEST_RESULT_MAX,
			 "forgotten: %llu alerts and sessions of the store, %u rows of memory",
			 (unsigned long long)rows, in_memory);
}

static void learn(struct core *core, struct store *s, const char *name,
		  char ret[REQUEST_RESULT_MAX])
{
	void *blob = NULL;
	size_t len = 0;
	int r = store_get_blob(s, name, &blob, &len);

	if (!r)
		r = core_take_lessons(core, blob, len);
	free(blob);
	store_put_blob(s, name, "", 0);
	snprintf(ret, REQUEST_RESULT_MAX, "%s",
		 r ? "failed: nothing readable to learn from" : "learned");
}

void request_run(struct core *core, struct store *s, const struct store_request *q, uint64_t now_ns,
		 char ret[REQUEST_RESULT_MAX])
{
	snprintf(ret, REQUEST_RESULT_MAX, "failed: this version does not know %.15s", q->verb);
	if (!strcmp(q->verb, "ack"))
		word(core, s, q, CORE_SEEN, now_ns, ret);
	else if (!strcmp(q->verb, "close"))
		word(core, s, q, CORE_CLOSED, now_ns, ret);
	else if (!strcmp(q->verb, "note"))
		word(core, s, q, CORE_NOTED, now_ns, ret);
	else if (!strcmp(q->verb, "expect"))
		expect(core, s, q->subject, ret);
	else if (!strncmp(q->verb, "forget-", 7) && strcmp(q->verb, "forget-habits") != 0)
		forget(core, s, q, ret);
	else if (!strcmp(q->verb, "learn"))
		learn(core, s, q->subject, ret);
	else if (!strcmp(q->verb, "forget-habits"))
		snprintf(ret, REQUEST_RESULT_MAX, "forgotten: %u profiles",
			 core_forget_habits(core, span_of(q->subject)));
}
