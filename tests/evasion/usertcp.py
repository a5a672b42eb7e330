"""A server whose TCP is its own: packets of a TUN device, and a shell on a terminal behind them.

    usertcp.py tcp ADDRESS PORT [HOST PORT]   one client; HOST PORT: a connection of the kernel's kept beside it
    usertcp.py udp ADDRESS PORT               the same shell for whoever sends datagrams, by a socket
Enough TCP for a network that loses nothing (RFC 9293): no retransmission, no window, one connection.
"""
import fcntl
import os
import pty
import select
import socket
import struct
import subprocess
import sys

FIN, SYN, ACK, PSH = 1, 2, 16, 8


def checksum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(">%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def shell():
    pid, master = pty.fork()
    if pid == 0:
        os.execv("/bin/sh", ["sh"])
    return master


class Tun:
    def __init__(self, address):
        self.fd = os.open("/dev/net/tun", os.O_RDWR)
        fcntl.ioctl(self.fd, 0x400454ca, struct.pack("16sH22x", b"ogtun", 0x1001))  # TUNSETIFF: TUN, no header
        subprocess.run(["ip", "link", "set", "ogtun", "up"], check=True)
        subprocess.run(["ip", "route", "add", address + "/32", "dev", "ogtun"], check=True)


class Peer:
    def __init__(self, tun, packet, port):
        self.tun, self.port = tun, port
        self.here, self.there = packet[16:20], packet[12:16]
        self.peer = struct.unpack(">H", packet[20:22])[0]
        self.mine, self.next = 1000, (struct.unpack(">I", packet[24:28])[0] + 1) & 0xffffffff
        self.say(SYN | ACK)
        self.mine += 1

    def say(self, flags, data=b""):
        tcp = struct.pack(">HHIIBBHHH", self.port, self.peer, self.mine, self.next, 5 << 4, flags, 65535, 0, 0)
        pseudo = self.here + self.there + struct.pack(">BBH", 0, 6, len(tcp) + len(data))
        tcp = tcp[:16] + struct.pack(">H", checksum(pseudo + tcp + data)) + tcp[18:]
        ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 40 + len(data), 0, 0, 64, 6, 0, self.here, self.there)
        os.write(self.tun.fd, ip[:10] + struct.pack(">H", checksum(ip)) + ip[12:] + tcp + data)
        self.mine += len(data) + (1 if flags & FIN else 0)

    def heard(self, packet):
        """Its bytes in order; None at the end."""
        seq, flags = struct.unpack(">I", packet[24:28])[0], packet[33]
        data = packet[20 + (packet[32] >> 4) * 4:]
        if seq != self.next:
            return b""
        if data or flags & FIN:
            self.next = (self.next + len(data) + (flags & FIN)) & 0xffffffff
            self.say(ACK)
        if flags & FIN:
            self.say(FIN | ACK)
            return None
        return data


def tcp(address, port, *control):
    kept = socket.create_connection((control[0], int(control[1])), 10) if control else None
    tun, port, peer, master = Tun(address), int(port), None, None
    print("ready", flush=True)
    while True:
        for fd in select.select([tun.fd] + ([master] if master else []), [], [])[0]:
            if fd == master:
                peer.say(PSH | ACK, os.read(master, 1200))
                continue
            packet = os.read(tun.fd, 65536)
            if packet[0] != 0x45 or packet[9] != 6 or packet[22:24] != struct.pack(">H", port):
                continue
            packet = packet[:struct.unpack(">H", packet[2:4])[0]]
            if packet[33] & SYN:
                peer = Peer(tun, packet, port)
                master = master or shell()
                continue
            data = peer.heard(packet) if peer else b""
            if data is None:
                return kept
            if data:
                os.write(master, data)


def udp(address, port):
    s, master, peer = socket.socket(socket.AF_INET, socket.SOCK_DGRAM), None, None
    s.bind((address, int(port)))
    print("ready", flush=True)
    while True:
        for f in select.select([s] + ([master] if master else []), [], [])[0]:
            if f is s:
                data, peer = s.recvfrom(65536)
                master = master or shell()
                os.write(master, data)
            else:
                s.sendto(os.read(master, 1200), peer)


try:
    {"tcp": tcp, "udp": udp}[sys.argv[1]](*sys.argv[2:])
except OSError as e:
    if e.errno != 5:  # EIO: the shell has left
        raise
