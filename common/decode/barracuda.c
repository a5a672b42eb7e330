/*
 * barracuda: Barracuda CloudGen Firewall: its logs Box\Auth\access and the authentication service's
 * (phibs).
 *
 * Sees administrators who are let in or not, the end of their sessions; users that a personal or
 * group VPN has logged in, and when that ends. Users whom an agent at a domain controller or a
 * terminal server reports sit at a desk: notes. Cannot see: a wrong VPN password and the inner
 * address, whose words nobody documents.
 *
 * In front stand a level and the box's name. A name is the last thing of its line, or its end is
 * looked for from the right.
 *
 * Sources: campus.barracuda.com, "Available Log Files and Structure", "Users Page" (what an origin
 * is: VPNP, VPNG, DCCLIENT, TSAGENT, ...); Sekoia's intake format of the product (its lines).
 *
 * Example: Info     FW1 phibs: Authentication Login for peer=203.0.113.9 origin=VPNP server=box
 * service=vpn box=FW1 startport=0 endport=0 user=alice
 */
#include "gateway.h"

static const char *const levels[] = {"Info",  "Security", "Notice", "Warning",
				     "Error", "Panic",	  "Fatal"};

/* "Info     FW1 REST" */
static bool cut_head(const struct frame *f, struct span *msg, struct span *box)
{
	struct span level;

	*msg = f->message;
	if (frame_has_writer(f) || !msg->len || msg->ptr[0] < 'E' || msg->ptr[0] > 'W')
		return false;
	level = text_cut_word(msg);
	*msg = text_trim_left(*msg);
	*box = text_cut_word(msg);
	for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++)
		if (span_is(level, levels[i]))
			return true;
	return false;
}

/* "boxconfig[50512]: Session U_BOX: Closed" */
static bool is_session(struct span s)
{
	return span_starts(s, SPAN_LIT("boxconfig[")) &&
	       text_find(s, SPAN_LIT("]: Session "), 0) != TEXT_NOT_FOUND;
}

static bool wants(const struct frame *f)
{
	struct span msg, box;

	return cut_head(f, &msg, &box) &&
	       (span_starts(msg, SPAN_LIT("LOGIN ATTEMPT: ")) ||
		span_starts(msg, SPAN_LIT("phibs: ")) || is_session(msg) ||
		span_starts(msg, SPAN_LIT("MSAD-Offline-Groups ")));
}

/* "U_BOX" */
static void set_admin(struct span name, struct span box, struct event *e)
{
	if (text_ends(name, box) && name.len > box.len + 1 &&
	    name.ptr[name.len - box.len - 1] == '_')
		name = span_first(name, name.len - box.len - 1);
	gateway_account(e, name);
}

/* "boxconfig[1]: Login U_BOX from A : Allowed." and "Login from A: Denied: WHY" */
static bool read_attempt(struct span s, struct span box, struct event *e)
{
	static const struct span allowed = SPAN_LIT(" : Allowed.");
	size_t at;

	gateway_row(e, EVENT_ATTEMPT, SERVICE_WEB_REMOTE, OUTCOME_FAILURE);
	if (text_cut(&s, SPAN_LIT("Login from "))) {
		at = text_find(s, SPAN_LIT(": Denied: "), 0);
		if (at == TEXT_NOT_FOUND)
			return false;
		e->gate.reason = span_skip(s, at + 10);
		if (span_starts(e->gate.reason, SPAN_LIT("Firewall Rule")))
			e->outcome = OUTCOME_REFUSED; /* before anybody could try */
		return gateway_origin(e, span_first(s, at));
	}
	at = text_find(s, SPAN_LIT("]: Login "), 0);
	if (at == TEXT_NOT_FOUND || !text_cut_end(&s, allowed))
		return false;
	s = span_skip(s, at + 9);
	at = text_find_last(s, SPAN_LIT(" from "));
	if (at == TEXT_NOT_FOUND)
		return false;
	gateway_success(e);
	set_admin(span_first(s, at), box, e);
	return gateway_origin(e, span_skip(s, at + 6));
}

static bool read_end(struct span s, struct span box, struct event *e)
{
	if (!text_cut_end(&s, SPAN_LIT(": Closed")))
		return false;
	s = span_skip(s, text_find(s, SPAN_LIT("]: Session "), 0) + 11);
	gateway_begin(e, EVENT_SESSION_CLOSE, SERVICE_WEB_REMOTE);
	set_admin(s, box, e);
	return true;
}

/* "KEY=VALUE " in front of *s. */
static bool cut_field(struct span *s, struct span key, struct span *ret)
{
	if (!text_cut(s, key))
		return false;
	*ret = text_cut_word(s);
	return true;
}

/* "Authentication Login for peer=A origin=O server=S service=V box=B startport=N endport=N user=U",
 * "Authentication Timeout(28800) for peer=A ... box=B U|..." */
static bool read_user(struct span s, struct event *e)
{
	struct span peer, origin, word, action;
	bool vpn, begins;

	if (!text_cut(&s, SPAN_LIT("Authentication ")))
		return false;
	action = text_cut_word(&s);
	begins = span_is(action, "Login");
	if ((!begins && !span_starts(action, SPAN_LIT("Timeout("))) ||
	    !text_cut(&s, SPAN_LIT("for ")) || !cut_field(&s, SPAN_LIT("peer="), &peer) ||
	    !cut_field(&s, SPAN_LIT("origin="), &origin) ||
	    !cut_field(&s, SPAN_LIT("server="), &word) ||
	    !cut_field(&s, SPAN_LIT("service="), &word) || !cut_field(&s, SPAN_LIT("box="), &word))
		return false;
	vpn = span_is(origin, "VPNP") || span_is(origin, "VPNG");
	gateway_begin(e,
		      !vpn     ? EVENT_AUTH_NOTE
		      : begins ? EVENT_SESSION_OPEN
			       : EVENT_SESSION_CLOSE,
		      vpn ? SERVICE_VPN : SERVICE_OTHER);
	if (begins) {
		if (!cut_field(&s, SPAN_LIT("startport="), &word) ||
		    !cut_field(&s, SPAN_LIT("endport="), &word) || !text_cut(&s, SPAN_LIT("user=")))
			return false;
		if (vpn)
			gateway_success(e);
	} else {
		size_t at = text_find(s, SPAN_LIT("|"), 0);

		s = span_first(s, at == TEXT_NOT_FOUND ? s.len : at);
		e->gate.reason = action;
	}
	gateway_account(e, s);
	e->gate.group = origin;
	return gateway_origin(e, peer);
}

static enum decode_result decode(const struct frame *f, struct event *ret, const char **reason)
{
	struct span msg, box;
	bool read = false;

	*reason = "Barracuda's, and neither a verdict nor about a session";
	if (!cut_head(f, &msg, &box))
		return DECODE_SKIPPED;
	ret->host = box;
	if (text_cut(&msg, SPAN_LIT("LOGIN ATTEMPT: ")))
		read = read_attempt(msg, box, ret);
	else if (text_cut(&msg, SPAN_LIT("phibs: ")))
		read = read_user(msg, ret);
	else if (is_session(msg))
		read = read_end(msg, box, ret);
	return read ? DECODE_EVENT : DECODE_SKIPPED;
}

const struct decoder decoder_barracuda = {
	.name = "barracuda",
	.about = "Barracuda CloudGen Firewall: administrators, users of its VPN",
	.example = "Info     FW1 phibs: Authentication Login for peer=203.0.113.10 origin=VPNP "
		   "server=box service=vpn box=FW1 startport=0 endport=0 user=alice",
	.wants = wants,
	.decode = decode,
};
