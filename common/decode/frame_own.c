/*
 * frame_own: the frames that single programs put around the lines of their own files. Each is used
 * by one program alone, so it stands for the name.
 *
 *   [24421] Nov 22 05:13:57 Bad password attempt for ...                dropbear -E
 *   Sat Nov 28 17:00:00 2026 [pid 2] [alice] OK LOGIN: ...              vsftpd
 *   [20261128-17:00:00] [INFO ] AUTHFAIL: ...                           xrdp up to 0.9
 *   [2026-11-28T17:00:00.123+0100] [INFO ] AUTHFAIL: ...                xrdp since 0.9.21
 *   29/11/2026 17:30:00 authProcessClientMessage: ...                   x11vnc
 *   2026-11-29 17:29:37,586 srv proftpd[25418] 192.0.2.1 (h[a]): ...    ProFTPD
 *   2024-01-01 00:00:00,123 fail2ban.actions        [123]: NOTICE  ...    fail2ban
 *   " VNCSConnST:  closing ...", "Connections: accepted: ..."           TigerVNC: without a time
 *
 * Cannot see: the host; in which zone such a time is, but for the fourth.
 */
#include "frame.h"
#include "text.h"
#include "time_text.h"

static bool take_dropbear(struct decode_stream *s, struct span *line, struct frame *f,
			  struct time_text *t)
{
	size_t end = text_find(span_first(*line, 14), SPAN_LIT("] "), 0);
	struct span rest = span_skip(*line, end + 2);
	uint64_t pid;

	if (end == TEXT_NOT_FOUND || !span_u64(span_skip(span_first(*line, end), 1), &pid) ||
	    !time_take_bsd(s, &rest, t))
		return false;
	f->pid = pid <= UINT32_MAX ? (uint32_t)pid : 0;
	f->ident = SPAN_LIT("dropbear");
	*line = rest;
	return true;
}

static bool take_xrdp(struct decode_stream *s, struct span *line, struct frame *f,
		      struct time_text *t)
{
	struct span rest = span_skip(*line, 1);

	if (!time_take_compact(s, &rest, t) && !time_take_iso(s, &rest, t))
		return false;
	if (!text_cut(&rest, SPAN_LIT("] ")))
		return false;
	f->ident = SPAN_LIT("xrdp-sesman");
	*line = rest;
	return true;
}

static bool take_vsftpd(struct decode_stream *s, struct span *line, struct frame *f,
			struct time_text *t)
{
	struct span rest = *line;

	if (!time_take_ctime(s, &rest, t) || !span_starts(rest, SPAN_LIT("[pid ")))
		return false;
	f->ident = SPAN_LIT("vsftpd");
	*line = rest;
	return true;
}

static bool take_x11vnc(struct decode_stream *s, struct span *line, struct frame *f,
			struct time_text *t)
{
	struct span rest = *line;

	if (!time_take_slashed(s, &rest, t))
		return false;
	f->ident = SPAN_LIT("x11vnc");
	*line = rest;
	return true;
}

static bool take_tigervnc(struct span *line, struct frame *f)
{
	struct span rest = text_trim_left(*line);

	if (!span_starts(rest, SPAN_LIT("VNCSConnST:  closing ")) &&
	    !span_starts(rest, SPAN_LIT("Connections: accepted: ")))
		return false;
	f->ident = SPAN_LIT("Xvnc");
	*line = rest;
	return true;
}

bool frame_own(struct decode_stream *s, struct span line, struct frame *f)
{
	char first = line.len ? line.ptr[0] : '\0';
	struct time_text t = {0};
	bool taken = false;

	if (first == '[')
		taken = take_dropbear(s, &line, f, &t) || take_xrdp(s, &line, f, &t);
	else if (text_is_digit(first))
		taken = take_x11vnc(s, &line, f, &t);
	else if (text_is_alpha(first))
		taken = take_vsftpd(s, &line, f, &t);
	if (taken) {
		f->time_ns = s->seen_ns = t.time_ns;
		f->time_approximate = t.approximate;
		f->message = line;
		return true;
	}
	if (!take_tigervnc(&line, f))
		return false;
	f->time_ns = s->seen_ns;
	f->time_approximate = true;
	f->message = line;
	return true;
}

/* "srv proftpd[25418] 192.0.2.1 (h[a]): TEXT" */
void frame_own_tag(struct frame *f)
{
	struct span rest = f->message, host = text_cut_word(&rest), tag = text_cut_word(&rest);
	struct span pid = tag;

	if (span_starts(f->host, SPAN_LIT("fail2ban."))) { /* "fail2ban.actions  [123]: TEXT" */
		f->ident = f->host;
		f->host = text_none();
		return;
	}
	if (!text_cut(&pid, SPAN_LIT("proftpd[")) || !text_cut_end(&pid, SPAN_LIT("]")))
		return;
	f->host = host;
	f->ident = span_first(tag, 7);
	f->pid = text_u32(pid, 0);
	f->message = rest;
}
