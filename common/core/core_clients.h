/*
 * clients: what core_clients.c keeps of connections before anybody logs in. Part of
 * core_internal.h.
 */
#ifndef OUTERGATE_CORE_CLIENTS_H
#define OUTERGATE_CORE_CLIENTS_H

#include "../config.h"
#include "../event.h"
#include "../session.h"

struct conn;
struct core;
struct csession;

/* What a connection said of itself before anybody logged in; see core_clients.c. */
#define CLIENT_NOTES 192
struct client_note {
	uint64_t cookie; /* 0: free */
	char client[CLIENT_MAX];
	char fingerprint[FINGERPRINT_TEXT];
	struct endpoint via, claimed;
};

/* --- core_api.c */
/* What a request was for, without what follows "?": commands and tokens stand there. */
struct span api_target(const struct event *e);
void api_told(struct core *c, const struct event *e);

void client_note_via(struct core *c, uint64_t cookie, const struct endpoint *via);
void client_told(struct core *c, const struct event *e);
void proxy_told(struct core *c, const struct event *e);
void answer_told(struct core *c, const struct event *e);
/* What its connection said of itself. */
void client_take(struct core *c, const struct conn *n, struct csession *s);
bool proxy_is_trusted(const struct core *c, const struct addr *peer, uint16_t port,
		      enum proxy_kind kind);
/*
 * An API request whose peer is a trusted proxy (xff) comes from whom the rightmost address of
 * e->via names, and so on to the left. That is e->origin then, and the last proxy e->dest.
 */
void proxy_forwarded(const struct core *c, struct event *e);
/* core_conns.c: its other end is somebody else, as a trusted proxy says. */
void conn_move(struct core *c, struct conn *n, const struct endpoint *to);

#endif
