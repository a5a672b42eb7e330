/*
 * kubelet: the requests that a kubelet tells its journal from -v=3 on, those inside of TLS too.
 *
 * Sees one line when a request has ended (an exec: when its client is gone): method, target, how
 * long it took, from where, what the client calls itself, the answer. Cannot see: who the client
 * had proved to be; a body, and so the command of a /run that has it there.
 *
 * Texts stand in Go's quotes, so what a client sends cannot end one: a quote in it has a backslash
 * before it, and line ends are letters.
 *
 * Example: I1129 09:57:30.485201 928 httplog.go:89] "HTTP" verb="POST" URI="/run/default/web/c"
 * latency="209.091275ms" userAgent="curl/7.88.1" srcIP="203.0.113.9:35118" resp=200
 */
#include "frame.h"
#include "text.h"

static bool wants(const struct frame *f)
{
	return span_is(f->ident, "kubelet");
}

/* Takes "name=value" or "name=\"value\"" off; false: there is none. */
static bool cut_pair(struct span *s, struct span *name, struct span *value)
{
	size_t n = 0, at;

	*s = text_trim_left(*s);
	at = text_find(*s, SPAN_LIT("="), 0);
	if (at == TEXT_NOT_FOUND)
		return false;
	*name = span_first(*s, at);
	*s = span_skip(*s, at + 1);
	if (!text_cut(s, SPAN_LIT("\""))) {
		*value = text_cut_word(s);
		return true;
	}
	while (n < s->len && s->ptr[n] != '"')
		n += s->ptr[n] == '\\' ? 2 : 1;
	if (n >= s->len)
		return false;
	*value = span_first(*s, n);
	*s = span_skip(*s, n + 1);
	return true;
}

/* Of "1m2.003s": the first number and its unit, in ns. */
static bool cut_time(struct span *s, uint64_t *ret)
{
	static const struct {
		const char *name;
		uint64_t ns;
	} units[] = {{"h", 3600000000000}, {"ms", 1000000}, {"m", 60000000000},
		     {"s", 1000000000},	   {"ns", 1},	    {"us", 1000},
		     {"\xc2\xb5s", 1000}};
	uint64_t whole = 0, part = 0, scale = 1;
	size_t n = 0;

	for (; n < s->len && text_is_digit(s->ptr[n]) && whole < 1000000; n++)
		whole = whole * 10 + (uint64_t)(s->ptr[n] - '0');
	if (!n)
		return false;
	if (n < s->len && s->ptr[n] == '.')
		for (n++; n < s->len && text_is_digit(s->ptr[n]) && scale < 1000000; n++) {
			part = part * 10 + (uint64_t)(s->ptr[n] - '0');
			scale *= 10;
		}
	while (n < s->len && text_is_digit(s->ptr[n])) /* finer than anybody needs */
		n++;
	*s = span_skip(*s, n);
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (text_cut(s, span_of(units[i].name))) {
			*ret = whole * units[i].ns + part * units[i].ns / scale;
			return true;
		}
	return false;
}

static uint64_t duration(struct span s)
{
	uint64_t sum = 0, one;

	while (s.len && cut_time(&s, &one))
		sum += one;
	return sum;
}

static void take(struct event *e, struct span name, struct span value)
{
	uint64_t took;

	if (span_is(name, "verb"))
		e->subject = value;
	else if (span_is(name, "URI"))
		e->path = value;
	else if (span_is(name, "userAgent"))
		e->client = value;
	else if (span_is(name, "resp") && text_u32(value, 0) <= 999)
		e->result = (int32_t)text_u32(value, 0);
	else if (span_is(name, "hijacked") && span_is(value, "true"))
		e->result = 101; /* an exec: it was answered, and the client took the line over */
	else if (span_is(name, "latency") && (took = duration(value)) < e->time_ns)
		e->opened_ns = e->time_ns - took;
	else if (span_is(name, "srcIP") && !addr_parse(value, &e->origin.addr, &e->origin.port))
		e->origin = (struct endpoint){0};
}

static enum outcome outcome_of(int32_t result)
{
	if (result == 401 || result == 403)
		return OUTCOME_REFUSED;
	return result == 101 || (result >= 200 && result < 400) ? OUTCOME_SUCCESS : OUTCOME_FAILURE;
}

static enum decode_result decode(const struct frame *f, struct event *ret, const char **reason)
{
	size_t at = text_find(f->message, SPAN_LIT("] \"HTTP\" "), 0);
	struct span rest, name, value;

	*reason = "not a request";
	/* "I1129 09:57:27.671143     928 httplog.go:89": nothing of a client's */
	if (at == TEXT_NOT_FOUND ||
	    text_find(span_first(f->message, at), SPAN_LIT("\""), 0) != TEXT_NOT_FOUND)
		return DECODE_SKIPPED;
	*reason = "somebody else wrote it in kubelet's name";
	if (frame_has_writer(f) && f->uid != 0)
		return DECODE_SKIPPED;
	rest = span_skip(f->message, at + sizeof("] \"HTTP\" ") - 1);
	ret->kind = EVENT_API;
	ret->service = SERVICE_KUBELET;
	ret->text = text_none(); /* of a request that is its body */
	ret->proc.pid = 0;	 /* serves everybody */
	while (cut_pair(&rest, &name, &value))
		take(ret, name, value);
	*reason = "a request without verb, URI, srcIP and answer";
	if (span_empty(ret->subject) || span_empty(ret->path) || !ret->origin.addr.family ||
	    !ret->result)
		return DECODE_BAD;
	ret->outcome = outcome_of(ret->result);
	return DECODE_EVENT;
}

const struct decoder decoder_kubelet = {
	.name = "kubelet",
	.about = "requests to a kubelet's own API (10250), as it logs them from -v=3 on",
	.example = "Nov 29 09:57:30 node1 kubelet[928]: I1129 09:57:30.485201     928 "
		   "httplog.go:89] \"HTTP\" verb=\"POST\" URI=\"/exec/default/web/c?command=id\" "
		   "latency=\"209.091275ms\" userAgent=\"curl/7.88.1\" srcIP=\"203.0.113.9:35118\" "
		   "resp=200",
	.wants = wants,
	.decode = decode,
};
