#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# roofline: declared work against the machine's ceiling, and a disturbed machine named.
. "$E2E/lib.sh"

export XDG_CACHE_HOME=$PWD/cache
"$B/perfreport" --calibrate quick || fail 'perfreport --calibrate to work'

run_both "$T/roofline"
json
report
# In the report's own figures: the time at best over the time taken.
python - "$text" <<'END' || exit 1
import json, re, sys
r = json.load(open("report.json"))
c = r["calibration"]
for name, bound, per_byte in (("adds", "memory", "0.08"), ("multiplies", "computing", "64")):
    s = [s for s in r["sections"] if s["name"] == name][0]
    at_best = max(s["work"]["bytes"] / c["vector_add_bytes_per_s"]["dram"],
                  s["work"]["flops"] / c["fma_flops"])
    share = 100 * at_best / s["total_s"]
    line = re.search(r"%s +6 .*?roofline: ([0-9.]+)%% of the ceiling, bound by %s \(%s FLOPs a byte\)"
                     % (name, bound, per_byte), sys.argv[1], re.S)
    assert line, (name, sys.argv[1])
    assert abs(float(line[1]) - share) <= 0.51, (name, line[0], share)
    assert s["calls"] == 6 and 0 < share < 1000, (name, share)
END

# Twice as many neighbours as CPUs: the report names them, and the timings are marked.
[ -r /proc/pressure/cpu ] && grep -q some /proc/pressure/cpu || exit 0
run_shim PERFSHIM_CHILDREN=off "$T/roofline" neighbours
equal 0 "$(<shim.status)" 'the status with neighbours'
json
expect 'r["calibration"]["waiting_fraction"] > 0.1' \
	'r["process"]["wall_s"] < 0.3 or r["calibration"]["memory_drift_fraction"] > -0.9'
report
report_has 'SECTIONS +the machine was disturbed: see MACHINE' \
	'! tasks waited for a CPU for [0-9]+% of the run: times include that'
