# outergate replay, decode and sources: bad input and bad options.

expect "replay without a file" 2 '' '^outergate: replay: no file given' replay
expect "replay of no such file" 1 '' "^outergate: .*$tmp/none.log: No such file" replay "$tmp/none.log"
expect "replay of a directory" 1 '' "^outergate: .*$tmp: Is a directory" replay "$tmp"
expect "replay --format of another kind" 2 '' '^outergate: replay: --format' replay --format xml -
expect "replay --source of another kind" 2 '' '^outergate: replay: .*nope' replay --source nope -
expect "replay --year of another kind" 2 '' '^outergate: replay: --year' replay --year soon -
expect "replay --tz of another kind" 2 '' '^outergate: replay: --tz' replay --tz Mars -
expect "replay --source without its value" 2 '' '^outergate: replay: ' replay --source
expect "replay with a bad configuration" 1 '' 'No such file' replay --config "$tmp/none.yaml" -
expect "replay of nothing" 0 '' '^read 0, decoded 0, skipped 0, bad 0$' replay -

line='Dec 10 09:32:20 h sshd[24680]: Failed password for root from 203.0.113.10 port 49116 ssh2'
echo "$line" >"$tmp/auth.log"
expect "replay --events" 0 '^\{.*"outcome":"failure"' '^read 1, decoded 1, skipped 0, bad 0$' \
	replay --events "$tmp/auth.log"
check_true "one event, one line" [ "$(wc -l <"$tmp/out")" = 1 ]
check_true "it is JSON with the origin" rows "$tmp/out" \
	'rows[0]["origin"] == {"address": "203.0.113.10", "port": 49116} and rows[0]["account"] == "root"'
expect "the same twice" 0 . 'read 2, decoded 2' replay --events "$tmp/auth.log" "$tmp/auth.log"

# Attacker's text: whatever the name, one line is one object, and no terminal is turned around.
printf 'Dec 10 09:32:20 h sshd[1]: Failed password for invalid user \033[2J\xff\x07" } {"x":1 from 203.0.113.10 port 49116 ssh2\n' \
	>"$tmp/hostile.log"
expect "a hostile name" 0 . 'read 1, decoded 1' replay --events "$tmp/hostile.log"
check_true "is one object" rows "$tmp/out" 'len(rows) == 1 and "x" not in rows[0] and
	rows[0]["origin"]["address"] == "203.0.113.10" and rows[0]["account"].startswith("\x1b[2J")'
check_true "and plain bytes" [ -z "$(LC_ALL=C tr -d '\n -~' <"$tmp/out")" ]
python3 -c 'import random, sys
sys.stdout.buffer.write(random.Random(1).randbytes(100000))' >"$tmp/noise.log"
expect "replay of noise" 0 '' '^read [0-9]+, decoded 0, ' replay --events "$tmp/noise.log"

for schema in outergate ecs ocsf cef; do
	expect "replay --events --schema $schema" 0 . 'read 1, decoded 1' replay --events --schema $schema "$tmp/auth.log"
	check_true "is one line" [ "$(wc -l <"$tmp/out")" = 1 ]
done
expect "replay --schema cef is CEF" 0 '^CEF:0\|Outergate\|' . replay --events --schema cef "$tmp/auth.log"
expect "replay --schema of another name" 2 '' \
	'^outergate: replay: --schema is one of: outergate ecs ocsf cef; see' replay --schema leef "$tmp/auth.log"
expect "replay --schema without a name" 2 '' '^outergate: replay: ' replay --schema
expect "replay --schema for people" 2 '' '^outergate: replay: --format text is for people' \
	replay --schema ecs --format text "$tmp/auth.log"

expect "decode without a line" 2 '' '^outergate: decode: no line given' decode
expect "decode a line" 0 'ssh' '' decode "$line"
check_true "decode tells the address" has "$out" '203\.0\.113\.10'
expect "decode what nobody takes" 1 . '' decode 'hello'

# A file of CloudTrail is one line, longer than any buffer.
record='{"eventSource":"signin.amazonaws.com","eventName":"ConsoleLogin","eventTime":"2026-11-10T16:24:34Z","sourceIPAddress":"203.0.113.9","responseElements":{"ConsoleLogin":"Failure"},"userIdentity":{"userName":"alice"}}'
{
	printf '{"Records":['
	for _ in $(seq 2000); do printf '%s,' "$record"; done
	printf '%s]}' "$record"
} >"$tmp/trail.json"
expect "replay a long list of records" 0 '"account":"alice"' 'decoded 2001, skipped 0, bad 0' \
	replay --events "$tmp/trail.json"
check_true "every record of a long list is told" [ "$(wc -l <"$tmp/out")" = 2001 ]

expect "sources" 0 'sshd' '' sources
expect "sources --format json" 0 '^\{"name":' '' sources --format json
check_true "every source has an example" \
	[ "$(grep -c '"example":"' "$tmp/out")" = "$(wc -l <"$tmp/out")" ]
expect "sources with an argument" 2 '' '^outergate: sources: ' sources x

# A source that the configuration describes.
cat >"$tmp/own.yaml" <<'END'
Decoders:
  - name: acme-vpn
    program: acmed
    service: vpn
    lines:
      - pattern: 'no user=(?<account>.*) from (?<origin>\S+)'
        outcome: failure
        example: 'no user=bob from 203.0.113.9'
END
own='acmed[3]: no user=alice from 203.0.113.7'
expect "decode by the configuration" 0 'decoder +acme-vpn' '' decode --config "$tmp/own.yaml" "$own"
expect "decode --source of the configuration's" 0 '"account":"alice"' '' \
	decode --format json --config "$tmp/own.yaml" --source acme-vpn "$own"
expect "decode without it" 1 'no decoder reads this program' '' decode "$own"
expect "decode says what no pattern is" 1 "none of its source's patterns" '' \
	decode --config "$tmp/own.yaml" 'acmed: yes'
echo "$own" >"$tmp/own.log"
expect "replay by the configuration" 0 '"source":"acme-vpn"' 'decoded 1' \
	replay --events --source acme-vpn --config "$tmp/own.yaml" "$tmp/own.log"
cp "$tmp/out" "$tmp/own.events"
expect "and what that printed is read back" 0 '"source":"acme-vpn"' 'decoded 1' replay --events "$tmp/own.events"
sed -i 's/example: .no/example: '"'"'yes/' "$tmp/own.yaml"
expect "an example that its pattern does not take" 1 '' \
	'own.yaml:[0-9]+: Decoders: acme-vpn: pattern 1: the example is not taken' check "$tmp/own.yaml"
expect "decode by a configuration that is bad" 1 '' 'the example is not taken' decode --config "$tmp/own.yaml" x
