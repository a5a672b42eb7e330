/* body: see body.h. The tables first, then one writer and one reader for all of them. */
#include "body.h"

#include <errno.h>
#include <jansson.h>

#include "../detect/detection.h"
#include "../out/writer.h"
#include "json_read.h"

enum field_type {
	FIELD_TEXT,
	FIELD_U64,
	FIELD_U32,
	FIELD_U16,
	FIELD_BOOL,
	FIELD_WORD,
	FIELD_ADDR
};

struct words {
	unsigned count;
	const char *(*name)(unsigned);
};

struct field {
	const char *key;
	enum field_type type;
	size_t offset, size;
	const struct words *words;
};

#define WORDS(what, end)                                                                           \
	static const char *what##_word(unsigned i)                                                 \
	{                                                                                          \
		return what##_name((enum what)i);                                                  \
	}                                                                                          \
	static const struct words what##_words = {end, what##_word}

static const char *trust_name(enum trust t)
{
	static const char *const names[] = {"text", "forged", "transport", "kernel"};

	return names[t];
}

static const char *handoff_kind_name(enum handoff_kind k)
{
	return handoff_name(k);
}

static const char *event_kind_name(enum event_kind k)
{
	return event_name(k);
}

WORDS(service, SERVICE_COUNT);
WORDS(method, METHOD_COUNT);
WORDS(severity, SEVERITY_COUNT);
WORDS(scope, SCOPE_COUNT);
WORDS(handoff_kind, HANDOFF_COUNT);
WORDS(event_kind, EVENT_COUNT);
WORDS(trust, TRUST_KERNEL + 1);
WORDS(origin_source, ORIGIN_VPN + 1);
WORDS(alert_state, ALERT_CLOSED + 1);
WORDS(session_state, SESSION_CLOSED + 1);
WORDS(handoff_state, HANDOFF_JOINED + 1);

#define ROW(s, key, type, member, words)                                                           \
	{                                                                                          \
		key, type, offsetof(struct s, member), sizeof(((struct s *)0)->member), words      \
	}
#define TEXT(s, m)     ROW(s, #m, FIELD_TEXT, m, NULL)
#define U64(s, m)      ROW(s, #m, FIELD_U64, m, NULL)
#define U32(s, m)      ROW(s, #m, FIELD_U32, m, NULL)
#define U16(s, m)      ROW(s, #m, FIELD_U16, m, NULL)
#define BOOL(s, m)     ROW(s, #m, FIELD_BOOL, m, NULL)
#define WORD(s, m, of) ROW(s, #m, FIELD_WORD, m, &of##_words)
#define ENDPOINT(s, m)                                                                             \
	ROW(s, #m, FIELD_ADDR, m.addr, NULL), ROW(s, #m "_port", FIELD_U16, m.port, NULL)
/* Signed numbers are kept by their bits. */
#define GEO(s, m)                                                                                  \
	ROW(s, "country", FIELD_TEXT, m.country, NULL),                                            \
		ROW(s, "has_point", FIELD_BOOL, m.has_point, NULL),                                \
		ROW(s, "radius_km", FIELD_U16, m.radius_km, NULL),                                 \
		ROW(s, "asn", FIELD_U32, m.asn, NULL),                                             \
		ROW(s, "geo_flags", FIELD_U32, m.flags, NULL),                                     \
		ROW(s, "latitude_e4", FIELD_U32, m.latitude_e4, NULL),                             \
		ROW(s, "longitude_e4", FIELD_U32, m.longitude_e4, NULL),                           \
		ROW(s, "geo_epoch", FIELD_U32, m.epoch, NULL),                                     \
		ROW(s, "as_org", FIELD_TEXT, m.as_org, NULL),                                      \
		ROW(s, "city", FIELD_TEXT, m.city, NULL)
#define PROC(s, m)                                                                                 \
	ROW(s, #m "_pid", FIELD_U32, m.pid, NULL),                                                 \
		ROW(s, #m "_start_ns", FIELD_U64, m.start_ns, NULL)

static const struct field alert_fields[] = {
	TEXT(alert, id),
	TEXT(alert, previous),
	TEXT(alert, part_of),
	U32(alert, revision),
	WORD(alert, state, alert_state),
	WORD(alert, severity, severity),
	BOOL(alert, observe),
	BOOL(alert, notify),
	BOOL(alert, learning),
	BOOL(alert, test),
	TEXT(alert, reason),
	U64(alert, first_ns),
	U64(alert, last_ns),
	U64(alert, count),
	U64(alert, acked_ns),
	TEXT(alert, note),
	TEXT(alert, session),
	WORD(alert, service, service),
	ENDPOINT(alert, origin),
	ENDPOINT(alert, local),
	WORD(alert, scope, scope),
	WORD(alert, origin_source, origin_source),
	ENDPOINT(alert, via),
	GEO(alert, geo),
	TEXT(alert, account),
	BOOL(alert, account_unknown),
	TEXT(alert, effective_account),
	WORD(alert, method, method),
	TEXT(alert, key),
	TEXT(alert, client),
	TEXT(alert, stage),
	TEXT(alert, numbers),
	TEXT(alert, sentence),
};

static const struct field evidence_fields[] = {
	U64(alert_evidence, time_ns),	    WORD(alert_evidence, kind, event_kind),
	WORD(alert_evidence, trust, trust), U64(alert_evidence, line),
	TEXT(alert_evidence, text),
};

static const struct field session_fields[] = {
	TEXT(session, id),
	U64(session, conn),
	WORD(session, state, session_state),
	BOOL(session, existing),
	BOOL(session, proven),
	BOOL(session, has_pty),
	BOOL(session, bytes_known),
	BOOL(session, has_shell),
	BOOL(session, has_transfer),
	BOOL(session, has_forward),
	BOOL(session, pending_helper),
	BOOL(session, by_gateway),
	BOOL(session, by_vpn),
	BOOL(session, elsewhere),
	WORD(session, service, service),
	WORD(session, method, method),
	BOOL(session, method_inferred),
	WORD(session, scope, scope),
	WORD(session, origin_source, origin_source),
	ENDPOINT(session, origin),
	ENDPOINT(session, via),
	ENDPOINT(session, claimed),
	GEO(session, geo),
	ENDPOINT(session, local),
	U32(session, netns),
	TEXT(session, account),
	TEXT(session, effective_account),
	TEXT(session, key),
	TEXT(session, client),
	TEXT(session, fingerprint),
	TEXT(session, container),
	TEXT(session, container_name),
	TEXT(session, image),
	TEXT(session, pod),
	U64(session, open_ns),
	U64(session, close_ns),
	U64(session, last_ns),
	U64(session, conn_open_ns),
	U64(session, bytes_in),
	U64(session, bytes_out),
	U32(session, processes),
	U32(session, commands_total),
	U32(session, dests_total),
	U32(session, listens_total),
	U32(session, reconnects),
	U32(session, handoffs_total),
	U32(session, failures_before),
	U32(session, loginuid),
	U32(session, audit_session),
	PROC(session, leader),
	TEXT(session, alert_chain),
	WORD(session, worst, severity),
	U32(session, fired),
};

/* Of a session by_gateway; they stand where others have a pod. */
static const struct field gate_fields[] = {
	ROW(session, "gate_number", FIELD_U64, gate.number, NULL),
	ROW(session, "gate_assigned", FIELD_ADDR, gate.assigned, NULL),
	ROW(session, "gate_host", FIELD_U32, gate.host, NULL),
	ROW(session, "gate_group", FIELD_TEXT, gate.group, NULL),
};

/* The same of one by_vpn. */
static const struct field vpn_fields[] = {
	ROW(session, "vpn_session", FIELD_TEXT, vpn.session, NULL),
	ROW(session, "vpn_account", FIELD_TEXT, vpn.account, NULL),
};

static const struct field command_fields[] = {
	U64(session_command, time_ns), PROC(session_command, proc), U32(session_command, uid),
	U32(session_command, via),     TEXT(session_command, text),
};

static const struct field dest_fields[] = {
	ENDPOINT(session_dest, dest),
	WORD(session_dest, service, service),
	WORD(session_dest, scope, scope),
	U32(session_dest, count),
	U64(session_dest, first_ns),
	U64(session_dest, last_ns),
	U64(session_dest, bytes_in),
	U64(session_dest, bytes_out),
	TEXT(session_dest, program),
	U16(session_dest, via),
	ROW(session_dest, "source", FIELD_ADDR, source, NULL),
	ROW(session_dest, "source_port", FIELD_U16, source_ports[0], NULL),
	ROW(session_dest, "source_port_last", FIELD_U16, source_ports[1], NULL),
};

static const struct field handoff_fields[] = {
	U64(session_handoff, time_ns),
	U64(session_handoff, born_ns),
	U64(session_handoff, id),
	WORD(session_handoff, kind, handoff_kind),
	WORD(session_handoff, state, handoff_state),
	U32(session_handoff, count),
	U32(session_handoff, pid),
	TEXT(session_handoff, by),
	TEXT(session_handoff, to),
	TEXT(session_handoff, what),
	BOOL(session_handoff, attached),
};

static const struct field listen_fields[] = {ENDPOINT(session_listen, at)};

/* A bounded array of structures inside a structure, with how many are in use. */
struct list {
	const char *key;
	const struct field *fields;
	size_t fields_count, offset, element, cap, count_offset;
};

#define COUNT(a) (sizeof(a) / sizeof(a[0]))
#define LIST(s, key, fields, member, cap, used)                                                    \
	{                                                                                          \
		key, fields, COUNT(fields), offsetof(struct s, member),                            \
			sizeof(((struct s *)0)->member[0]), cap, offsetof(struct s, used)          \
	}

static const struct list alert_lists[] = {
	LIST(alert, "evidence", evidence_fields, evidence, ALERT_EVIDENCE, evidence_count),
};
static const struct list session_lists[] = {
	LIST(session, "commands", command_fields, commands, SESSION_CMDS, commands_kept),
	LIST(session, "listens", listen_fields, listens, SESSION_LISTENS, listens_kept),
	LIST(session, "handoffs", handoff_fields, handoffs, SESSION_HANDOFFS, handoffs_kept),
	LIST(session, "destinations", dest_fields, dests, SESSION_DESTS, dests_kept),
};

struct layout {
	const struct field *fields;
	size_t fields_count;
	const struct list *lists;
	size_t lists_count;
};

static const struct layout alert_layout = {alert_fields, COUNT(alert_fields), alert_lists,
					   COUNT(alert_lists)};
static const struct layout session_layout = {session_fields, COUNT(session_fields), session_lists,
					     COUNT(session_lists)};

/* --- writing */

static bool is_utf8(struct span s)
{
	uint32_t c;

	for (size_t i = 0; i < s.len;) {
		unsigned n = utf8_decode(s.ptr + i, s.len - i, &c);

		if (n == 0)
			return false;
		i += n;
	}
	return true;
}

static void put_text(struct writer *w, const char *key, struct span s)
{
	static const char digits[] = "0123456789abcdef";
	char hex[2 * ALERT_SENTENCE_MAX];
	size_t n = 0;

	if (is_utf8(s)) {
		json_put_text(w, key, s);
		return;
	}
	for (size_t i = 0; i < s.len && n + 2 <= sizeof(hex); i++) {
		hex[n++] = digits[(unsigned char)s.ptr[i] >> 4];
		hex[n++] = digits[s.ptr[i] & 15];
	}
	json_begin(w, key, '{');
	json_put_text(w, "hex", (struct span){hex, n});
	json_end(w, '}');
}

/* Beyond 2^63-1 as text: readers of JSON numbers end there. */
static void put_number(struct writer *w, const char *key, uint64_t v)
{
	struct writer digits;
	char buf[24];

	if (v == 0)
		return;
	if (v <= INT64_MAX) {
		json_put_u64(w, key, v);
		return;
	}
	writer_start(&digits, buf, sizeof(buf));
	writer_number(&digits, v);
	writer_finish(&digits);
	json_put_str(w, key, buf);
}

static void put_field(struct writer *w, const struct field *f, const char *base)
{
	const void *p = base + f->offset;
	char buf[ADDR_TEXT_MAX];
	unsigned word;

	switch (f->type) {
	case FIELD_TEXT:
		put_text(w, f->key, span_of_array(p, f->size));
		break;
	case FIELD_U64:
		put_number(w, f->key, *(const uint64_t *)p);
		break;
	case FIELD_U32:
		put_number(w, f->key, *(const uint32_t *)p);
		break;
	case FIELD_U16:
		put_number(w, f->key, *(const uint16_t *)p);
		break;
	case FIELD_BOOL:
		put_number(w, f->key, *(const bool *)p);
		break;
	case FIELD_WORD:
		word = f->size == 1 ? *(const uint8_t *)p : *(const unsigned *)p;
		if (word < f->words->count)
			json_put_str(w, f->key, f->words->name(word));
		break;
	case FIELD_ADDR:
		json_put_str(w, f->key, addr_format(p, buf));
		break;
	}
}

static void put_fields(struct writer *w, const struct field *f, size_t n, const char *base)
{
	for (size_t i = 0; i < n; i++)
		put_field(w, &f[i], base);
}

static void put_list(struct writer *w, const struct list *l, const char *base)
{
	uint32_t used = *(const uint32_t *)(const void *)(base + l->count_offset);

	json_begin(w, l->key, '[');
	for (uint32_t i = 0; i < used && i < l->cap; i++) {
		json_begin(w, NULL, '{');
		put_fields(w, l->fields, l->fields_count, base + l->offset + i * l->element);
		json_end(w, '}');
	}
	json_end(w, ']');
}

static void put_layout(struct writer *w, const struct layout *l, const void *base)
{
	put_fields(w, l->fields, l->fields_count, base);
	for (size_t i = 0; i < l->lists_count; i++)
		put_list(w, &l->lists[i], base);
}

int body_put_alert(const struct alert *a, char *buf, size_t cap)
{
	struct writer w;

	writer_start(&w, buf, cap);
	json_begin(&w, NULL, '{');
	json_put_str(&w, "detection", a->detection->id);
	put_layout(&w, &alert_layout, a);
	json_end(&w, '}');
	return writer_finish_json(&w);
}

int body_put_session(const struct session *s, char *buf, size_t cap)
{
	struct writer w;

	writer_start(&w, buf, cap);
	json_begin(&w, NULL, '{');
	put_layout(&w, &session_layout, s);
	if (s->by_gateway)
		put_fields(&w, gate_fields, COUNT(gate_fields), (const char *)s);
	if (s->by_vpn)
		put_fields(&w, vpn_fields, COUNT(vpn_fields), (const char *)s);
	json_begin(&w, "anomalies", '[');
	for (unsigned i = 0; i < DETECTION_COUNT; i++)
		if (s->anomaly_mask >> i & 1)
			json_put_str(&w, NULL, detections[i]->id);
	json_end(&w, ']');
	json_end(&w, '}');
	return writer_finish_json(&w);
}

/* --- reading */

static struct span text_of(const json_t *v)
{
	return (struct span){json_string_value(v), json_string_length(v)};
}

static unsigned hex_digit(char c)
{
	return c >= 'a' ? (unsigned)(c - 'a' + 10) & 15 : (unsigned)(c - '0') & 15;
}

static void get_text(const json_t *v, char *to, size_t cap)
{
	struct span hex = text_of(json_object_get(v, "hex"));
	size_t n = 0;

	if (json_is_string(v)) {
		span_copy(to, cap, text_of(v));
		return;
	}
	for (; 2 * n + 1 < hex.len && n + 1 < cap; n++)
		to[n] = (char)(hex_digit(hex.ptr[2 * n]) << 4 | hex_digit(hex.ptr[2 * n + 1]));
	to[n] = '\0';
}

static uint64_t number_of(const json_t *v)
{
	uint64_t n = 0;

	if (json_is_string(v) && span_u64(text_of(v), &n))
		return n;
	return json_integer_value(v) > 0 ? (uint64_t)json_integer_value(v) : 0;
}

static unsigned word_of(const json_t *v, const struct words *words)
{
	for (unsigned i = 0; i < words->count; i++)
		if (span_is(text_of(v), words->name(i)))
			return i;
	return 0;
}

static void get_field(const json_t *object, const struct field *f, char *base)
{
	const json_t *v = json_object_get(object, f->key);
	void *p = base + f->offset;

	if (!v)
		return;
	switch (f->type) {
	case FIELD_TEXT:
		get_text(v, p, f->size);
		break;
	case FIELD_U64:
		*(uint64_t *)p = number_of(v);
		break;
	case FIELD_U32:
		*(uint32_t *)p = (uint32_t)number_of(v);
		break;
	case FIELD_U16:
		*(uint16_t *)p = (uint16_t)number_of(v);
		break;
	case FIELD_BOOL:
		*(bool *)p = number_of(v) != 0;
		break;
	case FIELD_WORD:
		if (f->size == 1) /* a byte in the structure */
			*(uint8_t *)p = (uint8_t)word_of(v, f->words);
		else
			*(unsigned *)p = word_of(v, f->words);
		break;
	case FIELD_ADDR:
		addr_parse(text_of(v), p, NULL);
		break;
	}
}

static void get_fields(const json_t *object, const struct field *f, size_t n, char *base)
{
	for (size_t i = 0; i < n; i++)
		get_field(object, &f[i], base);
}

static void get_list(const json_t *object, const struct list *l, char *base)
{
	const json_t *array = json_object_get(object, l->key);
	size_t n = json_array_size(array);

	if (n > l->cap)
		n = l->cap;
	for (size_t i = 0; i < n; i++)
		get_fields(json_array_get(array, i), l->fields, l->fields_count,
			   base + l->offset + i * l->element);
	*(uint32_t *)(void *)(base + l->count_offset) = (uint32_t)n;
}

static void get_layout(const json_t *object, const struct layout *l, void *base)
{
	get_fields(object, l->fields, l->fields_count, base);
	for (size_t i = 0; i < l->lists_count; i++)
		get_list(object, &l->lists[i], base);
}

int body_get_alert(const char *text, size_t len, struct alert *ret, char *ret_detection,
		   size_t detection_cap)
{
	json_t *object = json_read(text, len, 0, NULL);
	int index;

	if (!json_is_object(object)) {
		json_decref(object);
		return -EBADMSG;
	}
	memset(ret, 0, sizeof(*ret));
	get_layout(object, &alert_layout, ret);
	span_copy(ret_detection, detection_cap, text_of(json_object_get(object, "detection")));
	index = detection_find(span_of(ret_detection));
	ret->detection = index < 0 ? NULL : detections[index];
	json_decref(object);
	return 0;
}

int body_get_session(const char *text, size_t len, struct session *ret)
{
	json_t *object = json_read(text, len, 0, NULL), *anomalies;

	if (!json_is_object(object)) {
		json_decref(object);
		return -EBADMSG;
	}
	memset(ret, 0, sizeof(*ret));
	get_layout(object, &session_layout, ret);
	if (ret->by_gateway)
		get_fields(object, gate_fields, COUNT(gate_fields), (char *)ret);
	if (ret->by_vpn)
		get_fields(object, vpn_fields, COUNT(vpn_fields), (char *)ret);
	anomalies = json_object_get(object, "anomalies");
	for (size_t i = 0; i < json_array_size(anomalies); i++) {
		int index = detection_find(text_of(json_array_get(anomalies, i)));

		if (index >= 0)
			ret->anomaly_mask |= UINT64_C(1) << index;
	}
	json_decref(object);
	return 0;
}

/* --- coverage */

static bool covers(const struct layout *l, size_t at)
{
	for (size_t i = 0; i < l->fields_count; i++)
		if (at >= l->fields[i].offset && at < l->fields[i].offset + l->fields[i].size)
			return true;
	for (size_t i = 0; i < l->lists_count; i++) {
		const struct list *x = &l->lists[i];
		size_t in = at - x->offset;
		struct layout element = {x->fields, x->fields_count, NULL, 0};

		if (at >= x->count_offset && at < x->count_offset + sizeof(uint32_t))
			return true;
		if (at >= x->offset && in < x->cap * x->element)
			return covers(&element, in % x->element);
	}
	return false;
}

bool body_covers_alert(size_t at)
{
	return covers(&alert_layout, at);
}

bool body_covers_session(size_t at)
{
	return covers(&session_layout, at);
}
