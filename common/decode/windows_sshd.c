/*
 * windows_sshd: OpenSSH for Windows' log file, %ProgramData%\ssh\logs\sshd.log, which it writes
 * instead of its event log with "SyslogFacility LOCAL0".
 *
 * A number of a process, local time, and sshd's own words, which sshd.c reads. The account loses
 * its domain, as in the event log. Cannot see: who wrote a line.
 *
 * Source: PowerShell/openssh-portable, contrib/win32/win32compat/w32log.c.
 *
 * Example: 5848 2021-05-20 14:49:52.315 Failed password for invalid user hacker from 10.23.23.9 ...
 */
#include "windows_sshd.h"

#include "sshd.h"
#include "text.h"
#include "time_text.h"
#include "windows.h"

/* Takes the number and the time off. */
static bool cut_head(struct span *line, uint32_t *ret_pid, struct span *ret_time)
{
	struct span rest = *line, pid = text_cut_word(&rest), day = text_cut_word(&rest);
	struct span time = text_cut_word(&rest);

	*ret_pid = text_u32(pid, 0);
	if (!*ret_pid || day.len != 10 || day.ptr[4] != '-' || day.ptr[7] != '-' ||
	    time.len != 12 || time.ptr[2] != ':' || time.ptr[8] != '.')
		return false;
	*ret_time = (struct span){day.ptr, day.len + 1 + time.len};
	*line = rest;
	return true;
}

bool windows_sshd_is(struct span line)
{
	struct span time;
	uint32_t pid;

	return cut_head(&line, &pid, &time);
}

enum decode_result windows_sshd_read(struct decode_stream *s, struct span line, struct event *ret,
				     const char **reason)
{
	struct frame f = {.uid = UINT32_MAX, .ident = SPAN_LIT("sshd")};
	struct span time = text_none();
	struct time_text t;
	enum decode_result r;

	*reason = "a line of sshd whose time is none";
	if (!cut_head(&line, &f.pid, &time) || !time_take_iso(s, &time, &t))
		return DECODE_BAD;
	f.time_ns = s->seen_ns = t.time_ns;
	f.message = text_trim_right(line);
	memset(ret, 0, sizeof(*ret));
	ret->trust = TRUST_TEXT;
	ret->time_ns = f.time_ns;
	ret->line = s->line;
	ret->count = 1;
	ret->flags = t.approximate ? (uint32_t)EVENT_TIME_APPROXIMATE : 0;
	ret->loginuid = ret->audit_session = UINT32_MAX;
	ret->program = f.ident;
	ret->text = f.message;
	ret->proc.pid = f.pid;
	ret->source = DECODER_windows_sshd;
	r = sshd_decode(&f, ret, reason);
	if (r == DECODE_EVENT && !(ret->flags & EVENT_ACCOUNT_UNKNOWN))
		windows_account(ret->account, ret);
	return r == DECODE_BAD ? DECODE_SKIPPED : r;
}

const struct decoder decoder_windows_sshd = {
	.name = "sshd-windows",
	.about = "OpenSSH for Windows' log file (sshd.log)",
	.example = "5848 2021-05-20 14:49:52.315 Failed password for invalid user hacker from "
		   "203.0.113.9 port 60096 ssh2",
};
