/* gateway: see gateway.h. */
#include "gateway.h"

#include "../scope.h"
#include "time_text.h"

#define NS	 UINT64_C(1000000000)
#define HOST_MAX 255

bool gateway_starts(const struct frame *f, struct span mark, struct span *ret,
		    struct span *ret_host)
{
	struct span rest = f->message, word;

	*ret_host = f->host;
	if (!span_empty(f->ident) || frame_has_writer(f))
		return false;
	*ret = rest;
	if (span_starts(rest, mark))
		return true;
	if (!span_empty(f->host) || !rest.len)
		return false;
	rest = span_first(rest, HOST_MAX + mark.len + 1);
	word = text_cut_word(&rest);
	*ret_host = word;
	*ret = span_skip(*ret, word.len + 1);
	return span_starts(rest, mark);
}

void gateway_begin(struct event *e, enum event_kind kind, enum service service)
{
	e->kind = kind;
	e->service = service;
	e->witness = WITNESS_DAEMON;
	e->gate.told = true;
	e->proc = (struct proc_id){0}; /* of another host */
}

void gateway_success(struct event *e)
{
	e->outcome = OUTCOME_SUCCESS;
	e->flags |= EVENT_ACCOUNT_EXISTS;
}

void gateway_row(struct event *e, enum event_kind kind, enum service service, enum outcome outcome)
{
	gateway_begin(e, kind, service);
	e->outcome = outcome;
	if (outcome == OUTCOME_SUCCESS)
		gateway_success(e);
	if (kind == EVENT_ATTEMPT)
		e->method = METHOD_PASSWORD;
}

struct span gateway_word(struct span s)
{
	static const struct span none[] = {
		SPAN_LIT("N/A"),     SPAN_LIT("n/a"),	  SPAN_LIT("-"),
		SPAN_LIT("(null)"),  SPAN_LIT("null"),	  SPAN_LIT("none"),
		SPAN_LIT("unknown"), SPAN_LIT("Unknown"), SPAN_LIT("*****"),
	};

	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		if (span_eq(s, none[i]))
			return text_none();
	return s;
}

/* What a backslash stands in front of when it escapes, and not behind a domain. */
static bool is_escaped(char c)
{
	return c == '"' || c == ',' || c == ';' || c == '=' || c == '\'' || c == ' ' || c == '|';
}

void gateway_account(struct event *e, struct span name)
{
	size_t at = name.len;

	while (at && !(name.ptr[at - 1] == '\\' && at < name.len && !is_escaped(name.ptr[at])))
		at--;
	e->account = gateway_word(span_skip(name, at));
}

static bool read_address(struct span text, struct addr *ret, uint16_t *port)
{
	static const uint8_t zeros[16];
	struct addr a;

	if (!addr_parse(text, &a, port) || !a.family || memcmp(a.bytes, zeros, sizeof(zeros)) == 0)
		return false;
	*ret = a;
	return true;
}

bool gateway_origin(struct event *e, struct span address)
{
	uint16_t port = 0;

	if (!read_address(address, &e->origin.addr, &port))
		return false;
	e->origin.port = port;
	return true;
}

/* The last of "A, B"; it goes. */
static struct span cut_hop(struct span *hops)
{
	size_t at = text_find_last(*hops, SPAN_LIT(","));
	struct span hop = text_trim_left(span_skip(*hops, at == TEXT_NOT_FOUND ? 0 : at + 1));

	*hops = span_first(*hops, at == TEXT_NOT_FOUND ? 0 : at);
	return text_trim_right(hop);
}

bool gateway_forwarded(struct event *e, struct span hops, struct span peer)
{
	struct endpoint found = {0};

	for (struct span hop = peer;; hop = cut_hop(&hops)) {
		struct endpoint one = {0};

		if (!read_address(hop, &one.addr, &one.port))
			break;
		found = one;
		if (scope_counts_as_external(scope_of(&one.addr, NULL), NULL) || span_empty(hops))
			break;
	}
	if (found.addr.family)
		e->origin = found;
	return found.addr.family != ADDR_NONE;
}

void gateway_assigned(struct event *e, struct span address)
{
	uint16_t port;

	read_address(address, &e->gate.assigned, &port);
}

uint64_t gateway_number(struct span name)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);

	if (span_empty(name) || span_is(name, "0"))
		return 0;
	for (size_t i = 0; i < name.len; i++)
		h = (h ^ (unsigned char)name.ptr[i]) * UINT64_C(0x100000001b3);
	return (h >> 1) | 1; /* a number of JSON, too */
}

uint64_t gateway_count(struct span digits)
{
	uint64_t v;

	return span_u64(digits, &v) ? v : 0;
}

void gateway_time(struct event *e, uint64_t time_ns)
{
	if (!time_ns || (e->time_ns && !(e->flags & EVENT_TIME_APPROXIMATE)))
		return;
	e->time_ns = time_ns;
	e->flags &= ~(uint32_t)EVENT_TIME_APPROXIMATE;
}

uint64_t gateway_epoch(struct span digits)
{
	uint64_t v = gateway_count(digits), scale = NS;

	/* Of one, the number of milliseconds is that of seconds in the year 5138 at least. */
	for (uint64_t most = UINT64_C(100000000000); scale > 1 && v >= most; most *= 1000)
		scale /= 1000;
	return v > UINT64_MAX / scale ? 0 : v * scale;
}

/* Two digits at n, or 99. */
static unsigned two(struct span s, size_t n)
{
	return text_u32(span_first(span_skip(s, n), 2), 99);
}

/* Seconds east of UTC. */
static int64_t zone_of(struct span z)
{
	bool west;
	unsigned hours, minutes = 0;

	if (span_starts(z, SPAN_LIT("UTC")) || span_starts(z, SPAN_LIT("GMT")))
		z = span_skip(z, 3);
	if (!z.len || (z.ptr[0] != '+' && z.ptr[0] != '-'))
		return 0;
	west = z.ptr[0] == '-';
	z = span_skip(z, 1);
	hours = text_u32(span_first(z, z.len == 1 ? 1 : 2), 0);
	if (z.len == 5)
		minutes = two(z, 3);
	else if (z.len == 4)
		minutes = two(z, 2);
	if (hours > 14 || minutes > 59)
		return 0;
	return (west ? -1 : 1) * (int64_t)(hours * 3600 + minutes * 60);
}

uint64_t gateway_clock(struct span date, struct span clock, struct span zone)
{
	unsigned year = text_u32(span_first(date, 4), 0), month = two(date, 5), day = two(date, 8);
	unsigned h = two(clock, 0), m = two(clock, 3), s = two(clock, 6);
	int64_t at;

	if (date.len != 10 || clock.len < 8 || year < 1970 || year > 2199 || !month || month > 12 ||
	    !day || day > 31 || h > 23 || m > 59 || s > 60)
		return 0;
	at = time_days(year, month, day) * 86400 + h * 3600 + m * 60 + s - zone_of(zone);
	return at > 0 ? (uint64_t)at * NS : 0;
}

enum service gateway_way(struct span name)
{
	if (span_starts(name, SPAN_LIT("ssh")) || span_starts(name, SPAN_LIT("SSH")))
		return SERVICE_SSH;
	if (span_starts(name, SPAN_LIT("telnet")) || span_starts(name, SPAN_LIT("TELNET")))
		return SERVICE_TELNET;
	return SERVICE_WEB_REMOTE;
}

void gateway_local(struct event *e, struct span text)
{
	uint64_t ns;

	if (e->time_ns || text.len < 19)
		return;
	ns = gateway_clock(span_first(text, 10), span_skip(text, 11), text_none());
	gateway_time(e, ns);
	e->flags |= EVENT_TIME_APPROXIMATE;
}

struct span gateway_after(struct span s, struct span label, struct span until)
{
	size_t at = text_find_last(s, label), end;

	if (at == TEXT_NOT_FOUND)
		return text_none();
	s = span_skip(s, at + label.len);
	end = text_find(s, until, 0);
	return span_first(s, end == TEXT_NOT_FOUND ? s.len : end);
}

unsigned gateway_times(struct span s, struct span text)
{
	unsigned n = 0;

	for (size_t at = text_find(s, text, 0); at != TEXT_NOT_FOUND;
	     at = text_find(s, text, at + text.len))
		n++;
	return n;
}
