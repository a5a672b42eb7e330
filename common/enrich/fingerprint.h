/*
 * fingerprint: what a client is, by the first bytes that it sends before any secret: the algorithms
 * that an SSH client offers (HASSH), the ClientHello of a TLS client (JA4). The client chooses
 * them: they tell programs apart, never people.
 *
 * Sources: HASSH, https://github.com/salesforce/hassh (method "hassh": MD5 of kex;encryption;mac;
 * compression, client to server); JA4, https://github.com/FoxIO-LLC/ja4 technical_details/JA4.md.
 *
 * Pure. Texts are written with their end; parts of the input are borrowed.
 */
#ifndef OUTERGATE_FINGERPRINT_H
#define OUTERGATE_FINGERPRINT_H

#include "../span.h"

#define CLIENT_PRINT_MAX 48 /* "hassh:" + 32, "ja4:" + 36 */

enum fingerprint_result {
	FINGERPRINT_MORE, /* nothing wrong so far, its end is missing */
	FINGERPRINT_NONE, /* not of that protocol, or malformed */
	FINGERPRINT_DONE
};

/*
 * An SSH client's identification line and its KEXINIT (RFC 4253, 4.2 and 7.1). *ret_banner is set
 * as soon as the line is whole, without its end.
 */
enum fingerprint_result fingerprint_ssh(struct span bytes, struct span *ret_banner,
					char ret[CLIENT_PRINT_MAX]);

/* A TLS ClientHello in one or more records (RFC 8446, 4.1.2 and 5.1). */
enum fingerprint_result fingerprint_tls(struct span bytes, char ret[CLIENT_PRINT_MAX]);

#endif
