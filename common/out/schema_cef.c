/*
 * schema_cef: Common Event Format, version 0, one line of text without a syslog header.
 *
 *   CEF:0|Outergate|outergate|0.1.0|1201|Login from outside|3|rt=... src=... duser=... msg=...
 *
 * Signature ids are a detection's number, "session-opened" and its like, and "event-" with the
 * kind. externalId is the same whenever a record is sent again. src and dst hold IPv4 addresses;
 * IPv6 ones stand in c6a2 and c6a3, as the format wants it. duser is the account here.
 *
 * The format is flat: evidence, command lines of a session and where it went on to are not in it.
 * Values are escaped ("\\", "\=", "\n" and in the header "\|") and cut at the format's 1023 bytes.
 */
#include "schema_parts.h"

#include "../decode/decode.h"

#define VALUE_MAX 1023

/* What shows nothing or is no character: "\xNN", its backslash escaped as any other. */
static void put_hidden(struct writer *w, const char *p, unsigned n)
{
	static const char hex[] = "0123456789abcdef";

	for (unsigned i = 0; i < n; i++) {
		unsigned char c = (unsigned char)p[i];
		char text[5] = {'\\', '\\', 'x', hex[c >> 4], hex[c & 15]};

		writer_bytes(w, text, sizeof(text));
	}
}

static void put_escaped(struct writer *w, struct span s, char special)
{
	for (size_t i = 0; i < s.len && !w->overflow;) {
		const char *p = s.ptr + i;
		uint32_t c = 0;
		unsigned n = utf8_decode(p, s.len - i, &c);

		if (*p == '\\' || *p == special) {
			writer_bytes(w, "\\", 1);
			writer_bytes(w, p, 1);
		} else if (special == '=' && (*p == '\n' || *p == '\r')) {
			writer_puts(w, *p == '\n' ? "\\n" : "\\r");
		} else if (n && !utf8_hidden(c)) {
			writer_bytes(w, p, n);
		} else {
			put_hidden(w, p, n ? n : 1);
		}
		i += n ? n : 1;
	}
}

/* At most that many bytes, and no half of a character. */
static struct span cut(struct span s)
{
	size_t n = s.len < VALUE_MAX ? s.len : VALUE_MAX;

	while (n && n < s.len && ((unsigned char)s.ptr[n] & 0xc0) == 0x80)
		n--;
	return span_first(s, n);
}

static void put(struct writer *w, const char *key, struct span value)
{
	if (span_empty(value))
		return;
	writer_puts(w, w->comma ? " " : "");
	w->comma = true;
	writer_puts(w, key);
	writer_bytes(w, "=", 1);
	put_escaped(w, cut(value), '=');
}

static void put_str(struct writer *w, const char *key, const char *value)
{
	put(w, key, span_of(value));
}

static void put_array(struct writer *w, const char *key, const char *array, size_t cap)
{
	put(w, key, span_of_array(array, cap));
}
#define PUT_ARRAY(w, key, array) put_array(w, key, array, sizeof(array))

static void put_number(struct writer *w, const char *key, uint64_t v)
{
	char digits[24];
	struct writer d;

	writer_start(&d, digits, sizeof(digits));
	writer_number(&d, v);
	writer_finish(&d);
	put_str(w, key, digits);
}

static void put_time(struct writer *w, const char *key, uint64_t ns)
{
	if (ns)
		put_number(w, key, record_ms(ns));
}

/* One of the format's own fields, with what it is called. */
static void put_custom(struct writer *w, const char *key, const char *label, struct span value)
{
	char name[16];
	struct writer n;

	if (span_empty(value))
		return;
	writer_start(&n, name, sizeof(name));
	writer_puts(&n, key);
	writer_puts(&n, "Label");
	writer_finish(&n);
	put_str(w, name, label);
	put(w, key, value);
}

static void put_header(struct writer *w, const char *signature, const char *name, enum severity s)
{
	static const char *const severities[SEVERITY_COUNT] = {"1", "3", "5", "8", "10"};

	writer_puts(w, "CEF:0|" PRODUCT "|" MODULE "|" OUTERGATE_VERSION "|");
	put_escaped(w, span_of(signature), '|');
	writer_bytes(w, "|", 1);
	put_escaped(w, span_of(name), '|');
	writer_bytes(w, "|", 1);
	writer_puts(w, severities[(unsigned)s < SEVERITY_COUNT ? (unsigned)s : 0]);
	writer_bytes(w, "|", 1);
}

static void put_end(struct writer *w, bool source, const struct endpoint *e)
{
	char buf[ADDR_TEXT_MAX];
	const char *text = addr_format(&e->addr, buf);

	if (e->addr.family == ADDR_V4)
		put_str(w, source ? "src" : "dst", text);
	else if (e->addr.family == ADDR_V6)
		put_custom(w, source ? "c6a2" : "c6a3",
			   source ? "Source IPv6 Address" : "Destination IPv6 Address",
			   span_of(text));
	if (e->port)
		put_number(w, source ? "spt" : "dpt", e->port);
}

static void put_host(struct writer *w, const struct out_policy *p, struct span logged)
{
	put(w, "dvchost", span_empty(span_of(p->host_name)) ? logged : span_of(p->host_name));
	put_str(w, "deviceExternalId", p->host_id);
}

static void put_service(struct writer *w, enum service s)
{
	put_str(w, "app", service_name(s));
	put_str(w, "proto", *record_transport(s) ? "TCP" : "");
}

static int alert(const struct alert *given, const struct out_policy *p, char *buf, size_t cap)
{
	char id[RECORD_ID_MAX], number[8];
	struct alert a;
	struct writer w, d;

	privacy_alert(given, p, &a);
	writer_start(&d, number, sizeof(number));
	writer_number(&d, a.detection->number);
	writer_finish(&d);
	writer_start(&w, buf, cap);
	put_header(&w, number, a.detection->title, a.severity);
	put_time(&w, "rt", a.last_ns);
	put_time(&w, "start", a.first_ns);
	put_time(&w, "end", a.last_ns);
	put_str(&w, "externalId", record_alert_id(&a, id));
	put_number(&w, "cnt", a.count);
	put_str(&w, "cat", a.detection->id);
	put_str(&w, "act", alert_state_name(a.state));
	put_host(&w, p, (struct span){0});
	put_end(&w, true, &a.origin);
	put_end(&w, false, &a.local);
	PUT_ARRAY(&w, "duser", a.account);
	put_service(&w, a.service);
	PUT_ARRAY(&w, "reason", a.reason);
	put_custom(&w, "cs1", "session", span_of(a.session));
	put_custom(&w, "cs2", "attack", span_of(a.detection->attack));
	put_custom(&w, "cs3", "numbers", span_of_array(a.numbers, sizeof(a.numbers)));
	put_custom(&w, "cs4", "method", span_of(method_name(a.method)));
	put_custom(&w, "cs5", "key", span_of_array(a.key, sizeof(a.key)));
	put_custom(&w, "cs6", "country", span_of_array(a.geo.country, sizeof(a.geo.country)));
	if (a.geo.asn) {
		put_str(&w, "cn1Label", "asn");
		put_number(&w, "cn1", a.geo.asn);
	}
	PUT_ARRAY(&w, "msg", a.sentence);
	return writer_finish_json(&w);
}

static int session(const struct session *given, const struct out_policy *p, char *buf, size_t cap)
{
	static const char *const signatures[] = {"session-opened", "session-lingering",
						 "session-closed"};
	static const char *const names[] = {"Session opened", "Session lingers", "Session closed"};
	char id[RECORD_ID_MAX];
	struct session s;
	struct writer w;
	unsigned i;

	privacy_session(given, p, &s);
	i = (unsigned)s.state <= SESSION_CLOSED ? (unsigned)s.state : SESSION_LINGERING;
	writer_start(&w, buf, cap);
	put_header(&w, signatures[i], names[i], s.fired ? s.worst : SEVERITY_INFO);
	put_time(&w, "rt", record_session_time(&s));
	put_time(&w, "start", s.open_ns);
	put_time(&w, "end", s.close_ns);
	put_str(&w, "externalId", record_session_id(&s, id));
	put_str(&w, "cat", "session");
	put_str(&w, "outcome", "success");
	put_host(&w, p, (struct span){0});
	put_end(&w, true, &s.origin);
	put_end(&w, false, &s.local);
	PUT_ARRAY(&w, "duser", s.account);
	put_service(&w, s.service);
	if (s.bytes_known) {
		put_number(&w, "in", s.bytes_in);
		put_number(&w, "out", s.bytes_out);
	}
	put_custom(&w, "cs1", "session", span_of(s.id));
	put_custom(&w, "cs2", "client", span_of_array(s.client, sizeof(s.client)));
	put_custom(&w, "cs3", "chain", span_of(s.alert_chain));
	put_custom(&w, "cs4", "method", span_of(method_name(s.method)));
	put_custom(&w, "cs5", "key", span_of_array(s.key, sizeof(s.key)));
	put_custom(&w, "cs6", "country", span_of_array(s.geo.country, sizeof(s.geo.country)));
	put_str(&w, "cn1Label", "commands");
	put_number(&w, "cn1", s.commands_total);
	put_str(&w, "cn2Label", "alerts");
	put_number(&w, "cn2", s.fired);
	return writer_finish_json(&w);
}

static void put_event_ends(struct writer *w, const struct event *e)
{
	bool out = e->kind == EVENT_CONNECT || e->kind == EVENT_CONNECT_CLOSE;
	bool to = out || e->kind == EVENT_LOOPBACK || e->kind == EVENT_LISTEN;

	put_end(w, true, out ? &e->local : &e->origin);
	put_end(w, false, to ? &e->dest : &e->local);
	put_service(w, e->service);
	if (record_has_bytes(e)) {
		put_number(w, "in", e->bytes_in);
		put_number(w, "out", e->bytes_out);
	}
}

static void put_event_rest(struct writer *w, const struct event *e)
{
	char command[RECORD_COMMAND_MAX];

	if (e->proc.pid)
		put_number(w, "dpid", e->proc.pid);
	put(w, "dproc", e->program);
	if (e->kind == EVENT_FILE) {
		put(w, "filePath", e->path);
		put(w, "fileHash", e->after);
	} else if (e->kind == EVENT_API) {
		put(w, "requestMethod", e->subject);
		put(w, "request", e->path);
		put(w, "requestClientApplication", e->client);
	}
	if (e->kind != EVENT_API)
		put_custom(w, "cs1", "client", e->client);
	put_custom(w, "cs2", "container", e->api.container);
	put_custom(w, "cs3", "command", record_command(e->args, command));
	put_custom(w, "cs4", "method", span_of(method_name(e->method)));
	put_custom(w, "cs5", "key", e->key);
	put_custom(w, "cs6", "source", decode_source_name(e));
	if (e->trust != TRUST_KERNEL)
		put(w, "msg", e->text);
}

static int event(const struct event *given, const struct out_policy *p, char *buf, size_t cap)
{
	char id[ID_TEXT_MAX], signature[32] = "event-";
	struct privacy_texts texts;
	struct event e;
	struct writer w;

	privacy_event(given, p, &e, &texts);
	record_bound_texts(&e);
	span_copy(signature + 6, sizeof(signature) - 6, span_of(event_name(e.kind)));
	writer_start(&w, buf, cap);
	put_header(&w, signature, event_name(e.kind), SEVERITY_INFO);
	put_time(&w, "rt", e.time_ns);
	put_str(&w, "externalId", event_id(given, p, id));
	put_str(&w, "cat", event_name(e.kind));
	if (e.outcome != OUTCOME_UNKNOWN)
		put_str(&w, "outcome", e.outcome == OUTCOME_SUCCESS ? "success" : "failure");
	if (e.count > 1)
		put_number(&w, "cnt", e.count);
	put_host(&w, p, e.host);
	put_event_ends(&w, &e);
	put(&w, "duser", span_empty(e.account) ? e.user : e.account);
	put_event_rest(&w, &e);
	return writer_finish_json(&w);
}

const struct out_schema schema_cef = {
	.name = "cef",
	.alert = alert,
	.session = session,
	.event = event,
	.repeat = " outergateResend=true",
	.closing = 0,
};
