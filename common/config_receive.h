/*
 * config_receive: where lines of other hosts and programs are taken, one row a place. Plain data:
 * the agent hands the rows to the process that listens (forward/receive.c), byte for byte.
 *
 *   Receivers:
 *     - {listen: "udp://127.0.0.1:5514"}
 *     - {listen: "tls://0.0.0.0:6514", cert: /etc/outergate/relay.pem, key:
 * /etc/outergate/relay.key, from: [10.0.0.0/8]}
 *     - {listen: "unix:/run/outergate/lines.sock"}
 *     - {listen: "pipe:/run/outergate/lines"}
 *
 * What listens on more than loopback says whose lines it takes: by address (from), or by
 * certificate (ca).
 */
#ifndef OUTERGATE_CONFIG_RECEIVE_H
#define OUTERGATE_CONFIG_RECEIVE_H

#include "addr.h"
#include "config_forward.h"

#define RECEIVERS_MAX	  8
#define RECEIVE_FROM_MAX  16
#define RECEIVE_PATH_MAX  100 /* a socket's name has 108 bytes */
#define RECEIVE_SHOWN_MAX 112

enum receive_kind {
	RECEIVE_UDP,
	RECEIVE_TCP,
	RECEIVE_TLS,
	RECEIVE_UNIX, /* a stream */
	RECEIVE_PIPE,
};

struct config_receiver {
	char listen[RECEIVE_SHOWN_MAX];		     /* as written */
	uint32_t kind;				     /* enum receive_kind */
	struct endpoint at;			     /* udp, tcp, tls */
	char path[RECEIVE_PATH_MAX];		     /* unix, pipe */
	char files[FORWARD_FILES][FORWARD_FILE_MAX]; /* ca, cert, key: the parent opens them */
	char source[32];			     /* the only decoder that is asked; "": any */
	struct cidr from[RECEIVE_FROM_MAX];
	uint32_t from_count; /* 0: from everywhere */
};

/* Lines of that peer are taken. */
static inline bool receive_allows(const struct config_receiver *r, const struct addr *peer)
{
	for (uint32_t i = 0; i < r->from_count; i++)
		if (cidr_has(&r->from[i], peer))
			return true;
	return !r->from_count;
}

#endif
