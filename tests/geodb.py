#!/usr/bin/env python3
"""Makes a database of places or networks from a description, for tests.

    usage: geodb.py DESCRIPTION.json OUTPUT

    {"format": "mmdb", "type": "Test-City", "networks": {"203.0.113.0/24": {"country_code": "NL"}}}

format: mmdb (MaxMind DB 2.0; default) or libloc (LOCDBXX 1). Of mmdb: ip_version 4 or 6 (default 6),
record_size 24, 28 or 32; a number with a point is a double, with "floats" a float. Of libloc the
keys of a network are country, asn, as_name, flags (1 proxy, 2 satellite, 4 anycast, 8 drop). The
longest prefix wins. built: seconds since 1970. compact: sections without padding (smaller seeds).
"""
import ipaddress
import json
import struct
import sys

MARKER = b"\xab\xcd\xefMaxMind.com"


def control(kind, size):
    head = bytes([kind << 5]) if kind < 8 else b"\0" + bytes([kind - 7])
    if size < 29:
        return bytes([head[0] | size]) + head[1:]
    if size < 285:
        return bytes([head[0] | 29]) + head[1:] + bytes([size - 29])
    return bytes([head[0] | 30]) + head[1:] + struct.pack(">H", size - 285)


def number(kind, value):
    raw = value.to_bytes(8, "big").lstrip(b"\0")
    return control(kind, len(raw)) + raw


def encode(value, floats=False):
    if isinstance(value, bool):
        return control(14, int(value))
    if isinstance(value, int):
        return number(6 if value < 2**32 else 9, value)
    if isinstance(value, float):
        return control(15, 4) + struct.pack(">f", value) if floats else control(3, 8) + struct.pack(">d", value)
    if isinstance(value, str):
        raw = value.encode("utf-8", "surrogateescape")
        return control(2, len(raw)) + raw
    if isinstance(value, list):
        return control(11, len(value)) + b"".join(encode(v, floats) for v in value)
    return control(7, len(value)) + b"".join(encode(k) + encode(v, floats) for k, v in value.items())


class Tree:
    """Nodes are [left, right]; a side is None, ("node", n) or ("leaf", anything)."""

    def __init__(self):
        self.nodes = [[None, None]]

    def add(self, bits, leaf):
        at = 0
        for bit in bits[:-1]:
            side = self.nodes[at][bit]
            if side is None or side[0] == "leaf":
                self.nodes.append([side, side])
                self.nodes[at][bit] = ("node", len(self.nodes) - 1)
            at = self.nodes[at][bit][1]
        self.nodes[at][bits[-1]] = ("leaf", leaf)


def bits_of(net, width, mapped):
    raw = net.network_address.packed
    prefix = net.prefixlen
    if net.version == 4 and width == 128:
        raw = bytes(10) + (b"\xff\xff" if mapped else b"\0\0") + raw
        prefix += 96
    return [raw[i // 8] >> (7 - i % 8) & 1 for i in range(prefix)]


def networks(d):
    nets = [(ipaddress.ip_network(k), v) for k, v in d["networks"].items()]
    return sorted(nets, key=lambda n: n[0].prefixlen + (96 if n[0].version == 4 else 0))


def record(left, right, size):
    if size == 24:
        return left.to_bytes(3, "big") + right.to_bytes(3, "big")
    if size == 28:
        middle = (left >> 24) << 4 | right >> 24
        return (left & 0xffffff).to_bytes(3, "big") + bytes([middle]) + (right & 0xffffff).to_bytes(3, "big")
    return left.to_bytes(4, "big") + right.to_bytes(4, "big")


def mmdb(d):
    version, size = d.get("ip_version", 6), d.get("record_size", 28)
    tree, data = Tree(), b""
    for net, value in networks(d):
        tree.add(bits_of(net, 32 if version == 4 else 128, False), len(data))
        data += encode(value, d.get("floats", False))
    count = len(tree.nodes)

    def value_of(side):
        if side is None:
            return count
        return side[1] if side[0] == "node" else count + 16 + side[1]

    out = b"".join(record(value_of(n[0]), value_of(n[1]), size) for n in tree.nodes)
    meta = encode({"database_type": d.get("type", "Test"), "description": {"en": "made by a test"},
                   "languages": ["en"]})
    extra = [("binary_format_major_version", 5, 2), ("binary_format_minor_version", 5, 0),
             ("build_epoch", 9, d.get("built", 1767225600)), ("ip_version", 5, version),
             ("node_count", 6, count), ("record_size", 5, size)]
    body = meta[1:] + b"".join(encode(k) + number(kind, v) for k, kind, v in extra)
    return out + bytes(16) + data + MARKER + control(7, 3 + len(extra)) + body


def libloc(d):
    nodes, rows, names, pool = [[0, 0, 0xffffffff]], b"", {}, b"\0"
    for net, v in networks(d):
        at = 0
        for bit in bits_of(net, 128, True):
            if not nodes[at][bit]:
                nodes.append([0, 0, 0xffffffff])
                nodes[at][bit] = len(nodes) - 1
            at = nodes[at][bit]
        nodes[at][2] = len(rows) // 12
        rows += struct.pack(">2sHIHH", v.get("country", "\0\0").encode(), 0, v.get("asn", 0), v.get("flags", 0), 0)
        if v.get("as_name"):
            names[v["asn"]] = len(pool)
            pool += v["as_name"].encode() + b"\0"
    ases = b"".join(struct.pack(">II", n, names[n]) for n in sorted(names))
    tree = b"".join(struct.pack(">III", *n) for n in nodes)
    compact = d.get("compact")
    at, table, body = 4200 if compact else 8192, {}, b""
    for name, part in (("as", ases), ("networks", rows), ("tree", tree), ("countries", b""), ("pool", pool)):
        table[name] = (at + len(body), len(part))
        body += part if compact else part.ljust((len(part) + 4095) // 4096 * 4096, b"\0")
    head = b"LOCDBXX\x01" + struct.pack(">QIII", d.get("built", 1767225600), 0, 0, 0)
    for name in ("as", "networks", "tree", "countries", "pool"):
        head += struct.pack(">II", *table[name])
    return head.ljust(at, b"\0") + body


def make(description, path):
    makers = {"mmdb": mmdb, "libloc": libloc}
    with open(path, "wb") as out:
        out.write(makers[description.get("format", "mmdb")](description))


if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf-8") as f:
        make(json.load(f), sys.argv[2])
