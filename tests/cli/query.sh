# outergate sessions, alerts, explain: over a store of version 1

db=$tmp/store.db
sqlite3 "$db" <tests/cli/data/store_v1.sql >/dev/null
at="--store $db"
deploy=5e551000000000000000000000000001
success=a1e21000000000000000000000000001

objects() { [ "$(grep -c '^{' "$tmp/out")" = "$1" ]; }
valid_json() {
	python3 -c 'import json, sys
for l in open(sys.argv[1]): json.loads(l)' "$tmp/out"
}
holds_not() { ! grep -q "$1" "$tmp/out"; }

expect "alerts" 0 '^TIME +SEVERITY +DETECTION' '' alerts $at
check_true "newest first" [ "$(sed -n 2p "$tmp/out" | grep -c ' high .*auth.bruteforce_success ')" = 1 ]
check_true "two alerts" [ "$(wc -l <"$tmp/out")" = 3 ]
check_true "an account that is not here is hashed" has "$out" 'unknown:[0-9a-f]+'
check_true "and stays so" holds_not hunter2
expect "alerts --format json" 0 '"id":"a1e2' '' alerts $at --format json
check_true "one object an alert" objects 2
check_true "valid JSON" valid_json
expect "alerts --format=json --limit=1" 0 "$success" '' alerts $at --format=json --limit=1
check_true "one alert" objects 1

# how many alerts, filter
while read -r count filter; do
	# shellcheck disable=SC2086
	expect "alerts $filter" 0 '.*' '' alerts $at --format json $filter
	check_true "alerts $filter: $count" objects "$count"
done <<-'FILTERS'
	1 --severity high
	2 --severity low
	1 --live
	1 --detection auth.bruteforce
	1 --origin 203.0.113.0/24
	1 --origin 198.51.100.1
	0 --origin 192.0.2.0/24
	1 --account deploy
	0 --account deplo
	2 --service ssh
	0 --service rdp
	1 --session 5e551000000000000000000000000001
	1 --since 2026-11-22
	1 --since 2026-11-22T08:31:00+01:00
	0 --since 2026-11-22T08:31:00Z
	1 --until 2026-11-21T06:31:00.123Z
	0 --until 2026-11-20
	2 --since 2026-11-20T00:00 --until 2026-11-23
FILTERS
expect "no alerts at all" 0 '^no alerts$' '' alerts $at --service rdp

expect "sessions" 0 '^OPENED +STATE +SERVICE' '' sessions $at
check_true "the live one first" [ "$(sed -n 2p "$tmp/out" | grep -c ' lingering .* deploy ')" = 1 ]
check_true "an IPv6 origin" has "$out" '\[2001:db8::1\]:40022'
expect "sessions --live" 0 "\"id\":\"$deploy\"" '' sessions $at --live --format json
check_true "one live session" objects 1
check_true "secrets of command lines are not there" holds_not geheim
expect "sessions --account, as it became" 0 "$deploy" '' sessions $at --account root --format json
expect "sessions --detection" 0 "$deploy" '' \
	sessions $at --detection auth.bruteforce_success --format json
check_true "one session it fired on" objects 1

expect "explain an alert" 0 '^What happened' '' explain $at $success
check_true "its session is told" has "$out" '^The session'
check_true "its evidence is told" has "$out" "attempt success by password for 'deploy'"
check_true "what to do is told" has "$out" '^What to do'
check_true "no escape sequence" holds_not $'\033'
cp "$tmp/out" "$tmp/full"
expect "explain by the beginning of an id" 0 . '' explain a1e21 $at
check_true "is the same story" cmp -s "$tmp/out" "$tmp/full"
expect "explain a session" 0 '^The session' '' explain $at $deploy
check_true "with its alerts" has "$out" 'auth.bruteforce_success'
expect "explain --format json" 0 '^\{.*auth.bruteforce_success' '' explain $at --format json a1e21
expect "an ambiguous id" 1 '' '^  alert +a1e22' explain $at a1e2
check_true "says so" has "$err" 'a1e2 is the beginning of more than one id'
expect "an id that is too short" 2 '' 'at least 4 characters' explain $at a1e
expect "an id that nothing has" 1 '' 'no alert or session has an id that begins with ffff0' \
	explain $at ffff0
expect "an id full of SQL" 1 '' 'no alert or session' explain $at "' OR 1=1 --"
expect "an id full of escapes" 1 '' 'begins with a\\x1b\[31mbcd' explain $at $'a\033[31mbcd'
expect "explain without an id" 2 '' 'which alert or session' explain $at
expect "explain with two" 2 '' 'unexpected argument: b' explain $at aaaa b
expect "explain with a filter" 2 '' 'unknown option: --live' explain $at --live aaaa

expect "alerts with an argument" 2 '' 'unexpected argument: x' alerts $at x
for bad in '--since yesterday' '--since 2026-13-01' '--since 2026-02-30' '--since 2026-11-22T25:00Z' \
	'--until 7x' '--origin 10.' '--origin 10.0.0.1/8' '--severity huge' '--service sshd' \
	'--detection auth.nothing' '--limit 0' '--limit -1' '--limit x' '--format yaml' '--live=1'; do
	# shellcheck disable=SC2086
	expect "alerts $bad" 2 '' \
		"^outergate: alerts: .*${bad%%[ =]*}.*; see outergate alerts --help\$" alerts $at $bad
done
expect "an option without its value" 2 '' 'a value is missing after: --since' alerts $at --since

expect "no store yet" 1 '' 'there is no store yet' alerts --store "$tmp/none.db"
check_true "in one line" one_line
check_true "and none was made" [ ! -e "$tmp/none.db" ]
echo "no database" >"$tmp/text.db"
expect "not a store" 1 '' 'text.db: .*not a store' sessions --store "$tmp/text.db"
check_true "and left alone" [ "$(cat "$tmp/text.db")" = "no database" ]
cp "$db" "$tmp/newer.db"
sqlite3 "$tmp/newer.db" 'PRAGMA user_version = 99'
expect "a newer store" 1 '' 'another version of Outergate' alerts --store "$tmp/newer.db"
expect "a configuration that is not there" 1 '' 'none.yaml' alerts --config "$tmp/none.yaml"
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
	chmod 755 "$tmp"
	chmod 640 "$db"
	printf '#!/bin/sh\nexec setpriv --reuid 65534 --regid 65534 --clear-groups "%s" "$@"\n' \
		"$OUTERGATE" >"$tmp/as_nobody"
	chmod 755 "$tmp/as_nobody"
	real=$OUTERGATE OUTERGATE=$tmp/as_nobody
	expect "not permitted" 3 '' 'not permitted' alerts $at
	chmod 644 "$db"
	expect "a reader who cannot write" 0 'auth.bruteforce_success' '' alerts $at
	OUTERGATE=$real
fi
