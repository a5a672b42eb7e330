/*
 * ocserv: OpenConnect's VPN server, from syslog.
 *
 * Sees each failed login, each session's begin and end with account, address and bytes, the inner
 * address, all with `log-level = 2` or more. Cannot see: at level 1, as Debian has it, anything but
 * failures; of a password file (`plain`) the first two wrong ones of a connection; whether an
 * account exists.
 *
 * The account stands in front, between brackets. Of a failure it stands at the end again: the place
 * where it ends is where both are the same to the last byte, and no name can make another. Of one
 * who is logged in it exists.
 *
 * Example: worker[alice]: 203.0.113.7 worker-auth.c:1724: failed authentication for 'alice'
 */
#include "daemon_text.h"
#include "gateway.h"

/* " ADDR worker-auth.c:N: failed authentication for 'U'", of that U. */
static bool ends_so(struct span s, struct span name, struct endpoint *ret)
{
	struct span address;

	if (!text_cut(&s, SPAN_LIT(" ")) && !span_empty(s))
		return false;
	address = text_cut_word(&s);
	if (!text_cut(&s, SPAN_LIT("worker-auth.c:")) || !text_cut_end(&s, SPAN_LIT("'")))
		return false;
	text_cut_word(&s); /* the line of the source */
	if (!text_cut(&s, SPAN_LIT("failed authentication for '")) || !span_eq(s, name))
		return false;
	daemon_address(address, ret);
	return ret->addr.family != ADDR_NONE;
}

static bool read_failed(struct span s, struct event *e)
{
	for (size_t at = text_find(s, SPAN_LIT("]:"), 0); at != TEXT_NOT_FOUND;
	     at = text_find(s, SPAN_LIT("]:"), at + 1)) {
		e->account = span_first(s, at);
		if (ends_so(span_skip(s, at + 2), e->account, &e->origin))
			return true;
	}
	return false;
}

/* "U]:ADDR:PORT"; an address of IPv6 has no brackets there. */
static bool read_who(struct span s, struct event *e)
{
	size_t at = text_find_last(s, SPAN_LIT("]:"));

	if (at == TEXT_NOT_FOUND)
		return false;
	e->account = span_first(s, at);
	return daemon_endpoint(text_trim_left(span_skip(s, at + 2)), &e->origin);
}

/* "rx: 0, tx: 400)" */
static void read_bytes(struct span s, struct event *e)
{
	size_t rx = text_find_last(s, SPAN_LIT(", rx: ")),
	       tx = text_find_last(s, SPAN_LIT(", tx: "));

	if (rx == TEXT_NOT_FOUND || tx == TEXT_NOT_FOUND || tx < rx + 6)
		return;
	(void)span_u64(span_skip(span_first(s, tx), rx + 6), &e->bytes_in);
	s = span_skip(s, tx + 6);
	text_cut_end(&s, SPAN_LIT(")"));
	(void)span_u64(s, &e->bytes_out);
}

/* "U]:ADDR:PORT WORDS" */
static bool read_main(struct span s, struct event *e)
{
	size_t at = text_find_last(s, SPAN_LIT(" user disconnected (reason: "));

	if (text_cut_end(&s, SPAN_LIT(" user logged in"))) {
		e->outcome = OUTCOME_SUCCESS;
		return read_who(s, e);
	}
	if (at == TEXT_NOT_FOUND) {
		e->kind = EVENT_NONE;
		return true;
	}
	e->kind = EVENT_SESSION_CLOSE;
	e->method = METHOD_NONE;
	e->gate.reason = span_skip(s, at + 28);
	read_bytes(e->gate.reason, e);
	e->gate.reason =
		span_first(e->gate.reason, text_find(e->gate.reason, SPAN_LIT(", rx: "), 0));
	return read_who(span_first(s, at), e);
}

/* "U]: ADDR sending IPv4 INNER"; what a name contains stands before the last of each. */
static bool read_given(struct span s, struct event *e)
{
	size_t at = text_find_last(s, SPAN_LIT(" sending IPv4 ")), name;
	struct endpoint inner;

	if (at == TEXT_NOT_FOUND)
		at = text_find_last(s, SPAN_LIT(" sending IPv6 "));
	if (at == TEXT_NOT_FOUND)
		return false;
	daemon_address(span_first(span_skip(s, at + 14),
				  text_find(span_skip(s, at + 14), SPAN_LIT("/"), 0)),
		       &inner);
	name = text_find_last(span_first(s, at), SPAN_LIT("]:"));
	if (!inner.addr.family || name == TEXT_NOT_FOUND)
		return false;
	daemon_address(text_trim_left(span_skip(span_first(s, at), name + 2)), &e->origin);
	e->account = span_first(s, name);
	e->gate.assigned = inner.addr;
	e->kind = EVENT_AUTH_NOTE;
	e->method = METHOD_NONE;
	return e->origin.addr.family != ADDR_NONE;
}

static bool read_worker(struct span s, struct event *e)
{
	if (read_given(s, e))
		return true;
	if (text_find(s, SPAN_LIT("failed authentication for '"), 0) == TEXT_NOT_FOUND) {
		e->kind = EVENT_NONE;
		return true;
	}
	e->outcome = OUTCOME_FAILURE;
	return read_failed(s, e);
}

static const struct daemon_form forms[] = {
	{SPAN_LIT("worker["), EVENT_ATTEMPT, OUTCOME_UNKNOWN, METHOD_PASSWORD, 0, read_worker},
	{SPAN_LIT("main["), EVENT_ATTEMPT, OUTCOME_UNKNOWN, METHOD_PASSWORD, 0, read_main},
};

static bool wants(const struct frame *f)
{
	return span_is(f->ident, "ocserv");
}

/* Two processes tell of one login, in any order; what both name is who and from where. */
static void number(struct event *e)
{
	char text[ADDR_TEXT_MAX];

	e->gate.by_port = true;
	e->gate.session = (gateway_number(e->account) ^
			   gateway_number(span_of(addr_format(&e->origin.addr, text))) << 1) |
			  1;
	e->gate.session >>= e->gate.session >> 63;
}

static enum decode_result decode(const struct frame *f, struct event *ret, const char **reason)
{
	enum decode_result r;

	ret->service = SERVICE_VPN;
	ret->witness = WITNESS_DAEMON;
	ret->proc = (struct proc_id){0};
	ret->gate.told = true;
	r = DAEMON_READ(forms, f->message, ret, reason);
	if (ret->outcome == OUTCOME_FAILURE) /* of nobody's process, which ends then */
		daemon_trust_alone(f, "ocserv-worker", ret);
	else
		daemon_trust_service(f, "ocserv-worker", ret);
	if (r == DECODE_EVENT && ret->kind != EVENT_NONE)
		number(ret);
	if (r != DECODE_EVENT || ret->kind != EVENT_NONE)
		return r;
	*reason = "ocserv's, and it tells of no login";
	return DECODE_SKIPPED;
}

const struct decoder decoder_ocserv = {
	.name = "ocserv",
	.about = "ocserv, OpenConnect's VPN server; syslog",
	.example = "Nov 29 17:30:00 vpn ocserv[4711]: worker[alice]: 203.0.113.10 "
		   "worker-auth.c:1724: failed authentication for 'alice'",
	.wants = wants,
	.decode = decode,
};
