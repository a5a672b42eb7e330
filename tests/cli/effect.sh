# A configuration does what it says: the same log replayed under different ones.

for i in 1 2 3 4 5 6 7 8; do
	echo "Dec 10 09:3$i:20 h sshd[7]: Failed password for alice from 203.0.113.10 port 49116 ssh2"
done >"$tmp/guess.log"
echo 'Dec 10 09:40:20 h sshd[8]: Accepted password for alice from 203.0.113.10 port 49117 ssh2' \
	>>"$tmp/guess.log"

# alerts NAME YAML PYTHON-EXPRESSION over the alerts of that log
alerts() {
	printf "$2" >"$tmp/effect.yaml"
	expect "$1: replay" 0 '^' '^read 9, decoded 9, skipped 0, bad 0$' \
		replay --alerts --config "$tmp/effect.yaml" "$tmp/guess.log"
	cp "$tmp/out" "$tmp/alerts"
	check_true "$1" rows "$tmp/alerts" "$3"
}
hit='[r for r in rows if r["detection"] == "auth.bruteforce_success"]'
alerts "the defaults see a guessed login" '' "len($hit) == 1 and $hit[0]['severity'] == 'high'"
alerts "eight failures are not more than eight" 'FailedLogonThreshold: 8\n' "not $hit"
alerts "eight failures are more than seven" 'FailedLogonThreshold: 7\n' "len($hit) == 1"
alerts "a window that holds few of them" 'TimeWindow: 2m\n' "not $hit"
alerts "a severity of one's own" 'Detections: {auth.bruteforce_success: {severity: critical}}\n' \
	"$hit[0]['severity'] == 'critical'"
alerts "off" 'Detections: {auth.bruteforce_success: {enabled: false}}\n' "not $hit"
exception() { # MATCH
	printf 'Detections: {auth.bruteforce_success: {exceptions: [{%s, reason: test}]}}' "$1"
}
alerts "an exception for the origin" "$(exception 'origin: 203.0.113.8/29')" "not $hit"
alerts "an exception for another origin" "$(exception 'origin: 203.0.113.11')" "len($hit) == 1"
alerts "an exception for the account" "$(exception 'account: alice, service: ssh')" "not $hit"
alerts "an exception for half of it" "$(exception 'account: alice, service: rdp')" "len($hit) == 1"
alerts "an exception for the beginning of the name" "$(exception 'account: ali')" "len($hit) == 1"
alerts "an exception that ended before" "$(exception 'account: alice, until: 1999-12-31')" \
	"len($hit) == 1"
alerts "an exception that ends that day" "$(exception 'account: alice, until: 2000-12-10')" "not $hit"
alerts "known does not silence it" 'KnownRemoteIPs: [203.0.113.0/24]\n' "len($hit) == 1"
alerts "a scope of one's own" 'Scope: {Overrides: [{cidr: 203.0.113.0/24, scope: private}]}\n' \
	"$hit[0]['origin']['scope'] == 'private' and $hit[0]['severity'] == 'medium'"
