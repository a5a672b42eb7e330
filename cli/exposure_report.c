/* exposure_report: see the header. */
#include "exposure_report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/out/out.h"

#define GONE_MAX     64
#define GONE_KEPT_NS (30ull * 86400 * 1000000000)

/* Valid UTF-8 without control characters, whatever it was. */
static json_t *clean(const char *text)
{
	char buf[EXPOSURE_TEXT_MAX * 4];
	int n = out_escape(span_of(text), buf, sizeof(buf));

	return n < 0 ? json_string("?") : json_string(buf);
}

static const char *text(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s ? s : "";
}

static void put(json_t *o, const char *key, const char *value)
{
	if (value[0])
		json_object_set_new(o, key, clean(value));
}

static json_t *findings_of(const struct exposure *x)
{
	json_t *a = json_array();

	if (x->reach != REACH_ANYONE)
		return a;
	json_array_append_new(a, json_string("reachable"));
	if (x->auth == EXPOSED_NONE)
		json_array_append_new(a, json_string("unauthenticated"));
	if (x->auth == EXPOSED_WEAK)
		json_array_append_new(a, json_string("weak"));
	return a;
}

static json_t *mitigations_of(const struct exposure *x)
{
	struct mitigation m[EXPOSURE_MITIGATION];
	unsigned n = exposure_mitigations(x, m);
	json_t *a = json_array();

	for (unsigned i = 0; i < n; i++)
		json_array_append_new(a, json_pack("{ss ss ss}", "id", m[i].id, "name", m[i].name,
						   "advice", m[i].advice));
	return a;
}

static json_t *row_of(const struct exposure *x)
{
	bool any = x->any_v4 || x->any_v6;
	char addr[ADDR_TEXT_MAX], key[20];
	json_t *o;

	snprintf(key, sizeof(key), "%016llx", (unsigned long long)exposure_key(x, 0));
	o = json_pack("{ss ss ss ss si ss}", "key", key, "service", service_name(x->service),
		      "protocol", x->udp ? "udp" : "tcp", "address",
		      any ? "*" : addr_format(&x->at.addr, addr), "port", (int)x->at.port,
		      "network",
		      x->container[0] ? "container"
		      : x->host_net   ? "host"
				      : "other");
	if (!o)
		return NULL;
	json_object_set_new(o, "pid", json_integer((json_int_t)x->pid));
	put(o, "process", x->name);
	put(o, "executable", x->path);
	put(o, "package", x->package);
	put(o, "container", x->container);
	put(o, "image", x->image);
	put(o, "account", x->account);
	put(o, "reach", exposure_reach_name(x->reach));
	put(o, "firewall", "not judged");
	put(o, "authentication", exposure_auth_name(x->auth));
	put(o, "asks", x->words);
	json_object_set_new(o, "findings", findings_of(x));
	json_object_set_new(o, "mitigations", mitigations_of(x));
	return o;
}

/* Of those of that key the one at that address (NULL: any), else the first. */
static const json_t *find(const json_t *rows, const char *key, const char *address)
{
	const json_t *row, *first = NULL;
	size_t i;

	json_array_foreach(rows, i, row)
	{
		if (strcmp(text(row, "key"), key) != 0)
			continue;
		if (!address || !strcmp(text(row, "address"), address))
			return row;
		first = first ? first : row;
	}
	return first;
}

/* What it was when it was first seen, and whether that was later than the baseline. */
static void compare(json_t *row, const json_t *before, const char *baseline, const char *now)
{
	const char *key = text(row, "key");
	const json_t *old = find(json_object_get(before, "listeners"), key, text(row, "address"));
	const char *first = now, *reach = text(row, "reach"), *auth = text(row, "authentication");
	const char *change = "new";

	if (!old)
		old = find(json_object_get(before, "gone"), key, text(row, "address"));
	if (old && *text(old, "first_seen")) {
		first = text(old, "first_seen");
		reach = text(old, "first_reach");
		auth = text(old, "first_authentication");
	}
	if (strcmp(first, baseline) <= 0)
		change = strcmp(reach, text(row, "reach")) ||
					 strcmp(auth, text(row, "authentication"))
				 ? "changed"
				 : "baseline";
	json_object_set_new(row, "first_seen", json_string(first));
	json_object_set_new(row, "first_reach", json_string(reach));
	json_object_set_new(row, "first_authentication", json_string(auth));
	json_object_set_new(row, "change", json_string(change));
}

/* What listened and does not any more. */
static void gone_add(json_t *gone, const json_t *rows, const json_t *listeners, const char *now,
		     const char *oldest)
{
	const json_t *row;
	size_t i;

	json_array_foreach(rows, i, row)
	{
		const char *when = *text(row, "gone") ? text(row, "gone") : now;
		json_t *copy;

		if (find(listeners, text(row, "key"), NULL) || find(gone, text(row, "key"), NULL) ||
		    strcmp(when, oldest) < 0 || json_array_size(gone) >= GONE_MAX)
			continue;
		copy = json_copy((json_t *)(uintptr_t)row);
		json_object_set_new(copy, "gone", json_string(when));
		json_array_append_new(gone, copy);
	}
}

json_t *exposure_report(const struct exposure *rows, unsigned n, unsigned left_out,
			const json_t *before, uint64_t now_ns, const char *by)
{
	char now[32], oldest[32], kept[32];
	json_t *listeners = json_array(), *gone = json_array(), *o;
	const char *baseline = text(before, "baseline");

	out_time(now_ns, now);
	out_time(now_ns > GONE_KEPT_NS ? now_ns - GONE_KEPT_NS : 0, oldest);
	snprintf(kept, sizeof(kept), "%.31s", baseline[0] ? baseline : now);
	for (unsigned i = 0; i < n; i++) {
		json_t *row = row_of(&rows[i]);

		if (!row)
			continue;
		compare(row, before, kept, now);
		json_array_append_new(listeners, row);
	}
	gone_add(gone, json_object_get(before, "listeners"), listeners, now, oldest);
	gone_add(gone, json_object_get(before, "gone"), listeners, now, oldest);
	o = json_pack("{si ss ss ss so so}", "version", 1, "time", now, "by", by, "baseline", kept,
		      "listeners", listeners, "gone", gone);
	if (o && left_out)
		json_object_set_new(o, "left_out", json_integer((json_int_t)left_out));
	return o;
}

void exposure_report_count(const json_t *report, unsigned *ret_findings, unsigned *ret_changes)
{
	const json_t *row;
	size_t i;

	*ret_findings = *ret_changes = 0;
	json_array_foreach(json_object_get(report, "listeners"), i, row)
	{
		*ret_findings += json_array_size(json_object_get(row, "findings")) > 0;
		*ret_changes += strcmp(text(row, "change"), "baseline") != 0;
	}
}

/* The most urgent first. */
static int urgency(const json_t *row)
{
	static const char *const grades[] = {"strong", "unknown", "weak", "none"};
	static const char *const reaches[] = {"loopback", "private", "unknown", "anyone"};
	int at = 0;

	for (int i = 0; i < 4; i++) {
		at += strcmp(text(row, "authentication"), grades[i]) ? 0 : i;
		at += strcmp(text(row, "reach"), reaches[i]) ? 0 : 4 * i;
	}
	return at;
}

struct place {
	const json_t *row;
};

static int by_urgency(const void *a, const void *b)
{
	const struct place *x = a, *y = b;
	int d = urgency(y->row) - urgency(x->row);

	return d ? d : strcmp(text(x->row, "service"), text(y->row, "service"));
}

static void print_where(const json_t *row)
{
	char where[ADDR_TEXT_MAX + 24];
	bool v6 = strchr(text(row, "address"), ':') != NULL, udp = *text(row, "protocol") == 'u';

	snprintf(where, sizeof(where), "%s%s%s:%lld%s", v6 ? "[" : "", text(row, "address"),
		 v6 ? "]" : "", (long long)json_integer_value(json_object_get(row, "port")),
		 udp ? "/udp" : "");
	printf("%-10s %-24s %-9s %-8s %s\n", text(row, "service"), where, text(row, "reach"),
	       text(row, "authentication"),
	       !strcmp(text(row, "change"), "baseline") ? "" : text(row, "change"));
}

static void print_row(const json_t *row)
{
	const char *path = text(row, "executable"), *package = text(row, "package");
	const json_t *m;
	size_t i;

	print_where(row);
	printf("  %s (pid %lld, package %s), %s%s%s", *path ? path : text(row, "process"),
	       (long long)json_integer_value(json_object_get(row, "pid")),
	       *package ? package : "unknown",
	       !strcmp(text(row, "network"), "host") ? "host network"
	       : *text(row, "container")	     ? "container "
						     : "another network namespace",
	       text(row, "container"), *text(row, "account") ? ", in the session of " : "");
	printf("%s\n  asks for: %s\n", text(row, "account"), text(row, "asks"));
	if (!strcmp(text(row, "change"), "changed"))
		printf("  was in the baseline: reach %s, authentication %s\n",
		       text(row, "first_reach"), text(row, "first_authentication"));
	json_array_foreach(json_object_get(row, "mitigations"), i, m)
		printf("  %s %s: %s\n", text(m, "id"), text(m, "name"), text(m, "advice"));
}

void exposure_report_print(const json_t *report, const char *note)
{
	const json_t *rows = json_object_get(report, "listeners"), *gone, *row;
	size_t n = json_array_size(rows), i;
	struct place *sorted = calloc(n ? n : 1, sizeof(*sorted));
	unsigned findings, changes;

	exposure_report_count(report, &findings, &changes);
	puts(note);
	if (strcmp(text(report, "baseline"), text(report, "time")) != 0)
		printf("compared with the baseline of %.19sZ\n", text(report, "baseline"));
	puts("firewall: not judged (rules here or before this host may let nobody through)\n");
	if (n)
		printf("%-10s %-24s %-9s %-8s %s\n", "SERVICE", "ADDRESS", "REACH", "ASKS",
		       "CHANGE");
	for (i = 0; sorted && i < n; i++)
		sorted[i].row = json_array_get(rows, i);
	if (sorted)
		qsort(sorted, n, sizeof(sorted[0]), by_urgency);
	for (i = 0; sorted && i < n; i++)
		print_row(sorted[i].row);
	free(sorted);
	gone = json_object_get(report, "gone");
	json_array_foreach(gone, i, row) printf(
		"gone: %s on %s:%lld, %s (since %.19sZ)\n", text(row, "service"),
		text(row, "address"), (long long)json_integer_value(json_object_get(row, "port")),
		text(row, "executable"), text(row, "gone"));
	if (json_object_get(report, "left_out"))
		printf("%lld more services listen than are looked at\n",
		       (long long)json_integer_value(json_object_get(report, "left_out")));
	printf("\n%zu remote services listen, %u of them reachable from outside, %u new or changed "
	       "since the baseline\n",
	       n, findings, changes);
}
