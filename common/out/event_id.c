/* event_id: see event_id.h. */
#include "event_id.h"

#include "siphash.h"
#include "writer.h"

#define WORDS 40

struct words {
	uint64_t word[WORDS];
	unsigned count;
	uint64_t key;
};

static void add(struct words *w, uint64_t v)
{
	w->word[w->count++ % WORDS] = v;
}

static void add_text(struct words *w, struct span s)
{
	add(w, span_empty(s) ? 0 : siphash(s, w->key, ~w->key));
}

static void add_endpoint(struct words *w, const struct endpoint *e)
{
	add(w, addr_hash(&e->addr, w->key) ^ (uint64_t)e->addr.family << 16 ^ e->port);
}

static void add_numbers(struct words *w, const struct event *e)
{
	add(w, (uint64_t)e->kind << 32 | (unsigned)e->outcome << 16 | (unsigned)e->service);
	add(w, (uint64_t)e->method << 32 | (unsigned)e->pam_call << 16 | e->source);
	add(w, e->time_ns);
	add(w, e->boot_ns);
	add(w, e->line);
	add(w, e->count);
	add(w, e->conn);
	add(w, e->out_conn);
	add(w, e->handoff);
	add(w, e->proc.start_ns);
	add(w, (uint64_t)e->proc.pid << 32 | e->parent.pid);
	add(w, (uint64_t)(uint32_t)e->result << 32 | e->flags);
	add(w, e->bytes_in);
	add(w, e->bytes_out);
	add(w, e->win.id);
	add(w, e->win.logon);
}

static void add_texts(struct words *w, const struct event *e)
{
	const struct span texts[] = {
		e->account, e->client, e->fingerprint, e->key,	   e->program, e->args,
		e->text,    e->path,   e->subject,     e->api.pod, e->after,   e->api.container,
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		add_text(w, texts[i]);
}

_Static_assert(2 + 16 + 12 + 3 <= WORDS, "every word has its place");

const char *event_id(const struct event *e, const struct out_policy *p, char buf[ID_TEXT_MAX])
{
	struct words words = {.key = p->privacy_key};
	struct span all;
	struct writer w;

	add_text(&words, span_of(p->host_id));
	/* A line that is read again after a reboot is the same event; the kernel's clock begins
	 * anew. */
	if (e->boot_ns || e->conn || e->handoff)
		add_text(&words, span_of(p->boot_id));
	add_numbers(&words, e);
	add_texts(&words, e);
	add_endpoint(&words, &e->origin);
	add_endpoint(&words, &e->local);
	add_endpoint(&words, &e->dest);
	all = (struct span){(const char *)words.word, words.count * sizeof(words.word[0])};
	writer_start(&w, buf, ID_TEXT_MAX);
	writer_hex(&w, siphash(all, p->privacy_key, ~p->privacy_key));
	writer_hex(&w, siphash(all, ~p->privacy_key, p->privacy_key));
	writer_finish(&w);
	return buf;
}
