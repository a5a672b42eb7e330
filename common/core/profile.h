/*
 * profile: what an identity usually does, as plain data. Made by core_profile.c; read by the
 * `profiles` command and kept across restarts. Days are days since 1970, UTC.
 */
#ifndef OUTERGATE_PROFILE_H
#define OUTERGATE_PROFILE_H

#include <stdint.h>

#define PROFILE_SIZES 16
#define PROFILE_NAME  72
#define TRAITS_MAX    24
#define TRAIT_VALUE   20
#define WEEK_HOURS    168

/* What an identity was seen to use; NUL-terminated text. */
enum trait_kind {
	TRAIT_NONE,
	TRAIT_COUNTRY, /* "NL" */
	TRAIT_ASN,     /* "64500" */
	TRAIT_NETWORK, /* the /24 or /48 */
	TRAIT_SERVICE,
	TRAIT_METHOD,
	TRAIT_KEY,	   /* the first characters of a fingerprint, or a certificate's key id */
	TRAIT_CLIENT,	   /* what the client calls itself, without its version */
	TRAIT_FINGERPRINT, /* a hash of all that it calls itself, and of its fingerprint */
	TRAIT_KINDS
};

struct trait {
	uint8_t kind;
	uint8_t days; /* distinct, in sessions without a high alert; ends at 255 */
	uint8_t learned;
	uint8_t pad;
	uint16_t first_day, last_day; /* since 1970 */
	uint16_t count;
	char value[TRAIT_VALUE];
};

struct profile {
	uint64_t key;
	uint32_t first_day, last_day;
	uint32_t logins;  /* that taught something */
	uint8_t days;	  /* distinct, in sessions without a high alert */
	uint8_t odd_days; /* of them with a medium one: from the third on it teaches all the same */
	uint16_t odd_day; /* the last of those */
	uint8_t sizes[PROFILE_SIZES];  /* how much its sessions sent */
	uint8_t hours[WEEK_HOURS / 2]; /* two to a byte; Monday 00 is the low half of the first */
	char name[PROFILE_NAME];
	struct trait traits[TRAITS_MAX];
};

const char *trait_kind_name(enum trait_kind k);

#endif
