/*
 * privacy and redaction: what must not get out does not, and what an operator needs stays.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>

#include "common/out/privacy.h"
#include "common/out/redact.h"
#include "common/out/siphash.h"

static const struct out_policy keep = {.keep_unknown_accounts = true,
				       .command_lines = COMMANDS_FULL};
static const struct out_policy hide = {.privacy_key = 7};

/* Vectors of the SipHash paper: key 00..0f, messages 00, 00 01, ... */
static void siphash_matches_its_vectors(void **state)
{
	static const uint64_t vectors[] = {
		0x726fdb47dd0e0e31, 0x74f839c593dc67fd, 0x0d6c8009d9a94f5a,
		0x85676696d7fb7e2d, 0xcf2794e0277187b7, 0x18765564cd99a68d,
		0xcbc9466e58fee3ce, 0xab0200f58b01d137, 0x93f5f5799a932462};
	char m[16];

	(void)state;
	for (unsigned i = 0; i < 9; i++) {
		m[i] = (char)i;
		assert_true(siphash((struct span){m, i}, 0x0706050403020100, 0x0f0e0d0c0b0a0908) ==
			    vectors[i]);
	}
}

/* input, what must be left of it */
static const char *const commands[][2] = {
	{"ls -la /tmp", "ls -la /tmp"},
	{"mysql -u root -phunter2 db", "mysql -u root -p*** db"},
	{"/usr/bin/mysqldump -phunter2", "/usr/bin/mysqldump -p***"},
	{"mysql -p db", "mysql -p db"},
	{"ssh -p 2222 host", "ssh -p 2222 host"},
	{"mysql db | ssh -p22 h", "mysql db | ssh -p22 h"},
	{"mkdir -p /srv/x", "mkdir -p /srv/x"},
	{"sh -c 'mysql -phunter2'", "sh -c 'mysql -p***"},
	{"sshpass -p hunter2 ssh -p 22 h", "sshpass -p *** ssh -p 22 h"},
	{"x --password=hunter2 y", "x --password=*** y"},
	{"x --password hunter2 y", "x --password *** y"},
	{"x --password --force", "x --password --force"},
	{"x --db-password='hun ter' y", "x --db-password=*** ter' y"},
	{"x --TOKEN hunter2", "x --TOKEN ***"},
	{"x --password-file=/etc/x", "x --password-file=/etc/x"},
	{"vault login -token=hvs.abc", "vault login -token=***"},
	{"PGPASSWORD=hunter2 psql", "PGPASSWORD=*** psql"},
	{"AWS_SECRET_ACCESS_KEY=abc aws s3 ls", "AWS_SECRET_ACCESS_KEY=*** aws s3 ls"},
	{"PWD=/root OLDPWD=/ env", "PWD=/root OLDPWD=/ env"},
	{"MYSQL_PWD=hunter2 mysql", "MYSQL_PWD=*** mysql"},
	{"git clone https://u:hunter2@h/x", "git clone https://u:***@h/x"},
	{"curl http://h:8080/a@b", "curl http://h:8080/a@b"},
	{"curl ftp://u:p@ss@h/", "curl ftp://u:***@h/"},
	{"git clone ssh://git@h/x", "git clone ssh://git@h/x"},
	{"curl https://h/?a=1&token=abc&b=2", "curl https://h/?a=1&token=***&b=2"},
	{"curl -u bob:hunter2 h", "curl -u bob:*** h"},
	{"curl -ubob:hunter2 h", "curl -ubob:*** h"},
	{"curl --user bob:hunter2 h", "curl --user bob:*** h"},
	{"curl -H Authorization: Bearer abc.def h", "curl -H Authorization: Bearer *** h"},
	{"curl -H Authorization:Basic abc h", "curl -H Authorization:Basic *** h"},
	{"curl -H X-Api-Key: abc h", "curl -H X-Api-Key: *** h"},
	{"curl -d {\"user\":\"bob\",\"password\":\"hunter2\"} h",
	 "curl -d {\"user\":\"bob\",\"password\":***} h"},
	{"aws configure set x AKIAIOSFODNN7EXAMPLE", "aws configure set x AKIA***"},
	{"echo eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc", "echo eyJh***"},
	{"echo ghp_0123456789abcdefghij0123456789", "echo ghp_***"},
	{"smbclient -U bob%hunter2 //h/s", "smbclient -U bob%*** //h/s"},
	{"redis-cli -a hunter2 ping", "redis-cli -a *** ping"},
	{"203.0.113.9 guessed a password: 12 failures",
	 "203.0.113.9 guessed a password: 12 failures"},
	{"Accepted password for root from 203.0.113.9 port 22 ssh2",
	 "Accepted password for root from 203.0.113.9 port 22 ssh2"},
	{"  two  spaces\tand tab ", "  two  spaces\tand tab "},
	{"", ""},
	{"=", "="},
	{"password=", "password="},
	{"--token", "--token"},
	{"://:@", "://:***@"},
};

static void secrets_are_redacted_and_nothing_else(void **state)
{
	char buf[256];

	(void)state;
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		size_t n = redact_command(span_of(commands[i][0]), buf, sizeof(buf));

		assert_string_equal(buf, commands[i][1]);
		assert_int_equal(n, strlen(buf));
	}
}

static void redaction_survives_any_bytes_and_any_size(void **state)
{
	char in[96], out[96 + 1];
	uint32_t seed = 1;

	(void)state;
	for (unsigned round = 0; round < 20000; round++) {
		size_t len = round % sizeof(in), cap = 1 + round % 96;

		for (size_t i = 0; i < len; i++) {
			seed = seed * 1664525 + 1013904223;
			in[i] = seed >> 31 ? (char)(seed >> 16) : " -=:/@\"'pP"[seed >> 20 & 7];
		}
		memset(out, 'Z', sizeof(out));
		assert_true(redact_command((struct span){in, len}, out, cap) < cap);
		assert_int_equal(out[cap], 'Z');
	}
}

static struct alert alert_of(const char *account, const char *sentence, const char *evidence)
{
	struct alert a = {.account_unknown = true, .evidence_count = 1};

	span_copy(a.account, sizeof(a.account), span_of(account));
	span_copy(a.sentence, sizeof(a.sentence), span_of(sentence));
	span_copy(a.evidence[0].text, sizeof(a.evidence[0].text), span_of(evidence));
	a.evidence[0].kind = EVENT_ATTEMPT;
	return a;
}

static void unknown_accounts_are_hidden_everywhere(void **state)
{
	static const char *const rows[][4] = {
		/* account, evidence, before the hash, after it */
		{"hunter2", "Failed password for invalid user hunter2 from 203.0.113.9 port 5 ssh2",
		 "Failed password for invalid user ", " from 203.0.113.9 port 5 ssh2"},
		{"hunter2", "Invalid user other! from 203.0.113.9 port 5", "Invalid user ",
		 " from 203.0.113.9 port 5"},
		{"a from b", "Invalid user a from b from 203.0.113.9 port 5", "Invalid user ",
		 " from 203.0.113.9 port 5"},
		{"x", "Connection closed by invalid user secret 2001:db8::1 port 5 [preauth]",
		 "Connection closed by invalid user ", " 2001:db8::1 port 5 [preauth]"},
		{"hunter2",
		 "attempt failure by password for invalid user 'other' from 203.0.113.9:5",
		 "attempt failure by password for invalid user '", "' from 203.0.113.9:5"},
		{"x", "input_userauth_request: invalid user secret [preauth]",
		 "input_userauth_request: invalid user ", " [preauth]"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct alert a = alert_of(rows[i][0], "", rows[i][1]), shown;
		const char *text = shown.evidence[0].text;
		size_t before = strlen(rows[i][2]);

		snprintf(a.sentence, sizeof(a.sentence), "guessed (%s) often", rows[i][0]);
		privacy_alert(&a, &hide, &shown);
		assert_memory_equal(shown.account, "unknown:", 8);
		assert_memory_equal(text, rows[i][2], before);
		assert_memory_equal(text + before, "unknown:", 8);
		assert_string_equal(text + strlen(text) - strlen(rows[i][3]), rows[i][3]);
		assert_memory_equal(shown.sentence, "guessed (unknown:", 17);
		privacy_alert(&a, &keep, &shown);
		assert_memory_equal(&a, &shown, sizeof(a));
	}
}

static void hashes_depend_on_name_and_key(void **state)
{
	char a[PRIVACY_NAME_MAX], b[PRIVACY_NAME_MAX];

	(void)state;
	privacy_name(SPAN_LIT("hunter2"), 1, a);
	assert_string_equal(a + 24, ":7");
	assert_string_equal(a, privacy_name(SPAN_LIT("hunter2"), 1, b));
	assert_string_not_equal(a, privacy_name(SPAN_LIT("hunter2"), 2, b));
	assert_string_not_equal(a, privacy_name(SPAN_LIT("hunter3"), 1, b));
}

static void hiding_twice_changes_nothing(void **state)
{
	struct alert a = alert_of("hunter2", "guessed hunter2", "invalid user hunter2 from ::1"), b,
		     c;

	(void)state;
	privacy_alert(&a, &hide, &b);
	privacy_alert(&b, &hide, &c);
	assert_string_equal(b.account, c.account);
	assert_string_equal(b.sentence, c.sentence);
	assert_string_equal(b.evidence[0].text, c.evidence[0].text);
}

static void short_and_address_names_do_not_spoil_the_text(void **state)
{
	struct alert a = alert_of("1", "guessed 1 from 192.0.2.1, 11 times", ""), shown;

	(void)state;
	privacy_alert(&a, &hide, &shown);
	assert_non_null(strstr(shown.sentence, "from 192.0.2.1, 11 times"));
	assert_null(strstr(shown.sentence, "guessed 1 "));
	a = alert_of("192.0.2.1", "guessed 192.0.2.1 from 192.0.2.1", "");
	privacy_alert(&a, &hide, &shown);
	assert_string_equal(shown.sentence, a.sentence);
	assert_memory_equal(shown.account, "unknown:", 8);
}

static void a_cut_name_takes_its_rest_along(void **state)
{
	char name[ACCOUNT_MAX], text[200];
	struct alert a, shown;

	(void)state;
	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	snprintf(text, sizeof(text), "for %srest from x", name);
	a = alert_of(name, text, "");
	privacy_alert(&a, &hide, &shown);
	assert_null(strstr(shown.sentence, "rest"));
	assert_non_null(strstr(shown.sentence, " from x"));
}

/* Sentences hold printable ASCII, in quotes, and cut long names. */
static void names_are_found_as_sentences_hold_them(void **state)
{
	static const char *const rows[][3] = {
		{"h\xc3\xbcnter'2", "guessed 'h??nter?2' often", "guessed 'unknown:"},
		{"averylongpasswordthatwascut", "guessed 'averylong...' often",
		 "guessed 'unknown:"},
		{"bell\x07inside", "attempt for 'bell?inside' from ::1", "attempt for 'unknown:"},
	};
	struct alert shown;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct alert a = alert_of(rows[i][0], rows[i][1], rows[i][1]);

		privacy_alert(&a, &hide, &shown);
		assert_memory_equal(shown.sentence, rows[i][2], strlen(rows[i][2]));
		assert_memory_equal(shown.evidence[0].text, rows[i][2], strlen(rows[i][2]));
		assert_non_null(strchr(shown.sentence + strlen(rows[i][2]), '\''));
	}
}

static void quoted_lines_in_sentences_are_hidden(void **state)
{
	struct alert a = alert_of("",
				  "a line says 'Invalid user secret from ::1 port 5' but the "
				  "kernel saw a connection from 203.0.113.9",
				  ""),
		     shown;

	(void)state;
	privacy_alert(&a, &hide, &shown);
	assert_null(strstr(shown.sentence, "secret"));
	assert_non_null(strstr(shown.sentence, ":6 from ::1 port 5' but the kernel saw a "
					       "connection from 203.0.113.9"));
	a = alert_of("", "a line says 'input_userauth_request: invalid user secret' today", "");
	privacy_alert(&a, &hide, &shown);
	assert_null(strstr(shown.sentence, "secret"));
	assert_non_null(strstr(shown.sentence, ":6' today"));
}

/* The alert's own account may be another one: the last name that was tried. */
static void denied_names_in_sentences_are_hidden(void **state)
{
	struct alert a = alert_of("root",
				  "9 failures, the last for 'secret', which does not exist. So.",
				  ""),
		     shown, again;

	(void)state;
	a.account_unknown = false;
	privacy_alert(&a, &hide, &shown);
	assert_null(strstr(shown.sentence, "secret"));
	assert_non_null(strstr(shown.sentence, ":6', which does not exist. So."));
	privacy_alert(&shown, &hide, &again);
	assert_string_equal(shown.sentence, again.sentence);
}

static void known_accounts_stay(void **state)
{
	struct alert a = alert_of("root", "guessed root", "Failed password for root from ::1"),
		     shown;

	(void)state;
	a.account_unknown = false;
	privacy_alert(&a, &hide, &shown);
	assert_memory_equal(&a, &shown, sizeof(a));
}

static void command_policy_reaches_evidence_and_sentence(void **state)
{
	struct alert a =
		alert_of("", "alice ran mysql -phunter2 db; then left", "mysql -phunter2 db");
	struct out_policy none = keep;
	struct alert shown;

	(void)state;
	a.evidence[0].kind = EVENT_EXEC;
	privacy_alert(&a, &hide, &shown);
	assert_string_equal(shown.evidence[0].text, "mysql -p*** db");
	assert_string_equal(shown.sentence, "alice ran mysql -p*** db; then left");
	none.command_lines = COMMANDS_NONE;
	span_copy(a.evidence[0].text, ALERT_EVIDENCE_MAX,
		  SPAN_LIT("exec by /usr/bin/mysql: mysql -phunter2 db"));
	privacy_alert(&a, &none, &shown);
	assert_string_equal(shown.evidence[0].text, "exec by /usr/bin/mysql");
	privacy_alert(&a, &hide, &shown);
	assert_string_equal(shown.evidence[0].text, "exec by /usr/bin/mysql: mysql -p*** db");
	span_copy(a.evidence[0].text, ALERT_EVIDENCE_MAX, SPAN_LIT("mysql -phunter2 db"));
	privacy_alert(&a, &none, &shown);
	assert_string_equal(shown.evidence[0].text, "mysql");
	assert_string_equal(shown.sentence, "alice ran mysql; then left");
	privacy_alert(&a, &keep, &shown);
	assert_string_equal(shown.evidence[0].text, "mysql -phunter2 db");
}

/* Of whatever kind the event is that carries a command line. */
static void every_kind_of_command_is_one(void **state)
{
	static const enum event_kind kinds[] = {EVENT_EXEC, EVENT_SNAPSHOT, EVENT_LOOPBACK,
						EVENT_SERVER_SHELL, EVENT_HANDOFF};
	struct out_policy none = {.command_lines = COMMANDS_NONE};
	struct alert shown;

	(void)state;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct alert a = alert_of("", "x", "it by apache2: sh -c mysql -phunter2");

		a.evidence[0].kind = kinds[i];
		privacy_alert(&a, &none, &shown);
		assert_string_equal(shown.evidence[0].text, "it by apache2");
		privacy_alert(&a, &hide, &shown);
		assert_null(strstr(shown.evidence[0].text, "hunter2"));
	}
}

/* A command line that ends a sentence is cut off where none are told. */
static void a_tunnels_command_line_follows_the_policy(void **state)
{
	struct alert a = alert_of("", "through 'ssh'. Command line: ssh --token abc relay",
				  "loopback from 203.0.113.7:443 by ssh: ssh --token abc relay");
	struct out_policy none = keep;
	struct alert shown;

	(void)state;
	a.evidence[0].kind = EVENT_LOOPBACK;
	none.command_lines = COMMANDS_NONE;
	privacy_alert(&a, &none, &shown);
	assert_string_equal(shown.sentence, "through 'ssh'.");
	assert_string_equal(shown.evidence[0].text, "loopback from 203.0.113.7:443 by ssh");
	privacy_alert(&a, &hide, &shown);
	assert_null(strstr(shown.sentence, "abc"));
	assert_null(strstr(shown.evidence[0].text, "abc"));
	privacy_alert(&a, &keep, &shown);
	assert_string_equal(shown.sentence, a.sentence);
}

static void session_commands_follow_the_policy(void **state)
{
	struct session s = {.commands_kept = 1}, shown;
	struct out_policy none = {.command_lines = COMMANDS_NONE};

	(void)state;
	span_copy(s.commands[0].text, COMMAND_MAX, SPAN_LIT("x --token abc"));
	privacy_session(&s, &hide, &shown);
	assert_string_equal(shown.commands[0].text, "x --token ***");
	privacy_session(&s, &none, &shown);
	assert_string_equal(shown.commands[0].text, "x");
	privacy_session(&s, &keep, &shown);
	assert_string_equal(shown.commands[0].text, "x --token abc");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(siphash_matches_its_vectors),
		cmocka_unit_test(secrets_are_redacted_and_nothing_else),
		cmocka_unit_test(redaction_survives_any_bytes_and_any_size),
		cmocka_unit_test(unknown_accounts_are_hidden_everywhere),
		cmocka_unit_test(every_kind_of_command_is_one),
		cmocka_unit_test(hashes_depend_on_name_and_key),
		cmocka_unit_test(hiding_twice_changes_nothing),
		cmocka_unit_test(short_and_address_names_do_not_spoil_the_text),
		cmocka_unit_test(a_cut_name_takes_its_rest_along),
		cmocka_unit_test(names_are_found_as_sentences_hold_them),
		cmocka_unit_test(quoted_lines_in_sentences_are_hidden),
		cmocka_unit_test(denied_names_in_sentences_are_hidden),
		cmocka_unit_test(known_accounts_stay),
		cmocka_unit_test(command_policy_reaches_evidence_and_sentence),
		cmocka_unit_test(a_tunnels_command_line_follows_the_policy),
		cmocka_unit_test(session_commands_follow_the_policy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
