#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# the machine alone: measured once, kept for this boot, believed only when whole.
. "$E2E/lib.sh"

export XDG_CACHE_HOME=$PWD/cache
cache=cache/perfshim/calibration

run first "$B/perfreport" --machine
equal 0 "$(<first.status)" "the status ($(<first.err))"
for words in 'measured now' 'L1 +█' 'L2 +█' 'memory +█' 'latency of memory [0-9]' \
	'peak [0-9.]+ GFLOP/s' 'matrix multiply [0-9.]+ GFLOP/s \([0-9]+% of peak\)' \
	'clock (tsc|monotonic)' 'FLOPs a byte' 'reading [0-9.]+ ns' 'step [0-9.]+ ns' \
	'marker pair [0-9.]+ ns, of which [0-9.]+ ns lie inside'; do
	has "$(<first.out)" "$words" 'the calibration'
done
[[ $(<first.out) != *'clock tsc'* ]] || has "$(<first.out)" 'clock tsc [0-9.]+ GHz ±[0-9.]+ ppm' 'the rate'
equal 600 "$(stat -c %a "$cache")" 'the mode of the cache'

# The same figures, from the cache; through the wrapper too.
run second "$WRAP" --library "$LIB" --machine
has "$(<second.out)" 'measured earlier this boot' 'the second time'
equal "$(tail -n +2 first.out)" "$(tail -n +2 second.out)" 'the figures of the second time'

# A damaged cache is measured over, not believed.
printf 'x' | dd of="$cache" bs=1 seek=200 conv=notrunc 2>dd.err
run third "$B/perfreport" --machine
has "$(<third.out)" 'measured now' 'after damage'

# The instruction set can be chosen, and is part of what is kept.
run sse2 env PERFSHIM_SIMD=sse2 "$B/perfreport" --machine
has "$(<sse2.out)" 'sse2, one core' 'with PERFSHIM_SIMD=sse2'
has "$(<sse2.out)" 'measured now' 'with another set'
run odd env PERFSHIM_SIMD=mmx "$B/perfreport" --machine
hasnt "$(<odd.out)" 'mmx' 'a set that there is not'

# A run of some length is compared with what was measured before it.
run_shim PERFSHIM_SAMPLE=off sh -c 'i=0; while [ $i -lt 300000 ]; do i=$((i + 1)); done'
json
expect 'r["calibration"]["drift_fraction"] is not None' \
	'r["calibration"]["core_drift_fraction"] is not None' \
	'r["calibration"]["fma_flops"] > 0' 'r["calibration"]["core_hz"] > 1e8'
"$B/perfreport" "$(recording)" >report || fail 'the report' "$(<report)"
has "$(<report)" 'since: vector add [0-9.]+% (slower|faster)' 'the report'
