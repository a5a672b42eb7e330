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

#define NOTE(flags)  EVENT_AUTH_NOTE, OUTCOME_UNKNOWN, (flags), false
#define END(flags)   EVENT_AUTH_NOTE, OUTCOME_UNKNOWN, (flags), true
#define NOTHING	     EVENT_NONE, OUTCOME_UNKNOWN, 0, false, NULL
#define TRY(outcome) EVENT_ATTEMPT, OUTCOME_##outcome, 0, false

/*
 * The first row whose prefix fits; the longer prefix first. Frequent ones come early. Rows without
 * a reader are known to carry nothing that an event could say.
 */
static const struct sshd_form forms[] = {
	{SPAN_LIT("Failed "), TRY(FAILURE), sshd_read_failed},
	{SPAN_LIT("Received disconnect from "), END(0), sshd_read_received},
	{SPAN_LIT("Invalid user "), NOTE(EVENT_ACCOUNT_UNKNOWN), sshd_read_invalid_user},
	{SPAN_LIT("input_userauth_request: "), NOTE(0), sshd_read_account},
	{SPAN_LIT("Connection closed by "), END(0), sshd_read_end},
	{SPAN_LIT("Connection reset by "), END(0), sshd_read_end},
	{SPAN_LIT("Disconnected from "), END(0), sshd_read_end},
	{SPAN_LIT("Disconnecting"), END(0), sshd_read_disconnecting},
	{SPAN_LIT("Accepted key "), NOTE(EVENT_ACCOUNT_EXISTS), sshd_read_key},
	{SPAN_LIT("Accepted certificate ID "), NOTE(EVENT_ACCOUNT_EXISTS), sshd_read_key},
	{SPAN_LIT("Accepted "), TRY(SUCCESS), sshd_read_accepted},
	{SPAN_LIT("Connection from "), END(0), sshd_read_connection},
	{SPAN_LIT("PAM: pam_"), NOTHING},
	{SPAN_LIT("PAM: "), TRY(FAILURE), sshd_read_pam_error},
	{SPAN_LIT("maximum authentication attempts exceeded for "), NOTE(0),
	 sshd_read_max_attempts},
	{SPAN_LIT("reverse mapping checking getaddrinfo for "), NOTE(0), sshd_read_reverse},
	{SPAN_LIT("Did not receive identification string from "), END(EVENT_PREAUTH),
	 sshd_read_from_right},
	{SPAN_LIT("Postponed "), NOTE(0), sshd_read_postponed},
	{SPAN_LIT("Partial "), NOTE(0), sshd_read_postponed},
	{SPAN_LIT("Illegal user "), NOTE(EVENT_ACCOUNT_UNKNOWN), sshd_read_invalid_user},
	{SPAN_LIT("User child is on pid "), NOTHING},
	{SPAN_LIT("User "), NOTE(0), sshd_read_not_allowed},
	{SPAN_LIT("ROOT LOGIN REFUSED FROM "), NOTE(EVENT_ACCOUNT_EXISTS), sshd_read_root_refused},
	{SPAN_LIT("Authentication tried for "), NOTE(EVENT_ACCOUNT_EXISTS), sshd_read_wrong_host},
	{SPAN_LIT("Starting session: "), NOTE(EVENT_ACCOUNT_EXISTS), sshd_read_session},
	{SPAN_LIT("Close session: "), NOTE(EVENT_ACCOUNT_EXISTS), sshd_read_session},
	{SPAN_LIT("Server listening on "), EVENT_LISTEN, OUTCOME_UNKNOWN, 0, false,
	 sshd_read_listening},
	{SPAN_LIT("drop connection #"), TRY(REFUSED), sshd_read_drop},
	{SPAN_LIT("administratively prohibited connection for "), TRY(REFUSED),
	 sshd_read_max_attempts},
	{SPAN_LIT("refused connect from "), TRY(REFUSED), sshd_read_refused},
	{SPAN_LIT("Timeout before authentication for "), END(EVENT_PREAUTH), sshd_read_timeout},
	{SPAN_LIT("Timeout, client not responding from "), END(0), sshd_read_end},
	{SPAN_LIT("Unable to negotiate with "), END(EVENT_PREAUTH), sshd_read_remote},
	{SPAN_LIT("banner exchange: Connection from "), END(EVENT_PREAUTH), sshd_read_remote},
	{SPAN_LIT("ssh_dispatch_run_fatal: Connection from "), END(0), sshd_read_remote},
	{SPAN_LIT("Read error from remote host "), END(0), sshd_read_remote},
	{SPAN_LIT("Bad protocol version identification "), END(EVENT_PREAUTH),
	 sshd_read_bad_version},
	{SPAN_LIT("kex_exchange_identification: client sent invalid protocol identifier "), NOTE(0),
	 sshd_read_identifier},
	{SPAN_LIT("Magic value check failed "), END(EVENT_PREAUTH), sshd_read_from_right},
	{SPAN_LIT("Address "), NOTE(0), sshd_read_maps_to},
	{SPAN_LIT("srclimit_penalise: "), NOTE(0), sshd_read_penalty},
	{SPAN_LIT("debug"), NOTHING},
	{SPAN_LIT("PAM service("), NOTHING},
	{SPAN_LIT("PAM adding faulty module"), NOTHING},
	{SPAN_LIT("PAM unable to dlopen"), NOTHING},
	{SPAN_LIT("Received signal "), NOTHING},
	{SPAN_LIT("Received SIGHUP"), NOTHING},
	{SPAN_LIT("Exiting on signal "), NOTHING},
	{SPAN_LIT("subsystem request for "), NOTHING},
	{SPAN_LIT("kex_exchange_identification: "), NOTHING},
	{SPAN_LIT("kex_protocol_error: "), NOTHING},
	{SPAN_LIT("Nasty PTR record "), NOTHING},
	{SPAN_LIT("Could not get shadow information for "), NOTHING},
	{SPAN_LIT("Authentication refused"), NOTHING},
	{SPAN_LIT("Transferred: sent "), NOTHING},
	{SPAN_LIT("Closing connection to "), NOTHING},
	{SPAN_LIT("Write failed: "), NOTHING},
};

bool sshd_wants(const struct frame *f)
{
	return span_empty(f->ident) || frame_is_sshd(f->ident) ||
	       span_starts(f->ident, SPAN_LIT("sshd("));
}

void sshd_unwrap_repeated(struct span *msg, struct event *e)
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
static struct span unwrap(struct span msg, struct event *e, bool *ret_preauth)
{
	size_t end;

	sshd_unwrap_repeated(&msg, e);
	if (span_starts(msg, SPAN_LIT("[ID ")) &&
	    (end = text_find(msg, SPAN_LIT("] "), 0)) != TEXT_NOT_FOUND)
		msg = span_skip(msg, end + 2);
	if (msg.len && msg.ptr[0] == 'e')
		text_cut(&msg, SPAN_LIT("error: "));
	else if (msg.len && msg.ptr[0] == 'f')
		text_cut(&msg, SPAN_LIT("fatal: "));
	*ret_preauth = text_cut_end(&msg, SPAN_LIT(" [preauth]"));
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

/* "/home/a/.ssh/authorized_keys:3: Authentication tried for ...": the place in front goes. */
static struct span skip_key_file(struct span msg)
{
	size_t at = TEXT_NOT_FOUND;

	if (msg.len && msg.ptr[0] == '/')
		at = text_find(msg, SPAN_LIT(": Authentication tried for "), 0);
	return at == TEXT_NOT_FOUND ? msg : span_skip(msg, at + 2);
}

static enum decode_result read_form(struct span msg, bool preauth, struct event *e,
				    const char **reason)
{
	const struct sshd_form *form = find_form(msg);

	if (!form || !form->read) {
		*reason = form ? "sshd's, and known to tell nothing about a login"
			       : "sshd's name in front, but not a line of it that we know";
		return DECODE_SKIPPED;
	}
	e->kind = form->kind;
	e->outcome = form->outcome;
	e->flags |= form->flags;
	if (form->ends && preauth)
		e->flags |= EVENT_PREAUTH;
	if (form->read(text_trim_right(span_skip(msg, form->prefix.len)), e)) {
		*reason = "sshd's, and known to tell nothing about a login";
		return e->kind == EVENT_NONE ? DECODE_SKIPPED : DECODE_EVENT;
	}
	*reason = "begins like a line of sshd, but is cut or goes on differently";
	return DECODE_BAD;
}

enum decode_result sshd_decode(const struct frame *f, struct event *ret, const char **reason)
{
	bool preauth;
	struct span msg = skip_key_file(unwrap(f->message, ret, &preauth));

	ret->service = SERVICE_SSH;
	ret->witness = WITNESS_DAEMON;
	if (pam_text_claims(f->ident, msg))
		return pam_text_read(f->ident, msg, ret, reason);
	return read_form(msg, preauth, ret, reason);
}

const struct decoder decoder_sshd = {
	.name = "sshd",
	.about = "OpenSSH server, versions 5 to 10: syslog (RFC 3164, RFC 5424) or sshd -e",
	.example = "Dec 10 09:32:20 bastion sshd[24680]: Accepted password for alice from "
		   "203.0.113.10 port 49116 ssh2",
	.wants = sshd_wants,
	.decode = sshd_decode,
};
