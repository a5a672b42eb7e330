/*
 * guacamole: Apache Guacamole's web application, as Tomcat's output has it (catalina.out, the
 * journal, a container's log).
 *
 * Sees who logged in or failed to and from where, to which connection they went, who left it, and,
 * since 1.6, logouts. A login is the session; connections are told within it. Cannot see: what
 * guacd logs, which has no account; failures without a name.
 *
 * Behind a proxy the address is a list, "[CLIENT, PROXY, PEER]", of which the client chooses the
 * left. A failure's user stands behind the address and is read up to the last of what follows it;
 * other names stand between the words and are read from the right.
 *
 * Sources: apache/guacamole-client: AuthenticationService.java (to 1.5), EventLoggingListener.java
 * and RemoteAddress.java (1.6), TunnelRequestService.java.
 *
 * Example: 12:00:00.123 [http-nio-8080-exec-1] INFO  o.a.g.r.auth.AuthenticationService - User
 * "bob" successfully authenticated from 203.0.113.9.
 */
#include "daemon_text.h"
#include "gateway.h"

#define HEAD_MAX 200 /* time, thread, level, class */

/* "... INFO  o.a.g.CLASS - " goes. */
static bool cut_head(struct span *s)
{
	static const struct span names[] = {SPAN_LIT(" o.a.g."),
					    SPAN_LIT(" org.apache.guacamole.")};
	struct span head = span_first(*s, HEAD_MAX);
	size_t end = text_find(head, SPAN_LIT(" - "), 0);

	if (end == TEXT_NOT_FOUND)
		return false;
	head = span_first(head, end);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		size_t at = text_find(head, names[i], 0);

		if (at == TEXT_NOT_FOUND ||
		    text_find(span_skip(head, at + 1), SPAN_LIT(" "), 0) != TEXT_NOT_FOUND)
			continue;
		*s = span_skip(*s, end + 3);
		return true;
	}
	return false;
}

static bool wants(const struct frame *f)
{
	struct span msg = f->message;

	return (span_empty(f->ident) || span_starts(f->ident, SPAN_LIT("tomcat")) ||
		span_is(f->ident, "catalina") || span_is(f->ident, "java") ||
		span_is(f->ident, "guacamole")) &&
	       cut_head(&msg);
}

/* "A" or "[A, B, PEER]", a full stop behind it perhaps. */
static bool set_origin(struct span s, struct event *e)
{
	size_t at;

	text_cut_end(&s, SPAN_LIT("."));
	if (!text_cut(&s, SPAN_LIT("[")))
		return gateway_origin(e, s);
	at = text_find_last(s, SPAN_LIT(", "));
	if (at == TEXT_NOT_FOUND || !text_cut_end(&s, SPAN_LIT("]")))
		return false;
	return gateway_forwarded(e, span_first(s, at), span_skip(s, at + 2));
}

/* "A for user "U" failed." and "A for user "U" failed: WHY (rejected by "P")" */
static bool read_failed(struct span s, struct event *e)
{
	static const struct span label = SPAN_LIT(" for user \"");
	size_t at = text_find(s, label, 0);
	struct span from;

	if (at == TEXT_NOT_FOUND)
		return false;
	from = span_first(s, at);
	s = span_skip(s, at + label.len);
	if (!text_cut_end(&s, SPAN_LIT("\" failed."))) {
		size_t end = text_find_last(s, SPAN_LIT("\" failed: "));

		if (end == TEXT_NOT_FOUND)
			return false;
		e->gate.reason = span_skip(s, end + 10);
		s = span_first(s, end);
	}
	gateway_row(e, EVENT_ATTEMPT, SERVICE_WEB_REMOTE, OUTCOME_FAILURE);
	e->account = s;
	return set_origin(from, e);
}

/* "connection[ group] "C"" between the last of these words and what ends the line. */
static bool read_tunnel(struct span s, size_t at, struct event *e)
{
	struct span id = gateway_after(span_skip(s, at), SPAN_LIT(" \""), SPAN_LIT("\""));

	gateway_begin(e, EVENT_AUTH_NOTE, SERVICE_WEB_REMOTE);
	e->account = span_first(s, at);
	e->gate.group = id;
	return !span_empty(id);
}

/* "U" WORDS */
static bool read_user(struct span s, struct event *e)
{
	static const struct span in = SPAN_LIT("\" successfully authenticated from ");
	size_t at = text_find_last(s, SPAN_LIT("\" connected to connection"));

	if (at != TEXT_NOT_FOUND && text_ends(s, SPAN_LIT("\".")))
		return read_tunnel(s, at, e);
	at = text_find_last(s, SPAN_LIT("\" disconnected from connection"));
	if (at != TEXT_NOT_FOUND && text_ends(s, SPAN_LIT(" milliseconds")))
		return read_tunnel(s, at, e);
	if (text_cut_end(&s, SPAN_LIT("\" has logged out, or their session has expired or been "
				      "terminated."))) {
		gateway_begin(e, EVENT_SESSION_CLOSE, SERVICE_WEB_REMOTE);
		e->account = s;
		return true;
	}
	at = text_find_last(s, in);
	if (at == TEXT_NOT_FOUND)
		return false;
	gateway_row(e, EVENT_ATTEMPT, SERVICE_WEB_REMOTE, OUTCOME_SUCCESS);
	e->account = span_first(s, at);
	return set_origin(span_skip(s, at + in.len), e);
}

static enum decode_result decode(const struct frame *f, struct event *ret, const char **reason)
{
	struct span msg = f->message;
	bool read = false;

	*reason = "Guacamole's, and neither a verdict nor about a session";
	if (!cut_head(&msg))
		return DECODE_SKIPPED;
	if (text_cut(&msg, SPAN_LIT("Authentication attempt from ")))
		read = read_failed(msg, ret);
	else if (text_cut(&msg, SPAN_LIT("User \"")))
		read = read_user(msg, ret);
	if (!read)
		return DECODE_SKIPPED;
	daemon_trust_alone(f, "java", ret);
	return DECODE_EVENT;
}

const struct decoder decoder_guacamole = {
	.name = "guacamole",
	.about = "Apache Guacamole: logins, failures, connections; Tomcat's output",
	.example = "12:00:00.123 [http-nio-8080-exec-1] WARN  o.a.g.r.auth.AuthenticationService - "
		   "Authentication attempt from 203.0.113.10 for user \"bob\" failed.",
	.wants = wants,
	.decode = decode,
};
