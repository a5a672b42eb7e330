/*
 * pf: what OpenBSD's packet filter blocked, as tcpdump prints pflog0 and as pfSense and OPNsense
 * log it (filterlog).
 *
 *   [TIME ]rule 3/0(match): block in on em0: A.PORT > B.PORT: Flags [S], ...     FreeBSD
 *   [TIME ]rule 3/(match) block in on em0: A.PORT > B.PORT: S 1:1(0) ...         OpenBSD
 *   filterlog[N]: 5,,,1000000103,em0,match,block,in,4,0x0,,64,1,0,DF,6,tcp,60,A,B,PORT,PORT,0,S,...
 *
 * Sees connections to the port of a remote service that were blocked on their way in: attempts
 * that were refused, as a daemon's own MaxStartups drops are. What was passed the services tell.
 * Cannot see: names of ports (tcpdump without -n); the day, where tcpdump prints the time alone.
 *
 * Sources: tcpdump, print-pflog.c and print-tcp.c; OpenBSD's tcpdump(8); Netgate, "Raw Filter Log
 * Format" (docs.netgate.com).
 *
 * Example: 01:02:03.456789 rule 3/0(match): block in on em0: 203.0.113.10.4711 > 192.0.2.1.22: ...
 */
#include "daemon_text.h"
#include "fields.h"
#include "netsensor.h"

/* What stands in front of "rule ": tcpdump's own time, "Nov 30 01:02:03.456789" or its last part.
 */
static bool cut_rule(struct span *s)
{
	struct span rest = *s;

	for (unsigned i = 0; i < 4; i++) {
		if (text_cut(&rest, SPAN_LIT("rule "))) {
			*s = rest;
			return true;
		}
		if (!rest.len || !(text_is_digit(rest.ptr[0]) || i == 0))
			return false;
		text_cut_word(&rest);
	}
	return false;
}

/* "ADDR.PORT" */
static bool read_end(struct span s, struct endpoint *ret)
{
	size_t dot = text_find_last(s, SPAN_LIT("."));
	uint32_t port;

	if (dot == TEXT_NOT_FOUND)
		return false;
	port = text_u32(span_skip(s, dot + 1), UINT32_MAX);
	if (port > UINT16_MAX || !addr_parse(span_first(s, dot), &ret->addr, NULL))
		return false;
	ret->port = (uint16_t)port;
	return ret->addr.family != ADDR_NONE;
}

static bool is_blocked(struct span action, struct span way)
{
	return (span_is(action, "block") || span_is(action, "reject")) && span_is(way, "in");
}

/* "3/0(match): block in on em0: [(tos ...) ]A.PORT > B.PORT: Flags [S], ..." */
static bool read_tcpdump(struct span s, struct event *e, const char **reason)
{
	struct span action, way, from, to;
	size_t at;

	text_cut_word(&s);
	action = text_cut_word(&s);
	way = text_cut_word(&s);
	*reason = "a packet that was not blocked on its way in";
	if (!is_blocked(action, way))
		return false;
	at = text_find(s, SPAN_LIT(" > "), 0);
	*reason = "a blocked packet without two addresses and their ports";
	if (at == TEXT_NOT_FOUND)
		return false;
	from = span_first(s, at);
	from = text_cut_end_word(&from);
	s = span_skip(s, at + 3);
	to = text_cut_word(&s);
	if (!text_cut_end(&to, SPAN_LIT(":")) || !read_end(from, &e->origin) ||
	    !read_end(to, &e->local))
		return false;
	*reason = "a blocked packet that begins no connection";
	return span_starts(s, SPAN_LIT("Flags [S]")) || span_starts(s, SPAN_LIT("S "));
}

enum {
	FILTER_ACTION = 6,
	FILTER_WAY = 7,
	FILTER_VERSION = 8,
	FILTER_COLUMNS = 24,
};

/* Up to the version all have the same columns. */
static bool read_filterlog(struct span s, struct event *e, const char **reason)
{
	struct span c[FILTER_COLUMNS] = {0};
	unsigned n = 0, at, protocol;
	struct endpoint from = {0}, to = {0};

	while (n < FILTER_COLUMNS && csv_cut(&s, &c[n]))
		n++;
	*reason = "a packet that was not blocked on its way in";
	if (!is_blocked(c[FILTER_ACTION], c[FILTER_WAY]))
		return false;
	at = span_is(c[FILTER_VERSION], "4") ? 18 : 15; /* the source */
	protocol = span_is(c[FILTER_VERSION], "4") ? 16 : 12;
	*reason = "a blocked packet that begins no connection";
	if (!span_is(c[protocol], "tcp") && !span_is(c[protocol], "TCP"))
		return false;
	from.port = (uint16_t)(text_u32(c[at + 2], 0) & UINT16_MAX);
	to.port = (uint16_t)(text_u32(c[at + 3], 0) & UINT16_MAX);
	if (!addr_parse(c[at], &from.addr, NULL) || !addr_parse(c[at + 1], &to.addr, NULL) ||
	    !from.addr.family)
		return false;
	e->origin = from;
	e->local = to;
	return span_is(c[at + 5], "S");
}

static bool is_filterlog(const struct frame *f)
{
	return span_is(f->ident, "filterlog");
}

static bool wants(const struct frame *f)
{
	struct span s = f->message;

	if (is_filterlog(f))
		return true;
	return (span_empty(f->ident) || span_starts(f->ident, SPAN_LIT("pf"))) && cut_rule(&s) &&
	       text_find(span_first(s, 64), SPAN_LIT("(match)"), 0) != TEXT_NOT_FOUND;
}

static enum decode_result decode(const struct frame *f, struct event *e, const char **reason)
{
	struct span s = f->message;
	bool is_ours;

	e->kind = EVENT_ATTEMPT;
	e->outcome = OUTCOME_REFUSED;
	e->witness = WITNESS_NETWORK;
	e->proc = (struct proc_id){0};
	daemon_trust(f, "filterlog", e);
	if (!is_filterlog(f))
		cut_rule(&s);
	is_ours = is_filterlog(f) ? read_filterlog(s, e, reason) : read_tcpdump(s, e, reason);
	if (!is_ours)
		return DECODE_SKIPPED;
	e->service = netsensor_by_port(e->local.port);
	*reason = "a blocked connection to no remote service's port";
	return e->service == SERVICE_NETWORK ? DECODE_SKIPPED : DECODE_EVENT;
}

const struct decoder decoder_pf = {
	.name = "pf",
	.about = "pf: blocked connections, by tcpdump of pflog0 or filterlog (pfSense, OPNsense)",
	.example = "01:02:03.456789 rule 3/0(match): block in on em0: 203.0.113.10.4711 > "
		   "192.0.2.1.22: Flags [S], seq 1, win 65535, length 0",
	.wants = wants,
	.decode = decode,
};
