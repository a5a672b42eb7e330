/*
 * mde: logons that Microsoft Defender for Endpoint saw (DeviceLogonEvents of Advanced Hunting), as
 * they are streamed out, and as the table has them.
 *
 * Sees remote logons of every device: RemoteInteractive is RDP, Network any service, which is not
 * told. Whether an address is outside is decided here, not by RemoteIPType. Cannot see: the end of
 * a logon. Machine accounts' logons are left out; other tables, too: what IdentityLogonEvents tell,
 * the device tells as well.
 *
 * Example:
 * {"category":"AdvancedHunting-DeviceLogonEvents","properties":{"ActionType":"LogonFailed",
 *           "LogonType":"RemoteInteractive","AccountName":"alice","RemoteIP":"203.0.113.7"}}
 */
#include "cloud.h"
#include "text.h"

struct logon {
	struct span category, action, type, account, device, address, port, why, time, time2, peer;
};

static const struct json_want wants[] = {
	JSON_WANT(struct logon, category, "category"),
	JSON_WANT(struct logon, action, "actionType"),
	JSON_WANT(struct logon, type, "logonType"),
	JSON_WANT(struct logon, account, "accountName"),
	JSON_WANT(struct logon, device, "deviceName"),
	JSON_WANT(struct logon, address, "remoteIP"),
	JSON_WANT(struct logon, port, "remotePort"),
	JSON_WANT(struct logon, why, "failureReason"),
	JSON_WANT(struct logon, time, "timestamp"),
	JSON_WANT(struct logon, time2, "timeGenerated"),
	JSON_WANT(struct logon, peer, "remoteDeviceName"),
};

static enum service service_of(struct span type)
{
	if (span_is(type, "RemoteInteractive"))
		return SERVICE_RDP;
	return span_is(type, "Network") || span_is(type, "NetworkCleartext") ? SERVICE_NETWORK
									     : SERVICE_NONE;
}

static bool is_logon(const struct logon *x)
{
	if (!span_empty(x->category))
		return span_is(x->category, "AdvancedHunting-DeviceLogonEvents");
	return !span_empty(x->device) && span_starts(x->action, SPAN_LIT("Logon"));
}

bool mde_read(struct cloud_record *r)
{
	struct logon x = {0};
	const char *wrong = json_pick(
		&r->j, (struct json_picker){wants, sizeof(wants) / sizeof(wants[0]), &x, false});
	bool failed = span_is(x.action, "LogonFailed");

	if (!is_logon(&x))
		return false;
	if (wrong)
		return cloud_bad(r, wrong);
	if (!failed && !span_is(x.action, "LogonSuccess"))
		return cloud_skip(r, "Defender's, and neither a success nor a failure");
	if (service_of(x.type) == SERVICE_NONE)
		return cloud_skip(r, "a logon of nobody from another host");
	if (!failed && text_ends(x.account, SPAN_LIT("$")))
		return cloud_skip(r, "a machine account's logon");
	cloud_event(r, x.device, span_empty(x.time) ? x.time2 : x.time);
	r->e->outcome = failed ? OUTCOME_FAILURE : OUTCOME_SUCCESS;
	r->e->service = service_of(x.type);
	r->e->method = METHOD_PASSWORD;
	r->e->account = text_ends(x.account, SPAN_LIT("$")) ? text_none() : x.account;
	r->e->client = x.peer;
	r->e->gate.reason = x.why;
	cloud_origin(r, x.address);
	if (r->e->origin.addr.family)
		r->e->origin.port = (uint16_t)text_u32(x.port, 0);
	return true;
}

const struct decoder decoder_mde = {
	.name = "mde",
	.about = "Microsoft Defender for Endpoint: DeviceLogonEvents",
	.example =
		"{\"time\":\"2026-08-28T13:45:40Z\",\"category\":"
		"\"AdvancedHunting-DeviceLogonEvents\",\"properties\":{\"AccountName\":\"alice\","
		"\"AccountDomain\":\"corp\",\"LogonType\":\"RemoteInteractive\",\"DeviceName\":"
		"\"srv1.example.org\",\"RemoteIP\":\"203.0.113.10\",\"RemoteIPType\":\"Public\","
		"\"ActionType\":\"LogonSuccess\",\"Timestamp\":\"2026-08-28T13:42:11.06Z\"}}",
};
