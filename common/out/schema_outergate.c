/*
 * schema_outergate: the product's own JSON, as `alerts`, `sessions` and `replay` print it, with the
 * host's ids and name. An event has an id, too, and obeys `Privacy`.
 */
#include "schema.h"

#include "event_id.h"
#include "out_parts.h"
#include "privacy.h"

static int event(const struct event *e, const struct out_policy *p, char *buf, size_t cap)
{
	struct privacy_texts texts;
	char id[ID_TEXT_MAX];
	struct event shown;
	struct writer w;

	privacy_event(e, p, &shown, &texts);
	writer_start(&w, buf, cap);
	json_begin(&w, NULL, '{');
	json_put_str(&w, "id", event_id(e, p, id));
	part_put_host(&w, p);
	part_put_event(&w, &shown);
	json_end(&w, '}');
	return writer_finish_json(&w);
}

const struct out_schema schema_outergate = {
	.name = "outergate",
	.alert = out_alert_json,
	.session = out_session_json,
	.event = event,
	.repeat = ",\"resend\":true",
	.closing = 1,
};
