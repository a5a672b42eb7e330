/*
 * charon: strongSwan's IKE daemon, from syslog ("05[IKE] ..."), or from the journal, where
 * charon-systemd has thread and group in fields of their own (sd_journal_send of "MESSAGE=%s",
 * "THREAD=%d", "GROUP=%N").
 *
 * Sees each IKE_SA that is established or deleted with both ends and the peer's identity, the inner
 * address that is given to it, and whose proof was wrong, then without an address. Cannot see:
 * which end began it; whether the peer is a person's computer or another network's gateway.
 *
 * The peer's identity is what it says and stands last; all before it is charon's.
 *
 * Example: 05[IKE] IKE_SA rw[1] established between 192.0.2.1[gw]...203.0.113.7[carol@example.org]
 */
#include "daemon_text.h"

/* "NAME[N] WORDS between ADDR[ID]...ADDR[ID]" */
static bool read_ends(struct span s, struct event *e)
{
	size_t at = text_find(s, SPAN_LIT(" between "), 0), mid, end;

	if (at == TEXT_NOT_FOUND)
		return false;
	s = span_skip(s, at + 9);
	mid = text_find(s, SPAN_LIT("]..."), 0);
	if (mid == TEXT_NOT_FOUND)
		return false;
	end = text_find(s, SPAN_LIT("["), 0);
	daemon_address(span_first(s, end), &e->local);
	s = span_skip(s, mid + 4);
	end = text_find(s, SPAN_LIT("["), 0);
	if (end == TEXT_NOT_FOUND || !text_cut_end(&s, SPAN_LIT("]")))
		return false;
	daemon_address(span_first(s, end), &e->origin);
	e->account = span_skip(s, end + 1);
	return e->origin.addr.family != ADDR_NONE;
}

static bool read_sa(struct span s, struct event *e)
{
	size_t at = text_find(s, SPAN_LIT(" established between "), 0);

	if (at != TEXT_NOT_FOUND && at < 80)
		return read_ends(s, e);
	e->kind = EVENT_NONE;
	return true;
}

/* "ADDR to peer 'ID'" */
static bool read_assigned(struct span s, struct event *e)
{
	struct endpoint inner = {0};

	daemon_address(text_cut_word(&s), &inner);
	e->gate.assigned = inner.addr;
	if (!text_cut(&s, SPAN_LIT("to peer '")) || !text_cut_end(&s, SPAN_LIT("'")))
		return false;
	e->account = s;
	return inner.addr.family != ADDR_NONE;
}

/* "N shared key[s] for 'US' - 'ID', but MAC mismatched" */
static bool read_mismatch(struct span s, struct event *e)
{
	size_t at = text_find(s, SPAN_LIT("' - '"), 0);

	if (at == TEXT_NOT_FOUND || !text_cut_end(&s, SPAN_LIT("', but MAC mismatched")) ||
	    s.len < at + 5)
		return false;
	e->account = span_skip(s, at + 5);
	return true;
}

/* "'ID' failed" or "... successful", which the IKE_SA tells, too. */
static bool read_xauth(struct span s, struct event *e)
{
	if (!text_cut_end(&s, SPAN_LIT("' failed")))
		e->kind = EVENT_NONE;
	text_cut(&s, SPAN_LIT("'"));
	e->account = s;
	return true;
}

static const struct daemon_form forms[] = {
	{SPAN_LIT("IKE_SA "), EVENT_SESSION_OPEN, OUTCOME_SUCCESS, METHOD_NONE, 0, read_sa},
	{SPAN_LIT("deleting IKE_SA "), EVENT_SESSION_CLOSE, OUTCOME_UNKNOWN, METHOD_NONE, 0,
	 read_ends},
	{SPAN_LIT("assigning virtual IP "), EVENT_AUTH_NOTE, OUTCOME_UNKNOWN, METHOD_NONE, 0,
	 read_assigned},
	{SPAN_LIT("tried "), EVENT_ATTEMPT, OUTCOME_FAILURE, METHOD_PASSWORD, 0, read_mismatch},
	{SPAN_LIT("XAuth authentication of "), EVENT_ATTEMPT, OUTCOME_FAILURE, METHOD_PASSWORD, 0,
	 read_xauth},
};

static bool wants(const struct frame *f)
{
	return span_is(f->ident, "charon") || span_is(f->ident, "charon-systemd") ||
	       span_is(f->ident, "ipsec");
}

/*
 * "05[IKE] ", and since 6.0 "<rw|1> " behind it. Without a thread's number it is charon-systemd's
 * own way: no other group begins a line as those below do.
 */
static bool cut_group(struct span *s, bool is_journal)
{
	size_t end = text_find(*s, SPAN_LIT("[IKE] "), 0);

	if (is_journal && s->len && !text_is_digit(s->ptr[0]))
		return true;
	if (end == TEXT_NOT_FOUND || end > 3)
		return false;
	*s = span_skip(*s, end + 6);
	if (s->len && s->ptr[0] == '<') {
		end = text_find(*s, SPAN_LIT("> "), 0);
		*s = end == TEXT_NOT_FOUND ? *s : span_skip(*s, end + 2);
	}
	return true;
}

static enum decode_result decode(const struct frame *f, struct event *ret, const char **reason)
{
	struct span msg = f->message;
	enum decode_result r;

	*reason = "charon's, and it tells of no session";
	if (!cut_group(&msg, span_is(f->ident, "charon-systemd")))
		return DECODE_SKIPPED;
	ret->service = SERVICE_VPN;
	ret->witness = WITNESS_DAEMON;
	ret->proc = (struct proc_id){0};
	ret->gate.told = true;
	daemon_trust_alone(f, "charon", ret);
	r = DAEMON_READ(forms, msg, ret, reason);
	return r == DECODE_EVENT && ret->kind == EVENT_NONE ? DECODE_SKIPPED : r;
}

const struct decoder decoder_charon = {
	.name = "charon",
	.about = "strongSwan's IKE daemon; syslog",
	.example = "Nov 29 17:30:00 vpn charon[4711]: 05[IKE] IKE_SA rw[1] established between "
		   "192.0.2.1[gw.example.org]...203.0.113.10[carol@example.org]",
	.wants = wants,
	.decode = decode,
};
