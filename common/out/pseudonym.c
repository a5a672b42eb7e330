/* pseudonym: see pseudonym.h. */
#include "pseudonym.h"

#include "../detect/detection.h"
#include "siphash.h"
#include "writer.h"

/* What is hashed: the same text as another kind gives another pseudonym. */
enum pseudonym_kind {
	OF_ACCOUNT = 1,
	OF_KEY,
	OF_CLIENT,
	OF_ADDR,
	OF_SESSION,
	OF_SESSION_REST
};

static uint64_t hash(struct span s, enum pseudonym_kind kind, uint64_t key)
{
	return siphash(s, key ^ 0x9e3779b97f4a7c15ull * (unsigned)kind, ~key);
}

static void name_into(char *field, size_t cap, const char *prefix, enum pseudonym_kind kind,
		      struct span name, uint64_t key)
{
	uint64_t h = hash(name, kind, key);
	struct writer w;

	writer_start(&w, field, cap);
	w.cut = true;
	writer_puts(&w, prefix);
	writer_hex(&w, h);
	writer_finish(&w);
}

const char *pseudonym_account(struct span name, uint64_t key, char buf[PSEUDONYM_MAX])
{
	name_into(buf, PSEUDONYM_MAX, "user:", OF_ACCOUNT, name, key);
	return buf;
}

const char *pseudonym_key(struct span key_text, uint64_t key, char buf[PSEUDONYM_MAX])
{
	name_into(buf, PSEUDONYM_MAX, "key:", OF_KEY, key_text, key);
	return buf;
}

const char *pseudonym_client(struct span client, uint64_t key, char buf[PSEUDONYM_MAX])
{
	name_into(buf, PSEUDONYM_MAX, "client:", OF_CLIENT, client, key);
	return buf;
}

struct addr pseudonym_addr(const struct addr *a, uint64_t key)
{
	struct addr ret = {.family = ADDR_V6, .bytes = {0x01}};
	uint64_t h;

	if (!a->family)
		return *a;
	h = hash((struct span){(const char *)a->bytes, sizeof(a->bytes)}, OF_ADDR, key ^ a->family);
	for (unsigned i = 0; i < 8; i++)
		ret.bytes[8 + i] = (uint8_t)(h >> (56 - 8 * i));
	return ret;
}

static void field(char *text, size_t cap, const char *prefix, enum pseudonym_kind kind,
		  uint64_t key)
{
	char old[KEY_MAX];
	struct span s = {old, strnlen(text, cap - 1)};

	if (!s.len)
		return;
	memcpy(old, text, s.len);
	name_into(text, cap, prefix, kind, s, key);
}

/* Of text alone it is made of the address and the time, and both could be tried. */
static void session_id(char id[ID_TEXT_MAX], uint64_t key)
{
	struct span s = {id, strnlen(id, ID_TEXT_MAX - 1)};
	uint64_t a = hash(s, OF_SESSION, key), b = hash(s, OF_SESSION_REST, key);
	struct writer w;

	if (!s.len)
		return;
	writer_start(&w, id, ID_TEXT_MAX);
	writer_hex(&w, a);
	writer_hex(&w, b);
	writer_finish(&w);
}

static bool holds(const char *text, const char *what)
{
	return what[0] && strstr(text, what);
}

/* Numbers have no names today; one that gets some tomorrow must not tell them. */
static bool tells(const struct alert *a)
{
	struct span left = span_of_array(a->numbers, sizeof(a->numbers));
	struct addr addr;

	if (holds(a->numbers, a->account) || holds(a->numbers, a->effective_account) ||
	    holds(a->numbers, a->client) || strpbrk(a->numbers, "'\"@"))
		return true;
	while (left.len) {
		const char *end = memchr(left.ptr, ' ', left.len);
		size_t n = end ? (size_t)(end - left.ptr) : left.len;

		if (n > 2 && addr_parse(span_first(left, n), &addr, NULL) && addr.family)
			return true;
		left = span_skip(left, end ? n + 1 : n);
	}
	return false;
}

static void say(struct alert *a)
{
	char addr[ADDR_TEXT_MAX];
	struct writer w;

	writer_start(&w, a->sentence, sizeof(a->sentence));
	w.cut = true;
	writer_puts(&w, a->test ? "TEST: " : "");
	writer_puts(&w, a->detection->title);
	if (a->account[0]) {
		writer_puts(&w, ", ");
		writer_puts(&w, a->account);
	}
	if (a->origin.addr.family) {
		writer_puts(&w, " from ");
		writer_puts(&w, addr_format(&a->origin.addr, addr));
	}
	if (a->service != SERVICE_NONE) {
		writer_puts(&w, " over ");
		writer_puts(&w, service_name(a->service));
	}
	if (a->numbers[0]) {
		writer_puts(&w, ": ");
		writer_puts(&w, a->numbers);
	}
	writer_puts(&w,
		    ". Names and addresses are pseudonyms; the host's own store has the story.");
	writer_finish(&w);
}

/* The country and the network; not the city, not the point. */
static struct geo coarse(const struct geo *g)
{
	return (struct geo){
		.asn = g->asn, .country = {g->country[0], g->country[1]}, .flags = g->flags};
}

void pseudonym_alert(struct alert *a, uint64_t key)
{
	if (tells(a))
		a->numbers[0] = '\0';
	field(a->account, sizeof(a->account), "user:", OF_ACCOUNT, key);
	field(a->effective_account, sizeof(a->effective_account), "user:", OF_ACCOUNT, key);
	field(a->key, sizeof(a->key), "key:", OF_KEY, key);
	field(a->client, sizeof(a->client), "client:", OF_CLIENT, key);
	session_id(a->session, key);
	a->origin.addr = pseudonym_addr(&a->origin.addr, key);
	a->local.addr = pseudonym_addr(&a->local.addr, key);
	a->via.addr = pseudonym_addr(&a->via.addr, key);
	a->geo = coarse(&a->geo);
	a->note[0] = '\0';
	for (uint32_t i = 0; i < a->evidence_count && i < ALERT_EVIDENCE; i++)
		memset(a->evidence[i].text, 0, sizeof(a->evidence[i].text));
	say(a);
}

/* A directory may be somebody's. */
static void without_directory(char *path, size_t cap)
{
	struct span base = span_base(span_of_array(path, cap));

	memmove(path, base.ptr, base.len);
	path[base.len < cap ? base.len : cap - 1] = '\0';
}

static void session_texts(struct session *s)
{
	for (unsigned i = 0; i < SESSION_CMDS; i++)
		memset(s->commands[i].text, 0, sizeof(s->commands[i].text));
	for (unsigned i = 0; i < SESSION_HANDOFFS; i++) {
		s->handoffs[i].to[0] = '\0';
		s->handoffs[i].what[0] = '\0';
	}
}

void pseudonym_session(struct session *s, uint64_t key)
{
	field(s->account, sizeof(s->account), "user:", OF_ACCOUNT, key);
	field(s->effective_account, sizeof(s->effective_account), "user:", OF_ACCOUNT, key);
	field(s->key, sizeof(s->key), "key:", OF_KEY, key);
	field(s->client, sizeof(s->client), "client:", OF_CLIENT, key);
	session_id(s->id, key);
	if (s->by_vpn) {
		field(s->vpn.account, sizeof(s->vpn.account), "user:", OF_ACCOUNT, key);
		session_id(s->vpn.session, key);
	}
	s->origin.addr = pseudonym_addr(&s->origin.addr, key);
	s->local.addr = pseudonym_addr(&s->local.addr, key);
	s->via.addr = pseudonym_addr(&s->via.addr, key);
	s->claimed.addr = pseudonym_addr(&s->claimed.addr, key);
	s->geo = coarse(&s->geo);
	for (unsigned i = 0; i < SESSION_DESTS; i++) {
		s->dests[i].dest.addr = pseudonym_addr(&s->dests[i].dest.addr, key);
		s->dests[i].source = pseudonym_addr(&s->dests[i].source, key);
		without_directory(s->dests[i].program, sizeof(s->dests[i].program));
	}
	for (unsigned i = 0; i < SESSION_LISTENS; i++)
		s->listens[i].at.addr = pseudonym_addr(&s->listens[i].at.addr, key);
	session_texts(s);
}
