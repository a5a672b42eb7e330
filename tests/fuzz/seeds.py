"""Seed corpora: seeds.py DIR writes DIR/line (the decoder cases), DIR/wire (one record of every
kind, and all of them in a row), DIR/first (first bytes of connections), DIR/etw (payloads of ETW
events with their templates), DIR/config (the shipped configuration) and DIR/geo (the databases of
the golden cases)."""
import glob
import json
import os
import ssl
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "decode"))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import cases  # noqa: E402
import geodb  # noqa: E402

CONN = struct.pack("<QIHHHHI16s16s", 7, 1, 2, 22, 40022, 0, 0, b"\xc0\x00\x02\x01",
                   b"\xcb\x00\x71\x07")
PROC = struct.pack("<IIQQIIIIQ16s", 100, 99, 1000, 900, 0, 0, 0xffffffff, 0xffffffff, 5, b"sshd")
# kind: what follows the header; the sizes are those of wire.h
BODIES = {
    1: CONN + bytes(8),
    2: CONN + bytes(32),
    3: PROC + CONN + struct.pack("<IHHiIQ", 0, 1, 0, 7, 0, 1) + b"sshd".ljust(32, b"\0") +
       b"root".ljust(64, b"\0") + b"203.0.113.7".ljust(64, b"\0") + b"ssh".ljust(32, b"\0"),
    4: PROC + bytes(16),
    5: PROC + CONN + struct.pack("<II", 8, 7) + b"/bin/bash".ljust(128, b"\0") +
       b"bash\0-i".ljust(384, b"\0"),
    6: PROC + bytes(24),
    7: PROC + CONN + bytes(24),
    8: PROC + struct.pack("<Q", 7) + CONN + bytes(24),
    9: PROC + struct.pack("<Q", 7) + CONN + bytes(24),
    10: struct.pack("<QQQQ", 7, 7, 100, 200),
    11: PROC + CONN + bytes(24) + b"/usr/sbin/sshd".ljust(128, b"\0"),
    12: PROC + CONN + bytes(8),
    14: PROC + CONN + CONN * 4 + struct.pack("<IIQII", 1, 0, 0, 0, 4) + b"ssh\0".ljust(384, b"\0"),
    15: PROC + struct.pack("<QQIIQIIIIII", 1 << 63 | 9, 7, 3, 0, 5, 1, 0, 1, 0, 3, 0) +
        b"systemd".ljust(16, b"\0") + bytes(384) + b"id\0".ljust(384, b"\0"),
    16: PROC + CONN + struct.pack("<II", 0, 9) + b"apache2".ljust(16, b"\0") +
        b"sh\0-c\0id".ljust(384, b"\0"),
    17: CONN + struct.pack("<IIII", 0, 0, 11, 0) + b"SSH-2.0-x\r\n".ljust(512, b"\0"),
    20: PROC + struct.pack("<QIIII", 0x1fffff, 1, 0, 0x8000, 3) + b"runc".ljust(16, b"\0") +
        (b"docker-" + b"4f" * 32 + b".scope").ljust(128, b"\0") + bytes(256) +
        b"id\0".ljust(384, b"\0"),
    24: PROC + CONN + struct.pack("<QQIIII16s64s80s96s256s224s768s", 7, 9, 3, 2, 0, 0, b"ssh", b"alice",
                                  b"openssh-server", b"web", b"/usr/sbin/sshd", b"passwords", b"ssh on *:22"),
    25: PROC + CONN + struct.pack("<QQII16s16s64s192s", 5, 7, 0, 0, b"wg0", b"wg:SmtLq0", b"WireGuard SmtLq0=",
                                  b"10.8.0.2/32 fd00::/64"),
    18: CONN + struct.pack("<IIII", 0, 0, 600, 0) + bytes(4096),
}


def client_hello():
    out = ssl.MemoryBIO()
    context = ssl.create_default_context()
    context.set_alpn_protocols(["h2", "http/1.1"])
    o = context.wrap_bio(ssl.MemoryBIO(), out, server_hostname="host.example")
    try:
        o.do_handshake()
    except ssl.SSLWantReadError:
        pass
    return out.read()


def kexinit():
    lists = [b"curve25519-sha256", b"ssh-ed25519", b"aes128-ctr", b"aes256-ctr", b"hmac-sha2-256",
             b"hmac-sha1", b"none", b"none", b"", b""]
    body = b"\x04\x14" + bytes(16) + b"".join(struct.pack(">I", len(x)) + x for x in lists) + bytes(9)
    return b"SSH-2.0-OpenSSH_9.2p1\r\n" + struct.pack(">I", len(body)) + body


def first_bytes():
    yield "ssh", kexinit()
    yield "tls", client_hello()
    yield "proxy1", b"PROXY TCP4 203.0.113.9 192.0.2.1 4711 22\r\n"
    yield "proxy2", b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xcb\0\x71\x09\xc0\0\2\1\x12\x67\0\x16"
    yield "http", b"POST /containers/create HTTP/1.1\r\nHost: x\r\nUser-Agent: y\r\n\r\n{}"
    yield "create", (b'POST /v1.41/containers/create?name=x\n{"Cmd":["sh"],"HostConfig":{"Binds":["/:/h"],'
                     b'"Devices":[{"PathOnHost":"/dev/sda"}],"Privileged":true,"CapAdd":["ALL"]}}')
    yield "run", b"POST /run/kube-system/b/c\ncmd=ls+-la%20/"
    yield "pod", (b'POST /api/v1/namespaces/a/pods\n{"spec":{"hostPID":true,"containers":[{"image":"a",'
                  b'"command":["sh"],"securityContext":{"privileged":true}}],"volumes":'
                  b'[{"hostPath":{"path":"/"}}]}}')
    yield "status", b"HTTP/1.1 201 Created\r\n\r\n"


BUNDLE = (b'{"process":{"capabilities":{"bounding":["CAP_SYS_ADMIN"]}},"mounts":[{"destination":'
          b'"/etc/hosts","type":"bind","source":"/var/lib/docker/containers/' + b"4f" * 32 +
          b'/hosts"},{"destination":"/h","type":"bind","source":"/"}],"annotations":{'
          b'"io.kubernetes.cri.sandbox-name":"a\\u0041","io.kubernetes.cri.sandbox-namespace":"b"}}')
ENGINE = (b'{"Name":"/web","Config":{"Image":"nginx","Labels":{"io.kubernetes.pod.name":"a",'
          b'"io.kubernetes.container.name":"c"}}}')


# Fields of fuzz_etw.c by their place there, and a value: (name, TDH_INTYPE_*, bytes)
SID = b"\1\5\0\0\0\0\0\5" + struct.pack("<5I", 21, 1, 2, 3, 1104)
LOGON = [(0, 1, "alice"), (1, 21, 0xa96e8), (2, 21, 0xa96b3), (3, 8, 10), (28, 19, SID),
         (4, 1, "C:\\x\\svchost.exe"), (5, 1, "203.0.113.9"), (6, 1, "4711")]
REFUSED = [(0, 1, "a\U0001f600"), (7, 20, 0xc000006d), (8, 20, 0xc000006a), (3, 8, 3),
           (5, 1, "2001:db8::9"), (6, 1, "0")]


def etw(which, fields, bits=1):
    head, payload = bytes((bits, which, len(fields))), b""
    for name, kind, value in fields:
        head += bytes((name, kind, 0xff, 0))
        payload += (value.encode("utf-16-le") + b"\0\0" if kind == 1 else
                    value if kind == 19 else value.to_bytes(8 if kind == 21 else 4, "little"))
    return head + payload


def etw_seeds(providers=7):
    yield "logon", etw(10 * providers, LOGON)
    yield "logon-32", etw(10 * providers, LOGON, 0)
    yield "refused", etw(11 * providers, REFUSED)
    yield "cut", etw(11 * providers, REFUSED)[:-9]
    yield "session", etw(2, [(9, 1, "CORP\\alice"), (10, 8, 2), (11, 1, "203.0.113.9")])
    yield "connection", etw(6 * providers + 1, [(9, 1, "TCP"), (12, 1, "[2001:db8::9]:4711")])
    yield "openssh", etw(27 * providers + 4, [
        (17, 1, "sshd"), (16, 1, "Failed password for root from 203.0.113.9 port 4711 ssh2")])
    # SMBServer's: a length, and a sockaddr of that length
    yield "socket", bytes((1, 0, 2, 0, 8, 0xff, 0, 18, 14, 0, 0x80)) + struct.pack(
        "<IHH4s8x", 16, 2, 0x3930, b"\xcb\0\x71\x09")


RELP = (b"1 rsp 92 200 OK\nrelp_version=0\nrelp_software=librelp,1.2.7,http://librelp.adiscon.com\n"
        b"commands=syslog\n2 rsp 6 200 OK\n3 rsp 10 500 no way\n0 serverclose 0\n")


EXPOSURE = {
    "sshd": b'Include /etc/ssh/sshd_config.d/*.conf\nPasswordAuthentication no\nUsePAM=yes\nMatch User bob\n'
            b'PermitRootLogin "yes"\nMatch all\nAuthenticationMethods publickey,password\n',
    "title": b"sshd: /usr/sbin/sshd -D -f /etc/x -oPermitRootLogin=yes [listener] 0 of 10-100 startups",
    "session": b"sshd: alice@pts/0",
    "vnc": b"Xtigervnc\0:5\0-SecurityTypes\0VncAuth,TLSNone\0-rfbauth=/x\0-nopw\0",
    "docker": b'{"hosts":["tcp://0.0.0.0:2375"],"tlsverify":true}',
    "kubelet": b"authentication:\n  anonymous: {enabled: true}\nauthorization:\n  mode: AlwaysAllow\nreadOnlyPort: 10255\n",
    "flags": b"kubelet\0--anonymous-auth=false\0--read-only-port\x0010255\0--authorization-mode=Webhook\0--tlsverify\0",
    "tcp": b"   0: 0100007F:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1 0\n"
           b"   1: 00000000000000000000000001000000:0016 00000000000000000000000000000000:0000 0A 0:0 0:0 0 0 0 7\n"
           b"     |-- 203.0.113.1\n        /32 host LOCAL\n20010db8000000000000000000000007 02 40 00 80 eth0\n",
}


def record(kind):
    body = BODIES[kind]
    return struct.pack("<HHIQ", kind, 1, 16 + len(body), 5) + body


OWN = {
    "open": b"\4acmed: in user=a ip=203.0.113.9 got 10.8.0.2 id 7",
    "close": b"\0acmed: out id 7 x",
    "ways": b"\4w 203.0.113.9aaaaaaaacb",
    "json": b'\4{"time":1732961234,"portal":"a","ip":"203.0.113.9","how":"password"}',
}


WG_TEXT = (b"private_key=" + b"0a" * 32 + b"\nlisten_port=51820\npublic_key=" + b"1b" * 32 +
           b"\npreshared_key=" + b"2c" * 32 + b"\nendpoint=[2001:db8::7]:51820\nlast_handshake_time_sec=1700000000\n"
           b"last_handshake_time_nsec=5\nrx_bytes=7\ntx_bytes=8\nallowed_ip=10.8.0.2/32\nerrno=0\n\n")


def attribute(kind, data):
    return struct.pack("<HH", 4 + len(data), kind) + data + b"\0" * (-len(data) % 4)


def wg_message():
    """A struct genlmsghdr and a device with one peer (linux/wireguard.h)."""
    net = attribute(0, attribute(1, b"\2\0") + attribute(2, bytes((10, 8, 0, 2))) + attribute(3, b"\x20"))
    peer = (attribute(1, b"\x1b" * 32) + attribute(4, struct.pack("<HH", 2, 0x5ac8) + bytes((203, 0, 113, 9)) +
            bytes(8)) + attribute(6, struct.pack("<qq", 1700000000, 5)) + attribute(7, struct.pack("<Q", 7)) +
            attribute(8, struct.pack("<Q", 8)) + attribute(9, net))
    body = b"\0\1\0\0" + attribute(2, b"wg0\0") + attribute(6, b"\x6c\xca") + attribute(8, attribute(0, peer))
    return struct.pack(">H", len(body)) + body


def write(directory, name, data):
    os.makedirs(directory, exist_ok=True)
    with open(os.path.join(directory, name), "wb") as f:
        f.write(data)


def main(directory):
    lines = []
    for name, line in cases.lines():
        lines.append(line)
        write(directory + "/line", name, (b"\xfe" if b"\n" in line else b"\xff") + line)
        if line.startswith(b"{"):
            write(directory + "/json", name, line)
    write(directory + "/line", "stream", b"\xff" + b"\n".join(lines[:16]))
    for name, data in etw_seeds():
        write(directory + "/etw", name, data)
    for kind in BODIES:
        write(directory + "/wire", "kind-%02d" % kind, record(kind))
    write(directory + "/wire", "all", b"".join(map(record, BODIES)))
    for name, data in first_bytes():
        write(directory + "/first", name, data)
        cut = [(at, data[at:at + 200]) for at in range(0, len(data), 200)]
        write(directory + "/first", name + "-cut", b"".join(
            bytes((0x20 if not at else 0, at >> 4, at & 15, len(d))) + d for at, d in cut) +
            b"\x10\0\0\x0fHTTP/1.1 200 OK")
    for name, data in (("bundle", BUNDLE), ("engine", ENGINE),
                       ("cgroup", b"cri-containerd-" + b"4f" * 32 + b".scope")):
        write(directory + "/container", name, data)
    with open("deploy/outergate.yaml", "rb") as f:
        write(directory + "/config", "shipped", f.read())
    for name, data in EXPOSURE.items():
        write(directory + "/exposure", name, data)
    write(directory + "/json", "wants", b'{"uid":1,"user":{"name":"a"},"target":[{"type":"b"},"c"],'
          b'"properties":{"status":{"errorCode":null,"errorCode":5},"user":"d\\u0041"},"x":[[{}]]}')
    write(directory + "/wireguard", "text", b"\x80" + WG_TEXT)
    write(directory + "/wireguard", "netlink", b"\1" + wg_message() * 2)
    for name, data in OWN.items():
        write(directory + "/own", name, data)
    write(directory + "/relp", "answers", b"\x03" + RELP)
    write(directory + "/lines", "both", b"\x02<34>one\n5 <34>a7 <34>b\nc2024-01-01 d\r\n12\n\x00e")
    for path in glob.glob("tests/golden/geo/*.json"):
        with open(path, encoding="utf-8") as f:
            description = json.load(f) | {"compact": True}
        os.makedirs(directory + "/geo", exist_ok=True)
        geodb.make(description, directory + "/geo/" + os.path.basename(path))


main(sys.argv[1])
