# report: one page of HTML, complete, of our markup alone, whatever was typed as an account or run as a command.

browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome || true)
page() { # NAME STORE PAGE [BROWSER]
	out=$(python3 tests/cli/page.py "$OUTERGATE" "$2" "$3" ${4:+"$4"} 2>&1) code=$? err=
	check_true "$1" [ "$code" = 0 ]
}

rm -f "$tmp"/report.*
{
	printf 'Dec 10 09:40:20 h sshd[8]: Failed password for invalid user %s from 203.0.113.10 port 49117 ssh2\n' \
		'<script>alert(1)</script>' '</td></table><h1>x' "'-->]]>" '&lt;b&gt;' '`"onload=x' \
		$'r\xc3\xb6\xff\xe2\x80\xae\x1b[31m' '<!--' 'javascript:x'
	echo 'Dec 10 09:40:27 h sshd[10]: Accepted password for "><img/src=x/onerror=alert(1)> from 203.0.113.10 port 49124 ssh2'
	echo 'Dec 10 09:41:27 h sshd[11]: Accepted password for alice from 2001:db8::9 port 49124 ssh2'
} >"$tmp/report.log"
expect "report: a store" 0 'auth.noise' '^read 10, decoded 10' replay --store "$tmp/report.db" "$tmp/report.log"
python3 tests/cli/stored.py "$tmp/report.db" <<-'LINES'
	{"origin": "203.0.114.5", "account": "</style><svg/onload=alert(1)>", "key": "\"'><iframe src=//x>", "as_org": "<b>Net & Co</b>", "asn": 64500, "country": "NL", "commands": [{"time_ns": 1795400001000000000, "text": "echo '<script src=http://x/></script>' > /tmp/a && cat <<EOF"}, {"time_ns": 1795400002000000000, "text": "\u001b]0;x\u0007\u202e<plaintext>"}], "destinations": [{"dest": "10.20.0.9", "dest_port": 22, "service": "ssh", "count": 1, "first_ns": 1795400003000000000, "program": "ssh"}]}
LINES
expect "report: to a file" 0 '' '' report --store "$tmp/report.db" --out "$tmp/report.html"
check_true "report: prints nothing else" [ -z "$out$err" ]
check_true "report: for its owner alone" [ "$(stat -c %a "$tmp/report.html")" = 600 ]
page "report: hostile words are words" "$tmp/report.db" "$tmp/report.html"
if [ -n "$browser" ]; then
	page "report: in a browser, too" "$tmp/report.db" "$tmp/report.html" "$browser"
else
	echo "SKIPPED report in a browser: no chromium is installed"
fi
cp "$tmp/report.html" "$tmp/report.copy"
expect "report: a file that is there stays" 1 '' 'report.html: exists; --out wants a new file' \
	report --store "$tmp/report.db" --out "$tmp/report.html"
check_true "report: as it was" cmp -s "$tmp/report.html" "$tmp/report.copy"
ln -s "$tmp/report.victim" "$tmp/report.link"
expect "report: a link is not followed" 1 '' 'exists; --out wants' report --store "$tmp/report.db" --out "$tmp/report.link"
check_true "report: nothing was made behind it" [ ! -e "$tmp/report.victim" ]
expect "report: to standard output" 0 '<!DOCTYPE html>' '' report --store "$tmp/report.db"
check_true "report: the same page" [ "$(grep -vc Written "$tmp/out")" = "$(grep -vc Written "$tmp/report.html")" ]
expect "report: since" 0 '0 alerts, 0 sessions' '' report --store "$tmp/report.db" --since 2040-01-01
check_true "report: says that there is none" has "$out" 'none: no chain.t1133'
expect "report: a limit that is reached is told" 0 '1 sessions \(as many as --limit' '' report --store "$tmp/report.db" --limit 1
expect "report: a directory that is not there" 1 '' 'No such file' report --store "$tmp/report.db" --out "$tmp/none/x"
expect "report: no store" 1 '' 'there is no store yet' report --store "$tmp/report.none"
expect "report: no format" 2 '' 'a page has no --format' report --store "$tmp/report.db" --format json
expect "report: a value is missing" 2 '' 'a value is missing after: --out' report --store "$tmp/report.db" --out
expect "report: too much" 2 '' 'at most 20000' report --store "$tmp/report.db" --limit 200000
expect "report: a word" 2 '' 'unexpected argument: x' report x

# A chain's timeline has what its alerts and its session tell.
python3 - "$tmp" <<-'PY'
	import pathlib, sys
	sys.path[:0] = ["tests", "tests/golden"]
	import records
	records.parts(pathlib.Path("tests/golden/chain.t1133/a-new-chain-after-a-week/input.events"), pathlib.Path(sys.argv[1]))
PY
expect "report: a chain's store" 0 'chain.t1133' '^read 45' replay --store "$tmp/report.chain.db" "$tmp"/*.rec
expect "report: a chain" 0 '' '' report --store "$tmp/report.chain.db" --out "$tmp/report.chain.html"
page "report: a chain's page" "$tmp/report.chain.db" "$tmp/report.chain.html"
check_true "report: its moments in their order" python3 -c 'import re, sys
text = open(sys.argv[1]).read()
chains = re.findall(r"<ol>(.*?)</ol>", text, re.S)
times = [re.findall(r"<time>(.*?)</time>", c) for c in chains]
sys.exit(not (len(chains) == 2 and all(t == sorted(t) and len(t) > 8 for t in times) and
              all("opened" in c and "went on to" in c for c in chains)))' "$tmp/report.chain.html"
