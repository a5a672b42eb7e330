/*
 * vnc: VNC servers: TigerVNC (Xvnc, x0vncserver), x11vnc, RealVNC; from syslog or their own files.
 *
 * Sees failures with address and port; of x11vnc and RealVNC also who got in. VNC knows no accounts
 * but RealVNC's. Cannot see: a success with TigerVNC, which says no more than that somebody came
 * and went (the connection's first bytes tell that: first_bytes.c).
 *
 * Nothing of a line is the client's but RealVNC's account, which exists and stands last but one.
 *
 * Example: VNCSConnST:  closing 203.0.113.7::53792: Authentication failure
 */
#include "daemon_text.h"

/* "ADDR::PORT" */
static bool read_end(struct span s, struct endpoint *ret)
{
	struct endpoint end = {0};
	size_t at = text_find_last(s, SPAN_LIT("::"));
	uint32_t port;

	if (at == TEXT_NOT_FOUND)
		return false;
	port = text_u32(span_skip(s, at + 2), UINT32_MAX);
	if (port > UINT16_MAX || !addr_parse(span_first(s, at), &end.addr, NULL))
		return false;
	end.port = (uint16_t)port;
	*ret = end;
	return end.addr.family != ADDR_NONE;
}

static bool read_accepted(struct span s, struct event *e)
{
	return read_end(text_cut_word(&s), &e->origin);
}

/* "ADDR::PORT: REASON" */
static bool read_closing(struct span s, struct event *e)
{
	struct span end = text_cut_word(&s);

	if (!text_cut_end(&end, SPAN_LIT(":")) || !read_end(end, &e->origin))
		return false;
	if (span_starts(s, SPAN_LIT("Authentication fail")))
		return true;
	e->kind = EVENT_SESSION_CLOSE;
	e->outcome = OUTCOME_UNKNOWN;
	e->method = METHOD_NONE;
	return true;
}

/* "ADDR::PORT (TCP), as U (PERMISSIONS)" */
static bool read_authenticated(struct span s, struct event *e)
{
	struct span end = text_cut_word(&s);
	size_t at = text_find_last(s, SPAN_LIT(" ("));

	if (!read_end(end, &e->origin))
		return false;
	if (!text_cut(&s, SPAN_LIT("(TCP), as ")) || at == TEXT_NOT_FOUND || at < 10)
		return true;
	s = span_first(s, at - 10);
	if (span_is(s, "(anonymous)"))
		e->method = METHOD_NO_AUTH;
	else
		e->account = s;
	return true;
}

/* "ADDR::PORT (TCP)[ ([AuthFailure] ...)]" */
static bool read_disconnected(struct span s, struct event *e)
{
	if (!read_end(text_cut_word(&s), &e->origin))
		return false;
	if (text_find(s, SPAN_LIT("([AuthFailure]"), 0) == TEXT_NOT_FOUND)
		return true;
	e->kind = EVENT_ATTEMPT;
	e->outcome = OUTCOME_FAILURE;
	e->method = METHOD_PASSWORD;
	return true;
}

static bool read_failed(struct span s, struct event *e)
{
	daemon_address(s, &e->origin);
	return e->origin.addr.family != ADDR_NONE;
}

/* "ADDR:PORT:" */
static bool read_format(struct span s, struct event *e)
{
	return text_cut_end(&s, SPAN_LIT(":")) && daemon_endpoint(s, &e->origin);
}

#define TRY(outcome, read) EVENT_ATTEMPT, OUTCOME_##outcome, METHOD_PASSWORD, 0, read
#define PLAIN(kind, read)  EVENT_##kind, OUTCOME_UNKNOWN, METHOD_NONE, 0, read

static const struct daemon_form forms[] = {
	{SPAN_LIT("VNCSConnST:  closing "), TRY(FAILURE, read_closing)},
	{SPAN_LIT("Connections: accepted: "), PLAIN(CONNECTION, read_accepted)},
	{SPAN_LIT("Connections: connected: "), PLAIN(CONNECTION, read_accepted)},
	{SPAN_LIT("Connections: authenticated: "), TRY(SUCCESS, read_authenticated)},
	{SPAN_LIT("Connections: disconnected: "), PLAIN(SESSION_CLOSE, read_disconnected)},
	{SPAN_LIT("authProcessClientMessage: authentication failed from "),
	 TRY(FAILURE, read_failed)},
	{SPAN_LIT("rfbAuthProcessClientMessage: authentication failed from "),
	 TRY(FAILURE, read_failed)},
	{SPAN_LIT("Pixel format for client "), TRY(SUCCESS, read_format)},
};

static bool is_server(struct span name)
{
	static const char *const names[] = {
		"Xvnc",	     "Xtigervnc",	   "x0vncserver", "x0tigervncserver",
		"x11vnc",    "vncserver-x11",	   "vncserver",	  "vncserver-virtual",
		"Xvnc-core", "vncserver-x11-core",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (span_is(name, names[i]))
			return true;
	return false;
}

static bool wants(const struct frame *f)
{
	return is_server(f->ident);
}

/* Anybody may run one, so it is text and no more; what another program says in its name is a lie.
 */
static enum trust trust_of(const struct frame *f)
{
	bool others = frame_has_writer(f) && f->uid && f->uid != UINT32_MAX &&
		      !span_empty(f->exe) && !is_server(span_base(f->exe));

	return others ? TRUST_FORGED : TRUST_TEXT;
}

static enum decode_result decode(const struct frame *f, struct event *ret, const char **reason)
{
	ret->service = SERVICE_VNC;
	ret->witness = WITNESS_DAEMON;
	ret->proc = (struct proc_id){0}; /* one serves all its clients */
	ret->trust = trust_of(f);
	return DAEMON_READ(forms, f->message, ret, reason);
}

const struct decoder decoder_vnc = {
	.name = "vnc",
	.about = "VNC servers: TigerVNC, x11vnc, RealVNC; syslog or their own files",
	.example = "Nov 29 17:30:00 desk Xvnc[4711]:  VNCSConnST:  closing 203.0.113.10::53792: "
		   "Authentication failure",
	.wants = wants,
	.decode = decode,
};
