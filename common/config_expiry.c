/* config_expiry: see config_expiry.h. */
#include "config_expiry.h"

#include <stdio.h>

#include "out/out.h"

#define DAY_NS (UINT64_C(86400) * 1000000000)

static void say_exception(const struct config_exception *x, struct config_expiry *ret)
{
	snprintf(ret->what, sizeof(ret->what), "the exception of %s (%s)",
		 detections[x->detection]->id, x->reason);
	ret->until_ns = x->until_ns;
}

static void say_known(const struct config *c, const struct known_remote *k,
		      struct config_expiry *ret)
{
	char block[ADDR_TEXT_MAX];

	if (k->ranges)
		snprintf(ret->what, sizeof(ret->what), "KnownRemoteIPs %.120s%s%s",
			 c->ranges[k->ranges - 1].path, k->account[0] ? " of " : "", k->account);
	else
		snprintf(ret->what, sizeof(ret->what), "KnownRemoteIPs %s/%u%s%s",
			 addr_format(&k->cidr.addr, block), k->cidr.bits,
			 k->account[0] ? " of " : "", k->account);
	ret->until_ns = k->until_ns;
}

bool config_expiry_at(const struct config *c, unsigned index, struct config_expiry *ret)
{
	for (unsigned i = 0; i < c->exceptions_count; i++)
		if (c->exceptions[i].until_ns && index-- == 0) {
			say_exception(&c->exceptions[i], ret);
			return true;
		}
	for (unsigned i = 0; i < c->known_count; i++)
		if (c->known[i].until_ns && index-- == 0) {
			say_known(c, &c->known[i], ret);
			return true;
		}
	for (unsigned i = 0; i < c->travel_count; i++)
		if (c->travel[i].until_ns && index-- == 0) {
			snprintf(ret->what, sizeof(ret->what), "Travel of %s",
				 c->travel[i].account);
			ret->until_ns = c->travel[i].until_ns;
			return true;
		}
	return false;
}

enum config_expiry_state config_expiry_say(const struct config_expiry *x, uint64_t now_ns,
					   char *buf, size_t cap)
{
	char day[32];

	if (x->until_ns > now_ns + CONFIG_EXPIRY_DAYS * DAY_NS)
		return EXPIRY_FAR;
	day[strlen(out_time(x->until_ns, day)) > 10 ? 10 : 0] = '\0';
	if (x->until_ns > now_ns) {
		snprintf(buf, cap, "%s expires on %s", x->what, day);
		return EXPIRY_SOON;
	}
	snprintf(buf, cap, "%s expired on %s and has no effect", x->what, day);
	return EXPIRY_OVER;
}
