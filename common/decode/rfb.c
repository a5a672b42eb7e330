/*
 * rfb: see the header.
 *
 * Sees versions 3.3, 3.7 and 3.8 with VNC authentication or none, alone or within VeNCrypt.
 * "None" is told once the server has sent its screen's description: a scanner that looks which
 * types there are, or chooses one and leaves, has used nothing. Cannot see: what is inside TLS,
 * other types of authentication (Tight, Apple's, RealVNC's).
 *
 * Example: server "RFB 003.008\n" 01 01 00000000 ..., client "RFB 003.008\n" 01 01: nobody was
 * asked for a password.
 */
#include "rfb.h"

#include <stdint.h>
#include <string.h>

#define VERSION_LEN   12
#define CHALLENGE_LEN 16
#define SCREEN_LEN    24 /* ServerInit without the desktop's name */

enum {
	TYPE_NONE = 1,
	TYPE_VNC = 2,
	TYPE_VENCRYPT = 19
};

/* Both sides, and how far each was read. */
struct talk {
	struct span server, client;
};

bool rfb_may_be(struct span first)
{
	static const struct span head = SPAN_LIT("RFB 003.");
	size_t n = first.len < head.len ? first.len : head.len;

	return n && memcmp(first.ptr, head.ptr, n) == 0;
}

/* 3, 7 or 8; 0: not all of it has come; -1: none. */
static int version(struct span *s)
{
	unsigned minor = 0;

	if (s->len < VERSION_LEN)
		return !s->len || rfb_may_be(*s) ? 0 : -1;
	if (!rfb_may_be(*s) || s->ptr[VERSION_LEN - 1] != '\n')
		return -1;
	for (unsigned i = 8; i < VERSION_LEN - 1; i++) {
		if (s->ptr[i] < '0' || s->ptr[i] > '9')
			return -1;
		minor = minor * 10 + (unsigned)(s->ptr[i] - '0');
	}
	*s = span_skip(*s, VERSION_LEN);
	return minor >= 8 ? 8 : minor == 7 ? 7 : 3;
}

static bool cut(struct span *s, size_t n, struct span *ret)
{
	if (s->len < n)
		return false;
	*ret = span_first(*s, n);
	*s = span_skip(*s, n);
	return true;
}

static bool cut_number(struct span *s, size_t bytes, uint32_t *ret)
{
	struct span n;

	if (!cut(s, bytes, &n))
		return false;
	*ret = 0;
	for (size_t i = 0; i < bytes; i++)
		*ret = *ret << 8 | (uint8_t)n.ptr[i];
	return true;
}

static enum rfb_verdict without_any(struct talk *t, bool has_result)
{
	uint32_t result = 0;
	struct span skipped;

	if (has_result && !cut_number(&t->server, 4, &result))
		return RFB_MORE;
	if (result)
		return RFB_OVER;
	if (!cut(&t->client, 1, &skipped) || !cut(&t->server, SCREEN_LEN, &skipped))
		return RFB_MORE;
	return RFB_WITHOUT_ANY;
}

static enum rfb_verdict by_password(struct talk *t)
{
	uint32_t result;
	struct span skipped;

	if (!cut(&t->server, CHALLENGE_LEN, &skipped) ||
	    !cut(&t->client, CHALLENGE_LEN, &skipped) || !cut_number(&t->server, 4, &result))
		return RFB_MORE;
	return result ? RFB_FAILED : RFB_PASSWORD;
}

static enum rfb_verdict by_type(struct talk *t, uint32_t type, bool has_result)
{
	if (type == TYPE_NONE)
		return without_any(t, has_result);
	return type == TYPE_VNC ? by_password(t) : RFB_OVER;
}

/* Version of both, an answer, a list of types; the client takes one. */
static enum rfb_verdict vencrypt(struct talk *t)
{
	uint32_t server, client, refused, count, type;
	struct span types;

	if (!cut_number(&t->server, 2, &server) || !cut_number(&t->client, 2, &client))
		return RFB_MORE;
	if (client != 2) /* 0.2, the one in use */
		return RFB_OVER;
	if (!cut_number(&t->server, 1, &refused) || !cut_number(&t->server, 1, &count))
		return RFB_MORE;
	if (refused || !count || count * 4 > RFB_SERVER_MAX)
		return RFB_OVER;
	if (!cut(&t->server, (size_t)count * 4, &types) || !cut_number(&t->client, 4, &type))
		return RFB_MORE;
	return by_type(t, type, true);
}

/* 3.3: the server decides. */
static enum rfb_verdict by_servers_choice(struct talk *t)
{
	uint32_t type;

	if (!cut_number(&t->server, 4, &type))
		return RFB_MORE;
	return by_type(t, type, false);
}

static enum rfb_verdict by_clients_choice(struct talk *t, bool has_result)
{
	uint32_t count, type;
	struct span types;

	if (!cut_number(&t->server, 1, &count))
		return RFB_MORE;
	if (!count || count > RFB_SERVER_MAX / 2)
		return RFB_OVER;
	if (!cut(&t->server, count, &types) || !cut_number(&t->client, 1, &type))
		return RFB_MORE;
	if (!memchr(types.ptr, (int)type, types.len)) /* which was not offered */
		return RFB_OVER;
	return type == TYPE_VENCRYPT ? vencrypt(t) : by_type(t, type, has_result);
}

enum rfb_verdict rfb_read(struct span server, struct span client)
{
	struct talk t = {server, client};
	int offered = version(&t.server), chosen = version(&t.client);

	if (offered < 0 || chosen < 0 || (offered && chosen > offered))
		return RFB_OVER;
	if (!offered || !chosen)
		return RFB_MORE;
	return chosen == 3 ? by_servers_choice(&t) : by_clients_choice(&t, chosen == 8);
}
