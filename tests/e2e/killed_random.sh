#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# SIGKILL at random moments: what is recorded lies between what the program had
# done and what it had begun, which it keeps in a file.  KILLS=1000 in
# check-long.
. "$E2E/lib.sh"

# hazard: R9 Crash-consistency of the mapped store
# hazard: T4 Threads that end while the process does
seed=${SEED:-$RANDOM}
echo "SEED=$seed"
python3 "$E2E/storm.py" "${KILLS:-60}" "$B" "$seed" || fail 'nothing lost' "seed $seed"
