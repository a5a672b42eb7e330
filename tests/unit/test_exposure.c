/* What listens: tables of the kernel, settings of daemons, and the judgement made of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>

#include "common/exposure/daemons.h"
#include "common/exposure/sockets.h"
#include "common/exposure/sshd_config.h"

/* Files by their number; a name is looked up in parts. */
struct disk {
	const char *file[SETTINGS_FILES];
	int error; /* of whatever is not there */
	struct {
		const char *name, *text;
	} parts[4];
};

static int disk_read(void *arg, enum settings_file which, const char *name, char **ret, size_t *len)
{
	const struct disk *d = arg;
	const char *text = d->file[which];

	for (size_t i = 0; i < 4; i++)
		if (which == SETTINGS_SSHD_PART && d->parts[i].name &&
		    !strcmp(d->parts[i].name, name))
			text = d->parts[i].text;
	*ret = NULL;
	if (!text)
		return d->error ? d->error : -ENOENT;
	*ret = strdup(text);
	*len = strlen(text);
	return 0;
}

static bool disk_part(void *arg, unsigned i, char name[EXPOSURE_PATH])
{
	const struct disk *d = arg;

	if (i >= 4 || !d->parts[i].name)
		return false;
	strcpy(name, d->parts[i].name);
	return true;
}

static struct exposure judged(enum service service, const char *path, struct span args,
			      const struct disk *d, uint16_t port)
{
	struct exposure_reader r = {(void *)(uintptr_t)d, disk_read, disk_part};
	struct exposure x = {.service = service, .at.port = port, .pid = 7};

	strcpy(x.path, path);
	exposure_judge(&x, args, &r);
	return x;
}

static void expect(const struct exposure *x, enum exposure_auth auth, const char *words, size_t row)
{
	if (x->auth != auth || !strstr(x->words, words))
		fail_msg("row %zu: %s: %s", row, exposure_auth_name(x->auth), x->words);
}

#define INCLUDE "Include /etc/ssh/sshd_config.d/*.conf\n"

static const struct {
	struct disk disk;
	const char *args;
	enum exposure_auth auth;
	const char *words;
} sshd_rows[] = {
	/* OpenSSH's defaults, also where there is no file */
	{{{"# nothing\n"}, 0, {{0}}}, "sshd", EXPOSED_WEAK, "passwords, keys; root by key"},
	{{{0}, 0, {{0}}}, "sshd", EXPOSED_WEAK, "passwords, keys"},
	{{{0}, -EACCES, {{0}}}, "sshd", EXPOSED_UNKNOWN, "cannot be read"},
	{{{"PasswordAuthentication no\n"}, 0, {{0}}}, "sshd", EXPOSED_STRONG, "keys alone"},
	/* keyboard-interactive asks PAM for a password */
	{{{"PasswordAuthentication no\nUsePAM yes\n"}, 0, {{0}}},
	 "sshd",
	 EXPOSED_WEAK,
	 "passwords"},
	{{{"PasswordAuthentication no\nUsePAM yes\nKbdInteractiveAuthentication no"}, 0, {{0}}},
	 "sshd",
	 EXPOSED_STRONG,
	 "keys alone"},
	{{{"passwordauthentication=no\r\nChallengeResponseAuthentication \"no\"\nusepam "
	   "yes"},
	  0,
	  {{0}}},
	 "sshd",
	 EXPOSED_STRONG,
	 "keys alone"},
	/* the first value counts */
	{{{"PasswordAuthentication no\nPasswordAuthentication yes\n"}, 0, {{0}}},
	 "sshd",
	 EXPOSED_STRONG,
	 "keys alone"},
	{{{INCLUDE "PasswordAuthentication no\n"},
	  0,
	  {{"10-a.conf", "PasswordAuthentication yes\n"}}},
	 "sshd",
	 EXPOSED_WEAK,
	 "passwords"},
	{{{INCLUDE "PasswordAuthentication yes\n"},
	  0,
	  {{"10-a.conf", "#\n"}, {"20-b.conf", "PasswordAuthentication no\n"}}},
	 "sshd",
	 EXPOSED_STRONG,
	 "keys alone"},
	{{{"Include /srv/x\nPasswordAuthentication no\n"}, 0, {{0}}},
	 "sshd",
	 EXPOSED_UNKNOWN,
	 "part of its configuration cannot be read"},
	/* an included file that includes itself ends */
	{{{INCLUDE "PasswordAuthentication no\n"}, 0, {{"a.conf", INCLUDE}}},
	 "sshd",
	 EXPOSED_UNKNOWN,
	 "cannot be read"},
	/* root */
	{{{"PasswordAuthentication no\nPermitRootLogin yes\n"}, 0, {{0}}},
	 "sshd",
	 EXPOSED_WEAK,
	 "root may log in"},
	{{{"PasswordAuthentication no\nPermitRootLogin no\n"}, 0, {{0}}},
	 "sshd",
	 EXPOSED_STRONG,
	 "root may not log in"},
	{{{"PermitEmptyPasswords yes\n"}, 0, {{0}}},
	 "sshd",
	 EXPOSED_WEAK,
	 "empty passwords allowed"},
	/* Match blocks */
	{{{"PasswordAuthentication no\nMatch User bob\nPasswordAuthentication yes\n"}, 0, {{0}}},
	 "sshd",
	 EXPOSED_WEAK,
	 "passwords for some (Match)"},
	{{{"Match User bob\nPasswordAuthentication yes\nMatch all\nPasswordAuthentication "
	   "no"},
	  0,
	  {{0}}},
	 "sshd",
	 EXPOSED_WEAK,
	 "for some"},
	{{{"Match User bob\nX11Forwarding no\nMatch all\nPasswordAuthentication no\n"}, 0, {{0}}},
	 "sshd",
	 EXPOSED_STRONG,
	 "keys alone; root by key only"},
	/* a block ends with its file */
	{{{INCLUDE "PasswordAuthentication no\n"}, 0, {{"a.conf", "Match User bob\nUsePAM no\n"}}},
	 "sshd",
	 EXPOSED_STRONG,
	 "keys alone"},
	{{{"AuthenticationMethods publickey,password publickey,keyboard-interactive\n"}, 0, {{0}}},
	 "sshd",
	 EXPOSED_STRONG,
	 "never a password alone"},
	{{{"AuthenticationMethods publickey password\n"}, 0, {{0}}},
	 "sshd",
	 EXPOSED_WEAK,
	 "passwords"},
	/* the command line comes first; a title has blanks in place of ends */
	{{{"PasswordAuthentication yes\n"}, 0, {{0}}},
	 "sshd: /usr/sbin/sshd -D -oPasswordAuthentication=no [listener] 0 of 10-100 "
	 "startups",
	 EXPOSED_STRONG,
	 "keys alone"},
	{{{[SETTINGS_SSHD] = "PasswordAuthentication no\n",
	   [SETTINGS_NAMED] = "PasswordAuthentication yes\n"},
	  0,
	  {{0}}},
	 "sshd: /usr/sbin/sshd -f /etc/x [listener] 0 of 10-100 startups",
	 EXPOSED_WEAK,
	 "passwords"},
	/* rubbish: what is not understood is not strong */
	{{{"PasswordAuthentication maybe\n"}, 0, {{0}}}, "sshd", EXPOSED_WEAK, "not understood"},
	{{{"PasswordAuthentication no\nPermitRootLogin \xff\x01\n"}, 0, {{0}}},
	 "sshd",
	 EXPOSED_UNKNOWN,
	 "not understood"},
	{{{"\"\n= = =\nPasswordAuthentication\n\"PasswordAuthentication\" no"}, 0, {{0}}},
	 "sshd",
	 EXPOSED_UNKNOWN,
	 "not understood"},
};

static void sshd(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(sshd_rows) / sizeof(sshd_rows[0]); i++) {
		struct exposure x = judged(SERVICE_SSH, "/usr/sbin/sshd",
					   span_of(sshd_rows[i].args), &sshd_rows[i].disk, 22);

		expect(&x, sshd_rows[i].auth, sshd_rows[i].words, i);
	}
}

static void titles(void **state)
{
	static const struct {
		const char *title, *account;
	} rows[] = {
		{"sshd: alice@pts/0", "alice"},
		{"sshd: alice", "alice"},
		{"sshd-session: bob@notty", "bob"},
		{"sshd: alice [priv]", ""},
		{"sshd: [accepted]", ""},
		{"sshd: /usr/sbin/sshd -D [listener] 0", ""},
		{"sshd: unknown [net]", ""},
		{"/usr/sbin/sshd", ""},
		{"sshd: ", ""},
		{"", ""},
	};
	char account[ACCOUNT_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		bool is = sshd_title_account(span_of(rows[i].title), account);

		if (is != (rows[i].account[0] != '\0') || (is && strcmp(account, rows[i].account)))
			fail_msg("row %zu: %s", i, account);
	}
}

#define ARGS(text) ((struct span){(text), sizeof(text) - 1})

static void vnc(void **state)
{
	static const struct {
		const char *path;
		struct span args;
		enum exposure_auth auth;
	} rows[] = {
		{"/usr/bin/Xtigervnc", ARGS("Xtigervnc\0:5\0-SecurityTypes\0None\0"), EXPOSED_NONE},
		{"/usr/bin/Xtigervnc", ARGS("Xtigervnc\0-securitytypes=VncAuth,TLSNone\0"),
		 EXPOSED_NONE},
		{"/usr/bin/Xtigervnc", ARGS("Xtigervnc\0SecurityTypes=None\0"), EXPOSED_NONE},
		{"/usr/bin/Xtigervnc", ARGS("Xtigervnc\0-SecurityTypes\0VncAuth\0"), EXPOSED_WEAK},
		{"/usr/bin/Xtigervnc", ARGS("Xtigervnc\0-SecurityTypes\0TLSVnc\0"), EXPOSED_WEAK},
		{"/usr/bin/Xtigervnc", ARGS("Xtigervnc\0:5\0-desktop\0None\0"), EXPOSED_WEAK},
		{"/usr/bin/Xtigervnc",
		 ARGS("Xtigervnc\0-SecurityTypes\0None\0-SecurityTypes\0VncAuth"), EXPOSED_WEAK},
		{"/usr/bin/Xtightvnc", ARGS("Xtightvnc\0:5\0"), EXPOSED_NONE},
		{"/usr/bin/Xtightvnc", ARGS("Xtightvnc\0:5\0-rfbauth\0/x\0"), EXPOSED_WEAK},
		{"/usr/bin/x11vnc", ARGS("x11vnc\0-display\0:6\0"), EXPOSED_NONE},
		{"/usr/bin/x11vnc", ARGS("x11vnc\0-rfbauth\0F\0"), EXPOSED_WEAK},
		{"/usr/bin/x11vnc", ARGS("x11vnc\0-rfbauth\0F\0-nopw\0"), EXPOSED_NONE},
		{"/usr/bin/python3.11", ARGS("python3\0-m\0http.server\0"), EXPOSED_UNKNOWN},
		{"/usr/bin/Xtigervnc", ARGS(""), EXPOSED_UNKNOWN},
		{"/usr/bin/Xtigervnc", ARGS("Xtigervnc\0-SecurityTypes"), EXPOSED_WEAK},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct disk none = {0};
		struct exposure x = judged(SERVICE_VNC, rows[i].path, rows[i].args, &none, 5905);

		expect(&x, rows[i].auth, "", i);
	}
}

static const struct {
	enum service service;
	const char *path;
	struct span args;
	struct disk disk;
	uint16_t port;
	enum exposure_auth auth;
} engines_rows[] = {
#define DOCKER	SERVICE_DOCKER, "/usr/sbin/dockerd"
#define KUBELET SERVICE_KUBELET, "/usr/bin/kubelet"
	{DOCKER, ARGS("dockerd\0-H\0tcp://0.0.0.0:2375\0"), {{0}, 0, {{0}}}, 2375, EXPOSED_NONE},
	{DOCKER, ARGS("dockerd\0--tls\0"), {{0}, 0, {{0}}}, 2376, EXPOSED_NONE},
	{DOCKER, ARGS("dockerd\0--tlsverify\0-H\0tcp://"), {{0}, 0, {{0}}}, 2376, EXPOSED_STRONG},
	{DOCKER, ARGS("dockerd\0--tlsverify=false\0"), {{0}, 0, {{0}}}, 2376, EXPOSED_NONE},
	{DOCKER,
	 ARGS("dockerd\0"),
	 {{[SETTINGS_DOCKER] = "{\"hosts\":[\"tcp://0.0.0.0\"],\"tlsverify\":true}"}, 0, {{0}}},
	 2376,
	 EXPOSED_STRONG},
	{DOCKER,
	 ARGS("dockerd\0"),
	 {{[SETTINGS_DOCKER] = "{\"tlsverify\":true"}, 0, {{0}}},
	 2376,
	 EXPOSED_UNKNOWN},
	{DOCKER, ARGS("dockerd\0"), {{0}, -EACCES, {{0}}}, 2375, EXPOSED_UNKNOWN},
	/* flags alone: anonymous requests may do all, unless told otherwise */
	{KUBELET, ARGS("kubelet\0"), {{0}, 0, {{0}}}, 10250, EXPOSED_NONE},
	{KUBELET,
	 ARGS("kubelet\0--anonymous-auth=false\0"),
	 {{0}, 0, {{0}}},
	 10250,
	 EXPOSED_STRONG},
	{KUBELET,
	 ARGS("kubelet\0--authorization-mode=Webhook\0"),
	 {{0}, 0, {{0}}},
	 10250,
	 EXPOSED_WEAK},
	{KUBELET, ARGS("kubelet\0--anonymous-auth=false\0"), {{0}, 0, {{0}}}, 10255, EXPOSED_NONE},
	{KUBELET,
	 ARGS("kubelet\0--config=/var/lib/kubelet/config.yaml\0"),
	 {{[SETTINGS_KUBELET] = "kind: KubeletConfiguration\nauthentication:\n  x509: {a: b}\n"},
	  0,
	  {{0}}},
	 10250,
	 EXPOSED_STRONG},
	{KUBELET,
	 ARGS("kubelet\0--config\0/etc/k.yaml\0"),
	 {{[SETTINGS_NAMED] = "authentication:\n  anonymous:\n    enabled: true\n"
			      "authorization:\n  mode: AlwaysAllow\n"},
	  0,
	  {{0}}},
	 10250,
	 EXPOSED_NONE},
	{KUBELET,
	 ARGS("kubelet\0--config\0/etc/k.yaml\0"),
	 {{[SETTINGS_NAMED] = "list: [{authentication: {anonymous: {enabled: true}}}]\n"
			      "readOnlyPort: 10255\n"},
	  0,
	  {{0}}},
	 10255,
	 EXPOSED_NONE},
	{KUBELET,
	 ARGS("kubelet\0--config\0/etc/k.yaml\0"),
	 {{[SETTINGS_NAMED] = "list: [{authentication: {anonymous: {enabled: true}}}]\n"},
	  0,
	  {{0}}},
	 10250,
	 EXPOSED_STRONG},
	{KUBELET,
	 ARGS("kubelet\0--config\0/etc/k.yaml\0"),
	 {{[SETTINGS_NAMED] = "authentication: [}"}, 0, {{0}}},
	 10250,
	 EXPOSED_UNKNOWN},
	{KUBELET, ARGS(""), {{0}, 0, {{0}}}, 10250, EXPOSED_UNKNOWN},
	{SERVICE_KUBE_API,
	 "/kube-apiserver",
	 ARGS("kube-apiserver\0--authorization-mode=RBAC\0"),
	 {{0}, 0, {{0}}},
	 6443,
	 EXPOSED_STRONG},
	{SERVICE_KUBE_API,
	 "/kube-apiserver",
	 ARGS("kube-apiserver\0--insecure-port=8080\0"),
	 {{0}, 0, {{0}}},
	 8080,
	 EXPOSED_NONE},
	{SERVICE_SSH,
	 "/usr/sbin/dropbear",
	 ARGS("dropbear\0-p\0002201\0"),
	 {{0}, 0, {{0}}},
	 2201,
	 EXPOSED_WEAK},
	{SERVICE_SSH,
	 "/usr/sbin/dropbear",
	 ARGS("dropbear\0-s\0"),
	 {{0}, 0, {{0}}},
	 2201,
	 EXPOSED_STRONG},
	{SERVICE_SSH,
	 "/usr/bin/docker-proxy",
	 ARGS("docker-proxy\0"),
	 {{0}, 0, {{0}}},
	 22,
	 EXPOSED_UNKNOWN},
	{SERVICE_SSH,
	 "/usr/lib/systemd/systemd",
	 ARGS("/sbin/init\0"),
	 {{"PasswordAuthentication no\n"}, 0, {{0}}},
	 22,
	 EXPOSED_STRONG},
	{SERVICE_TELNET, "/usr/sbin/inetd", ARGS("inetd\0"), {{0}, 0, {{0}}}, 23, EXPOSED_WEAK},
};

static void engines(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(engines_rows) / sizeof(engines_rows[0]); i++) {
		struct exposure x =
			judged(engines_rows[i].service, engines_rows[i].path, engines_rows[i].args,
			       &engines_rows[i].disk, engines_rows[i].port);

		expect(&x, engines_rows[i].auth, "", i);
	}
}

static void services(void **state)
{
	static const struct {
		const char *path, *name;
		uint16_t port;
		bool udp;
		enum service service;
	} rows[] = {
		{"/usr/sbin/sshd", "sshd", 2222, false, SERVICE_SSH},
		{"/usr/sbin/sshd (deleted)", "sshd", 4711, false, SERVICE_SSH},
		{"/tmp/x", "sshd", 4711, false, SERVICE_NONE}, /* a name is easily had */
		{"/tmp/x", "x", 22, false, SERVICE_SSH},
		{"/usr/sbin/nginx", "nginx", 443, false, SERVICE_NONE},
		{"/usr/bin/redis-server", "redis", 6379, false, SERVICE_NONE},
		{"", "sshd", 2222, false, SERVICE_SSH},
		{"/usr/sbin/inetd", "inetd", 23, false, SERVICE_TELNET},
		{"/usr/sbin/inetd", "inetd", 513, false, SERVICE_OTHER},
		{"/usr/sbin/rsyslogd", "rsyslogd", 514, false, SERVICE_NONE},
		{"/usr/sbin/openvpn", "openvpn", 1194, true, SERVICE_VPN},
		{"/usr/sbin/openvpn", "openvpn", 40000, true, SERVICE_NONE}, /* a client */
		{"/usr/bin/mosh-server", "mosh-server", 60001, true, SERVICE_SSH},
		{"", "kernel", 51820, true, SERVICE_VPN},
		{"/usr/lib/x", "x", 22, true, SERVICE_NONE},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (exposure_service(span_of(rows[i].path), span_of(rows[i].name), rows[i].port,
				     rows[i].udp) != rows[i].service)
			fail_msg("row %zu", i);
}

static struct exposure bound(const char *address, bool host)
{
	struct exposure x = {.service = SERVICE_SSH, .host_net = host, .at.port = 22, .pid = 7};

	assert_true(addr_parse(span_of(address), &x.at.addr, NULL));
	x.any_v4 = !strcmp(address, "0.0.0.0");
	x.any_v6 = !strcmp(address, "::");
	strcpy(x.path, "/usr/sbin/sshd");
	return x;
}

static void reach(void **state)
{
	static const struct {
		const char *address;
		bool host, external;
		enum exposure_reach reach;
	} rows[] = {
		{"127.0.0.1", true, true, REACH_LOOPBACK},
		{"::1", true, true, REACH_LOOPBACK},
		{"10.0.0.5", true, true, REACH_PRIVATE},
		{"fe80::1", true, true, REACH_PRIVATE},
		{"203.0.113.1", false, false, REACH_ANYONE},
		{"0.0.0.0", true, false, REACH_ANYONE},
		{"::", true, false, REACH_ANYONE},
		{"0.0.0.0", false, true, REACH_ANYONE},
		{"0.0.0.0", false, false, REACH_PRIVATE},
		{"198.51.100.7", true, false, REACH_ANYONE},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct exposure x = bound(rows[i].address, rows[i].host);

		if (exposure_reach(&x, rows[i].external, NULL) != rows[i].reach)
			fail_msg("row %zu", i);
	}
}

static void keys(void **state)
{
	struct exposure a = bound("0.0.0.0", true), b = a;

	(void)state;
	b.pid = 8;
	b.start_ns = 9;
	strcpy(b.path, "/usr/sbin/sshd (deleted)");
	assert_true(exposure_key(&a, 0) == exposure_key(&b, 0)); /* restarted, and upgraded */
	b.at.port = 23;
	assert_true(exposure_key(&a, 0) != exposure_key(&b, 0));
	b = a;
	strcpy(b.container, "web");
	assert_true(exposure_key(&a, 0) != exposure_key(&b, 0));
	b = a;
	strcpy(b.path, "/tmp/sshd");
	assert_true(exposure_key(&a, 0) != exposure_key(&b, 0));
	assert_true(exposure_key(&a, 0) != exposure_key(&a, 1));
}

static void merge(void **state)
{
	struct exposure rows[4] = {bound("0.0.0.0", true), bound("::", true),
				   bound("127.0.0.1", true), bound("0.0.0.0", true)};
	char address[EXPOSURE_ADDRESS];

	(void)state;
	rows[3].pid = 9;
	assert_int_equal(exposure_merge(rows, 4), 3);
	assert_true(rows[0].any_v4 && rows[0].any_v6);
	exposure_address(&rows[0], address);
	assert_string_equal(address, "*:22");
	exposure_address(&rows[1], address);
	assert_string_equal(address, "127.0.0.1:22");
	assert_int_equal(rows[2].pid, 9);
}

static void advice(void **state)
{
	struct exposure x = bound("0.0.0.0", true);
	struct mitigation m[EXPOSURE_MITIGATION];
	char text[EXPOSURE_TEXT_MAX];

	(void)state;
	x.reach = REACH_ANYONE;
	x.auth = EXPOSED_WEAK;
	strcpy(x.words, "pass\x1b[31mwords");
	assert_int_equal(exposure_mitigations(&x, m), 2);
	assert_string_equal(m[0].id, "M1032");
	assert_string_equal(m[1].id, "M1035");
	exposure_text(&x, text);
	assert_string_equal(text,
			    "ssh on *:22 by /usr/sbin/sshd (pid 7, package unknown), asks for "
			    "pass?[31mwords; M1032 M1035");
	x.auth = EXPOSED_STRONG;
	assert_int_equal(exposure_mitigations(&x, m), 1);
	assert_string_equal(m[0].id, "M1030");
	x.service = SERVICE_WEB_REMOTE;
	x.auth = EXPOSED_NONE;
	assert_int_equal(exposure_mitigations(&x, m), 3);
	assert_string_equal(m[0].id, "M1042");
	assert_string_equal(m[1].id, "M1021");
	x.reach = REACH_LOOPBACK;
	assert_int_equal(exposure_mitigations(&x, m), 0);
}

#define REST " 00000000:00000000 00:00000000 00000000  1000        0 4711 1 0000000000000000"

static void tables(void **state)
{
	static const struct {
		const char *line;
		bool udp, is, listens;
		const char *address;
		uint16_t port;
	} rows[] = {
		{"   0: 0100007F:0016 00000000:0000 0A" REST, false, true, true, "127.0.0.1", 22},
		{"   0: 0100007F:0016 00000000:0000 01" REST, false, true, false, "127.0.0.1", 22},
		{"  12: 00000000:CA6C 00000000:0000 07" REST, true, true, true, "0.0.0.0", 51820},
		{"  12: 00000000:CA6C 0100007F:0035 01" REST, true, true, false, "0.0.0.0", 51820},
		{"   1: 00000000000000000000000001000000:0016 "
		 "00000000000000000000000000000000:0000 0A" REST,
		 false, true, true, "::1", 22},
		{"   1: 0000000000000000FFFF0000017100CB:0016 "
		 "00000000000000000000000000000000:0000 0A" REST,
		 false, true, true, "203.0.113.1", 22},
		{"  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   "
		 "uid",
		 0, false, false, NULL, 0},
		{"   0: 0100007F:0016", false, false, false, NULL, 0},
		{"   0: 0100007F:00016 00000000:0000 0A" REST, false, false, false, NULL, 0},
		{"   0: 0100007G:0016 00000000:0000 0A" REST, false, false, false, NULL, 0},
		{"", false, false, false, NULL, 0},
		{":", false, false, false, NULL, 0},
	};
	struct bound_socket b;
	char text[ADDR_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		bool is = socket_line(span_of(rows[i].line), rows[i].udp, &b);

		if (is != rows[i].is ||
		    (is && (b.listens != rows[i].listens || b.at.port != rows[i].port ||
			    b.inode != 4711 || b.uid != 1000 ||
			    strcmp(addr_format(&b.at.addr, text), rows[i].address))))
			fail_msg("row %zu", i);
	}
}

static void addresses(void **state)
{
	static const char *const trie[] = {"Main:\n",
					   "  +-- 0.0.0.0/0 3 0 5\n",
					   "     |-- 203.0.113.0\n",
					   "        /24 link UNICAST\n",
					   "     |-- 203.0.113.1\n",
					   "        /32 host LOCAL\n",
					   "     |-- rubbish\n",
					   "        /32 host LOCAL\n"};
	struct fib_reader f = {{0}};
	char text[ADDR_TEXT_MAX];
	unsigned found = 0;
	struct addr a;

	(void)state;
	for (size_t i = 0; i < sizeof(trie) / sizeof(trie[0]); i++)
		if (fib_line(&f, span_of(trie[i]), &a)) {
			assert_string_equal(addr_format(&a, text), "203.0.113.1");
			found++;
		}
	assert_int_equal(found, 1);
	assert_true(inet6_line(SPAN_LIT("20010db8000000000000000000000007 02 40 00 80     eth0\n"),
			       &a));
	assert_string_equal(addr_format(&a, text), "2001:db8::7");
	assert_false(inet6_line(SPAN_LIT("2001:db8::7 02 40 00 80 eth0\n"), &a));
	assert_false(inet6_line(SPAN_LIT(""), &a));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sshd),	   cmocka_unit_test(titles),	cmocka_unit_test(vnc),
		cmocka_unit_test(engines), cmocka_unit_test(services),	cmocka_unit_test(reach),
		cmocka_unit_test(keys),	   cmocka_unit_test(merge),	cmocka_unit_test(advice),
		cmocka_unit_test(tables),  cmocka_unit_test(addresses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
