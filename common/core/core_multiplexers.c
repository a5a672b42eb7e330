/*
 * multiplexers: whose tmux or screen a session's process reaches. A client that attaches to, types
 * into or reads a multiplexer of another identity works in that one's session (session.hijacked).
 *
 * Whose it is: of the sessions that are there and have used its socket otherwise than by attaching,
 * the one that opened first. A server of tmux belongs to the session that started it, which lingers
 * as long as it lives; so one that nobody has any more is nobody's. The same identity in a second
 * session is the ordinary case. Of one account two keys tell two people apart: where a key is still
 * to be told by the log, that is waited for; without one nobody is accused.
 *
 * Cannot see: which of an account's people it was where they share a secret; a server that is older
 * than the agent, whose first user is taken for its owner; an attach that found no server any more
 * while its owner still is there.
 *
 * Example: alice runs `tmux`; bob, in a session of his own, `tmux -S /tmp/tmux-1001/default
 * attach`.
 */
#include "core_detect.h"

struct verb {
	const char *name;
	size_t least; /* so much of it is enough */
};

/* tmux takes any beginning of a command that is one of its own alone, and these aliases. */
static const struct verb verbs[] = {
	{"attach-session", 1}, {"send-keys", 4},    {"capture-pane", 2}, {"capturep", 8},
	{"pipe-pane", 2},      {"pipep", 5},	    {"paste-buffer", 2}, {"pasteb", 6},
	{"join-pane", 1},      {"respawn-pane", 9}, {"respawnp", 8},	 {"link-window", 2},
	{"respawn-window", 9}, {"respawnw", 8},	    {"run-shell", 2},	 {"if-shell", 1},
	{"new-window", 5},     {"neww", 4},	    {"split-window", 2}, {"splitw", 6},
};

static bool has_any(struct span word, const char *letters)
{
	for (size_t i = 1; i < word.len; i++)
		if (strchr(letters, word.ptr[i]))
			return true;
	return false;
}

static bool is_option(struct span word)
{
	return word.len > 1 && word.ptr[0] == '-';
}

/* "-S" of tmux, and what else has its value in the next word; "-S/tmp/x" has it in its own. */
static bool value_follows(struct span word, const char *letters)
{
	return word.len && strchr(letters, word.ptr[word.len - 1]) && has_any(word, letters);
}

static bool is_verb(struct span word)
{
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (word.len >= verbs[i].least && span_starts(span_of(verbs[i].name), word))
			return true;
	return false;
}

/* `new-session -A` attaches where it can, `-t` shares the windows of another. */
static bool joins(struct span args)
{
	struct span word;

	while (span_cut_arg(&args, &word))
		if (is_option(word) && has_any(word, "At"))
			return true;
	return false;
}

static bool command_attaches(struct span word, struct span args)
{
	return is_verb(word) || (span_starts(word, SPAN_LIT("new")) &&
				 span_starts(SPAN_LIT("new-session"), word) && joins(args));
}

/* Several commands may follow, each after a ";" that is a word or ends one. */
static bool tmux_attaches(struct span args)
{
	bool begins = true;
	struct span word;

	while (span_cut_arg(&args, &word)) {
		if (begins && is_option(word)) {
			if (value_follows(word, "LSfcT"))
				span_cut_arg(&args, &word);
			continue;
		}
		if (begins && command_attaches(word, args))
			return true;
		begins = word.len && word.ptr[word.len - 1] == ';';
	}
	return false;
}

/* -r, -R, -x and -D take a session over, -X sends it a command. */
static bool screen_attaches(struct span args)
{
	struct span word;

	while (span_cut_arg(&args, &word)) {
		if (!is_option(word))
			return false; /* from here on it is a program's */
		if (has_any(word, "rRxXD") && !has_any(word, "m")) /* -Dm begins one */
			return true;
		if (value_follows(word, "Scehpst"))
			span_cut_arg(&args, &word);
	}
	return false;
}

bool multiplexer_attaches(enum handoff_kind kind, struct span args)
{
	struct span self;

	if (!span_cut_arg(&args, &self))
		return false;
	return (kind == HANDOFF_TMUX && tmux_attaches(args)) ||
	       (kind == HANDOFF_SCREEN && screen_attaches(args));
}

static bool has_used(const struct session *s, enum handoff_kind kind, struct span path)
{
	for (unsigned i = 0; i < s->handoffs_kept && i < SESSION_HANDOFFS; i++) {
		const struct session_handoff *h = &s->handoffs[i];

		if (h->kind == kind && !h->attached &&
		    span_is(span_first(path, sizeof(h->to) - 1), h->to))
			return true;
	}
	return false;
}

static struct csession *owner_of(struct core *c, enum handoff_kind kind, struct span path)
{
	struct csession *first = NULL;

	for (uint32_t i = 0; i < c->sessions.fresh; i++) {
		struct csession *s = pool_at(&c->sessions, i);

		if (!pool_is_used(&c->sessions, i) || s->pub.state == SESSION_CLOSED ||
		    !has_used(&s->pub, kind, path))
			continue;
		if (!first || s->pub.open_ns < first->pub.open_ns)
			first = s;
	}
	return first;
}

/* Of one account, a session without a key says nothing of who it is. */
static bool is_another(const struct session *a, const struct session *b)
{
	if (strcmp(a->account, b->account) != 0)
		return true;
	return a->key[0] && b->key[0] && !span_eq(key_identity(a->key), key_identity(b->key));
}

static void judge(struct core *c, struct csession *s, const struct csession *owner,
		  const struct event *e)
{
	struct event told = *e;

	if (!is_another(&owner->pub, &s->pub) ||
	    (shared_account(c, &s->pub) && strcmp(owner->pub.account, s->pub.account) == 0))
		return;
	told.user = span_of(owner->pub.account);
	core_detect_one(c, DETECTION_session_hijacked, &told, pool_get(&c->conns, s->conn), s,
			"multiplexer");
}

static void wait_end(struct core *c, struct multiplexer_wait *w)
{
	struct csession *s = pool_get(&c->sessions, w->session);
	struct csession *owner = pool_get(&c->sessions, w->owner);

	w->due_ns = 0;
	event_drop_texts(&w->e);
	w->e.path = span_of(w->path);
	w->e.args = (struct span){w->args, w->args_len};
	if (s && owner)
		judge(c, s, owner, &w->e);
}

/* A free place, or that of the one that waits longest, which waits no more. */
static struct multiplexer_wait *wait_take(struct core *c)
{
	struct multiplexer_wait *oldest = &c->multiplexer_waits[0];

	for (unsigned i = 0; i < MULTIPLEXER_WAITS; i++) {
		struct multiplexer_wait *w = &c->multiplexer_waits[i];

		if (!w->due_ns)
			return w;
		if (w->due_ns < oldest->due_ns)
			oldest = w;
	}
	wait_end(c, oldest);
	return oldest;
}

static void wait_start(struct core *c, const struct csession *s, const struct csession *owner,
		       const struct event *e)
{
	struct multiplexer_wait *w = wait_take(c);
	size_t n = e->args.len < sizeof(w->args) ? e->args.len : sizeof(w->args);

	w->e = *e;
	w->due_ns = e->time_ns + CLAIM_GRACE_NS;
	w->session = pool_handle(&c->sessions, pool_slot(&c->sessions, s));
	w->owner = pool_handle(&c->sessions, pool_slot(&c->sessions, owner));
	span_copy(w->path, sizeof(w->path), e->path);
	memcpy(w->args, e->args.ptr, n);
	w->args_len = (uint8_t)n;
	core_due(c, w->due_ns);
}

void multiplexer_reached(struct core *c, struct csession *s, enum handoff_kind kind,
			 const struct event *e)
{
	struct csession *owner;

	if (!multiplexer_attaches(kind, e->args))
		return;
	owner = owner_of(c, kind, e->path);
	if (!owner || owner == s)
		return;
	if (strcmp(owner->pub.account, s->pub.account) == 0 &&
	    (session_waits_for_key(&owner->pub) || session_waits_for_key(&s->pub)))
		wait_start(c, s, owner, e);
	else
		judge(c, s, owner, e);
}

void multiplexers_expire(struct core *c)
{
	for (unsigned i = 0; i < MULTIPLEXER_WAITS; i++) {
		struct multiplexer_wait *w = &c->multiplexer_waits[i];

		if (!w->due_ns)
			continue;
		if (w->due_ns <= c->now_ns)
			wait_end(c, w);
		else
			core_due(c, w->due_ns);
	}
}
