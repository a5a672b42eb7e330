/*
 * sshd: OpenSSH's own words, versions 5 to 10, from syslog text (idents sshd, sshd-session and
 * sshd-auth) or bare (sshd -e).
 *
 * Sees what the kernel cannot: the method, the key's fingerprint, that an account does not exist,
 * why a login was refused. Cannot see: who wrote the line (sshd_journal can), verdicts under
 * LogLevel QUIET, and the first failures of a public key at LogLevel INFO.
 *
 * User names are chosen by the client and may hold anything, " from 198.51.100.9 port 22 ssh2"
 * included, so every form is cut from the side that sshd wrote (sshd_auth.c, sshd_conn.c).
 *
 * Example: Failed password for invalid user admin from 203.0.113.7 port 40022 ssh2
 */
#include "sshd.h"

#include "frame.h"
#include "pam_text.h"
#include "text.h"

/* "message repeated N times": a relay's word. Bounded, so that one line cannot be a flood. */
#define REPEAT_MAX 10000

#define NOTE	       EVENT_AUTH_NOTE, OUTCOME_UNKNOWN, 0
#define NOTE_OF(flags) EVENT_AUTH_NOTE, OUTCOME_UNKNOWN, (flags)

/* The first row whose prefix fits; the longer prefix first. Frequent ones come early. */
static const struct sshd_form forms[] = {
	{SPAN_LIT("Failed "), EVENT_ATTEMPT, OUTCOME_FAILURE, 0, sshd_read_failed},
	{SPAN_LIT("Received disconnect from "), NOTE, sshd_read_received},
	{SPAN_LIT("Invalid user "), NOTE_OF(EVENT_ACCOUNT_UNKNOWN), sshd_read_invalid_user},
	{SPAN_LIT("input_userauth_request: "), NOTE, sshd_read_account},
	{SPAN_LIT("Connection closed by "), NOTE, sshd_read_closed},
	{SPAN_LIT("Connection reset by "), NOTE, sshd_read_closed},
	{SPAN_LIT("Disconnected from "), NOTE, sshd_read_disconnected},
	{SPAN_LIT("Disconnecting"), NOTE, sshd_read_disconnecting},
	{SPAN_LIT("Accepted key "), NOTE_OF(EVENT_ACCOUNT_EXISTS), sshd_read_key},
	{SPAN_LIT("Accepted certificate ID "), NOTE_OF(EVENT_ACCOUNT_EXISTS), sshd_read_key},
	{SPAN_LIT("Accepted "), EVENT_ATTEMPT, OUTCOME_SUCCESS, 0, sshd_read_accepted},
	{SPAN_LIT("Connection from "), NOTE, sshd_read_connection},
	{SPAN_LIT("PAM: "), EVENT_AUTH_NOTE, OUTCOME_FAILURE, 0, sshd_read_pam_error},
	{SPAN_LIT("maximum authentication attempts exceeded for "), NOTE, sshd_read_max_attempts},
	{SPAN_LIT("reverse mapping checking getaddrinfo for "), NOTE, sshd_read_reverse},
	{SPAN_LIT("Did not receive identification string from "), NOTE_OF(EVENT_PREAUTH),
	 sshd_read_from_right},
	{SPAN_LIT("Postponed "), NOTE, sshd_read_postponed},
	{SPAN_LIT("Partial "), NOTE, sshd_read_postponed},
	{SPAN_LIT("Illegal user "), NOTE_OF(EVENT_ACCOUNT_UNKNOWN), sshd_read_invalid_user},
	{SPAN_LIT("User "), NOTE, sshd_read_not_allowed},
	{SPAN_LIT("ROOT LOGIN REFUSED FROM "), NOTE_OF(EVENT_ACCOUNT_EXISTS),
	 sshd_read_root_refused},
	{SPAN_LIT("Authentication tried for "), NOTE_OF(EVENT_ACCOUNT_EXISTS),
	 sshd_read_wrong_host},
	{SPAN_LIT("Starting session: "), NOTE_OF(EVENT_ACCOUNT_EXISTS), sshd_read_session},
	{SPAN_LIT("Close session: "), NOTE_OF(EVENT_ACCOUNT_EXISTS), sshd_read_session},
	{SPAN_LIT("Server listening on "), EVENT_LISTEN, OUTCOME_UNKNOWN, 0, sshd_read_listening},
	{SPAN_LIT("drop connection #"), EVENT_ATTEMPT, OUTCOME_REFUSED, 0, sshd_read_drop},
	{SPAN_LIT("refused connect from "), EVENT_ATTEMPT, OUTCOME_REFUSED, 0, sshd_read_refused},
	{SPAN_LIT("Timeout before authentication for "), NOTE_OF(EVENT_PREAUTH), sshd_read_timeout},
	{SPAN_LIT("Unable to negotiate with "), NOTE_OF(EVENT_PREAUTH), sshd_read_remote},
	{SPAN_LIT("banner exchange: Connection from "), NOTE_OF(EVENT_PREAUTH), sshd_read_remote},
	{SPAN_LIT("ssh_dispatch_run_fatal: Connection from "), NOTE, sshd_read_remote},
	{SPAN_LIT("ssh_packet_read: Connection from "), NOTE, sshd_read_remote},
	{SPAN_LIT("Bad protocol version identification "), NOTE_OF(EVENT_PREAUTH),
	 sshd_read_bad_version},
	{SPAN_LIT("kex_exchange_identification: client sent invalid protocol identifier "),
	 NOTE_OF(EVENT_PREAUTH), sshd_read_identifier},
	{SPAN_LIT("Magic value check failed "), NOTE_OF(EVENT_PREAUTH), sshd_read_from_right},
	{SPAN_LIT("Address "), NOTE, sshd_read_maps_to},
	{SPAN_LIT("srclimit_penalise: "), NOTE, sshd_read_penalty},
};

/* Words of sshd that carry nothing an event could say. Known, so that `decode` can tell. */
static const struct span silent[] = {
	SPAN_LIT("debug"),
	SPAN_LIT("User child is on pid "),
	SPAN_LIT("PAM service("),
	SPAN_LIT("PAM adding faulty module"),
	SPAN_LIT("PAM unable to dlopen"),
	SPAN_LIT("PAM: pam_"),
	SPAN_LIT("Received signal "),
	SPAN_LIT("Received SIGHUP"),
	SPAN_LIT("Exiting on signal "),
	SPAN_LIT("subsystem request for "),
	SPAN_LIT("kex_exchange_identification: "),
	SPAN_LIT("kex_protocol_error: "),
	SPAN_LIT("Nasty PTR record "),
};

bool sshd_wants(const struct frame *f)
{
	return span_empty(f->ident) || frame_is_sshd(f->ident) ||
	       span_starts(f->ident, SPAN_LIT("sshd("));
}

/* "message repeated 5 times: [ Failed password for ...]" becomes the message and a count. */
static void unwrap_repeated(struct span *msg, struct event *e)
{
	struct span rest = *msg;
	uint32_t n;

	if (!text_cut(&rest, SPAN_LIT("message repeated ")))
		return;
	n = text_u32(text_cut_word(&rest), 0);
	if (n == 0 || !text_cut(&rest, SPAN_LIT("times: [")))
		return;
	text_cut_end(&rest, SPAN_LIT("]"));
	e->count = n < REPEAT_MAX ? n : REPEAT_MAX;
	*msg = text_trim_left(rest);
}

/* What sshd and relays put in front and behind: levels, Solaris message ids, "[preauth]". */
static struct span unwrap(struct span msg, struct event *e)
{
	size_t end;

	unwrap_repeated(&msg, e);
	if (span_starts(msg, SPAN_LIT("[ID ")) &&
	    (end = text_find(msg, SPAN_LIT("] "), 0)) != TEXT_NOT_FOUND)
		msg = span_skip(msg, end + 2);
	if (msg.len && msg.ptr[0] == 'e')
		text_cut(&msg, SPAN_LIT("error: "));
	else if (msg.len && msg.ptr[0] == 'f')
		text_cut(&msg, SPAN_LIT("fatal: "));
	if (text_cut_end(&msg, SPAN_LIT(" [preauth]")))
		e->flags |= EVENT_PREAUTH;
	return text_trim_left(msg);
}

static const struct sshd_form *find_form(struct span msg)
{
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
		if (msg.len && msg.ptr[0] == forms[i].prefix.ptr[0] &&
		    span_starts(msg, forms[i].prefix))
			return &forms[i];
	return NULL;
}

static bool is_silent(struct span msg)
{
	for (size_t i = 0; i < sizeof(silent) / sizeof(silent[0]); i++)
		if (span_starts(msg, silent[i]))
			return true;
	return false;
}

/* "/home/a/.ssh/authorized_keys:3: Authentication tried for ...": the place in front goes. */
static struct span skip_key_file(struct span msg)
{
	size_t at = TEXT_NOT_FOUND;

	if (msg.len && msg.ptr[0] == '/')
		at = text_find(msg, SPAN_LIT(": Authentication tried for "), 0);
	return at == TEXT_NOT_FOUND ? msg : span_skip(msg, at + 2);
}

static enum decode_result read_form(struct span msg, struct event *e, const char **reason)
{
	const struct sshd_form *form = find_form(msg);

	if (!form) {
		*reason = "sshd's, but it tells nothing about a connection or a login";
		return DECODE_SKIPPED;
	}
	e->kind = form->kind;
	e->outcome = form->outcome;
	e->flags |= form->flags;
	if (form->read(text_trim_right(span_skip(msg, form->prefix.len)), e))
		return DECODE_EVENT;
	*reason = "begins like a line of sshd, but is cut or goes on differently";
	return DECODE_BAD;
}

enum decode_result sshd_decode(const struct frame *f, struct event *ret, const char **reason)
{
	struct span msg = skip_key_file(unwrap(f->message, ret));

	ret->service = SERVICE_SSH;
	ret->witness = WITNESS_DAEMON;
	if (pam_text_claims(f->ident, msg))
		return pam_text_read(f->ident, msg, ret, reason);
	if (is_silent(msg)) {
		*reason = "sshd's, and known to tell nothing about a login";
		return DECODE_SKIPPED;
	}
	return read_form(msg, ret, reason);
}

const struct decoder decoder_sshd = {
	.name = "sshd",
	.about = "OpenSSH server, versions 5 to 10: syslog (RFC 3164, RFC 5424) or sshd -e",
	.example = "Dec 10 09:32:20 bastion sshd[24680]: Accepted password for alice from "
		   "203.0.113.10 port 49116 ssh2",
	.wants = sshd_wants,
	.decode = sshd_decode,
};
