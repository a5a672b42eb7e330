/*
 * judge: which service a listener is, who reaches it, and what it asks for.
 *
 * A service is known by its program; where that says nothing, by its port. What else listens (web
 * servers, databases) is no remote service and is left out.
 *
 * Cannot see: what a firewall, here or before this host, lets through.
 *
 * Example: Xtigervnc on 0.0.0.0:5905 with "-SecurityTypes None": anyone reaches it, no password.
 */
#include "exposure.h"

#include <stdio.h>
#include <stdlib.h>

#include "../core/core_text.h"
#include "../decode/ports.h"
#include "daemons.h"
#include "sshd_config.h"

#define DELETED " (deleted)"

static const struct {
	const char *program;
	enum service service;
} programs[] = {
	{"sshd", SERVICE_SSH},
	{"dropbear", SERVICE_SSH},
	{"tinysshd", SERVICE_SSH},
	{"mosh-server", SERVICE_SSH},
	{"xrdp", SERVICE_RDP},
	{"gnome-remote-desktop-daemon", SERVICE_RDP},
	{"freerdp-shadow-cli", SERVICE_RDP},
	{"Xtigervnc", SERVICE_VNC},
	{"Xtightvnc", SERVICE_VNC},
	{"Xvnc", SERVICE_VNC},
	{"x0tigervncserver", SERVICE_VNC},
	{"X0tigervnc", SERVICE_VNC},
	{"x11vnc", SERVICE_VNC},
	{"wayvnc", SERVICE_VNC},
	{"telnetd", SERVICE_TELNET},
	{"in.telnetd", SERVICE_TELNET},
	{"vsftpd", SERVICE_FTP},
	{"proftpd", SERVICE_FTP},
	{"pure-ftpd", SERVICE_FTP},
	{"openvpn", SERVICE_VPN},
	{"wireguard-go", SERVICE_VPN},
	{"charon", SERVICE_VPN},
	{"charon-systemd", SERVICE_VPN},
	{"pluto", SERVICE_VPN},
	{"ocserv", SERVICE_VPN},
	{"vpnserver", SERVICE_VPN},
	{"dockerd", SERVICE_DOCKER},
	{"kubelet", SERVICE_KUBELET},
	{"kube-apiserver", SERVICE_KUBE_API},
	{"smbd", SERVICE_SMB},
	{"cockpit-ws", SERVICE_WEB_REMOTE},
	{"cockpit-tls", SERVICE_WEB_REMOTE},
	{"shellinaboxd", SERVICE_WEB_REMOTE},
	{"microsocks", SERVICE_SOCKS},
	{"danted", SERVICE_SOCKS},
	{"sockd", SERVICE_SOCKS},
	{"3proxy", SERVICE_SOCKS},
	{"ttyd", SERVICE_WEB_REMOTE},
	{"gotty", SERVICE_WEB_REMOTE},
};

static const struct {
	uint16_t port;
	bool udp;
	enum service service;
} ports[] = {
	{51820, true, SERVICE_VPN},  {1194, true, SERVICE_VPN},	  {500, true, SERVICE_VPN},
	{4500, true, SERVICE_VPN},   {1194, false, SERVICE_VPN},  {512, false, SERVICE_OTHER},
	{513, false, SERVICE_OTHER}, {514, false, SERVICE_OTHER},
};

static struct span program_of(struct span path)
{
	struct span deleted = SPAN_LIT(DELETED);

	if (path.len > deleted.len && span_starts(span_skip(path, path.len - deleted.len), deleted))
		path.len -= deleted.len;
	return path;
}

static bool starts_others(struct span base)
{
	return span_is(base, "systemd") || span_is(base, "inetd") || span_is(base, "xinetd") ||
	       span_is(base, "tcpserver");
}

enum service exposure_service(struct span path, struct span name, uint16_t port, bool udp)
{
	static const struct service_ports none;
	struct span base = span_base(program_of(span_empty(path) ? name : path));
	/* What a client binds is above; mosh and WireGuard listen there, too. */
	bool is_client = udp && port >= 32768 && !span_is(base, "mosh-server") &&
			 !span_is(base, "wireguard-go");

	for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]) && !is_client; i++)
		if (span_is(base, programs[i].program))
			return programs[i].service;
	if (span_starts(base, SPAN_LIT("sshd-session")))
		return SERVICE_SSH;
	for (size_t i = 0; i < sizeof(ports) / sizeof(ports[0]); i++)
		if (ports[i].port == port && ports[i].udp == udp &&
		    (ports[i].service != SERVICE_OTHER || starts_others(base) ||
		     span_has(base, SPAN_LIT("rsh")) || span_has(base, SPAN_LIT("rlogin"))))
			return ports[i].service;
	return udp ? SERVICE_NONE : service_behind(&none, 0, port, SPAN_LIT(""));
}

static bool is_wildcard(const struct exposure *x)
{
	return x->any_v4 || x->any_v6;
}

enum exposure_reach exposure_reach(const struct exposure *x, bool has_external,
				   const struct scope_rules *rules)
{
	enum scope s = scope_of(&x->at.addr, rules);

	if (is_wildcard(x))
		return x->host_net || has_external ? REACH_ANYONE : REACH_PRIVATE;
	if (s == SCOPE_NONE)
		return REACH_UNKNOWN;
	if (s == SCOPE_LOOPBACK)
		return REACH_LOOPBACK;
	return scope_counts_as_external(s, rules) ? REACH_ANYONE : REACH_PRIVATE;
}

static void say(struct exposure *x, enum exposure_auth a, const char *words)
{
	x->auth = a;
	snprintf(x->words, sizeof(x->words), "%s", words);
}

static void judge_ssh(struct exposure *x, struct span base, struct span args,
		      const struct exposure_reader *r)
{
	if (span_is(base, "mosh-server"))
		say(x, EXPOSED_STRONG, "a key that its ssh session was given");
	else if (span_is(base, "dropbear"))
		exposure_dropbear(x, args);
	else if (span_is(base, "tinysshd"))
		say(x, EXPOSED_STRONG, "keys");
	else if (span_is(base, "sshd") && !span_empty(args))
		exposure_sshd(x, args, r);
	else if (starts_others(base) && !span_is(base, "tcpserver")) /* what it starts is sshd */
		exposure_sshd(x, SPAN_LIT(""), r);
	else
		say(x, EXPOSED_UNKNOWN, "not known: another program than an ssh server listens");
}

static void judge_vpn(struct exposure *x, struct span base)
{
	if (!x->pid || span_is(base, "wireguard-go") || x->at.port == 51820)
		say(x, EXPOSED_STRONG, "keys (WireGuard)");
	else
		say(x, EXPOSED_UNKNOWN, "not judged: certificates or passwords, by its settings");
}

/* microsocks(1): -u a user; without one whoever reaches the port goes on from here as this host. */
static void judge_socks(struct exposure *x, struct span base, struct span args)
{
	struct span word;

	if (!span_is(base, "microsocks")) {
		say(x, EXPOSED_UNKNOWN, "not judged: a proxy, by its settings");
		return;
	}
	while (span_cut_arg(&args, &word))
		if (span_starts(word, SPAN_LIT("-u"))) {
			say(x, EXPOSED_WEAK, "a password, in clear text");
			return;
		}
	say(x, EXPOSED_NONE, "none: whoever reaches it goes on from here");
}

void exposure_judge(struct exposure *x, struct span args, const struct exposure_reader *r)
{
	struct span base = span_base(program_of(span_of(x->path[0] ? x->path : x->name)));

	switch (x->service) {
	case SERVICE_SSH:
		judge_ssh(x, base, args, r);
		return;
	case SERVICE_VNC:
		exposure_vnc(x, args);
		return;
	case SERVICE_DOCKER:
		if (span_is(base, "dockerd"))
			exposure_docker(x, args, r);
		else
			say(x, EXPOSED_UNKNOWN, "not judged");
		return;
	case SERVICE_KUBELET:
		exposure_kubelet(x, args, r);
		return;
	case SERVICE_KUBE_API:
		exposure_kube_api(x, args);
		return;
	case SERVICE_TELNET:
	case SERVICE_FTP:
		say(x, EXPOSED_WEAK, "a password, in clear text");
		return;
	case SERVICE_RDP:
	case SERVICE_WEB_REMOTE:
		say(x, EXPOSED_WEAK, "a password");
		return;
	case SERVICE_VPN:
		judge_vpn(x, base);
		return;
	case SERVICE_SOCKS:
		judge_socks(x, base, args);
		return;
	case SERVICE_OTHER:
		if (!x->account[0])
			say(x, EXPOSED_WEAK, "a host name or a password, in clear text");
		else
			say(x, EXPOSED_UNKNOWN, "not known: a port that the session forwards");
		return;
	default:
		say(x, EXPOSED_UNKNOWN, "not judged");
		return;
	}
}

unsigned exposure_merge(struct exposure *rows, unsigned n)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < n; i++) {
		unsigned k = 0;

		while (k < kept &&
		       !(rows[k].pid == rows[i].pid && rows[k].netns == rows[i].netns &&
			 rows[k].at.port == rows[i].at.port && rows[k].udp == rows[i].udp &&
			 rows[k].service == rows[i].service &&
			 ((is_wildcard(&rows[k]) && is_wildcard(&rows[i])) ||
			  addr_eq(&rows[k].at.addr, &rows[i].at.addr))))
			k++;
		if (k < kept) {
			rows[k].any_v4 |= rows[i].any_v4;
			rows[k].any_v6 |= rows[i].any_v6;
			continue;
		}
		if (kept != i)
			rows[kept] = rows[i];
		kept++;
	}
	return kept;
}

/* FNV-1a over the pieces, each with its end. */
static uint64_t mix(uint64_t h, struct span s)
{
	for (size_t i = 0; i < s.len; i++)
		h = (h ^ (unsigned char)s.ptr[i]) * 0x100000001b3ull;
	return (h ^ 0xff) * 0x100000001b3ull;
}

uint64_t exposure_key(const struct exposure *x, uint64_t seed)
{
	uint64_t h = 0xcbf29ce484222325ull ^ seed;
	const char *where = x->image[0]	      ? x->image
			    : x->container[0] ? x->container
			    : x->host_net     ? "host"
					      : "other";
	char port[32];

	snprintf(port, sizeof(port), "%u %u%s", (unsigned)x->service, x->at.port,
		 x->udp ? " udp" : "");
	h = mix(mix(h, span_of(port)), span_of(where));
	h = mix(h, program_of(span_of(x->path[0] ? x->path : x->name)));
	h = mix(h, span_of(x->account));
	return h ? h : 1;
}

void exposure_address(const struct exposure *x, char ret[EXPOSURE_ADDRESS])
{
	char addr[ADDR_TEXT_MAX];
	bool v6 = x->at.addr.family == ADDR_V6 && !is_wildcard(x);

	snprintf(ret, EXPOSURE_ADDRESS, "%s%s%s:%u%s", v6 ? "[" : "",
		 is_wildcard(x) ? "*" : addr_format(&x->at.addr, addr), v6 ? "]" : "", x->at.port,
		 x->udp ? "/udp" : "");
}

static const struct mitigation segment = {"M1030", "Network Segmentation",
					  "let only the networks that need it reach this port"};
static const struct mitigation limit = {"M1035", "Limit Access to Resource Over Network",
					"put it behind a VPN or gateway, or bind it to 127.0.0.1"};
static const struct mitigation factor = {"M1032", "Multi-factor Authentication",
					 "turn passwords off for keys, or ask for a second factor"};
static const struct mitigation disable = {"M1042", "Disable or Remove Feature or Program",
					  "stop it and take it away unless somebody needs it"};
static const struct mitigation filter = {"M1021", "Restrict Web-Based Content",
					 "let a reverse proxy that asks who it is stand before it"};

/* One sentence for what is wrong with it most. */
static struct mitigation first_of(const struct exposure *x)
{
	struct mitigation m = disable;

	switch (x->service) {
	case SERVICE_DOCKER:
		m.advice =
			"take tcp:// out of its hosts, or set tlsverify with client certificates";
		break;
	case SERVICE_KUBELET:
		m.advice = "set anonymous-auth=false, authorization-mode=Webhook, read-only-port=0";
		break;
	case SERVICE_VNC:
		m.advice = "bind it to 127.0.0.1 (-localhost) and reach it through ssh";
		break;
	case SERVICE_TELNET:
	case SERVICE_FTP:
		m.advice = "remove it: ssh and sftp do the same inside encryption";
		break;
	default:
		break;
	}
	return m;
}

unsigned exposure_mitigations(const struct exposure *x, struct mitigation ret[EXPOSURE_MITIGATION])
{
	unsigned n = 0;
	bool clear = x->service == SERVICE_TELNET || x->service == SERVICE_FTP ||
		     x->service == SERVICE_VNC;

	if (x->reach == REACH_LOOPBACK)
		return 0;
	if (x->auth == EXPOSED_NONE || (clear && x->auth == EXPOSED_WEAK))
		ret[n++] = first_of(x);
	else if (x->auth == EXPOSED_WEAK)
		ret[n++] = factor;
	if (x->service == SERVICE_WEB_REMOTE || x->service == SERVICE_KUBE_DASHBOARD)
		ret[n++] = filter;
	if (x->reach == REACH_ANYONE)
		ret[n++] = x->auth == EXPOSED_STRONG ? segment : limit;
	return n;
}

const char *exposure_reach_name(enum exposure_reach r)
{
	static const char *const names[] = {"unknown", "loopback", "private", "anyone"};

	return r <= REACH_ANYONE ? names[r] : names[0];
}

const char *exposure_auth_name(enum exposure_auth a)
{
	static const char *const names[] = {"unknown", "strong", "weak", "none"};

	return a <= EXPOSED_NONE ? names[a] : names[0];
}

void exposure_text(const struct exposure *x, char ret[EXPOSURE_TEXT_MAX])
{
	struct text t = text_start(ret, EXPOSURE_TEXT_MAX);
	struct mitigation m[EXPOSURE_MITIGATION];
	unsigned n = exposure_mitigations(x, m);
	char address[EXPOSURE_ADDRESS];

	exposure_address(x, address);
	text_add(&t, "%s on %s by ", service_name(x->service), address);
	text_plain(&t, span_of(x->path[0] ? x->path : x->name), 80);
	text_add(&t, " (pid %u, package ", (unsigned)x->pid);
	text_plain(&t, span_of(x->package[0] ? x->package : "unknown"), 40);
	if (x->container[0]) {
		text_add(&t, ", container ");
		text_plain(&t, span_of(x->container), 40);
	}
	text_add(&t, "), asks for ");
	text_plain(&t, span_of(x->words), 120);
	for (unsigned i = 0; i < n; i++)
		text_add(&t, "%s%s", i ? " " : "; ", m[i].id);
}
