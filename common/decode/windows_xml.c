/*
 * windows_xml: a Windows event as XML, as wevtutil, the Event Viewer and EVTX readers render it.
 *
 * Sees the System block, EventData (named or positional) and the leaves of UserData. Reads tags
 * and entities only: no DTD, no CDATA, no external anything; what does not look like an event is
 * refused. Cannot see: text rendered in another encoding than UTF-8.
 *
 * Example: <Event xmlns='...'><System><Provider Name='OpenSSH'/><EventID>4</EventID>...
 */
#include "windows.h"

#include "json_text.h"
#include "text.h"
#include "time_text.h"

#define XML_DEPTH_MAX 16

struct xml {
	struct span rest;
	struct json *scratch;
	struct windows_event *w;
	struct span open[XML_DEPTH_MAX]; /* names of open elements */
	unsigned depth;
	struct span data_name; /* of the <Data> that is open */
	struct span time;
};

static void put_char(struct json *out, uint64_t c)
{
	if (c < 0x80) {
		json_byte(out, (unsigned)c);
	} else if (c < 0x800) {
		json_byte(out, (unsigned)(0xC0 | c >> 6));
		json_byte(out, (unsigned)(0x80 | (c & 0x3F)));
	} else if (c < 0x10000) {
		json_byte(out, (unsigned)(0xE0 | c >> 12));
		json_byte(out, (unsigned)(0x80 | (c >> 6 & 0x3F)));
		json_byte(out, (unsigned)(0x80 | (c & 0x3F)));
	} else {
		json_byte(out, '?');
	}
}

static bool hex_number(struct span s, uint64_t *ret)
{
	uint64_t v = 0;

	if (!s.len || s.len > 16)
		return false;
	for (size_t i = 0; i < s.len; i++) {
		char c = s.ptr[i] | 0x20;

		if (text_is_digit(c))
			v = v << 4 | (uint64_t)(c - '0');
		else if (c >= 'a' && c <= 'f')
			v = v << 4 | (uint64_t)(c - 'a' + 10);
		else
			return false;
	}
	*ret = v;
	return true;
}

/* "&lt;" and the like at the start of s: its length, and the character put out; 0: none of them. */
static size_t put_entity(struct json *out, struct span s)
{
	static const struct {
		struct span text;
		char c;
	} known[] = {{SPAN_LIT("&lt;"), '<'},
		     {SPAN_LIT("&gt;"), '>'},
		     {SPAN_LIT("&amp;"), '&'},
		     {SPAN_LIT("&quot;"), '"'},
		     {SPAN_LIT("&apos;"), '\''}};
	size_t end = text_find(span_first(s, 12), SPAN_LIT(";"), 0);
	uint64_t c = 0;

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (span_starts(s, known[i].text)) {
			json_byte(out, (unsigned char)known[i].c);
			return known[i].text.len;
		}
	if (end == TEXT_NOT_FOUND || !span_starts(s, SPAN_LIT("&#")))
		return 0;
	if (!span_u64(span_first(span_skip(s, 2), end - 2), &c) &&
	    !(s.ptr[2] == 'x' && hex_number(span_first(span_skip(s, 3), end - 3), &c)))
		return 0;
	put_char(out, c);
	return end + 1;
}

static struct span unescape(struct json *out, struct span s)
{
	const char *start = out->out;
	size_t i = 0;

	if (text_find(s, SPAN_LIT("&"), 0) == TEXT_NOT_FOUND)
		return s;
	while (i < s.len) {
		size_t n = s.ptr[i] == '&' ? put_entity(out, span_skip(s, i)) : 0;

		if (!n)
			json_byte(out, (unsigned char)s.ptr[i]);
		i += n ? n : 1;
	}
	return (struct span){start, (size_t)(out->out - start)};
}

static struct span trim(struct span s)
{
	while (s.len && (unsigned char)s.ptr[0] <= ' ')
		s = span_skip(s, 1);
	while (s.len && (unsigned char)s.ptr[s.len - 1] <= ' ')
		s.len--;
	return s;
}

/* name="value" or name='value' in a tag. */
static struct span attribute(const struct xml *x, struct span tag, const char *name)
{
	struct span wanted = span_of(name);

	for (size_t at = text_find(tag, wanted, 0); at != TEXT_NOT_FOUND;
	     at = text_find(tag, wanted, at + 1)) {
		struct span rest = span_skip(tag, at + wanted.len);
		size_t end;

		if (!at || (unsigned char)tag.ptr[at - 1] > ' ' || rest.len < 3 ||
		    rest.ptr[0] != '=' || (rest.ptr[1] != '"' && rest.ptr[1] != '\''))
			continue;
		end = text_find(rest, (struct span){rest.ptr + 1, 1}, 2);
		if (end == TEXT_NOT_FOUND)
			return text_none();
		return unescape(x->scratch, span_first(span_skip(rest, 2), end - 2));
	}
	return text_none();
}

static void read_system_tag(struct xml *x, struct span name, struct span tag)
{
	struct windows_event *w = x->w;

	if (span_is(name, "Provider")) {
		w->provider = attribute(x, tag, "Name");
		if (span_empty(w->provider))
			w->provider = attribute(x, tag, "EventSourceName");
	} else if (span_is(name, "TimeCreated")) {
		x->time = attribute(x, tag, "SystemTime");
	} else if (span_is(name, "Correlation")) {
		w->activity = attribute(x, tag, "ActivityID");
	} else if (span_is(name, "Execution")) {
		w->pid = text_u32(attribute(x, tag, "ProcessID"), 0);
	} else if (span_is(name, "Security")) {
		w->user_sid = attribute(x, tag, "UserID");
	}
}

static bool is_inside(const struct xml *x, unsigned level, const char *name)
{
	return x->depth > level && span_is(x->open[level], name);
}

static void read_system_text(struct xml *x, struct span name, struct span text)
{
	struct windows_event *w = x->w;
	uint64_t v;

	if (span_is(name, "EventID"))
		w->id = text_u32(text, 0);
	else if (span_is(name, "Version"))
		w->version = text_u32(text, 0);
	else if (span_is(name, "EventRecordID"))
		w->record = span_u64(text, &v) ? v : 0;
	else if (span_is(name, "Channel"))
		w->channel = text;
	else if (span_is(name, "Computer"))
		w->computer = text;
}

/* The text of the element that ends now. */
static void read_text(struct xml *x, struct span text)
{
	struct span name = x->open[x->depth - 1];

	text = unescape(x->scratch, text);
	if (is_inside(x, 1, "System") && x->depth == 3)
		read_system_text(x, name, trim(text));
	else if (is_inside(x, 1, "EventData") && span_is(name, "Data"))
		windows_add(x->w, x->data_name, text);
	else if (is_inside(x, 1, "UserData") && x->depth > 2)
		windows_add(x->w, name, trim(text));
	else if (is_inside(x, 1, "RenderingInfo") && span_is(name, "Message"))
		x->w->message = text;
}

static struct span tag_name(struct span tag)
{
	size_t n = 0;

	while (n < tag.len && (unsigned char)tag.ptr[n] > ' ' && tag.ptr[n] != '/')
		n++;
	return span_first(tag, n);
}

/* An opening tag; false: nested too deep. */
static bool open_tag(struct xml *x, struct span tag)
{
	struct span name = tag_name(tag);

	if (is_inside(x, 1, "System") && x->depth == 2)
		read_system_tag(x, name, tag);
	if (text_ends(tag, SPAN_LIT("/")))
		return true;
	if (x->depth == XML_DEPTH_MAX)
		return false;
	if (span_is(name, "Data"))
		x->data_name = attribute(x, tag, "Name");
	x->open[x->depth++] = name;
	return true;
}

static bool close_tag(struct xml *x, struct span tag, struct span text, bool is_leaf)
{
	if (!x->depth || !span_eq(trim(tag), x->open[x->depth - 1]))
		return false;
	if (is_leaf)
		read_text(x, text);
	x->depth--;
	return true;
}

/* Tag after tag, until <Event> is closed. */
static bool read_tags(struct xml *x)
{
	struct span text = {0};
	bool was_open = false;

	do {
		size_t at = text_find(x->rest, SPAN_LIT("<"), 0), end;
		struct span tag;

		if (at == TEXT_NOT_FOUND)
			return false;
		text = span_first(x->rest, at);
		end = text_find(x->rest, SPAN_LIT(">"), at);
		if (end == TEXT_NOT_FOUND)
			return false;
		tag = span_first(span_skip(x->rest, at + 1), end - at - 1);
		x->rest = span_skip(x->rest, end + 1);
		if (span_starts(tag, SPAN_LIT("?")) || span_starts(tag, SPAN_LIT("!--")))
			continue;
		if (span_starts(tag, SPAN_LIT("!")))
			return false;
		if (span_starts(tag, SPAN_LIT("/"))) {
			if (!close_tag(x, span_skip(tag, 1), text, was_open))
				return false;
			was_open = false;
		} else if (!open_tag(x, tag)) {
			return false;
		} else {
			was_open = !text_ends(tag, SPAN_LIT("/"));
		}
	} while (x->depth);
	return true;
}

bool windows_from_xml(const struct decode_stream *s, struct span xml, struct json *scratch,
		      struct windows_event *ret, const char **reason)
{
	struct xml x = {.rest = trim(xml), .scratch = scratch, .w = ret};
	struct time_text t;

	*ret = (struct windows_event){0};
	if (!span_starts(x.rest, SPAN_LIT("<Event")) || !read_tags(&x)) {
		*reason = "event XML that is cut short or malformed";
		return false;
	}
	if (!ret->id || (span_empty(ret->provider) && span_empty(ret->channel))) {
		*reason = "event XML without an id or a provider";
		return false;
	}
	if (time_take_iso(s, &x.time, &t)) {
		ret->time_ns = t.time_ns;
		ret->time_approximate = t.approximate;
	}
	return true;
}
