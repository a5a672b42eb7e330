#!/bin/bash
# The noise budget, on generated logs that `outergate replay` reads (life.py has the generators):
#   day_of_noise      10,000 failed guesses of 1,000 sources and 20 ordinary logins: nothing of medium
#                     or above, at most two lines of digest
#   month_of_life     people, jobs, rollouts, phones, cafes, journeys, new keys, a VPN's address (listed
#                     as `outergate setup` proposes it), clocks that change; with databases of places:
#                     at most one of medium or above a week
#   attacks_are_told  each attack hidden in a day of that: told once, as what it is
# OUTERGATE_NOISE_SEEDS=N tries more of each (default 2).
cd "$(dirname "$0")/../.." || exit 1
exec python3 tests/noise/run.py "${BUILD:-build}"
