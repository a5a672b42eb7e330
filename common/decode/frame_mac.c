/*
 * frame_mac: lines of macOS' unified log, as `log stream` and `log show` print them.
 *
 *   2026-03-02 23:07:56.155362+0100 0x15e23a Default 0x0 502 0    sshd: (lib) [a:b] TEXT    default
 *   2026-10-08 14:00:03.000 Df sshd[502:1] [a:b] TEXT                                       compact
 *   {"timestamp":"...","processImagePath":"/usr/sbin/sshd","processID":502,"eventMessage":"TEXT"}
 *
 * The style "syslog" is syslog's. Cannot see: who wrote it; a text that macOS hid ("<private>").
 */
#include "frame.h"
#include "json_pick.h"
#include "text.h"
#include "time_text.h"

/* "(libsystem_info.dylib) [com.apple.x:y] " in front of the text. */
static void cut_origin(struct span *s)
{
	size_t end;

	*s = text_trim_left(*s);
	if (s->len && s->ptr[0] == '(') {
		end = text_find(*s, SPAN_LIT(") "), 0);
		*s = end == TEXT_NOT_FOUND ? *s : span_skip(*s, end + 2);
	}
	if (span_starts(*s, SPAN_LIT("[com."))) {
		end = text_find(*s, SPAN_LIT("] "), 0);
		*s = end == TEXT_NOT_FOUND ? *s : span_skip(*s, end + 2);
	}
}

static struct span cut_column(struct span *s)
{
	*s = text_trim_left(*s);
	return text_cut_word(s);
}

/* "0x15e23a Default 0x0 502 0 sshd: TEXT" */
static bool take_default(struct frame *f)
{
	struct span rest = f->message, pid;
	size_t end;

	if (!span_starts(cut_column(&rest), SPAN_LIT("0x")))
		return false;
	cut_column(&rest);
	if (!span_starts(cut_column(&rest), SPAN_LIT("0x")))
		return false;
	pid = cut_column(&rest);
	cut_column(&rest);
	rest = text_trim_left(rest);
	end = text_find(rest, SPAN_LIT(": "), 0);
	if (end == TEXT_NOT_FOUND)
		return false;
	f->pid = text_u32(pid, 0);
	f->ident = span_first(rest, end);
	f->message = span_skip(rest, end + 2);
	return true;
}

/* "Df sshd[502:1] TEXT" */
static bool take_compact(struct frame *f)
{
	struct span rest = f->message, kind = cut_column(&rest), tag = cut_column(&rest), pid;
	size_t open = text_find(tag, SPAN_LIT("["), 0), colon = text_find(tag, SPAN_LIT(":"), 0);

	if (kind.len == 0 || kind.len > 2 || !text_is_alpha(kind.ptr[0]) || open == 0 ||
	    open == TEXT_NOT_FOUND || colon == TEXT_NOT_FOUND || colon < open ||
	    !text_ends(tag, SPAN_LIT("]")))
		return false;
	pid = span_skip(span_first(tag, colon), open + 1);
	f->pid = text_u32(pid, 0);
	f->ident = span_first(tag, open);
	f->message = rest;
	return true;
}

void frame_mac_tag(struct frame *f)
{
	if (take_default(f) || take_compact(f))
		cut_origin(&f->message);
}

struct entry {
	struct span time, path, pid, message, host;
};

static const struct json_want wants[] = {
	JSON_WANT(struct entry, time, "timestamp"),
	JSON_WANT(struct entry, path, "processImagePath"),
	JSON_WANT(struct entry, pid, "processID"),
	JSON_WANT(struct entry, message, "eventMessage"),
};

bool frame_from_mac(struct decode_stream *s, struct span line, struct frame *f)
{
	struct json j = {.p = line.ptr,
			 .end = line.ptr + line.len,
			 .out = s->scratch,
			 .out_end = s->scratch + sizeof(s->scratch)};
	struct entry x = {0};
	struct time_text t = {.time_ns = s->seen_ns, .approximate = true};

	if (json_pick(&j,
		      (struct json_picker){wants, sizeof(wants) / sizeof(wants[0]), &x, false}) ||
	    span_empty(x.path) || span_empty(x.time))
		return false;
	if (time_take_iso(s, &x.time, &t))
		s->seen_ns = t.time_ns;
	*f = (struct frame){.uid = UINT32_MAX,
			    .time_ns = t.time_ns,
			    .time_approximate = t.approximate,
			    .ident = span_base(x.path),
			    .pid = text_u32(x.pid, 0)};
	f->message = text_trim_left(text_trim_right(x.message));
	return true;
}
