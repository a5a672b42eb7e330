/* Daemons whose lines name no port, beside the kernel's records and without them: each try counts
 * once, nothing is opened twice, and no line that fits no connection accuses anybody. */
#include "detect_world.h"

static struct event line_of(struct world *w, enum service service, double at, enum outcome outcome)
{
	struct event e = text_event(w, EVENT_ATTEMPT, at, A, 0, "alice");

	e.service = service;
	e.outcome = outcome;
	e.method = METHOD_PASSWORD;
	return e;
}

static void told(struct world *w, enum service service, double at, enum outcome outcome)
{
	struct event e = line_of(w, service, at, outcome);

	step(w, &e);
}

/* xrdp, login: they ask PAM. */
static void told_by_pam_too(struct world *w, enum service service, double at, enum outcome outcome)
{
	struct event e = line_of(w, service, at, outcome);

	e.pam_service = SPAN_LIT("xrdp-sesman");
	step(w, &e);
}

static void reached(struct world *w, enum service service, double at, uint64_t conn, unsigned port)
{
	struct event e = kernel_event(w, EVENT_CONNECTION, at, conn, A, port);

	e.service = service;
	step(w, &e);
}

static void asked(struct world *w, enum service service, double at, uint64_t conn, unsigned port,
		  enum pam_call call, int32_t result)
{
	struct event e = kernel_event(w, EVENT_PAM, at, conn, A, port);

	e.service = service;
	e.pam_call = call;
	e.result = result;
	e.account = SPAN_LIT("alice");
	e.pam_service = service == SERVICE_FTP ? SPAN_LIT("vsftpd") : SPAN_LIT("xrdp-sesman");
	step(w, &e);
}

/* Without PAM: the newest connection from there is the one. */
static void a_file_server_without_pam(void **state)
{
	struct world *w = world_new(true);

	(void)state;
	for (unsigned i = 0; i < 6; i++) {
		reached(w, SERVICE_FTP, i * 10, 1 + i, 3000 + i);
		told(w, SERVICE_FTP, i * 10 + 1, OUTCOME_FAILURE);
	}
	reached(w, SERVICE_FTP, 70, 20, 3020);
	told(w, SERVICE_FTP, 71, OUTCOME_SUCCESS);
	tick(w, 200);
	assert_int_equal(alert_of(w, "auth.bruteforce", A)->last.count, 6);
	assert_int_equal(sessions(w), 1);
	assert_int_equal(session_nth(w, 0)->conn, 20);
	assert_int_equal(alerts_of(w, "auth.bruteforce_success"), 1);
	assert_int_equal(alerts_of(w, "sensor.mismatch"), 0);
	world_free(w);
}

/* With PAM the kernel has seen the same try. */
static void a_file_server_with_pam(void **state)
{
	struct world *w = world_new(true);

	(void)state;
	for (unsigned i = 0; i < 6; i++) {
		reached(w, SERVICE_FTP, i * 10, 1 + i, 3000 + i);
		asked(w, SERVICE_FTP, i * 10 + 1, 1 + i, 3000 + i, PAM_CALL_AUTHENTICATE, 7);
		told(w, SERVICE_FTP, i * 10 + 2, OUTCOME_FAILURE);
	}
	reached(w, SERVICE_FTP, 70, 20, 3020);
	told(w, SERVICE_FTP, 71, OUTCOME_SUCCESS); /* before the kernel's word */
	asked(w, SERVICE_FTP, 71, 20, 3020, PAM_CALL_AUTHENTICATE, 0);
	asked(w, SERVICE_FTP, 71, 20, 3020, PAM_CALL_ACCT_MGMT, 0);
	tick(w, 200);
	assert_int_equal(alert_of(w, "auth.bruteforce", A)->last.count, 6);
	assert_int_equal(sessions(w), 1);
	assert_int_equal(alerts_of(w, "sensor.mismatch"), 0);
	world_free(w);
}

/* The desktop's PAM calls belong to another connection than the client's: its lines add nothing. */
static void a_desktop(void **state)
{
	struct world *w = world_new(true);

	(void)state;
	for (unsigned i = 0; i < 6; i++) {
		reached(w, SERVICE_RDP, i * 10, 1 + i, 3000 + i);
		asked(w, SERVICE_RDP, i * 10 + 1, 1 + i, 3000 + i, PAM_CALL_AUTHENTICATE, 7);
		told_by_pam_too(w, SERVICE_RDP, i * 10 + 2, OUTCOME_FAILURE);
	}
	told_by_pam_too(w, SERVICE_RDP, 71, OUTCOME_SUCCESS);
	tick(w, 200);
	assert_int_equal(alert_of(w, "auth.bruteforce", A)->last.count, 6);
	assert_int_equal(sessions(w), 0);
	assert_int_equal(alerts_of(w, "sensor.mismatch"), 0);
	world_free(w);
}

/* Nobody came from there: whoever wrote that opens nothing, and it is no lie that could be proven.
 */
static void a_line_that_fits_no_connection(void **state)
{
	struct world *w = world_new(true);

	(void)state;
	reached(w, SERVICE_SSH, 0, 1, 3000);
	told(w, SERVICE_FTP, 1, OUTCOME_SUCCESS);
	for (int i = 0; i < 9; i++)
		told(w, SERVICE_VNC, 2 + i, OUTCOME_FAILURE);
	tick(w, 200);
	assert_int_equal(sessions(w), 0);
	assert_int_equal(alerts_of(w, "auth.bruteforce"), 0);
	assert_int_equal(alerts_of(w, "sensor.mismatch"), 0);
	world_free(w);
}

/* Without the kernel's records it is a session as mail's are; a desktop's end is told. */
static void by_text_alone(void **state)
{
	struct world *w = world_new(false);
	struct event e;

	(void)state;
	told(w, SERVICE_FTP, 0, OUTCOME_SUCCESS);
	told(w, SERVICE_FTP, 60, OUTCOME_SUCCESS);
	told_by_pam_too(w, SERVICE_RDP, 0, OUTCOME_SUCCESS);
	assert_int_equal(sessions(w), 2);
	tick(w, 60 + 3600);
	assert_int_equal(session_nth(w, 0)->state, SESSION_CLOSED);
	assert_int_equal(session_nth(w, 1)->state, SESSION_OPEN);
	e = line_of(w, SERVICE_RDP, 5000, OUTCOME_UNKNOWN);
	e.kind = EVENT_SESSION_CLOSE;
	step(w, &e);
	assert_int_equal(session_nth(w, 1)->state, SESSION_CLOSED);
	assert_int_equal(session_nth(w, 1)->close_ns, (T0 + 5000) * SEC);
	world_free(w);
}

/* A verdict of the first bytes of both sides. */
static void went_by(struct world *w, double at, uint64_t conn, unsigned port, enum outcome outcome,
		    enum method method)
{
	struct event e = kernel_event(w, EVENT_ATTEMPT, at, conn, A, port);

	e.service = SERVICE_VNC;
	e.outcome = outcome;
	e.method = method;
	e.flags = EVENT_ACCOUNT_EXISTS;
	e.count = 1;
	step(w, &e);
}

/* What went over the wire counts; the server's lines add nothing and change nothing. */
static void a_screen(void **state)
{
	struct world *w = world_new(true);
	struct event e;

	(void)state;
	for (unsigned i = 0; i < 6; i++) {
		reached(w, SERVICE_VNC, i * 10, 1 + i, 3000 + i);
		went_by(w, i * 10 + 1, 1 + i, 3000 + i, OUTCOME_FAILURE, METHOD_PASSWORD);
		e = text_event(w, EVENT_ATTEMPT, i * 10 + 2, A, 3000 + i, "");
		e.trust = TRUST_TEXT; /* as the decoder of VNC says */
		e.service = SERVICE_VNC;
		e.outcome = i == 5 ? OUTCOME_SUCCESS : OUTCOME_FAILURE;
		e.method = METHOD_PASSWORD;
		step(w, &e);
	}
	tick(w, 90);
	assert_int_equal(alert_of(w, "auth.bruteforce", A)->last.count, 6);
	assert_int_equal(sessions(w), 0); /* the sixth line lied */
	assert_int_equal(alerts_of(w, "sensor.mismatch"), 1);
	reached(w, SERVICE_VNC, 100, 20, 3020);
	went_by(w, 101, 20, 3020, OUTCOME_SUCCESS, METHOD_NO_AUTH);
	e = text_event(w, EVENT_ATTEMPT, 102, A, 3020, "");
	e.trust = TRUST_TEXT;
	e.service = SERVICE_VNC;
	e.outcome = OUTCOME_SUCCESS;
	e.method = METHOD_PASSWORD;
	step(w, &e);
	tick(w, 200);
	assert_int_equal(sessions(w), 1);
	assert_int_equal(session_nth(w, 0)->method, METHOD_NO_AUTH);
	assert_int_equal(alerts_of(w, "access.unauthenticated"), 1);
	world_free(w);
}

/* No PAM, and the log is slower than its user: where he went is his session's all the same. */
static void a_connection_before_its_login_is_told(void **state)
{
	struct world *w = world_new(true);
	struct event e;

	(void)state;
	reached(w, SERVICE_SSH, 0, 1, 3000);
	for (unsigned i = 0; i < 2; i++) {
		e = kernel_event(w, EVENT_CONNECT, 1, 1, NULL, 0);
		e.uid = i ? 1000 : 0;
		e.dest = ep(i ? "10.20.0.2" : "10.20.0.3", i ? 22 : 389);
		step(w, &e);
	}
	e = text_event(w, EVENT_ATTEMPT, 1.1, A, 3000, "alice");
	e.service = SERVICE_SSH;
	e.outcome = OUTCOME_SUCCESS;
	e.method = METHOD_PUBLICKEY;
	step(w, &e);
	assert_int_equal(sessions(w), 1);
	assert_int_equal(session_nth(w, 0)->dests_total, 1); /* not whom the daemon asked */
	assert_int_equal(alerts_of(w, "activity.lateral_movement"), 1);
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_server_without_pam),
		cmocka_unit_test(a_file_server_with_pam),
		cmocka_unit_test(a_desktop),
		cmocka_unit_test(a_line_that_fits_no_connection),
		cmocka_unit_test(by_text_alone),
		cmocka_unit_test(a_screen),
		cmocka_unit_test(a_connection_before_its_login_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
