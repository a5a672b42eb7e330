"""One Windows event in the shapes that exporters write. An event is a row of windows-ndjson:
{provider, guid, channel, id, version, time, record_id, activity_id, pid, computer, user_id, data}."""
import json
from xml.sax.saxutils import escape, quoteattr


def row(e):
    return e


def ecs(e):
    """winlogbeat 7 and later, Elastic Agent."""
    winlog = {"provider_name": e["provider"], "provider_guid": e["guid"], "channel": e["channel"],
              "event_id": str(e["id"]), "version": e["version"], "record_id": e["record_id"],
              "computer_name": e["computer"], "process": {"pid": e["pid"], "thread": {"id": 4}},
              "opcode": "Info", "event_data": dict(e["data"])}
    if e["activity_id"]:
        winlog["activity_id"] = e["activity_id"]
    if e["user_id"]:
        winlog["user"] = {"identifier": e["user_id"]}
    return {"@timestamp": e["time"], "winlog": winlog, "host": {"name": "collector"},
            "event": {"code": str(e["id"]), "provider": e["provider"], "kind": "event",
                      "created": "2030-01-01T00:00:00.000Z"},
            "agent": {"version": "8.1.0", "id": "x"}, "message": "rendered: text\nwith: colons"}


def ecs_dotted(e):
    """The same with its names joined."""
    out = {"@timestamp": e["time"]}

    def walk(prefix, value):
        if isinstance(value, dict):
            for k, v in value.items():
                walk(prefix + "." + k, v)
        else:
            out[prefix] = value
    walk("winlog", ecs(e)["winlog"])
    return out


def winlogbeat6(e):
    return {"@timestamp": e["time"], "beat": {"name": "w", "version": "6.7.0"},
            "source_name": e["provider"], "provider_guid": e["guid"], "log_name": e["channel"],
            "event_id": e["id"], "version": e["version"], "record_number": str(e["record_id"]),
            "computer_name": e["computer"], "process_id": e["pid"], "thread_id": 4,
            "activity_id": e["activity_id"], "event_data": dict(e["data"]), "message": "m",
            "host": {"name": "w"}}


def nxlog(e):
    out = {"EventTime": e["time"], "Hostname": e["computer"], "Keywords": -9, "EventType": "INFO",
           "SeverityValue": 2, "Severity": "INFO", "EventID": e["id"], "SourceName": e["provider"],
           "ProviderGuid": e["guid"], "Version": e["version"], "Task": 1, "OpcodeValue": 0,
           "RecordNumber": e["record_id"], "ExecutionProcessID": e["pid"],
           "ExecutionThreadID": 4, "Channel": e["channel"], "Message": "rendered",
           "EventReceivedTime": "2030-01-01 00:00:00", "SourceModuleName": "in",
           "SourceModuleType": "im_msvistalog"}
    if e["activity_id"]:
        out["ActivityID"] = e["activity_id"]
    out.update(dict(e["data"]))
    return out


def system(e, attributes):
    return {"Provider": {attributes: {"Name": e["provider"], "Guid": e["guid"].strip("{}")}},
            "EventID": e["id"], "Version": e["version"], "Level": 0,
            "TimeCreated": {attributes: {"SystemTime": e["time"]}},
            "EventRecordID": e["record_id"],
            "Correlation": {attributes: {"ActivityID": e["activity_id"]}}
            if e["activity_id"] else None,
            "Execution": {attributes: {"ProcessID": e["pid"], "ThreadID": 4}},
            "Channel": e["channel"], "Computer": e["computer"], "Security": None}


def evtx_dump(e):
    return {"Event": {"#attributes": {"xmlns": "http://schemas.microsoft.com/win/2004/08/events"},
                      "System": system(e, "#attributes"), "EventData": dict(e["data"])}}


def evtx_dump_user_data(e):
    return {"Event": {"System": system(e, "#attributes"), "UserData": {
        "EventXML": {"#attributes": {"xmlns": "Event_NS"}, **dict(e["data"])}}}}


def xml_to_json(e):
    """What a general XML to JSON converter makes of it."""
    return {"Event": {"System": {
        "Provider": {"@Name": e["provider"], "@Guid": e["guid"]},
        "EventID": {"#text": str(e["id"])}, "Version": str(e["version"]),
        "TimeCreated": {"@SystemTime": e["time"]}, "EventRecordID": str(e["record_id"]),
        "Correlation": {"@ActivityID": e["activity_id"]} if e["activity_id"] else None,
        "Execution": {"@ProcessID": str(e["pid"])}, "Channel": e["channel"],
        "Computer": e["computer"]},
        "EventData": {"Data": [{"@Name": n, "#text": v} for n, v in e["data"]]}}}


def wazuh(e):
    def lower(name):
        return name[:1].lower() + name[1:]
    return {"win": {"system": {"providerName": e["provider"], "eventID": str(e["id"]),
                               "version": str(e["version"]), "systemTime": e["time"],
                               "eventRecordID": str(e["record_id"]), "processID": str(e["pid"]),
                               "channel": e["channel"], "computer": e["computer"],
                               **({"activityID": e["activity_id"]} if e["activity_id"] else {}),
                               "message": "\"rendered\""},
                    "eventdata": {lower(n): v for n, v in e["data"]}}}


def xml(e):
    correlation = "<Correlation ActivityID='%s'/>" % e["activity_id"] if e["activity_id"] else \
        "<Correlation/>"
    data = "".join("<Data Name=%s>%s</Data>" % (quoteattr(n), escape(str(v)))
                   for n, v in e["data"])
    return ("<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System>"
            "<Provider Name='%s' Guid='%s'/><EventID>%d</EventID><Version>%d</Version>"
            "<TimeCreated SystemTime='%s'/><EventRecordID>%d</EventRecordID>%s"
            "<Execution ProcessID='%d' ThreadID='4'/><Channel>%s</Channel>"
            "<Computer>%s</Computer><Security/></System><EventData>%s</EventData></Event>"
            % (e["provider"], e["guid"], e["id"], e["version"], e["time"], e["record_id"],
               correlation, e["pid"], e["channel"], e["computer"], data))


def raw_xml(e):
    return {"time": e["time"], "category": "WindowsEventLogsTable",
            "properties": {"ProviderName": e["provider"], "EventId": e["id"],
                           "Channel": e["channel"], "Description": "text", "RawXml": xml(e)}}


ALL = [row, ecs, ecs_dotted, winlogbeat6, nxlog, evtx_dump, evtx_dump_user_data, xml_to_json,
       wazuh, raw_xml, xml]


def text(shape, e):
    out = shape(e)
    return out if isinstance(out, str) else json.dumps(out)
