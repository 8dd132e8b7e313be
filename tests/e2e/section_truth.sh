#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# section_truth: what sections say is what happened, also when their ends do not match.
. "$E2E/lib.sh"

# told MODE [VAR=VALUE...]: the program's run of that mode, as JSON.
told()
{
	run_shim "${@:2}" "$T/truth" "$1"
	equal 0 "$(<shim.status)" "the status of truth $1"
	json
}

# Within 2 % and 50 ns; the median, because the machine has other things to do,
# and what it did to the one call of a second it did to the mean of all.
told spins
expect '1e-6 <= section("spin_1us")["min_s"] < 1e-6 * 1.02 + 50e-9' \
	'1e-6 <= section("spin_1us")["p50_s"] < 1e-6 * 1.02 + 50e-9' \
	'1e-3 * 0.999 <= section("spin_1ms")["min_s"] < 1e-3 * 1.02 + 50e-9' \
	'section("spin_1s")["min_s"] >= 1 * 0.999' 'section("spin_1s")["total_s"] < 1.02' \
	'section("spin_1us")["calls"] == 20000' 'section("spin_1s")["calls"] == 1'

# Marks inside are taken off; where they are most of it, the report says so.  What
# they cost is measured at the end, so a busy machine gets several chances.
for _ in 1 2 3 4 5; do
	told marks
	[ "$(value 'section("thin")["self_s"] < min(0.5 * section("thin")["total_s"], 0.005)')" = True ] && break
done
expect 'not section("thick")["is_self_doubtful"]' 'section("thick")["self_s"] >= 0.020' \
	'section("thick")["self_s"] <= section("thick")["total_s"]'
# On a machine so busy that a pair takes twice its time, the rest is no marks' cost.
if [ "$(value 'section("thin")["total_s"] < 200000 * 40e-9')" = True ]; then
	expect 'section("thin")["is_self_doubtful"]' \
		'section("thin")["self_s"] < 0.5 * section("thin")["total_s"]'
	report
	report_has 'thin +1 +[^ ]+ +[^ ]+\?' 'self time: more than a fifth'
fi

# Waiting is no CPU time; heap growth, bytes and items are the section's.
told waits PERFSHIM_CALIBRATE=quick
expect '0.09 <= section("sleeps")["total_s"]' 'section("sleeps")["cpu_s"] < 0.02' \
	'section("sleeps")["waits"] >= 3' \
	'0.09 * 0.98 <= section("computes")["cpu_s"] < 0.12' \
	'section("computes")["cpu_s"] <= section("computes")["total_s"] * 1.001' \
	'section("keeps")["live_growth_bytes"] >= 100000' \
	'section("keeps")["live_growth_bytes"] < 120000' \
	'section("copies")["live_growth_bytes"] == 0' \
	'section("copies")["work"] == {"bytes": 200 << 20, "items": 100, "flops": 12345}' \
	'section("copies")["minor_faults"] >= 200'
report
report_has '100 items at [0-9.]+ k?/s' 'B at [0-9.]+ GB/s, [0-9]+% of memory.s'

# Percentiles, the slowest and the deviation against each call, kept one by one.
told random PERFSHIM_EVENTS=32768
"$B/perfreport" --trace -o trace.json "$(recording)" || fail 'perfreport --trace to work'
python - <<'END' || exit 1
import json, math, sys
calls = sorted(e["dur"] * 1e-6 for e in json.load(open("trace.json"))["traceEvents"]
               if e["ph"] == "X" and e["name"] == "random")
s = [s for s in json.load(open("report.json"))["sections"] if s["name"] == "random"][0]
n = len(calls)
assert n == s["calls"] == 20000, (n, s["calls"])
for q, name in ((0.5, "p50_s"), (0.9, "p90_s"), (0.99, "p99_s")):
    exact = calls[math.ceil(q * n) - 1]
    assert abs(s[name] - exact) <= exact / 64 + 1e-9, (name, s[name], exact)
mean = sum(calls) / n
deviation = math.sqrt(sum((c - mean) ** 2 for c in calls) / n)
for name, exact in (("mean_s", mean), ("stddev_s", deviation), ("min_s", calls[0]),
                    ("max_s", calls[-1]), ("total_s", sum(calls))):
    assert abs(s[name] - exact) <= exact * 1e-3 + 1e-9, (name, s[name], exact)
assert len(s["slowest"]) == 8
for told, exact in zip(s["slowest"], reversed(calls)):
    assert abs(told["seconds"] - exact) <= 2e-9, (told, exact)
END

# Left by longjmp: three regions a time are closed as unbalanced, with their time.
told longjmp
expect 'section("around")["calls"] == 10' 'section("after")["calls"] == 10' \
	'section("jumped_out_of")["calls"] == 30'
report
report_has '30 section ends without their begin'

# Cancelled: a C program's cleanups do not run, and the thread's end counts it.
told cancel
expect 'section("after")["calls"] == 1' 'all(s["name"] != "cancelled" for s in sections)'
report
report_has '5 section ends without their begin'

told unbalanced
expect 'section("a")["calls"] == 1' 'section("b")["calls"] == 1' \
	'section("after")["calls"] == 1' 'section("deep")["calls"] == 128'
report
report_has '3 section ends without their begin' '172 rows that found no room'

# Both go on in the region that was open.
told fork
expect 'section("around")["calls"] == 1' 'section("both")["calls"] == 1'
for child in rec/truth.*; do
	"$B/perfreport" --json -o child.json "$child" || fail "perfreport to read $child"
	python - <<'END' && found=1
import json, sys
r = json.load(open("child.json"))
names = {s["name"]: s["calls"] for s in r["sections"]}
sys.exit(0 if r["process"]["ppid"] == int(open("shim.pid").read()) and
         names == {"around": 1, "both": 1} else 1)
END
done
[ "${found-0}" -eq 1 ] || fail 'a recording of the child, with both sections' "$(ls rec)"
