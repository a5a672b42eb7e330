/*
 * mikrotik: RouterOS by syslog: those who manage it, and users of its VPN servers (L2TP, PPTP,
 * SSTP, OpenVPN).
 *
 * Sees logins, failures and logouts by SSH, telnet, FTP, Winbox, web and API with their address;
 * VPN users who log in, with their inner address and, since RouterOS 7, the outer one, and who log
 * out; passwords that failed. Cannot see: the outer address before RouterOS 7, but for failures; a
 * login at the console has none.
 *
 * In front may stand the topics ("system,info,account"); the VPN's words are taken behind them
 * alone. A name is read up to the last of what follows it.
 *
 * Sources: help.mikrotik.com, "Log" (topics, logins, logouts); the words of failures and of the
 * VPNs as RouterOS logs them, from administrators' scripts and published logs.
 *
 * Example: system,info,account user admin logged in from 203.0.113.9 via winbox
 */
#include "gateway.h"

#define TOPICS_MAX 80

/* "system,info,account " or with a colon: letters, digits, commas. */
static bool cut_topics(struct span *s, struct span *ret)
{
	struct span rest = *s, word = text_cut_word(&rest);
	bool comma = false;

	text_cut_end(&word, SPAN_LIT(":"));
	if (word.len > TOPICS_MAX)
		return false;
	for (size_t i = 0; i < word.len; i++) {
		if (!text_is_alpha(word.ptr[i]) && !text_is_digit(word.ptr[i]) &&
		    word.ptr[i] != '-' && word.ptr[i] != ',')
			return false;
		comma |= word.ptr[i] == ',';
	}
	if (!comma)
		return false;
	*ret = word;
	*s = rest;
	return true;
}

static bool is_tunnel(struct span topics)
{
	return span_has(topics, SPAN_LIT("ppp")) || span_has(topics, SPAN_LIT("ovpn"));
}

static bool is_ours(struct span topics, struct span s)
{
	bool vpn = is_tunnel(topics);

	return span_starts(s, SPAN_LIT("login failure for user ")) ||
	       (span_starts(s, SPAN_LIT("user ")) &&
		text_find(s, SPAN_LIT(" via "), 0) != TEXT_NOT_FOUND &&
		(text_find(s, SPAN_LIT(" logged in "), 0) != TEXT_NOT_FOUND ||
		 text_find(s, SPAN_LIT(" logged out "), 0) != TEXT_NOT_FOUND)) ||
	       (vpn && (text_find(s, SPAN_LIT(" logged in, "), 0) != TEXT_NOT_FOUND ||
			text_find(s, SPAN_LIT(" logged out, "), 0) != TEXT_NOT_FOUND ||
			text_find(s, SPAN_LIT(" authentication failed"), 0) != TEXT_NOT_FOUND));
}

/* What a frame takes for host and program: "l2tp,ppp,error <203.0.113.9>: user ...". */
static bool is_split(const struct frame *f)
{
	return f->ident.len > 2 && f->ident.ptr[0] == '<' && text_ends(f->ident, SPAN_LIT(">"));
}

/* The words, and the topics in front of them; *host: the one behind the time. */
static bool find_line(const struct frame *f, struct span *msg, struct span *topics,
		      struct span *host)
{
	struct span name = f->ident;

	*msg = f->message;
	*topics = *host = text_none();
	if (frame_has_writer(f))
		return false;
	if (is_split(f)) {
		*msg = span_empty(f->host) ? f->ident : f->host;
		msg->len = (size_t)(f->message.ptr + f->message.len - msg->ptr);
	} else if (!span_empty(f->ident)) {
		*host = f->host;
		return cut_topics(&name, topics) && is_ours(*topics, *msg);
	}
	if (cut_topics(msg, topics) || is_ours(text_none(), *msg))
		return is_ours(*topics, *msg);
	*host = text_cut_word(msg);
	cut_topics(msg, topics);
	return is_ours(*topics, *msg);
}

static bool wants(const struct frame *f)
{
	struct span msg, topics, host;

	return find_line(f, &msg, &topics, &host);
}

static enum service service_of(struct span way)
{
	return span_is(way, "ftp") ? SERVICE_FTP : gateway_way(way);
}

/* "U WORDS A via WAY" */
static bool read_manager(struct span s, struct span words, struct event *e)
{
	size_t at = text_find_last(s, SPAN_LIT(" via "));
	struct span way;

	if (at == TEXT_NOT_FOUND)
		return false;
	way = span_skip(s, at + 5);
	s = span_first(s, at);
	at = text_find_last(s, words);
	if (at == TEXT_NOT_FOUND)
		return false;
	e->service = service_of(text_cut_word(&way));
	gateway_account(e, span_first(s, at));
	return gateway_origin(e, span_skip(s, at + words.len));
}

/* "user U logged in from A via WAY" and the like of an end: which comes last decides. */
static bool read_login(struct span s, struct event *e)
{
	static const struct span in = SPAN_LIT(" logged in from "),
				 out = SPAN_LIT(" logged out from ");
	size_t at_in = text_find_last(s, in), at_out = text_find_last(s, out);
	bool begins = at_in != TEXT_NOT_FOUND && (at_out == TEXT_NOT_FOUND || at_in > at_out);

	gateway_row(e, begins ? EVENT_ATTEMPT : EVENT_SESSION_CLOSE, SERVICE_WEB_REMOTE,
		    begins ? OUTCOME_SUCCESS : OUTCOME_UNKNOWN);
	return read_manager(s, begins ? in : out, e);
}

/* "U logged in, 10.0.0.2[ from A]" */
static bool read_begin(struct span s, size_t at, struct event *e)
{
	struct span rest = span_skip(s, at + 12);

	gateway_row(e, EVENT_SESSION_OPEN, SERVICE_VPN, OUTCOME_SUCCESS);
	gateway_account(e, span_first(s, at));
	gateway_assigned(e, text_cut_word(&rest));
	if (text_cut(&rest, SPAN_LIT("from ")))
		gateway_origin(e, text_cut_word(&rest));
	return e->gate.assigned.family != ADDR_NONE;
}

/* "<l2tp-0>: user U authentication failed[ - WHY]", or with an address between the brackets. */
static bool read_failed(struct span s, struct event *e)
{
	size_t end = text_find(s, SPAN_LIT(">: "), 0), at;
	struct span from;

	if (end == TEXT_NOT_FOUND || !text_cut(&s, SPAN_LIT("<")))
		return false;
	from = span_first(s, end - 1);
	s = span_skip(s, end + 2);
	at = text_find_last(s, SPAN_LIT(" authentication failed"));
	if (at == TEXT_NOT_FOUND || !text_cut(&s, SPAN_LIT("user ")))
		return false;
	gateway_row(e, EVENT_ATTEMPT, SERVICE_VPN, OUTCOME_FAILURE);
	gateway_account(e, span_first(s, at - 5));
	e->gate.reason = span_skip(s, at - 5 + 22);
	text_cut(&e->gate.reason, SPAN_LIT(" - "));
	gateway_origin(e, from);
	return true;
}

static bool read_tunnel(struct span s, struct event *e)
{
	size_t in = text_find_last(s, SPAN_LIT(" logged in, "));
	size_t out = text_find_last(s, SPAN_LIT(" logged out, "));

	if (span_starts(s, SPAN_LIT("<")) && read_failed(s, e))
		return true;
	if (in != TEXT_NOT_FOUND && (out == TEXT_NOT_FOUND || in > out))
		return read_begin(s, in, e);
	if (out == TEXT_NOT_FOUND)
		return false;
	gateway_begin(e, EVENT_SESSION_CLOSE, SERVICE_VPN);
	gateway_account(e, span_first(s, out));
	return true;
}

static enum decode_result decode(const struct frame *f, struct event *ret, const char **reason)
{
	struct span msg, topics, host;
	bool read;

	*reason = "RouterOS', and neither a verdict nor about a session";
	if (!find_line(f, &msg, &topics, &host))
		return DECODE_SKIPPED;
	ret->program = text_none();
	ret->host = host;
	if (is_tunnel(topics)) {
		read = read_tunnel(msg, ret);
	} else if (text_cut(&msg, SPAN_LIT("login failure for user "))) {
		gateway_row(ret, EVENT_ATTEMPT, SERVICE_WEB_REMOTE, OUTCOME_FAILURE);
		read = read_manager(msg, SPAN_LIT(" from "), ret);
	} else {
		text_cut(&msg, SPAN_LIT("user "));
		read = read_login(msg, ret);
	}
	return read ? DECODE_EVENT : DECODE_SKIPPED;
}

const struct decoder decoder_mikrotik = {
	.name = "mikrotik",
	.about = "MikroTik RouterOS: who manages it, users of its VPNs; syslog",
	.example = "Nov 30 12:00:00 router system,error,critical login failure for user admin from "
		   "203.0.113.10 via ssh",
	.wants = wants,
	.decode = decode,
};
