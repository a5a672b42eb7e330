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

#define HANDOFF(id, text) text,
static const char *const handoffs[] = {
#include "names.def"
};
#undef HANDOFF

#define API_ACTION(id, text) text,
static const char *const api_actions[] = {
#include "names.def"
};
#undef API_ACTION

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

const char *handoff_name(enum handoff_kind k)
{
	return NAME_AT(handoffs, k);
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

static const char *const trusts[] = {
	[TRUST_TEXT] = "text",
	[TRUST_FORGED] = "forged",
	[TRUST_TRANSPORT] = "transport",
	[TRUST_KERNEL] = "kernel",
};

static const char *const witnesses[] = {
	[WITNESS_DAEMON] = "daemon", [WITNESS_PAM_LOG] = "pam_log", [WITNESS_KERNEL] = "kernel",
	[WITNESS_AUDIT] = "audit",   [WITNESS_NETWORK] = "network",
};

const char *event_trust_name(enum trust t)
{
	return NAME_AT(trusts, t);
}

const char *event_witness_name(enum witness w)
{
	return NAME_AT(witnesses, w);
}

const char *api_action_name(enum api_action a)
{
	return NAME_AT(api_actions, a);
}

enum api_action api_action_from_name(struct span name)
{
	int i = name_find(api_actions, API_ACTION_COUNT, name);

	return i < 0 ? API_OTHER : (enum api_action)i;
}

bool event_from_name(struct span name, enum event_kind *ret)
{
	int i = name_find(events, EVENT_COUNT, name);

	if (i < 0)
		return false;
	*ret = (enum event_kind)i;
	return true;
}

enum outcome outcome_from_name(struct span name)
{
	int i = name_find(outcomes, OUTCOME_COUNT, name);

	return i < 0 ? OUTCOME_UNKNOWN : (enum outcome)i;
}

enum trust trust_from_name(struct span name)
{
	int i = name_find(trusts, sizeof(trusts) / sizeof(trusts[0]), name);

	return i < 0 ? TRUST_TEXT : (enum trust)i;
}

enum witness witness_from_name(struct span name)
{
	int i = name_find(witnesses, WITNESS_COUNT, name);

	return i < 0 ? WITNESS_DAEMON : (enum witness)i;
}

const struct event_flag_name event_flag_names[] = {
	{EVENT_ACCOUNT_UNKNOWN, "account_unknown"},
	{EVENT_ACCOUNT_EXISTS, "account_exists"},
	{EVENT_TIME_APPROXIMATE, "time_approximate"},
	{EVENT_TRUNCATED, "truncated"},
	{EVENT_PREAUTH, "preauth"},
	{EVENT_HELPER, "helper"},
	{EVENT_STDIN_SOCKET, "stdin_socket"},
	{EVENT_STDIN_TTY, "stdin_tty"},
	{EVENT_EXISTING, "existing"},
	{EVENT_ESTABLISHED, "established"},
	{EVENT_PROVEN, "proven"},
	{EVENT_USER_EXEC, "user_exec"},
	{EVENT_CHILD_CALL, "child_call"},
	{EVENT_SELF_EXEC, "self_exec"},
	{EVENT_PTY, "pty"},
	{EVENT_PASSWORD_RIGHT, "password_right"},
	{EVENT_ROOT, "root"},
	{0, NULL},
};

const struct event_flag_name api_risk_names[] = {
	{RISK_PRIVILEGED, "privileged"},
	{RISK_HOST_NETWORK, "host_network"},
	{RISK_HOST_PID, "host_pid"},
	{RISK_HOST_IPC, "host_ipc"},
	{RISK_HOST_MOUNT, "host_mount"},
	{RISK_ENGINE_SOCKET, "engine_socket"},
	{RISK_CAPABILITY, "capability"},
	{RISK_DEVICE, "device"},
	{RISK_SYSTEM_NAMESPACE, "system_namespace"},
	{0, NULL},
};

/* Every span of an event. */
static const size_t text_offsets[] = {
	offsetof(struct event, account),      offsetof(struct event, user),
	offsetof(struct event, client),	      offsetof(struct event, key),
	offsetof(struct event, host),	      offsetof(struct event, program),
	offsetof(struct event, args),	      offsetof(struct event, tty),
	offsetof(struct event, path),	      offsetof(struct event, pam_service),
	offsetof(struct event, text),	      offsetof(struct event, subject),
	offsetof(struct event, before),	      offsetof(struct event, after),
	offsetof(struct event, via),	      offsetof(struct event, mac),
	offsetof(struct event, fingerprint),  offsetof(struct event, api.container),
	offsetof(struct event, api.image),    offsetof(struct event, api.detail),
	offsetof(struct event, api.name),     offsetof(struct event, api.pod),
	offsetof(struct event, api.pod_name), offsetof(struct event, gate.group),
	offsetof(struct event, gate.reason),
};

#define TEXTS	      (sizeof(text_offsets) / sizeof(text_offsets[0]))
#define TEXT_AT(e, i) ((struct span *)(void *)((char *)(e) + text_offsets[i]))

void event_drop_texts(struct event *e)
{
	for (size_t i = 0; i < TEXTS; i++)
		*TEXT_AT(e, i) = (struct span){0};
}

size_t event_text_size(const struct event *e)
{
	struct event copy = *e;
	size_t sum = 0;

	for (size_t i = 0; i < TEXTS; i++)
		sum += TEXT_AT(&copy, i)->len;
	return sum;
}

void event_move_texts(struct event *e, char *to)
{
	for (size_t i = 0; i < TEXTS; i++) {
		struct span *s = TEXT_AT(e, i);

		if (s->len)
			memcpy(to, s->ptr, s->len);
		s->ptr = to;
		to += s->len;
	}
}
