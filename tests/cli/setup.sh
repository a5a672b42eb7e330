# outergate setup

db=$tmp/setup.db
sqlite3 "$db" <tests/cli/data/store_v1.sql >/dev/null
sqlite3 "$db" 'DELETE FROM sessions'
key() { printf 'ED25519 SHA256:%043d' "$1"; }
propose() { expect "$1" 0 "$2" '' setup --store "$db"; }
lacks() { ! grep -qE "$1" "$tmp/out"; }
: >"$tmp/empty.yaml"

propose "nothing was seen" '^# KnownRemoteIPs: no place is regular$'
cp "$tmp/out" "$tmp/nothing.yaml"
expect "nothing is a good configuration" 0 'ok$' '' check "$tmp/nothing.yaml"

{
	# At home, six days, two a day; and what is one short of a habit, either way.
	echo '{"origin": "203.0.114.5", "days": 6, "each": 2, "country": "NL", "has_pty": 1, "key": "'"$(key 1)"'"}'
	echo '{"origin": "203.0.115.5", "account": "nine", "days": 9, "each": 1, "key": ""}'
	echo '{"origin": "203.0.116.5", "account": "fourdays", "days": 4, "each": 5, "key": ""}'
	# The same place from several addresses: its /24, its /48.
	echo '{"origin": "198.51.100.1", "account": "roam", "days": 5, "each": 1, "key": ""}'
	echo '{"origin": "198.51.100.77", "account": "roam", "days": 5, "each": 1, "key": ""}'
	echo '{"origin": "2001:db8:7::1", "account": "six", "days": 5, "each": 1, "key": ""}'
	echo '{"origin": "2001:db8:7:2::9", "account": "six", "days": 5, "each": 1, "key": ""}'
	# Regular and bad: on each something fired; of an origin that an alert names; of a chain.
	echo '{"origin": "203.0.117.1", "account": "bad", "days": 20, "worst": "medium", "key": "'"$(key 2)"'"}'
	echo '{"origin": "203.0.113.9", "account": "guest", "days": 20, "key": "'"$(key 3)"'"}'
	echo '{"origin": "203.0.117.3", "account": "chained", "days": 20, "alert_chain": "c1", "key": ""}'
	# From inside: no list of remote addresses.
	echo '{"origin": "10.0.0.5", "account": "inside", "days": 20, "has_pty": 1, "scope": "private", "key": ""}'
	# Names that would say something in YAML.
	for bad in 'x: {' 'a\nRole: ci' "it's" 'c # d' '\u001b[31m'; do
		echo '{"origin": "203.0.118.1", "account": "'"$bad"'", "days": 12}'
	done
	# Six people behind one address, and a seventh account with three keys.
	for n in 1 2 3 4 5 6; do
		echo '{"origin": "203.0.119.1", "account": "staff'$n'", "days": 6, "each": 2, "has_pty": 1, "key": "'"$(key 1$n)"'"}'
	done
	for n in 1 2 3; do
		echo '{"origin": "203.0.120.'$n'", "account": "shared", "days": 6, "has_pty": 1, "key": "'"$(key 2$n)"'"}'
	done
	# A machine; one like it that works no weekend; one with a terminal.
	echo '{"origin": "203.0.121.1", "account": "ansible", "days": 10, "each": 3, "key": "'"$(key 30)"'"}'
	echo '{"origin": "203.0.122.1", "account": "weekly", "days": 5, "each": 5, "key": "'"$(key 31)"'", "at": 1795420800}'
	echo '{"origin": "203.0.123.1", "account": "typist", "days": 10, "each": 3, "has_pty": 1, "key": "'"$(key 32)"'"}'
	# Onward, five times on three days; and four times.
	for n in 1 2 3 4 5; do
		echo '{"at": '$((1795400000 + n * 50000))', "origin": "203.0.114.5", "key": "", "destinations": [{"dest": "10.20.0.9", "dest_port": 22, "service": "ssh", "scope": "private"}]}'
	done
	for n in 1 2 3 4; do
		echo '{"at": '$((1795400000 + n * 90000))', "origin": "203.0.114.5", "key": "", "destinations": [{"dest": "10.30.0.9", "dest_port": 22, "service": "ssh", "scope": "private"}]}'
	done
} >"$tmp/setup.rows"
python3 tests/cli/stored.py "$db" <"$tmp/setup.rows"

propose "a month" '^KnownRemoteIPs:$'
cp "$tmp/out" "$tmp/proposed.yaml"
cp "$db" "$tmp/before.db"
check_true "a habit with its reason" has "$out" \
	"^  - \{cidr: '203.0.114.5/32', account: 'alice'\}  # 21 logins on 6 days since 2026-11-23$"
check_true "its /24" has "$out" "cidr: '198.51.100.0/24', account: 'roam'"
check_true "its /48" has "$out" "cidr: '2001:db8:7::/48', account: 'six'"
check_true "one short of it is none" lacks 'nine|fourdays'
check_true "what is suspicious is none" lacks "203\.0\.117\.|203\.0\.113\.|bad|guest|chained|$(key 2)|$(key 3)\$"
check_true "and is counted" has "$out" '^# Not counted: 60 sessions that an alert of medium or above'
check_true "inside is no remote place" lacks 'inside'
check_true "names that are no plain text" has "$out" '^# Not counted: 60 sessions of accounts whose names'
check_true "stay out" lacks '203\.0\.118|Role: ci|it.s|\[31m'
check_true "a crowd is one" has "$out" "^  - \{cidr: '203.0.119.1'\}  # 72 logins of 6 accounts on 6 days"
check_true "and not once more for each" lacks "account: 'staff"
check_true "and an exit of a VPN" has "$(sed -n '/^VPNPools/,/^$/p' "$tmp/out")" "^  - '203.0.119.1'  # "
check_true "a key" has "$out" "^  - 'SHA256:0{42}1'  # 12 logins of 1 account on 6 days"
check_true "a shared account" has "$(sed -n '/^SharedAccounts/,/^$/p' "$tmp/out")" \
	"^  - 'shared'  # 18 logins with 3 keys on 6 days"
check_true "and no other" [ "$(sed -n '/^SharedAccounts/,/^$/p' "$tmp/out" | grep -c '^  -')" = 1 ]
check_true "a machine" has "$(sed -n '/^ExpectedAutomation/,/^$/p' "$tmp/out")" "^  - 'ansible'  # 30 logins"
check_true "and no other" [ "$(sed -n '/^ExpectedAutomation/,/^$/p' "$tmp/out" | grep -c '^  -')" = 1 ]
check_true "an edge" has "$out" "^  - \{from: 'alice', to: '10.20.0.9/32', service: ssh\}  # 5 times on 3 days"
check_true "four times are no habit" lacks '10\.30\.0\.9'
check_true "a country" has "$(sed -n '/^GeoIPWhitelist/,/^$/p' "$tmp/out")" "^    - 'NL'  # 12 logins on 6 days"
check_true "places without a country" has "$(sed -n '/^GeoIPWhitelist/,/^$/p' "$tmp/out")" \
	'^  unresolved: allow  # [0-9]+ logins from outside had no country$'
check_true "every line of a list says why" [ "$(grep -E '^ +- ' "$tmp/out" | grep -vc '  # ')" = 0 ]
expect "it is good as it stands" 0 'KnownRemoteIPs 8, ' '' check "$tmp/proposed.yaml"
expect "with it in force nothing is left to propose" 0 '^# KnownRemoteIPs: no place is regular$' '' \
	setup --store "$db" --config "$tmp/proposed.yaml"
check_true "nor keys" has "$out" '^# KnownSSHClients: no key is regular$'
check_true "nor edges" has "$out" '^# ExpectedOnward: nobody'
check_true "nothing was changed" cmp -s "$db" "$tmp/before.db"
# Hours of people, in their zone: at 9:30 by the clock of Berlin before and after summer time ends.
db=$tmp/hours.db
cp "$tmp/before.db" "$db"
sqlite3 "$db" 'DELETE FROM sessions'
for week in 0 1 2; do # from Mondays, 2026-10-05 and 2026-10-26
	for monday in 1791185400 1793003400; do
		echo '{"at": '$((monday + week * 604800))', "origin": "203.0.114.5", "days": 5, "each": 2, "has_pty": 1}'
	done
done >"$tmp/hours.rows"
python3 tests/cli/stored.py "$db" <"$tmp/hours.rows"
propose "every login had a country" '^# GeoIPWhitelist: no country is regular'
sqlite3 "$db" "UPDATE sessions SET body = json_set(body, '\$.country', 'NL')"
propose "every login had a country" "^  unresolved: alert  # every login from outside had a country\$"
hours() { # NAME ZONE HOURS COMMENT TZ ARGS...
	local name=$1 zone=$2 hours=$3 comment=$4
	export TZ=$5
	shift 5
	expect "$name" 0 "^  timezone: '$zone'  # in which these hours are$comment\$" '' \
		setup --store "$db" "$@"
	unset TZ
	check_true "$name: hours" has "$out" "^  hours: $hours  # "
	cp "$tmp/out" "$tmp/hours.yaml"
	expect "$name: a good configuration" 0 'ok$' '' check "$tmp/hours.yaml"
}
hours "hours by the host's zone" Europe/Berlin 08:00-11:00 ', that of this host' Europe/Berlin
hours "hours by a rule" 'CET-1CEST,M3.5.0,M10.5.0/3' 08:00-11:00 ', that of this host' \
	CET-1CEST,M3.5.0,M10.5.0/3
hours "hours by no zone" UTC 06:00-10:00 ', that of this host' Nowhere/Town
hours "hours by no zone of evil name" UTC 06:00-10:00 ', that of this host' '../../etc/passwd'
echo 'BusinessHours: {timezone: Asia/Tokyo}' >"$tmp/tokyo.yaml"
hours "hours by the configuration" Asia/Tokyo 15:00-19:00 '' Europe/Berlin --config "$tmp/tokyo.yaml"
echo 'BusinessHours: {timezone: "JST-9"}' >"$tmp/tokyo.yaml"
hours "hours by its rule" JST-9 15:00-19:00 '' Europe/Berlin --config "$tmp/tokyo.yaml"

expect "no store" 1 '' 'there is no store yet' setup --store "$tmp/none.db"
expect "a word" 2 '' 'unexpected argument' setup all
