/*
 * watchguard: Firebox: "Authentication of SSLVPN user [alice@Firebox-DB] from 203.0.113.9 was
 * rejected", "SSL VPN user alice@Firebox-DB from 203.0.113.9 logged in assigned virtual IP is
 * 10.0.1.2", of its own daemons' syslog or as LEEF, whose tabs a relay wrote as #011.
 *
 * Sees verdicts, logins with their inner address, logouts; administrators (WSM, Web UI) likewise.
 * Cannot see: whether an account exists; the end of a session that Firebox does not log.
 *
 * The name ends at the last " from ", which Firebox writes after it.
 *
 * Source: watchguard.com, Fireware "Log Catalog": 11000004, 11000005, 3E000002, 3E000004, 50000001.
 *
 * Example: Jun  1 12:00:00 fb1 sessiond[2550]: msg_id="3E00-0002" SSL VPN user alice@Firebox-DB
 * from 203.0.113.9 logged in assigned virtual IP is 10.0.1.2
 */
#include "gateway.h"

static bool is_daemon(struct span ident)
{
	return span_is(ident, "admd") || span_is(ident, "sessiond") || span_is(ident, "sslvpn") ||
	       span_is(ident, "wgagent");
}

static bool find_line(const struct frame *f, struct span *msg, struct span *host)
{
	*msg = f->message;
	*host = f->host;
	if (is_daemon(f->ident) && !frame_has_writer(f))
		return span_starts(*msg, SPAN_LIT("msg_id=\""));
	return gateway_starts(f, SPAN_LIT("1.0|WatchGuard|"), msg, host) ||
	       gateway_starts(f, SPAN_LIT("LEEF:1.0|WatchGuard|"), msg, host);
}

static bool wants(const struct frame *f)
{
	struct span msg, host;

	return find_line(f, &msg, &host);
}

/* The words behind "msg=" or "msg_id=\"...\" ". */
static struct span words_of(struct span s, struct event *e)
{
	size_t at = text_find(s, SPAN_LIT("msg="), 0);

	if (text_cut(&s, SPAN_LIT("msg_id=\""))) {
		at = text_find(s, SPAN_LIT("\""), 0);
		return text_trim_left(span_skip(s, at == TEXT_NOT_FOUND ? s.len : at + 1));
	}
	if (at != TEXT_NOT_FOUND) {
		struct span head = span_first(s, at);
		struct span name = gateway_after(head, SPAN_LIT("host_name="), SPAN_LIT("\t"));
		size_t tab = text_find(name, SPAN_LIT("#011"), 0);

		name = span_first(name, tab == TEXT_NOT_FOUND ? name.len : tab);
		if (!span_empty(name))
			e->host = name;
	}
	return span_skip(s, at == TEXT_NOT_FOUND ? s.len : at + 4);
}

/* "alice@Firebox-DB": its last part is the server that knows it. */
static void read_user(struct span s, struct event *e)
{
	size_t at;

	if (text_cut(&s, SPAN_LIT("[")))
		text_cut_end(&s, SPAN_LIT("]"));
	at = text_find_last(s, SPAN_LIT("@"));
	if (at != TEXT_NOT_FOUND)
		e->gate.group = span_skip(s, at + 1);
	s = span_first(s, at == TEXT_NOT_FOUND ? s.len : at);
	if (!span_is(s, "<missing user name>"))
		gateway_account(e, s);
}

static const struct {
	const char *begins, *has;
	enum event_kind kind;
	enum outcome outcome;
	enum service service;
} rows[] = {
	{"Authentication of SSLVPN user ", "was rejected", EVENT_ATTEMPT, OUTCOME_FAILURE,
	 SERVICE_VPN},
	{"Authentication of SSLVPN user ", "was accepted", EVENT_ATTEMPT, OUTCOME_SUCCESS,
	 SERVICE_VPN},
	{"SSL VPN user ", "logged in", EVENT_SESSION_OPEN, OUTCOME_SUCCESS, SERVICE_VPN},
	{"SSL VPN user ", "logged out", EVENT_SESSION_CLOSE, OUTCOME_UNKNOWN, SERVICE_VPN},
	{"WSM User ", "log in attempt was rejected", EVENT_ATTEMPT, OUTCOME_FAILURE,
	 SERVICE_WEB_REMOTE},
	{"WSM User ", "logged in", EVENT_ATTEMPT, OUTCOME_SUCCESS, SERVICE_WEB_REMOTE},
	{"WSM User ", "logged out", EVENT_SESSION_CLOSE, OUTCOME_UNKNOWN, SERVICE_WEB_REMOTE},
};

static enum decode_result read_words(struct span s, struct event *e, const char **reason)
{
	size_t from = text_find_last(s, SPAN_LIT(" from "));
	struct span rest = span_skip(s, from == TEXT_NOT_FOUND ? s.len : from + 6), address;

	address = text_cut_word(&rest);
	*reason = "Firebox's, and neither a verdict nor about a session";
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct span name = s;

		/* What it says stands behind the address. */
		if (from == TEXT_NOT_FOUND || !text_cut(&name, span_of(rows[i].begins)) ||
		    name.ptr > s.ptr + from || !span_starts(rest, span_of(rows[i].has)))
			continue;
		gateway_row(e, rows[i].kind, rows[i].service, rows[i].outcome);
		read_user(span_first(name, (size_t)(s.ptr + from - name.ptr)), e);
		gateway_assigned(e, gateway_after(rest, SPAN_LIT("virtual IP is "), SPAN_LIT(" ")));
		e->gate.reason = gateway_after(rest, SPAN_LIT("rejected, "), SPAN_LIT("\n"));
		return gateway_origin(e, address) ? DECODE_EVENT : DECODE_SKIPPED;
	}
	return DECODE_SKIPPED;
}

static enum decode_result decode(const struct frame *f, struct event *ret, const char **reason)
{
	struct span msg, host;

	*reason = "begins like a line of Firebox, but is cut";
	if (!find_line(f, &msg, &host))
		return DECODE_BAD;
	ret->host = host;
	return read_words(words_of(msg, ret), ret, reason);
}

const struct decoder decoder_watchguard = {
	.name = "watchguard",
	.about = "WatchGuard Firebox: SSL VPN users and administrators (syslog or LEEF)",
	.example = "Jun  1 12:00:00 fb1 sessiond[2550]: msg_id=\"3E00-0002\" SSL VPN user "
		   "alice@Firebox-DB from 203.0.113.10 logged in assigned virtual IP is 10.0.1.2",
	.wants = wants,
	.decode = decode,
};
