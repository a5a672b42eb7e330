/*
 * neighbours: a line of /proc/net/arp. Sees Ethernet entries that the kernel holds for complete.
 *
 * Example: 10.20.0.2  0x1  0x2  52:54:00:aa:00:01  *  eth0
 */
#include "neighbours.h"

#include "text.h"

#define MAC_LEN 17

static struct span next(struct span *line)
{
	*line = text_trim_left(*line);
	return text_cut_word(line);
}

/* ARPHRD_ETHER, and ATF_COM among the flags. */
static bool is_complete(struct span type, struct span flags)
{
	return span_is(type, "0x1") && flags.len == 3 && span_starts(flags, SPAN_LIT("0x")) &&
	       (flags.ptr[2] == '2' || flags.ptr[2] == '6');
}

struct span neighbour_mac(struct span line, const struct addr *a)
{
	struct span address = next(&line), type = next(&line), flags = next(&line),
		    mac = next(&line);
	struct addr at;

	if (!is_complete(type, flags) || mac.len != MAC_LEN || !addr_parse(address, &at, NULL) ||
	    !addr_eq(&at, a))
		return text_none();
	return mac;
}
