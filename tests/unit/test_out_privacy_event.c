/*
 * what collectors are sent of events and sessions keeps what Privacy says, in every schema: names
 * that do not exist here, secrets in command lines, and with Pseudonymise who it was at all.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>

#include "common/detect/detection.h"
#include "common/out/privacy.h"
#include "common/out/schema.h"

#define NOON 1795329060123000000ull

static const struct out_policy keep = {
	.keep_unknown_accounts = true, .command_lines = COMMANDS_FULL, .host_id = "machine"};
static const struct out_policy hide = {.privacy_key = 7, .host_id = "machine"};
static const struct out_policy none = {.privacy_key = 7, .command_lines = COMMANDS_NONE};
static const struct out_policy blind = {.privacy_key = 7,
					.pseudonymise = true,
					.keep_unknown_accounts = true,
					.command_lines = COMMANDS_FULL};
static const struct addr v4 = {ADDR_V4, {0}, {203, 0, 113, 77}};
static char buf[OUT_RECORD_MAX];

static struct event attempt(const char *account, const char *text)
{
	return (struct event){.kind = EVENT_ATTEMPT,
			      .service = SERVICE_SSH,
			      .outcome = OUTCOME_FAILURE,
			      .trust = TRUST_TRANSPORT,
			      .time_ns = NOON,
			      .count = 1,
			      .origin = {v4, 4022, 0},
			      .account = span_of(account),
			      .text = span_of(text)};
}

static void nobody_finds(const char *secret)
{
	if (strstr(buf, secret))
		fail_msg("%s stands in %s", secret, buf);
}

static void in_every_schema(const struct event *e, const struct out_policy *p, const char *secret,
			    const char *stays)
{
	const struct out_schema *s;

	for (unsigned i = 0; (s = out_schema_at(i)); i++) {
		assert_true(s->event(e, p, buf, sizeof(buf)) > 0);
		if (secret)
			nobody_finds(secret);
		if (stays && !strstr(buf, stays))
			fail_msg("%s is missing in %s", stays, buf);
	}
}

static void names_that_do_not_exist_are_hidden(void **state)
{
	struct event e = attempt("hunter2", "Failed password for invalid user hunter2 from "
					    "203.0.113.77 port 4022 ssh2");
	struct event pam = {.kind = EVENT_PAM,
			    .pam_call = PAM_CALL_AUTHENTICATE,
			    .result = 7,
			    .trust = TRUST_KERNEL,
			    .time_ns = NOON,
			    .account = SPAN_LIT("hunter2")};
	struct event other = attempt("", "Invalid user hunter2 from 203.0.113.77 port 4022");

	(void)state;
	e.flags = EVENT_ACCOUNT_UNKNOWN;
	in_every_schema(&e, &hide, "hunter2", "unknown:");
	in_every_schema(&e, &keep, NULL, "hunter2");
	in_every_schema(&pam, &hide, "hunter2", "unknown:"); /* a PAM call says of no name so */
	pam.result = 0;
	in_every_schema(&pam, &hide, "unknown:", "hunter2");
	in_every_schema(&other, &hide, "hunter2", "unknown:");
}

static void names_that_exist_stay(void **state)
{
	struct event e = attempt("alice", "Failed password for alice from 203.0.113.77 port 4022");

	(void)state;
	in_every_schema(&e, &hide, "unknown:", "alice"); /* sshd says of those that do not exist */
	e.service = SERVICE_MAIL;			 /* which does not */
	in_every_schema(&e, &hide, "alice", "unknown:");
	e.flags = EVENT_ACCOUNT_EXISTS;
	in_every_schema(&e, &hide, "unknown:", "alice");
}

/* A name that stands where the text is cut is hidden all the same. */
static void no_cut_leaves_half_a_name(void **state)
{
	static char text[4096];
	struct event e;

	(void)state;
	for (size_t at = PRIVACY_EVENT_TEXT - 20; at < PRIVACY_EVENT_TEXT + 4; at++) {
		memset(text, 'a', sizeof(text));
		memcpy(text + at - 1, " hunter2secret ", 15);
		text[3000] = '\0';
		e = attempt("hunter2secret", text);
		e.flags = EVENT_ACCOUNT_UNKNOWN;
		in_every_schema(&e, &hide, "hunt", NULL);
	}
}

static void command_lines_follow_the_policy(void **state)
{
	static const char args[] = "/usr/bin/mysql\0-phunter2\0db\0";
	struct event e = {.kind = EVENT_EXEC,
			  .trust = TRUST_KERNEL,
			  .time_ns = NOON,
			  .proc.pid = 7,
			  .program = SPAN_LIT("/usr/bin/mysql"),
			  .args = {args, sizeof(args) - 1}};
	struct event api = {.kind = EVENT_API,
			    .service = SERVICE_KUBE_API,
			    .time_ns = NOON,
			    .origin = {v4, 4022, 0},
			    .path = SPAN_LIT("/api/v1/exec?token=hunter2&command=id"),
			    .text = SPAN_LIT("GET /api/v1/exec?token=hunter2&command=id")};

	(void)state;
	in_every_schema(&e, &keep, NULL, "hunter2 db");
	in_every_schema(&e, &hide, "hunter2", NULL);
	in_every_schema(&e, &none, "hunter2", "/usr/bin/mysql");
	in_every_schema(&e, &none, " db", NULL);
	in_every_schema(&api, &hide, "hunter2", "/api/v1/exec");
	in_every_schema(&api, &none, "command", "/api/v1/exec");
}

static const char *const tales[] = {"mallory",	   "10.9.8.7",	  "203.0.113.77", "SHA256:kkk",
				    "laptop-of-m", "/home/bobby", "02:42"};

static void a_pseudonymised_event_tells_nobody(void **state)
{
	struct span tale = SPAN_LIT("mallory 10.9.8.7 /home/bobby/x SHA256:kkk laptop-of-m");

	(void)state;
	for (unsigned kind = 1; kind < EVENT_COUNT; kind++) {
		struct event e = attempt("mallory", tale.ptr);

		e.kind = kind;
		e.proc.pid = 7;
		e.local = e.dest = (struct endpoint){{ADDR_V4, {0}, {10, 9, 8, 7}}, 22, 0};
		e.args = e.path = e.via = e.api.detail = tale;
		e.user = SPAN_LIT("mallory");
		e.key = SPAN_LIT("ED25519 SHA256:kkk");
		e.client = SPAN_LIT("laptop-of-m");
		e.program = SPAN_LIT("/home/bobby/x");
		e.mac = SPAN_LIT("02:42:ac:11:00:02");
		for (unsigned i = 0; i < sizeof(tales) / sizeof(tales[0]); i++)
			in_every_schema(&e, &blind, tales[i], NULL);
	}
}

static void a_pseudonymised_session_tells_nobody(void **state)
{
	const struct out_schema *s;
	struct session t = {
		.id = "5e55aaaa00000000000000000000aaaa",
		.state = SESSION_CLOSED,
		.service = SERVICE_SSH,
		.open_ns = NOON,
		.close_ns = NOON,
		.account = "mallory",
		.effective_account = "mallory",
		.key = "ED25519 SHA256:kkk",
		.client = "laptop-of-m",
		.commands_kept = 1,
		.commands = {{.text = "ssh mallory@10.9.8.7"}},
		.dests_kept = 1,
		.dests = {{.dest = {{ADDR_V4, {0}, {10, 9, 8, 7}}, 22, 0},
			   .source = {ADDR_V4, {0}, {10, 9, 8, 7}},
			   .source_ports = {50001},
			   .count = 1,
			   .program = "/bobby/x"}},
		.listens_kept = 1,
		.listens_total = 1,
		.listens = {{{{ADDR_V4, {0}, {10, 9, 8, 7}}, 22, 0}}},
		.handoffs_kept = 1,
		.handoffs_total = 1,
		.handoffs = {
			{.state = HANDOFF_JOINED, .to = "/home/bobby/x", .what = "/home/bobby/x"}}};

	(void)state;
	t.origin = t.via = t.claimed = (struct endpoint){v4, 22, 0};
	t.local = t.dests[0].dest;
	for (unsigned i = 0; (s = out_schema_at(i)); i++) {
		assert_true(s->session(&t, &blind, buf, sizeof(buf)) > 0);
		nobody_finds("5e55aaaa");
		for (unsigned k = 0; k < sizeof(tales) / sizeof(tales[0]); k++)
			nobody_finds(tales[k]);
		assert_non_null(strstr(buf, "user:"));
	}
}

/* What is sent of an event and of the session's alert can be joined: the same pseudonyms. */
static void pseudonyms_join(void **state)
{
	struct event e = attempt("mallory", "x");
	struct alert a = {.detection = detections[0], .account = "mallory", .origin = {v4, 1, 0}};
	char user[64];
	const char *at;

	(void)state;
	out_schema_at(0)->event(&e, &blind, buf, sizeof(buf));
	at = strstr(buf, "user:");
	assert_non_null(at);
	snprintf(user, sizeof(user), "%.21s", at);
	out_schema_at(0)->alert(&a, &blind, buf, sizeof(buf));
	assert_non_null(strstr(buf, user));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_that_do_not_exist_are_hidden),
		cmocka_unit_test(names_that_exist_stay),
		cmocka_unit_test(no_cut_leaves_half_a_name),
		cmocka_unit_test(command_lines_follow_the_policy),
		cmocka_unit_test(a_pseudonymised_event_tells_nobody),
		cmocka_unit_test(a_pseudonymised_session_tells_nobody),
		cmocka_unit_test(pseudonyms_join),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
