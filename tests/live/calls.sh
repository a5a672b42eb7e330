#!/bin/bash
# What system calls the unprivileged processes make while a command runs (the live tests, say),
# against agent-linux/sandbox_calls.def. To be run after a new library or a new way of using one:
#
#   tests/live/calls.sh env BUILD=build bash tests/live/run.sh
#   tests/live/calls.sh env BUILD=build bash tests/forward/run.sh
set -u
cd "$(dirname "$0")/../.." || exit 1
[ $# -gt 0 ] || { sed -n '2,6s/^# \{0,1\}//p' "$0"; exit 2; }
command -v bpftrace >/dev/null || apt-get install -y -q --no-install-recommends bpftrace >&2 || exit 3
mountpoint -q /sys/kernel/tracing || mount -t tracefs none /sys/kernel/tracing
engine=$(id -u outergate) || exit 3
forward=$(id -u outergate-forward) || exit 3
seen=$(mktemp)
trap 'rm -f "$seen"' EXIT
bpftrace -e "tracepoint:raw_syscalls:sys_enter /uid == $engine || uid == $forward/ {
	@[uid, args->id] = count(); }" >"$seen" 2>/dev/null &
tracer=$!
sleep 3
"$@"
kill -INT $tracer
wait $tracer
python3 - "$seen" "$engine" "$forward" <<'P'
import re, subprocess, sys
out = subprocess.run(["gcc", "-E", "-dM", "-include", "sys/syscall.h", "-x", "c", "/dev/null"],
                     capture_output=True, text=True, check=True).stdout
names = {int(n): name for name, n in re.findall(r"#define __NR_(\w+) (\d+)\n", out)}
listed = re.findall(r"^CALL\((\w+), (\w)\)", open("agent-linux/sandbox_calls.def").read(), re.M)
# by their arguments (sandbox_filter.c), and what comes before the filter
other = {"mmap", "mprotect", "socket", "clone", "prlimit64", "prctl", "fcntl", "ioctl", "tgkill", "seccomp", "capset", "execveat",
         "arch_prctl", "landlock_create_ruleset", "landlock_add_rule", "landlock_restrict_self"}
for role, uid in ("E", sys.argv[2]), ("F", sys.argv[3]):
    allowed = {name for name, who in listed if who in (role, "B")}
    used = {names.get(int(call), call) for u, call in
            re.findall(r"@\[(\d+), (\d+)\]:", open(sys.argv[1]).read()) if u == uid}
    print({"E": "engine", "F": "forwarders"}[role])
    print("  used and refused:  ", " ".join(sorted(used - allowed - other)) or "none")
    print("  allowed, not used: ", " ".join(sorted(allowed - used)) or "none")
P
