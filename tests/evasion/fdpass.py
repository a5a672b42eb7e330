"""One process accepts, another uses: the connection goes by SCM_RIGHTS between two that are not related.

    fdpass.py take PATH shell|pty|COMMAND...   waits at PATH for a connection and serves it
    fdpass.py accept PATH PORT                 accepts, hands each on, and forgets it
"""
import array
import os
import pty
import socket
import subprocess
import sys


def take(path, *how):
    meeting = socket.socket(socket.AF_UNIX)
    meeting.bind(path)
    meeting.listen()
    print("ready", flush=True)
    giver = meeting.accept()[0]
    while True:
        fds = array.array("i", [0])
        data, more, _, _ = giver.recvmsg(1, socket.CMSG_SPACE(4))
        if not data:
            return
        fds.frombytes(more[0][2][:4])
        fd = fds[1]
        if how[0] not in ("shell", "pty"):
            subprocess.Popen(how, stdin=fd, stdout=fd)
            os.close(fd)
            continue
        for i in (0, 1, 2):
            os.dup2(fd, i)
        if how[0] == "shell":
            os.execv("/bin/sh", ["sh"])
        pty.spawn(["/bin/sh"])
        return


def accept(path, port):
    taker = socket.socket(socket.AF_UNIX)
    taker.connect(path)
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind(("0.0.0.0", int(port)))
    s.listen()
    print("ready", flush=True)
    while True:
        c, _ = s.accept()
        taker.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [c.fileno()]))])
        c.close()


{"take": take, "accept": accept}[sys.argv[1]](*sys.argv[2:])
