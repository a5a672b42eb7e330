/* privacy: see privacy.h. Works on copies in fixed arrays; what grows past its array is cut. */
#include "privacy.h"

#include "pseudonym.h"
#include "redact.h"
#include "siphash.h"
#include "writer.h"

uint64_t privacy_hash(struct span s, uint64_t key)
{
	return siphash(s, key, ~key);
}

const char *privacy_name(struct span name, uint64_t key, char buf[PRIVACY_NAME_MAX])
{
	struct writer w;

	writer_start(&w, buf, PRIVACY_NAME_MAX);
	writer_puts(&w, "unknown:");
	writer_hex(&w, privacy_hash(name, key));
	writer_bytes(&w, ":", 1);
	writer_number(&w, name.len);
	writer_finish(&w);
	return buf;
}

static bool is_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

/* Has it been through privacy_name()? */
bool privacy_is_hashed(struct span s)
{
	uint64_t len;

	if (s.len < 26 || !span_starts(s, SPAN_LIT("unknown:")) || s.ptr[24] != ':')
		return false;
	for (unsigned i = 8; i < 24; i++)
		if (!is_hex(s.ptr[i]))
			return false;
	return span_u64(span_skip(s, 25), &len);
}

static bool joins_word(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       c == '.' || c == '-' || c == '_' || (unsigned char)c >= 0x80;
}

/* Does needle stand at i, and, when it is short, alone? */
static bool stands_at(struct span text, size_t i, struct span needle)
{
	struct span here = span_skip(text, i);

	if (!span_starts(here, needle))
		return false;
	if (needle.len > 3)
		return true;
	return (i == 0 || !joins_word(text.ptr[i - 1])) &&
	       (here.len == needle.len || !joins_word(here.ptr[needle.len]));
}

/* What of text belongs to a name that starts it: more than its bytes when the name was cut. */
static size_t name_extent(struct span text, struct span name)
{
	size_t n = name.len;

	while (name.len == ACCOUNT_MAX - 1 && n < text.len && text.ptr[n] != ' ')
		n++;
	return n;
}

/* The first needle at or after from; text.len if there is none. */
static size_t find_from(struct span text, size_t from, struct span needle)
{
	while (from < text.len) {
		const char *p = memchr(text.ptr + from, *needle.ptr, text.len - from);

		if (!p)
			break;
		from = (size_t)(p - text.ptr);
		if (span_starts(span_skip(text, from), needle))
			return from;
		from++;
	}
	return text.len;
}

void privacy_replace(struct writer *w, struct span text, struct span name, const char *with)
{
	if (span_empty(name)) {
		writer_bytes(w, text.ptr, text.len);
		return;
	}
	for (size_t i = 0; i < text.len && !w->overflow;) {
		size_t at = find_from(text, i, name);

		writer_bytes(w, text.ptr + i, at - i);
		i = at;
		if (i < text.len && stands_at(text, i, name)) {
			writer_puts(w, with);
			i += name_extent(span_skip(text, i), name);
		} else if (i < text.len) {
			writer_bytes(w, text.ptr + i++, 1);
		}
	}
}

/* Replaces every name in the C string field of size cap (at most ALERT_SENTENCE_MAX). */
static void replace_all(char *field, size_t cap, struct span name, const char *with)
{
	char old[ALERT_SENTENCE_MAX];
	struct span text = {old, strnlen(field, cap - 1)};
	struct writer w;

	if (span_empty(name) || text.len >= sizeof(old) ||
	    find_from((struct span){field, text.len}, 0, name) == text.len)
		return;
	memcpy(old, field, text.len);
	writer_start(&w, field, cap);
	w.cut = true;
	privacy_replace(&w, text, name, with);
	writer_finish(&w);
}

/* The length of the address (maybe with a port) that starts text, 0 if none does. */
static size_t address_length(struct span text)
{
	struct addr a;
	size_t n = 0;

	while (n < text.len && text.ptr[n] != ' ' && text.ptr[n] != ',' && text.ptr[n] != '\'')
		n++;
	return n > 1 && addr_parse(span_first(text, n), &a, NULL) ? n : 0;
}

/* Does " from ADDR", " ADDR port N" or " [preauth]" start text? */
static bool ends_logged_name(struct span text)
{
	struct span after = span_skip(text, 1);
	size_t n;

	if (text.len == 0 || *text.ptr != ' ')
		return false;
	if (span_starts(after, SPAN_LIT("[preauth]")))
		return true;
	if (span_starts(after, SPAN_LIT("from ")) && address_length(span_skip(after, 5)))
		return true;
	n = address_length(after);
	return n && span_starts(span_skip(after, n), SPAN_LIT(" port "));
}

/*
 * How long is the name that starts text, in a line of sshd? A name that holds " from ADDR" itself
 * shows its rest: it was made to, and is nobody's password. In a sentence the line is quoted.
 */
static size_t logged_name_length(struct span text, bool quoted)
{
	for (size_t i = 0; i < text.len; i++)
		if (ends_logged_name(span_skip(text, i)) || (quoted && text.ptr[i] == '\''))
			return i;
	return text.len;
}

/* Where a name that does not exist here starts in text; false when none does. */
static bool find_logged_name(struct span text, size_t *ret)
{
	static const char *const before[] = {"nvalid", "llegal", "nonexistent", "nknown"};
	static const struct span user = {" user ", 6};

	for (size_t i = 0; (i = find_from(text, i, user)) < text.len; i++) {
		for (unsigned k = 0; k < sizeof(before) / sizeof(before[0]); k++) {
			struct span b = span_of(before[k]);

			if (i < b.len || !span_starts(span_skip(text, i - b.len), b))
				continue;
			*ret = i + user.len;
			return true;
		}
	}
	return false;
}

bool privacy_logged_name(struct span text, bool quoted, struct span *ret)
{
	struct span name;
	size_t at;

	if (!find_logged_name(text, &at))
		return false;
	name = span_skip(text, at);
	name = span_first(name, logged_name_length(name, quoted));
	if (name.len > 2 && *name.ptr == '\'' && name.ptr[name.len - 1] == '\'')
		name = (struct span){name.ptr + 1, name.len - 2};
	if (span_empty(name) || privacy_is_hashed(name))
		return false;
	*ret = name;
	return true;
}

/* "Failed password for invalid user NAME from ADDR ...": any name, not only the alert's. */
static void hide_logged_name(char *field, size_t cap, bool quoted, uint64_t key)
{
	char old[ALERT_SENTENCE_MAX], hidden[PRIVACY_NAME_MAX];
	struct span text = {old, strnlen(field, cap - 1)}, name;
	struct writer w;
	size_t at;

	if (text.len >= sizeof(old))
		return;
	memcpy(old, field, text.len);
	if (!privacy_logged_name(text, quoted, &name))
		return;
	at = (size_t)(name.ptr - old);
	writer_start(&w, field, cap);
	w.cut = true;
	writer_bytes(&w, old, at);
	writer_puts(&w, privacy_name(name, key, hidden));
	writer_bytes(&w, old + at + name.len, text.len - at - name.len);
	writer_finish(&w);
}

/* "... the last for 'NAME', which does not exist": sentences say so of names that are not here. */
static void hide_denied_name(char *field, size_t cap, uint64_t key)
{
	static const char after[] = "', which does not exist";
	char old[ALERT_SENTENCE_MAX], hidden[PRIVACY_NAME_MAX];
	struct span text = {old, strnlen(field, cap - 1)}, name;
	const char *end = strstr(field, after);
	struct writer w;
	size_t start;

	if (!end || text.len >= sizeof(old))
		return;
	memcpy(old, field, text.len);
	start = (size_t)(end - field);
	name.len = start;
	while (start && old[start - 1] != '\'')
		start--;
	name = (struct span){old + start, name.len - start};
	if (start == 0 || privacy_is_hashed(name))
		return;
	writer_start(&w, field, cap);
	w.cut = true;
	writer_bytes(&w, old, start);
	writer_puts(&w, privacy_name(name, key, hidden));
	writer_bytes(&w, name.ptr + name.len, text.len - start - name.len);
	writer_finish(&w);
}

static void hide_everywhere(struct alert *a, struct span name, const char *with)
{
	replace_all(a->sentence, sizeof(a->sentence), name, with);
	replace_all(a->numbers, sizeof(a->numbers), name, with);
	for (uint32_t i = 0; i < a->evidence_count && i < ALERT_EVIDENCE; i++)
		replace_all(a->evidence[i].text, sizeof(a->evidence[i].text), name, with);
}

/* The name as sentences hold it: printable ASCII, the rest '?', and the quote too when quoted. */
static struct span printable(struct span name, char quote, char buf[ACCOUNT_MAX])
{
	for (size_t i = 0; i < name.len; i++) {
		char c = name.ptr[i];

		buf[i] = c < 0x20 || c > 0x7e || (quote && c == quote) ? '?' : c;
	}
	return (struct span){buf, name.len};
}

/* Where a quoted name of which only the beginning was kept ("'begin...'") ends; 0 if none. */
static size_t quoted_beginning(struct span text, struct span name)
{
	size_t n = 1;

	if (text.len < 2 || *text.ptr != '\'')
		return 0;
	while (n < text.len && n <= name.len && text.ptr[n] == name.ptr[n - 1])
		n++;
	return n > 1 && span_starts(span_skip(text, n), SPAN_LIT("...'")) ? n + 3 : 0;
}

/* The same as replace_all() for names of which only the beginning was kept. */
static void replace_beginnings(char *field, size_t cap, struct span name, const char *with)
{
	char old[ALERT_SENTENCE_MAX];
	struct span text = {old, strnlen(field, cap - 1)};
	struct writer w;

	if (text.len >= sizeof(old) || !strstr(field, "...'"))
		return;
	memcpy(old, field, text.len);
	writer_start(&w, field, cap);
	w.cut = true;
	for (size_t i = 0; i < text.len;) {
		size_t n = quoted_beginning(span_skip(text, i), name);

		writer_bytes(&w, old + i, 1);
		if (n)
			writer_puts(&w, with);
		i += n ? n : 1;
	}
	writer_finish(&w);
}

static void hide_beginnings(struct alert *a, struct span name, const char *with)
{
	replace_beginnings(a->sentence, sizeof(a->sentence), name, with);
	for (uint32_t i = 0; i < a->evidence_count && i < ALERT_EVIDENCE; i++)
		replace_beginnings(a->evidence[i].text, sizeof(a->evidence[i].text), name, with);
}

static void hide_account(struct alert *a, uint64_t key)
{
	char copy[ACCOUNT_MAX], shown[ACCOUNT_MAX], hidden[PRIVACY_NAME_MAX];
	struct span name = {copy, strnlen(a->account, sizeof(a->account) - 1)};
	struct addr address;

	memcpy(copy, a->account, name.len);
	if (!a->account_unknown || span_empty(name) || privacy_is_hashed(name))
		return;
	privacy_name(name, key, hidden);
	span_copy(a->account, sizeof(a->account), span_of(hidden));
	if (addr_parse(name, &address, NULL))
		return;
	hide_everywhere(a, name, hidden);
	if (!span_eq(printable(name, '\0', shown), name))
		hide_everywhere(a, printable(name, '\0', shown), hidden);
	if (!span_eq(printable(name, '\'', shown), name))
		hide_everywhere(a, printable(name, '\'', shown), hidden);
	hide_beginnings(a, printable(name, '\'', shown), hidden);
}

/* A command line in a field of size cap, as the policy wants it. */
static void apply_command_policy(char *field, size_t cap, int policy)
{
	char old[ALERT_SENTENCE_MAX];
	struct span text = {old, strnlen(field, cap - 1)};
	char *end;

	if (policy == COMMANDS_FULL || text.len >= sizeof(old))
		return;
	memcpy(old, field, text.len);
	if (policy == COMMANDS_REDACTED) {
		redact_command(text, field, cap);
		return;
	}
	/* "exec by /bin/sh: sh -c ..." in evidence, "sh -c ..." in a session */
	end = strstr(field, ": ");
	if (!end)
		end = strchr(field, ' ');
	if (end)
		*end = '\0';
}

static bool is_command(enum event_kind k)
{
	return k == EVENT_EXEC || k == EVENT_SNAPSHOT || k == EVENT_LOOPBACK ||
	       k == EVENT_SERVER_SHELL || k == EVENT_HANDOFF;
}

/* The command lines that the sentence quotes are those of the evidence. */
static void hide_commands(struct alert *a, int policy)
{
	char *end;

	if (policy == COMMANDS_FULL)
		return;
	for (uint32_t i = 0; i < a->evidence_count && i < ALERT_EVIDENCE; i++) {
		struct alert_evidence *e = &a->evidence[i];
		char before[ALERT_EVIDENCE_MAX];

		if (!is_command(e->kind))
			continue;
		span_copy(before, sizeof(before), span_of_array(e->text, sizeof(e->text)));
		apply_command_policy(e->text, sizeof(e->text), policy);
		if (strcmp(before, e->text) != 0)
			replace_all(a->sentence, sizeof(a->sentence), span_of(before), e->text);
	}
	end = policy == COMMANDS_NONE ? strstr(a->sentence, PRIVACY_COMMAND_MARK) : NULL;
	if (end)
		*end = '\0';
	/* And what it quotes of others, cut at another place. */
	apply_command_policy(a->sentence, sizeof(a->sentence), COMMANDS_REDACTED);
}

static void hide_names(struct alert *a, uint64_t key)
{
	hide_account(a, key);
	hide_logged_name(a->sentence, sizeof(a->sentence), true, key);
	hide_denied_name(a->sentence, sizeof(a->sentence), key);
	for (uint32_t i = 0; i < a->evidence_count && i < ALERT_EVIDENCE; i++)
		hide_logged_name(a->evidence[i].text, ALERT_EVIDENCE_MAX, false, key);
}

void privacy_alert(const struct alert *a, const struct out_policy *p, struct alert *ret)
{
	*ret = *a;
	hide_commands(ret, p->command_lines);
	if (!p->keep_unknown_accounts)
		hide_names(ret, p->privacy_key);
	if (p->pseudonymise)
		pseudonym_alert(ret, p->privacy_key);
}

void privacy_session(const struct session *s, const struct out_policy *p, struct session *ret)
{
	*ret = *s;
	if (p->pseudonymise)
		pseudonym_session(ret, p->privacy_key);
	for (uint32_t i = 0; i < ret->commands_kept && i < SESSION_CMDS; i++)
		apply_command_policy(ret->commands[i].text, sizeof(ret->commands[i].text),
				     p->command_lines);
}
