#!/bin/sh
# The message table of the Event Log: one message a detection, its number is the event's id. Writes
# messages.mc and what windmc makes of it (messages.rc) into the directory.
#
#   OUTERGATE=build/outergate messages.sh DIRECTORY
set -eu
{
	echo 'MessageIdTypedef=DWORD'
	echo 'LanguageNames=(English=0x409:MSG00409)'
	echo
	# A test alert, and what the agent says of itself.
	printf 'MessageId=1\nSymbolicName=OUTERGATE_SAYS\nLanguage=English\n%%1\n.\n\n'
	"$OUTERGATE" detections --format json | python3 -c '
import json, sys
rows = [json.loads(line) for line in sys.stdin if line.strip()]
rows = rows[0] if len(rows) == 1 and isinstance(rows[0], list) else rows
for d in sorted(rows, key=lambda d: d["number"]):
    name = d["id"].upper().replace(".", "_")
    print("MessageId=%d\nSymbolicName=OUTERGATE_%s\nLanguage=English\n%%1\n.\n" % (d["number"], name))
'
} > "$1/messages.mc"
cd "$1"
x86_64-w64-mingw32-windmc -h . -r . messages.mc
