/*
 * windows_json: a Windows event as JSON, in the shapes that exporters write: winlogbeat and ECS
 * (nested `winlog`, or flat before version 7), NXLog (everything on one level), evtx_dump
 * ({"Event":{"System":..,"EventData":..}}), Wazuh (`win.system`, `win.eventdata`), raw event XML in
 * a member (Azure's RawXml), and {provider, id, ..., data:[[name, value], ..]}.
 *
 * No shape is asked for by name: a member is taken for what its own name and its parents' names
 * say, so that a shape between two of these is read too. What is below event_data, EventData,
 * user_data, UserData or `data` is the event's own; on one level, so is every name that is not
 * known. Cannot see: fields that an exporter left out; where it kept the rendered text only, the
 * readers of windows_rdp.c take its lines by their order.
 *
 * Example: {"EventID":4625,"SourceName":"Microsoft-Windows-Security-Auditing","IpAddress":...}
 */
#include "json_tree.h"
#include "text.h"
#include "time_text.h"
#include "windows.h"

#define NAME_LENGTHS 32				 /* longer ones share a row with shorter ones */
#define QUARTER_NS   (INT64_C(900) * 1000000000) /* zones are multiples of 15 minutes */

/* What a member outside of the event's own data is. */
enum slot {
	SLOT_ID,
	SLOT_PROVIDER,
	SLOT_CHANNEL,
	SLOT_COMPUTER,
	SLOT_RECORD,
	SLOT_ACTIVITY,
	SLOT_PID,
	SLOT_SID,
	SLOT_VERSION,
	SLOT_TIME,
	SLOT_RECEIVED, /* when somebody else got it; the event's own time where there is no other */
	SLOT_MESSAGE,
	SLOT_XML,
	SLOT_COUNT
};

/* parent: a name that some parent begins with; "" the root itself; NULL any. */
struct slot_row {
	struct span name;
	const char *parent;
	enum slot slot;
};

static const struct slot_row slots[] = {
	{SPAN_LIT("event_id"), NULL, SLOT_ID},
	{SPAN_LIT("EventID"), NULL, SLOT_ID},
	{SPAN_LIT("EventId"), NULL, SLOT_ID},
	{SPAN_LIT("eventID"), NULL, SLOT_ID},
	{SPAN_LIT("id"), "", SLOT_ID},
	{SPAN_LIT("#text"), "EventID", SLOT_ID},
	{SPAN_LIT("code"), "event", SLOT_ID},
	{SPAN_LIT("provider_name"), NULL, SLOT_PROVIDER},
	{SPAN_LIT("ProviderName"), NULL, SLOT_PROVIDER},
	{SPAN_LIT("providerName"), NULL, SLOT_PROVIDER},
	{SPAN_LIT("SourceName"), NULL, SLOT_PROVIDER},
	{SPAN_LIT("source_name"), NULL, SLOT_PROVIDER},
	{SPAN_LIT("provider"), NULL, SLOT_PROVIDER},
	{SPAN_LIT("Name"), "Provider", SLOT_PROVIDER},
	{SPAN_LIT("@Name"), "Provider", SLOT_PROVIDER},
	{SPAN_LIT("channel"), NULL, SLOT_CHANNEL},
	{SPAN_LIT("Channel"), NULL, SLOT_CHANNEL},
	{SPAN_LIT("log_name"), NULL, SLOT_CHANNEL},
	{SPAN_LIT("computer_name"), NULL, SLOT_COMPUTER},
	{SPAN_LIT("Computer"), NULL, SLOT_COMPUTER},
	{SPAN_LIT("computer"), NULL, SLOT_COMPUTER},
	{SPAN_LIT("Hostname"), NULL, SLOT_COMPUTER},
	{SPAN_LIT("record_id"), NULL, SLOT_RECORD},
	{SPAN_LIT("RecordNumber"), NULL, SLOT_RECORD},
	{SPAN_LIT("record_number"), NULL, SLOT_RECORD},
	{SPAN_LIT("EventRecordID"), NULL, SLOT_RECORD},
	{SPAN_LIT("eventRecordID"), NULL, SLOT_RECORD},
	{SPAN_LIT("activity_id"), NULL, SLOT_ACTIVITY},
	{SPAN_LIT("ActivityID"), NULL, SLOT_ACTIVITY},
	{SPAN_LIT("@ActivityID"), NULL, SLOT_ACTIVITY},
	{SPAN_LIT("activityID"), NULL, SLOT_ACTIVITY},
	{SPAN_LIT("ExecutionProcessID"), NULL, SLOT_PID},
	{SPAN_LIT("ProcessID"), NULL, SLOT_PID},
	{SPAN_LIT("@ProcessID"), NULL, SLOT_PID},
	{SPAN_LIT("processID"), "system", SLOT_PID},
	{SPAN_LIT("process_id"), "", SLOT_PID},
	{SPAN_LIT("pid"), "", SLOT_PID},
	{SPAN_LIT("pid"), "winlog", SLOT_PID},
	{SPAN_LIT("Pid"), NULL, SLOT_PID},
	{SPAN_LIT("user_id"), NULL, SLOT_SID},
	{SPAN_LIT("UserID"), NULL, SLOT_SID},
	{SPAN_LIT("@UserID"), NULL, SLOT_SID},
	{SPAN_LIT("identifier"), "winlog", SLOT_SID},
	{SPAN_LIT("version"), NULL, SLOT_VERSION},
	{SPAN_LIT("Version"), NULL, SLOT_VERSION},
	{SPAN_LIT("EventTime"), NULL, SLOT_TIME},
	{SPAN_LIT("SystemTime"), NULL, SLOT_TIME},
	{SPAN_LIT("@SystemTime"), NULL, SLOT_TIME},
	{SPAN_LIT("systemTime"), NULL, SLOT_TIME},
	{SPAN_LIT("TimeCreated"), NULL, SLOT_TIME},
	{SPAN_LIT("time"), "", SLOT_TIME},
	{SPAN_LIT("@timestamp"), "", SLOT_RECEIVED},
	{SPAN_LIT("message"), "", SLOT_MESSAGE},
	{SPAN_LIT("Message"), NULL, SLOT_MESSAGE},
	{SPAN_LIT("message"), "system", SLOT_MESSAGE},
	{SPAN_LIT("RawXml"), NULL, SLOT_XML},
	{SPAN_LIT("original"), "event", SLOT_XML},
};

/* Members on one level that are an exporter's own, never the event's data. */
static const struct span exporter_names[] = {
	SPAN_LIT("Keywords"),
	SPAN_LIT("Severity"),
	SPAN_LIT("SeverityValue"),
	SPAN_LIT("EventReceivedTime"),
	SPAN_LIT("EventType"),
	SPAN_LIT("Opcode"),
	SPAN_LIT("OpcodeValue"),
	SPAN_LIT("SourceModuleName"),
	SPAN_LIT("SourceModuleType"),
	SPAN_LIT("Task"),
	SPAN_LIT("ProviderGuid"),
	SPAN_LIT("ThreadID"),
	SPAN_LIT("Category"),
	SPAN_LIT("host"),
	SPAN_LIT("port"),
	SPAN_LIT("@version"),
	SPAN_LIT("level"),
	SPAN_LIT("task"),
	SPAN_LIT("opcode"),
	SPAN_LIT("keywords"),
	SPAN_LIT("guid"),
	SPAN_LIT("tid"),
	SPAN_LIT("thread_id"),
	SPAN_LIT("RecordID"),
	SPAN_LIT("beat"),
};

static bool has_parent(const struct json_tree *t, const struct json_node *n, const char *begins)
{
	struct span wanted = span_of(begins);

	if (span_empty(wanted))
		return n->parent == 0;
	for (n = json_parent(t, n); n; n = json_parent(t, n))
		if (span_starts(n->name, wanted))
			return true;
	return false;
}

static bool names_data(struct span name)
{
	return span_is(name, "event_data") || span_is(name, "EventData") ||
	       span_is(name, "eventdata") || span_is(name, "user_data") ||
	       span_is(name, "UserData") || span_is(name, "data");
}

/* "winlog.event_data.IpAddress" is IpAddress, and data; "winlog.channel" is channel. */
static struct span last_part(struct span name, bool *ret_data, struct span *ret_before)
{
	size_t dot = text_find(name, SPAN_LIT("."), 0) == TEXT_NOT_FOUND
			     ? TEXT_NOT_FOUND
			     : text_find_last(name, SPAN_LIT("."));
	struct span before = dot == TEXT_NOT_FOUND ? text_none() : span_first(name, dot), part;
	size_t at;

	*ret_before = before;
	*ret_data = false;
	if (dot == TEXT_NOT_FOUND)
		return name;
	at = text_find_last(before, SPAN_LIT("."));
	part = at == TEXT_NOT_FOUND ? before : span_skip(before, at + 1);
	*ret_data = names_data(part);
	return span_skip(name, dot + 1);
}

/* Which rows of a table have names of that length, a bit each: most names are in none. */
struct by_len {
	uint64_t rows[NAME_LENGTHS];
};

static void by_len_add(struct by_len *b, struct span name, size_t row)
{
	b->rows[name.len % NAME_LENGTHS] |= UINT64_C(1) << row;
}

static uint64_t by_len_find(const struct by_len *b, struct span name)
{
	return b->rows[name.len % NAME_LENGTHS];
}

struct tables {
	struct by_len slots, exporters;
};

_Static_assert(sizeof(slots) / sizeof(slots[0]) <= 64, "a bit each");
_Static_assert(sizeof(exporter_names) / sizeof(exporter_names[0]) <= 64, "a bit each");

static void tables_make(struct tables *ret)
{
	memset(ret, 0, sizeof(*ret));
	for (size_t i = 0; i < sizeof(slots) / sizeof(slots[0]); i++)
		by_len_add(&ret->slots, slots[i].name, i);
	for (size_t i = 0; i < sizeof(exporter_names) / sizeof(exporter_names[0]); i++)
		by_len_add(&ret->exporters, exporter_names[i], i);
}

static int slot_of(const struct tables *tables, const struct json_tree *t,
		   const struct json_node *n, struct span name, struct span before)
{
	for (uint64_t some = by_len_find(&tables->slots, name); some; some &= some - 1) {
		const struct slot_row *row = &slots[__builtin_ctzll(some)];

		if (!span_eq(name, row->name))
			continue;
		if (!row->parent ||
		    (span_empty(before)
			     ? has_parent(t, n, row->parent)
			     : *row->parent && span_starts(before, span_of(row->parent))))
			return (int)row->slot;
	}
	return -1;
}

static bool is_exporters(const struct tables *tables, struct span name)
{
	for (uint64_t some = by_len_find(&tables->exporters, name); some; some &= some - 1)
		if (span_eq(name, exporter_names[__builtin_ctzll(some)]))
			return true;
	return false;
}

static bool is_one_of(struct span name, const char *a, const char *b, const char *c)
{
	return span_is(name, a) || span_is(name, b) || span_is(name, c);
}

/*
 * A value of the event's own data. ["name", "value"] and {"@Name": "name", "#text": "value"} are
 * pairs; *pending is the first half of one.
 */
static void add_data(const struct json_tree *t, const struct json_node *n, struct span name,
		     struct span *pending, struct windows_event *ret)
{
	const struct json_node *box = json_parent(t, n), *outer = box ? json_parent(t, box) : NULL;
	bool in_list = box && outer && outer->type == '[';

	if (in_list && box->type == '[') {
		if (!pending->ptr) {
			*pending = n->value;
			if (!pending->ptr)
				pending->ptr = "";
			return;
		}
		windows_add(ret, *pending, n->value);
		*pending = text_none();
	} else if (is_one_of(name, "@Name", "#Name", "Name") && in_list) {
		*pending = n->value;
	} else if (is_one_of(name, "#text", "Value", "content") && pending->ptr) {
		windows_add(ret, *pending, n->value);
		*pending = text_none();
	} else {
		windows_add(ret, is_one_of(name, "#text", "Value", "content") ? text_none() : name,
			    n->value);
	}
}

static void read_nodes(const struct json_tree *t, struct span found[SLOT_COUNT],
		       struct windows_event *ret)
{
	struct tables tables;
	struct span pending = {0};
	uint16_t pending_in = JSON_NO_NODE;
	bool in_data[JSON_NODES_MAX]; /* of objects and arrays: what is in it is data */

	tables_make(&tables);
	in_data[0] = names_data(t->nodes[0].name);
	for (unsigned i = 1; i < t->count; i++) {
		const struct json_node *n = &t->nodes[i];
		bool data, below = n->parent < t->count && in_data[n->parent];
		struct span name, before;
		int slot;

		if (n->type == '{' || n->type == '[') {
			in_data[i] = below || names_data(n->name);
			continue;
		}
		name = last_part(n->name, &data, &before);
		if (n->parent != pending_in) /* a pair does not reach into the next one */
			pending = text_none();
		pending_in = n->parent;
		if (data || below) {
			add_data(t, n, name, &pending, ret);
			continue;
		}
		slot = slot_of(&tables, t, n, name, before);
		if (slot >= 0 && span_empty(found[slot]))
			found[slot] = n->value;
		else if (slot < 0 && n->parent == 0 && span_empty(before) &&
			 !is_exporters(&tables, name))
			windows_add(ret, name, n->value);
	}
}

/*
 * A time without a zone beside one that has it, of a little later: the difference, rounded to a
 * quarter of an hour, is the zone.
 */
static void read_time(const struct decode_stream *s, struct span found[SLOT_COUNT],
		      struct windows_event *ret)
{
	struct time_text own = {0}, received = {0};
	bool has_own = time_take_iso(s, &found[SLOT_TIME], &own);
	bool has_received = time_take_iso(s, &found[SLOT_RECEIVED], &received);
	int64_t quarters;

	ret->time_ns = has_own ? own.time_ns : has_received ? received.time_ns : 0;
	ret->time_approximate = has_own ? own.approximate : !has_received || received.approximate;
	if (!has_own || !own.approximate || !has_received || received.approximate)
		return;
	quarters = (int64_t)(received.time_ns - own.time_ns);
	quarters = (quarters + (quarters < 0 ? -QUARTER_NS / 2 : QUARTER_NS / 2)) / QUARTER_NS;
	if (quarters >= -56 && quarters <= 56) /* zones go from -12:00 to +14:00 */
		ret->time_ns += (uint64_t)(quarters * QUARTER_NS);
}

bool windows_from_json(const struct decode_stream *s, const struct json_tree *t, struct json *j,
		       struct windows_event *ret, const char **reason)
{
	struct span found[SLOT_COUNT] = {0};
	uint64_t v;

	*reason = NULL;
	*ret = (struct windows_event){0};
	read_nodes(t, found, ret);
	if (span_starts(found[SLOT_XML], SPAN_LIT("<Event ")))
		return windows_from_xml(s, found[SLOT_XML], j, ret, reason);
	ret->id = text_u32(found[SLOT_ID], 0);
	ret->provider = found[SLOT_PROVIDER];
	ret->channel = found[SLOT_CHANNEL];
	if (!ret->id || (span_empty(ret->provider) && span_empty(ret->channel)))
		return false;
	ret->computer = found[SLOT_COMPUTER];
	ret->user_sid = found[SLOT_SID];
	ret->activity = found[SLOT_ACTIVITY];
	ret->message = found[SLOT_MESSAGE];
	ret->version = text_u32(found[SLOT_VERSION], 0);
	ret->pid = text_u32(found[SLOT_PID], 0);
	ret->record = span_u64(found[SLOT_RECORD], &v) ? v : 0;
	read_time(s, found, ret);
	return true;
}
