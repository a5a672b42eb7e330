/*
 * mfa: what second factors say of their prompts, by PAM or in their own name.
 *
 * Sees Duo Unix (pam_duo in the name of the service that asks, login_duo in its own): who was
 * asked, from where the login comes, and whether the prompt was approved, denied or ran out of
 * time; and Google Authenticator's PAM module: which code was right or wrong, without an address.
 * A login that Duo let through without asking (bypass, its service out of reach) is no answer.
 * pam_oath and pam_u2f say nothing of an answer unless they debug, so they are not read.
 * Cannot see: where a telephone was when somebody pressed its button; who wrote a line of a
 * file.
 *
 * The user stands between quotes and is cut from the right, where Duo's own words are.
 *
 * Example: Failed Duo login for 'alice' from 203.0.113.9: Login request denied.
 */
#include "frame.h"
#include "pam_text.h"
#include "sshd.h"
#include "text.h"

static const struct duo_form {
	struct span prefix;
	enum outcome outcome; /* UNKNOWN: nobody was asked, or nobody answered */
} duo_forms[] = {
	{SPAN_LIT("Successful Duo login"), OUTCOME_SUCCESS},
	{SPAN_LIT("Failed Duo login"), OUTCOME_FAILURE},
	{SPAN_LIT("Aborted Duo login"), OUTCOME_UNKNOWN},
	{SPAN_LIT("Skipped Duo login"), OUTCOME_UNKNOWN},
	{SPAN_LIT("Allowed Duo login"), OUTCOME_UNKNOWN},
	{SPAN_LIT("Failsafe Duo login"), OUTCOME_UNKNOWN},
	{SPAN_LIT("Failsecure Duo login"), OUTCOME_UNKNOWN},
	{SPAN_LIT("Error in Duo login"), OUTCOME_UNKNOWN},
};

static const struct duo_form *duo_form(struct span msg)
{
	for (size_t i = 0; i < sizeof(duo_forms) / sizeof(duo_forms[0]); i++)
		if (span_starts(msg, duo_forms[i].prefix))
			return &duo_forms[i];
	return NULL;
}

/* Who may say so: Duo itself, or a service of PAM in whose name it speaks. */
static bool may_be_duo(struct span ident)
{
	return span_empty(ident) || frame_is_sshd(ident) || span_is(ident, "pam_duo") ||
	       span_is(ident, "login_duo") || pam_service_find(ident);
}

/* "sshd(pam_google_authenticator)": the service, or empty. */
static struct span google_service(struct span ident)
{
	return text_cut_end(&ident, SPAN_LIT("(pam_google_authenticator)")) ? ident : text_none();
}

static bool wants(const struct frame *f)
{
	struct event unused = {0};
	struct span msg = f->message;

	if (!span_empty(google_service(f->ident)))
		return true;
	sshd_unwrap_repeated(&msg, &unused);
	return duo_form(msg) && may_be_duo(f->ident);
}

/* " for 'U'[ from A][: WHY]" */
static bool read_duo(struct span s, struct event *e)
{
	size_t at, end;
	struct span from;

	if (!text_cut(&s, SPAN_LIT(" for '")))
		return false;
	at = text_find_last(s, SPAN_LIT("' from "));
	if (at != TEXT_NOT_FOUND) {
		from = span_skip(s, at + 7);
		end = text_find(from, SPAN_LIT(": "), 0);
		from = end == TEXT_NOT_FOUND ? from : span_first(from, end);
		if (!addr_parse(from, &e->origin.addr, NULL))
			e->origin.addr = (struct addr){0}; /* a name, or "localhost" */
	} else {
		at = text_find_last(s, SPAN_LIT("': "));
		if (at == TEXT_NOT_FOUND && text_ends(s, SPAN_LIT("'")))
			at = s.len - 1;
	}
	if (at == TEXT_NOT_FOUND || at == 0)
		return false;
	e->account = span_first(s, at);
	return true;
}

static enum decode_result decode_duo(const struct duo_form *form, struct span msg, struct event *e,
				     const char **reason)
{
	if (form->outcome == OUTCOME_UNKNOWN) {
		*reason = "a second factor that was not asked for, or that nobody answered";
		return DECODE_SKIPPED;
	}
	e->outcome = form->outcome;
	e->flags |= EVENT_ACCOUNT_EXISTS; /* others are not asked */
	*reason = "begins like a line of Duo, but is cut or goes on differently";
	return read_duo(span_skip(msg, form->prefix.len), e) ? DECODE_EVENT : DECODE_BAD;
}

static enum decode_result decode_google(struct span msg, struct event *e, const char **reason)
{
	if (text_cut(&msg, SPAN_LIT("Accepted google_authenticator for "))) {
		e->outcome = OUTCOME_SUCCESS;
	} else if (text_cut(&msg, SPAN_LIT("Invalid verification code for "))) {
		e->outcome = OUTCOME_FAILURE;
	} else {
		*reason = "a second factor's, but no answer to a prompt";
		return DECODE_SKIPPED;
	}
	*reason = "begins like a line of Google Authenticator, but names nobody";
	e->account = msg;
	return span_empty(msg) ? DECODE_BAD : DECODE_EVENT;
}

/*
 * Where journald says who wrote it (of a line in sshd's name frame_trust() has decided): root, or a
 * program that works for whoever called it. What logger writes in a module's name is a forgery.
 */
static enum trust trust_of(const struct frame *f)
{
	static const char *const callers[] = {"/sudo", "/su", "/doas", "/login_duo"};

	if (!frame_has_writer(f) || frame_is_sshd(f->ident))
		return f->trust;
	if (f->uid == 0)
		return TRUST_TRANSPORT;
	for (size_t i = 0; i < sizeof(callers) / sizeof(callers[0]); i++)
		if (span_starts(f->exe, SPAN_LIT("/usr/")) &&
		    text_ends(f->exe, span_of(callers[i])))
			return TRUST_TEXT;
	/* One that is gone has no path, and says nothing of who it was. */
	return f->exe.len && f->exe.ptr[0] == '/' ? TRUST_FORGED : TRUST_TEXT;
}

static enum decode_result decode(const struct frame *f, struct event *ret, const char **reason)
{
	struct span msg = f->message, service = google_service(f->ident);
	const struct pam_service *known;

	sshd_unwrap_repeated(&msg, ret);
	ret->kind = EVENT_MFA;
	ret->trust = trust_of(f);
	ret->pam_service = span_empty(service) ? f->ident : service;
	if (frame_is_sshd(ret->pam_service)) {
		/* Modules run in its privileged process, whether that is gone by now or not. */
		if (!span_empty(service) && frame_has_writer(f) && f->uid && f->uid != UINT32_MAX)
			ret->trust = TRUST_FORGED;
		ret->pam_service = SPAN_LIT("sshd");
	}
	known = pam_service_find(ret->pam_service);
	if (known)
		ret->service = known->service;
	else
		ret->pam_service = text_none();
	if (!span_empty(service))
		return decode_google(msg, ret, reason);
	return decode_duo(duo_form(msg), msg, ret, reason);
}

const struct decoder decoder_mfa = {
	.name = "mfa",
	.about = "second factors: Duo Unix (pam_duo, login_duo), Google Authenticator's PAM module",
	.example = "Dec 10 09:32:20 bastion sshd[24680]: Failed Duo login for 'alice' from "
		   "203.0.113.10: Login request denied.",
	.wants = wants,
	.decode = decode,
};
