/*
 * first_bytes: see the header. The protocol is known by its first bytes, never by the port.
 *
 * Cannot see: bytes that were sent out of order and never again; two requests on the way at once
 * (pipelining): the later one is told.
 *
 * Example: "POST /v1.41/containers/create HTTP/1.1 ..." and "HTTP/1.1 201 Created" are one request.
 */
#include "first_bytes.h"

#include "http.h"
#include "proxy_header.h"
#include "text.h"

static struct first_stream *stream_find(struct first_table *t, uint64_t cookie)
{
	for (unsigned i = 0; i < FIRST_STREAMS; i++)
		if (t->streams[i].cookie == cookie)
			return &t->streams[i];
	return NULL;
}

static bool waits(const struct first_stream *s)
{
	return s->state == FIRST_HTTP || s->state == FIRST_RFB;
}

/* A free one, then who is quiet longest, and last one that waits for its answer. */
static bool is_worth_less(const struct first_stream *a, const struct first_stream *b)
{
	bool a_waits = waits(a), b_waits = waits(b);

	if (!a->cookie || a_waits != b_waits)
		return !a->cookie || b_waits;
	return a->used < b->used;
}

static struct first_stream *stream_get(struct first_table *t, uint64_t cookie)
{
	struct first_stream *s = stream_find(t, cookie);

	if (s)
		return s;
	s = &t->streams[0];
	for (unsigned i = 1; i < FIRST_STREAMS && s->cookie; i++)
		if (is_worth_less(&t->streams[i], s))
			s = &t->streams[i];
	t->lost += s->cookie && s->state == FIRST_HTTP;
	s->cookie = cookie;
	s->from = s->have = s->skip = s->answered = 0;
	s->state = FIRST_OPEN;
	s->fingerprint[0] = '\0';
	return s;
}

static void stream_add(struct first_stream *s, const struct wire_data_head *w, const uint8_t *data)
{
	uint32_t at = w->off - s->from, n = w->len, known;

	if (at > s->have) /* something is missing before it */
		return;
	known = s->have - at; /* sent again */
	if (known >= n || s->have >= FIRST_BYTES)
		return;
	n -= known;
	if (n > FIRST_BYTES - s->have)
		n = FIRST_BYTES - s->have;
	memcpy(s->data + s->have, data + known, n);
	s->have += n;
}

static struct span stream_bytes(const struct first_stream *s)
{
	return span_skip((struct span){s->data, s->have}, s->skip);
}

static bool tell_proxy(struct first_stream *s, struct event *ret)
{
	struct endpoint client;
	size_t len;

	if (s->skip || proxy_header_read(stream_bytes(s), &client, &len) != PROXY_HEADER_DONE)
		return false;
	s->skip = (uint32_t)len;
	if (!client.addr.family) /* LOCAL: the proxy speaks for itself */
		return false;
	ret->kind = EVENT_PROXY_HEADER;
	ret->dest = client;
	return true;
}

static bool tell_client(struct first_stream *s, struct event *ret)
{
	struct span bytes = stream_bytes(s), name = {0};
	enum fingerprint_result r;

	if (bytes.len && bytes.ptr[0] == 'S')
		r = fingerprint_ssh(bytes, &name, s->fingerprint);
	else
		r = fingerprint_tls(bytes, s->fingerprint);
	if (r == FINGERPRINT_MORE && s->have < FIRST_BYTES)
		return false;
	s->state = FIRST_DONE;
	if (r != FINGERPRINT_DONE)
		return false;
	ret->kind = EVENT_CLIENT;
	if (bytes.ptr[0] == 'S')
		ret->client = name;
	ret->fingerprint = span_of(s->fingerprint);
	return true;
}

/* A password is the screen's, not an account's; that there is one is known. */
static bool tell_screen(struct first_stream *s, struct event *ret)
{
	enum rfb_verdict v = rfb_read((struct span){s->answer, s->answered}, stream_bytes(s));

	if (v == RFB_MORE)
		return false;
	s->state = FIRST_DONE;
	if (v == RFB_OVER)
		return false;
	ret->kind = EVENT_ATTEMPT;
	ret->service = SERVICE_VNC;
	ret->outcome = v == RFB_FAILED ? OUTCOME_FAILURE : OUTCOME_SUCCESS;
	ret->method = v == RFB_WITHOUT_ANY ? METHOD_NO_AUTH : METHOD_PASSWORD;
	ret->flags |= EVENT_ACCOUNT_EXISTS;
	ret->count = 1;
	return true;
}

static bool look(struct first_stream *s, struct event *ret)
{
	struct span bytes;

	if (s->state == FIRST_RFB)
		return tell_screen(s, ret);
	if (s->state != FIRST_OPEN)
		return false;
	if (tell_proxy(s, ret))
		return true;
	bytes = stream_bytes(s);
	if (proxy_header_may_be(bytes) && !s->skip)
		return false;
	if (http_is_request(bytes)) {
		s->state = FIRST_HTTP;
		return false;
	}
	if (rfb_may_be(bytes)) {
		s->state = FIRST_RFB;
		return tell_screen(s, ret);
	}
	return tell_client(s, ret);
}

/* "{"Id":"4f5e...","Warnings":[]}": what an engine has made. */
static struct span made_id(struct first_table *t, struct span answer)
{
	struct span body = http_body(answer), id;
	size_t n = 0;

	if (!text_cut(&body, SPAN_LIT("{\"Id\":\"")))
		return text_none();
	while (n < body.len && n < 64 && body.ptr[n] != '"')
		n++;
	id = span_first(body, n);
	memcpy(t->words.name, id.ptr, id.len);
	return (struct span){t->words.name, id.len};
}

/*
 * In clear text an engine or a kubelet asks nobody who he is, whatever he says of himself; another
 * server in front of it may, and says in its answer what it is.
 */
static void say_who_answered(struct first_table *t, const struct http_request *q,
			     struct span answer, struct event *ret)
{
	struct span server = {0};
	bool named = http_header(answer, SPAN_LIT("server"), &server), engine;

	engine = span_starts(server, SPAN_LIT("Docker/")) ||
		 span_starts(server, SPAN_LIT("Libpod/"));
	if (engine)
		ret->service = SERVICE_DOCKER;
	ret->api.anonymous = !q->has_authorization || !named || engine;
	ret->api.container = made_id(t, answer);
}

static bool answered(struct first_table *t, struct first_stream *s, struct span answer,
		     struct event *ret)
{
	struct http_request q;
	uint32_t status;

	if (look(s, ret)) /* what came together with a PROXY header */
		return true;
	if (s->state != FIRST_HTTP || !http_status(answer, &status) || status == 100)
		return false;
	s->state = FIRST_DONE;
	if (!http_request_read(stream_bytes(s), &q))
		return false;
	ret->kind = EVENT_API;
	ret->result = (int32_t)status;
	ret->outcome = status == 401 || status == 403			  ? OUTCOME_REFUSED
		       : status == 101 || (status >= 200 && status < 400) ? OUTCOME_SUCCESS
									  : OUTCOME_FAILURE;
	ret->subject = q.method;
	ret->path = q.target;
	ret->client = q.user_agent;
	ret->via = q.forwarded_for;
	ret->text = q.body;
	if (q.is_chunked && q.body.len)
		ret->text.len = http_unchunk(s->data + (q.body.ptr - s->data), q.body.len);
	say_who_answered(t, &q, answer, ret);
	return true;
}

/* A VNC server speaks first: the stream begins with its answer. */
static struct first_stream *stream_answered(struct first_table *t, const struct wire_data_head *w,
					    struct span answer)
{
	struct first_stream *s = stream_find(t, w->conn.cookie);

	if (!s && !w->off && rfb_may_be(answer)) {
		s = stream_get(t, w->conn.cookie);
		s->used = ++t->clock;
		s->state = FIRST_RFB;
	}
	return s;
}

/* Its first bytes in order, as many as are needed; what is sent again is known. */
static bool screen_answered(struct first_stream *s, uint32_t off, struct span answer,
			    struct event *ret)
{
	size_t known, n;

	if (off > s->answered)
		return false;
	known = s->answered - off;
	answer = span_skip(answer, known < answer.len ? known : answer.len);
	n = sizeof(s->answer) - s->answered;
	n = answer.len < n ? answer.len : n;
	if (n)
		memcpy(s->answer + s->answered, answer.ptr, n);
	s->answered += (uint32_t)n;
	return tell_screen(s, ret);
}

/* Of a request whose body is still to come whatever follows is part, though it look like another.
 */
static bool is_inside(const struct first_stream *s)
{
	struct http_request q;

	return s->state == FIRST_HTTP && http_request_read(stream_bytes(s), &q) &&
	       http_is_unfinished(&q);
}

bool first_bytes_feed(struct first_table *t, const struct wire_data_head *w, const uint8_t *data,
		      struct event *ret)
{
	struct first_stream *s;

	if (w->flags & WIRE_DATA_ANSWER) {
		struct span answer = {(const char *)data, w->len};

		s = stream_answered(t, w, answer);
		if (s && s->state == FIRST_RFB)
			return screen_answered(s, w->off, answer, ret);
		return s && answered(t, s, answer, ret);
	}
	s = stream_get(t, w->conn.cookie);
	s->used = ++t->clock;
	/* A new request; the same one again has an offset that is known. */
	if (w->flags & WIRE_DATA_REQUEST && w->off - s->from >= s->have && w->off != s->from &&
	    s->state != FIRST_RFB && !is_inside(s)) {
		t->lost += s->state == FIRST_HTTP; /* pipelined: the later one is told */
		s->from = w->off;
		s->have = s->skip = 0;
		s->state = FIRST_OPEN;
	}
	if (s->state == FIRST_DONE)
		return false;
	stream_add(s, w, data);
	return look(s, ret);
}
