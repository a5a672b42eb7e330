# outergate detections

count=$(grep -c '^DETECT(' common/detect/detect.def)
expect "detections" 0 '^ID +NUMBER +SEVERITY' '' detections --config deploy/outergate.yaml
check_true "one line a detection" \
	[ "$(grep -cE '^[a-z]+\.[a-z0-9_]+ +[0-9]+ ' "$tmp/out")" = "$count" ]
cp "$tmp/out" "$tmp/table"
expect "--format table" 0 '^ID +NUMBER' '' detections --format table --config deploy/outergate.yaml
check_true "table is the default" cmp -s "$tmp/out" "$tmp/table"
expect "--format json" 0 '^\{"id":' '' detections --format json --config deploy/outergate.yaml
check_true "one object a detection" [ "$(wc -l <"$tmp/out")" = "$count" ]
cp "$tmp/out" "$tmp/json"

check_true "every row is whole" rows "$tmp/json" 'all(isinstance(r.get(k), t) and r[k] != "" for r
	in rows for k, t in dict(id=str, number=int, title=str, severity=str, severity_default=str,
	enabled=bool, mode=str, scope=str, stage=str, attack=list, tactic=list, analytic=list,
	data_components=list, reasons=list, params=list, exceptions=list, triage=str, contain=str,
	false_positive=str, tune=str, mitigation=str).items())'
check_true "numbers are unique" rows "$tmp/json" 'len({r["number"] for r in rows}) == len(rows)'
check_true "techniques look like techniques" rows "$tmp/json" \
	'all(__import__("re").fullmatch(r"T\d{4}(\.\d{3})?", t) for r in rows for t in r["attack"])'
check_true "analytics are those of DET0354" rows "$tmp/json" \
	'all(a in ("AN1004", "AN1005", "AN1006", "AN1007") for r in rows for a in r["analytic"])'
check_true "parameters say what they are" rows "$tmp/json" \
	'all(p["help"] and p["value"] == p["default"] and p["unit"] in ("count", "seconds", "bytes")
	for r in rows for p in r["params"])'
check_true "some detection has a parameter" rows "$tmp/json" 'any(r["params"] for r in rows)'
check_true "defaults are in force" rows "$tmp/json" \
	'all(r["enabled"] and r["mode"] == "alert" and r["severity"] == r["severity_default"]
	and not r["exceptions"] for r in rows)'

# The first parameter of any detection, set to another number.
read -r id param unit <<<"$(python3 -c 'import json, sys
print(*next((r["id"], p["name"], p["unit"]) for r in map(json.loads, open(sys.argv[1]))
	for p in r["params"]))' "$tmp/json")"
cat >"$tmp/tuned.yaml" <<YAML
FailedLogonThreshold: 9
TimeWindow: 30m
Detections:
  $id: {$param: 13}
  auth.spray:
    severity: critical
    Mode: observe
    exceptions: [{origin: 2001:db8::/32, account: "x\"y", service: ssh, reason: test, until: 2030-01-01}]
  activity.remote_shell: {enabled: false}
YAML
expect "in force: json" 0 . '' detections --format json --config "$tmp/tuned.yaml"
check_true "a parameter in force" rows "$tmp/out" \
	"any(p['name'] == '$param' and p['value'] == 13 != p['default'] for p in by['$id']['params'])"
check_true "severity and mode in force" rows "$tmp/out" \
	'by["auth.spray"]["severity"] == "critical" != by["auth.spray"]["severity_default"]
	and by["auth.spray"]["mode"] == "observe" and not by["activity.remote_shell"]["enabled"]'
check_true "exceptions in force" rows "$tmp/out" \
	'by["auth.spray"]["exceptions"] == [{"origin": "2001:db8::/32", "account": "x\"y",
	"service": "ssh", "reason": "test", "until": "2030-01-01T23:59:59.999Z"}]'
expect "in force: table" 0 'FailedLogonThreshold=9 TimeWindow=30m' '' detections --config "$tmp/tuned.yaml"
check_true "a changed number is marked" has "$out" "^$id .* $param=[^ ]+\\*"
check_true "off is off" has "$out" '^activity.remote_shell .* off '
check_true "observe is observe" has "$out" '^auth.spray .* critical .* observe '

cat >"$tmp/settings.yaml" <<'E'
FailedLogonThreshold: 7
TimeWindow: 90s
GeoIPWhitelist: {countries: [DE, NL], asns: [64500], unresolved: alert}
BusinessHours: {days: mon-fri, hours: 08:00-18:30, timezone: Europe/Berlin, holidays: [2026-12-25]}
KnownRemoteIPs: [198.51.100.0/24, 203.0.113.0/24]
VPNPools: [10.8.0.0/16]
E
expect "what else is in force" 0 '^' '' detections --format json --config "$tmp/settings.yaml"
check_true "what else is in force: numbers" rows "$tmp/out" 'by["auth.bruteforce"]["settings"] ==
	{"FailedLogonThreshold": "7", "TimeWindow": "90s"}'
check_true "what else is in force: places" rows "$tmp/out" \
	'by["origin.country_not_allowed"]["settings"]["GeoIPWhitelist"] ==
	"2 countries, networks: 1, unresolved: alert" and
	by["access.external"]["settings"] == {"KnownRemoteIPs": "2 entries", "KnownSSHClients": "none"}'
check_true "what else is in force: hours" rows "$tmp/out" \
	'by["origin.outside_hours"]["settings"]["BusinessHours"] ==
	"mon,tue,wed,thu,fri 08:00-18:30 Europe/Berlin, holidays: 1, overrides: 0" and
	by["session.vpn_to_critical"]["settings"] == {"VPNPools": "1 entry", "CriticalHosts": "none"}'

expect "--format=json" 0 '^\{"id":' '' detections --format=json --config=deploy/outergate.yaml
check_true "--format=json is --format json" cmp -s "$tmp/out" "$tmp/json"
expect "--format of another kind" 2 '' '^outergate: detections: --format is' detections --format xml
expect "--format without its value" 2 '' '^outergate: detections: ' detections --format
expect "--config without its value" 2 '' '^outergate: detections: ' detections --config
expect "an argument" 2 '' '^outergate: detections: ' detections auth.spray
expect "--config that is not there" 1 '' 'No such file' detections --config "$tmp/none.yaml"
echo 'Mode: loud' >"$tmp/bad.yaml"
expect "--config that is bad" 1 '' 'bad.yaml:1: Mode: ' detections --config "$tmp/bad.yaml"

expect "--format markdown" 0 '^# Detections$' '' detections --format markdown --config deploy/outergate.yaml
check_true "docs/DETECTIONS.md is current (outergate detections --format markdown)" \
	cmp -s "$tmp/out" docs/DETECTIONS.md
