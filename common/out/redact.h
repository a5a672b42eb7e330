/*
 * redact: secrets in a command line become "***"; the rest stays, so that a person can still read
 * what was done. Over-redacts rather than under-redacts.
 *
 *   mysql -u root -phunter2 db        -> mysql -u root -p*** db
 *   curl -H Authorization: Bearer abc -> curl -H Authorization: Bearer ***
 *   git clone https://u:pw@host/x     -> git clone https://u:***@host/x
 *
 * It sees: flags and variables named like secrets (--password=x, --token x,
 * AWS_SECRET_ACCESS_KEY=x), password flags of known programs, user:password@ in URLs, HTTP
 * credentials, JSON and query parameters, and well-known token shapes (AKIA..., ghp_..., eyJ...).
 * It cannot see: a secret given as a plain argument of an unknown program, nor the second word of
 * one that holds a space (the words of a command line are joined by spaces).
 */
#ifndef OUTERGATE_REDACT_H
#define OUTERGATE_REDACT_H

#include "../span.h"

/* Copies what fits into buf (cap > 0, always terminated); returns the length. */
size_t redact_command(struct span command, char *buf, size_t cap);

#endif
