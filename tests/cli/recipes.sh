# The recipes of deploy/recipes: each with what it quiets and the near miss that must still alert.
# Without it the same input alerts, so that no case is quiet of itself.

shopt -s lastpipe # a case counts, though its events come by a pipe
cat >"$tmp/places.json" <<'JSON'
{"format": "libloc", "networks": {
 "203.0.113.0/24": {"country": "DE", "asn": 64500}, "203.0.114.0/24": {"country": "BR", "asn": 64501},
 "203.0.115.0/24": {"country": "NL", "asn": 64502}, "198.51.100.0/24": {"country": "DE", "asn": 64503},
 "192.0.2.0/24": {"country": "US", "asn": 64504}, "203.0.116.0/24": {"country": "CL", "asn": 64505}}}
JSON
python3 tests/geodb.py "$tmp/places.json" "$tmp/places.db"
token=SHA256:AnnaTokenAnnaTokenAnnaTokenAnnaTokenAnnaTok
acme=SHA256:AcmeVendorAcmeVendorAcmeVendorAcmeVendorAcm
pipeline=SHA256:DeployKeyDeployKeyDeployKeyDeployKeyDeployK
other=SHA256:OtherKeyOtherKeyOtherKeyOtherKeyOtherKeyOth

: >"$tmp/none.yaml"
: >"$tmp/recipe.log"
pid=0
login() { # TIME ACCOUNT ADDRESS KEY|password
	pid=$((pid + 1))
	local how="publickey for $2 from $3 port $((20000 + pid)) ssh2: ED25519 $4"
	[ "$4" != password ] || how="password for $2 from $3 port $((20000 + pid)) ssh2"
	printf '%s h sshd[%d]: Accepted %s\n' "$1" $pid "$how"
	printf '%s h sshd[%d]: Disconnected from user %s %s port %d\n' "${1/:00+/:30+}" $pid "$2" "$3" \
		$((20000 + pid))
}
habit() { # ACCOUNT ADDRESS KEY: twenty days
	for day in $(seq -w 1 20); do login "2026-10-${day}T09:00:00+00:00" "$1" "$2" "$3"; done
}
guesses() { # TIME-PREFIX ACCOUNT ADDRESS
	for n in 1 2 3 4 5 6 7; do
		pid=$((pid + 1))
		printf '%s:0%d+00:00 h sshd[%d]: Failed password for %s from %s port %d ssh2\n' "$1" $n $pid "$2" "$3" \
			$((20000 + pid))
	done
}
# severity of a detection since November, "none" when it did not fire
severity() { # CONFIG DETECTION
	"$OUTERGATE" replay --config "$1" --geo "$tmp/places.db" "$tmp/recipe.log" 2>"$tmp/err" | python3 -c '
import json, sys
order = ["info", "low", "medium", "high", "critical"]
found = [a["severity"] for a in map(json.loads, sys.stdin)
         if a["detection"] == sys.argv[1] and a["time"] >= "2026-11"]
print(max(found, key=order.index) if found else "none")' "$2"
}
# recipe NAME DETECTION WITHOUT WITH, over the events of standard input
recipe=
case_of() {
	cat >"$tmp/recipe.log"
	out=$(severity "$tmp/none.yaml" "$2") err=$(cat "$tmp/err")
	check_true "$recipe, $1: without it $2 is $3" [ "$out" = "$3" ]
	out=$(severity "$recipe" "$2") err=$(cat "$tmp/err")
	check_true "$recipe, $1: with it $2 is $4" [ "$out" = "$4" ]
}

for recipe in deploy/recipes/*.yaml; do
	[ "$recipe" = deploy/recipes/cloud.yaml ] ||
		expect "$recipe is good" 0 "^$recipe: ok\$" '' check "$recipe"
done

recipe=deploy/recipes/home-and-hotel.yaml
login 2026-11-03T09:00:00+00:00 anna 203.0.113.7 password | case_of "at home" access.external low info
login 2026-11-03T09:00:00+00:00 ben 203.0.113.7 password | case_of "another at her home" access.external low low
{ habit anna 203.0.115.7 $other; login 2026-11-03T09:00:00+00:00 anna 203.0.114.9 $token; } |
	case_of "her token in a hotel" origin.new_place medium info
{ habit anna 203.0.115.7 $other; login 2026-11-03T09:00:00+00:00 anna 203.0.114.9 password; } |
	case_of "a password in a hotel" origin.new_place medium medium
{ habit anna 203.0.115.7 $other; login 2026-11-03T09:00:00+00:00 anna 203.0.114.9 $other; } |
	case_of "another key in a hotel" origin.new_place medium medium
{ guesses 2026-11-03T09:00 anna 203.0.113.7; login 2026-11-03T09:01:00+00:00 anna 203.0.113.7 password; } |
	case_of "guessed from her home" auth.bruteforce_success high high

recipe=deploy/recipes/jump-hosts.yaml
login 2026-11-03T09:00:00+00:00 ben 198.51.100.10 $other | case_of "by the jump host" access.external low info
login 2026-11-03T09:00:00+00:00 ben 198.51.100.12 $other | case_of "by the host beside" access.external low low
{ guesses 2026-11-03T09:00 ben 198.51.100.10; login 2026-11-03T09:01:00+00:00 ben 198.51.100.10 password; } |
	case_of "guessed by the jump host" auth.bruteforce_success high high

recipe=deploy/recipes/vendors.yaml
vendor() { case_of "$1" access.external low "$2"; }
login 2026-11-03T09:00:00+00:00 acme 198.51.100.70 $acme | vendor "at work" info
login 2026-11-03T06:59:00+00:00 acme 198.51.100.70 $acme | vendor "a minute before eight, there" low
login 2026-11-03T07:00:00+00:00 acme 198.51.100.70 $acme | vendor "at eight, there" info
login 2026-11-03T17:00:00+00:00 acme 198.51.100.70 $acme | vendor "at six in the evening, there" low
login 2026-11-07T09:00:00+00:00 acme 198.51.100.70 $acme | vendor "on a Saturday" low
login 2026-11-03T09:00:00+00:00 acme 198.51.100.70 $other | vendor "with another key" low
login 2026-11-03T09:00:00+00:00 acme 198.51.100.70 password | vendor "with a password" low
login 2026-11-03T09:00:00+00:00 acme 198.51.100.80 $acme | vendor "from another network" low
login 2026-11-03T09:00:00+00:00 root 198.51.100.70 $acme | vendor "as somebody else" low
login 2027-03-31T12:00:00+00:00 acme 198.51.100.70 $acme | vendor "on the last day" info
login 2027-04-01T12:00:00+00:00 acme 198.51.100.70 $acme | vendor "the day after" low

# The file is the operator's; here it is what a provider publishes.
cat >"$tmp/provider.json" <<'JSON'
{"syncToken": "1", "prefixes": [{"ip_prefix": "192.0.2.0/25", "region": "x/1"}],
 "ipv6_prefixes": [{"ipv6_prefix": "2001:db8:c1::/48"}], "values": [{"properties": {"addressPrefixes": ["203.0.114.0/24"]}}]}
JSON
sed "s#/etc/outergate/ranges/provider.txt#$tmp/provider.json#" deploy/recipes/cloud.yaml >"$tmp/cloud.yaml"
check_true "the recipe names its file" [ "$(grep -c provider.json "$tmp/cloud.yaml")" = 1 ]
recipe=$tmp/cloud.yaml
expect "a provider's JSON" 0 'provider.json: 3 blocks$' '' check "$recipe"
cloud() { case_of "$1" access.external low "$2"; }
login 2026-11-03T09:00:00+00:00 deploy 192.0.2.5 $pipeline | cloud "of the provider" info
login 2026-11-03T09:00:00+00:00 deploy 203.0.114.5 $pipeline | cloud "of the provider, elsewhere" info
login 2026-11-03T09:00:00+00:00 deploy 2001:db8:c1::5 $pipeline | cloud "of the provider, IPv6" info
login 2026-11-03T09:00:00+00:00 deploy 192.0.2.200 $pipeline | cloud "its key from elsewhere" low
login 2026-11-03T09:00:00+00:00 deploy 192.0.2.5 $other | cloud "another tenant's key" low
login 2026-11-03T09:00:00+00:00 root 192.0.2.5 $pipeline | cloud "another account" low
{ habit deploy 203.0.115.1 $pipeline; login 2026-11-03T09:00:00+00:00 deploy 192.0.2.5 $pipeline; } |
	case_of "a new place of the provider" origin.new_place medium info
{ habit deploy 203.0.115.1 $pipeline; login 2026-11-03T09:00:00+00:00 deploy 203.0.116.5 $pipeline; } |
	case_of "its key was stolen" origin.new_place medium medium

recipe=deploy/recipes/travel.yaml
travel() { { habit anna 203.0.113.7 $other; login "$2" "$3" "$4" $other; } |
	case_of "$1" origin.new_place medium "$5"; }
travel "in Brazil" 2026-12-03T09:00:00+00:00 anna 203.0.114.9 info
travel "on the last day" 2026-12-20T23:59:00+00:00 anna 203.0.114.9 info
travel "too early" 2026-11-30T23:59:00+00:00 anna 203.0.114.9 medium
travel "too late" 2026-12-21T00:00:00+00:00 anna 203.0.114.9 medium
travel "in Chile" 2026-12-03T09:00:00+00:00 anna 203.0.116.9 medium
login 2026-12-03T09:00:00+00:00 anna 203.0.114.9 $other | case_of "allowed there" origin.country_not_allowed none none
login 2026-12-03T09:00:00+00:00 ben 203.0.114.9 $other | case_of "not somebody else" origin.country_not_allowed none high
login 2026-12-03T09:00:00+00:00 anna 203.0.116.9 $other | case_of "not elsewhere" origin.country_not_allowed none high

# --- files of ranges that are none
ranges() { # NAME REASON CONTENT
	printf "$3" >"$tmp/ranges.txt"
	printf 'Mode: alert\nKnownRemoteIPs:\n  - {file: %s}\n' "$tmp/ranges.txt" >"$tmp/ranges.yaml"
	expect "$1" 1 '' "^outergate: $tmp/ranges.yaml:3: KnownRemoteIPs.file: $tmp/ranges.txt$2" check "$tmp/ranges.yaml"
	check_true "$1: one sentence" [ "$(wc -l <"$tmp/err")" = 1 ]
}
ranges "empty" ': holds no block of addresses$' ''
ranges "only comments" ': holds no block of addresses$' '# none\n\n'
ranges "no address" ":2: not an address or CIDR block without host bits: 'example.org'\$" '192.0.2.0/24\nexample.org\n'
ranges "host bits" ":1: not an address or CIDR block without host bits" '192.0.2.1/24\n'
ranges "everybody" ":1: wider than a /8: '0.0.0.0/0'\$" '0.0.0.0/0\n'
ranges "everybody, in JSON" ": wider than a /8: '::/0'\$" '{"a": ["::/0"]}'
ranges "half of JSON" ':[0-9]+: not JSON: ' '{"a": [\n'
ranges "JSON without a block" ': holds no block of addresses$' '{"a": "b/c"}'
ranges "terminal escapes" ":1: not an address.*x1b" '\033[31m\n'
printf '%s\n' '# a comment' '  192.0.2.0/24   # ours' '' '192.0.2.128/25' '2001:db8::/32' '203.0.113.7' >"$tmp/ranges.txt"
expect "text, and what is inside another" 0 'ranges.txt: 3 blocks$' '' check "$tmp/ranges.yaml"
rm "$tmp/ranges.txt"
expect "no such file" 1 '' 'ranges.txt: No such file or directory$' check "$tmp/ranges.yaml"
shopt -u lastpipe
