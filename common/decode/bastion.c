/*
 * bastion: Azure Bastion's audit log (BastionAuditLogs), one record a line or a list of them, as
 * Azure exports it.
 *
 * Sees who was connected to which machine from where by SSH or RDP. Cannot see: the end of it, and
 * what other messages mean, which Microsoft does not document.
 *
 * Source: Microsoft, "Monitor Azure Bastion", resource logs: the entry of a connection.
 *
 * Example:
 * {"time":"2019-10-03T16:03:34.776Z","operationName":"Microsoft.Network/BastionHost/connect",
 *           "category":"BastionAuditLogs","properties":{"userName":"bob","clientIpAddress":
 *           "203.0.113.9","clientPort":24039,"protocol":"ssh","message":"Successfully Connected."}}
 */
#include "cloud.h"
#include "gateway.h"

struct bastion {
	struct span category, operation, time, user, address, port, protocol, target, message,
		tunnel, resource, agent;
};

static const struct json_want wants[] = {
	JSON_WANT(struct bastion, category, "category"),
	JSON_WANT(struct bastion, operation, "operationName"),
	JSON_WANT(struct bastion, time, "time"),
	JSON_WANT(struct bastion, resource, "resourceId"),
	JSON_WANT(struct bastion, user, "userName"),
	JSON_WANT(struct bastion, agent, "userAgent"),
	JSON_WANT(struct bastion, address, "clientIpAddress"),
	JSON_WANT(struct bastion, port, "clientPort"),
	JSON_WANT(struct bastion, protocol, "protocol"),
	JSON_WANT(struct bastion, target, "targetResourceId"),
	JSON_WANT(struct bastion, message, "message"),
	JSON_WANT(struct bastion, tunnel, "tunnelId"),
};

bool bastion_read(struct cloud_record *r)
{
	struct bastion x = {0};
	const char *wrong = json_pick(
		&r->j, (struct json_picker){wants, sizeof(wants) / sizeof(wants[0]), &x, false});

	if (!span_is(x.category, "BastionAuditLogs"))
		return false;
	if (wrong)
		return cloud_bad(r, wrong);
	if (!span_is(x.operation, "Microsoft.Network/BastionHost/connect") ||
	    !span_is(x.message, "Successfully Connected."))
		return cloud_skip(r, "Azure Bastion's, and no connection");
	cloud_event(r, span_base(x.resource), x.time);
	gateway_row(r->e, EVENT_SESSION_OPEN,
		    span_is(x.protocol, "rdp") ? SERVICE_RDP : SERVICE_SSH, OUTCOME_SUCCESS);
	r->e->account = x.user;
	r->e->client = x.agent;
	r->e->gate.session = gateway_number(x.tunnel);
	r->e->gate.group = span_base(x.target);
	if (gateway_origin(r->e, x.address))
		r->e->origin.port = (uint16_t)(text_u32(x.port, 0) & 0xffff);
	return true;
}

const struct decoder decoder_bastion = {
	.name = "azure-bastion",
	.about = "Azure Bastion's audit log: connections by SSH and RDP",
	.example =
		"{\"time\":\"2026-10-03T16:03:34.776Z\",\"resourceId\":"
		"\"/SUBSCRIPTIONS/S/RESOURCEGROUPS/G/PROVIDERS/MICROSOFT.NETWORK/BASTIONHOSTS/B1\","
		"\"operationName\":\"Microsoft.Network/BastionHost/connect\",\"category\":"
		"\"BastionAuditLogs\",\"properties\":{\"userName\":\"bob\",\"clientIpAddress\":"
		"\"203.0.113.10\",\"clientPort\":24039,\"protocol\":\"ssh\",\"message\":"
		"\"Successfully Connected.\",\"tunnelId\":\"t1\"}}",
};
