# outergate diff

: >"$tmp/old.yaml"
diff_yaml() { printf '%b' "$1" >"$tmp/new.yaml"; }
changes() { rows "$tmp/out" "$1"; }

# --- files: four failures, then the login of somebody else who goes on as ever
for n in 1 2 3 4; do
	printf 'Jan 10 10:00:0%d h sshd[%d]: Failed password for root from 203.0.113.9 port 400%d ssh2\n' $n $n $n
done >"$tmp/diff.log"
printf 'Jan 10 11:00:00 h sshd[9]: Accepted password for a from 198.51.100.7 port 44 ssh2\n' >>"$tmp/diff.log"
: >"$tmp/new.yaml"
expect "nothing differs" 0 '^1 alerts under the old, 1 under the new: 0 gained, 0 lost, 0 of another' \
	'^read 5, decoded 5, skipped 0, bad 0$' diff "$tmp/old.yaml" "$tmp/new.yaml" "$tmp/diff.log"
check_true "nothing is listed" [ "$(wc -l <"$tmp/out")" = 1 ]
diff_yaml 'FailedLogonThreshold: 3\n'
diff_yaml 'FailedLogonThreshold: 3\n'
expect "a lower threshold gains" 0 '^gained +- +low ' . diff "$tmp/old.yaml" "$tmp/new.yaml" "$tmp/diff.log"
expect "and loses the other way round" 0 '^lost +low +- ' . diff "$tmp/new.yaml" "$tmp/old.yaml" "$tmp/diff.log"
diff_yaml 'FailedLogonThreshold: 4\n'
expect "four is not more than four" 0 ': 0 gained, 0 lost' . diff "$tmp/old.yaml" "$tmp/new.yaml" "$tmp/diff.log"
diff_yaml 'KnownRemoteIPs: [198.51.100.0/24]\n'
expect "a known place, as JSON" 0 '^\{' . diff --format=json "$tmp/old.yaml" "$tmp/new.yaml" "$tmp/diff.log"
check_true "is another severity" changes 'len(rows) == 1 and rows[0]["change"] == "severity" and
	rows[0]["severity_before"] == "low" and rows[0]["severity"] == "info" and
	rows[0]["detection"] == "access.external" and rows[0]["origin"]["address"] == "198.51.100.7"'
check_true "counts go to stderr" has "$err" '0 gained, 0 lost, 1 of another severity, 0 of another mode'
diff_yaml 'Detections: {access.external: {Mode: observe}}\n'
expect "a mode" 0 '^mode +alert +observe +.*access.external' . diff "$tmp/old.yaml" "$tmp/new.yaml" "$tmp/diff.log"
diff_yaml 'Detections: {access.external: {exceptions: [{account: a, reason: his}]}}\n'
expect "an exception" 0 '^lost +low +- ' . diff "$tmp/old.yaml" "$tmp/new.yaml" "$tmp/diff.log"
timeout 20 "$OUTERGATE" diff "$tmp/old.yaml" "$tmp/new.yaml" - <"$tmp/diff.log" >"$tmp/out" 2>"$tmp/err"
code=$? out=$(cat "$tmp/out") err=$(cat "$tmp/err")
check_true "standard input is read once for both" has "$out" '1 lost'
# Seven guesses, a pause, then twelve: for nine it begins with the second burst.
for n in 10 11 12 13 14 15 16 $(seq 40 51); do
	printf 'Jan 10 10:%d:00 h sshd[%d]: Failed password for root from 203.0.113.9 port 40%d ssh2\n' $n $n $n
done >"$tmp/many.log"
diff_yaml 'FailedLogonThreshold: 9\n'
first_time() { "$OUTERGATE" replay --config "$1" "$tmp/many.log" 2>/dev/null | grep -o '"time":"[^"]*"' | head -1; }
check_true "another first event" [ "$(first_time "$tmp/old.yaml")" != "$(first_time "$tmp/new.yaml")" ]
expect "is no other alert" 0 ': 1 gained, 0 lost, 0 of another severity' . \
	diff "$tmp/old.yaml" "$tmp/new.yaml" "$tmp/many.log"
check_true "what was no alert is in the digest" has "$out" '^gained +- +info .* auth.noise'
diff_yaml 'FailedLogonThreshold: none\n'
expect "a bad new configuration" 1 '' "^outergate: $tmp/new.yaml:1: FailedLogonThreshold" \
	diff "$tmp/old.yaml" "$tmp/new.yaml" "$tmp/diff.log"
expect "a configuration that is not there" 1 '' "none.yaml: No such file" diff "$tmp/none.yaml" \
	"$tmp/old.yaml" "$tmp/diff.log"
expect "one configuration" 2 '' 'two configurations' diff "$tmp/old.yaml"
expect "no day" 2 '' '--since takes' diff --since yesterday "$tmp/old.yaml" "$tmp/old.yaml"
expect "a log that is not there" 1 '' 'No such file' diff "$tmp/old.yaml" "$tmp/old.yaml" "$tmp/none.log"

# --- the store: logins of kernel sessions, one goes on to another host, one copies a file
db=$tmp/diff.db
sqlite3 "$db" <tests/cli/data/store_v1.sql >/dev/null
python3 tests/cli/stored.py "$db" <<'JSON'
{"at": 1795400000, "origin": "203.0.114.5", "country": "NL", "asn": 64500, "destinations": [{"dest": "10.20.0.9", "dest_port": 22, "service": "ssh", "scope": "private", "count": 1, "first_ns": 1795400010000000000, "last_ns": 1795400300000000000, "bytes_out": 1000, "program": "ssh"}]}
{"at": 1795410000, "origin": "203.0.114.5", "account": "bob", "commands": [{"time_ns": 1795410001000000000, "proc_pid": 9, "text": "scp -t /tmp/x"}]}
JSON
at="--store $db --since 2026-11-20"
: >"$tmp/new.yaml"
expect "a store under one configuration twice" 0 ': 0 gained, 0 lost, 0 of another' \
	'^4 sessions of the store since 2026-11-20 were correlated again; 2 alerts about' diff $at "$tmp/old.yaml" "$tmp/new.yaml"
diff_yaml 'ExpectedOnward: [{from: alice, to: 10.20.0.0/16, service: ssh}]\n'
expect "an edge that is expected" 0 '^severity +medium +info +2026-11-23T.* +activity.lateral_movement +alice' . \
	diff $at "$tmp/old.yaml" "$tmp/new.yaml"
check_true "and nothing else" has "$out" ': 0 gained, 0 lost, 1 of another severity'
diff_yaml 'Detections: {activity.file_transfer: {enabled: false}}\n'
expect "a copy that is not told" 0 '^lost +low +- .* +activity.file_transfer +bob' . diff $at "$tmp/old.yaml" "$tmp/new.yaml"
diff_yaml 'GeoIPWhitelist: {countries: [DE]}\n'
expect "places are those of the store" 0 '^gained +- +high .* +origin.country_not_allowed +alice' . \
	diff $at "$tmp/old.yaml" "$tmp/new.yaml"
diff_yaml 'Detections: {auth.bruteforce_success: {exceptions: [{origin: 203.0.113.9, reason: a test}]}}\n'
expect "an alert that is not rebuilt is judged" 0 '^lost +high +- .* +auth.bruteforce_success' . \
	diff $at "$tmp/old.yaml" "$tmp/new.yaml"
diff_yaml 'Detections: {auth.bruteforce: {severity: critical}}\n'
expect "a name that is hidden stays so" 0 'low +critical .*unknown:' . diff $at "$tmp/old.yaml" "$tmp/new.yaml"
expect "what is older is not looked at" 0 '^0 alerts under the old' . diff --store "$db" --since 2026-12-20 \
	"$tmp/old.yaml" "$tmp/new.yaml"
expect "no store" 1 '' 'there is no store yet' diff --store "$tmp/none.db" "$tmp/old.yaml" "$tmp/new.yaml"
