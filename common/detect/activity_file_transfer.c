/*
 * activity.file_transfer: files copied in or out through the session.
 *
 * Sees sftp-server, the internal sftp of sshd (by its log line), scp -t and -f, rsync --server,
 * also behind `sh -c`; the direction from their arguments, the bytes from the accepted socket.
 * Cannot see: which files; a copy through a shell pipe (cat file) is bytes of a shell.
 *
 * Example: scp -f /etc/passwd: 2.9 KiB out to 203.0.113.10.
 */
#include "../core/core_detect.h"

#define SEVERAL "several" /* one session, more than one of the reasons */

/* The next word, ended by NUL or space; *s keeps the rest. */
static struct span cut_word(struct span *s)
{
	size_t n = 0, skip = 0;
	struct span word;

	while (skip < s->len && (s->ptr[skip] == ' ' || !s->ptr[skip]))
		skip++;
	*s = span_skip(*s, skip);
	while (n < s->len && s->ptr[n] != ' ' && s->ptr[n])
		n++;
	word = span_first(*s, n);
	*s = span_skip(*s, n);
	return word;
}

static bool has_letter(struct span option, char letter)
{
	return option.len >= 2 && option.ptr[0] == '-' && option.ptr[1] != '-' &&
	       memchr(option.ptr + 1, letter, option.len - 1) != NULL;
}

static enum transfer scp_direction(struct span args)
{
	struct span word;

	while (!span_empty(word = cut_word(&args))) {
		if (has_letter(word, 't'))
			return TRANSFER_IN;
		if (has_letter(word, 'f'))
			return TRANSFER_OUT;
		if (word.ptr[0] != '-')
			break;
	}
	return TRANSFER_NONE; /* a client that somebody runs here: a connection, told as such */
}

static enum transfer rsync_direction(struct span args)
{
	struct span word = cut_word(&args);

	if (!span_is(word, "--server"))
		return TRANSFER_NONE;
	while (!span_empty(word = cut_word(&args)))
		if (span_is(word, "--sender"))
			return TRANSFER_OUT;
	return TRANSFER_IN;
}

static bool is_shell(struct span name)
{
	static const char *const shells[] = {"sh",  "bash", "dash", "zsh", "ksh",
					     "csh", "tcsh", "fish", "ash", "rbash"};

	if (name.len && name.ptr[0] == '-')
		name = span_skip(name, 1);
	for (size_t i = 0; i < sizeof(shells) / sizeof(shells[0]); i++)
		if (span_is(name, shells[i]))
			return true;
	return false;
}

/* args: the words after the program's name. */
static enum transfer by_name(struct span name, struct span args)
{
	if (span_is(name, "sftp-server") || span_is(name, "internal-sftp"))
		return TRANSFER_BOTH;
	if (span_is(name, "scp"))
		return scp_direction(args);
	if (span_is(name, "rsync"))
		return rsync_direction(args);
	return TRANSFER_NONE;
}

enum transfer transfer_of(struct span program, struct span args)
{
	struct span rest = args, word;

	if (span_is(args, "subsystem 'sftp'"))
		return TRANSFER_BOTH;
	word = cut_word(&rest);
	if (span_empty(word))
		word = program;
	if (is_shell(span_base(word))) {
		if (!span_is(cut_word(&rest), "-c"))
			return TRANSFER_NONE;
		word = cut_word(&rest);
	}
	return by_name(span_base(word), rest);
}

static void say(struct detect_ctx *x, struct calert *a)
{
	static const char *const words[] = {
		[TRANSFER_BOTH] = "opened a file transfer (sftp)",
		[TRANSFER_IN] = "copies files to this host",
		[TRANSFER_OUT] = "copies files out of this host",
	};
	const struct session *s = &x->session->pub;
	struct text t = TEXT_IN(a->pub.sentence);
	enum transfer way = strcmp(a->pub.reason, "in") == 0	? TRANSFER_IN
			    : strcmp(a->pub.reason, "out") == 0 ? TRANSFER_OUT
								: TRANSFER_BOTH;
	bool is_several = strcmp(a->pub.reason, SEVERAL) == 0;

	text_quote(&t, span_of(s->account), 48);
	text_add(&t, " from ");
	say_from(&t, s);
	text_add(&t, " %s", is_several ? "copies files in and out" : words[way]);
	if (s->bytes_known) {
		text_add(&t, ": ");
		say_bytes(&t, s->bytes_in);
		text_add(&t, " in, ");
		say_bytes(&t, s->bytes_out);
		text_add(&t, " out over the whole session");
	}
	text_add(&t, ".");
	t = TEXT_IN(a->pub.numbers);
	if (s->bytes_known)
		text_add(&t, "%llu bytes in, %llu bytes out", (unsigned long long)s->bytes_in,
			 (unsigned long long)s->bytes_out);
	else
		text_add(&t, "bytes not counted yet");
}

/* Counters moved: told again when they doubled, and at the end. */
static void revise(struct detect_ctx *x, const struct event *e)
{
	struct fire f = {.reason = ""};
	struct csession *s = x->session;
	uint64_t now = s->pub.bytes_in + s->pub.bytes_out;
	struct calert *a;

	if (!s->pub.has_transfer || (e->kind == EVENT_BYTES && (!now || now < 2 * s->told_bytes)))
		return;
	a = alert_find(x, e, &f);
	if (!a)
		return;
	s->told_bytes = now;
	alert_seen(a, e->time_ns);
	say(x, a);
	alert_changed(x->core, a, false);
}

static void step(struct detect_ctx *x, const struct event *e)
{
	static const char *const reasons[] = {
		[TRANSFER_BOTH] = "sftp", [TRANSFER_IN] = "in", [TRANSFER_OUT] = "out"};
	struct fire f = {.severity = SEVERITY_LOW, .count = 1};
	enum transfer way;
	struct calert *a;
	bool is_new;

	if (!x->session)
		return;
	if (e->kind != EVENT_EXEC && e->kind != EVENT_AUTH_NOTE) {
		revise(x, e);
		return;
	}
	way = transfer_of(e->program, e->args);
	if (way == TRANSFER_NONE)
		return;
	f.reason = reasons[way];
	if (x->session->pub.has_transfer) {
		f.count = 0; /* bash -c scp, then scp: one */
		a = alert_find(x, e, &f);
		if (a &&
		    (strcmp(a->pub.reason, f.reason) == 0 || strcmp(a->pub.reason, SEVERAL) == 0))
			return;
		f.count = 1;
	}
	x->session->pub.has_transfer = true;
	a = alert_raise(x, e, &f, &is_new);
	if (!a)
		return;
	if (!is_new && strcmp(a->pub.reason, f.reason) != 0)
		span_copy(a->pub.reason, sizeof(a->pub.reason), SPAN_LIT(SEVERAL));
	say(x, a);
}

const struct detection detection_activity_file_transfer = {
	.id = "activity.file_transfer",
	.number = 1302,
	.severity = SEVERITY_LOW,
	.scope = DETECT_ALL,
	.stage = "activity",
	.title = "Files copied in a remote session",
	.attack = "T1105",
	.tactic = "TA0011",
	.analytic = "AN1005 AN1006",
	.data_components = "Process Creation (DC0032); Network Traffic Flow (DC0078)",
	.reasons = "sftp in out several",
	.events = EVENT_BIT(EXEC) | EVENT_BIT(BYTES) | EVENT_BIT(CONNECTION_CLOSE),
	.triage = "How many bytes, which way, and does the account usually copy?",
	.contain = "End the session; look at what the account can read.",
	.false_positive = "Backups, deployments, ordinary work.",
	.tune = "An exception for the account and address of the backup.",
	.mitigation = "M1037 M1031",
	.step = step,
	.key = KEY_SESSION,
};
