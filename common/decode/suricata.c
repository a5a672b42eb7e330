/*
 * suricata: Suricata's EVE log, one JSON object a line.
 *
 * Sees what of a login is in clear: a VNC password that was right or wrong, or not asked for (rfb);
 * an SMB session that NTLM opened or not (smb); a Kerberos password that was wrong (krb5). The
 * client's program (ssh), RDP's cookie and the client's name (rdp) are notes. A flow of SSH, RDP,
 * RFB, SMB or FTP tells when its connection ended, with its bytes. Everything else is left out,
 * alerts too: they are a rule's opinion of packets and tell of no login.
 *
 * Some records name the ends of the packet and not of the connection: the server is the end with a
 * remote service's port, else the second. Cannot see: who logs in by SSH or RDP with TLS.
 *
 * Sources: docs.suricata.io, "Eve JSON Format"; Suricata, rust/src/{rfb/logger,rdp/log,smb/log,
 * krb/log}.rs, src/output-json-ssh.c (version 5 writes rfb's failure as "security-result").
 *
 * Example: {"timestamp":"...","event_type":"rfb","src_ip":"203.0.113.10",...,"rfb":{...}}
 */
#include "cloud.h"
#include "gateway.h"
#include "netsensor.h"

struct eve {
	struct span time, type, app, src, src_port, dest, dest_port;
	struct span ssh_client, cookie, rdp_name;
	struct span security_type, result, result_old, width;
	struct span status, user, host;
	struct span error, failed, cname;
	struct span start, end, to_server, to_client, state;
};

static const struct json_want wants[] = {
	JSON_WANT(struct eve, time, "timestamp"),
	JSON_WANT(struct eve, type, "event_type"),
	JSON_WANT(struct eve, app, "app_proto"),
	JSON_WANT(struct eve, src, "src_ip"),
	JSON_WANT(struct eve, src_port, "src_port"),
	JSON_WANT(struct eve, dest, "dest_ip"),
	JSON_WANT(struct eve, dest_port, "dest_port"),
	JSON_WANT(struct eve, ssh_client, "ssh", "client", "software_version"),
	JSON_WANT(struct eve, cookie, "rdp", "cookie"),
	JSON_WANT(struct eve, rdp_name, "rdp", "client", "client_name"),
	JSON_WANT(struct eve, security_type, "rfb", "authentication", "security_type"),
	JSON_WANT(struct eve, result, "rfb", "authentication", "security_result"),
	JSON_WANT(struct eve, result_old, "rfb", "authentication", "security-result"),
	JSON_WANT(struct eve, width, "rfb", "framebuffer", "width"),
	JSON_WANT(struct eve, status, "smb", "status"),
	JSON_WANT(struct eve, user, "smb", "ntlmssp", "user"),
	JSON_WANT(struct eve, host, "smb", "ntlmssp", "host"),
	JSON_WANT(struct eve, error, "krb5", "error_code"),
	JSON_WANT(struct eve, failed, "krb5", "failed_request"),
	JSON_WANT(struct eve, cname, "krb5", "cname"),
	JSON_WANT(struct eve, start, "flow", "start"),
	JSON_WANT(struct eve, end, "flow", "end"),
	JSON_WANT(struct eve, to_server, "flow", "bytes_toserver"),
	JSON_WANT(struct eve, to_client, "flow", "bytes_toclient"),
	JSON_WANT(struct eve, state, "flow", "state"),
};

static bool read_ssh(const struct eve *x, struct event *e, const char **reason)
{
	*reason = "an SSH connection whose client says nothing of itself";
	e->service = SERVICE_SSH;
	e->client = x->ssh_client;
	return !span_empty(e->client);
}

static bool read_rdp(const struct eve *x, struct event *e, const char **reason)
{
	*reason = "an RDP connection of which neither a name nor a client is told";
	e->service = SERVICE_RDP;
	e->account = x->cookie;
	e->client = x->rdp_name;
	return !span_empty(e->account) || !span_empty(e->client);
}

static bool read_rfb(const struct eve *x, struct event *e, const char **reason)
{
	struct span result = span_empty(x->result) ? x->result_old : x->result;

	*reason = "a VNC connection of which no verdict is told";
	e->service = SERVICE_VNC;
	if (span_is(x->security_type, "1")) {
		netsensor_verdict(e, OUTCOME_SUCCESS);
		e->method = METHOD_NO_AUTH;
		return !span_empty(x->width);
	}
	netsensor_verdict(e, span_is(result, "OK")     ? OUTCOME_SUCCESS
			     : span_is(result, "FAIL") ? OUTCOME_FAILURE
						       : OUTCOME_UNKNOWN);
	return e->outcome != OUTCOME_UNKNOWN;
}

static bool read_smb(const struct eve *x, struct event *e, const char **reason)
{
	static const char *const wrong[] = {"STATUS_LOGON_FAILURE", "STATUS_WRONG_PASSWORD",
					    "STATUS_NO_SUCH_USER"};

	*reason = "SMB, and no session that somebody was let into, or not";
	e->service = SERVICE_SMB;
	e->account = x->user;
	e->client = x->host;
	netsensor_verdict(e,
			  span_is(x->status, "STATUS_SUCCESS") ? OUTCOME_SUCCESS : OUTCOME_UNKNOWN);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		if (span_is(x->status, wrong[i]))
			e->outcome = OUTCOME_FAILURE;
	return e->outcome != OUTCOME_UNKNOWN && !span_empty(e->account);
}

static bool read_krb5(const struct eve *x, struct event *e, const char **reason)
{
	bool nobody = span_is(x->error, "KDC_ERR_C_PRINCIPAL_UNKNOWN");
	bool wrong = nobody || span_is(x->error, "KDC_ERR_PREAUTH_FAILED");

	*reason = "Kerberos, and no password that was wrong";
	if (span_is(x->cname, "<empty>"))
		return false;
	netsensor_kerberos(e, x->cname, wrong ? OUTCOME_FAILURE : OUTCOME_UNKNOWN);
	if (nobody)
		e->flags |= EVENT_ACCOUNT_UNKNOWN;
	return wrong && !span_empty(e->account);
}

static bool read_flow(const struct eve *x, struct event *e, const char **reason)
{
	uint64_t end = netsensor_time(x->end);

	*reason = "a flow of no remote service";
	e->service = netsensor_by_name(x->app);
	e->kind = EVENT_CONNECTION_CLOSE;
	e->opened_ns = netsensor_time(x->start);
	e->time_ns = end ? end : e->time_ns;
	e->bytes_in = gateway_count(x->to_server);
	e->bytes_out = gateway_count(x->to_client);
	return e->service != SERVICE_NONE && !span_is(x->state, "new");
}

static const struct {
	const char *type;
	bool (*read)(const struct eve *x, struct event *e, const char **reason);
} types[] = {
	{"ssh", read_ssh}, {"rdp", read_rdp},	{"rfb", read_rfb},
	{"smb", read_smb}, {"krb5", read_krb5}, {"flow", read_flow},
};

static bool is_server(struct span port)
{
	uint32_t n = text_u32(port, 0);

	return n == 88 || (n <= UINT16_MAX && netsensor_by_port((uint16_t)n) != SERVICE_NETWORK);
}

static struct netsensor_ends ends_of(const struct eve *x)
{
	if (is_server(x->src_port) && !is_server(x->dest_port))
		return (struct netsensor_ends){x->dest, x->dest_port, x->src, x->src_port};
	return (struct netsensor_ends){x->src, x->src_port, x->dest, x->dest_port};
}

static bool read_type(struct cloud_record *r, const struct eve *x, size_t i)
{
	const struct netsensor_ends ends = ends_of(x);

	if (!netsensor_event(r->s, &ends, netsensor_time(x->time), r->e))
		return cloud_bad(r, "a record of Suricata's without two addresses and their ports");
	r->s->seen_ns = r->e->time_ns;
	r->e->text = r->line;
	r->result = types[i].read(x, r->e, &r->reason) ? DECODE_EVENT : DECODE_SKIPPED;
	return true;
}

bool suricata_read(struct cloud_record *r)
{
	struct eve x = {0};
	const char *wrong = json_pick(
		&r->j, (struct json_picker){wants, sizeof(wants) / sizeof(wants[0]), &x, false});

	/* Duo and others have an event_type, too. */
	if (span_empty(x.type) || span_empty(x.src) || span_empty(x.time))
		return false;
	if (wrong)
		return cloud_bad(r, wrong);
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (span_is(x.type, types[i].type))
			return read_type(r, &x, i);
	return cloud_skip(r, "Suricata's, and it tells of no login");
}

const struct decoder decoder_suricata = {
	.name = "suricata",
	.about = "Suricata's EVE log: ssh, rdp, rfb, smb, krb5 and flow",
	.example =
		"{\"timestamp\":\"2024-01-15T10:00:00.123456+0000\",\"flow_id\":7,\"event_type\":"
		"\"rfb\",\"src_ip\":\"203.0.113.10\",\"src_port\":40022,\"dest_ip\":"
		"\"192.0.2.1\",\"dest_port\":5900,\"proto\":\"TCP\",\"rfb\":{\"authentication\":"
		"{\"security_type\":2,\"security_result\":\"FAIL\"}}}",
};
