/*
 * privacy_event: an event as collectors may have it; see privacy.h. Texts are worked on whole and
 * cut at the end, so that no cut leaves the beginning of a name that was to be hidden.
 */
#include "privacy.h"

#include "pseudonym.h"
#include "redact.h"
#include "writer.h"

_Static_assert(PSEUDONYM_MAX <= PRIVACY_NAME_MAX, "a pseudonym fits where a hash does");

/* Names that somebody who wants in has typed. */
static bool is_claim(enum event_kind k)
{
	return k == EVENT_ATTEMPT || k == EVENT_AUTH_NOTE || k == EVENT_PAM ||
	       k == EVENT_CONNECTION || k == EVENT_CONNECTION_CLOSE || k == EVENT_CLIENT;
}

/* As the core decides it (core_attempts.c): a daemon says of a name when it knows no such. */
static bool is_unknown(const struct event *e)
{
	if (e->flags & EVENT_ACCOUNT_UNKNOWN)
		return true;
	if (e->flags & EVENT_ACCOUNT_EXISTS || !is_claim(e->kind) || e->outcome == OUTCOME_SUCCESS)
		return false;
	if (e->kind == EVENT_PAM)
		return e->result != 0;
	return !(e->kind == EVENT_ATTEMPT && e->witness == WITNESS_DAEMON && !e->gate.told &&
		 e->trust != TRUST_KERNEL && e->service != SERVICE_MAIL);
}

static struct span written(struct writer *w)
{
	w->cut = true;
	writer_finish(w);
	return (struct span){w->buf, w->len};
}

/* The text without the account, then without a name in the daemon's own words. */
static void hide_in_text(struct event *e, struct span account, const struct out_policy *p,
			 struct privacy_texts *t)
{
	char hidden[PRIVACY_NAME_MAX];
	struct span text, name;
	struct addr address;
	struct writer w;

	writer_start(&w, t->work, sizeof(t->work));
	w.cut = true;
	if (addr_parse(account, &address, NULL)) /* no secret, and the origin stands there, too */
		account = (struct span){0};
	privacy_replace(&w, e->text, account, privacy_name(account, p->privacy_key, hidden));
	text = written(&w);
	writer_start(&w, t->text, sizeof(t->text));
	w.cut = true;
	if (privacy_logged_name(text, false, &name)) {
		size_t before = (size_t)(name.ptr - text.ptr);

		writer_bytes(&w, text.ptr, before);
		writer_puts(&w, privacy_name(name, p->privacy_key, hidden));
		text = span_skip(text, before + name.len);
	}
	writer_bytes(&w, text.ptr, text.len);
	e->text = written(&w);
}

static void hide_names(struct event *e, const struct out_policy *p, struct privacy_texts *t)
{
	struct span account = {0};

	if (is_unknown(e) && !span_empty(e->account) && !privacy_is_hashed(e->account)) {
		account = e->account;
		e->account = span_of(privacy_name(account, p->privacy_key, t->account));
	}
	if (!span_empty(e->text))
		hide_in_text(e, account, p, t);
}

/* The words of a command line, as one text. */
static struct span joined(struct span args, char *buf, size_t cap)
{
	size_t n = args.len < cap ? args.len : cap;

	for (size_t i = 0; i < n; i++)
		buf[i] = args.ptr[i] ? args.ptr[i] : ' ';
	while (n && buf[n - 1] == ' ')
		n--;
	return (struct span){buf, n};
}

static struct span until(struct span s, char end)
{
	const char *p = s.len ? memchr(s.ptr, end, s.len) : NULL;

	return p ? span_first(s, (size_t)(p - s.ptr)) : s;
}

static struct span redacted(struct span s, char *buf)
{
	size_t n = redact_command(s, buf, PRIVACY_EVENT_TEXT);

	return (struct span){buf, n};
}

/* Of an API request the target may hold a command ("?command=..."), and a log line any. */
static void hide_commands(struct event *e, int policy, struct privacy_texts *t)
{
	bool none = policy == COMMANDS_NONE, api = e->kind == EVENT_API;

	e->args = joined(e->args, t->work, sizeof(t->work));
	e->args = none ? until(e->args, ' ') : e->args;
	e->args = redacted(e->args, t->args);
	if (api)
		e->path = redacted(none ? until(e->path, '?') : e->path, t->path);
	if (span_empty(e->text))
		return;
	if (none && (e->kind == EVENT_EXEC || e->kind == EVENT_SERVER_SHELL || api))
		e->text = (struct span){0};
	e->text = redacted(joined(e->text, t->work, sizeof(t->work)), t->text);
}

static void pseudonymise(struct event *e, uint64_t key, struct privacy_texts *t)
{
	if (!span_empty(e->account))
		e->account = span_of(pseudonym_account(e->account, key, t->account));
	if (!span_empty(e->user))
		e->user = span_of(pseudonym_account(e->user, key, t->user));
	if (!span_empty(e->key))
		e->key = span_of(pseudonym_key(e->key, key, t->key));
	if (!span_empty(e->client))
		e->client = span_of(pseudonym_client(e->client, key, t->client));
	e->origin.addr = pseudonym_addr(&e->origin.addr, key);
	e->local.addr = pseudonym_addr(&e->local.addr, key);
	e->dest.addr = pseudonym_addr(&e->dest.addr, key);
	e->program = span_base(e->program);
	e->args = e->text = e->path = e->via = e->mac = e->api.detail = (struct span){0};
}

void privacy_event(const struct event *e, const struct out_policy *p, struct event *ret,
		   struct privacy_texts *texts)
{
	*ret = *e;
	if (!p->keep_unknown_accounts)
		hide_names(ret, p, texts);
	if (p->command_lines != COMMANDS_FULL)
		hide_commands(ret, p->command_lines, texts);
	if (p->pseudonymise)
		pseudonymise(ret, p->privacy_key, texts);
}
