/*
 * cisco_ise: Cisco ISE as the RADIUS server of VPN gateways: "CISE_Passed_Authentications
 * 0000815089 1 0 2025-02-18 14:34:01.264 +01:00 0005365098 5200 NOTICE Passed-Authentication: ...,
 * name=value".
 *
 * Sees verdicts with their reason, accounting (start, interim, stop, the framed address), and
 * administrators. What has no address outside is access to the local network (802.1X, MAB: a
 * hardware address calls) and left out. Cannot see: records that ISE cut into segments, but for
 * their first.
 *
 * Commas in values are "\,", and the station that called must be told once, or with one value.
 *
 * Source: cisco.com, "Cisco ISE Syslogs": 5200, 5400, 3000 to 3002, 51000 to 51002.
 *
 * Example: 0000248509 1 0 2025-02-18 14:34:01.264 +01:00 0005365098 5400 NOTICE Failed-Attempt:
 * Authentication failed, UserName=alice, Calling-Station-ID=203.0.113.9
 */
#include "gateway.h"

#include "time_text.h"

static bool is_digits(struct span w, size_t least)
{
	for (size_t i = 0; i < w.len; i++)
		if (!text_is_digit(w.ptr[i]))
			return false;
	return w.len >= least;
}

/* From the ten digits that number a record. */
static bool find_line(const struct frame *f, struct span *ret, struct span *host)
{
	if (gateway_starts(f, SPAN_LIT("CISE_"), ret, host)) {
		text_cut_word(ret);
		return true;
	}
	return gateway_starts(f, SPAN_LIT("00"), ret, host) &&
	       is_digits(span_first(*ret, 10), 10) && ret->len > 11 && ret->ptr[10] == ' ';
}

static bool wants(const struct frame *f)
{
	struct span msg, host;

	return find_line(f, &msg, &host);
}

/* "0000248509 3 0 2025-02-18 14:34:01.264 +01:00 0005365098 5400 NOTICE": the code; *s what follows
 * it. 0: a record's later segment. */
static uint32_t cut_head(struct span *s, struct event *e)
{
	struct span code, zone, date, clock;

	text_cut_word(s);
	text_cut_word(s);
	if (!span_is(text_cut_word(s), "0"))
		return 0;
	date = text_cut_word(s);
	clock = text_cut_word(s);
	zone = text_cut_word(s);
	if (!is_digits(text_cut_word(s), 10))
		return 0;
	gateway_time(e, gateway_clock(date, clock, zone));
	code = text_cut_word(s);
	text_cut_word(s);
	return text_u32(code, 0);
}

/* The address of who called: "203.0.113.9" or "(tag=0) 203.0.113.9". */
static bool read_caller(const struct fields *f, struct event *e)
{
	struct span calling, tunnel;

	if (!fields_once(f, "Calling-Station-ID", &calling) ||
	    !fields_once(f, "Tunnel-Client-Endpoint", &tunnel))
		return false;
	if (gateway_origin(e, calling))
		return true;
	tunnel = text_cut_end_word(&tunnel);
	return gateway_origin(e, tunnel);
}

static void read_account(const struct fields *f, struct event *e)
{
	struct span name = fields_first(f, "UserName");

	gateway_account(e, span_empty(name) ? fields_first(f, "User-Name") : name);
	if (!addr_parse(fields_first(f, "NAS-IP-Address"), &e->local.addr, NULL))
		e->local = (struct endpoint){0};
	e->gate.group = fields_last(f, "SelectedAuthorizationProfiles");
}

static void judge(struct event *e)
{
	if (span_starts(e->gate.reason, SPAN_LIT("22056"))) /* subject not found */
		e->flags |= EVENT_ACCOUNT_UNKNOWN;
	else if (span_starts(e->gate.reason, SPAN_LIT("24408"))) /* AD: the wrong password */
		e->flags |= EVENT_ACCOUNT_EXISTS;
}

static enum decode_result verdict(const struct fields *f, bool good, struct event *e,
				  const char **reason)
{
	gateway_begin(e, EVENT_ATTEMPT, SERVICE_VPN);
	read_account(f, e);
	e->method = METHOD_PASSWORD;
	e->gate.reason = fields_last(f, "FailureReason");
	if (good)
		gateway_success(e);
	else
		e->outcome = OUTCOME_FAILURE;
	if (!good)
		judge(e);
	*reason = "ISE's, and access to the local network: no address called";
	return read_caller(f, e) ? DECODE_EVENT : DECODE_SKIPPED;
}

static enum decode_result accounting(const struct fields *f, struct event *e, const char **reason)
{
	struct span status = fields_first(f, "Acct-Status-Type");

	gateway_begin(e, EVENT_AUTH_NOTE, SERVICE_VPN);
	if (span_is(status, "Start")) {
		e->kind = EVENT_SESSION_OPEN;
		gateway_success(e);
	} else if (span_is(status, "Stop")) {
		e->kind = EVENT_SESSION_CLOSE;
	}
	read_account(f, e);
	gateway_assigned(e, fields_last(f, "Framed-IP-Address"));
	e->gate.session = gateway_number(fields_last(f, "Acct-Session-Id"));
	e->gate.reason = fields_last(f, "Acct-Terminate-Cause");
	e->bytes_in = gateway_count(fields_last(f, "Acct-Input-Octets"));
	e->bytes_out = gateway_count(fields_last(f, "Acct-Output-Octets"));
	*reason = "ISE's, and of the local network: no address called";
	return read_caller(f, e) ? DECODE_EVENT : DECODE_SKIPPED;
}

static enum decode_result admin(const struct fields *f, uint32_t code, struct event *e,
				const char **reason)
{
	struct span address;

	gateway_begin(e, code == 51002 ? EVENT_SESSION_CLOSE : EVENT_ATTEMPT,
		      gateway_way(fields_first(f, "AdminInterface")));
	if (span_is(fields_first(f, "AdminInterface"), "CLI"))
		e->service = SERVICE_SSH;
	if (code == 51000)
		e->outcome = OUTCOME_FAILURE;
	else if (code == 51001)
		gateway_success(e);
	e->method = e->kind == EVENT_ATTEMPT ? METHOD_PASSWORD : METHOD_NONE;
	gateway_account(e, fields_first(f, "AdminName"));
	e->gate.reason = fields_last(f, "OperationMessageText");
	*reason = "an administrator's line with two addresses, or none";
	return fields_once(f, "AdminIPAddress", &address) && gateway_origin(e, address)
		       ? DECODE_EVENT
		       : DECODE_BAD;
}

static enum decode_result decode(const struct frame *frame, struct event *ret, const char **reason)
{
	struct span msg, host;
	struct fields f;
	uint32_t code;

	*reason = "begins like a line of ISE, but is cut";
	if (!find_line(frame, &msg, &host))
		return DECODE_BAD;
	ret->host = host;
	code = cut_head(&msg, ret);
	fields_read_commas(msg, &f);
	switch (code) {
	case 5200:
		return verdict(&f, true, ret, reason);
	case 5400:
		return verdict(&f, false, ret, reason);
	case 3000:
	case 3001:
	case 3002:
		return accounting(&f, ret, reason);
	case 51000:
	case 51001:
	case 51002:
		return admin(&f, code, ret, reason);
	default:
		*reason = "ISE's, and no verdict, accounting or login of an administrator";
		return DECODE_SKIPPED;
	}
}

const struct decoder decoder_cisco_ise = {
	.name = "cisco-ise",
	.about = "Cisco ISE: RADIUS verdicts and accounting of VPN gateways, administrators",
	.example = "CISE_Failed_Attempts 0000248509 1 0 2025-02-18 14:34:01.264 +01:00 0005365098 "
		   "5400 NOTICE Failed-Attempt: Authentication failed, UserName=alice, "
		   "NAS-IP-Address=192.0.2.3, Calling-Station-ID=203.0.113.10, "
		   "FailureReason=24408 User authentication against Active Directory failed",
	.wants = wants,
	.decode = decode,
};
