"""Scripts for the double of Windows (double/double.h) made of recorded events: rows of
windows-ndjson and NXLog's, with payloads encoded as the providers' templates say.

    encode.py FILE.ndjson [--via etw,evt] [--host NAME] > script
"""
import calendar
import ctypes
import datetime
import json
import os
import re
import struct
import sys
import uuid
from xml.etree import ElementTree
from xml.sax.saxutils import escape, quoteattr

DATA = os.path.abspath(os.environ.get("OUTERGATE_DATA", "../shared/data"))
TEMPLATES = os.path.join(DATA, "manifests", "windows-event-templates.ndjson")
EPOCH = 116444736000000000  # 1970 as a FILETIME
INTYPES = {"UnicodeString": 1, "AnsiString": 2, "Int8": 3, "UInt8": 4, "Int16": 5, "UInt16": 6,
           "Int32": 7, "UInt32": 8, "Int64": 9, "UInt64": 10, "Boolean": 13, "Binary": 14,
           "GUID": 15, "Pointer": 16, "FILETIME": 17, "SID": 19, "HexInt32": 20, "HexInt64": 21}
SIZES = {"Int8": 1, "UInt8": 1, "Int16": 2, "UInt16": 2, "Int32": 4, "UInt32": 4, "Boolean": 4,
         "HexInt32": 4, "Int64": 8, "UInt64": 8, "HexInt64": 8, "FILETIME": 8}
SOCKET_ADDRESS = 25  # TDH_OUTTYPE_SOCKETADDRESS

# Rendered texts of events whose fields an exporter dropped: the fields of their lines, in order.
LINES = {21: ["User", "SessionID", "Address"], 22: ["User", "SessionID", "Address"],
         23: ["User", "SessionID"], 24: ["User", "SessionID", "Address"],
         25: ["User", "SessionID", "Address"], 41: ["User", "SessionID"],
         42: ["User", "SessionID"], 1149: ["Param1", "Param2", "Param3"]}
# Who fills EventData; the others fill UserData.
EVENT_DATA = ("Microsoft-Windows-Security-Auditing", "OpenSSH", "Microsoft-Windows-Sysmon",
              "Microsoft-Windows-WinRM", "Microsoft-Windows-RemoteDesktopServices-RdpCoreTS",
              "Microsoft-Windows-SMBServer", "RemoteAccess", "Service Control Manager",
              "Microsoft-Windows-Windows Firewall With Advanced Security")


SECURITY = "Microsoft-Windows-Security-Auditing"
SECURITY_GUID = "{54849625-5478-4994-A5BA-3E3B0328C30D}"
# What the cases need that are not recorded: 4625.
FAILED = {"provider": SECURITY, "guid": SECURITY_GUID, "id": 4625, "v": 0, "fields": [
    {"n": n, "t": t} for n, t in (
        ("SubjectUserSid", "SID"), ("SubjectUserName", "UnicodeString"),
        ("SubjectDomainName", "UnicodeString"), ("SubjectLogonId", "HexInt64"),
        ("TargetUserSid", "SID"), ("TargetUserName", "UnicodeString"),
        ("TargetDomainName", "UnicodeString"), ("Status", "HexInt32"),
        ("FailureReason", "UnicodeString"), ("SubStatus", "HexInt32"), ("LogonType", "UInt32"),
        ("LogonProcessName", "UnicodeString"), ("AuthenticationPackageName", "UnicodeString"),
        ("WorkstationName", "UnicodeString"), ("TransmittedServices", "UnicodeString"),
        ("LmPackageName", "UnicodeString"), ("KeyLength", "UInt32"), ("ProcessId", "Pointer"),
        ("ProcessName", "UnicodeString"), ("IpAddress", "UnicodeString"),
        ("IpPort", "UnicodeString"))]}


GATEWAY = "Microsoft-Windows-TerminalServices-Gateway"
GATEWAY_GUID = "{4D5AE6A1-C7C8-4E6D-B840-4D8080B42E1B}"


def gateway(eid):
    """Of RD Gateway's manifest: 303 has what it moved, too."""
    names = ["Username", "IpAddress", "AuthType", "Resource"]
    if eid == 303:
        names += ["BytesReceived", "BytesTransfered", "SessionDuration"]
    return {"provider": GATEWAY, "guid": GATEWAY_GUID, "id": eid, "v": 0, "fields": [
        {"n": n, "t": "UnicodeString"} for n in names + ["ConnectionProtocol"]] + [
        {"n": "ErrorCode", "t": "UInt32"}]}


def templates():
    """(provider, id, version) -> row."""
    rows = [FAILED] + [gateway(i) for i in (200, 201, 300, 301, 302, 303, 304, 312)]
    if os.path.exists(TEMPLATES):
        with open(TEMPLATES, encoding="utf-8") as f:
            rows += [json.loads(line) for line in f]
    return {(r["provider"], r["id"], r["v"]): r for r in rows}


def filetime(text):
    """"2018-08-05T10:34:37.552277500Z", without rounding."""
    whole, _, part = text.rstrip("Z").partition(".")
    t = datetime.datetime.strptime(whole.replace(" ", "T"), "%Y-%m-%dT%H:%M:%S")
    return EPOCH + calendar.timegm(t.timetuple()) * 10**7 + int((part + "0000000")[:7])


def iso(ft):
    seconds, part = divmod(ft - EPOCH, 10**7)
    t = datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc)
    return t.strftime("%Y-%m-%dT%H:%M:%S.") + "%07dZ" % part


def now():
    return EPOCH + int(datetime.datetime.now(datetime.timezone.utc).timestamp() * 10**7)


def fields_of_message(eid, message):
    if eid in LINES:
        values = [v.partition(":")[2].strip() for v in message.splitlines()
                  if ": " in v and not v.endswith(":")]
        return [[n, v] for n, v in zip(LINES[eid], values)]
    numbers = re.findall(r"\d+", message)
    if eid == 40:
        return [["Session", numbers[0]], ["Reason", numbers[1]]]
    if eid == 39:
        return [["TargetSession", numbers[0]], ["Source", numbers[1]]]
    return [["listenerName", "RDP-Tcp"]] if eid == 261 else []


def of_nxlog(r, known):
    """NXLog's flat objects, whose names of fields are the template's."""
    t = known.get((r["SourceName"], r["EventID"], r["Version"]))
    names = [f["n"] for f in t["fields"]] if t else []
    if any(n in r for n in names):
        data = [[n, str(r.get(n, "-"))] for n in names]
    else:
        data = fields_of_message(r["EventID"], r.get("Message", ""))
    return {"provider": r["SourceName"], "guid": r["ProviderGuid"], "channel":
            "Security" if r["Channel"].lower() == "security" else r["Channel"],
            "id": r["EventID"], "version": r["Version"], "time": r["EventTime"],
            "record_id": r["RecordNumber"], "activity_id": r.get("ActivityID"),
            "pid": r["ExecutionProcessID"], "tid": r["ThreadID"], "computer": r["Hostname"],
            "data": data}


def read(path, host=None):
    """Rows in the order of their times, each with its own FILETIME ("ft")."""
    known = templates()
    with open(path, encoding="utf-8") as f:
        rows = [json.loads(line) for line in f]
    rows = [of_nxlog(r, known) if "SourceName" in r else r for r in rows]
    rows = [r for r in rows if host in (None, r["computer"])]
    for r in rows:
        r["ft"] = filetime(r["time"])
    rows.sort(key=lambda r: r["ft"])  # stable: of one second, as they were recorded
    for before, r in zip(rows, rows[1:]):
        r["ft"] = max(r["ft"], before["ft"] + 10**4)  # no two at the same millisecond
    return rows


def read_evtx(path):
    """The same of an event log, by libevtx, in the order in which they were written: a machine that
    starts with a wrong clock has times that go back."""
    lib = ctypes.CDLL("libevtx.so.1")

    def call(name, *args):
        error = ctypes.c_void_p()
        if getattr(lib, "libevtx_" + name)(*args, ctypes.byref(error)) != 1:
            raise OSError("%s: libevtx_%s" % (path, name))
    log, count = ctypes.c_void_p(), ctypes.c_int()
    call("file_initialize", ctypes.byref(log))
    call("file_open", log, path.encode(), 1)
    call("file_get_number_of_records", log, ctypes.byref(count))
    texts = []
    for i in range(count.value):
        record, size = ctypes.c_void_p(), ctypes.c_size_t()
        call("file_get_record_by_index", log, i, ctypes.byref(record))
        call("record_get_utf8_xml_string_size", record, ctypes.byref(size))
        text = ctypes.create_string_buffer(size.value)
        call("record_get_utf8_xml_string", record, text, size)
        texts.append(text.value.decode())
        call("record_free", ctypes.byref(record))
    return sorted((of_xml(t) for t in texts), key=lambda r: r["record_id"])


def of_xml(text):
    root = ElementTree.fromstring(re.sub(r" xmlns=('[^']*'|\"[^\"]*\")", "", text))
    system, data = root.find("System"), root.find("EventData")

    def attribute(tag, name):
        found = system.find(tag)
        return found.get(name) if found is not None else None
    return {"provider": attribute("Provider", "Name"), "guid": attribute("Provider", "Guid"),
            "channel": system.findtext("Channel"), "id": int(system.findtext("EventID")),
            "version": int(system.findtext("Version") or 0),
            "ft": filetime(attribute("TimeCreated", "SystemTime")),
            "record_id": int(system.findtext("EventRecordID")),
            "activity_id": attribute("Correlation", "ActivityID"),
            "pid": int(attribute("Execution", "ProcessID") or 0),
            "tid": int(attribute("Execution", "ThreadID") or 0),
            "computer": system.findtext("Computer"),
            "data": [[d.get("Name"), d.text or ""] for d in data] if data is not None else []}


def number(text):
    text = str(text).strip()
    try:
        return int(text, 0)
    except ValueError:
        return int(text) if text.isdigit() else 0


def sid(text):
    parts = [int(p) for p in text.split("-")[1:]] if text.startswith("S-") else [1, 0, 0]
    return bytes((parts[0], len(parts) - 2)) + parts[1].to_bytes(6, "big") + b"".join(
        struct.pack("<I", p) for p in parts[2:])


def encode_one(f, value, bits):
    kind = f["t"]
    if kind == "UnicodeString":
        return value.encode("utf-16-le") + (b"" if f.get("len") else b"\0\0")
    if kind == "AnsiString":
        return value.encode() + (b"" if f.get("len") else b"\0")
    if kind == "SID":
        return sid(value)
    if kind == "GUID":
        try:
            return uuid.UUID(value).bytes_le
        except ValueError:
            return bytes(16)
    if kind == "Binary":
        return bytes.fromhex(value)
    size = bits // 8 if kind == "Pointer" else SIZES[kind]
    return (number(value) & (1 << 8 * size) - 1).to_bytes(size, "little")


def payload(template, data, bits=64):
    values = {n.lower(): str(v) for n, v in data}
    return b"".join(encode_one(f, values.get(f["n"].lower(), ""), bits)
                    for f in template["fields"])


def xml(r):
    """As the log renders it; a row whose "ft" is a text ("+N") gets its time when it is played."""
    def leaf(n, v):
        return "<%s>%s</%s>" % (n, clean(v), n)

    def clean(v):
        return "".join("&#%d;" % ord(c) if c in "\t\r\n" else c for c in escape(str(v)))
    if r["provider"] in EVENT_DATA:
        body = "<EventData>%s</EventData>" % "".join(
            "<Data%s>%s</Data>" % (" Name=" + quoteattr(n) if n else "", clean(v))
            for n, v in r["data"])
    else:
        body = "<UserData><EventXML xmlns='Event_NS'>%s</EventXML></UserData>" % "".join(
            leaf(n, v) for n, v in r["data"])
    return ("<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System>"
            "<Provider Name='%s' Guid='%s'/><EventID>%d</EventID><Version>%d</Version>"
            "<Level>0</Level><Task>0</Task><Opcode>0</Opcode><Keywords>0x8020000000000000"
            "</Keywords><TimeCreated SystemTime='%s'/><EventRecordID>%d</EventRecordID>%s"
            "<Execution ProcessID='%d' ThreadID='%d'/><Channel>%s</Channel><Computer>%s"
            "</Computer>%s</System>%s</Event>"
            % (r["provider"], r["guid"].lower(), r["id"], r["version"], "@TIME@" if isinstance(r["ft"], str) else iso(r["ft"]),
               r["record_id"], "<Correlation ActivityID='%s'/>" % r["activity_id"]
               if r["activity_id"] else "<Correlation/>", r["pid"], r.get("tid") or 4,
               r["channel"], r["computer"], "<Security UserID='%s'/>" % r["user_id"]
               if r.get("user_id") else "<Security/>", body))


def schema_line(template, channel):
    index = {f["n"]: i for i, f in enumerate(template["fields"])}
    parts = ["schema", template["guid"], template["id"], template["v"], template["provider"],
             channel]
    for f in template["fields"]:
        is_socket = f["t"] == "Binary" and f["n"] == "ClientAddress"
        row = [f["n"], INTYPES[f["t"]], SOCKET_ADDRESS if is_socket else 0]
        if f.get("len") in index:
            row.append(index[f["len"]])
        parts.append(",".join(map(str, row)))
    return "\t".join(map(str, parts))


def event_line(r, via, raw, bits=64):
    return "\t".join(map(str, (
        "event", via, r["guid"], r["id"], r["version"], r["ft"], r["activity_id"] or "-",
        r["pid"], r.get("tid") or 4, bits, raw.hex() or "-", r["channel"], r["record_id"], xml(r))))


class Script:
    """Lines in their order; the schemas that its events need come first."""

    def __init__(self, channels=()):
        self.known = templates()
        self.head, self.lines, self.schemas = [], [], set()
        for c in channels:
            self.head.append("channel\t" + c)

    def add(self, *parts):
        self.lines.append("\t".join(map(str, parts)))

    def template(self, r, has_schema=True):
        key = (r["provider"], r["id"], r["version"])
        t = self.known.get(key)
        if t and has_schema and key not in self.schemas:
            self.schemas.add(key)
            self.head.append(schema_line(t, r["channel"]))
        return t

    def event(self, r, via="etw,evt", bits=64, change=None, has_schema=True):
        """change: what becomes of the payload; what has no template comes by the log alone."""
        t = self.template(r, has_schema)
        raw = payload(t, r["data"], bits) if t else b""
        if not t:
            via = ",".join(v for v in via.split(",") if v != "etw")
        if via:
            self.lines.append(event_line(r, via, change(raw) if change else raw, bits))

    def text(self):
        return "\n".join(self.head + self.lines) + "\n"


def shifted(rows, end):
    """The same rows, the latest of them at that time, numbered as one log has them."""
    by = end - max(r["ft"] for r in rows)
    return [dict(r, ft=r["ft"] + by, record_id=1000 + n) for n, r in enumerate(rows)]


def relative(rows, start=0):
    """The same rows as they happen: the first of them that long (s) after "play"."""
    first = rows[0]["ft"] - int(start * 10**7)
    return [dict(r, ft="+%d" % (r["ft"] - first)) for r in rows]


def main(path, *options):
    given = dict(zip(options[::2], options[1::2]))
    rows = read(path, given.get("--host"))
    s = Script(sorted({r["channel"] for r in rows}))
    s.add("play")
    s.add("await", "subscribe Microsoft-Windows-Sysmon")
    for r in shifted(rows, now()):
        s.event(r, given.get("--via", "etw,evt"))
    s.add("end")
    sys.stdout.write(s.text())


if __name__ == "__main__":
    main(*sys.argv[1:])
