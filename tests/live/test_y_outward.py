"""What processes of this host are connected to elsewhere: outside VPNs' tools, and new programs."""
import os
import shutil
import subprocess

from cases import case
from harness import brief, check
from sandbox import TMP, wait_for
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
    told = [x for x in w.agent.told() if x["detection"] == "activity.external_vpn"]
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
