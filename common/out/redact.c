/* redact: see redact.h. One pass over the words; one scan inside each word. No allocation. */
#include "redact.h"

#include "writer.h"

#define STARS "***"

/* What the next word is. */
enum expect {
	EXPECT_NOTHING,
	EXPECT_VALUE,	   /* a secret, unless it looks like the next flag */
	EXPECT_SECRET,	   /* a secret, whatever it looks like */
	EXPECT_CREDENTIAL, /* "Bearer", "Basic", ... and then a secret; or a secret */
	EXPECT_PAIR,	   /* user:secret or user%secret; a bare user is none */
};

/* Password flags that only mean it in these programs. */
struct program_flag {
	const char *program, *flag;
	bool attached; /* -pSECRET in one word */
	enum expect next;
};

static const struct program_flag program_flags[] = {
	{"mysql", "-p", true, EXPECT_NOTHING},	       {"mysqldump", "-p", true, EXPECT_NOTHING},
	{"mysqladmin", "-p", true, EXPECT_NOTHING},    {"mysqlimport", "-p", true, EXPECT_NOTHING},
	{"mysqlshow", "-p", true, EXPECT_NOTHING},     {"mysqlpump", "-p", true, EXPECT_NOTHING},
	{"mariadb", "-p", true, EXPECT_NOTHING},       {"mariadb-dump", "-p", true, EXPECT_NOTHING},
	{"mariadb-admin", "-p", true, EXPECT_NOTHING}, {"sshpass", "-p", true, EXPECT_SECRET},
	{"mongo", "-p", true, EXPECT_VALUE},	       {"mongosh", "-p", true, EXPECT_VALUE},
	{"mongodump", "-p", true, EXPECT_VALUE},       {"redis-cli", "-a", true, EXPECT_SECRET},
	{"ldapsearch", "-w", true, EXPECT_SECRET},     {"ldapmodify", "-w", true, EXPECT_SECRET},
	{"ldapadd", "-w", true, EXPECT_SECRET},	       {"ldapwhoami", "-w", true, EXPECT_SECRET},
	{"rdesktop", "-p", true, EXPECT_SECRET},       {"useradd", "-p", true, EXPECT_SECRET},
	{"usermod", "-p", true, EXPECT_SECRET},	       {"zip", "-P", true, EXPECT_SECRET},
	{"unzip", "-P", true, EXPECT_SECRET},	       {"7z", "-p", true, EXPECT_NOTHING},
	{"7za", "-p", true, EXPECT_NOTHING},	       {"ipmitool", "-P", true, EXPECT_SECRET},
	{"sqlcmd", "-P", true, EXPECT_SECRET},	       {"xfreerdp", "/p:", true, EXPECT_NOTHING},
	{"evil-winrm", "-p", true, EXPECT_SECRET},     {"curl", "-u", true, EXPECT_PAIR},
	{"curl", "--user", false, EXPECT_PAIR},	       {"curl", "-U", true, EXPECT_PAIR},
	{"curl", "--proxy-user", false, EXPECT_PAIR},  {"smbclient", "-U", true, EXPECT_PAIR},
	{"rpcclient", "-U", true, EXPECT_PAIR},	       {"net", "-U", true, EXPECT_PAIR},
};
#define PROGRAM_FLAGS (sizeof(program_flags) / sizeof(program_flags[0]))

/* A name is a secret's when, without - _ and ., it ends with one of these. */
static const char *const secret_endings[] = {
	"password",   "passwd",	     "passphrase", "passwort",	 "pass",	  "pwd",
	"secret",     "secrets",     "token",	   "apikey",	 "accesskey",	  "secretkey",
	"privatekey", "authkey",     "cookie",	   "signingkey", "encryptionkey", "sharedkey",
	"credential", "credentials", "psk",
};
/* "Name: Scheme secret" */
static const char *const credential_endings[] = {"authorization"};
/* PWD and OLDPWD are directories that every shell exports. */
static const char *const not_secrets[] = {"pwd", "oldpwd"};
static const char *const schemes[] = {"bearer", "basic", "token", "digest", "negotiate", "ntlm"};

/* Tokens that are known by their shape, wherever they stand. */
static const struct {
	const char *prefix;
	unsigned least; /* characters that must follow */
} shapes[] = {
	{"AKIA", 16},	     {"ASIA", 16},   {"ghp_", 20},  {"gho_", 20},  {"ghs_", 20},
	{"github_pat_", 20}, {"glpat-", 16}, {"xoxb-", 10}, {"xoxp-", 10}, {"sk_live_", 10},
	{"hvs.", 20},	     {"eyJ", 20},    {"AIza", 30},  {"npm_", 30},
};

struct scan {
	struct writer out;
	enum expect expect;
	unsigned program; /* index + 1 of the first row of the program that runs; 0 = none known */
};

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

static bool is_alnum(char c)
{
	c = lower(c);
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool is_name(char c)
{
	return is_alnum(c) || c == '-' || c == '_' || c == '.';
}

static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Lower case letters and digits of name's end; at most 31 of them. */
static struct span plain_name(struct span name, char buf[32])
{
	size_t at = 31;

	for (size_t i = name.len; i-- && at;)
		if (is_alnum(name.ptr[i]))
			buf[--at] = lower(name.ptr[i]);
	return (struct span){buf + at, 31 - at};
}

static bool ends_with_any(struct span s, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct span e = span_of(list[i]);

		if (s.len >= e.len && span_eq(span_skip(s, s.len - e.len), e))
			return true;
	}
	return false;
}

static bool is_any(struct span s, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (span_is(s, list[i]))
			return true;
	return false;
}

#define LIST(a) a, sizeof(a) / sizeof(a[0])

static enum expect name_expects(struct span name)
{
	char buf[32];
	struct span plain = plain_name(name, buf);

	if (is_any(plain, LIST(not_secrets)))
		return name.len && *name.ptr == '-' ? EXPECT_VALUE : EXPECT_NOTHING;
	if (ends_with_any(plain, LIST(credential_endings)))
		return EXPECT_CREDENTIAL;
	return ends_with_any(plain, LIST(secret_endings)) ? EXPECT_VALUE : EXPECT_NOTHING;
}

static void put(struct scan *s, struct span text)
{
	writer_bytes(&s->out, text.ptr, text.len);
}

/* Length of a token of a known shape at the start of text, 0 if none. */
static size_t shape_length(struct span text)
{
	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
		size_t p = strlen(shapes[i].prefix), n = p;

		if (!span_starts(text, span_of(shapes[i].prefix)))
			continue;
		while (n < text.len && is_name(text.ptr[n]))
			n++;
		if (n - p >= shapes[i].least)
			return n;
	}
	return 0;
}

/* "user:secret@" after "://": the length up to the '@', and where the ':' is. */
static bool url_secret(struct span text, size_t *ret_colon, size_t *ret_at)
{
	size_t colon = text.len, at = text.len, end = 0;

	while (end < text.len && text.ptr[end] != '/' && text.ptr[end] != '?')
		end++;
	for (size_t i = 0; i < end; i++) {
		if (text.ptr[i] == ':' && colon == text.len)
			colon = i;
		if (text.ptr[i] == '@')
			at = i;
	}
	if (at == text.len || colon > at)
		return false;
	*ret_colon = colon;
	*ret_at = at;
	return true;
}

static size_t value_length(struct span text)
{
	char quote = text.len && (*text.ptr == '"' || *text.ptr == '\'') ? *text.ptr : '\0';
	size_t n = quote ? 1 : 0;

	while (n < text.len && (quote ? text.ptr[n] != quote : !strchr("&;,\"'})", text.ptr[n])))
		n++;
	return quote && n < text.len ? n + 1 : n;
}

/* After "name=" or "name:" at text: writes stars over the value; its length. */
static size_t put_value(struct scan *s, struct span text, enum expect kind)
{
	size_t n = value_length(text);

	if (n == 0) {
		s->expect = text.len ? EXPECT_NOTHING : kind;
		return 0;
	}
	if (kind == EXPECT_CREDENTIAL) {
		char buf[32];

		if (is_any(plain_name(span_first(text, n), buf), LIST(schemes))) {
			put(s, span_first(text, n));
			s->expect = EXPECT_SECRET;
			return n;
		}
	}
	writer_puts(&s->out, STARS);
	return n;
}

/* The name that ends at i, closing quote left out. */
static struct span name_before(struct span word, size_t i)
{
	size_t end = i, start;

	if (end && (word.ptr[end - 1] == '"' || word.ptr[end - 1] == '\''))
		end--;
	start = end;
	while (start && is_name(word.ptr[start - 1]))
		start--;
	return (struct span){word.ptr + start, end - start};
}

/* One step inside a word, at i; returns how many bytes were dealt with. */
static size_t scan_at(struct scan *s, struct span word, size_t i)
{
	struct span here = span_skip(word, i);
	size_t n, colon, at;

	if ((i == 0 || !is_alnum(word.ptr[i - 1])) && (n = shape_length(here))) {
		put(s, span_first(here, 4));
		writer_puts(&s->out, STARS);
		return n;
	}
	if (span_starts(here, SPAN_LIT("://")) && url_secret(span_skip(here, 3), &colon, &at)) {
		put(s, span_first(here, 3 + colon + 1));
		writer_puts(&s->out, STARS);
		return 3 + at;
	}
	put(s, span_first(here, 1));
	if (*here.ptr == '=' || *here.ptr == ':') {
		struct span name = name_before(word, i);
		enum expect kind = name_expects(name);

		/* "X-Api-Key: v" is a header; "a password: 3 failures" is prose. */
		if (kind == EXPECT_VALUE && i + 1 == word.len && *here.ptr == ':' &&
		    !memchr(name.ptr, '-', name.len))
			kind = EXPECT_NOTHING;
		if (kind != EXPECT_NOTHING)
			return 1 + put_value(s, span_skip(here, 1), kind);
	}
	return 1;
}

static struct span unquoted(struct span word)
{
	while (word.len && strchr("'\"(`$", *word.ptr) && *word.ptr)
		word = span_skip(word, 1);
	return word;
}

/* The rows of the program that word names, as the base name of a path. */
static unsigned program_of(struct span word)
{
	word = unquoted(word);
	for (size_t i = word.len; i--;) {
		if (word.ptr[i] == '/') {
			word = span_skip(word, i + 1);
			break;
		}
	}
	for (unsigned i = 0; i < PROGRAM_FLAGS; i++)
		if (span_is(word, program_flags[i].program))
			return i + 1;
	return 0;
}

/* user:secret or user%secret: the user stays. */
static void put_pair(struct scan *s, struct span word)
{
	for (size_t i = 0; i < word.len; i++) {
		if (word.ptr[i] != ':' && word.ptr[i] != '%')
			continue;
		put(s, span_first(word, i + 1));
		writer_puts(&s->out, STARS);
		return;
	}
	put(s, word);
}

/* A password flag of the program that runs: true when the word was written. */
static bool put_program_flag(struct scan *s, struct span word)
{
	const char *program = s->program ? program_flags[s->program - 1].program : NULL;

	for (unsigned i = 0; program && i < PROGRAM_FLAGS; i++) {
		const struct program_flag *f = &program_flags[i];
		struct span flag = span_of(f->flag);

		if (strcmp(f->program, program) != 0 || !span_starts(word, flag))
			continue;
		if (word.len != flag.len && !f->attached)
			continue;
		s->program = 0; /* given once; "sshpass -p x ssh -p 22" runs another program */
		if (word.len == flag.len) {
			put(s, word);
			s->expect = f->next;
			return true;
		}
		put(s, flag);
		if (f->next == EXPECT_PAIR)
			put_pair(s, span_skip(word, flag.len));
		else
			writer_puts(&s->out, STARS);
		return true;
	}
	return false;
}

/* The word that a flag or a header announced: true when it was written. */
static bool put_expected(struct scan *s, struct span word)
{
	enum expect e = s->expect;
	char buf[32];

	s->expect = EXPECT_NOTHING;
	if (e == EXPECT_NOTHING || (e == EXPECT_VALUE && *word.ptr == '-'))
		return false;
	if (e == EXPECT_PAIR) {
		put_pair(s, word);
		return true;
	}
	if (e == EXPECT_CREDENTIAL && is_any(plain_name(word, buf), LIST(schemes))) {
		put(s, word);
		s->expect = EXPECT_SECRET;
		return true;
	}
	writer_puts(&s->out, STARS);
	return true;
}

static void put_word(struct scan *s, struct span word)
{
	unsigned program;

	if (put_expected(s, word) || put_program_flag(s, word))
		return;
	program = program_of(word);
	if (program || strchr(";|&", word.ptr[word.len - 1]))
		s->program = program;
	for (size_t i = 0; i < word.len;)
		i += scan_at(s, word, i);
	if (s->expect == EXPECT_NOTHING && *word.ptr == '-' && !memchr(word.ptr, '=', word.len))
		s->expect = name_expects(word);
}

size_t redact_command(struct span command, char *buf, size_t cap)
{
	struct scan s = {.expect = EXPECT_NOTHING};
	size_t i = 0;

	writer_start(&s.out, buf, cap);
	s.out.cut = true;
	while (i < command.len && !s.out.overflow) {
		size_t start = i;

		while (i < command.len && is_space(command.ptr[i]))
			i++;
		put(&s, (struct span){command.ptr + start, i - start});
		start = i;
		while (i < command.len && !is_space(command.ptr[i]))
			i++;
		if (i > start)
			put_word(&s, (struct span){command.ptr + start, i - start});
	}
	writer_finish(&s.out);
	return s.out.len;
}
