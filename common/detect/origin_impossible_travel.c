/*
 * origin.impossible_travel: two logins of one identity that no journey explains.
 *
 * Sees the last place of an identity (core_travel.c) and the one it logs in from now: the distance
 * on the globe, less what both databases' radii leave open (200 km where they do not say), more
 * than 500 km, at more than 1000 km/h. Info when the operator's lists know both ends; low when they
 * know the new one alone, since the stranger may have been there first.
 * Cannot see: anything with a database that knows countries alone; a VPN that is not in VPNPools
 * looks like a journey.
 *
 * Example: alice from London at 09:00 and from Tokyo at 09:40: 9,500 km, 14,000 km/h.
 */
#include "../core/core_detect.h"

enum {
	KILOMETRES,
	SPEED,
	RADIUS
};

struct journey {
	uint64_t metres, seconds, speed_kmh;
};

static uint64_t radius_m(const struct detect_ctx *x, uint16_t km)
{
	return (km ? km : detect_param(x, RADIUS)) * 1000;
}

/* What is left of the distance when both ends are as near as they may be. */
static uint64_t metres_between(const struct detect_ctx *x, const struct last_place *p)
{
	const struct geo *g = &x->session->pub.geo;
	uint64_t all =
		geo_distance_m(p->latitude_e4, p->longitude_e4, g->latitude_e4, g->longitude_e4);
	uint64_t open = radius_m(x, p->radius_km) + radius_m(x, g->radius_km);

	return all > open ? all - open : 0;
}

/* Without division, so that exactly 1000 km/h is not more than 1000 km/h: m * 3.6e12 / ns = m/h. */
static bool is_faster(uint64_t metres, uint64_t ns, uint64_t kmh)
{
	return (unsigned __int128)metres * 3600 * SECOND_NS > (unsigned __int128)kmh * 1000 * ns;
}

static bool is_impossible(const struct detect_ctx *x, const struct last_place *p,
			  struct journey *ret)
{
	uint64_t now = x->session->pub.open_ns;
	uint64_t ns = now > p->time_ns ? now - p->time_ns : p->time_ns - now;
	uint64_t metres = metres_between(x, p);

	if (metres <= detect_param(x, KILOMETRES) * 1000 ||
	    !is_faster(metres, ns, detect_param(x, SPEED)))
		return false;
	ret->metres = metres;
	ret->seconds = ns / SECOND_NS;
	ret->speed_kmh = metres * 3600 / 1000 / (ret->seconds ? ret->seconds : 1);
	return true;
}

static void say_place(struct text *t, const char *city, const char *country)
{
	if (!city[0] && !country[0])
		return;
	text_add(t, " in ");
	say_name(t, city);
	text_add(t, "%s%s", city[0] && country[0] ? ", " : "", country);
}

static void say(const struct detect_ctx *x, struct alert *a, const struct last_place *p,
		const struct journey *j)
{
	const struct session *s = &x->session->pub;
	struct text t = TEXT_IN(a->sentence);
	bool is_later = s->open_ns >= p->time_ns;

	text_quote(&t, span_of(s->account), 48);
	text_add(&t, " logged in over %s from ", service_name(s->service));
	say_from(&t, s);
	say_place(&t, s->geo.city, s->geo.country);
	text_add(&t, ", ");
	say_duration(&t, j->seconds);
	text_add(&t, "%s a login from ", is_later ? " after" : " before");
	text_addr(&t, &p->origin.addr);
	say_place(&t, p->city, p->country);
	text_add(&t, ": at least %u km apart, %u km/h.", (unsigned)(j->metres / 1000),
		 (unsigned)j->speed_kmh);
	if (known_origin(x->core, s))
		text_add(&t, " The address or client is known.");
	t = TEXT_IN(a->numbers);
	text_add(&t, "%u km in %u s, %u km/h", (unsigned)(j->metres / 1000), (unsigned)j->seconds,
		 (unsigned)j->speed_kmh);
}

static void fire(struct detect_ctx *x, const struct event *e, const struct last_place *p,
		 const struct journey *j)
{
	const struct session *s = &x->session->pub;
	struct fire f = {.severity = SEVERITY_HIGH, .reason = "", .count = 1, .match_key = s->key};
	struct calert *a;

	if (known_origin(x->core, s))
		f.severity = p->known ? SEVERITY_INFO : SEVERITY_LOW;
	a = odd_alert(x, e, &f);
	if (a)
		say(x, &a->pub, p, j);
}

static void step(struct detect_ctx *x, const struct event *e)
{
	const struct last_place *p;
	struct journey j;

	if (!detect_is_external(x))
		return;
	p = travel_from(x->core, &x->session->pub);
	if (p && is_impossible(x, p, &j))
		fire(x, e, p, &j);
	travel_note(x->core, &x->session->pub);
}

const struct detection detection_origin_impossible_travel = {
	.id = "origin.impossible_travel",
	.number = 1403,
	.severity = SEVERITY_HIGH,
	.scope = DETECT_EXTERNAL,
	.stage = "anomaly",
	.title = "Two logins that no journey explains",
	.attack = "T1078",
	.tactic = "TA0001",
	.analytic = "AN1004 AN1005 AN1006",
	.data_components = "Logon Session Creation (DC0067); Logon Session Metadata (DC0088)",
	.reasons = "",
	.events = EVENT_BIT(SESSION_OPEN),
	.params = {{"MinKilometres", 500, UNIT_COUNT, "apart, less both radii, to fire at more"},
		   {"MaxSpeed", 1000, UNIT_COUNT, "km/h that is still a journey"},
		   {"DefaultRadius", 200, UNIT_COUNT, "km where the database gives no radius"}},
	.param_max = {20038, 1000000, 20038},
	.triage = "Where is the person? One of the two logins is not theirs, or one went by a VPN.",
	.contain = "End both sessions, change the account's secrets, block the stranger's source.",
	.false_positive = "A VPN or mobile network whose exit is in another country.",
	.tune = "VPNPools; KnownRemoteIPs for jump hosts.",
	.mitigation = "M1032 M1030",
	.step = step,
	.asked = true, /* by core_settle.c */
	.key = KEY_ACCESS,
};
