/*
 * activity.persistence: a session leaves something behind by which one can come back.
 *
 * Sees a change of content (written, renamed over, linked) of the files that decide who may log in
 * and what runs by itself, by a process of the session. High; info when a package manager did it,
 * when somebody changed their own password, and for accounts in ExpectedAutomation, since that is
 * their work. One alert a session, with every change and its hashes.
 * Cannot see: what the session has another process do (crontab by a job that runs already,
 * `systemctl edit` over D-Bus), programs that are replaced, changes inside containers.
 *
 * Example: alice from 203.0.113.10 adds a key to /home/alice/.ssh/authorized_keys.
 */
#include "../core/core_detect.h"

#define TOLD 4

static bool is_automation(const struct core *c, const struct session *s)
{
	for (unsigned i = 0; i < c->config.expected_automation_count; i++)
		if (strcmp(c->config.expected_automation[i], s->account) == 0)
			return true;
	return false;
}

/* A package never adds a key to an account: that is what its scripts would be abused for. */
static bool is_ordinary(const struct detect_ctx *x, const struct event *e)
{
	if (is_automation(x->core, &x->session->pub))
		return true;
	return (e->flags & EVENT_MANAGED) && !span_is(e->subject, "authorized-keys") &&
	       !span_is(e->subject, "ssh-rc");
}

/* The evidence up to its hashes. */
static void say_change(struct text *t, const struct alert_evidence *v)
{
	const char *hashes = strstr(v->text, " (sha256 ");

	text_plain(t, (struct span){v->text, hashes ? (size_t)(hashes - v->text) : strlen(v->text)},
		   ALERT_EVIDENCE_MAX);
}

static void say(struct detect_ctx *x, struct alert *a)
{
	const struct session *s = &x->session->pub;
	struct text t = TEXT_IN(a->sentence);
	unsigned told = 0;

	text_quote(&t, span_of(s->account), 48);
	text_add(&t, " from ");
	say_from(&t, s);
	text_add(&t, a->severity == SEVERITY_INFO ? " changed, as expected: "
						  : " changed what decides who may come back: ");
	for (unsigned i = 0; i < a->evidence_count && told < TOLD; i++) {
		text_add(&t, told++ ? "; " : "");
		say_change(&t, &a->evidence[i]);
	}
	if (a->count > told)
		text_add(&t, "; and %u more", (unsigned)(a->count - told));
	text_add(&t, ".");
	t = TEXT_IN(a->numbers);
	text_add(&t, a->count == 1 ? "%u change" : "%u changes", (unsigned)a->count);
}

static void step(struct detect_ctx *x, const struct event *e)
{
	char reason[32];
	struct fire f = {.reason = reason, .count = 1};
	struct calert *a;
	bool is_new;

	span_copy(reason, sizeof(reason), e->subject);
	f.severity = is_ordinary(x, e) ? SEVERITY_INFO : severity_by_scope(x, SEVERITY_HIGH);
	a = alert_raise(x, e, &f, &is_new);
	if (a)
		say(x, &a->pub);
}

const struct detection detection_activity_persistence = {
	.id = "activity.persistence",
	.number = 1304,
	.severity = SEVERITY_HIGH,
	.scope = DETECT_ALL,
	.stage = "activity",
	.title = "A remote session leaves a way to come back",
	.attack = "T1098.004 T1136 T1543 T1219",
	.tactic = "TA0003",
	.analytic = "AN1004 AN1005",
	.data_components = "File Modification (DC0061); File Creation (DC0039); "
			   "Process Creation (DC0032)",
	.reasons = "authorized-keys sshd-config account group service-unit scheduled-task "
		   "remote-tool tor-service sudoers pam preload ssh-rc rdp-enabled firewall "
		   "port-forward",
	.events = EVENT_BIT(FILE),
	.triage = "Was this change asked for? Compare the fingerprint of an added key with those "
		  "you know; look at the file and at what else the session did.",
	.contain = "Undo the change (key, unit, job, account), end the session, and look for the "
		   "same key or account on other hosts.",
	.false_positive = "An administrator who edits configuration, ssh-copy-id, Ansible.",
	.tune = "ExpectedAutomation for accounts whose work it is; an exception by account.",
	.mitigation = "M1032 M1026 M1022",
	.step = step,
	.key = KEY_SESSION,
};
