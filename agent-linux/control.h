/* control: the name of the socket, and what the agent says about its own blindness. */
#ifndef OUTERGATE_CONTROL_H
#define OUTERGATE_CONTROL_H

#define CONTROL_NAME "control.sock"

/* Each is true of every installation of this version. */
static const char *const control_unseen[] = {
	"logins of daemons that use no PAM and log to no source above",
	"UDP services: mosh, WireGuard, QUIC",
	"AF_VSOCK listeners; logins over a local socket (AF_UNIX) by processes of this host",
};
#define CONTROL_UNSEEN_COUNT (sizeof(control_unseen) / sizeof(control_unseen[0]))

#endif
