/*
 * bench_store: how long one alert takes to become JSON, a readable line, and a row on disk; and to
 * be read back.
 *
 *   bench_store [DIRECTORY [COUNT]]
 *
 * The budget it serves: from a login's result to its first alert in the journal p99 <= 5 ms. One
 * row is committed at a time (the worst case) and in batches of 64, as a busy agent does.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/store/store.h"

#define BATCH 64

static double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void report(const char *what, double began, unsigned n)
{
	printf("%-44s %9.2f us\n", what, (now_s() - began) * 1e6 / n);
}

static struct alert sample(void)
{
	struct alert a = {.id = "00000000000000000000000000000000",
			  .detection = &detection_auth_bruteforce,
			  .revision = 1,
			  .severity = SEVERITY_LOW,
			  .first_ns = 1795329060123000000u,
			  .count = 7,
			  .service = SERVICE_SSH,
			  .origin = {{ADDR_V4, {0}, {203, 0, 113, 9}}, 40022, 0},
			  .account = "oracle",
			  .account_unknown = true,
			  .sentence = "203.0.113.9 (external) guessed ssh logins: 7 failures, the "
				      "last for 'oracle', which does not exist.",
			  .evidence_count = ALERT_EVIDENCE};

	for (unsigned i = 0; i < ALERT_EVIDENCE; i++) {
		a.evidence[i].kind = EVENT_ATTEMPT;
		a.evidence[i].time_ns = a.first_ns;
		snprintf(a.evidence[i].text, sizeof(a.evidence[i].text),
			 "Failed password for invalid user oracle from 203.0.113.9 port 400%02u "
			 "ssh2",
			 i);
	}
	return a;
}

static void bench_text(const struct alert *a, unsigned n)
{
	static const struct out_policy hide = {.privacy_key = 1};
	static char buf[OUT_ALERT_MAX];
	double began = now_s();
	int bytes = 0;

	for (unsigned i = 0; i < n; i++)
		bytes = out_alert_json(a, &hide, buf, sizeof(buf));
	report("alert as JSON, names hashed", began, n);
	printf("%-44s %9d bytes\n", "", bytes);
	began = now_s();
	for (unsigned i = 0; i < n; i++)
		out_alert_line(a, &hide, true, buf, sizeof(buf));
	report("alert as a line", began, n);
}

static int put_all(struct store *s, struct alert *a, unsigned first, unsigned n, unsigned batch)
{
	int r = 0;

	for (unsigned i = 0; i < n && !r; i++) {
		snprintf(a->id, sizeof(a->id), "%032x", first + i);
		a->last_ns = a->first_ns + first + i;
		if (batch && i % batch == 0)
			r = store_begin(s);
		if (!r)
			r = store_put_alert(s, a);
		if (!r && batch && (i % batch == batch - 1 || i == n - 1))
			r = store_commit(s);
	}
	return r;
}

static bool count_row(void *arg, const struct alert *a)
{
	(void)a;
	++*(unsigned *)arg;
	return true;
}

static int bench_rows(const char *path, struct alert *a, unsigned n)
{
	struct store_filter all = {.limit = 2 * n};
	struct store *s = NULL;
	unsigned rows = 0;
	double began;
	int r = store_open(path, STORE_WRITE, &s);

	if (r)
		return r;
	began = now_s();
	r = put_all(s, a, 0, n, 0);
	report("alert stored, one transaction each", began, n);
	began = now_s();
	if (!r)
		r = put_all(s, a, n, n, BATCH);
	report("alert stored, 64 a transaction", began, n);
	began = now_s();
	if (!r)
		r = store_alerts(s, &all, count_row, &rows);
	report("alert read back", began, rows ? rows : 1);
	if (r)
		fprintf(stderr, "bench_store: %s\n", store_error(s));
	store_close(s);
	return r;
}

int main(int argc, char **argv)
{
	const char *dir = argc > 1 ? argv[1] : "/tmp";
	unsigned n = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 20000;
	struct alert a = sample();
	char path[512], side[520];
	int r;

	if (n == 0 || n > 10000000)
		return 2;
	snprintf(path, sizeof(path), "%s/bench_store-%ld.db", dir, (long)time(NULL));
	bench_text(&a, n);
	r = bench_rows(path, &a, n);
	remove(path);
	for (unsigned i = 0; i < 2; i++) {
		snprintf(side, sizeof(side), "%s%s", path, i ? "-wal" : "-shm");
		remove(side);
	}
	return r ? 1 : 0;
}
