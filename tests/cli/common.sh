# What every command keeps to: help, usage errors, exit codes.

names=$(sed -n 's/^COMMAND(\([a-z_]*\))/\1/p' cli/commands.def)
check_true "the table of commands is not empty" [ -n "$names" ]

expect "no command" 2 '' '^usage: outergate COMMAND'
for flag in --help -h help; do
	expect "outergate $flag" 0 '^usage: outergate COMMAND' '' $flag
	for name in $names; do
		check_true "$flag lists $name" has "$out" "^  $name +[a-z]"
	done
done
expect "--version" 0 "^outergate $(cat VERSION)\$" '' --version
expect "unknown command" 2 '' '^outergate: unknown command sesions; see outergate --help$' sesions
expect "empty command" 2 '' '^outergate: unknown command ' ''
expect "an option before a command" 2 '' '^outergate: unknown command --config' --config x check

one_line() { [ "$(wc -l <"$tmp/err")" = 1 ]; }
for name in $names; do
	for flag in --help -h; do
		expect "$name $flag" 0 "^usage: outergate $name( |\$)" '' "$name" $flag
	done
	about=$(sed -n 3p "$tmp/out")
	check_true "$name says in one line what it does" [ -n "$about" ]
	check_true "$name says how to call it" [ "$(head -c 17 "$tmp/out")" = "usage: outergate " ]
	expect "$name with an unknown option" 2 '' "^outergate: $name: .*see outergate $name --help$" \
		"$name" --no-such-option
	check_true "$name complains in one line" one_line
done

# A full disk is no success.
for args in 'check --defaults' 'check deploy/outergate.yaml' 'detections --format json' 'detections'; do
	timeout 20 "$OUTERGATE" $args >/dev/full 2>"$tmp/err"
	code=$? out='' err=$(cat "$tmp/err")
	check_true "$args to a full disk" [ "$code" = 1 ]
	check_true "$args to a full disk says so" has "$err" '^outergate: .*No space left'
done
