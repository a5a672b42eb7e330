"""OCSF's published sources (events, objects, profiles, dictionary as its repository has them) made
into one table a class, and the check of a record against it: unknown attributes, types, required
ones, enumerations, constraints, class_uid and type_uid, siblings, profiles that are not named."""
import functools
import ipaddress
import json
import pathlib
import re


class Ocsf:
    def __init__(self, root):
        self.root = pathlib.Path(root)
        self.version = self.read("version.json")["version"]
        dictionary = self.read("dictionary.json")
        self.words = dictionary["attributes"]
        self.types = dictionary["types"]["attributes"]
        self.categories = self.read("categories.json")["attributes"]
        self.files = {}
        for kind in ("events", "objects"):
            for path in self.root.glob(kind + "/**/*.json"):
                one = json.loads(path.read_text())
                self.files[kind, one["name"]] = one
        self.classes = {}
        for (kind, name), one in self.files.items():
            if kind == "events" and ("uid" in one or name == "base_event"):
                made = self.made("events", name)
                made["class_uid"] = made["category_uid"] * 1000 + one.get("uid", 0)
                made["caption"] = one["caption"]
                self.classes[made["class_uid"]] = made
        self.observables = self.observable_types()

    def read(self, name):
        """An extension may bring a profile that is not among the core's."""
        found = [self.root / name, *self.root.glob("extensions/*/" + name)]
        return json.loads(next(p for p in found if p.exists()).read_text())

    def observable_types(self):
        """observable.type_id is enumerated where each type, attribute and object says so."""
        found = {"0": {"caption": "Unknown"}, "99": {"caption": "Other"}}
        objects = [one for (kind, _), one in self.files.items() if kind == "objects"]
        parts = [*self.types.values(), *self.words.values(), *objects]
        for one in objects:
            parts += [v for v in one.get("attributes", {}).values() if isinstance(v, dict)]
        for one in parts:
            if isinstance(one.get("observable"), int):
                found[str(one["observable"])] = {"caption": one.get("caption", "")}
        return found

    @functools.lru_cache(maxsize=None)
    def made(self, kind, name):
        """What a class or object has, with what it inherits: attributes, constraints, category."""
        one = self.files[kind, name]
        above = self.made(kind, one["extends"]) if "extends" in one else {"attributes": {}}
        ret = dict(above)
        ret.update(name=name, attributes={k: dict(v) for k, v in above["attributes"].items()})
        ret["constraints"] = {**above.get("constraints", {}), **one.get("constraints", {})}
        if "category" in one:
            ret["category_uid"] = self.categories.get(one["category"], {}).get("uid", 0)
        self.add(ret["attributes"], one["attributes"], None)
        return ret

    def add(self, to, attributes, profile):
        for path in attributes.get("$include", []):
            included = self.read(path)
            named = included["name"] if path.startswith("profiles/") else None
            self.add(to, included["attributes"], named)
        for key, value in attributes.items():
            if key.startswith("$"):
                continue
            have = to.setdefault(key, {})
            enum = {**have.get("enum", {}), **value.get("enum", {})}
            fresh = not have
            have.update(value)
            if fresh and profile and "profile" not in value:
                have["profile"] = profile
            if enum:
                have["enum"] = enum

    def enum_of(self, key, attribute):
        return {**self.words[key].get("enum", {}), **attribute.get("enum", {})}

    def check(self, record):
        """What is wrong with it, as texts; none when it is right."""
        made = self.classes.get(record.get("class_uid"))
        if not made:
            return ["class_uid %r is none" % record.get("class_uid")]
        wrong = []
        uid = record["class_uid"] * 100 + record.get("activity_id", -1)
        for key, want in (("category_uid", made["category_uid"]), ("type_uid", uid)):
            if record.get(key) != want:
                wrong.append("%s is %r, not %r" % (key, record.get(key), want))
        captions = (("class_name", made["caption"]),
                    ("type_name", "%s: %s" % (made["caption"], self.activity_of(made, record))))
        for key, want in captions:
            if key in record and record[key] != want:
                wrong.append("%s is %r, not %r" % (key, record[key], want))
        if record.get("metadata", {}).get("version") != self.version:
            wrong.append("metadata.version is not %s" % self.version)
        profiles = set(record.get("metadata", {}).get("profiles", []))
        self.check_object(made, record, "", profiles, wrong)
        return wrong

    def activity_of(self, made, record):
        enum = self.enum_of("activity_id", made["attributes"]["activity_id"])
        return enum.get(str(record.get("activity_id")), {}).get("caption")

    def check_object(self, made, value, where, profiles, wrong):
        attributes = made["attributes"]
        if made["name"] == "object":  # any attributes (unmapped)
            return
        for key, one in value.items():
            at = where + key
            if key not in attributes:
                wrong.append("%s: %s has no such attribute" % (at, made["name"]))
                continue
            wants = attributes[key].get("profile")
            if wants and wants not in profiles:
                wrong.append("%s belongs to the profile %s" % (at, wants))
            attribute = attributes[key]
            if made["name"] == "observable" and key == "type_id":
                attribute = {**attribute, "enum": self.observables}
            self.check_value(key, attribute, one, at, profiles, wrong)
            self.check_sibling(made, value, key, at, wrong)
        for key, attribute in attributes.items():
            wants = attribute.get("profile")
            if attribute.get("requirement") == "required" and key not in value and (
                    not wants or wants in profiles):
                wrong.append("%s%s is required" % (where, key))
        self.check_constraints(made, value, where, wrong)

    @staticmethod
    def check_constraints(made, value, where, wrong):
        for kind, keys in made["constraints"].items():
            there = sum(k in value for k in keys)
            if there == 0 or (kind == "just_one" and there != 1):
                wrong.append("%s%s of %s" % (where, kind, ", ".join(keys)))

    def check_sibling(self, made, value, key, at, wrong):
        """severity says in words what severity_id says as a number; 99 is said in own words."""
        sibling = self.words[key].get("sibling")
        if not sibling or sibling not in value:
            return
        caption = self.enum_of(key, made["attributes"][key]).get(str(value[key]), {}).get("caption")
        if str(value[key]) != "99" and caption and value[sibling] != caption:
            wrong.append("%s is %r but %s is %r" % (at, value[key], sibling, value[sibling]))

    def check_value(self, key, attribute, value, at, profiles, wrong):
        word = {**self.words[key], **attribute}
        if bool(word.get("is_array")) != isinstance(value, list):
            wrong.append("%s is %san array" % (at, "" if isinstance(value, list) else "not "))
            return
        if isinstance(value, list) and not value:
            wrong.append("%s is empty" % at)
        enum = self.enum_of(key, attribute)
        for i, one in enumerate(value if isinstance(value, list) else [value]):
            place = "%s[%d]" % (at, i) if isinstance(value, list) else at
            if enum and key.endswith("_id") and str(one) not in enum:
                wrong.append("%s: %r is not in its enumeration" % (place, one))
            self.check_type(word["type"], one, place, profiles, wrong)

    def check_type(self, kind, value, at, profiles, wrong):
        if kind in self.types or kind in ("json_t", "boolean_t"):
            fault = self.fault_of(kind, value)
            if fault:
                wrong.append("%s: %r %s" % (at, value, fault))
        elif not isinstance(value, dict):
            wrong.append("%s is no object" % at)
        else:
            if not value:
                wrong.append("%s is empty" % at)
            self.check_object(self.made("objects", kind), value, at + ".", profiles, wrong)

    def fault_of(self, kind, value):
        rule = {}
        names = []
        while kind:
            names.append(kind)
            one = self.types.get(kind, {})
            rule = {**one, **rule}
            kind = one.get("type")
        base = names[-1]
        wants = {"string_t": str, "integer_t": int, "long_t": int, "boolean_t": bool,
                 "float_t": float, "json_t": object}[base]
        if not isinstance(value, wants) or (wants is int and isinstance(value, bool)):
            return "is no " + base
        if "range" in rule and not rule["range"][0] <= value <= rule["range"][1]:
            return "is outside its range"
        if wants is str and "max_len" in rule and len(value) > rule["max_len"]:
            return "is longer than %d" % rule["max_len"]
        if "ip_t" in names:
            try:
                ipaddress.ip_address(value)
            except ValueError:
                return "is no address"
        elif "regex" in rule and not re.search(rule["regex"], value):
            return "does not match " + rule["regex"]
        return None
