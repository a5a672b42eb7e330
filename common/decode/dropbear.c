/*
 * dropbear: the small SSH server of routers and appliances, from syslog or its own standard error
 * ("[123] Nov 22 05:13:57 ..."), versions 0.52 to 2025.
 *
 * Sees each wrong password, each login with its method and key, the end of a session, and that an
 * account does not exist, once a connection and without its name. Cannot see: keys that it refused;
 * what is tried on an account that does not exist beyond the first.
 *
 * A user name stands between quotes with Dropbear's own words behind it, and is cut from the right.
 * Behind a failure's last address nothing follows; the reason at the end of a connection may hold
 * the name again, so there the address is taken from the left, where it comes first.
 *
 * Example: Bad password attempt for 'alice' from 203.0.113.7:40022
 */
#include "daemon_text.h"

/* "'U' from ADDR:PORT" */
static bool read_who(struct span s, struct event *e)
{
	return text_cut(&s, SPAN_LIT("'")) &&
	       daemon_cut_name(&s, SPAN_LIT("' from "), &e->account) &&
	       daemon_endpoint(s, &e->origin);
}

/* Dropbear's own name for one that does not exist. */
static bool read_failed(struct span s, struct event *e)
{
	if (!read_who(s, e))
		return false;
	if (span_is(e->account, "<invalid username>")) {
		e->account = text_none();
		e->flags |= EVENT_ACCOUNT_UNKNOWN;
	} else {
		e->flags |= EVENT_ACCOUNT_EXISTS;
	}
	return true;
}

/* "'U' with [ssh-ed25519 ]key FINGERPRINT from ADDR:PORT" */
static bool read_key(struct span s, struct event *e)
{
	struct span rest = s;
	size_t at = text_find_last(s, SPAN_LIT(" from "));

	if (at == TEXT_NOT_FOUND || !text_cut(&rest, SPAN_LIT("'")) ||
	    !daemon_endpoint(span_skip(s, at + 6), &e->origin))
		return false;
	rest = span_first(rest, at ? at - 1 : 0);
	if (!daemon_cut_name(&rest, SPAN_LIT("' with "), &e->account))
		return false;
	/* The type is named otherwise than by OpenSSH; the fingerprint is the same. */
	at = text_find_last(rest, SPAN_LIT("key "));
	e->key = at == TEXT_NOT_FOUND ? rest : span_skip(rest, at + 4);
	return !span_empty(e->account);
}

/*
 * "[ from ADDR:PORT]". Told once a connection, at its first request; with PAM the verdict on the
 * same password follows. Without a port it counts beside that verdict, not on top of it.
 */
static bool read_nobody(struct span s, struct event *e)
{
	struct endpoint end;

	if (span_empty(s))
		return true;
	if (!text_cut(&s, SPAN_LIT(" from ")) || !daemon_endpoint(s, &end))
		return false;
	e->origin.addr = end.addr;
	return true;
}

static bool read_connection(struct span s, struct event *e)
{
	return daemon_endpoint(s, &e->origin);
}

/* "U) from <ADDR:PORT>: REASON", before 2016 "U): REASON" */
static bool read_exit(struct span s, struct event *e)
{
	size_t at = text_find(s, SPAN_LIT(") from <"), 0), end = text_find(s, SPAN_LIT(">: "), 0);

	if (at == TEXT_NOT_FOUND) {
		at = text_find(s, SPAN_LIT("): "), 0);
		e->account = span_first(s, at);
		return at != TEXT_NOT_FOUND;
	}
	e->account = span_first(s, at);
	return end != TEXT_NOT_FOUND && end > at + 8 &&
	       daemon_endpoint(span_first(span_skip(s, at + 8), end - at - 8), &e->origin);
}

/* "[ from <ADDR:PORT>:] (user 'U', 3 fails): REASON"; the user only where there is such a one. */
static bool read_early_exit(struct span s, struct event *e)
{
	size_t end;

	if (text_cut(&s, SPAN_LIT(" from <"))) {
		end = text_find(s, SPAN_LIT(">:"), 0);
		if (end == TEXT_NOT_FOUND || !daemon_endpoint(span_first(s, end), &e->origin))
			return false;
		s = span_skip(s, end + 2);
	}
	text_cut(&s, SPAN_LIT(" "));
	if (!text_cut(&s, SPAN_LIT("(user '")))
		return true;
	end = text_find(s, SPAN_LIT("', "), 0);
	if (end == TEXT_NOT_FOUND)
		return false;
	e->account = span_first(s, end);
	e->flags |= EVENT_ACCOUNT_EXISTS;
	return true;
}

/* "'U' REJECTED": a known account that may not come in; nobody was asked for a password. */
static bool read_rejected(struct span s, struct event *e)
{
	static const struct span ends[] = {SPAN_LIT("' has invalid shell, rejected"),
					   SPAN_LIT("' has blank password, rejected"),
					   SPAN_LIT("' is not in restricted group"),
					   SPAN_LIT("' is locked"), SPAN_LIT("' rejected")};

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		if (text_cut_end(&s, ends[i])) {
			e->account = s;
			return true;
		}
	e->kind = EVENT_NONE;
	return true;
}

#define TRY(outcome, method, read) EVENT_ATTEMPT, OUTCOME_##outcome, METHOD_##method, 0, read
#define NOTE(flags, read)	   EVENT_AUTH_NOTE, OUTCOME_UNKNOWN, METHOD_NONE, flags, read

static const struct daemon_form forms[] = {
	{SPAN_LIT("Bad password attempt for "), TRY(FAILURE, PASSWORD, read_failed)},
	{SPAN_LIT("bad password attempt for "), TRY(FAILURE, PASSWORD, read_failed)},
	{SPAN_LIT("Bad PAM password attempt for "), TRY(FAILURE, PASSWORD, read_failed)},
	{SPAN_LIT("Too-long password attempt for "), TRY(FAILURE, PASSWORD, read_failed)},
	{SPAN_LIT("Login attempt for nonexistent user"), EVENT_ATTEMPT, OUTCOME_FAILURE,
	 METHOD_NONE, EVENT_ACCOUNT_UNKNOWN, read_nobody},
	{SPAN_LIT("login attempt for nonexistent user"), EVENT_ATTEMPT, OUTCOME_FAILURE,
	 METHOD_NONE, EVENT_ACCOUNT_UNKNOWN, read_nobody},
	{SPAN_LIT("Password auth succeeded for "), TRY(SUCCESS, PASSWORD, read_who)},
	{SPAN_LIT("password auth succeeded for "), TRY(SUCCESS, PASSWORD, read_who)},
	{SPAN_LIT("PAM password auth succeeded for "), TRY(SUCCESS, PASSWORD, read_who)},
	{SPAN_LIT("Auth succeeded with blank password for "), TRY(SUCCESS, NO_AUTH, read_who)},
	{SPAN_LIT("Pubkey auth succeeded for "), TRY(SUCCESS, PUBLICKEY, read_key)},
	{SPAN_LIT("pubkey auth succeeded for "), TRY(SUCCESS, PUBLICKEY, read_key)},
	{SPAN_LIT("Child connection from "), EVENT_CONNECTION, OUTCOME_UNKNOWN, METHOD_NONE, 0,
	 read_connection},
	{SPAN_LIT("Exit before auth"), NOTE(EVENT_PREAUTH, read_early_exit)},
	{SPAN_LIT("exit before auth"), NOTE(EVENT_PREAUTH, read_early_exit)},
	{SPAN_LIT("Exit ("), EVENT_SESSION_CLOSE, OUTCOME_UNKNOWN, METHOD_NONE, 0, read_exit},
	{SPAN_LIT("exit after auth ("), EVENT_SESSION_CLOSE, OUTCOME_UNKNOWN, METHOD_NONE, 0,
	 read_exit},
	{SPAN_LIT("User '"), NOTE(EVENT_ACCOUNT_EXISTS, read_rejected)},
};

static bool wants(const struct frame *f)
{
	return span_is(f->ident, "dropbear");
}

/* "[123] Nov 22 05:13:57 ": with -E, and a service manager that puts its own frame around it. */
static void cut_own_frame(struct span *msg)
{
	struct span s = *msg;
	size_t end = text_find(s, SPAN_LIT("] "), 0);

	if (!text_cut(&s, SPAN_LIT("[")) || end == TEXT_NOT_FOUND || end > 12)
		return;
	s = span_skip(*msg, end + 2);
	if (s.len > 16 && s.ptr[3] == ' ' && s.ptr[9] == ':' && s.ptr[12] == ':' &&
	    s.ptr[15] == ' ')
		*msg = span_skip(s, 16);
}

static enum decode_result decode(const struct frame *f, struct event *ret, const char **reason)
{
	struct span msg = f->message;
	enum decode_result r;

	cut_own_frame(&msg);
	ret->service = SERVICE_SSH;
	ret->witness = WITNESS_DAEMON;
	daemon_trust(f, "dropbear", ret);
	r = DAEMON_READ(forms, msg, ret, reason);
	if (r == DECODE_EVENT && ret->kind == EVENT_NONE) {
		*reason = "Dropbear's, and it tells of no login";
		return DECODE_SKIPPED;
	}
	return r;
}

const struct decoder decoder_dropbear = {
	.name = "dropbear",
	.about = "Dropbear SSH: routers and appliances; syslog or its standard error",
	.example = "Dec 10 09:32:20 router dropbear[24680]: Bad password attempt for 'alice' from "
		   "203.0.113.10:40022",
	.wants = wants,
	.decode = decode,
};
