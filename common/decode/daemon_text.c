/* daemon_text: see daemon_text.h. */
#include "daemon_text.h"

enum decode_result daemon_read(const struct daemon_form *forms, size_t count, struct span msg,
			       struct event *ret, const char **reason)
{
	for (size_t i = 0; i < count; i++) {
		const struct daemon_form *f = &forms[i];

		if (!span_starts(msg, f->prefix))
			continue;
		ret->kind = f->kind;
		ret->outcome = f->outcome;
		ret->method = f->method;
		ret->flags |= f->flags;
		if (f->read(span_skip(msg, f->prefix.len), ret))
			return DECODE_EVENT;
		*reason = "begins like a line of this daemon, but is cut or goes on differently";
		return DECODE_BAD;
	}
	*reason = "a daemon's that is known, and it tells of no login";
	return DECODE_SKIPPED;
}

void daemon_trust(const struct frame *f, const char *program, struct event *e)
{
	if (!frame_has_writer(f) || f->uid == UINT32_MAX)
		return;
	if (f->uid == 0)
		e->trust = TRUST_TRANSPORT;
	else if (span_empty(f->exe) || span_is(span_base(f->exe), program))
		e->trust = TRUST_TEXT;
	else
		e->trust = TRUST_FORGED;
}

#define USERS_BEGIN 1000  /* login.defs: UID_MIN */
#define NOBODY	    65534 /* whom some daemons become; nobody logs in as he */

void daemon_trust_system(const struct frame *f, struct event *e)
{
	if (e->trust == TRUST_TEXT && frame_has_writer(f) && f->uid != UINT32_MAX &&
	    f->uid >= USERS_BEGIN && f->uid != NOBODY)
		e->trust = TRUST_FORGED;
}

void daemon_trust_alone(const struct frame *f, const char *program, struct event *e)
{
	daemon_trust(f, program, e);
	daemon_trust_system(f, e);
}

/* A user's processes are in units of that user's. */
static bool is_service(struct span unit)
{
	return span_empty(unit) ||
	       (text_ends(unit, SPAN_LIT(".service")) && !span_starts(unit, SPAN_LIT("user@")));
}

void daemon_trust_service(const struct frame *f, const char *program, struct event *e)
{
	if (!frame_has_writer(f) || f->uid == UINT32_MAX)
		return;
	if (f->uid == 0 || ((f->uid < USERS_BEGIN || f->uid == NOBODY) &&
			    span_is(span_base(f->exe), program) && is_service(f->unit)))
		e->trust = TRUST_TRANSPORT;
	else
		e->trust = TRUST_FORGED;
}

void daemon_trust_unit(const struct frame *f, struct event *e)
{
	if (!frame_has_writer(f) || f->uid == UINT32_MAX)
		return;
	e->trust = f->uid ? TRUST_TEXT : TRUST_TRANSPORT;
	if (span_empty(f->unit) || !is_service(f->unit))
		daemon_trust_system(f, e);
}

bool daemon_endpoint(struct span s, struct endpoint *ret)
{
	struct endpoint end = {0};
	size_t at = text_find_last(s, SPAN_LIT(":"));
	uint32_t port;

	if (at == TEXT_NOT_FOUND)
		return false;
	port = text_u32(span_skip(s, at + 1), UINT32_MAX);
	if (port > UINT16_MAX || !addr_parse(span_first(s, at), &end.addr, NULL))
		return false;
	end.port = (uint16_t)port;
	*ret = end;
	return end.addr.family != ADDR_NONE;
}

void daemon_address(struct span s, struct endpoint *ret)
{
	*ret = (struct endpoint){0};
	if (!addr_parse(s, &ret->addr, NULL))
		ret->addr = (struct addr){0};
}

bool daemon_cut_name(struct span *s, struct span between, struct span *ret_name)
{
	size_t at = text_find_last(*s, between);

	if (at == TEXT_NOT_FOUND)
		return false;
	*ret_name = span_first(*s, at);
	*s = span_skip(*s, at + between.len);
	return true;
}
