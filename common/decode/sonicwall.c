/*
 * sonicwall: SonicOS, as name=value ("id=firewall sn=... m=1080 msg=\"...\"") or CEF.
 *
 * Sees users' logins over SSL VPN and from the WAN zone, denied logins, the inner address that
 * NetExtender was given, logouts; administrators' likewise. Cannot see: which service a denied user
 * asked for; traffic is left out. Its words decide, since numbers differ between versions.
 *
 * Origin, user and message must have one value: who chose a name must not choose another.
 *
 * Source: sonicwall.com, "SonicOS Log Events Reference Guide".
 *
 * Example: id=firewall sn=0006B1 time="2026-01-26 12:34:56 UTC" fw=192.0.2.1 pri=6 c=16 m=1080
 * msg="SSL VPN zone remote user login allowed" src=203.0.113.9::X1 usr="alice"
 */
#include "gateway.h"

static bool is_text(const struct frame *f, struct span *msg, struct span *host)
{
	return gateway_starts(f, SPAN_LIT("id="), msg, host) &&
	       text_find(span_first(*msg, 256), SPAN_LIT(" sn="), 0) != TEXT_NOT_FOUND &&
	       text_find(*msg, SPAN_LIT(" m="), 0) != TEXT_NOT_FOUND;
}

static bool wants(const struct frame *f)
{
	struct span msg, host;

	return gateway_starts(f, SPAN_LIT("CEF:0|SonicWall|"), &msg, &host) ||
	       is_text(f, &msg, &host);
}

static const struct {
	const char *words;
	enum event_kind kind;
	enum outcome outcome;
	enum service service;
} rows[] = {
	{"SSL VPN zone remote user login allowed", EVENT_SESSION_OPEN, OUTCOME_SUCCESS,
	 SERVICE_VPN},
	{"VPN zone remote user login allowed", EVENT_SESSION_OPEN, OUTCOME_SUCCESS, SERVICE_VPN},
	{"WAN zone remote user login allowed", EVENT_SESSION_OPEN, OUTCOME_SUCCESS, SERVICE_VPN},
	{"User login denied", EVENT_ATTEMPT, OUTCOME_FAILURE, SERVICE_VPN},
	{"User logged out", EVENT_SESSION_CLOSE, OUTCOME_UNKNOWN, SERVICE_VPN},
	{"Administrator login allowed", EVENT_ATTEMPT, OUTCOME_SUCCESS, SERVICE_WEB_REMOTE},
	{"WAN zone administrator login allowed", EVENT_ATTEMPT, OUTCOME_SUCCESS,
	 SERVICE_WEB_REMOTE},
	{"VPN zone administrator login allowed", EVENT_ATTEMPT, OUTCOME_SUCCESS,
	 SERVICE_WEB_REMOTE},
	{"Administrator login denied", EVENT_ATTEMPT, OUTCOME_FAILURE, SERVICE_WEB_REMOTE},
	{"Administrator logged out", EVENT_SESSION_CLOSE, OUTCOME_UNKNOWN, SERVICE_WEB_REMOTE},
};

/* "203.0.113.9:0:X1", "203.0.113.9::X1" or the address alone. */
static bool read_source(struct span s, struct event *e)
{
	size_t colon = text_find(s, SPAN_LIT(":"), 0);

	if (gateway_origin(e, s))
		return true;
	return colon != TEXT_NOT_FOUND && gateway_origin(e, span_first(s, colon));
}

static enum decode_result read_words(struct span words, struct event *e, const char **reason)
{
	*reason = "SonicWall's, and no login of a user or administrator";
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (!span_starts(words, span_of(rows[i].words)))
			continue;
		gateway_row(e, rows[i].kind, rows[i].service, rows[i].outcome);
		e->gate.reason = e->outcome == OUTCOME_SUCCESS ? text_none() : words;
		return DECODE_EVENT;
	}
	return DECODE_SKIPPED;
}

static enum decode_result decode(const struct frame *frame, struct event *ret, const char **reason)
{
	struct span msg, host, words, src, user;
	enum decode_result r;
	struct fields f;
	struct cef cef;
	bool is_cef;

	is_cef = gateway_starts(frame, SPAN_LIT("CEF:"), &msg, &host) && cef_read(msg, &cef);
	if (is_cef)
		f = cef.fields;
	else if (is_text(frame, &msg, &host))
		fields_read(msg, &f);
	else
		return DECODE_BAD;
	*reason = "a line of SonicWall in which a field has two values";
	if (!fields_once(&f, "msg", &words) || !fields_once(&f, "src", &src) ||
	    !fields_once(&f, is_cef ? "susr" : "usr", &user))
		return DECODE_BAD;
	r = read_words(is_cef && span_empty(words) ? cef.name : words, ret, reason);
	if (r != DECODE_EVENT)
		return r;
	ret->host = span_empty(host) ? fields_first(&f, "sn") : host;
	gateway_local(ret, fields_first(&f, "time"));
	gateway_account(ret, span_empty(user) ? fields_first(&f, "user") : user);
	*reason = "SonicWall's, and from nowhere";
	return read_source(src, ret) ? DECODE_EVENT : DECODE_SKIPPED;
}

const struct decoder decoder_sonicwall = {
	.name = "sonicwall",
	.about = "SonicWall: SSL VPN users and administrators (name=value or CEF)",
	.example =
		"id=firewall sn=0006B127B660 time=\"2026-01-26 12:34:56\" fw=192.0.2.1 pri=6 c=16 "
		"m=1080 msg=\"SSL VPN zone remote user login allowed\" src=203.0.113.10::X1 "
		"dst=192.0.2.1::X1 usr=\"alice\"",
	.wants = wants,
	.decode = decode,
};
