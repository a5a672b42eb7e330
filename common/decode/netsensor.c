/* netsensor: see the header. */
#include "netsensor.h"

#include "gateway.h"
#include "time_text.h"

static bool read_end(struct span address, struct span port, struct endpoint *ret)
{
	uint32_t n = text_u32(port, UINT32_MAX);
	uint16_t none = 0;

	if (n > UINT16_MAX || !addr_parse(address, &ret->addr, &none) || !ret->addr.family)
		return false;
	ret->port = (uint16_t)n;
	return true;
}

bool netsensor_event(const struct decode_stream *s, const struct netsensor_ends *ends,
		     uint64_t time_ns, struct event *e)
{
	uint16_t source = e->source;

	memset(e, 0, sizeof(*e));
	e->source = source;
	e->kind = EVENT_AUTH_NOTE;
	e->witness = WITNESS_NETWORK;
	e->trust = TRUST_TEXT;
	e->time_ns = time_ns ? time_ns : s->seen_ns;
	e->flags = time_ns ? 0 : (uint32_t)EVENT_TIME_APPROXIMATE;
	e->line = s->line;
	e->count = 1;
	e->loginuid = e->audit_session = UINT32_MAX;
	return read_end(ends->client, ends->client_port, &e->origin) &&
	       read_end(ends->server, ends->server_port, &e->local);
}

uint64_t netsensor_time(struct span text)
{
	size_t dot = text_find(text, SPAN_LIT("."), 0);
	struct time_text t;
	uint64_t ns, scale = 100000000;

	if (time_take_utc(&text, &t))
		return t.time_ns;
	ns = gateway_epoch(span_first(text, dot));
	for (size_t i = dot + 1; dot != TEXT_NOT_FOUND && ns && i < text.len && scale; i++) {
		if (!text_is_digit(text.ptr[i]))
			break;
		ns += (uint64_t)(text.ptr[i] - '0') * scale;
		scale /= 10;
	}
	return ns;
}

void netsensor_verdict(struct event *e, enum outcome outcome)
{
	e->kind = EVENT_ATTEMPT;
	e->outcome = outcome;
	e->method = METHOD_PASSWORD;
	if (outcome == OUTCOME_SUCCESS && !span_empty(e->account))
		e->flags |= EVENT_ACCOUNT_EXISTS;
}

void netsensor_kerberos(struct event *e, struct span client, enum outcome outcome)
{
	size_t at = text_find_last(client, SPAN_LIT("/"));

	e->service = SERVICE_NETWORK;
	e->account = span_first(client, at == TEXT_NOT_FOUND ? client.len : at);
	e->outcome = outcome;
	if (outcome != OUTCOME_FAILURE)
		return; /* a ticket opens no session there */
	e->kind = EVENT_ATTEMPT;
	e->method = METHOD_DOMAIN;
}

enum service netsensor_by_name(struct span name)
{
	static const struct {
		const char *name;
		enum service service;
	} rows[] = {{"ssh", SERVICE_SSH},
		    {"rdp", SERVICE_RDP},
		    {"rfb", SERVICE_VNC},
		    {"smb", SERVICE_SMB},
		    {"ftp", SERVICE_FTP}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (span_is(name, rows[i].name))
			return rows[i].service;
	return SERVICE_NONE;
}

enum service netsensor_by_port(uint16_t port)
{
	static const struct {
		uint16_t port;
		enum service service;
	} rows[] = {{21, SERVICE_FTP},	      {22, SERVICE_SSH},      {23, SERVICE_TELNET},
		    {2375, SERVICE_DOCKER},   {2376, SERVICE_DOCKER}, {6443, SERVICE_KUBE_API},
		    {10250, SERVICE_KUBELET}, {139, SERVICE_SMB},     {445, SERVICE_SMB},
		    {135, SERVICE_RPC},	      {5985, SERVICE_WINRM},  {5986, SERVICE_WINRM},
		    {3389, SERVICE_RDP}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].port == port)
			return rows[i].service;
	return port >= 5900 && port < 5910 ? SERVICE_VNC : SERVICE_NETWORK;
}
