/* tls: what a destination or a listener has in files, put into an OpenSSL context. */
#ifndef OUTERGATE_FORWARD_TLS_H
#define OUTERGATE_FORWARD_TLS_H

#include <openssl/ssl.h>

#include "forward.h"

#if OPENSSL_VERSION_NUMBER < 0x30000000L /* Debian 11 */
#define SSL_get1_peer_certificate SSL_get_peer_certificate
#endif

/* False and f->why. Authorities: the system's where `ca` is not set. Not set: nothing is done. */
bool tls_use_ca(struct forwarder *f, SSL_CTX *c);
bool tls_use_cert(struct forwarder *f, SSL_CTX *c);
bool tls_use_key(struct forwarder *f, SSL_CTX *c);

#endif
