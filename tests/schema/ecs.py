"""Elastic Common Schema's generated list of fields, and the check of a record against it: fields that
it does not have (outside outergate.*), types, arrays where it wants them and nowhere else, allowed
and expected values, and the event types that it expects of each category."""
import ipaddress
import json
import pathlib
import re

OURS = "outergate"


class Ecs:
    def __init__(self, path):
        text = pathlib.Path(path).read_text()
        if str(path).endswith(".json"):
            self.fields = json.loads(text)
        else:
            import yaml
            self.fields = yaml.safe_load(text)
        self.objects = {name.rsplit(".", n)[0] for name in self.fields
                        for n in range(1, name.count(".") + 1)}

    def check(self, record):
        """What is wrong with it, as texts; none when it is right."""
        wrong = []
        for name, value in record.items():
            if name != OURS:
                self.check_field(name, value, wrong)
        for name, field in self.fields.items():
            if field.get("required") and self.at(record, name) is None:
                wrong.append("%s is required" % name)
        self.check_categories(record.get("event", {}), wrong)
        return wrong

    @staticmethod
    def at(record, name):
        for part in name.split("."):
            record = record.get(part) if isinstance(record, dict) else None
        return record

    def check_field(self, name, value, wrong):
        field = self.fields.get(name)
        if field is None or (field["type"] in ("object", "nested") and isinstance(value, dict)):
            if name not in self.objects and field is None:
                wrong.append("%s is no field" % name)
            elif not isinstance(value, dict):
                wrong.append("%s is an object" % name)
            elif not value:
                wrong.append("%s is empty" % name)
            else:
                for key, one in value.items():
                    self.check_field(name + "." + key, one, wrong)
            return
        array = "array" in field.get("normalize", [])
        if array != isinstance(value, list):
            wrong.append("%s is %san array" % (name, "not " if array else ""))
            return
        values = value if array else [value]
        if array and not values:
            wrong.append("%s is empty" % name)
        if len(values) != len({json.dumps(v) for v in values}):
            wrong.append("%s has a value twice" % name)
        for one in values:
            fault = self.fault_of(field, one)
            if fault:
                wrong.append("%s: %r %s" % (name, one, fault))

    @staticmethod
    def fault_of(field, value):
        kind = field["type"]
        allowed = [a["name"] for a in field.get("allowed_values", [])]
        if kind in ("keyword", "constant_keyword", "wildcard", "match_only_text", "text", "version"):
            if not isinstance(value, str) or not value:
                return "is no text"
        elif kind in ("long", "integer", "short", "byte", "unsigned_long"):
            if isinstance(value, bool) or not isinstance(value, int) or abs(value) >= 2 ** 63:
                return "is no " + kind
        elif kind in ("float", "scaled_float", "double", "half_float"):
            if isinstance(value, bool) or not isinstance(value, (int, float)):
                return "is no number"
        elif kind == "boolean":
            if not isinstance(value, bool):
                return "is no boolean"
        elif kind == "date":
            if not isinstance(value, str) or not re.fullmatch(
                    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", value):
                return "is no date"
        elif kind == "ip":
            try:
                ipaddress.ip_address(value)
            except ValueError:
                return "is no address"
        elif kind == "geo_point":
            if not isinstance(value, dict) or set(value) != {"lat", "lon"} or not (
                    -90 <= value["lat"] <= 90 and -180 <= value["lon"] <= 180):
                return "is no point"
        else:
            return "has a type that is not known here: " + kind
        if allowed and value not in allowed:
            return "is not allowed"
        if field.get("expected_values") and value not in field["expected_values"]:
            return "is not expected"
        if field.get("pattern") and not re.search(field["pattern"], value):
            return "does not match " + field["pattern"]
        return None

    def check_categories(self, event, wrong):
        if not event.get("category") or not event.get("type"):
            wrong.append("event.category and event.type are what an event is found by")
            return
        allowed = {a["name"]: a for a in self.fields["event.category"]["allowed_values"]}
        for category in event["category"]:
            expected = allowed.get(category, {}).get("expected_event_types")
            for one in event["type"]:
                if expected and one not in expected:
                    wrong.append("event.type %s is not expected of %s" % (one, category))
