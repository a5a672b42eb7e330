/*
 * gateway: sessions of RD Gateway and of a VPN, by what their servers tell.
 *
 * RD Gateway: who was let in (200) has a session, by account and origin; each computer that it is
 * connected to (302) is a channel of it, and it ends with the last of them (303). A login that
 * reaches nothing ends after an hour. The network logon at the gateway (4624 type 3) is the same
 * login. The computer behind it sees the gateway's address and tells of a session of its own: the
 * one that came from outside is here.
 *
 * VPN: NPS grants it (6272) and knows the address; RRAS tells which line it is (CoID) and when it
 * ends, with bytes. Of a grant without an address (Wi-Fi) there is no session. Where nobody tells
 * the end it ends after a day without a word.
 *
 * Cannot see: which of two logins of one account from one address a channel belongs to.
 *
 * Example: 200 and 302 of CORP\alice from 203.0.113.9 to srv1, 303 with 5 MB: one session.
 */
#include "core_detect.h"

#define LOGIN_IDLE_NS (3600 * SECOND_NS)
#define LINE_IDLE_NS  DAY_NS

static void idle_ends(struct core *c, struct csession *s, uint64_t after_ns)
{
	s->confirm_ns = s->pub.last_ns + after_ns;
	core_due(c, s->confirm_ns);
}

/* "srv1, srv2 (refused)"; what does not fit is cut. True: it is new. */
static bool add_target(struct csession *s, const struct event *e)
{
	bool used = s->pub.target[0];
	struct text t;
	char name[sizeof(s->pub.target)];

	span_copy(name, sizeof(name), e->subject);
	if (!name[0] || strstr(s->pub.target, name))
		return false;
	t = text_more(s->pub.target, sizeof(s->pub.target));
	text_add(&t, used ? ", " : "");
	text_plain(&t, e->subject, sizeof(name) - 1);
	text_add(&t, e->outcome == OUTCOME_REFUSED ? " (refused)" : "");
	return true;
}

/* The alert about the login tells it, too. */
static void target_told(struct core *c, struct csession *s, const struct event *e)
{
	struct event told = *e;

	if (!add_target(s, e))
		return;
	session_changed(c, s);
	told.kind = EVENT_AUTH_NOTE;
	core_detect(c, &told, pool_get(&c->conns, s->conn), s);
}

static struct csession *gateway_login(struct core *c, const struct event *e)
{
	struct csession *s;
	bool is_new;

	if (!e->origin.addr.family || span_empty(e->account))
		return NULL;
	windows_proven(c, e, true);
	windows_proof(c, e, windows_who(c, e->account));
	s = logon_session(c, e, &is_new);
	if (s && !s->pub.has_forward)
		idle_ends(c, s, LOGIN_IDLE_NS);
	return s;
}

static void gateway_connected(struct core *c, const struct event *e)
{
	struct csession *s = gateway_login(c, e);

	if (!s)
		return;
	s->confirm_ns = 0; /* its end is told */
	if (!s->pub.has_forward)
		s->pub.processes = 0; /* of its channels from now on */
	s->pub.has_forward = true;
	s->pub.processes++;
	target_told(c, s, e);
}

/* The session that is live, without opening one. */
static struct csession *gateway_session(struct core *c, const struct event *e)
{
	struct event told = *e;
	struct csession *s;

	told.conn = logon_session_key(c, e);
	told.proc = (struct proc_id){0};
	s = session_of(c, &told);
	return s && s->pub.state != SESSION_CLOSED ? s : NULL;
}

static void add_bytes(struct csession *s, const struct event *e)
{
	s->pub.bytes_in += e->bytes_in;
	s->pub.bytes_out += e->bytes_out;
	s->pub.bytes_known = true;
}

static void gateway_ended(struct core *c, const struct event *e)
{
	struct csession *s = gateway_session(c, e);

	if (!s)
		return;
	add_bytes(s, e);
	s->pub.last_ns = e->time_ns;
	session_changed(c, s);
	if (s->pub.processes > 1)
		s->pub.processes--;
	else
		logon_session_end(c, s, e->time_ns);
}

static void gateway_event(struct core *c, const struct event *e)
{
	struct csession *s;

	switch (e->kind) {
	case EVENT_ATTEMPT:
		if (e->outcome == OUTCOME_SUCCESS)
			gateway_login(c, e);
		else
			windows_failed(c, e);
		break;
	case EVENT_SESSION_OPEN:
		gateway_connected(c, e);
		break;
	case EVENT_SESSION_CLOSE:
		gateway_ended(c, e);
		break;
	case EVENT_CONNECTION:
		windows_proof(c, e, 0);
		break;
	default:
		s = gateway_session(c, e);
		if (s && e->outcome == OUTCOME_REFUSED)
			target_told(c, s, e);
	}
}

static void line_ended(struct core *c, const struct event *e)
{
	struct csession *s = rdp_session(c, e);

	if (!s)
		return;
	add_bytes(s, e);
	s->pub.last_ns = e->time_ns;
	logon_session_end(c, s, e->time_ns);
}

static void vpn_event(struct core *c, const struct event *e)
{
	struct csession *s;

	if (e->kind == EVENT_SESSION_CLOSE) {
		line_ended(c, e);
	} else if (e->kind != EVENT_ATTEMPT) {
		rdp_noted(c, e);
	} else if (e->outcome == OUTCOME_SUCCESS && e->origin.addr.family) {
		s = rdp_opened(c, e);
		if (s)
			idle_ends(c, s, LINE_IDLE_NS);
	} else if (e->outcome == OUTCOME_FAILURE) {
		windows_failed(c, e);
	}
}

bool gateway_told(struct core *c, const struct event *e)
{
	if (e->service == SERVICE_RDGATEWAY)
		gateway_event(c, e);
	else if (e->service == SERVICE_VPN)
		vpn_event(c, e);
	else
		return false;
	return true;
}
