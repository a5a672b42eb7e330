/*
 * authorized_key: finds the key in a line of authorized_keys (options may stand before it, with
 * blanks in quotes) and makes its fingerprint, which is the SHA-256 of the decoded key in base64.
 * The line is chosen by whoever writes the file: any length, any bytes.
 *
 * Example: from="10.0.0.0/8" ssh-ed25519 AAAA... me@home  ->  ED25519 SHA256:...
 */
#include "authorized_key.h"

#include <stdio.h>
#include <string.h>

#include "sha256.h"

static const struct {
	const char *word, *name;
} types[] = {
	{"ssh-ed25519", "ED25519"},
	{"ssh-rsa", "RSA"},
	{"ssh-dss", "DSA"},
	{"ecdsa-sha2-nistp256", "ECDSA"},
	{"ecdsa-sha2-nistp384", "ECDSA"},
	{"ecdsa-sha2-nistp521", "ECDSA"},
	{"sk-ssh-ed25519@openssh.com", "ED25519-SK"},
	{"sk-ecdsa-sha2-nistp256@openssh.com", "ECDSA-SK"},
};

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* Takes the next word off *line; blanks in double quotes belong to it, as in sshd(8). */
static struct span word_take(struct span *line)
{
	bool quoted = false;
	size_t from = 0, to;

	while (from < line->len && is_blank(line->ptr[from]))
		from++;
	for (to = from; to < line->len && (quoted || !is_blank(line->ptr[to])); to++) {
		if (line->ptr[to] == '\\' && to + 1 < line->len && line->ptr[to + 1] == '"')
			to++;
		else if (line->ptr[to] == '"')
			quoted = !quoted;
	}
	if (to > line->len)
		to = line->len;
	struct span word = {line->ptr + from, to - from};

	*line = (struct span){line->ptr + to, line->len - to};
	return word;
}

static const char *type_of(struct span word)
{
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (word.len == strlen(types[i].word) &&
		    memcmp(word.ptr, types[i].word, word.len) == 0)
			return types[i].name;
	return NULL;
}

/* False when it is no base64 of at least a few bytes. */
static bool digest_of(struct span base64, uint8_t ret[SHA256_SIZE])
{
	uint32_t bits = 0;
	unsigned have = 0;
	struct sha256 s;
	size_t len = 0;

	sha256_start(&s);
	for (size_t i = 0; i < base64.len && base64.ptr[i] != '='; i++) {
		const char *at = base64.ptr[i] ? strchr(alphabet, base64.ptr[i]) : NULL;
		uint8_t byte;

		if (!at)
			return false;
		bits = bits << 6 | (uint32_t)(at - alphabet);
		have += 6;
		if (have < 8)
			continue;
		have -= 8;
		byte = (uint8_t)(bits >> have);
		sha256_add(&s, &byte, 1);
		len++;
	}
	if (len < 16)
		return false;
	sha256_end(&s, ret);
	return true;
}

size_t base64_write(const uint8_t *bytes, size_t len, char *ret)
{
	uint32_t bits = 0;
	unsigned have = 0;
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		bits = bits << 8 | bytes[i];
		for (have += 8; have >= 6; have -= 6)
			ret[n++] = alphabet[bits >> (have - 6) & 63];
	}
	if (have)
		ret[n++] = alphabet[bits << (6 - have) & 63];
	ret[n] = '\0';
	return n;
}

static void name_write(const char *type, const uint8_t digest[SHA256_SIZE], char *ret)
{
	int n = snprintf(ret, AUTHORIZED_KEY_MAX, "%s SHA256:", type);

	base64_write(digest, SHA256_SIZE, ret + n);
}

bool authorized_key_name(struct span line, char ret[AUTHORIZED_KEY_MAX])
{
	uint8_t digest[SHA256_SIZE];

	for (unsigned words = 0; words < 2; words++) { /* options, if any, are one word */
		struct span word = word_take(&line);
		const char *type = type_of(word);

		if (!word.len || word.ptr[0] == '#')
			return false;
		if (!type)
			continue;
		if (!digest_of(word_take(&line), digest))
			return false;
		name_write(type, digest, ret);
		return true;
	}
	return false;
}
