/* json_words: see json_words.h. */
#include "json_words.h"

#include "scan.h"

/* A word begins behind a quote; so does no other text of most records. */
static const struct row {
	struct span word;
	enum json_word is;
} rows[] = {
	{SPAN_LIT("ActionType\""), WORD_ACTION},
	{SPAN_LIT("BastionAuditLogs\""), WORD_BASTION},
	{SPAN_LIT("LogonType\""), WORD_MDE},
	{SPAN_LIT("MESSAGE\""), WORD_JOURNAL},
	{SPAN_LIT("__REALTIME_TIMESTAMP\""), WORD_JOURNAL},
	{SPAN_LIT("actionType\""), WORD_ACTION},
	{SPAN_LIT("audit.k8s.io"), WORD_K8S_AUDIT},
	{SPAN_LIT("connection-log-type\""), WORD_AWS_VPN},
	{SPAN_LIT("event\""), WORD_EVENT},
	{SPAN_LIT("eventMessage\""), WORD_MAC},
	{SPAN_LIT("eventSource\""), WORD_CLOUDTRAIL},
	{SPAN_LIT("eventType\""), WORD_OKTA},
	{SPAN_LIT("event_type\""), WORD_SURICATA},
	{SPAN_LIT("id.orig_h\""), WORD_ZEEK},
	{SPAN_LIT("isotimestamp\""), WORD_DUO},
	{SPAN_LIT("protoPayload\""), WORD_GCP},
	{SPAN_LIT("published\""), WORD_PUBLISHED},
	{SPAN_LIT("uid\""), WORD_TELEPORT},
	{SPAN_LIT("yandex.cloud.audit."), WORD_YANDEX},
};

/* Where in the rows the words with that first letter begin, from 1 on. */
static const unsigned char first_row[256] = {
	['A'] = 1, ['B'] = 2, ['L'] = 3,  ['M'] = 4,  ['_'] = 5,  ['a'] = 6,
	['c'] = 8, ['e'] = 9, ['i'] = 14, ['p'] = 16, ['u'] = 18, ['y'] = 19,
};

static uint32_t words_at(struct span s, unsigned row)
{
	uint32_t words = 0;

	for (; row <= sizeof(rows) / sizeof(rows[0]); row++) {
		if (rows[row - 1].word.ptr[0] != s.ptr[0])
			break;
		if (span_starts(s, rows[row - 1].word))
			words |= UINT32_C(1) << rows[row - 1].is;
	}
	return words;
}

/* Entra's has several beginnings. */
static bool ends_entra(const char *begin, const char *quote)
{
	static const struct span word = SPAN_LIT("serPrincipalName");

	return quote - begin >= (ptrdiff_t)word.len &&
	       memcmp(quote - word.len, word.ptr, word.len) == 0;
}

/* Most quotes close a text, or open one that begins with another letter. */
static inline uint32_t words_around(struct span line, const char *quote)
{
	const char *next = quote + 1, *end = line.ptr + line.len;
	unsigned row = next < end ? first_row[(unsigned char)*next] : 0;
	uint32_t words = row ? words_at((struct span){next, (size_t)(end - next)}, row) : 0;

	if (quote > line.ptr && quote[-1] == 'e' && ends_entra(line.ptr, quote))
		words |= UINT32_C(1) << WORD_ENTRA;
	return words;
}

uint32_t json_words(struct span line)
{
	const char *p = line.ptr, *end = p + line.len;
	uint32_t words = 0;

	for (; end - p >= SCAN_BLOCK; p += SCAN_BLOCK)
		for (uint32_t quotes = scan_block(p, '"'); quotes; quotes &= quotes - 1)
			words |= words_around(line, p + __builtin_ctz(quotes));
	for (; p < end; p++)
		if (*p == '"')
			words |= words_around(line, p);
	return words;
}
