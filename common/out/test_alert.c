/* test_alert: see test_alert.h. */
#include "test_alert.h"

#include <errno.h>

#include "../detect/detection.h"
#include "writer.h"

static void say(char *field, size_t cap, const char *before, const char *id, const char *after)
{
	struct writer w;

	writer_start(&w, field, cap);
	w.cut = true;
	writer_puts(&w, before);
	writer_puts(&w, id);
	writer_puts(&w, after);
	writer_finish(&w);
}

int test_alert(struct alert *ret, const char *detection, const char *id, uint64_t now_ns)
{
	int i = detection_find(span_of(detection));
	struct alert_evidence *e = &ret->evidence[0];

	if (i < 0)
		return -ENOENT;
	memset(ret, 0, sizeof(*ret));
	ret->detection = detections[i];
	ret->severity = detections[i]->severity;
	ret->test = ret->notify = true;
	ret->state = ALERT_CLOSED;
	ret->revision = 1;
	ret->count = 1;
	ret->first_ns = ret->last_ns = now_ns;
	ret->service = SERVICE_SSH;
	ret->method = METHOD_PASSWORD;
	ret->origin = (struct endpoint){{ADDR_V4, {0}, {192, 0, 2, 1}}, 1, 0};
	ret->scope = SCOPE_RESERVED;
	span_copy(ret->id, sizeof(ret->id), span_of(id));
	span_copy(ret->account, sizeof(ret->account), SPAN_LIT("outergate-test"));
	span_copy(ret->stage, sizeof(ret->stage), span_of(detections[i]->stage));
	say(ret->sentence, sizeof(ret->sentence),
	    "TEST: somebody asked with `outergate test` where alerts of ", detections[i]->id,
	    " arrive. Nothing has happened.");
	ret->evidence_count = 1;
	e->time_ns = now_ns;
	e->trust = TRUST_TEXT;
	say(e->text, sizeof(e->text), "a test; its id is ", id, "");
	return 0;
}
