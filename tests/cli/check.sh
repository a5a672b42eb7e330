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
expect "the examples are good" 0 'KnownRemoteIPs 2, KnownSSHClients 2, ExpectedOnward 1, .* 1$' \
	'warning: CriticalHosts has no effect' check "$tmp/examples.yaml"
check_true "the examples have exceptions" has "$out" '1 of them only observe, 3 exceptions'

printf 'CriticalHosts: [10.0.0.1]\nRole: ci\n' >"$tmp/idle.yaml"
expect "keys without effect" 0 'ok$' '^outergate: warning: Role has no effect in this version$' \
	check "$tmp/idle.yaml"
check_true "each of them" has "$err" '^outergate: warning: CriticalHosts has no effect in this version$'

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
