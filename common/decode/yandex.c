/*
 * yandex: Yandex Cloud's audit trails, one event a line or a list of them, as a bucket has them.
 *
 * Sees requests to a managed Kubernetes cluster's API: the audit event of Kubernetes that is within
 * each is read as such. Cannot see: other services' events; in the audit of the cluster's master
 * who came by a proxy before it.
 *
 * The members are spelled in both ways, event_type in the log and eventType in the reference.
 *
 * Sources: yandex-cloud/docs: audit-trails/concepts/format.md, audit/k8s/apiserver/events-ref/
 * (details.nativeApiServerEvent).
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

bool yandex_read(struct cloud_record *r)
{
	struct yandex x = {.j = &r->j};
	const char *wrong = json_walk(&r->j, (struct json_visitor){visit, &x, enter});
	struct span native;

	if (!span_starts(x.type, SPAN_LIT("yandex.cloud.audit.")))
		return false;
	if (wrong)
		return cloud_bad(r, wrong);
	if (!span_starts(x.type, SPAN_LIT("yandex.cloud.audit.k8s.apiserver.")) || !x.native)
		return cloud_skip(r, "Yandex Cloud's, and no request to a cluster");
	native = (struct span){x.native, (size_t)(r->line.ptr + r->line.len - x.native)};
	r->result = k8s_audit_read(r->s, native, r->e, &r->reason);
	r->e->source = DECODER_yandex;
	return true;
}

const struct decoder decoder_yandex = {
	.name = "yandex",
	.about = "Yandex Cloud's audit trails: requests to managed Kubernetes clusters",
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
