/*
 * cloud: which source a cloud service's record is of, and what all of them share.
 *
 * The line is looked through for a word that such a record has; whether it is one is decided by
 * its members. A sign-in is told by another host: no connection of this one belongs to it.
 */
#include "cloud.h"

#include "json_words.h"
#include "text.h"
#include "time_text.h"
#include "zeek.h"

static const struct source {
	uint32_t words; /* names of members that all of its records have, or values */
	enum decoder_index decoder;
	bool (*read)(struct cloud_record *r);
} sources[] = {
	{JSON_WORD(WORD_ENTRA), DECODER_entra, entra_read},
	{JSON_WORD(WORD_MDE) | JSON_WORD(WORD_ACTION), DECODER_mde, mde_read},
	{JSON_WORD(WORD_OKTA) | JSON_WORD(WORD_PUBLISHED), DECODER_okta, okta_read},
	{JSON_WORD(WORD_DUO), DECODER_duo, duo_read},
	{JSON_WORD(WORD_CLOUDTRAIL), DECODER_cloudtrail, cloudtrail_read},
	{JSON_WORD(WORD_AWS_VPN), DECODER_aws_vpn, aws_vpn_read},
	{JSON_WORD(WORD_BASTION), DECODER_bastion, bastion_read},
	{JSON_WORD(WORD_GCP), DECODER_gcp, gcp_read},
	{JSON_WORD(WORD_YANDEX), DECODER_yandex, yandex_read},
	{JSON_WORD(WORD_ZEEK), DECODER_zeek, zeek_read},
	{JSON_WORD(WORD_TELEPORT) | JSON_WORD(WORD_EVENT), DECODER_teleport, teleport_read},
	{JSON_WORD(WORD_SURICATA), DECODER_suricata, suricata_read},
};

bool cloud_read(struct decode_stream *s, struct span line, uint32_t words, struct event *ret,
		enum decode_result *ret_result, const char **reason)
{
	for (size_t i = 0; i < sizeof(sources) / sizeof(sources[0]); i++) {
		struct cloud_record r;

		if ((words & sources[i].words) != sources[i].words)
			continue;
		r = (struct cloud_record){
			.s = s,
			.line = line,
			.j = {.p = line.ptr,
			      .end = line.ptr + line.len,
			      .out = s->scratch,
			      .out_end = s->scratch + sizeof(s->scratch)},
			.e = ret,
			.reason = "not JSON: cut short or malformed",
		};
		memset(ret, 0, sizeof(*ret));
		ret->source = (uint16_t)sources[i].decoder;
		if (!sources[i].read(&r))
			continue;
		if (s->forced_source >= 0 && s->forced_source != (int)sources[i].decoder) {
			r.result = DECODE_SKIPPED;
			r.reason = "not of the source that was asked for";
		}
		*ret_result = r.result;
		*reason = r.reason;
		return true;
	}
	return false;
}

void cloud_event(struct cloud_record *r, struct span host, struct span time)
{
	struct event *e = r->e;
	struct time_text t = {.time_ns = r->s->seen_ns, .approximate = true};

	if (time_take_utc(&time, &t)) {
		t.approximate = false; /* these are UTC, whether they say so or not */
		r->s->seen_ns = t.time_ns;
	}
	e->kind = EVENT_ATTEMPT;
	e->trust = TRUST_TEXT;
	e->witness = WITNESS_DAEMON;
	e->time_ns = t.time_ns;
	e->flags = t.approximate ? (uint32_t)EVENT_TIME_APPROXIMATE : 0;
	e->line = r->s->line;
	e->count = 1;
	e->loginuid = e->audit_session = UINT32_MAX;
	e->host = host;
	e->text = r->line;
	e->gate.told = true;
	r->result = DECODE_EVENT;
}

bool cloud_skip(struct cloud_record *r, const char *reason)
{
	r->result = DECODE_SKIPPED;
	r->reason = reason;
	return true;
}

bool cloud_bad(struct cloud_record *r, const char *reason)
{
	r->result = DECODE_BAD;
	r->reason = reason;
	return true;
}

void cloud_origin(struct cloud_record *r, struct span address)
{
	if (!addr_parse(address, &r->e->origin.addr, &r->e->origin.port))
		r->e->origin = (struct endpoint){0};
}

enum service cloud_application(struct span name)
{
	static const struct {
		struct span words;
		enum service service;
	} rows[] = {
		{SPAN_LIT("GlobalProtect"), SERVICE_VPN},
		{SPAN_LIT("Pulse Secure"), SERVICE_VPN},
		{SPAN_LIT("Cisco AnyConnect"), SERVICE_VPN},
		{SPAN_LIT("Fortinet SSL VPN"), SERVICE_VPN},
		{SPAN_LIT("Check Point Remote Access VPN"), SERVICE_VPN},
		{SPAN_LIT("F5 BIG-IP APM"), SERVICE_VPN},
		{SPAN_LIT("Citrix Gateway"), SERVICE_CITRIX},
		{SPAN_LIT("VMware Horizon"), SERVICE_WEB_REMOTE},
		{SPAN_LIT("RDP Gateway"), SERVICE_RDGATEWAY},
		{SPAN_LIT("SoftEther VPN"), SERVICE_VPN},
		{SPAN_LIT("Juniper SSL VPN"), SERVICE_VPN},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (span_has_folded(name, rows[i].words))
			return rows[i].service;
	return SERVICE_OTHER;
}
