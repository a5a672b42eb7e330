# outergate sessions, alerts and explain without an agent: no store, no database, bad options.

for name in sessions alerts; do
	expect "$name without a store" 1 '' "^outergate: .*$tmp/none.db" $name --store "$tmp/none.db"
	check_true "$name makes no store" [ ! -e "$tmp/none.db" ]
	expect "$name --severity of another kind" 2 '' '^outergate: .*loud' $name --severity loud
	expect "$name --service of another kind" 2 '' '^outergate: .*sshd' $name --service sshd
	expect "$name --since of another kind" 2 '' '^outergate: .*later' $name --since later
	expect "$name --origin of another kind" 2 '' '^outergate: .*10\.' $name --origin 10.
	expect "$name --limit of another kind" 2 '' '^outergate: .*many' $name --limit many
	expect "$name --since without its value" 2 '' "^outergate: $name: " $name --since
	expect "$name with an argument" 2 '' "^outergate: $name: " $name x
	echo 'not a database, but long enough to be looked at as if it were one' >"$tmp/text.db"
	expect "$name of a text file" 1 '' "^outergate: .*$tmp/text.db" $name --store "$tmp/text.db"
done
expect "explain what" 2 '' '^outergate: explain: ' explain
expect "explain without a store" 1 '' "^outergate: .*$tmp/none.db" explain --store "$tmp/none.db" 0123abcd
