/*
 * dhcp: which network card was given an address: dnsmasq, ISC dhcpd, Kea and Windows' DHCP server.
 *
 *   dnsmasq-dhcp[1]: DHCPACK(eth0) 10.20.0.7 52:54:00:aa:00:01 laptop7
 *   1700003600 52:54:00:aa:00:01 10.20.0.7 laptop7 01:52:...                     dnsmasq.leases
 *   dhcpd[1]: DHCPACK on 10.20.0.7 to 52:54:00:aa:00:01 (laptop7) via eth0
 *   DHCP4_LEASE_ALLOC [hwtype=1 52:54:...], cid=..., tid=...: lease 10.20.0.7 has been allocated
 *   10.20.0.7,52:54:00:aa:00:01,01:52:...,3600,1700003600,1,0,0,laptop7,0,...    kea-leases4.csv
 *   10,01/15/24,10:00:00,Assign,10.20.0.7,laptop7.corp,525400AA0001,...          DhcpSrvLog-*.log
 *
 * A session from an inside address that was leased has that card (origin.new_device), where the
 * neighbour table, which is nearer, says nothing: behind a router, or on another host. The card's
 * address and the name are the client's to choose.
 *
 * Cannot see: dhcpd.leases, whose leases span lines (its log has the same); IPv6, whose leases
 * are a DUID's; when an entry of a lease file that tells its end alone was given.
 *
 * Sources: dnsmasq, src/rfc2131.c (log_packet), src/lease.c; ISC DHCP, server/dhcp.c (dhcpack);
 * Kea, messages manual and csv_lease_file4.cc; learn.microsoft.com, "Analyze DHCP server log
 * files".
 *
 * Example: DHCPACK(eth0) 10.20.0.7 52:54:00:aa:00:01 laptop7
 */
#include "daemon_text.h"
#include "fields.h"
#include "gateway.h"

#define MAC_LEN 17

struct lease {
	struct span address, mac, name;
	uint64_t time_ns;
};

static bool is_hex(char c)
{
	return text_is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool is_mac(struct span s)
{
	if (s.len != MAC_LEN)
		return false;
	for (size_t i = 0; i < MAC_LEN; i++)
		if (i % 3 == 2 ? s.ptr[i] != ':' : !is_hex(s.ptr[i]))
			return false;
	return true;
}

static struct span nameless(struct span name)
{
	return span_is(name, "*") ? text_none() : name;
}

/* "(eth0) 10.20.0.7 52:54:00:aa:00:01[ laptop7]" */
static bool read_dnsmasq(struct span s, struct lease *l)
{
	if (!text_cut(&s, SPAN_LIT("DHCPACK(")))
		return false;
	text_cut_word(&s);
	l->address = text_cut_word(&s);
	l->mac = text_cut_word(&s);
	l->name = text_cut_word(&s);
	return true;
}

/* "on 10.20.0.7 to 52:54:00:aa:00:01[ (laptop7)] via eth0" */
static bool read_dhcpd(struct span s, struct lease *l)
{
	if (!text_cut(&s, SPAN_LIT("DHCPACK on ")))
		return false;
	l->address = text_cut_word(&s);
	if (!text_cut(&s, SPAN_LIT("to ")))
		return false;
	l->mac = text_cut_word(&s);
	if (text_cut(&s, SPAN_LIT("(")))
		l->name = span_first(s, text_find_last(s, SPAN_LIT(") via ")));
	return true;
}

/* "... DHCP4_LEASE_ALLOC [hwtype=1 MAC], cid=[...], tid=0x1: lease ADDR has been allocated ..." */
static bool read_kea(struct span s, struct lease *l)
{
	size_t at = text_find(span_first(s, 160), SPAN_LIT("DHCP4_LEASE_ALLOC [hwtype=1 "), 0);

	if (at == TEXT_NOT_FOUND)
		return false;
	s = span_skip(s, at + 28);
	l->mac = span_first(s, MAC_LEN);
	at = text_find_last(s, SPAN_LIT(": lease "));
	if (at == TEXT_NOT_FOUND)
		return false;
	s = span_skip(s, at + 8);
	l->address = text_cut_word(&s);
	return span_starts(s, SPAN_LIT("has been allocated"));
}

/* "EXPIRES MAC ADDR NAME CLIENT-ID": a whole line. */
static bool read_dnsmasq_file(struct span s, struct lease *l)
{
	uint64_t expires;

	if (!span_u64(text_cut_word(&s), &expires))
		return false;
	l->mac = text_cut_word(&s);
	l->address = text_cut_word(&s);
	l->name = nameless(text_cut_word(&s));
	return is_mac(l->mac) && !span_empty(text_cut_word(&s)) && span_empty(s);
}

enum {
	KEA_ADDRESS,
	KEA_MAC,
	KEA_LIFETIME = 3,
	KEA_EXPIRES,
	KEA_NAME = 8,
	KEA_STATE,
	KEA_COLUMNS,
};

/* As long as it is in force (state 0). */
static bool read_kea_file(struct span s, struct lease *l)
{
	struct span c[KEA_COLUMNS] = {0};
	uint64_t expires, lifetime;
	unsigned n = 0;

	while (n < KEA_COLUMNS && csv_cut(&s, &c[n]))
		n++;
	if (n < KEA_COLUMNS || !span_is(c[KEA_STATE], "0") || !span_u64(c[KEA_EXPIRES], &expires) ||
	    !span_u64(c[KEA_LIFETIME], &lifetime) || lifetime > expires ||
	    expires > UINT32_MAX * UINT64_C(4))
		return false;
	*l = (struct lease){c[KEA_ADDRESS], c[KEA_MAC], c[KEA_NAME],
			    (expires - lifetime) * 1000000000};
	return is_mac(l->mac);
}

/* "525400AA0001" into the spare bytes, as the others write it. */
static bool read_plain_mac(struct span s, char *spare, struct span *ret)
{
	if (s.len != 12 || !spare)
		return false;
	for (size_t i = 0; i < 6; i++) {
		spare[i * 3] = s.ptr[i * 2];
		spare[i * 3 + 1] = s.ptr[i * 2 + 1];
		spare[i * 3 + 2] = ':';
	}
	*ret = (struct span){spare, MAC_LEN};
	return is_mac(*ret);
}

/* "01/15/24", month first, and "10:00:00" of the server's clock, as if that were UTC. */
static uint64_t windows_time(struct span day, struct span clock)
{
	char date[10] = {'2', '0'};

	if (day.len != 8)
		return 0;
	memcpy(date + 2, day.ptr + 6, 2);
	date[4] = date[7] = '-';
	memcpy(date + 5, day.ptr, 2);
	memcpy(date + 8, day.ptr + 3, 2);
	return gateway_clock((struct span){date, sizeof(date)}, clock, text_none());
}

/* "10,DATE,TIME,Assign,ADDR,NAME,MAC,..."; 11 is a renewal. */
static bool read_windows(struct span s, char *spare, struct lease *l)
{
	struct span c[7] = {0};
	unsigned n = 0;

	while (n < 7 && csv_cut(&s, &c[n]))
		n++;
	if (n < 7 || (!span_is(c[0], "10") && !span_is(c[0], "11")))
		return false;
	l->time_ns = windows_time(c[1], c[2]);
	l->address = c[4];
	l->name = c[5];
	return l->time_ns && read_plain_mac(c[6], spare, &l->mac);
}

static bool is_log(const struct frame *f)
{
	return span_is(f->ident, "dnsmasq-dhcp") || span_is(f->ident, "dhcpd") ||
	       span_is(f->ident, "kea-dhcp4");
}

/* Of a file; its lines have nobody's name in front. */
static bool read_file(const struct frame *f, struct span s, char *spare, struct lease *l)
{
	if (!span_empty(f->ident) || !s.len)
		return false;
	if (s.ptr[0] == 'I') /* "INFO  [kea-dhcp4.leases/1.2] ..." */
		return read_kea(s, l);
	return text_is_digit(s.ptr[0]) &&
	       (read_dnsmasq_file(s, l) || read_kea_file(s, l) || read_windows(s, spare, l));
}

static bool wants(const struct frame *f)
{
	char spare[FRAME_SPARE];
	struct lease l = {0};

	return is_log(f) || read_file(f, f->message, spare, &l);
}

static enum decode_result decode(const struct frame *f, struct event *e, const char **reason)
{
	struct lease l = {0};
	struct span s = f->message;

	*reason = "a DHCP server's, and it gives no address";
	if (!(is_log(f) ? read_dnsmasq(s, &l) || read_dhcpd(s, &l) || read_kea(s, &l)
			: read_file(f, s, f->spare, &l)))
		return DECODE_SKIPPED;
	e->kind = EVENT_LEASE;
	e->proc = (struct proc_id){0};
	daemon_trust_alone(f, span_is(f->ident, "dnsmasq-dhcp") ? "dnsmasq" : "kea-dhcp4", e);
	daemon_address(l.address, &e->origin);
	e->mac = l.mac;
	e->client = l.name;
	gateway_time(e, l.time_ns);
	*reason = "a lease without an IPv4 address or a network card's";
	return e->origin.addr.family == ADDR_V4 && is_mac(l.mac) ? DECODE_EVENT : DECODE_BAD;
}

const struct decoder decoder_dhcp = {
	.name = "dhcp",
	.about = "DHCP leases: dnsmasq, ISC dhcpd, Kea (logs, lease files), Windows' DhcpSrvLog",
	.example = "Jan 15 10:00:00 gw dnsmasq-dhcp[1]: DHCPACK(eth0) 10.20.0.7 52:54:00:aa:00:01 "
		   "laptop7",
	.wants = wants,
	.decode = decode,
};
