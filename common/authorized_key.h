/* authorized_key: one line of authorized_keys, and what the key in it is called. */
#ifndef OUTERGATE_AUTHORIZED_KEY_H
#define OUTERGATE_AUTHORIZED_KEY_H

#include "span.h"

/* "ED25519 SHA256:" and 43 characters; the longest type is ED25519-SK-CERT. */
#define AUTHORIZED_KEY_MAX 80

/* "ED25519 SHA256:..." as sshd logs it. False: a comment, nothing, or no key that we know. */
bool authorized_key_name(struct span line, char ret[AUTHORIZED_KEY_MAX]);

/* Without padding, terminated: four characters for three bytes, and what is left. Its length. */
size_t base64_write(const uint8_t *bytes, size_t len, char *ret);

#endif
