#!/bin/bash
# Lint: format, clang-tidy, cppcheck, registries, purity of the core, length, words.
# Each check prints what it found; the last line counts them. The path-sensitive analyzer of clang-tidy
# takes twenty times as long as all the rest: LINT_WHOLE=1 (make lint) has it everywhere, make test where
# privilege and network are.
cd "$(dirname "$0")/../.."
BUILD=${BUILD:-build}
passed=0 failed=0

check() { # name, output that must be empty
	if [ -z "$2" ]; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		echo "-- $1"
		echo "$2" | head -40
	fi
}

mapfile -t code < <(git ls-files '*.c' '*.h' | while read -r f; do [ -e "$f" ] && echo "$f"; done)
mapfile -t hosted < <(printf '%s\n' "${code[@]}" | grep -E '^(common|cli|agent-linux|forward)/.*\.c$')

# A file that has not changed since it was clean is not asked again.
export TIDY=$BUILD/tidy TIDY_CHECKS=
[ -n "${LINT_WHOLE:-}" ] || TIDY=$BUILD/tidy-short TIDY_CHECKS=-clang-analyzer-*
mkdir -p "$TIDY"
tidy_one() {
	stamp=$TIDY/$(echo "$1" | tr / _)
	made=$BUILD/${1%.c}.d # what it includes, as the compiler told
	if [ -e "$made" ]; then
		headers=$(tr ' \\' '\n\n' <"$made" | grep '\.h$' | grep -v '^/' | grep -v '^build' | sort -u)
	else
		headers=$(ls common/*.h common/*/*.h cli/*.h agent-linux/*.h forward/*.h)
	fi
	# shellcheck disable=SC2086
	sum=$(cat "$1" $headers .clang-tidy 2>/dev/null | sha256sum)
	[ -e "$stamp" ] && [ "$(cat "$stamp")" = "$sum" ] && return
	checks=$TIDY_CHECKS
	case $1 in agent-linux/* | forward/*) checks= ;; esac
	out=$(clang-tidy --quiet ${checks:+"--checks=$checks"} "$1" -- -std=gnu11 -D_GNU_SOURCE -DOUTERGATE_VERSION='"lint"' -I. \
		-isystem "$BUILD" 2>/dev/null)
	code=$?
	found=$(echo "$out" | grep -E '(warning|error):')
	out=$(echo "$found" | grep -v skel.h) # what bpftool writes is not ours
	if [ -n "$out" ]; then
		echo "$out"
	elif [ $code = 0 ] || [ -n "$found" ]; then
		echo "$sum" >"$stamp"
	else
		echo "$1: clang-tidy ended with $code"
	fi
}
export -f tidy_one
export BUILD
check format "$(clang-format --dry-run "${code[@]}" 2>&1 | grep -E 'warning' | cut -d: -f1,2 | sort -u)"
check clang-tidy "$(printf '%s\n' "${hosted[@]}" | xargs -P 2 -I{} bash -c 'tidy_one {}' | sort -u)"

check cppcheck "$(cppcheck --quiet --std=c11 --enable=warning,portability --inline-suppr -j 2 \
	--suppress=missingIncludeSystem --suppress=unknownMacro --suppress=normalCheckLevelMaxBranches \
	-DOUTERGATE_VERSION='"lint"' -D_GNU_SOURCE -I. \
	"${hosted[@]}" 2>&1 | grep -E '(error|warning|portability):')"

# Registries: a file that no table names, or a row without its file or its golden case.
registry=$(
	for f in common/detect/*.c; do
		n=$(basename "$f" .c)
		grep -q "const struct detection detection_" "$f" || continue
		grep -q "DETECT($n)" common/detect/detect.def || echo "$f is not in detect.def"
	done
	grep -o '^DETECT([a-z0-9_]*)' common/detect/detect.def | sed 's/DETECT(//; s/)//' | while read -r n; do
		id=$(sed -n 's/.*\.id = "\(.*\)",.*/\1/p' "common/detect/$n.c" | head -1)
		[ -n "$id" ] || { echo "common/detect/$n.c has no id"; continue; }
		grep -q "DETECTION_[A-Z]*\|$id" -r tests/golden tests/unit 2>/dev/null || echo "$id has no case"
		[ -d "tests/golden/$id" ] || grep -rq "\"$id\"\|detection_$n\|DETECTION_$n" tests/unit ||
			echo "$id: no golden case and no unit case"
		grep -q "$id" docs/DETECTIONS.md || echo "$id is not in docs/DETECTIONS.md"
	done
	for f in cli/cmd_*.c agent-linux/cmd_*.c; do
		n=$(basename "$f" .c); n=${n#cmd_}
		grep -q "COMMAND($n)" cli/commands.def || echo "$f is not in commands.def"
	done
	grep -o '^STAT([a-z_]*' common/stats.def | sed 's/STAT(//' | while read -r n; do
		grep -rqE "(->|\.)$n\b" common agent-linux cli --include=*.c || echo "counter $n is never counted"
	done
)
check registries "$registry"

# What docs/WAYS.md says is proved by a live case names one.
check "docs/WAYS.md names live cases" "$(grep -oE '`[a-z0-9_]+_[a-z0-9_]+`' docs/WAYS.md | tr -d '`' | sort -u | while read -r n; do
	grep -rq "^def $n(" tests/live tests/evasion tests/services || echo "$n is no case of tests/live, tests/evasion or tests/services"
done)"

# Purity: no I/O, clock, locale or allocation in what a replay must repeat bit for bit.
impure='^(fopen|open|openat|read|write|fread|fwrite|printf|fprintf|puts|time|clock_gettime|gettimeofday|getenv|setlocale|localtime|gmtime|mktime|strftime|rand|random|getrandom|socket|strtod|atof|isalpha|isdigit|isspace|isprint|tolower|toupper)$'
purity=$(
	for o in "$BUILD"/common/{core,detect,decode,out,enrich}/*.o "$BUILD"/common/*.o; do
		[ -e "$o" ] || continue
		nm -u "$o" | awk '{print $2}' | sed 's/@.*//' | grep -E "$impure" | sed "s#^#$o calls #"
		objdump -t "$o" | awk '$4 == ".data" || $4 == ".bss" || $3 == "*COM*"' | grep -v ' d ' |
			awk '{print $NF}' | sed "s#^#$o has the mutable global #"
		case $o in
		*/core/core.o | */core/core_table.o | */common/config*.o) ;;
		*/decode/own.o) ;; # patterns are compiled where the configuration is read
		*) nm -u "$o" | awk '{print $2}' | grep -E '^(malloc|calloc|realloc|strdup)$' | sed "s#^#$o allocates: #" ;;
		esac
	done
)
check purity "$purity"
# A function of ours with the name of a library's would be called in its place, whatever it takes.
check "names of libraries" "$(nm "$BUILD/libcommon.a" "$BUILD"/cli/*.o "$BUILD"/agent-linux/*.o 2>/dev/null | awk '$2 == "T" {print $3}' | sort -u >"$BUILD/own.names"
	ldd "$BUILD/outergate" | awk '/=> \//{print $3}' | xargs nm -D 2>/dev/null | awk '$2 ~ /[TWi]/ {print $3}' | sed 's/@.*//' | sort -u |
		comm -12 "$BUILD/own.names" - | grep -vx main)"
check "platform headers in common" "$(grep -nE '#include <(unistd|fcntl|pthread|dirent|sys/|arpa/|netinet/|linux/|windows)' -r common --include=*.c --include=*.h |
	grep -vE 'common/(wire.h:.*linux/types.h|plat.h:)')"
check "platform conditionals" "$(grep -rnE '#if.*(_WIN32|__linux__)' common cli agent-linux --include=*.c --include=*.h | grep -v plat.h)"

# Kernels before 5.12 know one atomic instruction, add without an answer, and so does this tool.
check "instructions of old kernels" "$([ ! -e "$BUILD/outergate.bpf.o" ] || llvm-objdump -d "$BUILD/outergate.bpf.o" | grep -E '<unknown>|atomic_|cmpxchg|xchg_')"

check "function length" "$(awk 'FNR==1{s=0} /^\{/{s=FNR} /^\}/{if(s&&FNR-s>70)print FILENAME":"s": "FNR-s" lines"; s=0}' "${code[@]}")"
check "file length" "$(wc -l "${code[@]}" | awk '$2 != "total" && $1 > 700 {print $2": "$1" lines"}')"
check words "$(git grep -nE '\b(TODO|FIXME|XXX|HACK)\b' -- '*.c' '*.h' '*.sh' '*.py' Makefile README.md docs | grep -v '^tests/lint/')"
check "shell syntax" "$(git ls-files '*.sh' | while read -r f; do [ -e "$f" ] && bash -n "$f" 2>&1; done)"

echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
