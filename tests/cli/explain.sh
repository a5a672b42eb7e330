# explain: any alert has its evidence, the rule, the numbers that made it fire and what would have
# prevented it; every golden case is replayed into a store of its own and asked about each alert.

python3 tests/cli/explained.py "$OUTERGATE" >"$tmp/explained" 2>&1
code=$? out=$(head -c 2000 "$tmp/explained") err=
check_true "explain: every alert of every golden case" [ "$code" = 0 ]

line='Dec 10 09:40:20 h sshd[8]: Accepted password for alice from 203.0.113.10 port 49117 ssh2'
echo "$line" >"$tmp/kept.log"
rm -f "$tmp/kept.db"
expect "replay --store: keeps" 0 'access.external' '^read 1,' \
	replay --store "$tmp/kept.db" "$tmp/kept.log"
expect "replay --store: alerts" 0 'access.external .*alice' '' alerts --store "$tmp/kept.db"
expect "replay --store: sessions" 0 'alice' '' sessions --store "$tmp/kept.db"
cp "$tmp/kept.db" "$tmp/kept.copy"
expect "replay --store: a file that is there stays" 1 '' 'kept.db: exists; --store wants a new' \
	replay --store "$tmp/kept.db" "$tmp/kept.log"
check_true "replay --store: as it was" cmp -s "$tmp/kept.db" "$tmp/kept.copy"
expect "replay --store: a folder that is not there" 1 '' 'none/kept.db: No such file' \
	replay --store "$tmp/none/kept.db" "$tmp/kept.log"
expect "replay --store: not with events" 2 '' 'store keeps alerts and sessions' \
	replay --events --store "$tmp/new.db" "$tmp/kept.log"
check_true "replay --store: nothing was made" [ ! -e "$tmp/new.db" ]
