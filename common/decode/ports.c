/*
 * ports: which service is behind a port: whose process listens says more than its number.
 *
 * Cannot see: a daemon of another name on a port of its own (a renamed sshd is known by its PAM
 * calls and its banner).
 *
 * Example: dockerd listens on 4243: requests to it are Docker's.
 */
#include "ports.h"

static const struct {
	const char *comm;
	enum service service;
} daemons[] = {
	{"sshd", SERVICE_SSH},
	{"dropbear", SERVICE_SSH},
	{"xrdp", SERVICE_RDP},
	{"in.telnetd", SERVICE_TELNET},
	{"telnetd", SERVICE_TELNET},
	{"vsftpd", SERVICE_FTP},
	{"proftpd", SERVICE_FTP},
	{"pure-ftpd", SERVICE_FTP},
	{"Xtigervnc", SERVICE_VNC},
	{"x11vnc", SERVICE_VNC},
	{"dockerd", SERVICE_DOCKER},
	{"podman", SERVICE_DOCKER},
	{"kubelet", SERVICE_KUBELET},
	{"kube-apiserver", SERVICE_KUBE_API},
	{"dashboard", SERVICE_KUBE_DASHBOARD},
	{"dashboard-api", SERVICE_KUBE_DASHBOARD},
};

static const struct {
	uint16_t port;
	enum service service;
} ports[] = {
	{22, SERVICE_SSH},	  {2222, SERVICE_SSH},	    {23, SERVICE_TELNET},
	{21, SERVICE_FTP},	  {3389, SERVICE_RDP},	    {5900, SERVICE_VNC},
	{5985, SERVICE_WINRM},	  {5986, SERVICE_WINRM},    {445, SERVICE_SMB},
	{139, SERVICE_SMB},	  {135, SERVICE_RPC},	    {593, SERVICE_RPC},
	{2375, SERVICE_DOCKER},	  {2376, SERVICE_DOCKER},   {10250, SERVICE_KUBELET},
	{6443, SERVICE_KUBE_API}, {10255, SERVICE_KUBELET},
};

static enum service by_name(struct span comm)
{
	if (span_starts(comm, SPAN_LIT("sshd"))) /* and sshd-session, sshd-auth */
		return SERVICE_SSH;
	for (size_t i = 0; i < sizeof(daemons) / sizeof(daemons[0]); i++)
		if (span_is(comm, daemons[i].comm))
			return daemons[i].service;
	return SERVICE_NONE;
}

static unsigned named(const struct service_ports *p, uint32_t netns, uint16_t port)
{
	unsigned i = 0;

	while (i < PORTS_NAMED_MAX && (p->at[i].service == SERVICE_NONE || p->at[i].port != port ||
				       p->at[i].netns != netns))
		i++;
	return i;
}

void service_listens(struct service_ports *p, uint32_t netns, uint16_t port, struct span comm)
{
	unsigned i = named(p, netns, port);
	enum service s = by_name(comm);

	if (s == SERVICE_NONE) { /* another daemon has the port now */
		if (i < PORTS_NAMED_MAX)
			p->at[i].service = SERVICE_NONE;
		return;
	}
	if (i == PORTS_NAMED_MAX)
		i = p->next++ % PORTS_NAMED_MAX;
	p->at[i].netns = netns;
	p->at[i].port = port;
	p->at[i].service = (uint8_t)s;
}

enum service service_behind(const struct service_ports *p, uint32_t netns, uint16_t port,
			    struct span comm)
{
	unsigned i = named(p, netns, port);

	if (span_starts(comm, SPAN_LIT("sshd")))
		return SERVICE_SSH;
	if (i < PORTS_NAMED_MAX)
		return (enum service)p->at[i].service;
	for (i = 0; i < sizeof(ports) / sizeof(ports[0]); i++)
		if (ports[i].port == port)
			return ports[i].service;
	return SERVICE_NONE;
}
