/*
 * source_journal: sshd's words from the systemd journal, with the writer that journald vouches
 * for. Continues after the saved cursor, so what was logged while the agent was dead is read; a
 * first start begins at the end.
 */
#include "engine.h"
#include "host.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <systemd/sd-journal.h>

#define CURSOR_BLOB "journal-cursor"
#define LINE_BLOB   "journal-line" /* its number: part of an event's id */
/* A busy journal must not starve the rings: the rest is read in the next round. */
#define ENTRIES_PER_ROUND 512

struct journal_source {
	sd_journal *j;
	unsigned status;
	struct decode_stream stream;
};

static struct span field(sd_journal *j, const char *name)
{
	const void *data = NULL;
	size_t len = 0, skip = strlen(name) + 1;

	if (sd_journal_get_data(j, name, &data, &len) < 0 || len < skip)
		return (struct span){NULL, 0};
	return (struct span){(const char *)data + skip, len - skip};
}

/* A field's bytes are valid until the next field is read, so each is copied to a bounded place. */
struct entry {
	char message[DECODE_LINE_MAX], ident[64], exe[128], host[80], unit[80];
};

static struct span keep(char *dst, size_t cap, struct span s)
{
	size_t n = s.len < cap ? s.len : cap;

	if (n)
		memcpy(dst, s.ptr, n);
	return (struct span){dst, n};
}

static uint32_t field_u32(sd_journal *j, const char *name, uint32_t missing)
{
	uint64_t v;

	return span_u64(field(j, name), &v) && v <= UINT32_MAX ? (uint32_t)v : missing;
}

static void entry_deliver(struct engine *e, struct journal_source *src)
{
	struct entry x;
	struct frame f = {.uid = UINT32_MAX};
	uint64_t us = 0;

	if (sd_journal_get_realtime_usec(src->j, &us) < 0)
		return;
	f.time_ns = us * 1000;
	f.message = keep(x.message, sizeof(x.message), field(src->j, "MESSAGE"));
	f.ident = keep(x.ident, sizeof(x.ident), field(src->j, "SYSLOG_IDENTIFIER"));
	f.host = keep(x.host, sizeof(x.host), field(src->j, "_HOSTNAME"));
	f.unit = keep(x.unit, sizeof(x.unit), field(src->j, "_SYSTEMD_UNIT"));
	f.exe = keep(x.exe, sizeof(x.exe), field(src->j, "_EXE"));
	if (!f.exe.len)
		f.exe = keep(x.exe, sizeof(x.exe), field(src->j, "_COMM"));
	f.uid = field_u32(src->j, "_UID", UINT32_MAX);
	f.pid = field_u32(src->j, "_PID", 0);
	engine_frame(e, src->status, &src->stream, &f);
}

static void journal_drain(struct engine *e, struct journal_source *src)
{
	for (unsigned i = 0; i < ENTRIES_PER_ROUND; i++) {
		int r = sd_journal_next(src->j);

		if (r < 0) {
			snprintf(e->sources[src->status].reason, SENSOR_REASON_MAX,
				 "cannot read: %s", strerror(-r));
			e->sources[src->status].state = SOURCE_FAILED;
		}
		if (r <= 0)
			return;
		entry_deliver(e, src);
	}
}

static void on_journal(struct engine *e, struct watcher *w)
{
	struct journal_source *src = w->arg;

	sd_journal_process(src->j);
	journal_drain(e, src);
}

/* The host's, which a container must name: whose it is cannot be told by our own machine-id there.
 */
static int journal_open(sd_journal **ret)
{
	if (host_is_ours())
		return sd_journal_open(ret, SD_JOURNAL_LOCAL_ONLY | SD_JOURNAL_SYSTEM);
	return sd_journal_open_directory_fd(ret, host_root(),
					    SD_JOURNAL_OS_ROOT | SD_JOURNAL_SYSTEM);
}

static int matches_add(const struct engine *e, sd_journal *j)
{
	static const char *const idents[] = {
		"SYSLOG_IDENTIFIER=sshd",
		"SYSLOG_IDENTIFIER=sshd-session",
		"SYSLOG_IDENTIFIER=sshd-auth",
		"SYSLOG_IDENTIFIER=sshd(pam_google_authenticator)",
		"SYSLOG_IDENTIFIER=pam_duo",
		"SYSLOG_IDENTIFIER=login_duo",
		"SYSLOG_IDENTIFIER=dovecot",
		"SYSLOG_IDENTIFIER=kubelet",
		"SYSLOG_IDENTIFIER=dropbear",
		"SYSLOG_IDENTIFIER=ocserv",
		"SYSLOG_IDENTIFIER=openvpn",
		"SYSLOG_IDENTIFIER=charon",
		"SYSLOG_IDENTIFIER=charon-systemd",
		"SYSLOG_IDENTIFIER=vsftpd",
		"SYSLOG_IDENTIFIER=pure-ftpd",
		"SYSLOG_IDENTIFIER=proftpd",
		"SYSLOG_IDENTIFIER=login",
		"SYSLOG_IDENTIFIER=xrdp-sesman",
		"SYSLOG_IDENTIFIER=xrdp-sesexec",
		"SYSLOG_IDENTIFIER=webmin",
		"SYSLOG_IDENTIFIER=usermin",
		"SYSLOG_IDENTIFIER=tinysshd",
		"SYSLOG_IDENTIFIER=dnsmasq-dhcp",
		"SYSLOG_IDENTIFIER=dhcpd",
		"SYSLOG_IDENTIFIER=kea-dhcp4",
		"SYSLOG_IDENTIFIER=Xvnc",
		"SYSLOG_IDENTIFIER=Xtigervnc",
		"SYSLOG_IDENTIFIER=x0vncserver",
		"SYSLOG_IDENTIFIER=x11vnc",
		"SYSLOG_IDENTIFIER=vncserver-x11",
		"SYSLOG_IDENTIFIER=vncserver-virtual",
	};
	char machine[sizeof(e->identity.host_id) + 16], own[OWN_WORD_MAX + 32];
	int r = 0;

	/* Of another field, so both must fit: other machines' journals may lie there, too. */
	if (!host_is_ours() && e->identity.host_id[0]) {
		snprintf(machine, sizeof(machine), "_MACHINE_ID=%s", e->identity.host_id);
		r = sd_journal_add_match(j, machine, 0);
	}
	for (size_t i = 0; i < sizeof(idents) / sizeof(idents[0]) && r >= 0; i++)
		r = sd_journal_add_match(j, idents[i], 0);
	for (unsigned i = 0; i < e->config->own_count && r >= 0; i++) {
		snprintf(own, sizeof(own), "SYSLOG_IDENTIFIER=%s", e->config->own[i].program);
		if (e->config->own[i].program[0])
			r = sd_journal_add_match(j, own, 0);
	}
	return r;
}

static int journal_seek(struct engine *e, sd_journal *j)
{
	void *cursor = NULL;
	size_t len = 0;
	int r;

	if (!engine_kept(e, CURSOR_BLOB, &cursor, &len)) {
		r = sd_journal_seek_tail(j);
		return r < 0 ? r : sd_journal_previous(j);
	}
	r = sd_journal_seek_cursor(j, cursor);
	if (r >= 0 && sd_journal_next(j) > 0 && sd_journal_test_cursor(j, cursor) <= 0)
		r = sd_journal_previous(j); /* that entry was vacuumed: do not skip its successor */
	free(cursor);
	return r;
}

static void line_restore(struct engine *e, struct journal_source *src)
{
	void *line = NULL;
	size_t len = 0;

	if (!engine_kept(e, LINE_BLOB, &line, &len))
		return;
	if (len == sizeof(src->stream.line))
		memcpy(&src->stream.line, line, len);
	free(line);
}

int journal_source_open(struct engine *e, unsigned status)
{
	struct journal_source *src = calloc(1, sizeof(*src));
	int r = src ? 0 : -ENOMEM;

	if (!r)
		r = journal_open(&src->j);
	if (r >= 0)
		r = matches_add(e, src->j);
	if (r >= 0)
		r = journal_seek(e, src->j);
	if (r >= 0)
		r = sd_journal_get_fd(src->j);
	if (r >= 0)
		r = engine_watch(e, &e->journal, r, on_journal, src);
	if (r < 0) {
		e->sources[status].state = SOURCE_FAILED;
		snprintf(e->sources[status].reason, SENSOR_REASON_MAX, "cannot open: %s",
			 strerror(-r));
		if (src)
			sd_journal_close(src->j);
		free(src);
		return r;
	}
	src->status = status;
	src->stream.forced_source = -1;
	src->stream.own = e->own;
	line_restore(e, src);
	e->journal_source = src;
	e->sources[status].state = SOURCE_ON;
	journal_drain(e, src);
	return 0;
}

void journal_source_save(struct engine *e)
{
	char *cursor = NULL;

	if (!e->journal_source || sd_journal_get_cursor(e->journal_source->j, &cursor) < 0)
		return;
	if (store_put_blob(e->store, CURSOR_BLOB, cursor, strlen(cursor) + 1))
		core_stats(e->core)->store_errors++;
	free(cursor);
	if (store_put_blob(e->store, LINE_BLOB, &e->journal_source->stream.line,
			   sizeof(e->journal_source->stream.line)))
		core_stats(e->core)->store_errors++;
}

void journal_source_close(struct engine *e)
{
	if (!e->journal_source)
		return;
	sd_journal_close(e->journal_source->j);
	free(e->journal_source);
	e->journal_source = NULL;
}
