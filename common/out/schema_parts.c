/* schema_parts: see schema_parts.h. */
#include "schema_parts.h"

const char *record_alert_id(const struct alert *a, char buf[RECORD_ID_MAX])
{
	struct writer w;

	writer_start(&w, buf, RECORD_ID_MAX);
	writer_puts(&w, a->id);
	writer_bytes(&w, "-", 1);
	writer_number(&w, a->revision);
	writer_finish(&w);
	return buf;
}

const char *record_session_id(const struct session *s, char buf[RECORD_ID_MAX])
{
	struct writer w;

	writer_start(&w, buf, RECORD_ID_MAX);
	writer_puts(&w, s->id);
	writer_bytes(&w, "-", 1);
	writer_puts(&w, session_state_name(s->state));
	writer_finish(&w);
	return buf;
}

uint64_t record_session_time(const struct session *s)
{
	if (s->state == SESSION_OPEN && s->open_ns)
		return s->open_ns;
	if (s->state == SESSION_CLOSED && s->close_ns)
		return s->close_ns;
	return s->last_ns;
}

const char *record_transport(enum service s)
{
	switch (s) {
	case SERVICE_NONE:
	case SERVICE_VPN: /* UDP mostly */
	case SERVICE_CITRIX:
	case SERVICE_AGENT:
	case SERVICE_NETWORK:
	case SERVICE_OTHER:
		return "";
	default:
		return "tcp";
	}
}

struct span record_command(struct span args, char buf[RECORD_COMMAND_MAX])
{
	size_t n = args.len < RECORD_COMMAND_MAX ? args.len : RECORD_COMMAND_MAX;

	for (size_t i = 0; i < n; i++)
		buf[i] = args.ptr[i] ? args.ptr[i] : ' ';
	while (n && buf[n - 1] == ' ')
		n--;
	return (struct span){buf, n};
}

const char *record_tactic_name(struct span id)
{
	static const struct {
		const char *id, *name;
	} tactics[] = {
		{"TA0043", "Reconnaissance"},  {"TA0042", "Resource Development"},
		{"TA0001", "Initial Access"},  {"TA0002", "Execution"},
		{"TA0003", "Persistence"},     {"TA0004", "Privilege Escalation"},
		{"TA0005", "Defense Evasion"}, {"TA0006", "Credential Access"},
		{"TA0007", "Discovery"},       {"TA0008", "Lateral Movement"},
		{"TA0009", "Collection"},      {"TA0011", "Command and Control"},
		{"TA0010", "Exfiltration"},    {"TA0040", "Impact"},
	};

	for (size_t i = 0; i < sizeof(tactics) / sizeof(tactics[0]); i++)
		if (span_is(id, tactics[i].id))
			return tactics[i].name;
	return "";
}

bool record_word(struct span *rest, struct span *ret)
{
	size_t n = 0;

	while (rest->len && *rest->ptr == ' ')
		*rest = span_skip(*rest, 1);
	while (n < rest->len && rest->ptr[n] != ' ')
		n++;
	*ret = span_first(*rest, n);
	*rest = span_skip(*rest, n);
	return n > 0;
}

bool record_has_bytes(const struct event *e)
{
	bool ends = e->kind == EVENT_CONNECTION_CLOSE || e->kind == EVENT_BYTES ||
		    e->kind == EVENT_CONNECT_CLOSE;

	return ends && (e->trust == TRUST_KERNEL || e->bytes_in || e->bytes_out);
}

uint64_t record_ms(uint64_t ns)
{
	return ns / 1000000;
}

void record_put_addr(struct writer *w, const char *key, const struct addr *a)
{
	char buf[ADDR_TEXT_MAX];

	json_put_str(w, key, addr_format(a, buf));
}

void record_bound_texts(struct event *e)
{
	struct span *const texts[] = {&e->account,   &e->user,	       &e->client,
				      &e->key,	     &e->program,      &e->path,
				      &e->subject,   &e->host,	       &e->api.name,
				      &e->api.image, &e->api.pod_name, &e->api.container};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		*texts[i] = span_first(*texts[i], RECORD_TEXT_MAX);
}
