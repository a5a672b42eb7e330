/*
 * watch_table: the places where a change lets somebody come back. A row a directory; a name that
 * no pattern fits is nobody's business (known_hosts, an editor's swap file, what cron ignores).
 */
#include "watch_table.h"

#include <fnmatch.h>

#define CRON_NAME "+([A-Za-z0-9_-])" /* run-parts(8) and cron(8) ignore every other */

static const struct watch_name ssh_names[] = {
	{"authorized_keys?(2)", "authorized-keys", LINES_KEYS},
	{"rc", "ssh-rc", LINES_NONE},
	{NULL, NULL, LINES_NONE},
};

static const struct watch_name etc_ssh_names[] = {
	{"sshd_config", "sshd-config", LINES_NONE},
	{"sshrc", "ssh-rc", LINES_NONE},
	{NULL, NULL, LINES_NONE},
};

static const struct watch_name sshd_d_names[] = {
	{"*.conf", "sshd-config", LINES_NONE},
	{NULL, NULL, LINES_NONE},
};

static const struct watch_name unit_names[] = {
	{".*", NULL, LINES_NONE},
	{"*@(anydesk|teamviewer|rustdesk|screenconnect|splashtop|meshagent|atera|dwagent)*.service",
	 "remote-tool", LINES_NONE},
	{"*@(ngrok|cloudflared|tailscale|zerotier|frpc|chisel)*.service", "remote-tool",
	 LINES_NONE},
	{"tor?(@*).service", "tor-service", LINES_NONE},
	{"*.timer", "scheduled-task", LINES_NONE},
	{"*.@(service|socket|path|mount|automount|swap|target)", "service-unit", LINES_NONE},
	{NULL, NULL, LINES_NONE},
};

static const struct watch_name cron_names[] = {
	{CRON_NAME, "scheduled-task", LINES_ACCOUNTS},
	{NULL, NULL, LINES_NONE},
};

static const struct watch_name crontab_names[] = {
	{"@(tmp.*|.*)", NULL, LINES_NONE}, /* crontab(1) while it writes; the directory itself */
	{"*", "scheduled-task", LINES_NONE},
	{NULL, NULL, LINES_NONE},
};

static const struct watch_name at_names[] = {
	{"[a-zA-Z]+([0-9a-f])", "scheduled-task", LINES_NONE},
	{NULL, NULL, LINES_NONE},
};

static const struct watch_name sudoers_names[] = {
	{"@(*.*|*~)", NULL, LINES_NONE}, /* sudo ignores them */
	{"*", "sudoers", LINES_NONE},
	{NULL, NULL, LINES_NONE},
};

static const struct watch_name pam_names[] = {
	{"@(.*|*~|*.dpkg-*|*.rpm*)", NULL, LINES_NONE},
	{"*", "pam", LINES_NONE},
	{NULL, NULL, LINES_NONE},
};

static const struct watch_name tor_names[] = {
	{"torrc", "tor-service", LINES_NONE},
	{NULL, NULL, LINES_NONE},
};

static const struct watch_name etc_names[] = {
	{"passwd", "account", LINES_ACCOUNTS},
	{"shadow", "account", LINES_NONE},
	{"group", "group", LINES_ACCOUNTS},
	{"gshadow", "group", LINES_NONE},
	{"sudoers", "sudoers", LINES_NONE},
	{"crontab", "scheduled-task", LINES_NONE},
	{"ld.so.preload", "preload", LINES_NONE},
	{"rc.local", "service-unit", LINES_NONE},
	{NULL, NULL, LINES_NONE},
};

const struct watch_dir watch_dirs[WATCH_KINDS] = {
	[WATCH_HOMES] = {.path = "/home"},
	[WATCH_ETC] = {.path = "/etc", .names = etc_names},
	[WATCH_ETC_SSH] = {"/etc/ssh", WATCH_ETC, "ssh", etc_ssh_names},
	[WATCH_SSHD_D] = {"/etc/ssh/sshd_config.d", WATCH_ETC_SSH, "sshd_config.d", sshd_d_names},
	[WATCH_UNITS] = {.path = "/etc/systemd/system", .names = unit_names},
	[WATCH_CRON_D] = {"/etc/cron.d", WATCH_ETC, "cron.d", cron_names},
	[WATCH_CRON_HOURLY] = {"/etc/cron.hourly", WATCH_ETC, "cron.hourly", cron_names},
	[WATCH_CRON_DAILY] = {"/etc/cron.daily", WATCH_ETC, "cron.daily", cron_names},
	[WATCH_CRON_WEEKLY] = {"/etc/cron.weekly", WATCH_ETC, "cron.weekly", cron_names},
	[WATCH_CRON_MONTHLY] = {"/etc/cron.monthly", WATCH_ETC, "cron.monthly", cron_names},
	[WATCH_CRONTABS] = {.path = "/var/spool/cron/crontabs", .names = crontab_names},
	[WATCH_AT] = {.path = "/var/spool/cron/atjobs", .names = at_names},
	[WATCH_AT_SPOOL] = {.path = "/var/spool/at", .names = at_names},
	[WATCH_SUDOERS_D] = {"/etc/sudoers.d", WATCH_ETC, "sudoers.d", sudoers_names},
	[WATCH_PAM_D] = {"/etc/pam.d", WATCH_ETC, "pam.d", pam_names},
	[WATCH_TOR] = {"/etc/tor", WATCH_ETC, "tor", tor_names},
	[WATCH_HOME] = {.path = ""},
	[WATCH_SSH] = {".ssh", WATCH_HOME, ".ssh", ssh_names},
	[WATCH_CONFIG] = {".config", WATCH_HOME, ".config", NULL},
	[WATCH_CONFIG_SYSTEMD] = {".config/systemd", WATCH_CONFIG, "systemd", NULL},
	[WATCH_USER_UNITS] = {".config/systemd/user", WATCH_CONFIG_SYSTEMD, "user", unit_names},
};

const struct watch_name *watch_match(enum watch_kind kind, const char *name)
{
	const struct watch_name *n = watch_dirs[kind].names;

	for (; n && n->pattern; n++)
		if (fnmatch(n->pattern, name, FNM_EXTMATCH) == 0)
			return n->reason ? n : NULL;
	return NULL;
}
