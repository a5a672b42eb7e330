/*
 * juniper: Junos (SRX, MX, EX, QFX): what its management process (mgd), its login and its sshd tell
 * of those who manage it, by their event tags.
 *
 * Sees logins by telnet and failed ones, with their address. What it says of SSH are notes and
 * second witnesses: its sshd tells of each try and session in its own words, and they count once.
 * mgd's login, verdict and logout have an account; an address only where it came by SSH. Cannot
 * see: remote access VPNs, whose documented words (DYNAMIC_VPN_*) name no address; RT_FLOW and
 * KMD_* are traffic and tunnels between gateways.
 *
 * The tag stands in front of the words, or is RFC 5424's MSGID; then the fields may stand in
 * structured data, where Junos escapes quotes. In the words a name is read up to the last of what
 * follows it.
 *
 * Sources: Juniper, "System Log Messages Reference": UI_AUTH_EVENT, UI_LOGIN_EVENT,
 * UI_LOGOUT_EVENT, LOGIN_FAILED, LOGIN_INFORMATION, SSHD_LOGIN_FAILED; Common Criteria guides,
 * "Interpret Event Messages", "Login and Logout Events Using SSH".
 *
 * Example: mgd[6520]: UI_LOGIN_EVENT: User 'bob' login, class 'j-super-user' [6520],
 * ssh-connection '203.0.113.9 53242 192.0.2.1 22', client-mode 'cli'
 */
#include "gateway.h"

/* Words behind the tag: BEGINS, the name, THEN; REST holds the address, if any. */
static const struct row {
	struct span ident, tag, begins, then;
	enum event_kind kind;
	enum outcome outcome;
	enum service service;
	enum witness witness;
} rows[] = {
	{SPAN_LIT("mgd"), SPAN_LIT("UI_AUTH_EVENT"), SPAN_LIT("Authenticated user '"),
	 SPAN_LIT("' a"), EVENT_AUTH_NOTE, OUTCOME_SUCCESS, SERVICE_OTHER, WITNESS_DAEMON},
	{SPAN_LIT("mgd"), SPAN_LIT("UI_LOGIN_EVENT"), SPAN_LIT("User '"),
	 SPAN_LIT("' login, class '"), EVENT_AUTH_NOTE, OUTCOME_SUCCESS, SERVICE_OTHER,
	 WITNESS_DAEMON},
	{SPAN_LIT("mgd"), SPAN_LIT("UI_LOGOUT_EVENT"), SPAN_LIT("User '"), SPAN_LIT("' logout"),
	 EVENT_AUTH_NOTE, OUTCOME_UNKNOWN, SERVICE_OTHER, WITNESS_DAEMON},
	{SPAN_LIT("sshd"), SPAN_LIT("SSHD_LOGIN_FAILED"), SPAN_LIT("Login failed for user '"),
	 SPAN_LIT("' from host '"), EVENT_ATTEMPT, OUTCOME_FAILURE, SERVICE_SSH, WITNESS_PAM_LOG},
	{SPAN_LIT("login"), SPAN_LIT("LOGIN_FAILED"), SPAN_LIT("Login failed for user "),
	 SPAN_LIT(" from host "), EVENT_ATTEMPT, OUTCOME_FAILURE, SERVICE_TELNET, WITNESS_DAEMON},
	{SPAN_LIT("login"), SPAN_LIT("LOGIN_INFORMATION"), SPAN_LIT("User "),
	 SPAN_LIT(" logged in from host "), EVENT_ATTEMPT, OUTCOME_SUCCESS, SERVICE_TELNET,
	 WITNESS_DAEMON},
};
#define ROWS (sizeof(rows) / sizeof(rows[0]))

static bool is_tag(struct span s)
{
	return span_starts(s, SPAN_LIT("UI_")) || span_starts(s, SPAN_LIT("SSHD_")) ||
	       span_starts(s, SPAN_LIT("LOGIN_"));
}

static bool wants(const struct frame *f)
{
	struct span tag = span_empty(f->msgid) ? f->message : f->msgid;

	if (frame_has_writer(f) || tag.len < 6 || tag.ptr[0] < 'L' || tag.ptr[0] > 'U')
		return false;
	return (span_is(f->ident, "mgd") || span_is(f->ident, "login") ||
		span_is(f->ident, "sshd")) &&
	       is_tag(tag);
}

/* The words behind the tag; *ret_tag is it. */
static struct span cut_tag(const struct frame *f, struct span *ret_tag)
{
	size_t end = text_find(f->message, SPAN_LIT(": "), 0);

	*ret_tag = f->msgid;
	if (!span_empty(f->msgid) || end == TEXT_NOT_FOUND)
		return f->message;
	*ret_tag = span_first(f->message, end);
	return span_skip(f->message, end + 2);
}

static const struct row *row_of(struct span ident, struct span tag)
{
	for (size_t i = 0; i < ROWS; i++)
		if (span_eq(ident, rows[i].ident) && span_eq(tag, rows[i].tag))
			return &rows[i];
	return NULL;
}

/* "203.0.113.9 53242 192.0.2.1 22", as SSH has it: from where and from which port. */
static void set_connection(struct span s, struct event *e)
{
	struct span address = text_cut_word(&s);

	if (!gateway_origin(e, address))
		return;
	e->origin.port = (uint16_t)(text_u32(text_cut_word(&s), 0) & 0xffff);
	e->service = SERVICE_SSH;
}

/* "[junos@2636.1.1.1.2.40 username="bob" source-address="203.0.113.9"]" */
static bool read_data(struct span s, struct event *e)
{
	size_t at = text_find(s, SPAN_LIT(" "), 0);
	struct fields f;
	struct span user, from;

	if (at == TEXT_NOT_FOUND || !span_starts(s, SPAN_LIT("[junos@")))
		return false;
	s = span_skip(s, at + 1);
	text_cut_end(&s, SPAN_LIT("]"));
	fields_read(s, &f);
	from = fields_first(&f, "source-address");
	if (!fields_once(&f, "username", &user))
		return false;
	gateway_account(e, user);
	gateway_origin(e, from);
	set_connection(fields_last(&f, "ssh-connection"), e);
	return true;
}

static bool read_words(const struct row *r, struct span s, struct event *e)
{
	size_t end;
	struct span rest;

	if (!text_cut(&s, r->begins))
		return false;
	end = text_find_last(s, r->then);
	if (end == TEXT_NOT_FOUND)
		return false;
	gateway_account(e, span_first(s, end));
	rest = span_skip(s, end + r->then.len);
	set_connection(gateway_after(rest, SPAN_LIT("ssh-connection '"), SPAN_LIT("'")), e);
	if (r->kind == EVENT_ATTEMPT) {
		rest = text_cut_word(&rest);
		text_cut_end(&rest, SPAN_LIT("'"));
		gateway_origin(e, rest);
	}
	return true;
}

static enum decode_result decode(const struct frame *f, struct event *ret, const char **reason)
{
	struct span tag, words = cut_tag(f, &tag);
	const struct row *r = row_of(f->ident, tag);

	*reason = "Junos', and neither a verdict nor about a session";
	if (!r)
		return DECODE_SKIPPED;
	gateway_row(ret, r->kind, r->service, r->outcome);
	ret->witness = r->witness;
	*reason = "begins like a line of Junos, but is cut";
	if (!read_data(words, ret) && !read_words(r, words, ret))
		return DECODE_BAD;
	*reason = "a login at the console of Junos";
	if (r->kind == EVENT_ATTEMPT && !ret->origin.addr.family)
		return DECODE_SKIPPED;
	return DECODE_EVENT;
}

const struct decoder decoder_juniper = {
	.name = "juniper",
	.about = "Junos: logins by telnet, failed ones, and what mgd says of those by SSH",
	.example = "Feb 27 02:33:04 mx1 mgd[6520]: UI_LOGIN_EVENT: User 'bob' login, class "
		   "'j-super-user' [6520], ssh-connection '203.0.113.10 53242 192.0.2.1 22', "
		   "client-mode 'cli'",
	.wants = wants,
	.decode = decode,
};
