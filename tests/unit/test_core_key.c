/* What is kept of a key: the whole of a plain one, key id and serial of a certificate. */
#include "core_world.h"

#include "common/core/core_internal.h"

#define FP "SHA256:soYW3oEz3Du7l/BXLlhOiyms0QV1N+a+3KCrka8qFTQ"

static void stored(const char *told, const char *wanted)
{
	char key[KEY_MAX], again[KEY_MAX];

	key_store(key, span_of(told));
	assert_string_equal(key, wanted);
	key_store(again, span_of(key));
	assert_string_equal(again, key); /* a claim keeps it before the session does */
}

static void plain_keys_stay(void **state)
{
	(void)state;
	stored("ED25519 " FP, "ED25519 " FP);
	stored("", "");
	stored("-CERT", "-CERT");
	stored("ED25519-CERT " FP, "ED25519-CERT " FP);
	stored("RSA " FP " ID x (serial 7)", "RSA " FP " ID x (serial 7)");
}

static void certificates_lose_their_authority(void **state)
{
	(void)state;
	stored("ED25519-CERT " FP " ID alice@laptop (serial 7) CA ED25519 SHA256:Zz",
	       "ED25519-CERT " FP " ID alice@laptop (serial 7)");
	stored("ED25519-CERT " FP " ID a (serial 1) CA RSA x (serial 2) CA RSA SHA256:Zz",
	       "ED25519-CERT " FP " ID a (serial 1) CA RSA x (serial 2)");
	/* no number, no end: nothing is taken apart */
	stored("ED25519-CERT " FP " ID a (serial x) CA RSA z",
	       "ED25519-CERT " FP " ID a (serial x) CA RSA z");
	stored("ED25519-CERT " FP " ID a (serial 7", "ED25519-CERT " FP " ID a (serial 7");
}

static void a_long_key_id_leaves_the_serial(void **state)
{
	char told[1024], key[KEY_MAX];

	(void)state;
	snprintf(told, sizeof(told),
		 "ED25519-CERT " FP " ID %0500u (serial 18446744073709551615) CA RSA SHA256:Zz",
		 1u);
	key_store(key, span_of(told));
	assert_int_equal(strlen(key), KEY_MAX - 1);
	assert_non_null(strstr(key, "0 (serial 18446744073709551615)"));
}

static void identity_of_a_certificate(void **state)
{
	(void)state;
	assert_true(span_is(key_identity("ED25519-CERT " FP " ID a (serial 7)"), "a (serial 7)"));
	assert_true(span_is(key_identity("ED25519 " FP), "ED25519 " FP));
	assert_true(span_is(key_identity(""), ""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_keys_stay),
		cmocka_unit_test(certificates_lose_their_authority),
		cmocka_unit_test(a_long_key_id_leaves_the_serial),
		cmocka_unit_test(identity_of_a_certificate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
