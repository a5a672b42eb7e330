/* The outbox: what waits for collectors, its cursors, its bounds. */
#include "store_world.h"

#include "common/store/outbox.h"

#include "../../common/detect/detection.h"

static struct alert alert_of(const char *id, enum severity severity)
{
	struct alert a = {.detection = detections[0],
			  .revision = 1,
			  .severity = severity,
			  .first_ns = 1,
			  .last_ns = 2,
			  .count = 1};

	snprintf(a.id, sizeof(a.id), "%s", id);
	return a;
}

struct seen {
	unsigned n;
	uint64_t first, last;
	char ids[64][ID_TEXT_MAX];
};

static bool on_row(void *arg, const struct outbox_row *r)
{
	struct seen *s = arg;

	if (!s->n)
		s->first = r->seq;
	assert_true(r->seq > s->last);
	s->last = r->seq;
	snprintf(s->ids[s->n++ % 64], ID_TEXT_MAX, "%s", r->id);
	return true;
}

static struct seen read_all(struct store *s, enum outbox_lane lane, uint64_t after)
{
	struct seen got = {0};

	assert_int_equal(outbox_read(s, lane, after, 1000, on_row, &got), 0);
	return got;
}

static void put_event(struct store *s, const char *id)
{
	assert_int_equal(outbox_put_event(s, 0, id, "{}", 2, 7), 0);
}

static void lanes_have_their_own_order(void **state)
{
	struct store *s = open_write();
	struct alert a = alert_of("aa", SEVERITY_HIGH), b = alert_of("bb", SEVERITY_LOW);
	struct session x = {.id = "ss", .last_ns = 5};
	struct seen got;

	(void)state;
	put_event(s, "e1");
	assert_int_equal(outbox_put_alert(s, &a, 1), 0);
	assert_int_equal(outbox_put_session(s, &x, 1), 0);
	assert_int_equal(outbox_put_alert(s, &b, 1), 0);
	got = read_all(s, OUTBOX_ALERTS, 0);
	assert_int_equal(got.n, 2);
	assert_string_equal(got.ids[0], "aa");
	assert_string_equal(got.ids[1], "bb");
	got = read_all(s, OUTBOX_OTHERS, got.first);
	assert_int_equal(got.n, 1); /* e1 is before it */
	assert_string_equal(got.ids[0], "ss");
	store_close(s);
}

static void what_is_there_is_not_put_again(void **state)
{
	struct store *s = open_write();
	struct session x = {.id = "ss", .last_ns = 5};

	(void)state;
	put_event(s, "e1");
	put_event(s, "e1");
	assert_int_equal(outbox_put_event(s, 1, "e1", "{}", 2, 7), 0); /* another form */
	assert_int_equal(outbox_put_session(s, &x, 1), 0);
	assert_int_equal(outbox_put_session(s, &x, 2), 0);
	x.state = SESSION_CLOSED;
	assert_int_equal(outbox_put_session(s, &x, 3), 0);
	assert_int_equal(read_all(s, OUTBOX_OTHERS, 0).n, 4);
	store_close(s);
}

static void a_new_destination_begins_at_the_end(void **state)
{
	struct store *s = open_write();
	struct outbox_cursor c, again;
	struct config_forwarder to = {.send = {0, 2}, .send_count = 2, .severity = SEVERITY_HIGH};
	struct alert low = alert_of("low", SEVERITY_LOW), high = alert_of("hi", SEVERITY_HIGH);
	struct session x = {.id = "ss", .last_ns = 5};
	uint64_t last = 0, waiting = 9;

	(void)state;
	put_event(s, "e1");
	assert_int_equal(outbox_cursor_get(s, "a", &c), 0);
	assert_int_equal(outbox_last(s, &last), 0);
	assert_int_equal(c.acked[OUTBOX_OTHERS], last);
	assert_int_equal(outbox_waiting(s, &c, &to, 0, &waiting), 0);
	assert_int_equal(waiting, 0);
	put_event(s, "e2");
	assert_int_equal(outbox_waiting(s, &c, &to, 0, &waiting), 0);
	assert_int_equal(waiting, 1);
	/* what it does not want does not wait: of low severity, a session, in another form */
	assert_int_equal(outbox_put_alert(s, &low, 1), 0);
	assert_int_equal(outbox_put_alert(s, &high, 1), 0);
	assert_int_equal(outbox_put_session(s, &x, 1), 0);
	assert_int_equal(outbox_put_event(s, 3, "e3", "{}", 2, 7), 0);
	assert_int_equal(outbox_waiting(s, &c, &to, 0, &waiting), 0);
	assert_int_equal(waiting, 2);
	c.delivered = 77;
	assert_int_equal(outbox_cursor_put(s, "a", &c), 0);
	assert_int_equal(outbox_cursor_get(s, "a", &again), 0);
	assert_memory_equal(&c, &again, sizeof(c));
	store_close(s);
}

static void rows_go_when_everybody_has_them(void **state)
{
	struct store *s = open_write();
	struct outbox_cursor c[2] = {{0}, {0}};
	uint64_t last = 0;
	struct seen got;

	(void)state;
	for (unsigned i = 0; i < 10; i++)
		put_event(s, (char[]){'e', (char)('a' + i), 0});
	got = read_all(s, OUTBOX_OTHERS, 0);
	c[0].acked[OUTBOX_OTHERS] = got.first + 7;
	c[1].acked[OUTBOX_OTHERS] = got.first + 4;
	assert_int_equal(outbox_trim(s, c, 2, INT64_MAX), 0);
	assert_int_equal(read_all(s, OUTBOX_OTHERS, 0).first, got.first + 5);
	/* the last seconds stay, whoever has them */
	c[1].acked[OUTBOX_OTHERS] = got.last;
	c[0].acked[OUTBOX_OTHERS] = got.last;
	assert_int_equal(outbox_trim(s, c, 2, got.first + 6), 0);
	assert_int_equal(read_all(s, OUTBOX_OTHERS, 0).first, got.first + 7);
	assert_int_equal(outbox_trim(s, NULL, 0, INT64_MAX), 0);
	assert_int_equal(read_all(s, OUTBOX_OTHERS, 0).n, 0);
	/* numbers are never used again */
	assert_int_equal(outbox_last(s, &last), 0);
	assert_int_equal(last, got.last);
	store_close(s);
}

static void the_least_precious_goes_first(void **state)
{
	struct store *s = open_write();
	struct alert low = alert_of("low", SEVERITY_LOW), high = alert_of("high", SEVERITY_HIGH);
	struct session x = {.id = "ss", .last_ns = 5};
	struct outbox_cursor c[2] = {{0}, {0}};
	uint64_t lost = 0, rows = 0, bytes = 0;
	static char big[8192];

	(void)state;
	memset(big, 'x', sizeof(big) - 1);
	assert_int_equal(outbox_put_alert(s, &low, 1), 0);
	assert_int_equal(outbox_put_alert(s, &high, 1), 0);
	assert_int_equal(outbox_put_session(s, &x, 1), 0);
	for (unsigned i = 0; i < 100; i++) {
		char id[8];

		snprintf(id, sizeof(id), "e%u", i);
		assert_int_equal(outbox_put_event(s, 0, id, big, sizeof(big) - 1, 7), 0);
	}
	c[1].acked[OUTBOX_OTHERS] = UINT32_MAX; /* has them all */
	assert_int_equal(outbox_bound(s, 400000, c, 2, &lost), 0);
	assert_int_equal(outbox_size(s, &rows, &bytes), 0);
	assert_true(bytes <= 400000 && rows >= 40);
	assert_int_equal(lost, 103 - rows);
	assert_int_equal(c[0].dropped, lost);
	assert_int_equal(c[1].dropped, 0);
	assert_int_equal(read_all(s, OUTBOX_ALERTS, 0).n, 2);
	assert_int_equal(outbox_bound(s, 10, c, 1, &lost), 0);
	assert_int_equal(outbox_size(s, &rows, &bytes), 0);
	assert_int_equal(rows, 0);
	store_close(s);
}

static bool take_alert(void *arg, const struct outbox_row *r)
{
	assert_int_equal(outbox_alert(r, arg), 0);
	return true;
}

static void an_alert_comes_back_as_it_was(void **state)
{
	struct store *s = open_write();
	struct alert a = alert_of("aa", SEVERITY_HIGH), back;

	(void)state;
	snprintf(a.account, sizeof(a.account), "root\n\x01");
	assert_int_equal(outbox_put_alert(s, &a, 1), 0);
	assert_int_equal(outbox_read(s, OUTBOX_ALERTS, 0, 10, take_alert, &back), 0);
	assert_string_equal(back.account, a.account);
	assert_ptr_equal(back.detection, a.detection);
	assert_int_equal(back.revision, 1);
	assert_int_equal(back.severity, SEVERITY_HIGH);
	store_close(s);
}

static void who_is_forgotten_is_not_sent(void **state)
{
	struct store *s = open_write();
	struct alert a = alert_of("aa", SEVERITY_HIGH), b = alert_of("bb", SEVERITY_HIGH);
	uint64_t rows = 0;

	(void)state;
	snprintf(a.account, sizeof(a.account), "alice");
	snprintf(b.account, sizeof(b.account), "bob");
	assert_int_equal(store_put_alert(s, &a), 0);
	assert_int_equal(store_put_alert(s, &b), 0);
	assert_int_equal(outbox_put_alert(s, &a, 1), 0);
	assert_int_equal(outbox_put_alert(s, &b, 1), 0);
	assert_int_equal(store_forget(s, SPAN_LIT("alice"), NULL, &rows), 0);
	assert_int_equal(read_all(s, OUTBOX_ALERTS, 0).n, 1);
	assert_string_equal(read_all(s, OUTBOX_ALERTS, 0).ids[0], "bb");
	store_close(s);
}

static void a_rolled_back_row_is_not_counted(void **state)
{
	struct store *s = open_write();
	uint64_t rows = 0, bytes = 0;

	(void)state;
	assert_int_equal(outbox_size(s, &rows, &bytes), 0);
	assert_int_equal(store_begin(s), 0);
	put_event(s, "e1");
	assert_int_equal(store_commit(s), 0);
	assert_int_equal(store_sync(s), 0);
	assert_int_equal(outbox_size(s, &rows, &bytes), 0);
	assert_int_equal(rows, 1);
	assert_int_equal(bytes, 2);
	store_close(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(lanes_have_their_own_order, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_is_there_is_not_put_again, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_new_destination_begins_at_the_end, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(rows_go_when_everybody_has_them, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_least_precious_goes_first, set_up, tear_down),
		cmocka_unit_test_setup_teardown(an_alert_comes_back_as_it_was, set_up, tear_down),
		cmocka_unit_test_setup_teardown(who_is_forgotten_is_not_sent, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_rolled_back_row_is_not_counted, set_up,
						tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
