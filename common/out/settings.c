/* settings: see settings.h. A detection's row of words names what its file reads. */
#include "settings.h"

#include <string.h>

#include "writer.h"

#define PLACES "KnownRemoteIPs KnownSSHClients"

static const struct {
	const char *detection, *settings;
} used[] = {
	{"access.external", PLACES},
	{"access.loopback_forwarded", "Scope"},
	{"access.unauthenticated", "AllowedCIDRs"},
	{"origin.country_not_allowed", "GeoIPWhitelist Travel " PLACES},
	{"origin.new_place", "Travel VPNPools " PLACES},
	{"origin.impossible_travel", "VPNPools " PLACES},
	{"origin.anonymizer", PLACES},
	{"origin.new_client", PLACES},
	{"origin.outside_hours", "BusinessHours " PLACES},
	{"origin.unusual_hour", "BusinessHours " PLACES},
	{"mail.abnormal_access", "GeoIPWhitelist Travel BusinessHours VPNPools " PLACES},
	{"mfa.new_place", "Travel " PLACES},
	{"session.shared_source", "TimeWindow SharedAccounts ExpectedAutomation " PLACES},
	{"session.duplicate", "SharedAccounts ExpectedAutomation " PLACES},
	{"session.address_changed", "Travel " PLACES},
	{"session.vpn_to_critical", "VPNPools CriticalHosts"},
	{"auth.bruteforce", "FailedLogonThreshold TimeWindow"},
	{"auth.bruteforce_success", "FailedLogonThreshold TimeWindow " PLACES},
	{"auth.slow_bruteforce", "FailedLogonThreshold TimeWindow"},
	{"auth.distributed", "TimeWindow"},
	{"auth.spray", "TimeWindow"},
	{"auth.noise", "FailedLogonThreshold TimeWindow"},
	{"activity.exfiltration", "ExpectedAutomation"},
	{"activity.lateral_movement", "ExpectedOnward ExpectedAutomation Scope"},
	{"activity.persistence", "ExpectedAutomation"},
	{"container.api_external", "AllowedCIDRs Scope"},
	{"container.created_after_api", "AllowedCIDRs Scope"},
	{"container.lateral", "AllowedCIDRs Scope"},
	{"container.escape", "AllowedCIDRs Scope"},
	{"sensor.blind", "TimeWindow"},
	{"chain.t1133", "FailedLogonThreshold TimeWindow"},
};

static void put_count(struct writer *w, uint64_t n, const char *one, const char *many)
{
	if (!n) {
		writer_puts(w, "none");
		return;
	}
	writer_number(w, n);
	writer_puts(w, " ");
	writer_puts(w, n == 1 ? one : many);
}

static void put_entries(struct writer *w, uint64_t n)
{
	put_count(w, n, "entry", "entries");
}

static void put_window(struct writer *w, uint64_t seconds)
{
	bool minutes = seconds % 60 == 0;

	writer_number(w, minutes ? seconds / 60 : seconds);
	writer_puts(w, minutes ? "m" : "s");
}

static void put_clock(struct writer *w, unsigned minute)
{
	const char text[] = {(char)('0' + minute / 600), (char)('0' + minute / 60 % 10), ':',
			     (char)('0' + minute % 60 / 10), (char)('0' + minute % 10)};

	writer_bytes(w, text, sizeof(text));
}

static void put_hours(struct writer *w, const struct business_hours *h)
{
	static const char *const days[] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};
	const char *comma = "";

	if (!h->rule.days) {
		writer_puts(w, "none");
		return;
	}
	for (unsigned i = 0; i < 7; i++) {
		if (!(h->rule.days >> i & 1))
			continue;
		writer_puts(w, comma);
		writer_puts(w, days[i]);
		comma = ",";
	}
	for (unsigned i = 0; i < h->rule.ranges_count; i++) {
		writer_puts(w, i ? "," : " ");
		put_clock(w, h->rule.ranges[i].from);
		writer_puts(w, "-");
		put_clock(w, h->rule.ranges[i].to);
	}
	writer_puts(w, " ");
	writer_escaped(w, h->zone_name[0] ? span_of(h->zone_name) : SPAN_LIT("UTC"));
	writer_puts(w, ", holidays: ");
	writer_number(w, h->holidays_count);
	writer_puts(w, ", overrides: ");
	writer_number(w, h->overrides_count);
}

static void put_whitelist(struct writer *w, const struct geo_whitelist *g)
{
	if (!g->countries_count && !g->asns_count) {
		writer_puts(w, "none: off");
		return;
	}
	put_count(w, g->countries_count, "country", "countries");
	writer_puts(w, ", networks: ");
	writer_number(w, g->asns_count);
	writer_puts(w, g->unresolved_alert ? ", unresolved: alert" : ", unresolved: allow");
}

static void put_value(struct writer *w, const struct config *c, struct span name)
{
	const struct {
		const char *name;
		uint64_t entries;
	} lists[] = {
		{"KnownRemoteIPs", c->known_count},
		{"KnownSSHClients", c->clients_count},
		{"Travel", c->travel_count},
		{"VPNPools", c->vpn_pools_count},
		{"CriticalHosts", c->critical_hosts_count},
		{"SharedAccounts", c->shared_accounts_count},
		{"ExpectedAutomation", c->expected_automation_count},
		{"ExpectedOnward", c->onward_count},
		{"Scope", c->scope.count},
		{"AllowedCIDRs", c->allowed_count},
	};

	if (span_is(name, "FailedLogonThreshold"))
		writer_number(w, c->failed_logon_threshold);
	else if (span_is(name, "TimeWindow"))
		put_window(w, c->time_window_s);
	else if (span_is(name, "BusinessHours"))
		put_hours(w, &c->hours);
	else if (span_is(name, "GeoIPWhitelist"))
		put_whitelist(w, &c->whitelist);
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		if (span_is(name, lists[i].name))
			put_entries(w, lists[i].entries);
}

static const struct {
	const char *name, *help;
} helps[] = {
	{"FailedLogonThreshold", "fires on more failures than this"},
	{"TimeWindow", "within this time"},
	{"BusinessHours", "when it is business, and where"},
	{"GeoIPWhitelist", "countries and networks that logins may come from"},
	{"KnownRemoteIPs", "known places: a login from there is lowered"},
	{"KnownSSHClients", "known keys and clients: theirs are lowered"},
	{"Travel", "accounts that may come from a country for a time"},
	{"VPNPools", "addresses that a VPN gives out"},
	{"CriticalHosts", "hosts that matter most"},
	{"SharedAccounts", "several people use them on purpose"},
	{"ExpectedAutomation", "accounts at which nobody sits"},
	{"ExpectedOnward", "who may go on, whither, by what"},
	{"Scope", "overrides of what counts as external"},
	{"AllowedCIDRs", "who may use container and cluster APIs from outside"},
};

/* The n-th word; empty when there are fewer. */
static struct span word_at(struct span words, unsigned n)
{
	while (words.len) {
		const char *space = memchr(words.ptr, ' ', words.len);
		size_t len = space ? (size_t)(space - words.ptr) : words.len;

		if (!n--)
			return span_first(words, len);
		words = span_skip(words, len < words.len ? len + 1 : len);
	}
	return words;
}

bool setting_of(const struct config *c, const char *detection, unsigned n, struct setting *ret)
{
	struct span name = {0};
	struct writer w;

	for (size_t i = 0; i < sizeof(used) / sizeof(used[0]); i++)
		if (!strcmp(used[i].detection, detection))
			name = word_at(span_of(used[i].settings), n);
	*ret = (struct setting){0};
	for (size_t i = 0; name.len && i < sizeof(helps) / sizeof(helps[0]); i++) {
		if (!span_is(name, helps[i].name))
			continue;
		ret->name = helps[i].name;
		ret->help = helps[i].help;
	}
	if (!ret->name)
		return false;
	writer_start(&w, ret->value, sizeof(ret->value));
	w.cut = true;
	put_value(&w, c, name);
	writer_finish(&w);
	return true;
}
