#!/bin/bash
# Renders every golden case's alerts, sessions and events, and those of the recorded logs of OUTERGATE_DATA,
# in each schema (`outergate replay --schema`)
# and holds each line against the published schema:
#   ecs    Elastic's generated list of fields: its npm package (fetch.sh), else OUTERGATE_DATA's copy
#   ocsf   the framework's sources in OUTERGATE_OCSF or OUTERGATE_DATA/schema/ocsf; it has no package
#   cef    the format's own rules, in cef.py
# and proves that the checks can fail. What cannot be had is skipped, and said. The files of
# deploy/collector are read, too: they parse, and every field that they name is one that is sent.
cd "$(dirname "$0")/../.." || exit 1
export PYTHONDONTWRITEBYTECODE=1
exec python3 tests/schema/run.py "${BUILD:-build}"
