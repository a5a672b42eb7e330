"""Common Event Format, version 0: the header's seven parts, the extension's keys with the types of the
format's dictionary, and the labels that its custom fields want."""
import ipaddress
import re

TEXT = ("externalId cat act outcome dvchost deviceExternalId duser app proto reason msg dproc filePath "
        "fileHash requestMethod request requestClientApplication").split()
NUMBER = "rt start end cnt spt dpt in out dpid".split()
ADDRESS = {"src": 4, "dst": 4, "c6a2": 6, "c6a3": 6}
CUSTOM = re.compile(r"(cs[1-6]|cn[1-3]|c6a[1-4])")


def header(line):
    """The seven parts and the extension; None when it is no CEF line."""
    parts, text = [], line
    for _ in range(7):
        found = re.match(r"((?:[^\\|]|\\[\\|])*)\|", text)
        if not found:
            return None
        parts.append(found[1])
        text = text[found.end():]
    return parts, text


def extension(text):
    """Keys and values: a value ends where a space, a key and a bare "=" follow."""
    found = list(re.finditer(r"(?:^|(?<= ))([A-Za-z0-9]+)=", text))
    ends = [m.start() - 1 for m in found[1:]] + [len(text)]
    if not found or found[0].start():
        return None
    return [(m[1], text[m.end():end]) for m, end in zip(found, ends)]


def check(line):
    """What is wrong with it, as texts."""
    split = header(line)
    if not split:
        return ["no header of seven parts"]
    parts, text = split
    wrong = []
    if parts[0] != "CEF:0" or parts[1:3] != ["Outergate", "outergate"] or not all(parts):
        wrong.append("header %r" % parts)
    if not re.fullmatch(r"10|[0-9]", parts[6]):
        wrong.append("severity %r" % parts[6])
    pairs = extension(text)
    if not pairs:
        return wrong + ["no extension"]
    keys = dict(pairs)
    if len(keys) != len(pairs):
        wrong.append("a key stands twice")
    for key, value in pairs:
        wrong += ["%s: %s" % (key, f) for f in faults(key, value, keys)]
    if "externalId" not in keys:
        wrong.append("no externalId")
    return wrong


def faults(key, value, keys):
    name = CUSTOM.fullmatch(key)
    if re.search(r"(?<!\\)(?:\\\\)*\\[^\\=nr]|(?<!\\)(?:\\\\)*=", value) or not value:
        yield "%r is not escaped" % value
    if len(value.encode()) > 8 * 1023:
        yield "too long"
    if name and key + "Label" not in keys:
        yield "has no label"
    if key.endswith("Label"):
        if key[:-5] not in keys or not CUSTOM.fullmatch(key[:-5]):
            yield "labels nothing"
    elif key in ADDRESS:
        try:
            if ipaddress.ip_address(value).version != ADDRESS[key]:
                yield "%r is of the other version" % value
        except ValueError:
            yield "%r is no address" % value
    elif key in NUMBER or key.startswith("cn"):
        if not re.fullmatch(r"[0-9]+", value) or int(value) >= 2 ** 63:
            yield "%r is no number" % value
    elif key not in TEXT and not name:
        yield "is no key of the format that is used here"
