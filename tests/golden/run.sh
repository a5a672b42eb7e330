#!/bin/bash
# Replays every case and compares its alerts. A case is tests/golden/<detection id>/<case>/:
#   input.log        what is replayed (text or journal JSON); or
#   input.events     kernel records in words (records.py); with input.log the text comes first; or
#   data             the name of a file of recorded data (OUTERGATE_DATA)
#   expected.jsonl   every alert that must come out, as the fields that must be as given; an alert
#                    beyond these fails the case. "//" starts a comment. "//= HASH" is the hash of
#                    all that the alerts say of this input, the same on every machine; "--seal WORD..."
#                    writes it for cases that pass, after their output was read
#   args             options of the replay, if any
#   config.yaml      its configuration, if any
#   geo              names of descriptions in tests/golden/geo: databases made for the case (geodb.py)
cd "$(dirname "$0")/../.." || exit 1
exec python3 tests/golden/run.py "${BUILD:-build}" "$@"
