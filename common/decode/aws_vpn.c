/*
 * aws_vpn: AWS Client VPN's connection logs, one entry a line as CloudWatch has it.
 *
 * Sees who connected from where with which inner address, who failed and why, the end with bytes.
 * Cannot see: failures of mutual authentication, which AWS does not log.
 *
 * Source: AWS Client VPN Administrator Guide, "Connection logging".
 *
 * Example: {"connection-log-type":"connection-attempt","connection-attempt-status":"successful",
 *           "connection-id":"cvpn-connection-abc","client-ip":"10.0.1.2","common-name":"client1",
 *           "device-ip":"203.0.113.9","port":"50096",...}
 */
#include "cloud.h"
#include "gateway.h"

struct aws_vpn {
	struct span type, status, why, number, endpoint, ended, updated, inner, common, user,
		device, outer, port, in, out;
};

static const struct json_want wants[] = {
	JSON_WANT(struct aws_vpn, type, "connection-log-type"),
	JSON_WANT(struct aws_vpn, status, "connection-attempt-status"),
	JSON_WANT(struct aws_vpn, why, "connection-attempt-failure-reason"),
	JSON_WANT(struct aws_vpn, number, "connection-id"),
	JSON_WANT(struct aws_vpn, endpoint, "client-vpn-endpoint-id"),
	JSON_WANT(struct aws_vpn, ended, "connection-end-time"),
	JSON_WANT(struct aws_vpn, updated, "connection-last-update-time"),
	JSON_WANT(struct aws_vpn, inner, "client-ip"),
	JSON_WANT(struct aws_vpn, common, "common-name"),
	JSON_WANT(struct aws_vpn, user, "username"),
	JSON_WANT(struct aws_vpn, device, "device-type"),
	JSON_WANT(struct aws_vpn, outer, "device-ip"),
	JSON_WANT(struct aws_vpn, port, "port"),
	JSON_WANT(struct aws_vpn, in, "ingress-bytes"),
	JSON_WANT(struct aws_vpn, out, "egress-bytes"),
};

static bool is_told(struct span s)
{
	return !span_empty(s) && !span_is(s, "NA");
}

static bool set_kind(const struct aws_vpn *x, struct event *e)
{
	if (span_is(x->type, "connection-reset")) {
		gateway_begin(e, EVENT_SESSION_CLOSE, SERVICE_VPN);
		return true;
	}
	if (!span_is(x->type, "connection-attempt"))
		return false;
	if (span_is(x->status, "successful")) {
		gateway_row(e, EVENT_SESSION_OPEN, SERVICE_VPN, OUTCOME_SUCCESS);
		return true;
	}
	gateway_row(e, EVENT_ATTEMPT, SERVICE_VPN, OUTCOME_FAILURE);
	return span_is(x->status, "failed");
}

bool aws_vpn_read(struct cloud_record *r)
{
	struct aws_vpn x = {0};
	const char *wrong = json_pick(
		&r->j, (struct json_picker){wants, sizeof(wants) / sizeof(wants[0]), &x, false});

	if (wrong || span_empty(x.type) || span_empty(x.number))
		return false;
	cloud_event(r, x.endpoint, is_told(x.ended) ? x.ended : x.updated);
	if (!set_kind(&x, r->e))
		return cloud_skip(r, "AWS Client VPN's, and neither a verdict nor about a session");
	r->e->account = is_told(x.user) ? x.user : gateway_word(x.common);
	r->e->client = x.device;
	r->e->gate.session = gateway_number(x.number);
	r->e->gate.reason = is_told(x.why) ? x.why : text_none();
	gateway_assigned(r->e, x.inner);
	if (gateway_origin(r->e, x.outer))
		r->e->origin.port = (uint16_t)(text_u32(x.port, 0) & 0xffff);
	r->e->bytes_in = gateway_count(x.in);
	r->e->bytes_out = gateway_count(x.out);
	return true;
}

const struct decoder decoder_aws_vpn = {
	.name = "aws-vpn",
	.about = "AWS Client VPN's connection logs",
	.example = "{\"connection-log-type\":\"connection-attempt\",\"connection-attempt-status\":"
		   "\"successful\",\"connection-id\":\"cvpn-connection-abc123\",\"client-vpn-"
		   "endpoint-id\":"
		   "\"cvpn-endpoint-aaa111\",\"connection-start-time\":\"2026-03-26 20:37:15\","
		   "\"connection-last-update-time\":\"2026-03-26 "
		   "20:37:15\",\"client-ip\":\"10.0.1.2\","
		   "\"common-name\":\"client1\",\"device-type\":\"mac\",\"device-ip\":\"203.0.113."
		   "10\","
		   "\"port\":\"50096\",\"connection-end-time\":\"NA\"}",
};
