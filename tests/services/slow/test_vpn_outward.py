"""A real OpenVPN client and a real IKE daemon of this host that join somebody outside, over UDP."""
import shutil
import subprocess

from cases import case
from harness import check
from sandbox import wait_for
from services import directory
from test_vpn_ocserv import vpn  # noqa: F401 (the world)
from test_vpn_strongswan import Charon
from vpn import certificates


def copy_of(program, d):
    """Clients of other cases are programs of this host, too, and each program is told once."""
    return shutil.copy(program, d)


def told(w, address):
    return [a for a in w.agent.told(detection="activity.external_vpn") if a["origin"]["address"] == address]


@case("vpn", alone=True)
def openvpn_client_of_this_host(w):
    """Nobody answers, so it begins again and again: told once."""
    d = directory("openvpn-client")
    certificates(d, "server", "out")
    outer = w.place()
    exe = copy_of("/usr/sbin/openvpn", d)
    p = subprocess.Popen(w.net.inside_ns(w.net.srv, [
        exe, "--cd", d, "--client", "--dev", "ovout", "--dev-type", "tun", "--proto", "udp",
        "--remote", outer, "1194", "--nobind", "--ca", "ca.crt", "--cert", "out.crt", "--key", "out.key",
        "--connect-timeout", "5", "--verb", "3"]),
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        a = wait_for("it is told", lambda: told(w, outer), 30, 0.5)[0]
    finally:
        p.terminate()
        p.wait()
    check(a["reason"] == "name" and a["client"] == exe and "is OpenVPN" in a["sentence"] and
          "over UDP" in a["sentence"] and a["origin"]["port"] == 1194, "which tool", a)
    w.settle()
    check(len(told(w, outer)) == 1, "once", told(w, outer))


@case("vpn", alone=True)
def ike_client_of_this_host(w):
    outer = w.place()
    exe = copy_of("/usr/sbin/charon-systemd", directory("charon-program"))
    charon = Charon(w, w.net.srv, "joins", exe)
    try:
        charon.load("""connections { out { version = 2
  remote_addrs = %s
  local { auth = psk
    id = joins@test }
  remote { auth = psk }
  children { net { remote_ts = 10.99.0.0/24
    start_action = start } }
} }
secrets { ike-out { secret = "joins-secret" } }
""" % outer)
        a = wait_for("it is told: " + charon.said(), lambda: told(w, outer), 30, 0.5)[0]
    finally:
        charon.stop()
    check(a["reason"] == "name" and a["client"] == exe and "is IKE" in a["sentence"] and
          a["origin"]["port"] == 500, "which tool", a)
