/*
 * sshd_config: what an sshd lets in, as OpenSSH reads it (sshd_config(5), servconf.c): the first
 * value of a keyword counts, options of the command line come first, Include stands for the files
 * it names, and a Match block sets other values for some.
 *
 * Cannot see: what a running sshd has read before its files were changed; which users a Match block
 * is about; files included from elsewhere than sshd_config.d (then nothing is said to be strong).
 *
 * Example: "PasswordAuthentication no" after "Include /etc/ssh/sshd_config.d/ *.conf", one of which
 * says yes: passwords are allowed.
 */
#include "sshd_config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define DEPTH_MAX 4
#define PARTS_MAX 64
#define FILES_MAX 96 /* files that include each other end */
#define PARTS_DIR "/etc/ssh/sshd_config.d/"

static const struct {
	const char *word;
	enum sshd_word is;
} words[] = {
	{"passwordauthentication", SSHD_PASSWORD},
	{"kbdinteractiveauthentication", SSHD_KBDINT},
	{"challengeresponseauthentication", SSHD_KBDINT},
	{"skeyauthentication", SSHD_KBDINT},
	{"permitemptypasswords", SSHD_EMPTY},
	{"permitrootlogin", SSHD_ROOT},
	{"usepam", SSHD_PAM},
	{"pubkeyauthentication", SSHD_KEY},
};

static bool is_folded(struct span s, const char *word)
{
	return s.len == strlen(word) && span_has_folded(s, span_of(word));
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\f';
}

/* The next argument, without its quotes; "=" may stand behind the keyword. */
static struct span next_word(struct span *rest)
{
	struct span word;
	size_t at = 0, end;

	while (at < rest->len && is_blank(rest->ptr[at]))
		at++;
	*rest = span_skip(*rest, at);
	if (!span_empty(*rest) && rest->ptr[0] == '"') {
		for (end = 1; end < rest->len && rest->ptr[end] != '"';)
			end++;
		word = span_first(span_skip(*rest, 1), end - 1);
		*rest = span_skip(*rest, end + 1);
		return word;
	}
	for (end = 0; end < rest->len && !is_blank(rest->ptr[end]) && rest->ptr[end] != '=';)
		end++;
	word = span_first(*rest, end);
	*rest = span_skip(*rest, end);
	return word;
}

static void skip_equals(struct span *rest)
{
	size_t at = 0;

	while (at < rest->len && is_blank(rest->ptr[at]))
		at++;
	if (at < rest->len && rest->ptr[at] == '=')
		*rest = span_skip(*rest, at + 1);
}

static enum sshd_value value_of(enum sshd_word w, struct span text)
{
	if (is_folded(text, "yes") || is_folded(text, "true"))
		return SSHD_YES;
	if (is_folded(text, "no") || is_folded(text, "false"))
		return SSHD_NO;
	if (w == SSHD_ROOT &&
	    (is_folded(text, "prohibit-password") || is_folded(text, "without-password") ||
	     is_folded(text, "forced-commands-only")))
		return SSHD_BY_KEY;
	return SSHD_UNSET;
}

static void set(struct sshd_settings *s, enum sshd_word w, struct span text)
{
	enum sshd_value v = value_of(w, text);

	if (v == SSHD_UNSET) {
		s->confused++;
	} else if (s->in_match) {
		s->has_match = true;
		if (v == SSHD_YES || s->some[w] == SSHD_UNSET)
			s->some[w] = (uint8_t)v;
	} else if (s->value[w] == SSHD_UNSET) {
		s->value[w] = (uint8_t)v;
	}
}

/* "publickey,password publickey,keyboard-interactive": a key in each of them. */
static void set_methods(struct sshd_settings *s, struct span rest)
{
	struct span way = next_word(&rest);
	bool all = !span_empty(way);

	for (; !span_empty(way); way = next_word(&rest))
		all = all && (span_has(way, SPAN_LIT("publickey")) ||
			      span_has(way, SPAN_LIT("gssapi-with-mic")));
	if (s->in_match) {
		s->has_match = true;
		if (!all)
			s->needs_key = false, s->methods_set = true;
	} else if (!s->methods_set) {
		s->methods_set = true;
		s->needs_key = all;
	}
}

static void read_part(struct sshd_settings *s, enum settings_file which, const char *name,
		      const struct exposure_reader *r)
{
	char *text = NULL;
	size_t len = 0;
	int err;

	if (s->stopped || s->files++ >= FILES_MAX) {
		s->stopped = s->unread = true;
		return;
	}
	err = r->read(r->arg, which, name, &text, &len);
	s->stopped |= err == -ETIMEDOUT;
	if (!err)
		sshd_settings_read(s, (struct span){text, len}, r);
	else if (err != -ENOENT)
		s->unread = true;
	free(text);
}

/* Of patterns that one with all of a directory's *.conf. */
static void include(struct sshd_settings *s, struct span rest, const struct exposure_reader *r)
{
	struct span at = next_word(&rest);
	char name[EXPOSURE_PATH];

	for (; !span_empty(at); at = next_word(&rest)) {
		if (!span_starts(at, SPAN_LIT("/")) && s->depth < DEPTH_MAX &&
		    span_is(at, "sshd_config.d/*.conf"))
			at = SPAN_LIT(PARTS_DIR "*.conf");
		if (!r || s->depth >= DEPTH_MAX || !span_starts(at, SPAN_LIT(PARTS_DIR))) {
			s->unread = true;
			continue;
		}
		at = span_skip(at, strlen(PARTS_DIR));
		if (span_is(at, "*.conf")) {
			for (unsigned i = 0; i < PARTS_MAX && r->part(r->arg, i, name); i++)
				read_part(s, SETTINGS_SSHD_PART, name, r);
		} else if (span_copy(name, sizeof(name), at)) {
			read_part(s, SETTINGS_SSHD_PART, name, r);
		}
	}
}

static void read_line(struct sshd_settings *s, struct span line, const struct exposure_reader *r)
{
	struct span rest = line, word = next_word(&rest);

	if (span_empty(word) || word.ptr[0] == '#')
		return;
	skip_equals(&rest);
	if (is_folded(word, "match")) {
		/* "Match all" ends what was for some. */
		s->in_match = !is_folded(next_word(&rest), "all");
		return;
	}
	if (is_folded(word, "include")) {
		include(s, rest, r);
		return;
	}
	if (is_folded(word, "authenticationmethods")) {
		set_methods(s, rest);
		return;
	}
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (is_folded(word, words[i].word))
			set(s, words[i].is, next_word(&rest));
}

void sshd_settings_read(struct sshd_settings *s, struct span text, const struct exposure_reader *r)
{
	bool in_match = s->in_match;

	s->depth++;
	while (!span_empty(text)) {
		const char *end = memchr(text.ptr, '\n', text.len);
		size_t len = end ? (size_t)(end - text.ptr) : text.len;

		read_line(s, span_first(text, len), r);
		text = span_skip(text, len + 1);
	}
	s->depth--;
	s->in_match = in_match; /* a block ends with its file */
}

void sshd_settings_option(struct sshd_settings *s, struct span line)
{
	s->depth = DEPTH_MAX; /* no Include there */
	read_line(s, line, NULL);
	s->depth = 0;
	s->in_match = false;
}

/* The next word of a title that was made of arguments, or of arguments. */
static struct span title_word(struct span *rest)
{
	size_t at = 0, end;
	struct span word;

	while (at < rest->len && (rest->ptr[at] == ' ' || rest->ptr[at] == '\0'))
		at++;
	for (end = at; end < rest->len && rest->ptr[end] != ' ' && rest->ptr[end] != '\0';)
		end++;
	word = span_first(span_skip(*rest, at), end - at);
	*rest = span_skip(*rest, end);
	return word;
}

/* -o and -f, with the value behind a blank or not. */
static void read_args(struct sshd_settings *s, struct span args, char file[EXPOSURE_PATH])
{
	struct span rest = args, word = title_word(&rest);

	for (; !span_empty(word) && !span_is(word, "[listener]"); word = title_word(&rest)) {
		bool is_file = span_starts(word, SPAN_LIT("-f"));

		if (!is_file && !span_starts(word, SPAN_LIT("-o")))
			continue;
		word = word.len > 2 ? span_skip(word, 2) : title_word(&rest);
		if (is_file)
			(void)span_copy(file, EXPOSURE_PATH, word);
		else
			sshd_settings_option(s, word);
	}
}

static void defaults(struct sshd_settings *s)
{
	static const uint8_t is[SSHD_WORDS] = {
		[SSHD_PASSWORD] = SSHD_YES, [SSHD_KBDINT] = SSHD_YES, [SSHD_EMPTY] = SSHD_NO,
		[SSHD_ROOT] = SSHD_BY_KEY,  [SSHD_PAM] = SSHD_NO,     [SSHD_KEY] = SSHD_YES};

	for (unsigned i = 0; i < SSHD_WORDS; i++)
		if (s->value[i] == SSHD_UNSET)
			s->value[i] = is[i];
}

/* Keyboard-interactive has nothing to ask for without PAM. */
static bool asks_password(const struct sshd_settings *s, const uint8_t value[SSHD_WORDS])
{
	return value[SSHD_PASSWORD] == SSHD_YES ||
	       (value[SSHD_KBDINT] == SSHD_YES && s->value[SSHD_PAM] == SSHD_YES);
}

static void judge(struct exposure *x, const struct sshd_settings *s)
{
	bool all = asks_password(s, s->value) && !s->needs_key;
	bool some = !all && asks_password(s, s->some);
	bool keys = s->value[SSHD_KEY] == SSHD_YES;
	bool empty = (all || some) &&
		     (s->value[SSHD_EMPTY] == SSHD_YES || s->some[SSHD_EMPTY] == SSHD_YES);
	bool root = s->value[SSHD_ROOT] == SSHD_YES || s->some[SSHD_ROOT] == SSHD_YES;
	const char *in = s->needs_key ? "keys, never a password alone"
			 : all	      ? keys ? "passwords, keys" : "passwords"
			 : some	      ? "keys; passwords for some (Match)"
			 : keys	      ? "keys alone"
				      : "neither passwords nor keys";

	snprintf(x->words, sizeof(x->words), "%s%s; root %s%s%s%s", in,
		 empty ? ", empty passwords allowed" : "",
		 root				      ? "may log in"
		 : s->value[SSHD_ROOT] == SSHD_BY_KEY ? "by key only"
						      : "may not log in",
		 s->has_match ? "; other rules for some (Match)" : "",
		 s->unread ? "; part of its configuration cannot be read" : "",
		 s->confused ? "; part of it is not understood" : "");
	if (all || some || root || empty)
		x->auth = EXPOSED_WEAK;
	else
		x->auth = s->unread || s->confused ? EXPOSED_UNKNOWN : EXPOSED_STRONG;
}

void exposure_sshd(struct exposure *x, struct span args, const struct exposure_reader *r)
{
	struct sshd_settings s = {0};
	char file[EXPOSURE_PATH] = "", *text = NULL;
	size_t len = 0;
	int err;

	read_args(&s, args, file);
	err = r->read(r->arg, file[0] ? SETTINGS_NAMED : SETTINGS_SSHD, file, &text, &len);
	if (!err)
		sshd_settings_read(&s, (struct span){text, len}, r);
	free(text);
	if (err && err != -ENOENT) {
		snprintf(x->words, sizeof(x->words), "not known: its configuration cannot be read");
		return;
	}
	defaults(&s);
	judge(x, &s);
}

bool sshd_title_account(struct span args, char account[ACCOUNT_MAX])
{
	static const char *const heads[] = {"sshd: ", "sshd-session: "};
	struct span rest = {0};
	size_t end = 0;

	account[0] = '\0';
	for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++)
		if (span_starts(args, span_of(heads[i])))
			rest = span_skip(args, strlen(heads[i]));
	while (end < rest.len && rest.ptr[end] != '@' && rest.ptr[end] != ' ' && rest.ptr[end])
		end++;
	/* "sshd: /usr/sbin/sshd -D [listener]", "sshd: [accepted]", "sshd: alice [priv]" */
	if (!end || rest.ptr[0] == '/' || rest.ptr[0] == '[' ||
	    span_has(rest, SPAN_LIT("[listener]")) || span_has(rest, SPAN_LIT("[priv]")) ||
	    span_has(rest, SPAN_LIT("[net]")))
		return false;
	return span_copy(account, ACCOUNT_MAX, span_first(rest, end));
}
