"""Samba: a share that the outside reaches, and a share out there that somebody here reaches."""
import os
import shutil

from cases import case, world
from harness import check
from sandbox import run
from services import Server, Services, directory, outside

CONF = """[global]
  workgroup = TEST
  server role = standalone server
  map to guest = Bad User
  disable netbios = yes
  smb ports = 445
  interfaces = %(address)s/32
  bind interfaces only = yes
  lock directory = %(dir)s
  state directory = %(dir)s
  cache directory = %(dir)s
  pid directory = %(dir)s
  ncalrpc dir = %(dir)s/ncalrpc
  private dir = %(dir)s/private
  log file = %(dir)s/log
  load printers = no
  printing = bsd
  printcap name = /dev/null
[open]
  path = %(dir)s/open
  guest ok = yes
"""


@world("samba")
def samba(net, users):
    return Services("samba", net, users)


class Smbd(Server):
    def __init__(self, w, address, ns):
        self.dir = directory("samba-" + address)
        for name in ("open", "private", "ncalrpc"):
            os.makedirs(self.dir + "/" + name, exist_ok=True)
        with open(self.dir + "/open/paper", "w") as f:
            f.write("a paper\n")
        with open(self.dir + "/conf", "w") as f:
            f.write(CONF % {"dir": self.dir, "address": address})
        super().__init__(w, ["/usr/sbin/smbd", "--foreground", "--no-process-group", "-s", self.dir + "/conf"],
                         [445], ns=ns)


def told(w, **want):
    return [a for a in w.agent.stored_alerts() if a["detection"] == "access.smb_rpc_internet" and
            all(a.get(k) == v for k, v in want.items())]


@case("samba", alone=True)
def samba_from_the_outside(w):
    """An answer to the outside is told once for the listener."""
    s = Smbd(w, w.server, w.net.srv)
    source = w.place()
    run(["ip", "-n", w.net.ext, "route", "replace", w.server + "/32", "dev", "e0", "src", source])
    for _ in range(2):
        p = outside(w, source, "/usr/bin/smbclient", "//%s/open" % w.server, "-N", "-c", "get paper -")
        check(p.returncode == 0 and b"a paper" in p.stdout, "the share", repr(p.stdout), repr(p.stderr))
    # One kernel has both ends of this net: the client's is told, too, as one that goes out.
    a = w.agent.alert(detection="access.smb_rpc_internet", service="smb", origin__address=source)
    check(a["local"]["port"] == 445 and a["severity"] == "high", "which port", a)
    w.settle()
    check(len(told(w, origin=a["origin"])) == 1, "once a listener and day", told(w))
    s.stop()


@case("samba", alone=True)
def samba_out_there(w):
    """The same client here, of a share of the outside."""
    there = w.place()
    s = Smbd(w, there, w.net.ext)
    program = directory("samba-client") + "/smbclient-here"
    shutil.copy("/usr/bin/smbclient", program)
    p = run(w.net.inside_ns(w.net.srv, [program, "//%s/open" % there, "-N", "-c", "get paper -"]),
            check=False, timeout=40)
    check(p.returncode == 0 and b"a paper" in p.stdout, "the share", repr(p.stdout), repr(p.stderr))
    a = w.agent.alert(detection="access.smb_rpc_internet", origin__address=there)
    check(program in a["sentence"] and a["reason"] == "outbound", "which program", a)
    s.stop()
