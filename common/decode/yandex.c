/*
 * yandex: Yandex Cloud's audit trails, one event a line or a list of them, as a bucket has them.
 *
 * Sees requests to a managed Kubernetes cluster's API: the audit event of Kubernetes that is within
 * each is read as such; an address of the internet that was given to a network, and who protects it
 * from floods. Cannot see: other services' events; in the audit of the cluster's master who came by
 * a proxy before it; addresses that a machine is given as it is created.
 *
 * The members are spelled in both ways, event_type in the log and eventType in the reference.
 *
 * Sources: yandex-cloud/docs: audit-trails/concepts/format.md, audit/k8s/apiserver/events-ref/
 * (details.nativeApiServerEvent), audit/vpc/events-ref/CreateAddress.md.
 *
 * Example: {"event_type":"yandex.cloud.audit.k8s.apiserver.ApiServerList","details":{
 *           "native_api_server_event":{"apiVersion":"audit.k8s.io/v1","kind":"Event",...}}}
 */
#include "cloud.h"
#include "k8s_audit.h"
#include "text.h"

struct yandex {
	const struct json *j;
	struct span type;
	const char *native; /* where its audit event begins */
};

static void visit(void *arg, const struct json_path *p, struct span name, struct span value,
		  char type)
{
	struct yandex *x = arg;

	if (p->depth == 1 && type == '"' && !x->type.len &&
	    (span_is(name, "event_type") || span_is(name, "eventType")))
		x->type = value;
	if (p->depth == 2 && type == '{' && !x->native && span_is(p->names[1], "details") &&
	    (span_is(name, "native_api_server_event") || span_is(name, "nativeApiServerEvent")))
		x->native = x->j->p - 1; /* its bracket is behind us */
}

/* What is in its audit event is looked at when it is read as such. */
static bool enter(void *arg, const struct json_path *p, struct span name, char type)
{
	(void)arg, (void)type;
	return p->depth == 0 || (p->depth == 1 && span_is(name, "details"));
}

struct address {
	struct span time, status, name, id, address, provider, subject, subject_id, remote, agent;
};

static const struct json_want address_wants[] = {
	JSON_WANT(struct address, time, "event_time"),
	JSON_WANT(struct address, time, "eventTime"),
	JSON_WANT(struct address, status, "event_status"),
	JSON_WANT(struct address, status, "eventStatus"),
	JSON_WANT(struct address, subject, "authentication", "subject_name"),
	JSON_WANT(struct address, subject, "authentication", "subjectName"),
	JSON_WANT(struct address, subject_id, "authentication", "subject_id"),
	JSON_WANT(struct address, subject_id, "authentication", "subjectId"),
	JSON_WANT(struct address, remote, "request_metadata", "remote_address"),
	JSON_WANT(struct address, remote, "requestMetadata", "remoteAddress"),
	JSON_WANT(struct address, agent, "request_metadata", "user_agent"),
	JSON_WANT(struct address, agent, "requestMetadata", "userAgent"),
	JSON_WANT(struct address, id, "details", "address_id"),
	JSON_WANT(struct address, id, "details", "addressId"),
	JSON_WANT(struct address, name, "details", "address_name"),
	JSON_WANT(struct address, name, "details", "addressName"),
	JSON_WANT(struct address, address, "details", "external_ipv4_address", "address"),
	JSON_WANT(struct address, address, "details", "externalIpv4Address", "address"),
	JSON_WANT(struct address, provider, "details", "external_ipv4_address", "requirements",
		  "ddos_protection_provider"),
	JSON_WANT(struct address, provider, "details", "externalIpv4Address", "requirements",
		  "ddosProtectionProvider"),
};

/* An address is told as it is asked for and when it is there; the second has it. */
static bool address_read(struct cloud_record *r, struct json j)
{
	struct address x = {0};
	const char *wrong =
		json_pick(&j, (struct json_picker){address_wants,
						   sizeof(address_wants) / sizeof(address_wants[0]),
						   &x, false});

	if (wrong)
		return cloud_bad(r, wrong);
	if (!span_is(x.status, "DONE"))
		return cloud_skip(r, "an address that was not created, or is not there yet");
	if (span_empty(x.address))
		return cloud_skip(r, "an address that is none of the internet");
	cloud_event(r, (struct span){0}, x.time);
	if (!addr_parse(x.address, &r->e->dest.addr, &r->e->dest.port))
		return cloud_bad(r, "external_ipv4_address is no address");
	r->e->kind = EVENT_CLOUD_ADDRESS;
	r->e->service = SERVICE_OTHER;
	r->e->outcome = OUTCOME_SUCCESS;
	r->e->account = span_empty(x.subject) ? x.subject_id : x.subject;
	r->e->client = x.agent;
	r->e->subject = span_empty(x.name) ? x.id : x.name;
	r->e->gate.told = false; /* no session */
	r->e->gate.reason = x.provider;
	cloud_origin(r, x.remote);
	return true;
}

bool yandex_read(struct cloud_record *r)
{
	struct yandex x = {.j = &r->j};
	struct json j = r->j;
	const char *wrong = json_walk(&r->j, (struct json_visitor){visit, &x, enter});
	struct span native;

	if (!span_starts(x.type, SPAN_LIT("yandex.cloud.audit.")))
		return false;
	if (wrong)
		return cloud_bad(r, wrong);
	if (span_is(x.type, "yandex.cloud.audit.network.CreateAddress"))
		return address_read(r, j);
	if (!span_starts(x.type, SPAN_LIT("yandex.cloud.audit.k8s.apiserver.")) || !x.native)
		return cloud_skip(r, "Yandex Cloud's, and no request to a cluster");
	native = (struct span){x.native, (size_t)(r->line.ptr + r->line.len - x.native)};
	r->result = k8s_audit_read(r->s, native, r->e, &r->reason);
	r->e->source = DECODER_yandex;
	return true;
}

const struct decoder decoder_yandex = {
	.name = "yandex",
	.about = "Yandex Cloud's audit trails: requests to managed Kubernetes clusters, addresses "
		 "of the internet",
	.example = "{\"event_id\":\"a1\",\"event_source\":\"k8s\",\"event_type\":"
		   "\"yandex.cloud.audit.k8s.apiserver.ApiServerList\",\"event_time\":"
		   "\"2026-01-01T00:00:00Z\",\"details\":{\"native_api_server_event\":{\"kind\":"
		   "\"Event\","
		   "\"apiVersion\":\"audit.k8s.io/v1\",\"auditID\":\"9ac5\",\"stage\":"
		   "\"ResponseComplete\",\"requestURI\":\"/api/v1/"
		   "secrets\",\"verb\":\"list\",\"user\":{"
		   "\"username\":\"alice\"},\"sourceIPs\":[\"203.0.113.10\"],\"responseStatus\":{"
		   "\"code\":"
		   "\"200\"},\"requestReceivedTimestamp\":\"2026-01-01T00:00:00.000001Z\"},"
		   "\"cluster_id\":"
		   "\"c1\"}}",
};
