/*
 * sshd_auth: verdicts, and what explains them.
 *
 * "METHOD for [invalid user ]USER from ADDR port N ssh2[: EXTRA]". USER is the client's word. So
 * is EXTRA in part: a certificate's key id, the client user of hostbased. METHOD is the client's
 * word too when sshd does not know it. Where a line can be read in two ways, the origin and the
 * account stay unknown rather than guessed.
 */
#include "sshd.h"

#include "text.h"

struct verdict {
	struct span user; /* with "invalid user " */
	struct span extra;
	struct endpoint origin;
};

static void set_origin(struct span addr, uint32_t port, struct endpoint *ret)
{
	struct endpoint e = {0};

	if (!addr_parse(addr, &e.addr, NULL))
		e.addr = (struct addr){0};
	if (e.addr.family != ADDR_NONE && port <= UINT16_MAX)
		e.port = (uint16_t)port;
	*ret = e;
}

bool sshd_cut_end_endpoint(struct span *s, bool need_port, struct endpoint *ret)
{
	struct span rest = *s, word = text_cut_end_word(&rest);
	struct span before = rest;
	uint64_t port = 0;

	if (span_is(text_cut_end_word(&before), "port") && span_u64(word, &port)) {
		rest = before;
		word = text_cut_end_word(&rest);
	} else if (need_port) {
		return false;
	}
	if (port > UINT16_MAX || span_empty(word))
		return false;
	set_origin(word, (uint32_t)port, ret);
	*s = rest;
	return true;
}

bool sshd_cut_endpoint(struct span *s, struct endpoint *ret)
{
	struct span rest = *s, word = text_cut_word(&rest);
	struct addr addr;
	uint32_t port = 0;
	size_t n = 0;

	text_cut_end(&word, SPAN_LIT(":")); /* "from 192.0.2.1: 11: Bye Bye", before version 7 */
	if (span_empty(word) || (!span_is(word, "UNKNOWN") && !addr_parse(word, &addr, NULL)))
		return false;
	if (text_cut(&rest, SPAN_LIT("port "))) {
		while (n < rest.len && text_is_digit(rest.ptr[n]))
			n++;
		port = text_u32(span_first(rest, n), UINT32_MAX);
		if (port > UINT16_MAX)
			return false;
		rest = span_skip(rest, n);
	}
	set_origin(word, port, ret);
	*s = rest;
	return true;
}

void sshd_set_account(struct span user, struct event *e)
{
	if (text_cut(&user, SPAN_LIT("invalid user ")) ||
	    text_cut(&user, SPAN_LIT("illegal user ")))
		e->flags |= EVENT_ACCOUNT_UNKNOWN;
	e->account = user;
}

/* "USER from ADDR[ port N]", from the right. */
static bool cut_from(struct span s, bool need_port, struct verdict *v)
{
	if (!sshd_cut_end_endpoint(&s, need_port, &v->origin))
		return false;
	if (!text_cut_end(&s, SPAN_LIT(" from")) && !span_is(s, "from"))
		return false;
	v->user = span_is(s, "from") ? text_none() : s;
	return true;
}

/* "ED25519 SHA256:..." and nothing else: no part of it is the client's text. */
static bool is_plain_key(struct span extra)
{
	struct span type = text_cut_word(&extra);

	return !span_empty(type) && !text_ends(type, SPAN_LIT("-CERT")) && !span_empty(extra) &&
	       text_find(extra, SPAN_LIT(" "), 0) == TEXT_NOT_FOUND;
}

/*
 * A line that goes on after "ssh2: ". Of an accepted login the user is an account of this host
 * and the key id may be hostile: the first place that fits. Of a failure both may be: only a
 * plain key settles it.
 */
static bool split_extra(struct span rest, bool success, struct verdict *v)
{
	const struct span mark = SPAN_LIT(" ssh2: ");
	unsigned found = 0;

	for (size_t at = text_find(rest, mark, 0); at != TEXT_NOT_FOUND;
	     at = text_find(rest, mark, at + 1)) {
		if (!cut_from(span_first(rest, at), true, v))
			continue;
		v->extra = span_skip(rest, at + mark.len);
		found++;
		if (success)
			break;
	}
	if (found > 1 && !is_plain_key(v->extra))
		*v = (struct verdict){0};
	return found > 0;
}

/* What stands after "METHOD for ". */
static bool split_verdict(struct span rest, bool success, struct verdict *v)
{
	struct span tail = text_trim_right(rest);

	*v = (struct verdict){0};
	if (text_cut_end(&tail, SPAN_LIT(" ssh2")) || text_cut_end(&tail, SPAN_LIT(" ssh1")))
		return cut_from(tail, true, v);
	if (split_extra(rest, success, v))
		return true;
	return cut_from(tail, true, v);
}

static void apply_verdict(const struct verdict *v, struct event *e)
{
	struct span extra = v->extra;
	size_t at = text_find(extra, SPAN_LIT(", client user "), 0);

	e->origin = v->origin;
	sshd_set_account(v->user, e);
	if (at != TEXT_NOT_FOUND) { /* hostbased: what the client says about itself */
		e->client = span_skip(extra, at + 2);
		extra = span_first(extra, at);
	}
	e->key = extra;
	if (e->method == METHOD_PUBLICKEY && text_ends(text_cut_word(&extra), SPAN_LIT("-CERT")))
		e->method = METHOD_CERTIFICATE;
}

/* Without "invalid user" sshd has found the account and lets it log in. */
static void set_exists(struct event *e)
{
	if (!(e->flags & EVENT_ACCOUNT_UNKNOWN) && !span_empty(e->account))
		e->flags |= EVENT_ACCOUNT_EXISTS;
}

/* "METHOD for ..."; the method is set, *rest is what follows. */
static bool cut_method(struct span *rest, struct event *e)
{
	e->method = method_from_name(text_cut_word(rest));
	return text_cut(rest, SPAN_LIT("for "));
}

bool sshd_read_accepted(struct span rest, struct event *e)
{
	struct verdict v;

	if (!cut_method(&rest, e))
		return false;
	if (split_verdict(rest, true, &v)) {
		apply_verdict(&v, e);
		set_exists(e);
		return true;
	}
	/* "Accepted google_authenticator for root": a PAM module's word, not sshd's verdict. */
	if (e->method != METHOD_OTHER || span_empty(rest))
		return false;
	e->kind = EVENT_AUTH_NOTE;
	e->witness = WITNESS_PAM_LOG;
	e->account = rest;
	return true;
}

/* SPEC 4.1: passwords and keyboard-interactive are verdicts; "none" and rejected keys are not. */
static bool is_attempt_method(enum method m)
{
	return m == METHOD_PASSWORD || m == METHOD_KEYBOARD_INTERACTIVE;
}

bool sshd_read_failed(struct span rest, struct event *e)
{
	struct verdict v;

	if (!cut_method(&rest, e) || !split_verdict(rest, false, &v))
		return false;
	apply_verdict(&v, e);
	set_exists(e);
	if (is_attempt_method(e->method))
		return true;
	e->kind = EVENT_AUTH_NOTE;
	/* "none" asks what is offered; a method that sshd does not have is no try either. */
	if (e->method == METHOD_NO_AUTH || e->method == METHOD_OTHER)
		e->outcome = OUTCOME_UNKNOWN;
	return true;
}

bool sshd_read_postponed(struct span rest, struct event *e)
{
	struct verdict v;

	if (!cut_method(&rest, e) || !split_verdict(rest, false, &v))
		return false;
	apply_verdict(&v, e);
	return true;
}

/* "USER from ADDR[ port N]" */
bool sshd_read_invalid_user(struct span rest, struct event *e)
{
	struct verdict v = {0};

	if (!cut_from(rest, false, &v))
		return false;
	e->account = v.user;
	e->origin = v.origin;
	return true;
}

/* "[invalid user ]USER from ADDR port N[ ssh2]" */
bool sshd_read_max_attempts(struct span rest, struct event *e)
{
	struct verdict v = {0};

	text_cut_end(&rest, SPAN_LIT(" ssh2"));
	if (!cut_from(rest, true, &v))
		return false;
	sshd_set_account(v.user, e);
	e->origin = v.origin;
	return true;
}

/* "Authentication failure for [illegal user ]USER from ADDR": keyboard-interactive, no port. */
bool sshd_read_pam_error(struct span rest, struct event *e)
{
	size_t at = text_find(rest, SPAN_LIT(" for "), 0);
	struct verdict v = {0};

	if (at == TEXT_NOT_FOUND || !cut_from(span_skip(rest, at + 5), false, &v))
		return false;
	e->method = METHOD_KEYBOARD_INTERACTIVE;
	sshd_set_account(v.user, e);
	e->origin = v.origin;
	return true;
}

/* "USER[ from HOST] not allowed because REASON": the account exists, policy says no. */
bool sshd_read_not_allowed(struct span rest, struct event *e)
{
	size_t at = text_find_last(rest, SPAN_LIT(" not allowed because "));
	struct verdict v = {0};

	if (at == TEXT_NOT_FOUND) { /* "USER password has expired", "USER FILE is not a ..." */
		e->kind = EVENT_NONE;
		return true;
	}
	rest = span_first(rest, at);
	if (!cut_from(rest, false, &v))
		v = (struct verdict){.user = rest};
	e->account = v.user;
	e->origin = v.origin;
	e->flags |= EVENT_ACCOUNT_EXISTS;
	return true;
}

/* "ADDR[ port N]" */
bool sshd_read_root_refused(struct span rest, struct event *e)
{
	e->account = SPAN_LIT("root");
	return sshd_cut_end_endpoint(&rest, false, &e->origin);
}

/*
 * "USER with correct key but not from a permitted host (host=H, ip=A[, required=P])." or
 * "USER with valid certificate but not from a permitted source address (A)."
 */
bool sshd_read_wrong_host(struct span rest, struct event *e)
{
	size_t at = text_find(rest, SPAN_LIT(" with "), 0), end;
	struct span addr;

	if (at == TEXT_NOT_FOUND)
		return false;
	e->account = span_first(rest, at);
	e->method = METHOD_PUBLICKEY;
	if ((at = text_find_last(rest, SPAN_LIT(" (host="))) != TEXT_NOT_FOUND) {
		at = text_find(rest, SPAN_LIT(", ip="), at);
		addr = at == TEXT_NOT_FOUND ? text_none() : span_skip(rest, at + 5);
	} else {
		e->method = METHOD_CERTIFICATE;
		at = text_find_last(rest, SPAN_LIT(" ("));
		addr = at == TEXT_NOT_FOUND ? text_none() : span_skip(rest, at + 2);
	}
	for (end = 0; end < addr.len && addr.ptr[end] != ')' && addr.ptr[end] != ',';)
		end++;
	set_origin(span_first(addr, end), 0, &e->origin);
	return !span_empty(addr);
}

/* "invalid user USER" to the end of the line. */
bool sshd_read_account(struct span rest, struct event *e)
{
	sshd_set_account(rest, e);
	return (e->flags & EVENT_ACCOUNT_UNKNOWN) != 0;
}

/* "ED25519 SHA256:... found at FILE:LINE" or "ID \"x\" (serial N) signed by TYPE CA FP via F" */
bool sshd_read_key(struct span rest, struct event *e)
{
	size_t at = text_find_last(rest, SPAN_LIT(" found at "));

	e->method = METHOD_PUBLICKEY;
	if (at == TEXT_NOT_FOUND) {
		e->method = METHOD_CERTIFICATE;
		at = text_find_last(rest, SPAN_LIT(" via "));
	}
	e->key = at == TEXT_NOT_FOUND ? rest : span_first(rest, at);
	return true;
}

/*
 * "WHAT[ on TTY] for USER from ADDR port N id I" and "user USER from ADDR port N id I": one
 * channel of a session, which may have several or none. WHAT is kept in args.
 */
bool sshd_read_session(struct span rest, struct event *e)
{
	struct span id = text_cut_end_word(&rest);
	struct verdict v = {0};
	size_t at;

	if (span_is(text_cut_end_word(&rest), "id") ? !cut_from(rest, true, &v) : true)
		return false;
	(void)id;
	e->origin = v.origin;
	if (text_cut(&v.user, SPAN_LIT("user "))) {
		e->account = v.user;
		return true;
	}
	at = text_find_last(v.user, SPAN_LIT(" for "));
	if (at == TEXT_NOT_FOUND)
		return false;
	e->account = span_skip(v.user, at + 5);
	e->args = span_first(v.user, at);
	at = text_find_last(e->args, SPAN_LIT(" on "));
	if (at != TEXT_NOT_FOUND) {
		e->tty = span_skip(e->args, at + 4);
		e->args = span_first(e->args, at);
		e->flags |= EVENT_PTY;
	}
	return true;
}
