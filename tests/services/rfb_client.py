"""A VNC client of a few lines: rfb_client.py SOURCE HOST PORT none|password|look [PASSWORD [VERSION]]

Prints its own port, and "in" once it has the screen's description; then waits for its stdin to end.
"""
import socket
import subprocess
import sys

source, host, port, how = sys.argv[1:5]
password = (sys.argv[5] if len(sys.argv) > 5 else "")[:8].ljust(8, "\0").encode()
version = sys.argv[6] if len(sys.argv) > 6 else "003.008"
s = socket.create_connection((host, int(port)), 10, (source, 0))
print(s.getsockname()[1], flush=True)


def get(n):
    data = b""
    while len(data) < n:
        more = s.recv(n - len(data))
        if not more:
            sys.exit("the server has left")
        data += more
    return data


def number(n):
    return int.from_bytes(get(n), "big")


def answer(challenge):
    """DES with the password as key, each byte of it backwards (RFC 6143 7.2.2)."""
    key = bytes(int("%08d" % int(bin(b)[2:]), 10) and int(bin(b)[2:].zfill(8)[::-1], 2) for b in password)
    return subprocess.run(["openssl", "enc", "-des-ecb", "-K", key.hex(), "-nopad", "-provider", "legacy",
                           "-provider", "default"], input=challenge, stdout=subprocess.PIPE, check=True).stdout


assert get(12).startswith(b"RFB ")
s.sendall(b"RFB " + version.encode() + b"\n")
wanted = {"none": 1, "password": 2}.get(how, 0)
if version == "003.003":
    assert number(4) == wanted
else:
    types = get(number(1))
    if how == "look":
        sys.exit()
    assert wanted in types, types
    s.sendall(bytes([wanted]))
if how == "password":
    s.sendall(answer(get(16)))
if (how == "password" or version == "003.008") and number(4):
    print("refused", flush=True)
    sys.exit(3)
s.sendall(b"\1")
get(24)
print("in", flush=True)
sys.stdin.read()
