# exposure: usage, and what is said where nobody may look. What it tells is in tests/live/test_q_exposure.py.
expect "exposure: no such format" 2 "" "see outergate exposure --help" exposure --format xml
expect "exposure: no such option" 2 "" "see outergate exposure --help" exposure --nonsense
expect "exposure: an option without its value" 2 "" "see outergate exposure --help" exposure --store
expect "exposure: no configuration" 1 "" "/nowhere/x" exposure --config /nowhere/x
expect "exposure: help" 0 "firewalls are not judged" "" exposure --help
