/*
 * json_words: which of the words that tell sources apart a JSON record has anywhere, in one pass
 * over its quotes. Internal to decode/.
 *
 * Says only whose the record may be: the word may be in a value. Whose it is its members say.
 */
#ifndef OUTERGATE_DECODE_JSON_WORDS_H
#define OUTERGATE_DECODE_JSON_WORDS_H

#include "../span.h"

enum json_word {
	WORD_K8S_AUDIT,
	WORD_JOURNAL,
	WORD_MAC,
	WORD_ENTRA,
	WORD_MDE,
	WORD_OKTA,
	WORD_DUO,
	WORD_CLOUDTRAIL,
	WORD_AWS_VPN,
	WORD_BASTION,
	WORD_GCP,
	WORD_YANDEX,
	WORD_ZEEK,
	WORD_TELEPORT,
	WORD_SURICATA,
	/* Which others have as well, and a source's records beside its own word. */
	WORD_ACTION,
	WORD_PUBLISHED,
	WORD_EVENT,
};
#define JSON_WORD(word) (UINT32_C(1) << (word))

/* One bit a word. */
uint32_t json_words(struct span line);

static inline bool json_has_word(uint32_t words, enum json_word word)
{
	return words >> word & 1;
}

#endif
