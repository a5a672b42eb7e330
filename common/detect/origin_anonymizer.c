/*
 * origin.anonymizer: a login from a network whose work it is to hide where somebody is.
 *
 * Sees the databases' flags of the address: a Tor exit, a public proxy or VPN, or a network on a
 * list of hijacked and hostile ones. Hosting and satellite networks are neither. Info when the
 * operator's lists know the address or the client.
 * Cannot see: an anonymizer that no database in use lists.
 *
 * Example: alice logs in from a Tor exit.
 */
#include "../core/core_detect.h"

static const struct {
	uint32_t flag;
	const char *reason, *words;
} kinds[] = {
	{GEO_TOR, "tor", "a Tor exit"},
	{GEO_ANONYMOUS, "anonymizer", "a proxy, VPN or other anonymizer"},
	{GEO_DROP, "hostile-network", "a network that is listed as hijacked or hostile"},
};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

static void say(struct alert *a, const struct session *s, const char *words)
{
	struct text t = TEXT_IN(a->sentence);

	say_login(&t, s);
	text_add(&t, "; the address is %s.", words);
	if (a->severity == SEVERITY_INFO)
		text_add(&t, " The address or client is known.");
	t = TEXT_IN(a->numbers);
	text_add(&t, "%u sessions that day", (unsigned)a->count);
}

static void step(struct detect_ctx *x, const struct event *e)
{
	struct fire f = {.severity = SEVERITY_MEDIUM, .count = 1};
	struct calert *a;
	size_t kind = 0;

	if (!detect_is_external(x))
		return;
	for (; kind < KINDS && !(x->session->pub.geo.flags & kinds[kind].flag); kind++)
		;
	if (kind == KINDS)
		return;
	if (known_origin(x->core, &x->session->pub))
		f.severity = SEVERITY_INFO;
	f.reason = kinds[kind].reason;
	f.match_key = x->session->pub.key;
	a = odd_alert(x, e, &f);
	if (a)
		say(&a->pub, &x->session->pub, kinds[kind].words);
}

const struct detection detection_origin_anonymizer = {
	.id = "origin.anonymizer",
	.number = 1408,
	.severity = SEVERITY_MEDIUM,
	.scope = DETECT_EXTERNAL,
	.stage = "anomaly",
	.title = "Login through an anonymizer",
	.attack = "T1090.003 T1078",
	.tactic = "TA0011 TA0001",
	.analytic = "AN1004 AN1005 AN1006",
	.data_components = "Logon Session Creation (DC0067); Logon Session Metadata (DC0088)",
	.reasons = "tor anonymizer hostile-network",
	.events = EVENT_BIT(SESSION_OPEN),
	.triage = "Does the person of that account use Tor or such a VPN? Ask them.",
	.contain = "End the session, change the account's secrets.",
	.false_positive = "People who use a public VPN, where that is allowed.",
	.tune = "KnownRemoteIPs for the exits that are allowed; an exception for the account.",
	.mitigation = "M1021 M1035",
	.step = step,
	.asked = true, /* by core_settle.c */
	.key = KEY_ACCESS,
};
