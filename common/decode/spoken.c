/*
 * spoken: what a server answers in, whatever its port. Bytes alone: a server that lies in its
 * banner is taken at its word, since what the client then speaks must fit.
 *
 * Cannot see: what comes inside TLS; a server that waits for words of its own first.
 *
 * Example: "SSH-2.0-OpenSSH_9.2" from port 443.
 */
#include "spoken.h"

#define OPENVPN_RESET_MIN 26
#define OPENVPN_RESET_MAX 256 /* with tls-auth or tls-crypt some 40 to 60 more */

static bool begins(struct span s, const char *bytes, size_t n)
{
	return s.len >= n && memcmp(s.ptr, bytes, n) == 0;
}

static uint8_t at(struct span s, size_t i)
{
	return i < s.len ? (uint8_t)s.ptr[i] : 0;
}

static bool is_telnet(struct span s)
{
	return s.len >= 3 && at(s, 0) == 0xff && at(s, 1) >= 0xfb && at(s, 1) <= 0xfe &&
	       at(s, 2) < 50;
}

/* Version 3, then the length of an X.225 TPDU, then its code. */
static bool is_rdp(struct span s)
{
	return s.len >= 11 && begins(s, "\x03\x00", 2) && at(s, 5) == 0xd0;
}

static bool is_smb(struct span s)
{
	static const char session_is_on[] = {(char)0x82, 0, 0, 0};

	if (s.len == sizeof(session_is_on) && begins(s, session_is_on, sizeof(session_is_on)))
		return true;
	return s.len >= 8 && at(s, 0) == 0 && (at(s, 4) == 0xfe || at(s, 4) == 0xff) &&
	       begins(span_skip(s, 5), "SMB", 3);
}

static bool is_rpc(struct span s)
{
	return (s.len >= 16 && begins(s, "\x05\x00\x0c", 3)) || begins(s, "ncacn_http/1.0", 14);
}

/*
 * Length, then opcode P_CONTROL_HARD_RESET_SERVER_V2 with key 0, session id, acknowledgements and a
 * packet id: never less than the opcode, two ids, a count and two numbers.
 */
static bool is_openvpn(struct span s)
{
	size_t len = (size_t)at(s, 0) << 8 | at(s, 1);

	return s.len >= 2 && len >= OPENVPN_RESET_MIN && len <= OPENVPN_RESET_MAX &&
	       s.len >= 2 + len && at(s, 2) == 8 << 3;
}

/*
 * The answer to a greeting, RFC 1928 3: version 5 and the method that is taken, none, GSSAPI or a
 * password. Of SOCKS 4 the answer to a request: null, 90 for "granted", a port and an address.
 */
static bool is_socks(struct span s)
{
	return (s.len == 2 && at(s, 0) == 5 && at(s, 1) <= 2) ||
	       (s.len == 8 && at(s, 0) == 0 && at(s, 1) == 90);
}

enum service spoken_by(struct span answer)
{
	if (begins(answer, "SSH-2.0-", 8) || begins(answer, "SSH-1.", 6))
		return SERVICE_SSH;
	if (begins(answer, "RFB 00", 6))
		return SERVICE_VNC;
	if (is_rdp(answer))
		return SERVICE_RDP;
	if (is_smb(answer))
		return SERVICE_SMB;
	if (is_rpc(answer))
		return SERVICE_RPC;
	if (is_openvpn(answer))
		return SERVICE_VPN;
	if (is_socks(answer))
		return SERVICE_SOCKS;
	return is_telnet(answer) ? SERVICE_TELNET : SERVICE_NONE;
}

/* IANA's registry of service names, and what Docker's and Kubernetes' documents name. */
static const struct {
	uint16_t port;
	enum service service;
	const char *name;
} ports[] = {
	{21, SERVICE_FTP, "ftp"},
	{22, SERVICE_SSH, "ssh"},
	{23, SERVICE_TELNET, "telnet"},
	{25, SERVICE_NONE, "smtp"},
	{53, SERVICE_NONE, "dns"},
	{80, SERVICE_NONE, "http"},
	{110, SERVICE_NONE, "pop3"},
	{135, SERVICE_RPC, "rpc"},
	{139, SERVICE_SMB, "smb"},
	{143, SERVICE_NONE, "imap"},
	{389, SERVICE_NONE, "ldap"},
	{443, SERVICE_NONE, "https"},
	{445, SERVICE_SMB, "smb"},
	{465, SERVICE_NONE, "smtps"},
	{587, SERVICE_NONE, "submission"},
	{593, SERVICE_RPC, "rpc over http"},
	{636, SERVICE_NONE, "ldaps"},
	{853, SERVICE_NONE, "dns over tls"},
	{873, SERVICE_NONE, "rsync"},
	{993, SERVICE_NONE, "imaps"},
	{995, SERVICE_NONE, "pop3s"},
	{1433, SERVICE_NONE, "mssql"},
	{2375, SERVICE_DOCKER, "docker"},
	{2376, SERVICE_DOCKER, "docker"},
	{3306, SERVICE_NONE, "mysql"},
	{3389, SERVICE_RDP, "rdp"},
	{5432, SERVICE_NONE, "postgresql"},
	{5900, SERVICE_VNC, "vnc"},
	{5985, SERVICE_WINRM, "winrm"},
	{5986, SERVICE_WINRM, "winrm"},
	{6379, SERVICE_NONE, "redis"},
	{6443, SERVICE_KUBE_API, "kube-api"},
	{8080, SERVICE_NONE, "http"},
	{8443, SERVICE_NONE, "https"},
	{10250, SERVICE_KUBELET, "kubelet"},
};

const char *port_is_for(uint16_t port, enum service *service)
{
	*service = SERVICE_NONE;
	for (size_t i = 0; i < sizeof(ports) / sizeof(ports[0]); i++) {
		if (ports[i].port != port)
			continue;
		*service = ports[i].service;
		return ports[i].name;
	}
	return NULL;
}
