/*
 * wireguard: a peer of a WireGuard device is a VPN session for as long as its keys live.
 *
 * Sees what the device itself says: the peer's public key, from where it spoke last, which inner
 * networks are its own (what comes from another one the device drops), that it has shaken hands.
 * Nobody is asked for an account: the key is who it is. A peer that everything is sent to (a
 * default route) is a way out of this host, not somebody who came in.
 *
 * Cannot see: who began the handshake, so the server of a VPN that this host joins for some
 * networks alone looks like a client of it; a key that was refused, of which nothing is told.
 *
 * Example: key SmtL... of wg0, from 203.0.113.10:58840, may send from 10.8.0.2/32.
 */
#include "wireguard.h"

#include "../addr.h"
#include "gateway.h"
#include "text.h"

#define DEFAULT_BITS 1 /* 0.0.0.0/1 and 128.0.0.0/1 are how some write a default route */

/* The networks are networks; *ret_all: one is all that there is. */
static bool check_nets(struct span nets, bool *ret_all)
{
	struct cidr net;

	*ret_all = false;
	while (!span_empty(nets)) {
		if (!cidr_parse(text_cut_word(&nets), &net))
			return false;
		*ret_all |= net.bits <= DEFAULT_BITS;
	}
	return true;
}

/* Of a peer with a single address that is what it was given. */
static void give(struct span nets, struct event *e)
{
	struct cidr net;

	e->subject = nets;
	if (cidr_parse(text_cut_word(&nets), &net) &&
	    net.bits == (net.addr.family == ADDR_V6 ? 128 : 32))
		e->gate.assigned = net.addr;
}

static void tell_way_out(const struct wire_wireguard *w, struct event *e)
{
	if (w->flags & WIRE_WG_ENDED)
		return; /* kind NONE: nothing is told of it */
	e->kind = EVENT_OUTWARD;
	e->dest = e->origin;
	e->origin = (struct endpoint){0};
	e->local = (struct endpoint){0};
	e->text = span_of_array(w->device, sizeof(w->device));
}

bool wireguard_read(const struct wire_wireguard *w, struct event *e)
{
	struct span nets = span_of_array(w->inner, sizeof(w->inner));
	bool all, ended = w->flags & WIRE_WG_ENDED;

	if (!e->origin.port) /* it has never been heard of */
		e->origin = (struct endpoint){0};
	if (!check_nets(nets, &all) || !w->key[0] || !w->account[0])
		return false;
	if (all) {
		tell_way_out(w, e);
		return true;
	}
	e->kind = ended ? EVENT_SESSION_CLOSE : EVENT_SESSION_OPEN;
	e->outcome = ended ? OUTCOME_UNKNOWN : OUTCOME_SUCCESS;
	e->flags = EVENT_ACCOUNT_EXISTS | (w->flags & WIRE_WG_EXISTING ? EVENT_EXISTING : 0);
	e->trust = TRUST_TRANSPORT; /* of no socket that the kernel's other records know */
	e->witness = WITNESS_DAEMON;
	e->service = SERVICE_VPN;
	e->method = METHOD_PUBLICKEY;
	e->account = span_of_array(w->account, sizeof(w->account));
	e->key = span_of_array(w->key, sizeof(w->key));
	e->bytes_in = w->bytes_in;
	e->bytes_out = w->bytes_out;
	e->proc = e->parent = (struct proc_id){0}; /* it serves all peers */
	e->gate.told = true;
	e->gate.session = gateway_number(e->key);
	e->gate.group = span_of_array(w->device, sizeof(w->device));
	give(nets, e);
	return true;
}
