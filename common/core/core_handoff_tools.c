/*
 * handoff_tools: which programs and which local sockets lead to who starts things for others. By
 * name; user space and kernel have the same table.
 *
 * Cannot see: a tool under another name (its socket tells, from Linux 6.7).
 *
 * Example: systemd-run reaches systemd or D-Bus; /run/docker.sock a container engine.
 */
#include "core_internal.h"

/* bpf/handoff.bpf.c has the same. */
static const struct handoff_tool tools[] = {
	{"systemd-run", HANDOFF_SYSTEMD, KIND_BIT(SYSTEMD) | KIND_BIT(DBUS)},
	{"run0", HANDOFF_SYSTEMD, KIND_BIT(SYSTEMD) | KIND_BIT(DBUS)},
	{"systemctl", HANDOFF_SYSTEMD, KIND_BIT(SYSTEMD)},
	{"busctl", HANDOFF_DBUS, KIND_BIT(SYSTEMD) | KIND_BIT(DBUS)},
	{"gdbus", HANDOFF_DBUS, KIND_BIT(SYSTEMD) | KIND_BIT(DBUS)},
	{"dbus-send", HANDOFF_DBUS, KIND_BIT(SYSTEMD) | KIND_BIT(DBUS)},
	{"docker", HANDOFF_CONTAINER, KIND_BIT(CONTAINER)},
	{"podman", HANDOFF_CONTAINER, KIND_BIT(CONTAINER)},
	{"nerdctl", HANDOFF_CONTAINER, KIND_BIT(CONTAINER)},
	{"crictl", HANDOFF_CONTAINER, KIND_BIT(CONTAINER)},
	{"ctr", HANDOFF_CONTAINER, KIND_BIT(CONTAINER)},
	{"tmux", HANDOFF_TMUX, KIND_BIT(TMUX)},
	{"screen", HANDOFF_SCREEN, KIND_BIT(SCREEN)},
};

/* Where a socket is, and what starts programs there. */
static const struct handoff_tool sockets[] = {
	{"/run/systemd/private", HANDOFF_SYSTEMD, KIND_BIT(SYSTEMD)},
	{"/run/dbus/", HANDOFF_DBUS, KIND_BIT(SYSTEMD) | KIND_BIT(DBUS)},
	{"/run/docker", HANDOFF_CONTAINER, KIND_BIT(CONTAINER)},
	{"/run/containerd", HANDOFF_CONTAINER, KIND_BIT(CONTAINER)},
	{"/run/podman", HANDOFF_CONTAINER, KIND_BIT(CONTAINER)},
	{"/run/crio", HANDOFF_CONTAINER, KIND_BIT(CONTAINER)},
	{"/tmp/tmux-", HANDOFF_TMUX, KIND_BIT(TMUX)},
	{"/run/screen", HANDOFF_SCREEN, KIND_BIT(SCREEN)},
	{"/tmp/ssh-", HANDOFF_AGENT, 0},
};

struct handoff_tool handoff_socket(struct span path)
{
	static const struct handoff_tool user_bus = {"", HANDOFF_DBUS,
						     KIND_BIT(SYSTEMD) | KIND_BIT(DBUS)};
	static const struct handoff_tool user_manager = {"", HANDOFF_SYSTEMD, KIND_BIT(SYSTEMD)};
	static const struct handoff_tool agent = {"", HANDOFF_AGENT, 0},
					 none = {"", HANDOFF_NONE, 0};

	if (span_starts(path, SPAN_LIT("/var/run/")))
		path = span_skip(path, 4);
	for (size_t i = 0; i < sizeof(sockets) / sizeof(sockets[0]); i++)
		if (span_starts(path, span_of(sockets[i].name)))
			return sockets[i];
	if (span_starts(path, SPAN_LIT("/run/user/"))) {
		if (span_has(path, SPAN_LIT("/systemd/private")))
			return user_manager;
		if (span_has(path, SPAN_LIT("/bus")))
			return user_bus;
	}
	/* A name of OpenSSH 10.1 says nothing of whose it is. */
	if (span_has(path, SPAN_LIT("agent")) && !span_has(path, SPAN_LIT("/.ssh/agent/")))
		return agent;
	return span_has(path, SPAN_LIT("/keyring/ssh")) ? agent : none;
}

const struct handoff_tool *handoff_program(struct span program)
{
	program = span_base(program);
	for (size_t i = 0; i < sizeof(tools) / sizeof(tools[0]); i++)
		if (span_is(program, tools[i].name))
			return &tools[i];
	return NULL;
}
