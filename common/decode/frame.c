/*
 * frame: syslog in its three forms (RFC 3164, the same with an ISO time, RFC 5424) and bare lines.
 * Sees the wrapping only; the message is left as it is, control characters included.
 *
 * A relay may leave out the host ("Dec 10 06:55:46 sshd[1]: ..."): the first word that ends with
 * a colon is the ident, and a word before it the host.
 */
#include "frame.h"

#include "text.h"
#include "time_text.h"

/* Longest ident looked for in front of a bare message; sshd's are 12 characters. */
#define IDENT_MAX 64

/* "<38>": a priority of one to three digits. */
static void skip_priority(struct span *s)
{
	size_t n = 1;

	if (!s->len || s->ptr[0] != '<')
		return;
	while (n < s->len && n < 4 && text_is_digit(s->ptr[n]))
		n++;
	if (n > 1 && n < s->len && s->ptr[n] == '>')
		*s = span_skip(*s, n + 1);
}

/* "sshd[123]", "sshd", "sshd(pam_unix)[123]": without the colon. */
static void read_ident(struct span tag, struct frame *f)
{
	f->ident = tag;
	if (tag.len < 3 || tag.ptr[tag.len - 1] != ']')
		return;
	for (size_t n = tag.len - 1; n-- > 0;) {
		if (tag.ptr[n] != '[')
			continue;
		f->ident = span_first(tag, n);
		f->pid = text_u32(span_first(span_skip(tag, n + 1), tag.len - n - 2), 0);
		return;
	}
}

/*
 * "ident[pid]: " at the start of *s. The colon must be followed by a space or the end, and the
 * ident hold no space, so that no message is taken for one.
 */
static bool take_ident(struct span *s, struct frame *f)
{
	size_t n = 0;

	while (n < s->len && n < IDENT_MAX && s->ptr[n] != ':' && s->ptr[n] != ' ')
		n++;
	if (n == 0 || n >= s->len || s->ptr[n] != ':')
		return false;
	if (n + 1 < s->len && s->ptr[n + 1] != ' ')
		return false;
	read_ident(span_first(*s, n), f);
	*s = span_skip(*s, n + 1);
	return true;
}

/* A word that ends with a colon is an ident. */
static bool is_tag(struct span word, struct frame *f)
{
	if (word.len < 2 || word.len > IDENT_MAX || word.ptr[word.len - 1] != ':')
		return false;
	read_ident(span_first(word, word.len - 1), f);
	return true;
}

/* After the time stamp: "[host ]ident[pid]: message". */
static void read_bsd_rest(struct span rest, struct frame *f)
{
	struct span after = rest, word = text_cut_word(&after);

	f->message = after;
	if (is_tag(word, f))
		return;
	after = text_trim_left(after);
	if (is_tag(text_cut_word(&after), f)) {
		f->host = word;
		f->message = after;
	} else {
		f->message = rest;
	}
}

/* "[id a=\"b\\\"]\"][id2 ...]" or "-"; a ']' inside a quoted value does not end it. */
static void skip_structured_data(struct span *s)
{
	bool quoted = false;
	size_t n = 0;

	if (s->len && s->ptr[0] == '-') {
		*s = span_skip(*s, 1);
		return;
	}
	while (n < s->len && (s->ptr[n] == '[' || quoted)) {
		for (n++; n < s->len && (quoted || s->ptr[n] != ']'); n++) {
			if (s->ptr[n] == '\\' && quoted)
				n++;
			else if (s->ptr[n] == '"')
				quoted = !quoted;
		}
		n = n < s->len ? n + 1 : s->len;
	}
	*s = span_skip(*s, n);
}

static struct span not_nil(struct span s)
{
	return s.len == 1 && s.ptr[0] == '-' ? text_none() : s;
}

/* RFC 5424 after "<PRI>1 ". False when it does not begin with a time stamp or "-". */
static bool read_5424(const struct decode_stream *s, struct span rest, struct frame *f)
{
	struct time_text t = {0};

	if (!time_take_iso(s, &rest, &t) && !text_cut(&rest, SPAN_LIT("- ")))
		return false;
	f->time_ns = t.time_ns;
	f->time_approximate = t.approximate;
	f->host = not_nil(text_cut_word(&rest));
	f->ident = not_nil(text_cut_word(&rest));
	f->pid = text_u32(text_cut_word(&rest), 0);
	f->msgid = not_nil(text_cut_word(&rest));
	f->message = rest;
	skip_structured_data(&rest);
	f->data = not_nil(span_first(f->message, f->message.len - rest.len));
	rest = text_trim_left(rest);
	text_cut(&rest, SPAN_LIT("\xEF\xBB\xBF"));
	/* Some put all they have to say there and no message behind it. */
	if (!span_empty(rest) || !span_starts(f->message, SPAN_LIT("[")))
		f->message = rest;
	return true;
}

static void read_untimed(struct decode_stream *s, struct span line, struct frame *f)
{
	f->time_ns = s->seen_ns; /* the best that is known; 0 at the start of a stream */
	f->time_approximate = true;
	line = text_trim_left(line);
	f->message = line;
	if (take_ident(&line, f)) {
		f->message = line;
		if (!frame_is_sshd(f->ident) && f->pid == 0) /* "fatal: ...", "error: ..." */
			f->message = (struct span){f->ident.ptr, line.len + f->ident.len + 1};
		if (f->message.ptr == f->ident.ptr)
			f->ident = (struct span){0};
	}
}

void frame_from_text(struct decode_stream *s, struct span line, struct frame *f)
{
	struct time_text t;
	struct span rest = line;

	*f = (struct frame){.uid = UINT32_MAX, .whole = line};
	skip_priority(&rest);
	if (rest.ptr != line.ptr && rest.len > 2 && rest.ptr[0] == '1' && rest.ptr[1] == ' ' &&
	    read_5424(s, span_skip(rest, 2), f)) {
		if (f->time_ns)
			s->seen_ns = f->time_ns;
	} else if (time_take_bsd(s, &rest, &t) || time_take_iso(s, &rest, &t)) {
		f->time_ns = s->seen_ns = t.time_ns;
		f->time_approximate = t.approximate;
		read_bsd_rest(rest, f);
		if (span_empty(f->ident))
			frame_own_tag(f);
		if (span_empty(f->ident))
			frame_mac_tag(f);
	} else if (!frame_own(s, rest, f)) {
		read_untimed(s, rest, f);
	}
	f->message = text_trim_left(text_trim_right(f->message));
}
