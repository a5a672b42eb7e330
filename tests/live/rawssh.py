"""A small SSH client that says what OpenSSH's client refuses to say: any bytes as user name.

    python3 rawssh.py HOST PORT SOURCE HEX-USER PASSWORD [TIMES]   attempts on one connection

curve25519-sha256, aes128-ctr, hmac-sha2-256; the host key is not checked, it is a test's own.
Exit 0 when the password was refused, 1 when accepted, 2 on anything else.
"""
import ctypes
import hashlib
import hmac
import os
import socket
import struct
import sys

CRYPTO = ctypes.CDLL("libcrypto.so.3")
CRYPTO.EVP_CIPHER_CTX_new.restype = CRYPTO.EVP_aes_128_ctr.restype = ctypes.c_void_p


class Ctr:
    """AES-128 in counter mode, one direction."""

    def __init__(self, key, iv):
        self.ctx = ctypes.c_void_p(CRYPTO.EVP_CIPHER_CTX_new())
        CRYPTO.EVP_EncryptInit_ex(self.ctx, ctypes.c_void_p(CRYPTO.EVP_aes_128_ctr()), None, key,
                                  iv)

    def apply(self, data):
        out, n = ctypes.create_string_buffer(len(data) + 16), ctypes.c_int()
        CRYPTO.EVP_EncryptUpdate(self.ctx, out, ctypes.byref(n), data, len(data))
        return out.raw[:n.value]


def x25519(k, u):
    """RFC 7748, the ladder."""
    p = 2**255 - 19
    k = int.from_bytes(k, "little") & ~7 & ~(128 << 248) | (64 << 248)
    u = int.from_bytes(u, "little") & (2**255 - 1)
    x2, z2, x3, z3, swap = 1, 0, u, 1, 0
    for t in range(254, -1, -1):
        bit = k >> t & 1
        if swap ^ bit:
            x2, x3, z2, z3 = x3, x2, z3, z2
        swap = bit
        a, b = (x2 + z2) % p, (x2 - z2) % p
        aa, bb = a * a % p, b * b % p
        e, da, cb = (aa - bb) % p, (x3 - z3) * a % p, (x3 + z3) * b % p
        x3, z3 = (da + cb) ** 2 % p, u * (da - cb) ** 2 % p
        x2, z2 = aa * bb % p, e * (aa + 121665 * e) % p
    if swap:
        x2, z2 = x3, z3
    return (x2 * pow(z2, p - 2, p) % p).to_bytes(32, "little")


def text(b):
    return struct.pack(">I", len(b)) + b


def mpint(b):
    b = b.lstrip(b"\0")
    return text(b"\0" + b if b and b[0] & 128 else b)


class Client:
    def __init__(self, host, port, source):
        self.sock = socket.create_connection((host, port), 15, (source, 0) if source else None)
        self.file = self.sock.makefile("rb")
        self.out_cipher = self.in_cipher = None
        self.out_seq = self.in_seq = 0
        self.key_exchange()

    def send(self, payload):
        pad = 16 - (len(payload) + 5) % 16
        pad += 16 if pad < 4 else 0
        packet = struct.pack(">IB", len(payload) + pad + 1, pad) + payload + os.urandom(pad)
        mac = b""
        if self.out_cipher:
            mac = hmac.digest(self.out_mac, struct.pack(">I", self.out_seq) + packet, "sha256")
            packet = self.out_cipher.apply(packet)
        self.out_seq += 1
        self.sock.sendall(packet + mac)

    def receive(self):
        plain = self.in_cipher.apply if self.in_cipher else (lambda b: b)
        first = plain(self.file.read(16))
        size, pad = struct.unpack(">IB", first[:5])
        rest = plain(self.file.read(size - 12))
        if self.in_cipher:
            self.file.read(32)
        return (first[5:] + rest)[:size - pad - 1]

    def expect(self, *kinds):
        while True:
            p = self.receive()
            if p[0] in kinds:
                return p
            if p[0] not in (2, 3, 4, 53, 7):  # ignore, unimplemented, debug, banner, ext-info
                raise RuntimeError("unexpected message %d" % p[0])

    def key_exchange(self):
        mine = b"SSH-2.0-rawssh"
        self.sock.sendall(mine + b"\r\n")
        theirs = self.file.readline().rstrip(b"\r\n")
        names = [b"curve25519-sha256", b"ssh-ed25519"] + [b"aes128-ctr"] * 2 + \
            [b"hmac-sha2-256"] * 2 + [b"none"] * 2 + [b""] * 2
        init = b"\x14" + os.urandom(16) + b"".join(map(text, names)) + bytes(5)
        self.send(init)
        server_init = self.expect(20)
        secret = os.urandom(32)
        public = x25519(secret, (9).to_bytes(32, "little"))
        self.send(b"\x1e" + text(public))
        reply, parts = self.expect(31)[1:], []
        while reply:
            n = struct.unpack(">I", reply[:4])[0]
            parts.append(reply[4:4 + n])
            reply = reply[4 + n:]
        shared = mpint(x25519(secret, parts[1]))
        h = hashlib.sha256(b"".join(map(text, (mine, theirs, init, server_init, parts[0], public,
                                               parts[1]))) + shared).digest()

        def key(letter, n):
            return hashlib.sha256(shared + h + letter + h).digest()[:n]
        self.expect(21)
        self.send(b"\x15")
        self.out_cipher, self.in_cipher = Ctr(key(b"C", 16), key(b"A", 16)), \
            Ctr(key(b"D", 16), key(b"B", 16))
        self.out_mac = key(b"E", 32)
        self.send(b"\x05" + text(b"ssh-userauth"))
        self.expect(6)

    def password(self, user, password):
        """True when accepted."""
        self.send(b"\x32" + text(user) + text(b"ssh-connection") + text(b"password") + b"\0" +
                  text(password))
        return self.expect(51, 52)[0] == 52


def main(argv):
    client = Client(argv[1], int(argv[2]), argv[3])
    for _ in range(int(argv[6]) if len(argv) > 6 else 1):
        if client.password(bytes.fromhex(argv[4]), argv[5].encode()):
            return 1
    return 0


if __name__ == "__main__":
    try:
        code = main(sys.argv)
    except Exception as e:
        print("rawssh: %r" % e, file=sys.stderr)
        code = 2
    sys.exit(code)
