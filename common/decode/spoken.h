/* spoken: what a server speaks, by its first bytes, and what its port is for. */
#ifndef OUTERGATE_DECODE_SPOKEN_H
#define OUTERGATE_DECODE_SPOKEN_H

#include "../event.h"

/*
 * Of the first bytes of an answer: the remote-access protocol they are; NONE: another one, or too
 * few. Sources: RFC 4253 4.2 (SSH), RFC 6143 7.1.1 (RFB), RFC 854 (telnet: IAC WILL/WONT/DO/DONT),
 * MS-RDPBCGR 2.2.1.2 (X.224 Connection Confirm in a TPKT header), MS-SMB2 2.1 and 2.2.1, RFC 1002
 * 4.3.3 (positive session response), MS-RPCE 2.2.2 with C706 12.6 (bind_ack), MS-RPCH 2.1.2.1,
 * OpenVPN over TCP (its network protocol in doc/doxygen and ssl_pkt.h:
 * P_CONTROL_HARD_RESET_SERVER_V2), RFC 1928 3 (SOCKS 5: the method that the server takes) and the
 * SOCKS 4 protocol of 1992 (openssh.com/txt/socks4.protocol: a request granted).
 */
enum service spoken_by(struct span answer);

/* "https" of 443; service is NONE of those that are no remote access. NULL: a port for anything. */
const char *port_is_for(uint16_t port, enum service *service);

#endif
