/*
 * wireguard: WireGuard writes no log and has no socket a peer, so its devices are asked every 5 s,
 * by the parent, where there are any, and before a login is told. What is new of a peer (a
 * handshake, an endpoint) becomes a record (wire_wireguard), so that live and recorded ones take
 * one way.
 *
 * How old a handshake is the clock of this process says, from when it was first seen: the device
 * tells the wall's time, which may be set.
 */
#include "wireguard.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/authorized_key.h"
#include "common/decode/wireguard.h"
#include "priv_wireguard.h"
#include "wg_dump.h"

#define NS_PER_S 1000000000ull
#define EVERY	 (5 * NS_PER_S)
#define RARELY	 (10 * NS_PER_S) /* where there is no device */
#define PAUSE	 (NS_PER_S / 4)	 /* between looks that logins ask for */
#define LASTS	 (WIREGUARD_LASTS_S * NS_PER_S)
#define LATE	 (2 * EVERY) /* a handshake may be that old when it is first seen */

struct known {
	struct wg_peer now;
	uint64_t fresh_ns;	 /* boot time of its latest handshake; 0: none since it is known */
	uint64_t received, sent; /* before its session */
	bool live, seen;
};

struct wireguard {
	struct known *peers;
	unsigned used;
	bool any, started, full;
	uint64_t next_ns, last_ns;
	char said[80];
};

static void end_of(const struct endpoint *p, struct wire_conn *c)
{
	c->family = p->addr.family == ADDR_V6 ? 10 : 2;
	c->rport = p->port;
	memcpy(c->raddr, p->addr.bytes, sizeof(c->raddr));
}

static void tell(struct engine *e, const struct known *k, uint64_t time_ns, uint32_t flags)
{
	struct wire_wireguard w = {.hdr = {WIRE_ID_WIREGUARD, WIRE_VERSION, sizeof(w), time_ns}};
	const struct wg_peer *p = &k->now;
	const char *reason;
	char key[45];
	struct event ev;

	memcpy(key + base64_write(p->key, sizeof(p->key), key), "=", 2);
	w.proc.tgid = p->pid;
	w.proc.uid = w.proc.euid = p->uid;
	w.proc.loginuid = w.proc.sessionid = UINT32_MAX;
	memcpy(w.proc.comm, p->comm, sizeof(w.proc.comm));
	end_of(&p->at, &w.conn);
	w.conn.lport = p->port;
	w.bytes_in = p->received - k->received;
	w.bytes_out = p->sent - k->sent;
	w.flags = flags;
	memcpy(w.device, p->device, sizeof(w.device));
	snprintf(w.account, sizeof(w.account), "wg:%.12s", key);
	snprintf(w.key, sizeof(w.key), WIREGUARD_KEY "%s", key);
	memcpy(w.inner, p->inner, sizeof(w.inner));
	e->kernel_stream.boot_to_wall_ns = (int64_t)(clock_wall_ns() - clock_boot_ns());
	switch (decode_wire(&e->kernel_stream, &w, sizeof(w), &ev, &reason)) {
	case DECODE_EVENT:
		engine_event(e, &ev);
		break;
	case DECODE_BAD:
		core_stats(e->core)->records_bad++;
		break;
	case DECODE_SKIPPED:
		break;
	}
}

static struct known *known_of(struct wireguard *s, const struct wg_peer *p)
{
	struct known *k;

	for (unsigned i = 0; i < s->used; i++) {
		k = &s->peers[i];
		if (!memcmp(k->now.key, p->key, WG_KEY) && !strcmp(k->now.device, p->device))
			return k;
	}
	if (s->used == WG_PEERS_MAX)
		return NULL;
	k = &s->peers[s->used++];
	*k = (struct known){.now = *p, .received = p->received, .sent = p->sent};
	k->now.handshake_ns = 0; /* what it has is new */
	return k;
}

/* When the handshake was, as far as that can be. */
static uint64_t moment_of(const struct wg_peer *p, uint64_t boot_ns, uint64_t most_ns)
{
	uint64_t wall_ns = clock_wall_ns();
	uint64_t ago = wall_ns > p->handshake_ns ? wall_ns - p->handshake_ns : 0;

	return boot_ns - (ago < most_ns ? ago : most_ns);
}

static void peer_seen(struct engine *e, struct wireguard *s, const struct wg_peer *p)
{
	struct known *k = known_of(s, p);
	struct wg_peer was;
	uint64_t boot_ns = clock_boot_ns(), time_ns = boot_ns;
	bool shaken, moved;

	if (!k) {
		s->full = true;
		return;
	}
	was = k->now;
	k->now = *p;
	k->seen = true;
	shaken = p->handshake_ns && p->handshake_ns != was.handshake_ns;
	moved = !addr_eq(&p->at.addr, &was.at.addr) || p->at.port != was.at.port ||
		strcmp(p->inner, was.inner) != 0;
	if (shaken)
		k->fresh_ns = moment_of(p, boot_ns, s->started ? LATE : LASTS + EVERY);
	if (!k->fresh_ns || boot_ns - k->fresh_ns > LASTS)
		return; /* without keys; peers_age() ends it */
	if (!k->live) { /* what was counted until the look before is not this session's */
		k->received = was.received;
		k->sent = was.sent;
	} else if (p->received < k->received || p->sent < k->sent) {
		k->received = k->sent = 0; /* the device was made anew */
	}
	if (shaken && s->started && !moved)
		time_ns = k->fresh_ns;
	else if (k->live && !shaken && !moved)
		return;
	tell(e, k, time_ns, s->started ? 0 : WIRE_WG_EXISTING);
	k->live = true;
}

/* Those whose keys have died; and, when all have been told, those that are gone. */
static void peers_age(struct engine *e, struct wireguard *s, bool complete)
{
	uint64_t boot_ns = clock_boot_ns();

	for (unsigned i = 0; s->peers && i < s->used;) {
		struct known *k = &s->peers[i];
		bool gone = complete && !k->seen;

		if (k->live && (gone || boot_ns - k->fresh_ns > LASTS)) {
			tell(e, k, boot_ns, WIRE_WG_ENDED);
			k->live = false;
		}
		k->seen = false;
		if (gone)
			*k = s->peers[--s->used];
		else
			i++;
	}
}

static void say(struct wireguard *s, const char *what)
{
	if (strcmp(s->said, what) != 0 && what[0])
		fprintf(stderr, "outergate: WireGuard's peers: %s\n", what);
	snprintf(s->said, sizeof(s->said), "%s", what);
}

static void look(struct engine *e)
{
	struct wireguard *s = e->wireguard;
	struct priv_msg m = {.kind = PRIV_WIREGUARD};
	struct wg_peer p;
	int fd = -1, r = priv_call(e->setup.priv, &m, &fd);

	s->last_ns = clock_wall_ns();
	s->any = !r && m.arg;
	s->next_ns = s->last_ns + (s->any ? EVERY : RARELY);
	if (r && r != -ENODEV)
		say(s, strerror(-r)); /* what is known ages */
	else
		say(s, m.arg2 && !r ? "a device does not answer as it should" : "");
	if (s->any && !s->peers)
		s->peers = calloc(WG_PEERS_MAX, sizeof(*s->peers));
	s->full = false;
	while (!r && s->peers && read(fd, &p, sizeof(p)) == sizeof(p))
		peer_seen(e, s, &p);
	if (fd >= 0)
		close(fd);
	if (s->full)
		say(s, "there are more than are followed");
	peers_age(e, s, r == -ENODEV || (!r && !m.arg2));
	s->started = true;
}

void wireguard_open(struct engine *e)
{
	e->wireguard = calloc(1, sizeof(*e->wireguard));
	if (e->wireguard)
		look(e);
}

void wireguard_close(struct engine *e)
{
	if (e->wireguard)
		free(e->wireguard->peers);
	free(e->wireguard);
	e->wireguard = NULL;
}

void wireguard_poll(struct engine *e, uint64_t now_ns)
{
	const struct wireguard *s = e->wireguard;

	/* A clock that was set back must not make it wait. */
	if (s && (now_ns >= s->next_ns || s->next_ns - now_ns > RARELY))
		look(e);
}

uint64_t wireguard_next(const struct engine *e)
{
	return e->wireguard ? e->wireguard->next_ns : UINT64_MAX;
}

static bool is_login(const struct event *ev)
{
	if (!ev->origin.addr.family || ev->gate.told || ev->flags & EVENT_ELSEWHERE)
		return false;
	if (ev->kind == EVENT_PAM)
		return !ev->result && (ev->pam_call == PAM_CALL_ACCT_MGMT ||
				       ev->pam_call == PAM_CALL_OPEN_SESSION);
	return ev->kind == EVENT_ATTEMPT && ev->outcome == OUTCOME_SUCCESS;
}

void wireguard_before(struct engine *e, const struct event *ev)
{
	const struct wireguard *s = e->wireguard;

	/* A device that does not answer is waited for as often as it is polled, no more. */
	if (s && !s->said[0] && is_login(ev) && clock_wall_ns() - s->last_ns > PAUSE)
		look(e);
}
