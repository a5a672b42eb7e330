/*
 * event: the vocabulary's texts, from names.def. Every output prints these words and the
 * configuration reads them back, so each stands in one place.
 *
 * Values out of range (a corrupt store, a newer peer) print as "", never crash.
 */
#include "event.h"

#define SERVICE(id, text) text,
static const char *const services[] = {
#include "names.def"
};
#undef SERVICE
#define EVENT(id, text) text,
static const char *const events[] = {
#include "names.def"
};
#undef EVENT
#define OUTCOME(id, text) text,
static const char *const outcomes[] = {
#include "names.def"
};
#undef OUTCOME
#define METHOD(id, text) text,
static const char *const methods[] = {
#include "names.def"
};
#undef METHOD
#define SEVERITY(id, text) text,
static const char *const severities[] = {
#include "names.def"
};
#undef SEVERITY

#define NAME_AT(table, i) ((size_t)(i) < sizeof(table) / sizeof((table)[0]) ? (table)[i] : "")

const char *service_name(enum service s)
{
	return NAME_AT(services, s);
}

const char *event_name(enum event_kind k)
{
	return NAME_AT(events, k);
}

const char *outcome_name(enum outcome o)
{
	return NAME_AT(outcomes, o);
}

const char *method_name(enum method m)
{
	return NAME_AT(methods, m);
}

const char *severity_name(enum severity s)
{
	return NAME_AT(severities, s);
}

/* The index of name, or -1. Empty names never match. */
static int name_find(const char *const *table, unsigned count, struct span name)
{
	if (span_empty(name))
		return -1;
	for (unsigned i = 0; i < count; i++)
		if (span_is(name, table[i]))
			return (int)i;
	return -1;
}

bool service_from_name(struct span name, enum service *ret)
{
	int i = name_find(services, SERVICE_COUNT, name);

	if (i < 0)
		return false;
	*ret = (enum service)i;
	return true;
}

bool severity_from_name(struct span name, enum severity *ret)
{
	int i = name_find(severities, SEVERITY_COUNT, name);

	if (i < 0)
		return false;
	*ret = (enum severity)i;
	return true;
}

/* sshd's words that are not ours; the rest is looked up in the table of names.def. */
static const struct {
	const char *word;
	enum method method;
} method_words[] = {
	{"keyboard-interactive/pam", METHOD_KEYBOARD_INTERACTIVE},
	{"keyboard-interactive/bsdauth", METHOD_KEYBOARD_INTERACTIVE},
	{"keyboard-interactive/skey", METHOD_KEYBOARD_INTERACTIVE},
	{"challenge-response", METHOD_KEYBOARD_INTERACTIVE},
	{"gssapi-keyex", METHOD_GSSAPI},
	{"gssapi", METHOD_GSSAPI},
	{"rsa", METHOD_PUBLICKEY},
};

enum method method_from_name(struct span name)
{
	int i = name_find(methods, METHOD_COUNT, name);

	if (i >= 0)
		return (enum method)i;
	for (size_t w = 0; w < sizeof(method_words) / sizeof(method_words[0]); w++)
		if (span_is(name, method_words[w].word))
			return method_words[w].method;
	return METHOD_OTHER;
}

void event_drop_texts(struct event *e)
{
	struct span *const texts[] = {
		&e->account, &e->user,	  &e->client, &e->key,	       &e->host,
		&e->program, &e->args,	  &e->tty,    &e->pam_service, &e->text,
		&e->path,    &e->subject, &e->before, &e->after,
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		*texts[i] = (struct span){0};
}
