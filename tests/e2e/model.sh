#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Random calls of all of malloc's family in threads: contents, alignment, errno.
# MODEL_STEPS=10000000 makes it long (make check-long).
. "$E2E/lib.sh"

steps=${MODEL_STEPS:-1000000}

# whole WHAT STEPS [VAR=VALUE...]
whole()
{
	run_shim "${@:3}" "$T/model" "$2"
	equal '0 whole' "$(<shim.status) $(<shim.out)" "a model $1 (said: $(head -n 2 shim.err))"
	equal '' "$(<shim.err)" "stderr of a model $1"
	json
	expect 'heap["live_blocks"] < 100' "heap[\"allocations\"] > $2 / 3"
}
whole 'as it comes' "$steps"
whole 'that is sampled often' $((steps / 4)) PERFSHIM_SAMPLE=2K
whole 'of which all is sampled' $((steps / 10)) PERFSHIM_SAMPLE=all
whole 'without the pool' $((steps / 4)) PERFSHIM_POOL=off
whole 'that is hardened' $((steps / 40)) PERFSHIM_HARDEN=full
