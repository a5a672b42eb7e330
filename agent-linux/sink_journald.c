/* sink_journald: see sink_journald.h. One buffer holds all fields; nothing is allocated here. */
#include "sink_journald.h"

#include <sys/uio.h>
#define SD_JOURNAL_SUPPRESS_LOCATION /* whose line of code it was says nothing to an operator */
#include <systemd/sd-journal.h>

#include "common/out/privacy.h"
#include "common/out/writer.h"

#define FIELDS_MAX 32
/* Two texts of the alert (line and JSON), and short fields. */
#define FIELDS_BYTES (2 * OUT_ALERT_MAX)

struct fields {
	struct writer w;
	size_t starts[FIELDS_MAX + 1];
	unsigned count;
	char buf[FIELDS_BYTES];
};

static bool field_begin(struct fields *f, const char *name)
{
	if (f->count == FIELDS_MAX)
		return false;
	f->starts[f->count++] = f->w.len;
	writer_puts(&f->w, name);
	writer_puts(&f->w, "=");
	return true;
}

static void put_text(struct fields *f, const char *name, const char *text)
{
	if (text && *text && field_begin(f, name))
		writer_escaped(&f->w, span_of(text));
}

static void put_number(struct fields *f, const char *name, uint64_t v)
{
	if (field_begin(f, name))
		writer_number(&f->w, v);
}

int sink_journald_priority(enum severity s)
{
	static const int priorities[SEVERITY_COUNT] = {
		[SEVERITY_INFO] = 6, [SEVERITY_LOW] = 5,      [SEVERITY_MEDIUM] = 4,
		[SEVERITY_HIGH] = 3, [SEVERITY_CRITICAL] = 2,
	};

	return (unsigned)s < SEVERITY_COUNT ? priorities[s] : 4;
}

static void put_identity(struct fields *f, const struct alert *a)
{
	char id[OUT_MESSAGE_ID_MAX];

	put_text(f, "MESSAGE_ID", out_message_id(a->detection->number, id));
	put_number(f, "PRIORITY", (uint64_t)sink_journald_priority(a->severity));
	put_text(f, "SYSLOG_IDENTIFIER", "outergate");
	put_text(f, "OUTERGATE_ID", a->id);
	put_number(f, "OUTERGATE_REVISION", a->revision);
	put_text(f, "OUTERGATE_STATE", alert_state_name(a->state));
	put_text(f, "OUTERGATE_DETECTION", a->detection->id);
	put_text(f, "OUTERGATE_SEVERITY", severity_name(a->severity));
	put_text(f, "OUTERGATE_REASON", a->reason);
	put_text(f, "OUTERGATE_PART_OF", a->part_of);
	put_number(f, "OUTERGATE_COUNT", a->count);
	if (a->test)
		put_number(f, "OUTERGATE_TEST", 1);
}

static void put_subject(struct fields *f, const struct alert *a)
{
	char addr[ADDR_TEXT_MAX];

	put_text(f, "OUTERGATE_SERVICE", service_name(a->service));
	put_text(f, "OUTERGATE_ACCOUNT", a->account);
	put_text(f, "OUTERGATE_EFFECTIVE_ACCOUNT", a->effective_account);
	put_text(f, "OUTERGATE_ORIGIN", addr_format(&a->origin.addr, addr));
	if (a->origin.port)
		put_number(f, "OUTERGATE_ORIGIN_PORT", a->origin.port);
	if (a->scope != SCOPE_NONE)
		put_text(f, "OUTERGATE_ORIGIN_SCOPE", scope_name(a->scope));
	put_text(f, "OUTERGATE_SESSION", a->session);
	put_text(f, "OUTERGATE_METHOD", method_name(a->method));
	put_text(f, "OUTERGATE_KEY", a->key);
	put_text(f, "OUTERGATE_CLIENT", a->client);
	put_text(f, "OUTERGATE_ATTACK", a->detection->attack);
	put_text(f, "OUTERGATE_ANALYTIC", a->detection->analytic);
}

/* A text that out_* writes itself, after "NAME=". */
static void
put_written(struct fields *f, const char *name, const struct alert *a, const struct out_policy *p,
	    int (*write)(const struct alert *, const struct out_policy *, char *, size_t))
{
	int n;

	if (!field_begin(f, name))
		return;
	n = write(a, p, f->buf + f->w.len, sizeof(f->buf) - f->w.len);
	if (n > 0)
		f->w.len += (size_t)n;
}

static int send_fields(struct fields *f)
{
	struct iovec v[FIELDS_MAX];

	f->starts[f->count] = f->w.len;
	for (unsigned i = 0; i < f->count; i++)
		v[i] = (struct iovec){f->buf + f->starts[i], f->starts[i + 1] - f->starts[i]};
	return sd_journal_sendv(v, (int)f->count);
}

int sink_journald_send(const struct alert *a, const struct out_policy *p)
{
	struct fields f;
	struct alert shown;

	f.count = 0;
	writer_start(&f.w, f.buf, sizeof(f.buf));
	privacy_alert(a, p, &shown);
	put_text(&f, "MESSAGE", shown.sentence[0] ? shown.sentence : a->detection->title);
	put_identity(&f, &shown);
	put_subject(&f, &shown);
	put_text(&f, "OUTERGATE_LEDGER", p->ledger);
	put_written(&f, "OUTERGATE_JSON", a, p, out_alert_json);
	return send_fields(&f);
}
