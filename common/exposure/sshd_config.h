/* sshd_config: which logins an sshd allows, of its settings and its command line. */
#ifndef OUTERGATE_EXPOSURE_SSHD_CONFIG_H
#define OUTERGATE_EXPOSURE_SSHD_CONFIG_H

#include "exposure.h"

enum sshd_word {
	SSHD_PASSWORD,
	SSHD_KBDINT,
	SSHD_EMPTY,
	SSHD_ROOT,
	SSHD_PAM,
	SSHD_KEY,
	SSHD_WORDS
};

enum sshd_value {
	SSHD_UNSET,
	SSHD_NO,
	SSHD_YES,
	SSHD_BY_KEY, /* PermitRootLogin prohibit-password, forced-commands-only */
};

struct sshd_settings {
	uint8_t value[SSHD_WORDS]; /* enum sshd_value: the first that was set counts */
	uint8_t some[SSHD_WORDS];  /* what a Match block says for some; the most that one allows */
	bool needs_key;		   /* AuthenticationMethods: no way without a key */
	bool methods_set;
	bool has_match;	   /* a block that changes one of these */
	bool unread;	   /* a file of it could not be read */
	unsigned confused; /* values of these that are none */
	/* of the reading */
	bool in_match;
	unsigned depth, files;
	bool stopped; /* a file does not answer, or there are too many */
};

/* All of a file, Include directives by way of r. Text may be anything. */
void sshd_settings_read(struct sshd_settings *s, struct span text, const struct exposure_reader *r);
/* One directive of "-o". */
void sshd_settings_option(struct sshd_settings *s, struct span line);
/* The words of a title ("sshd: /usr/sbin/sshd -D -f F [listener] ...") or of a command line. */
void exposure_sshd(struct exposure *x, struct span args, const struct exposure_reader *r);
/*
 * The account of "sshd: alice@pts/0", "sshd-session: alice"; false: it serves no account (it
 * listens, or somebody is about to log in).
 */
bool sshd_title_account(struct span args, char account[ACCOUNT_MAX]);

#endif
