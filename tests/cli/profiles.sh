# outergate profiles import, and the export that it reads

db=$tmp/profiles.db
sqlite3 "$db" <tests/cli/data/store_v1.sql >/dev/null
blob() { # SEED: the memory of an agent that has learned nothing
	python3 -c 'import struct, sys
print(struct.pack("<QIIQQQ", 0x4f47434f52453131, 5, 0, int(sys.argv[1]), 0, 0).hex())' "$1"
}
memory() { sqlite3 "$db" "INSERT OR REPLACE INTO blobs VALUES('core', X'$1')"; }
adopt() { sqlite3 "$db" "UPDATE blobs SET value = (SELECT value FROM blobs WHERE name = 'lessons') WHERE name = 'core'"; }
memory "$(blob 7)"
at="--store $db"
p() { # the line of a profile with some of it replaced: KEY VALUE...
	python3 - "$@" <<'PY'
import json, sys
row = {"identity": "alice", "logins": 12, "days": 5, "first_day": "2026-10-01T00:00:00.000Z",
       "last_day": "2026-11-20T00:00:00.000Z",
       "seen": [{"kind": "country", "value": "NL", "learned": True, "count": 12, "days": 5,
                 "first_day": "2026-10-01T00:00:00.000Z", "last_day": "2026-11-20T00:00:00.000Z"}],
       "hours": [0] * 9 + [15] + [0] * 158, "sizes": [3] * 16}
for key, value in zip(sys.argv[1::2], sys.argv[2::2]):
    at, _, inner = key.partition(".")
    target = row["seen"][0] if inner else row
    target[inner or at] = json.loads(value)
print(json.dumps(row))
PY
}

p >"$tmp/one.jsonl"
expect "a profile" 0 '^1 profiles$' '' profiles import $at "$tmp/one.jsonl"
check_true "the agent will take it" has "$out" 'it will do this when it runs'
check_true "it is asked for" [ "$(sqlite3 "$db" "SELECT verb FROM requests")" = learn ]
adopt
expect "it comes back" 0 '"identity":"alice"' '' profiles $at --format json
cp "$tmp/out" "$tmp/export.jsonl"
check_true "as it was" rows "$tmp/out" 'len(rows) == 1 and rows[0]["logins"] == 12 and
	rows[0]["hours"][9] == 15 and sum(rows[0]["hours"]) == 15 and rows[0]["sizes"] == [3] * 16 and
	rows[0]["days"] == 5 and rows[0]["seen"][0] == {"kind": "country", "value": "NL",
	"learned": True, "count": 12, "days": 5, "first_day": "2026-10-01T00:00:00.000Z",
	"last_day": "2026-11-20T00:00:00.000Z"}'
memory "$(blob 7)"
expect "what was exported is imported" 0 '^1 profiles$' '' profiles import $at "$tmp/export.jsonl"
adopt
expect "and exported again" 0 . '' profiles $at --format json
check_true "the same to the byte" cmp -s "$tmp/out" "$tmp/export.jsonl"

# Of a key: on its own host by its hash; elsewhere nobody can say whose it is.
of=$(sed 's/.*"of":"\([0-9a-f]*\)".*/\1/' "$tmp/export.jsonl")
p identity '"alice AAAAAAAAAAAA"' key '"00000000000000ff"' of "\"$of\"" >"$tmp/key.jsonl"
memory "$(blob 7)"
expect "of a key" 0 '^1 profiles$' '' profiles import $at "$tmp/key.jsonl"
memory "$(blob 8)"
cat "$tmp/export.jsonl" >>"$tmp/key.jsonl"
expect "on another host" 0 '^1 profiles, and 1 of keys of another host that are left out$' '' \
	profiles import $at "$tmp/key.jsonl"
adopt
expect "the account is taken" 0 '"identity":"alice"' '' profiles $at --format json
check_true "under a hash of that host" [ "$(grep -c "$(sed 's/.*"key":"\([0-9a-f]*\)".*/\1/' "$tmp/export.jsonl")" "$tmp/out")" = 0 ]
memory "$(blob 7)"

# bad NAME REASON KEY VALUE...: a good line, then a bad one: nothing is taken
spoilt() {
	local name=$1 reason=$2
	shift 2
	{ p identity '"bob"'; echo; p "$@"; } >"$tmp/bad.jsonl"
	sqlite3 "$db" "DELETE FROM blobs WHERE name = 'lessons'"
	expect "$name" 1 '' "^outergate: $tmp/bad.jsonl:3: $reason" profiles import $at "$tmp/bad.jsonl"
	check_true "$name: one sentence" [ "$(wc -l <"$tmp/err")" = 1 ]
	check_true "$name: nothing is taken" [ "$(sqlite3 "$db" "SELECT count(*) FROM blobs WHERE name = 'lessons'")" = 0 ]
}
spoilt "no name" 'identity: not a text of 1 to 71 bytes' identity '""'
spoilt "a name that is no text" 'identity: not a text' identity 7
spoilt "a name of control characters" 'identity: holds what is not printable' identity '"a\u001b[31m"'
spoilt "a long name" 'identity: not a text of 1 to 71' identity "\"$(printf 'a%.0s' $(seq 80))\""
spoilt "logins below none" 'logins: not a whole number' logins -1
spoilt "half a login" 'logins: not a whole number' logins 1.5
spoilt "a day that is none" 'first_day: not a day' first_day '"2026-13-01"'
spoilt "a day to come" 'last_day: 2199-01-01 is in the future' last_day '"2199-01-01"'
spoilt "days the wrong way" 'last_day is before first_day' last_day '"2026-09-01"'
spoilt "hours of another week" 'hours: not a list of 168 numbers' hours '[1,2]'
spoilt "an hour too many" 'hours: not a whole number of at most 15' hours "[$(printf '16,%.0s' $(seq 167))1]"
spoilt "sizes" 'sizes: not a whole number of at most 255' sizes "[$(printf '0,%.0s' $(seq 15))256]"
spoilt "values without end" 'seen: not a list of at most 24' seen "[$(printf '{},%.0s' $(seq 24)){}]"
spoilt "a kind that is none" 'seen.kind: not one that is known' seen.kind '"shoe"'
spoilt "a country that is none" "seen: 'Holland' is no country" seen.value '"Holland"'
spoilt "a value that is too long" 'seen.value: not a text of 1 to 19' seen.value '"aaaaaaaaaaaaaaaaaaaa"'
spoilt "a number that is too large" 'seen.count: not a whole number of at most 65535' seen.count 65536
spoilt "learned, maybe" 'seen.learned: not true or false' seen.learned '"yes"'
spoilt "a key that is not known" 'a key that is not known: colour' colour '"red"'
spoilt "an inner one" 'seen: a key that is not known: colour' seen.colour '"red"'
spoilt "the same twice" 'the same identity a second time' identity '"bob"'
spoilt "a hash that is none" 'key: not 16 hexadecimal digits' key '"xyz"'
{ p; echo '{"identity": "x", "identity": "y"}'; } >"$tmp/bad.jsonl"
expect "a key twice" 1 '' 'bad.jsonl:2: not a JSON object: duplicate' profiles import $at "$tmp/bad.jsonl"
printf 'alice\n' >"$tmp/bad.jsonl"
expect "no JSON" 1 '' 'bad.jsonl:1: not a JSON object' profiles import $at "$tmp/bad.jsonl"
head -c 20000 /dev/zero | tr '\0' ' ' >"$tmp/bad.jsonl"
expect "a line without end" 1 '' 'bad.jsonl:1: a line of more than 16384 bytes' profiles import $at "$tmp/bad.jsonl"
for n in $(seq 17); do p identity "\"u$n\""; done >"$tmp/many.jsonl"
printf 'Limits: {Profiles: 16}\n' >"$tmp/few.yaml"
expect "more than there is room for" 1 '' 'many.jsonl:17: more than Limits.Profiles .16. profiles' \
	profiles import --config "$tmp/few.yaml" $at "$tmp/many.jsonl"
expect "no file" 1 '' 'none.jsonl: No such file' profiles import $at "$tmp/none.jsonl"
expect "no file named" 2 '' 'import what' profiles import
sqlite3 "$db" "DELETE FROM blobs WHERE name = 'core'"
expect "an agent that never ran" 1 '' 'let it run first' profiles import $at "$tmp/one.jsonl"
