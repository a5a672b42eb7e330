/*
 * rfb: how somebody was let in over VNC, by the first bytes of both sides (RFC 6143 section 7).
 *
 * Pure, and reads no further than what it is handed. What comes from either side may be anything.
 */
#ifndef OUTERGATE_RFB_H
#define OUTERGATE_RFB_H

#include "../span.h"

#include <stdbool.h>

enum rfb_verdict {
	RFB_MORE,	/* nothing is settled yet */
	RFB_OVER,	/* it is, or was never VNC; nothing can be said of it */
	RFB_PASSWORD,	/* the password was right */
	RFB_FAILED,	/* or not */
	RFB_WITHOUT_ANY /* nobody was asked, and the screen was handed over */
};

#define RFB_SERVER_MAX 128 /* of the server's bytes so many are needed at most */

/* May these first bytes, one at least, become a protocol version? */
bool rfb_may_be(struct span first);
enum rfb_verdict rfb_read(struct span server, struct span client);

#endif
