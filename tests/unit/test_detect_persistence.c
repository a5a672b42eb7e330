/*
 * activity.persistence: who is told, how badly, with what. And what its evidence is made of: the
 * digest and the name of a key, against figures of other programs (sha256sum, ssh-keygen -l).
 */
#include "core_world.h"

#include "common/authorized_key.h"
#include "common/sha256.h"

#define A  "203.0.113.9"
#define ID "activity.persistence"

static void login(struct world *w, double at, uint64_t conn, const char *origin)
{
	connected(w, at, conn, origin, 2999);
	pam_password(w, at, conn, origin, 2999, "alice");
	EXEC(w, at + 1, conn, "/bin/bash", "-bash");
}

static void changed(struct world *w, double at, uint64_t conn, const char *subject,
		    const char *path, uint32_t flags)
{
	struct event e = kernel_event(w, EVENT_FILE, at, conn, NULL, 0);
	char text[200];

	snprintf(text, sizeof(text), "%s: %s by /bin/bash (pid 7) (sha256 none -> 00ff)", subject,
		 path);
	e.local = (struct endpoint){0};
	e.proc = (struct proc_id){.pid = 7, .start_ns = 5};
	e.service = SERVICE_NONE;
	e.subject = span_of(subject);
	e.path = span_of(path);
	e.text = span_of(text);
	e.flags = flags;
	step(w, &e);
}

static void a_session_leaves_a_key(void **state)
{
	struct world *w = world_new(true);
	const struct alert *a;

	(void)state;
	login(w, 0, 5, A);
	changed(w, 3, 5, "authorized-keys", "/home/alice/.ssh/authorized_keys", 0);
	assert_int_equal(alerts_of(w, ID), 1);
	a = &alert_of(w, ID, A)->last;
	assert_int_equal(a->severity, SEVERITY_HIGH);
	assert_string_equal(a->reason, "authorized-keys");
	assert_string_equal(a->account, "alice");
	assert_string_equal(a->stage, "activity");
	assert_string_not_equal(a->session, "");
	assert_int_equal(a->local.port, 22);
	assert_non_null(strstr(a->sentence, "/home/alice/.ssh/authorized_keys by /bin/bash"));
	assert_null(strstr(a->sentence, "sha256"));
	assert_int_equal(a->evidence_count, 1);
	assert_int_equal(a->evidence[0].kind, EVENT_FILE);
	assert_non_null(strstr(a->evidence[0].text, "(sha256 none -> 00ff)"));
	world_free(w);
}

static void changes_of_a_session_are_one_alert(void **state)
{
	struct world *w = world_new(true);
	const struct seen_alert *a;

	(void)state;
	login(w, 0, 5, A);
	for (unsigned i = 0; i < 6; i++)
		changed(w, 3 + i, 5, i ? "scheduled-task" : "authorized-keys",
			i ? "/etc/cron.d/x" : "/k", 0);
	tick(w, 60);
	assert_int_equal(alerts_of(w, ID), 1);
	a = alert_of(w, ID, A);
	assert_int_equal(a->last.count, 6);
	assert_non_null(strstr(a->last.sentence, "/k by"));
	assert_non_null(strstr(a->last.sentence, "/etc/cron.d/x by"));
	assert_non_null(strstr(a->last.sentence, "and 2 more"));
	assert_int_equal(a->notified, 1);
	world_free(w);
}

static void a_process_of_no_session_is_nothing(void **state)
{
	struct world *w = world_new(true);

	(void)state;
	login(w, 0, 5, A);
	changed(w, 3, 0, "authorized-keys", "/home/alice/.ssh/authorized_keys", 0);
	changed(w, 3, 77, "account", "/etc/passwd", 0); /* a connection nobody logged in on */
	assert_int_equal(alerts_of(w, ID), 0);
	world_free(w);
}

/* The number of the process that serves the session, told without its connection. */
static void a_process_number_alone_proves_nothing(void **state)
{
	struct world *w = world_new(true);
	struct event e;

	(void)state;
	login(w, 0, 5, A);
	e = kernel_event(w, EVENT_FILE, 3, 0, NULL, 0);
	e.proc.pid = 1005;
	e.subject = SPAN_LIT("account");
	step(w, &e);
	assert_int_equal(alerts_of(w, ID), 0);
	world_free(w);
}

static void packages_and_own_passwords_are_info(void **state)
{
	struct world *w = world_new(true);

	(void)state;
	login(w, 0, 5, A);
	changed(w, 3, 5, "service-unit", "/etc/systemd/system/x.service", EVENT_MANAGED);
	assert_int_equal(alert_of(w, ID, A)->last.severity, SEVERITY_INFO);
	changed(w, 4, 5, "service-unit", "/etc/systemd/system/y.service", 0);
	assert_int_equal(alert_of(w, ID, A)->last.severity, SEVERITY_HIGH);
	assert_int_equal(alert_of(w, ID, A)->last.count, 2);
	world_free(w);
}

static void a_package_that_adds_a_key_is_high(void **state)
{
	struct world *w = world_new(true);

	(void)state;
	login(w, 0, 5, A);
	changed(w, 3, 5, "authorized-keys", "/root/.ssh/authorized_keys", EVENT_MANAGED);
	assert_int_equal(alert_of(w, ID, A)->last.severity, SEVERITY_HIGH);
	world_free(w);
}

static void expected_automation_is_info(void **state)
{
	struct world *w = world_make(true);

	(void)state;
	strcpy(w->config.expected_automation[w->config.expected_automation_count++], "alice");
	world_start(w);
	login(w, 0, 5, A);
	changed(w, 3, 5, "authorized-keys", "/home/alice/.ssh/authorized_keys", 0);
	assert_int_equal(alert_of(w, ID, A)->last.severity, SEVERITY_INFO);
	assert_int_equal(alerts_at_least(w, SEVERITY_MEDIUM), 0);
	world_free(w);
}

static void an_internal_origin_is_one_lower(void **state)
{
	struct world *w = world_new(true);

	(void)state;
	login(w, 0, 5, "10.1.2.3");
	changed(w, 3, 5, "account", "/etc/passwd", 0);
	assert_int_equal(alert_of(w, ID, NULL)->last.severity, SEVERITY_MEDIUM);
	world_free(w);
}

/* Guessed, then a key left behind: one story. Without the guessing there is none. */
static void it_is_a_stage_of_the_chain(void **state)
{
	for (unsigned guesses = 0; guesses <= 6; guesses += 6) {
		struct world *w = world_new(true);

		(void)state;
		for (unsigned i = 0; i < guesses; i++)
			failed(w, i, A, 3000 + i, "alice");
		login(w, 10, 5, A);
		changed(w, 13, 5, "authorized-keys", "/home/alice/.ssh/authorized_keys", 0);
		assert_int_equal(alerts_of(w, "chain.t1133"), guesses > 0);
		if (guesses)
			assert_string_equal(alert_of(w, ID, A)->last.part_of,
					    alert_of(w, "chain.t1133", A)->last.id);
		world_free(w);
	}
}

static void hex(const uint8_t digest[SHA256_SIZE], char out[65])
{
	for (unsigned i = 0; i < SHA256_SIZE; i++)
		snprintf(out + 2 * (size_t)i, 3, "%02x", digest[i]);
}

/* FIPS 180-4 and sha256sum; in pieces of every length. */
static void digests_are_those_of_sha256sum(void **state)
{
	static const struct {
		const char *text, *digest;
	} cases[] = {
		{"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
		{"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
		{"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
		 "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
	};
	uint8_t digest[SHA256_SIZE], piece[100];
	struct sha256 s;
	char text[65];
	size_t left = 1000000, n = 1;

	(void)state;
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		sha256_start(&s);
		sha256_add(&s, cases[i].text, strlen(cases[i].text));
		sha256_end(&s, digest);
		hex(digest, text);
		assert_string_equal(text, cases[i].digest);
	}
	memset(piece, 'a', sizeof(piece));
	sha256_start(&s);
	for (; left; left -= n) {
		n = n % sizeof(piece) + 1;
		if (n > left)
			n = left;
		sha256_add(&s, piece, n);
	}
	sha256_end(&s, digest);
	hex(digest, text);
	assert_string_equal(text,
			    "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

#define ED	"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIZWSkRbyplgP+3vWCgDtw67s63CiSjgmBsQ8Vqnc+cW"
#define ED_NAME "ED25519 SHA256:tSzenr7uv1OpYT7YHEaJGogpAVzRKbVwVM1nzgSe1S4"
#define EC                                                                                         \
	"ecdsa-sha2-nistp256 "                                                                     \
	"AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBBEjnxLCB13UvjShYv9VYj+"              \
	"tV8zPiTsZkU1UPulFbCnV69cfpAcufvnC7iandhSr8QsefdClbEeF4ajO/mutud4="

/* As ssh-keygen -l says it. */
static void keys_are_named_as_ssh_keygen_does(void **state)
{
	static const struct {
		const char *line, *name;
	} cases[] = {
		{ED, ED_NAME},
		{ED " me@home", ED_NAME},
		{"  \t" ED "\r", ED_NAME},
		{"from=\"10.0.0.0/8\",command=\"echo \\\"a b\\\"\" " ED " x", ED_NAME},
		{"restrict " ED, ED_NAME},
		{EC " root@vm", "ECDSA SHA256:GFysGDh8niEHrm1WMau7yZ86u5BOoXEDZTifK037Tiw"},
		{"#" ED, NULL},
		{"# " ED, NULL},
		{"", NULL},
		{"   ", NULL},
		{"ssh-ed25519", NULL},
		{"ssh-ed25519 AAAA", NULL},
		{"ssh-ed25519 !!!!C3NzaC1lZDI1NTE5AAAAIIZWSkRbyplgP", NULL},
		{"a b " ED, NULL},
		{"command=\"never closed " ED, NULL},
		{"\\", NULL},
		{"\"\\\"", NULL},
	};
	char name[AUTHORIZED_KEY_MAX];

	(void)state;
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t len = strlen(cases[i].line);
		char *exact = malloc(len ? len : 1); /* no NUL behind it */

		memcpy(exact, cases[i].line, len);
		assert_int_equal(authorized_key_name((struct span){exact, len}, name),
				 cases[i].name != NULL);
		if (cases[i].name)
			assert_string_equal(name, cases[i].name);
		free(exact);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_session_leaves_a_key),
		cmocka_unit_test(changes_of_a_session_are_one_alert),
		cmocka_unit_test(a_process_of_no_session_is_nothing),
		cmocka_unit_test(a_process_number_alone_proves_nothing),
		cmocka_unit_test(packages_and_own_passwords_are_info),
		cmocka_unit_test(a_package_that_adds_a_key_is_high),
		cmocka_unit_test(expected_automation_is_info),
		cmocka_unit_test(an_internal_origin_is_one_lower),
		cmocka_unit_test(it_is_a_stage_of_the_chain),
		cmocka_unit_test(digests_are_those_of_sha256sum),
		cmocka_unit_test(keys_are_named_as_ssh_keygen_does),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
