/*
 * esxi: VMware ESXi: what hostd and vobd tell of SSH sessions and of logins to the host.
 *
 * Sees logins and logouts over the web client and the API, and those that failed. What it says of
 * SSH are notes: the same host's sshd tells of each try and session in its own words, and they
 * count once. Cannot see: whether an account exists.
 *
 * The name ends at the last '@'. A client's own name (user agent) comes last and decides nothing.
 *
 * Source: VMware's vob and event catalogues (vob.user.ssh.session.*, UserLoginSessionEvent).
 *
 * Example: vobd: [GenericCorrelator] 2216526905us: [vob.user.ssh.session.failed] SSH login has
 * failed for 'root@203.0.113.9'.
 */
#include "gateway.h"

static bool find_line(const struct frame *f, struct span *ret)
{
	*ret = f->message;
	if (frame_has_writer(f))
		return false;
	if (span_is(f->ident, "vobd"))
		return true;
	if (span_is(f->ident, "hostd") || span_is(f->ident, "Hostd"))
		return true;
	if (!span_empty(f->ident))
		return false;
	*ret = text_trim_left(*ret);
	return text_cut(ret, SPAN_LIT("[GenericCorrelator] ")) ||
	       text_cut(ret, SPAN_LIT("vobd: ")) || text_cut(ret, SPAN_LIT("info hostd[")) ||
	       text_cut(ret, SPAN_LIT("warning hostd["));
}

static bool wants(const struct frame *f)
{
	struct span msg;

	return find_line(f, &msg);
}

static const struct {
	const char *begins, *ends;
	enum event_kind kind;
	enum outcome outcome;
	enum service service;
} rows[] = {
	{"SSH session was opened for '", "'", EVENT_AUTH_NOTE, OUTCOME_SUCCESS, SERVICE_SSH},
	{"SSH session was closed for '", "'", EVENT_AUTH_NOTE, OUTCOME_UNKNOWN, SERVICE_SSH},
	{"SSH login has failed for '", "'", EVENT_AUTH_NOTE, OUTCOME_FAILURE, SERVICE_SSH},
	{"User ", " logged in as ", EVENT_ATTEMPT, OUTCOME_SUCCESS, SERVICE_WEB_REMOTE},
	{"User ", " logged out", EVENT_SESSION_CLOSE, OUTCOME_UNKNOWN, SERVICE_WEB_REMOTE},
	{"Cannot login ", "", EVENT_ATTEMPT, OUTCOME_FAILURE, SERVICE_WEB_REMOTE},
};

/* What hostd or vobd puts in front: "...] Event 975279 : " or "...us: [vob.user....] ". */
static struct span words_of(struct span s)
{
	size_t at = text_find(span_first(s, 256), SPAN_LIT("] Event "), 0);

	if (at != TEXT_NOT_FOUND) {
		s = span_skip(s, at + 8);
		at = text_find(s, SPAN_LIT(" : "), 0);
		return span_skip(s, at == TEXT_NOT_FOUND ? s.len : at + 3);
	}
	at = text_find(span_first(s, 128), SPAN_LIT("us: [vob.user.ssh.session."), 0);
	if (at == TEXT_NOT_FOUND)
		return text_none();
	s = span_skip(s, at + 26);
	at = text_find(s, SPAN_LIT("] "), 0);
	return span_skip(s, at == TEXT_NOT_FOUND ? s.len : at + 2);
}

/* "root@203.0.113.9", and what ends it. */
static bool read_who(struct span s, struct span ends, struct event *e)
{
	size_t at, end = s.len;

	if (span_is(ends, "'")) /* a name may hold one */
		end = text_find_last(s, ends);
	else if (!span_empty(ends))
		end = text_find(s, ends, 0);

	if (end == TEXT_NOT_FOUND)
		return false;
	s = text_trim_right(span_first(s, end));
	at = text_find_last(s, SPAN_LIT("@"));
	if (at == TEXT_NOT_FOUND || !gateway_origin(e, span_skip(s, at + 1)))
		return false;
	gateway_account(e, span_first(s, at));
	return true;
}

static enum decode_result decode(const struct frame *f, struct event *ret, const char **reason)
{
	struct span msg, words;

	*reason = "ESXi's, and no login or end of one";
	if (!find_line(f, &msg))
		return DECODE_SKIPPED;
	words = words_of(msg);
	if (span_empty(words))
		return DECODE_SKIPPED;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct span who = words;

		if (!text_cut(&who, span_of(rows[i].begins)))
			continue;
		gateway_row(ret, rows[i].kind, rows[i].service, rows[i].outcome);
		if (read_who(who, span_of(rows[i].ends), ret))
			return DECODE_EVENT;
	}
	return DECODE_SKIPPED;
}

const struct decoder decoder_esxi = {
	.name = "esxi",
	.about = "VMware ESXi: SSH sessions, logins over web client and API (hostd, vobd)",
	.example = "2024-03-05T10:00:00.000Z esx1 vobd: [GenericCorrelator] 2216526905us: "
		   "[vob.user.ssh.session.opened] SSH session was opened for 'root@203.0.113.10'.",
	.wants = wants,
	.decode = decode,
};
