/*
 * sshd_conn: connections: opened, closed, refused, and those that never got to a login.
 *
 * sshd names the remote end as "[authenticating user U |invalid user U |user U ]ADDR port N". U
 * is the client's word; where text follows that is the client's word too ("Disconnecting ...:
 * REASON"), a line that can be read in two ways keeps the origin unknown.
 */
#include "sshd.h"

#include "text.h"

/* What sshd puts in front of the address once a user name was said. */
static const struct {
	struct span words;
	uint32_t flags;
	bool open; /* logged in */
} preambles[] = {
	{SPAN_LIT("authenticating user "), EVENT_ACCOUNT_EXISTS, false},
	{SPAN_LIT("invalid user "), EVENT_ACCOUNT_UNKNOWN, false},
	{SPAN_LIT("illegal user "), EVENT_ACCOUNT_UNKNOWN, false},
	{SPAN_LIT("user "), EVENT_ACCOUNT_EXISTS, true},
};

#define PREAMBLES (sizeof(preambles) / sizeof(preambles[0]))

static size_t preamble_of(struct span s)
{
	size_t i = 0;

	while (i < PREAMBLES && !span_starts(s, preambles[i].words))
		i++;
	return i;
}

/* "[PREAMBLE ]ADDR port N", all of it. *ret_open: a user who is logged in. */
static bool read_remote_id(struct span s, struct event *e, bool *ret_open)
{
	size_t i = preamble_of(s);

	*ret_open = false;
	if (i == PREAMBLES)
		return sshd_cut_endpoint(&s, &e->origin) && span_empty(text_trim_right(s));
	s = span_skip(s, preambles[i].words.len);
	if (!sshd_cut_end_endpoint(&s, true, &e->origin))
		return false;
	e->account = s;
	e->flags |= preambles[i].flags;
	*ret_open = preambles[i].open;
	return true;
}

/*
 * How much of s is "[PREAMBLE ]ADDR port N" before a ':'. With a user name in front there may be
 * several such places: *ret_sure tells whether there is one only.
 */
static size_t remote_id_length(struct span s, bool *ret_sure)
{
	struct span rest = s;
	struct endpoint end;
	size_t found = 0;

	*ret_sure = true;
	if (preamble_of(s) == PREAMBLES)
		return sshd_cut_endpoint(&rest, &end) ? s.len - rest.len : 0;
	for (size_t at = text_find(s, SPAN_LIT(" port "), 0); at != TEXT_NOT_FOUND;
	     at = text_find(s, SPAN_LIT(" port "), at + 1)) {
		size_t n = at + 6;

		while (n < s.len && text_is_digit(s.ptr[n]))
			n++;
		rest = span_first(s, n);
		if (n >= s.len || s.ptr[n] != ':' || !sshd_cut_end_endpoint(&rest, true, &end) ||
		    end.addr.family == ADDR_NONE)
			continue;
		*ret_sure = found == 0;
		found = n;
	}
	return found;
}

/* The line says that it is over: of a user who is logged in, the session ends. */
static void set_end(bool open, struct event *e)
{
	if (e->flags & EVENT_PREAUTH)
		return;
	if (open || span_empty(e->account))
		e->kind = EVENT_SESSION_CLOSE;
	else
		e->flags |= EVENT_PREAUTH;
}

/* "[PREAMBLE ]ADDR port N: TEXT" */
bool sshd_read_remote(struct span s, struct event *e)
{
	bool sure, open;
	size_t n = remote_id_length(s, &sure);
	struct span text;

	if (n == 0 || !read_remote_id(span_first(s, n), e, &open))
		return false;
	set_end(open, e);
	text = span_skip(s, n);
	text_cut(&text, SPAN_LIT(":"));
	text = text_trim_left(text);
	/* A user name that imitates the line: only a reason that is all sshd's settles it. */
	if (!sure && !span_is(text, "Too many authentication failures")) {
		e->origin = (struct endpoint){0};
		e->account = (struct span){0};
		e->flags &= ~(uint32_t)(EVENT_ACCOUNT_EXISTS | EVENT_ACCOUNT_UNKNOWN);
	}
	return true;
}

/*
 * "[PREAMBLE ]ADDR[ port N][ timed out]". Without a user name and "[preauth]" it is the end of a
 * session in versions 7.0 to 7.4, and since 9.8 of a connection that never sent a banner: the core
 * knows whether there is a session.
 */
bool sshd_read_end(struct span rest, struct event *e)
{
	bool open;

	text_cut_end(&rest, SPAN_LIT(" timed out"));
	if (!read_remote_id(rest, e, &open))
		return false;
	set_end(open, e);
	return true;
}

/* "ADDR port N[ on ADDR port N[ rdomain ...]]": accepted; or it failed: ": REASON", " timed out" */
bool sshd_read_connection(struct span rest, struct event *e)
{
	struct span after = rest;

	if (text_ends(rest, SPAN_LIT(" timed out")))
		return sshd_read_end(rest, e);
	if (!sshd_cut_endpoint(&after, &e->origin) || (after.len && after.ptr[0] == ':'))
		return sshd_read_remote(rest, e);
	e->kind = EVENT_CONNECTION;
	return !text_cut(&after, SPAN_LIT(" on ")) || sshd_cut_endpoint(&after, &e->local);
}

/* ": REASON" before version 7, then " [PREAMBLE ]ADDR port N: REASON". */
bool sshd_read_disconnecting(struct span rest, struct event *e)
{
	if (text_cut(&rest, SPAN_LIT(": "))) {
		e->flags |= EVENT_PREAUTH;
		if (text_cut(&rest, SPAN_LIT("Too many authentication failures for ")))
			e->account = rest;
		return true;
	}
	return text_cut(&rest, SPAN_LIT(" ")) && sshd_read_remote(rest, e);
}

/* "ADDR port N:11: TEXT" or, before version 7, "ADDR: 11: TEXT". TEXT is the client's. */
bool sshd_read_received(struct span rest, struct event *e)
{
	return sshd_cut_endpoint(&rest, &e->origin);
}

/* "... from ADDR[ port N]": all before it may be the client's. */
bool sshd_read_from_right(struct span rest, struct event *e)
{
	if (!sshd_cut_end_endpoint(&rest, false, &e->origin))
		return false;
	return span_empty(rest) || text_ends(rest, SPAN_LIT(" from"));
}

/* "'TEXT' from ADDR port N" */
bool sshd_read_bad_version(struct span rest, struct event *e)
{
	if (!sshd_cut_end_endpoint(&rest, false, &e->origin) ||
	    !text_cut_end(&rest, SPAN_LIT(" from")))
		return false;
	text_cut(&rest, SPAN_LIT("'"));
	text_cut_end(&rest, SPAN_LIT("'"));
	e->client = rest;
	return true;
}

/* "\"TEXT\"": no address in this line, another one follows. */
bool sshd_read_identifier(struct span rest, struct event *e)
{
	text_cut(&rest, SPAN_LIT("\""));
	text_cut_end(&rest, SPAN_LIT("\""));
	e->client = rest;
	return true;
}

/* "ADDR[ port N]", or from version 9.8 on "connection from ADDR to ADDR, pid = N" by the listener.
 */
bool sshd_read_timeout(struct span rest, struct event *e)
{
	struct span to;

	if (!text_cut(&rest, SPAN_LIT("connection from ")))
		return sshd_cut_endpoint(&rest, &e->origin);
	if (!sshd_cut_endpoint(&rest, &e->origin))
		return false;
	text_cut(&rest, SPAN_LIT(" "));
	if (text_cut(&rest, SPAN_LIT("to "))) {
		to = text_cut_word(&rest);
		text_cut_end(&to, SPAN_LIT(","));
		if (!addr_parse(to, &e->local.addr, NULL))
			return false;
	}
	if (text_cut(&rest, SPAN_LIT("pid = ")))
		e->proc.pid = text_u32(rest, e->proc.pid);
	return true;
}

/* "ADDR port N." */
bool sshd_read_listening(struct span rest, struct event *e)
{
	text_cut_end(&rest, SPAN_LIT("."));
	return sshd_cut_end_endpoint(&rest, true, &e->dest);
}

static bool cut_bracketed(struct span *s, struct endpoint *ret)
{
	struct endpoint end = {0};

	if (!addr_parse(text_cut_word(s), &end.addr, &end.port))
		return false;
	*ret = end;
	return true;
}

/* "3 from [ADDR]:N on [ADDR]:N past MaxStartups" or "... penalty: failed authentication" */
bool sshd_read_drop(struct span rest, struct event *e)
{
	text_cut_word(&rest);
	if (!text_cut(&rest, SPAN_LIT("from ")) || !cut_bracketed(&rest, &e->origin))
		return false;
	return text_cut(&rest, SPAN_LIT("on ")) && cut_bracketed(&rest, &e->local);
}

/* "HOST (ADDR)": tcp wrappers. HOST may hold the client's ident answer. */
bool sshd_read_refused(struct span rest, struct event *e)
{
	struct span addr = text_cut_end_word(&rest);

	if (!text_cut(&addr, SPAN_LIT("(")) || !text_cut_end(&addr, SPAN_LIT(")")))
		return false;
	return addr_parse(addr, &e->origin.addr, NULL);
}

/* "HOST [ADDR] failed[ - POSSIBLE BREAK-IN ATTEMPT!]": HOST is the client's DNS. */
bool sshd_read_reverse(struct span rest, struct event *e)
{
	struct span addr;

	text_cut_end(&rest, SPAN_LIT(" - POSSIBLE BREAK-IN ATTEMPT!"));
	if (!text_cut_end(&rest, SPAN_LIT(" failed.")) && !text_cut_end(&rest, SPAN_LIT(" failed")))
		return false;
	addr = text_cut_end_word(&rest);
	return addr_parse(addr, &e->origin.addr, NULL);
}

/* "ADDR maps to HOST, but this does not map back to the address" */
bool sshd_read_maps_to(struct span rest, struct event *e)
{
	struct span addr = text_cut_word(&rest);

	return span_starts(rest, SPAN_LIT("maps to ")) && addr_parse(addr, &e->origin.addr, NULL);
}

/* "ipv4: new ADDR/32 active penalty of 5 seconds for REASON" */
bool sshd_read_penalty(struct span rest, struct event *e)
{
	struct span addr;
	size_t slash;

	text_cut_word(&rest);
	if (!text_cut(&rest, SPAN_LIT("new ")))
		return true;
	addr = text_cut_word(&rest);
	slash = text_find(addr, SPAN_LIT("/"), 0);
	if (slash != TEXT_NOT_FOUND)
		addr = span_first(addr, slash);
	return addr_parse(addr, &e->origin.addr, NULL);
}
