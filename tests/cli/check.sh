# outergate check

expect "check the shipped file" 0 '^deploy/outergate.yaml: ok$' '' check deploy/outergate.yaml
check_true "check tells the threshold" has "$out" 'more than 5 failures in 15m'
check_true "check tells the store" has "$out" \
	'/var/lib/outergate/outergate.db: alerts 90d, sessions 30d, at most 256MiB'
cp "$tmp/out" "$tmp/shipped"

expect "check --defaults" 0 '^FailedLogonThreshold: 5$' '' check --defaults
check_true "--defaults prints the shipped file" cmp -s "$tmp/out" deploy/outergate.yaml
cp "$tmp/out" "$tmp/defaults.yaml"
expect "the printed defaults are good" 0 ': ok$' '' check "$tmp/defaults.yaml"

: >"$tmp/empty.yaml"
expect "check an empty file" 0 'empty.yaml: ok$' '' check "$tmp/empty.yaml"
check_true "an empty file means the defaults" \
	[ "$(sed 1d "$tmp/out")" = "$(sed 1d "$tmp/shipped")" ]

# Every commented example of the shipped file is good when it is taken into use.
uncomment() {
	sed -E 's/^( *)#(  +(- |[a-z].*:))/\1\2/; /^[A-Z ].*: (\[\]|\{\})$/{h;N;/\n *#? +(- |[a-z].*:)/s/: (\[\]|\{\})\n/:\n/}' \
		deploy/outergate.yaml | sed -E 's/^( *)#(  +(- |[a-z].*:|[A-Z][a-z]+: ))/\1\2/'
}
uncomment >"$tmp/examples.yaml"
expect "the examples are good" 0 'KnownRemoteIPs 3, KnownSSHClients 2, ExpectedOnward 1, .* 1$' \
	'' check "$tmp/examples.yaml"
check_true "the examples have exceptions" has "$out" '1 of them only observe, 3 exceptions'

printf 'Role: ci\n' >"$tmp/idle.yaml"
expect "keys without effect" 0 'ok$' '^outergate: warning: Role has no effect in this version$' \
	check "$tmp/idle.yaml"

# yaml NAME TEXT STDERR-REGEX: a bad file; one sentence with file and line
yaml() {
	printf "$2" >"$tmp/bad.yaml"
	expect "$1" 1 '' "^outergate: $tmp/bad.yaml:$3" check "$tmp/bad.yaml"
	check_true "$1: one line" [ "$(wc -l <"$tmp/err")" = 1 ]
}
yaml "unknown key" 'Mode: alert\n\nFailedLogonTreshold: 3\n' \
	"3: unknown key 'FailedLogonTreshold'; the nearest is FailedLogonThreshold\$"
yaml "wrong type" 'FailedLogonThreshold: many\n' "1: FailedLogonThreshold: 'many' is not a whole number\$"
yaml "bad value" 'TimeWindow: 15 parsecs\n' '1: TimeWindow: .* is not a duration'
yaml "host bits" 'KnownRemoteIPs:\n  - 10.0.0.0/8\n  - 10.0.0.1/8\n' '3: KnownRemoteIPs: .*host bits'
yaml "duplicate key" 'Mode: alert\nMode: observe\n' '2: Mode is given twice$'
yaml "later milestone" 'KnownVNCServers: {}\n' '1: KnownVNCServers is not supported by this version$'
yaml "a zone that nobody knows" 'BusinessHours:\n  days: mon-fri\n  hours: 08:00-18:00\n  timezone: Europe/Berln\n' \
	"4: BusinessHours.timezone: no zone 'Europe/Berln' on this host"
yaml "a zone outside" 'BusinessHours: {days: mon, hours: 08:00-18:00, timezone: ../../../etc/passwd}\n' \
	'1: BusinessHours.timezone: .*is not a zone'
printf 'BusinessHours: {days: mon-fri, hours: 08:00-18:00, timezone: Europe/Berlin}\n' >"$tmp/zone.yaml"
expect "a zone by its name" 0 'ok$' '' check "$tmp/zone.yaml"
yaml "unknown detection" 'Detections:\n  auth.brutforce: {}\n' '2: .*the nearest is auth.bruteforce$'
yaml "not YAML" 'SharedAccounts: [a\n' '[0-9]+: not YAML: '
yaml "not text" 'Mode: \xff\xfe\n' '1: not YAML: '
yaml "terminal escapes stay in the file" '\"\\e[31mMode\": 1\n' "1: unknown key '\?\[31mMode'"
yaml "alias bomb" 'a: &a [x, x]\nb: &b [*a, *a]\n' '1: '
head -c 2000000 /dev/zero | tr '\0' '#' >"$tmp/large.yaml"
expect "too large" 1 '' ':1: larger than 1 MiB$' check "$tmp/large.yaml"

expect "no such file" 1 '' "^outergate: $tmp/none.yaml: No such file or directory\$" \
	check "$tmp/none.yaml"
expect "a directory" 1 '' "^outergate: $tmp: " check "$tmp"
expect "two files" 2 '' '^outergate: check: ' check a b
expect "a file and an option" 2 '' '^outergate: check: ' check --defaults x

# Expiry: yesterday, in three days, in a year; the day itself still counts.
day() { date -u -d "$1" +%F; }
cat >"$tmp/expiry.yaml" <<YAML
KnownRemoteIPs:
  - {cidr: 198.51.100.0/24, until: $(day '-1 day')}
  - {cidr: 2001:db8::1, until: $(day '+3 days')}
  - {cidr: 203.0.113.7, until: $(day '+1 year')}
Detections:
  auth.spray:
    exceptions:
      - {account: a, reason: past, until: $(day '-400 days')}
      - {account: b, reason: today, until: $(day now)}
      - {account: c, reason: later, until: $(day '+30 days')}
YAML
expect "expiry is a warning" 0 'expiry.yaml: ok$' . check "$tmp/expiry.yaml"
check_true "four warnings" [ "$(grep -c '^outergate: warning: ' "$tmp/err")" = 4 ]
check_true "only warnings" [ "$(wc -l <"$tmp/err")" = 4 ]
check_true "expired address" has "$err" \
	"KnownRemoteIPs 198.51.100.0/24 expired on $(day '-1 day') and has no effect\$"
check_true "address that expires" has "$err" \
	"KnownRemoteIPs 2001:db8::1/128 expires on $(day '+3 days')\$"
check_true "expired exception" has "$err" \
	"the exception of auth.spray \(past\) expired on $(day '-400 days')"
check_true "today still counts" has "$err" \
	"the exception of auth.spray \(today\) expires on $(day now)\$"

# Databases of places: named file and reason, in one line each; what is good is described.
cat >"$tmp/city.json" <<'JSON'
{"type": "Test-City", "networks": {"203.0.113.0/24": {"country": {"iso_code": "NL"},
 "location": {"latitude": 52.4, "longitude": 4.9}}}}
JSON
python3 tests/geodb.py "$tmp/city.json" "$tmp/city.mmdb"
printf '{"type": "Test-Domain", "networks": {"203.0.113.0/24": {"domain": "x"}}}' >"$tmp/domain.json"
python3 tests/geodb.py "$tmp/domain.json" "$tmp/domain.mmdb"
printf '{"format": "libloc", "networks": {"203.0.113.0/24": {"country": "NL", "asn": 64500}}}' \
	>"$tmp/loc.json"
python3 tests/geodb.py "$tmp/loc.json" "$tmp/loc.db"
head -c 300 "$tmp/city.mmdb" >"$tmp/cut.mmdb"
head -c 9000 "$tmp/loc.db" >"$tmp/cut.db"
: >"$tmp/nothing.mmdb"
geo_yaml() { printf 'GeoDatabases: [%s]\n' "$1" >"$tmp/geo.yaml"; }
geo_yaml "$tmp/city.mmdb, $tmp/loc.db"
expect "databases are described" 0 "city.mmdb: Test-City of 2026-01-01: country place\$" '' \
	check "$tmp/geo.yaml"
check_true "each by its content" has "$out" 'loc.db: libloc of 2026-01-01: country network flags$'
geo_bad() { # name, file, reason
	geo_yaml "$tmp/city.mmdb, $2"
	expect "$1" 1 '' "^outergate: GeoDatabases: $2: $3" check "$tmp/geo.yaml"
	check_true "$1: one line" [ "$(wc -l <"$tmp/err")" = 1 ]
}
geo_bad "a database that is not there" "$tmp/gone.mmdb" 'No such file or directory$'
geo_bad "a database that is cut" "$tmp/cut.mmdb" 'neither a MaxMind DB nor a libloc database: '
geo_bad "a libloc database that is cut" "$tmp/cut.db" 'cut short: its '
geo_bad "an empty database" "$tmp/nothing.mmdb" 'an empty file$'
geo_bad "a database of something else" "$tmp/domain.mmdb" "a database of type 'Test-Domain': it tells no"
geo_bad "a database that is a text" "$PWD/README.md" 'neither a MaxMind DB'
geo_bad "a database that is a directory" "$tmp" 'Is a directory$'
geo_yaml ''
printf 'GeoIPWhitelist: {countries: [DE], asns: [64500]}\n' >>"$tmp/geo.yaml"
expect "lists without a database" 0 'no database: origins have no country$' \
	'warning: GeoIPWhitelist.countries: no database in use knows countries$' check "$tmp/geo.yaml"
check_true "nor networks" has "$err" 'warning: GeoIPWhitelist.asns: no database in use knows networks$'
printf 'GeoDatabases: []\nTravel: [{account: a, countries: [DE], until: %s}]\n' "$(day '-3 days')" \
	>"$tmp/geo.yaml"
expect "a journey that is over" 0 'Travel 1' 'warning: Travel of a expired on ' check "$tmp/geo.yaml"

# A replay uses what it is told to use, and nothing else.
printf 'Jan 10 10:00:00 h sshd[1]: Accepted password for a from 203.0.113.9 port 4 ssh2\n' >"$tmp/geo.log"
expect "a replay without databases" 0 '"origin":\{"address":"203.0.113.9","port":4,"scope":"reserved","source":"log"\}' \
	. replay "$tmp/geo.log"
expect "a replay with one" 0 '"country":"NL"' . replay --geo "$tmp/city.mmdb" "$tmp/geo.log"
expect "a replay with two" 0 '"country":"NL","asn":64500' . replay --geo "$tmp/city.mmdb" \
	--geo "$tmp/loc.db" "$tmp/geo.log"
geo_yaml "$tmp/loc.db"
expect "a replay with those of a configuration" 0 '"asn":64500' . \
	replay --config "$tmp/geo.yaml" "$tmp/geo.log"
expect "a replay with a bad one" 1 '' 'cut.mmdb: neither' replay --geo "$tmp/cut.mmdb" "$tmp/geo.log"
check_true "tells no alert" [ -z "$out" ]
