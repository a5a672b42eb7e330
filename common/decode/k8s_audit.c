/*
 * k8s_audit: what kube-apiserver writes of requests (audit.k8s.io, --audit-log-path, JSON Lines),
 * and the EventList that it sends to a webhook.
 *
 * Sees who asked for what, from where, and what was answered; at level Request or above the pod
 * that was asked for. Of one request several stages are told: an exec counts when it was answered,
 * anything else when it has ended. Who sent the request is the last of sourceIPs; what stands
 * before it a proxy has said, or the client itself (`via`). Cannot see: requests that the policy
 * leaves out, and what ran inside an exec after its first command.
 *
 * Objects may be as long as the client likes, and the times are behind them. Of a line that ends
 * inside of one all before that counts, at the time of the line before.
 *
 * A client chooses auditID. Two lines are one request only when the time at which the server got
 * it, who asked and for what are the same, too.
 *
 * Example: {"kind":"Event","apiVersion":"audit.k8s.io/v1","stage":"ResponseComplete","verb":"list",
 *           "requestURI":"/api/v1/pods","user":{"username":"system:anonymous"},"sourceIPs":[...]}
 */
#include "k8s_audit.h"

#include "api_parts.h"
#include "json_pick.h"
#include "text.h"
#include "time_text.h"

#define VIA_MAX                                                                                    \
	8 /* the last of what is said before the address: more is nobody's chain of proxies */

struct audit {
	struct json_picking picking;
	const struct json *j;
	const char *items; /* of an EventList: behind its bracket */
	struct span kind, version;
	struct span id, stage, verb, uri, user, impersonated, agent, code, decision;
	struct span received, at;
	struct span resource, subresource, ns, name;
	struct span made, pod; /* as the server named it, and its number */
	struct span addresses[VIA_MAX + 1];
	unsigned addresses_count;
	bool unauthenticated, has_object; /* has_object: what was sent or answered begins */
	struct kube_object object;
};

static const struct json_want wants[] = {
	JSON_WANT(struct audit, id, "auditID"),
	JSON_WANT(struct audit, stage, "stage"),
	JSON_WANT(struct audit, verb, "verb"),
	JSON_WANT(struct audit, uri, "requestURI"),
	JSON_WANT(struct audit, user, "user", "username"),
	JSON_WANT(struct audit, impersonated, "impersonatedUser", "username"),
	JSON_WANT(struct audit, agent, "userAgent"),
	JSON_WANT(struct audit, code, "responseStatus", "code"),
	JSON_WANT(struct audit, received, "requestReceivedTimestamp"),
	JSON_WANT(struct audit, at, "stageTimestamp"),
	JSON_WANT(struct audit, resource, "objectRef", "resource"),
	JSON_WANT(struct audit, subresource, "objectRef", "subresource"),
	JSON_WANT(struct audit, ns, "objectRef", "namespace"),
	JSON_WANT(struct audit, name, "objectRef", "name"),
	JSON_WANT(struct audit, made, "responseObject", "metadata", "name"),
	JSON_WANT(struct audit, pod, "responseObject", "metadata", "uid"),
};

static void add_address(struct audit *a, struct span value)
{
	if (a->addresses_count == VIA_MAX + 1) {
		memmove(&a->addresses[0], &a->addresses[1], VIA_MAX * sizeof(value));
		a->addresses_count--;
	}
	a->addresses[a->addresses_count++] = value;
}

/* The members of the root. */
static void visit_root(struct audit *a, struct span name, struct span value, char type)
{
	if (type == '[' && span_is(name, "items"))
		a->items = a->j->p;
	else if (type == '{')
		a->has_object |= span_is(name, "requestObject") || span_is(name, "responseObject");
	else if (type == '"' && span_is(name, "kind"))
		a->kind = value;
	else if (type == '"' && span_is(name, "apiVersion"))
		a->version = value;
}

static void visit(void *arg, const struct json_path *p, struct span name, struct span value,
		  char type)
{
	struct audit *a = arg;

	if (p->depth > 1 && span_is(p->names[1], "requestObject")) {
		kube_object_visit(&a->object, p, 2, name, value, type);
		return;
	}
	if (p->depth == 1)
		visit_root(a, name, value, type);
	if (type != '"' && type != 'w')
		return;
	json_pick_visit(&a->picking, p, name, value, type);
	if (p->depth == 2 && p->types[1] == '[' && span_is(p->names[1], "sourceIPs"))
		add_address(a, value);
	if (p->depth == 3 && p->types[1] == '{' && p->types[2] == '[' &&
	    span_is(p->names[1], "user") && span_is(p->names[2], "groups") &&
	    span_is(value, "system:unauthenticated"))
		a->unauthenticated = true;
	if (p->depth == 2 && span_is(p->names[1], "annotations") &&
	    span_is(name, "authorization.k8s.io/decision"))
		a->decision = value;
}

static bool enter(void *arg, const struct json_path *p, struct span name, char type)
{
	struct audit *a = arg;

	if (json_pick_enter(&a->picking, p, name, type))
		return true;
	if (p->depth == 1)
		return span_is(name, "requestObject") || span_is(name, "sourceIPs") ||
		       span_is(name, "annotations");
	if (span_is(p->names[1], "requestObject"))
		return kube_object_enter(p, 2, name);
	return p->depth == 2 && span_is(p->names[1], "user") && span_is(name, "groups");
}

/* --- which of the stages */

static uint64_t mix(uint64_t h, struct span s)
{
	for (size_t i = 0; i < s.len; i++)
		h = (h ^ (unsigned char)s.ptr[i]) * 0x100000001b3;
	return (h ^ s.len) * 0x100000001b3;
}

/* The time is the server's own, to the microsecond: without it nobody can make two requests one. */
static struct audit_request request_of(const struct audit *a, uint64_t received_ns)
{
	uint64_t h = mix(mix(mix(0xcbf29ce484222325, a->id), a->uri), a->user);

	return (struct audit_request){received_ns, mix(h, a->verb)};
}

static bool told_before(const struct audit_request *ring, unsigned size, struct audit_request r)
{
	for (unsigned i = 0; i < size; i++)
		if (ring[i].received_ns == r.received_ns && ring[i].hash == r.hash)
			return true;
	return false;
}

/* The server tells an answer that begins before its end of these alone. */
static bool has_two_answers(const struct kube_request *q, enum api_action action)
{
	return action == API_EXEC && !span_is(q->subresource, "ephemeralcontainers");
}

/* An exec that ends long after: was it told, and that forgotten since? */
static bool may_be_forgotten(const struct audit_state *t, struct audit_request r)
{
	const struct audit_request *oldest = &t->execs[t->execs_next % AUDIT_EXECS];

	return oldest->received_ns && r.received_ns < oldest->received_ns;
}

/* NULL: this line is the one that counts. */
static const char *why_not(struct audit_state *t, const struct audit *a, bool two_answers,
			   struct audit_request r)
{
	bool starts = span_is(a->stage, "ResponseStarted");

	if (span_is(a->stage, "RequestReceived"))
		return "a request that is not answered yet";
	/* Of who is not let in as anybody there is this line alone. */
	if (starts && !two_answers && !span_is(a->code, "401"))
		return "a request that is told when it has ended";
	if (two_answers) {
		if ((r.received_ns && told_before(t->execs, AUDIT_EXECS, r)) ||
		    (!starts && may_be_forgotten(t, r)))
			return "an exec that was told when it began";
		t->execs[t->execs_next++ % AUDIT_EXECS] = r;
		return NULL;
	}
	if (r.received_ns && told_before(t->others, AUDIT_OTHERS, r))
		return "a request that was told";
	t->others[t->others_next++ % AUDIT_OTHERS] = r;
	return NULL;
}

static bool is_stage(struct span s)
{
	return span_is(s, "RequestReceived") || span_is(s, "ResponseStarted") ||
	       span_is(s, "ResponseComplete") || span_is(s, "Panic");
}

/* --- one of them */

static enum outcome outcome_of(const struct audit *a, uint32_t code)
{
	if (code == 401 || code == 403 || (!code && span_is(a->decision, "forbid")))
		return OUTCOME_REFUSED;
	if (code == 101 || (code >= 200 && code < 400))
		return OUTCOME_SUCCESS;
	return OUTCOME_FAILURE;
}

static void set_origin(struct decode_stream *s, const struct audit *a, struct event *e)
{
	struct api_list via = {.at = s->words.later, .cap = sizeof(s->words.later)};

	if (!a->addresses_count)
		return;
	if (!addr_parse(a->addresses[a->addresses_count - 1], &e->origin.addr, NULL))
		e->origin.addr = (struct addr){0};
	for (unsigned i = 0; i + 1 < a->addresses_count; i++)
		api_list_word(&via, a->addresses[i]);
	if (via.cut)
		via.len = 0; /* no addresses: a claim that nobody can use */
	e->via = api_list_all(&via);
}

static void set_object(const struct audit *a, struct kube_request *q)
{
	if (!span_empty(a->resource)) {
		q->resource = a->resource;
		q->subresource = a->subresource;
		q->ns = a->ns;
		q->name = a->name;
	}
	if (span_empty(q->name))
		q->name = a->made;
}

static void fill(struct decode_stream *s, const struct audit *a, struct event *e)
{
	uint32_t code = text_u32(a->code, 0);

	memset(e, 0, sizeof(*e));
	e->kind = EVENT_API;
	e->service = SERVICE_KUBE_API;
	e->trust = TRUST_TEXT;
	e->source = DECODER_k8s_audit;
	e->line = s->line;
	e->count = 1;
	e->loginuid = e->audit_session = UINT32_MAX;
	e->account = a->user;
	e->user = a->impersonated;
	e->client = a->agent;
	e->subject = a->verb;
	e->path = a->uri;
	e->result = code <= 999 ? (int32_t)code : 0;
	e->outcome = outcome_of(a, code);
	e->api.anonymous = a->unauthenticated || span_is(a->user, "system:anonymous");
	set_origin(s, a, e);
}

static bool set_times(struct decode_stream *s, const struct audit *a, struct event *e)
{
	struct span at = a->at, received = a->received;
	struct time_text t;

	if (time_take_utc(&received, &t))
		e->opened_ns = t.time_ns;
	e->time_ns = time_take_utc(&at, &t) ? t.time_ns : e->opened_ns;
	if (!e->time_ns && e->flags & EVENT_TRUNCATED) {
		e->time_ns = s->seen_ns;
		e->flags |= EVENT_TIME_APPROXIMATE;
	}
	if (e->time_ns)
		s->seen_ns = e->time_ns;
	return e->time_ns != 0;
}

static enum decode_result tell(struct decode_stream *s, struct json *j, struct audit *a,
			       bool is_cut, struct event *ret, const char **reason)
{
	struct kube_request q;

	*reason = "an audit event without its stage, verb or requestURI";
	if (!is_stage(a->stage) || span_empty(a->verb) || span_empty(a->uri))
		return DECODE_BAD;
	fill(s, a, ret);
	ret->flags = is_cut ? (uint32_t)EVENT_TRUNCATED : 0;
	*reason = "an audit event without a time";
	if (!set_times(s, a, ret))
		return DECODE_BAD;
	kube_request_read(j, a->verb, a->uri, &q);
	set_object(a, &q);
	ret->api.action = kube_action(&q);
	*reason = why_not(&s->audit, a, has_two_answers(&q, ret->api.action),
			  request_of(a, ret->opened_ns));
	if (*reason)
		return DECODE_SKIPPED;
	if (ret->api.action == API_EXEC)
		kube_command(j, q.query, &a->object.command);
	kube_tell(&s->words, ret, &q, &a->object);
	if (ret->api.action == API_CREATE && span_is(q.resource, "pods"))
		ret->api.pod = a->pod;
	return DECODE_EVENT;
}

/* The object that begins at text; what of it was read is behind j->p. */
static const char *walk(struct decode_stream *s, struct span text, struct json *j, struct audit *a)
{
	*j = (struct json){.p = text.ptr,
			   .end = text.ptr + text.len,
			   .out = s->scratch,
			   .out_end = s->scratch + sizeof(s->scratch)};
	memset(a, 0, sizeof(*a));
	a->j = j;
	a->object.command =
		(struct api_list){.at = s->words.command, .cap = sizeof(s->words.command)};
	a->object.detail = (struct api_list){.at = s->words.detail, .cap = sizeof(s->words.detail)};
	json_pick_begin(&a->picking,
			(struct json_picker){wants, sizeof(wants) / sizeof(wants[0]), a, true});
	return json_walk(j, (struct json_visitor){visit, a, enter});
}

/* An Event that was walked; wrong: why it goes no further. */
static enum decode_result read_one(struct decode_stream *s, struct json *j, struct audit *a,
				   const char *wrong, struct event *ret, const char **reason)
{
	*reason = wrong;
	if (wrong && !(j->p == j->end && a->has_object))
		return DECODE_BAD;
	return tell(s, j, a, wrong || j->cut || j->deep, ret, reason);
}

bool k8s_audit_next(struct decode_stream *s, struct event *ret, enum decode_result *ret_result,
		    const char **reason)
{
	struct json j = {0};
	struct audit a;
	const char *begin, *wrong;

	if (!s->more.ptr) /* of no length: a list that is cut */
		return false;
	j.p = s->more.ptr;
	j.end = j.p + s->more.len;
	(void)json_char(&j, ',');
	if (json_char(&j, ']')) {
		s->more = text_none();
		return false;
	}
	json_space(&j);
	begin = j.p;
	wrong = walk(s, (struct span){j.p, (size_t)(j.end - j.p)}, &j, &a);
	s->more = (struct span){j.p, (size_t)(j.end - j.p)};
	*ret_result = read_one(s, &j, &a, wrong, ret, reason);
	if (j.p == begin || (wrong && *ret_result == DECODE_BAD && *reason == wrong))
		s->more = text_none();
	return true;
}

static enum decode_result read_list(struct decode_stream *s, const struct json *j,
				    const struct audit *a, const char *wrong, struct event *ret,
				    const char **reason)
{
	enum decode_result r;

	*reason = wrong;
	if (wrong && !a->items)
		return DECODE_BAD;
	if (a->items) /* of a list that is cut, those before that; then the cut is told */
		s->more = (struct span){a->items, (size_t)(j->end - a->items)};
	if (k8s_audit_next(s, ret, &r, reason))
		return r;
	*reason = "an audit list without events";
	return DECODE_SKIPPED;
}

static enum decode_result read_any(struct decode_stream *s, struct json *j, struct audit *a,
				   const char *wrong, struct event *ret, const char **reason)
{
	if (span_is(a->kind, "EventList"))
		return read_list(s, j, a, wrong, ret, reason);
	if (span_is(a->kind, "Event"))
		return read_one(s, j, a, wrong, ret, reason);
	*reason = "of audit.k8s.io, but neither Event nor EventList";
	return DECODE_SKIPPED;
}

enum decode_result k8s_audit_read(struct decode_stream *s, struct span text, struct event *ret,
				  const char **reason)
{
	struct json j;
	struct audit a;
	const char *wrong = walk(s, text, &j, &a);

	return read_any(s, &j, &a, wrong, ret, reason);
}

bool k8s_audit_take(struct decode_stream *s, struct span line, struct event *ret,
		    enum decode_result *ret_result, const char **reason)
{
	struct json j;
	struct audit a;
	const char *wrong = walk(s, line, &j, &a);
	struct span rest = {j.p, (size_t)(j.end - j.p)};

	if (!span_starts(a.version, SPAN_LIT("audit.k8s.io/")))
		return false;
	if (s->forced_source >= 0 && s->forced_source != DECODER_k8s_audit) {
		*ret_result = DECODE_SKIPPED;
		*reason = "not of the source that was asked for";
		return true;
	}
	*ret_result = read_any(s, &j, &a, wrong, ret, reason);
	if (wrong || !span_is(a.kind, "Event") || !text_trim_right(rest).len)
		return true;
	*ret_result = DECODE_BAD;
	*reason = "not JSON: cut short or malformed";
	return true;
}

bool k8s_audit_is(struct decode_stream *s, struct span line)
{
	struct json j;
	struct audit a;

	(void)walk(s, line, &j, &a);
	return span_starts(a.version, SPAN_LIT("audit.k8s.io/"));
}

const struct decoder decoder_k8s_audit = {
	.name = "k8s-audit",
	.about = "Kubernetes audit events (audit.k8s.io), one Event or EventList a line",
	.example = "{\"kind\":\"Event\",\"apiVersion\":\"audit.k8s.io/v1\",\"level\":\"Metadata\","
		   "\"auditID\":\"9ac5187c-29a2-4bf8-ba6e-21dc887f5d34\",\"stage\":"
		   "\"ResponseComplete\",\"requestURI\":\"/api/v1/namespaces/kube-system/secrets\","
		   "\"verb\":\"list\",\"user\":{\"username\":\"system:anonymous\",\"groups\":["
		   "\"system:unauthenticated\"]},\"sourceIPs\":[\"203.0.113.10\"],\"userAgent\":"
		   "\"curl/7.88.1\",\"objectRef\":{\"resource\":\"secrets\",\"namespace\":"
		   "\"kube-system\",\"apiVersion\":\"v1\"},\"responseStatus\":{\"metadata\":{},"
		   "\"code\":200},\"requestReceivedTimestamp\":\"2026-01-01T00:00:00.000001Z\","
		   "\"stageTimestamp\":\"2026-01-01T00:00:00.010000Z\"}",
};
