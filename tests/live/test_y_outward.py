"""What processes of this host are connected to elsewhere: outside VPNs' tools, and new programs."""
import os
import shutil
import subprocess

from cases import case
from harness import brief, check
from sandbox import TMP, run, wait_for
from test_c_main_job import place
from test_t_agents import far_end
from test_t_tunnels import end

# out, and stays until the other end leaves
GO = """import socket, sys
s = socket.create_connection((sys.argv[1], int(sys.argv[2])), 10)
s.sendall(b'hello'); s.recv(100)"""


def goes_out(w, name, address, port, ns=None):
    """A program of that name goes out; the other end leaves after a moment."""
    exe = "%s/%s" % (TMP, name)
    if not os.path.exists(exe):
        shutil.copy("/usr/bin/python3", exe)
    far = far_end(w, ns or w.net.ext, address, port, "hello")
    p = subprocess.Popen(w.net.inside_ns(w.net.srv, [exe, "-c", GO, address, str(port)]),
                         stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    far.communicate(timeout=20)
    end(p)
    return exe


@case("journal")
def outside_vpn_by_its_name(w):
    outer = w.net.address(place(w))
    exe = goes_out(w, "ngrok", outer, 4443)
    a = w.agent.alert(detection="activity.external_vpn", origin__address=outer)
    check(a["reason"] == "name" and a["severity"] == "medium" and a["client"] == exe and
          a["account"] == "root" and exe in a["sentence"], "which tool", a)
    goes_out(w, "ngrok", outer, 4444)
    goes_out(w, "frpc-of-the-house", "10.20.0.2", 4445, ns=w.net.inside)
    goes_out(w, "updater", outer, 5938)
    w.agent.alert(detection="activity.external_vpn", reason="port", origin__address=outer)
    told = [x for x in w.agent.told(detection="activity.external_vpn")
            if x["origin"]["address"] == outer or "of-the-house" in x["client"]]
    check(len(told) == 2, "once a program, and none for what stays inside: " + brief(told))


@case("journal")
def new_program_speaks_smb(w):
    """Port 445 outside is told at once, that the program is new only as info: it is the first day."""
    outer = w.net.address(place(w))
    goes_out(w, "fileshare", outer, 445)
    a = w.agent.alert(detection="access.smb_rpc_internet", origin__address=outer)
    check(a["reason"] == "outbound" and a["severity"] == "high" and "fileshare" in a["sentence"],
          "outbound", a)
    wait_for("as learning", lambda: [x for x in w.agent.stored_alerts() if
                                     x["detection"] == "activity.unusual_client" and
                                     "fileshare" in x["sentence"] and x["severity"] == "info" and
                                     x["learning"]])


# What clients of VPNs say first, and what others do; see bpf/outward_udp.bpf.c.
IKE_INIT = bytes(range(1, 9)) + bytes(8) + bytes([33, 0x20, 34, 8]) + bytes(4) + (300).to_bytes(4, "big") + bytes(272)
WIREGUARD = b"\1\0\0\0" + os.urandom(144)
OPENVPN = b"\x38" + os.urandom(8) + bytes(5)
QUIC = b"\xc3\0\0\0\1\x08" + os.urandom(1194)
SAY = """import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
if sys.argv[3] == 'connect': s.connect((sys.argv[1], int(sys.argv[2])))
for x in sys.argv[4:]:
    x = bytes.fromhex(x)
    s.send(x) if sys.argv[3] == 'connect' else s.sendto(x, (sys.argv[1], int(sys.argv[2])))"""


def says(w, name, address, port, *words, how="sendto"):
    exe = "%s/%s" % (TMP, name)
    if not os.path.exists(exe):
        shutil.copy("/usr/bin/python3", exe)
    run(w.net.inside_ns(w.net.srv, [exe, "-c", SAY, address, str(port), how] + [x.hex() for x in words]))
    return exe


def tools_told(w, exe):
    """By its name, since it may have ended before its file could be asked for."""
    return [a for a in w.agent.told(detection="activity.external_vpn")
            if os.path.basename(a["client"]) == os.path.basename(exe)]


@case("journal")
def outside_vpn_over_udp(w):
    """By its name, and by what it says first, whatever the name and the port."""
    outer = w.net.address(place(w))
    said = []
    for name, port, word, how in (("openvpn-udp", 443, OPENVPN, "sendto"), ("charon-udp", 500, IKE_INIT, "connect"),
                                  ("updater-udp", 53, WIREGUARD, "sendto"), ("sync-udp", 4500, bytes(4) + IKE_INIT,
                                                                             "connect")):
        def told(name=name, port=port, word=word, how=how):
            exe = says(w, name, outer, port, word, how=how)  # what comes at once may be too early
            return tools_told(w, exe)
        said.append(wait_for("%s is told; told: %s" % (name, brief(w.agent.told())), told, 15, 0.5)[0])
    check([a["reason"] for a in said] == ["name", "name", "first-bytes", "first-bytes"], "by what", said)
    check(all(" over UDP to %s:" % outer in a["sentence"] for a in said), "what it says", said)
    check("WireGuard" in said[2]["sentence"] and "IKE" in said[3]["sentence"], "which protocol", said)


@case("journal")
def datagrams_that_are_no_vpn(w):
    """DNS, NTP, QUIC and half a hello, while looked at; a server's answers; a client to the inside."""
    outer = w.net.address(place(w))
    exes = [says(w, "openvpn-serves", outer, 1194, b"\x40" + os.urandom(8) + bytes(17), b"\x28" + os.urandom(60)),
            says(w, "charon-serves", outer, 500, IKE_INIT[:8] + b"responds" + IKE_INIT[16:]),
            says(w, "openvpn-inside", "10.20.0.2", 1194, OPENVPN),
            says(w, "resolver", outer, 53, b"\x38" + os.urandom(13) + b"\1example\0"),
            says(w, "clock", outer, 123, b"\x23" + bytes(47)), says(w, "browser", outer, 443, QUIC),
            says(w, "half", outer, 51820, WIREGUARD[:147], WIREGUARD + b"\0", OPENVPN[:13])]
    w.settle()
    told = [a for exe in exes for a in tools_told(w, exe)]
    check(not told, "told: " + brief(told), told)
