"""The files of deploy/collector: they parse, and what they name of Outergate is in what it sends. The
engines that read them are not at hand: no query of theirs is executed here."""
import configparser
import json
import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[2] / "deploy/collector"
# Members that no replay of a golden case has: the live agent's, and what a database or a person adds.
LIVE = {"host_name", "boot_id", "origin.country", "origin.asn", "origin.as_org", "origin.latitude", "origin.longitude",
        "origin.radius_km"}
KINDS = {"int": (int,), "long": (int,), "string": (str,), "boolean": (bool,), "datetime": (str,),
         "dynamic": (dict, list)}


def flatten(value, name, into):
    """Every path of a record, {} for an array's elements as Splunk has it, with its values' types."""
    if name:
        into.setdefault(name, set()).add(type(value))
    if isinstance(value, dict):
        for key, one in value.items():
            flatten(one, name + "." + key if name else key, into)
    elif isinstance(value, list):
        for one in value:
            flatten(one, name + "{}", into)


def splunk_fields(name, parser):
    """The fields of ours that a file reads."""
    found = []
    for section in parser.sections():
        for key, value in parser[section].items():
            if key.startswith("EVAL-"):
                found += re.findall(r"'([^']+)'", re.sub(r'"[^"]*"', '""', value))
            if key == "search":
                found += [f for f in re.findall(r"(\S+?)=", value) if f != "sourcetype"]
    return found


def check_splunk(check, fields):
    types, tagged = set(), set()
    for path in sorted((ROOT / "splunk").glob("*.conf")):
        parser = configparser.RawConfigParser(strict=True, delimiters=("=",), comment_prefixes=("#",))
        parser.optionxform = str
        text = path.read_text()
        check("%s has a header" % path.name, text.startswith("# "))
        try:
            parser.read_string(text)
        except configparser.Error as e:
            check("%s parses" % path.name, False, e)
            continue
        unknown = [f for f in splunk_fields(path.name, parser) if f not in fields and f not in LIVE]
        check("%s names what is sent" % path.name, parser.sections() and not unknown, unknown)
        if path.name == "eventtypes.conf":
            types = set(parser.sections())
        if path.name == "tags.conf":
            tagged = {s.partition("=")[2] for s in parser.sections()}
    check("every event type has tags", types and types == tagged, types ^ tagged)
    odd = splunk_fields("", configparser_of("[x]\nEVAL-a = 'no.such' . \"'no'\"\nsearch = nothing=1"))
    check("a field that is not sent is found", odd == ["no.such", "nothing"], odd)


def configparser_of(text):
    parser = configparser.RawConfigParser(delimiters=("=",))
    parser.optionxform = str
    parser.read_string(text)
    return parser


def check_sentinel(check, fields):
    table = json.loads((ROOT / "sentinel/table.json").read_text())["properties"]["schema"]
    rule = json.loads((ROOT / "sentinel/dcr.json").read_text())["properties"]
    columns = {c["name"]: c["type"] for c in table["columns"]}
    reserved = {"_ResourceId", "id", "_SubscriptionId", "TenantId", "Type", "UniqueId", "Title"}
    check("the table has columns that it may have", len(columns) == len(table["columns"]) and
          "TimeGenerated" in columns and not reserved & set(columns))
    stream = {c["name"]: c["type"] for c in rule["streamDeclarations"]["Custom-Outergate"]["columns"]}
    unknown = [n for n in stream if n not in fields and n not in LIVE]
    check("the stream names what is sent", not unknown, unknown)
    wrong = [n for n, kind in stream.items() for t in fields.get(n, ()) if t not in KINDS[kind]]
    check("with its types", not wrong, wrong)
    flow = rule["dataFlows"][0]
    check("the rule fills the table", flow["outputStream"] == "Custom-" + table["name"] and
          flow["destinations"] == [d["name"] for d in rule["destinations"]["logAnalytics"]])
    made = dict(re.findall(r"(\w+) = \['(\w+)'\]", flow["transformKql"]))
    check("its transformation makes every column of what the stream has",
          set(made) | {"TimeGenerated"} == set(columns) and set(made.values()) == set(stream),
          set(made) ^ set(columns))
    wrong = [c for c, s in made.items() if columns[c] != stream[s]]
    check("of the same type", not wrong, wrong)
    for path in sorted((ROOT / "sentinel").rglob("*.kql")):
        text = path.read_text()
        check("%s has a header" % path.name, text.startswith("// "))
        unknown = unknown_of(text, columns, made, fields)
        check("%s names columns of the table" % path.name, not unknown, unknown)
    check("a column that there is not is found", unknown_of(
        "T_CL | extend A = Nothing | extend B = tostring(Origin.nothing), C = A",
        columns, made, fields) == ["Nothing", "origin.nothing"])


def unknown_of(text, columns, made, fields):
    """Names with a capital are columns, of the table or made before; .x of one is a member of ours."""
    code = re.sub(r'"(?:[^"\\]|\\.)*"', '""', re.sub(r"//.*", "", text))
    have, unknown = set(columns), []
    for match in re.finditer(r"(?<![\w.])([A-Z]\w*)(?:\.(\w+))?(\s*=(?!=))?", code):
        name, member, makes = match[1], match[2], match[3]
        if makes and not member:
            have.add(name)
        elif name.endswith("_CL"):
            continue
        elif name not in have:
            unknown.append(name)
        elif member:
            path = "%s.%s" % (made.get(name, name), member)
            if path not in fields and path not in LIVE:
                unknown.append(path)
    return unknown


# What a pipeline or relay adds, or only a live agent or a database knows.
ECS_ADDED = {"event.ingested", "tls.client.x509.subject.common_name", "host.name", "source.geo.country_iso_code",
             "outergate.session.key"}


def check_fleet(check, lines, fields):
    """The fleet's questions in other languages: each is there, and names what is sent."""
    want = sorted(p.stem for p in (ROOT / "clickhouse/queries").glob("*.sql"))
    for folder, end in (("sentinel/fleet", "kql"), ("splunk/fleet", "spl"), ("elastic/fleet", "esql")):
        have = sorted(p.stem for p in (ROOT / folder).glob("*." + end))
        check("%s asks every question" % folder, have == want, have)
    for path in sorted((ROOT / "splunk/fleet").glob("*.spl")):
        text = re.sub(r"```.*?```", "", path.read_text(), flags=re.S)
        used = set(re.findall(r"\b(?:origin|local)\.\w+", text)) | set(
            re.findall(r"\b(host_id|host_name|account|stages\{\}|kind|outcome|destinations\{\}|open|key)\b", text))
        unknown = [f for f in used if f not in fields and f not in LIVE and f.rstrip("{}") not in fields]
        check("%s names what is sent" % path.name, len(used) > 1 and not unknown, unknown)
    ecs = {}
    for _, line in lines["ecs"]:
        flatten(json.loads(line), "", ecs)
    for path in sorted((ROOT / "elastic/fleet").glob("*.esql")):
        text = re.sub(r'"[^"]*"|//.*', "", path.read_text()).replace("logs-outergate.*", "")
        used = set(re.findall(r"\b[a-z]\w*(?:\.\w+)+", text))
        unknown = [f for f in used if f not in ecs and f not in ECS_ADDED]
        check("%s names what is sent" % path.name, len(used) > 1 and not unknown, unknown)


def check_files(check, lines):
    fields = {}
    for _, line in lines["outergate"]:
        flatten(json.loads(line), "", fields)
    check_splunk(check, fields)
    check_sentinel(check, fields)
    check_fleet(check, lines, fields)
