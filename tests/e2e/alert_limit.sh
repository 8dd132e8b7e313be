#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# a process that leaks into its memory limit until it dies leaves an alert, the
# heap as it was then, with the leak on top, and a report.
. "$E2E/lib.sh"

ulimit -c 0
rules='heap > 50% of limit; critical: heap > 80% of limit; failed allocations > 0'

# check WHAT LEAST MOST: the alert at 80 %, and how many bytes the heap had then.
check()
{
	json
	expect 'heap["live_bytes"] > 10 << 20'
	python - report.json "$@" <<'END' || exit 1
import json, sys
r = json.load(open(sys.argv[1]))
what, least, most = sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
alerts = [a for a in r["alerts"] if a["rule"] == "critical: heap > 80% of limit"]
assert len(alerts) == 1, (what, r["alerts"])
a = alerts[0]
assert least <= a["heap_bytes"] <= most, (what, a["heap_bytes"])
assert a["value"] > a["threshold"] > 0.7 * a["value"], (what, a["value"], a["threshold"])
assert "forget (leak)" in a["sites"][0]["stack"], (what, a["sites"][0])
# An estimate of 160 samples. The compiler may have made two calls of the one.
leak = sum(s["live_bytes"] for s in a["sites"] if "forget (leak)" in s["stack"])
assert 0.6 * a["heap_bytes"] < leak < 1.6 * a["heap_bytes"], (what, leak, a["heap_bytes"])
assert a["stack"] is None or any("main (leak)" in f for f in a["stack"]), (what, a["stack"])
# It came before the end.
assert a["heap_bytes"] < r["heap"]["peak_bytes"], (what, a["heap_bytes"], r["heap"]["peak_bytes"])
END
	report
	report_has ALERTS 'critical: heap > 80% of limit' 'THE HEAP AT THE LAST ALERT' forget
}

# RLIMIT_AS: malloc says no, and the program aborts.
for kind in small large; do
	rm -rf rec
	sample=auto
	if [ "$kind" = large ]; then sample=all; fi
	(ulimit -v 600000 && run_shim PERFSHIM_SAMPLE=$sample PERFSHIM_ALERT="$rules" PERFSHIM_ALERT_TO=none "$T/leak" "$kind")
	equal 134 "$(<shim.status)" "the status of a program that ran out of address space ($kind)"
	check "RLIMIT_AS, $kind" $((100 << 20)) $((600 << 20))
	expect 'len([a for a in r["alerts"] if a["rule"] == "failed allocations > 0"]) == 1'
done

# Nothing is said, and nothing kept, when there is no rule.
rm -rf rec
(ulimit -v 600000 && run_shim "$T/leak" small)
json
expect 'r["alerts"] == []'
"$B/perfreport" --metrics - rec >metrics
has "$(<metrics)" 'perfshim_watch_steps_total\{[^}]*\} 0'$'\n' 'the metrics without rules'

# A cgroup: the kernel kills, and says nothing to the process.
group=/sys/fs/cgroup/memory limit=memory.limit_in_bytes
[ -e "$group/$limit" ] || group=/sys/fs/cgroup limit=memory.max
if ! mkdir "$group/perfshim.$$" 2>/dev/null ||
	! echo $((100 << 20)) 2>/dev/null >"$group/perfshim.$$/$limit"; then
	skip 'the rest: no memory cgroup may be made here'
fi
trap 'sleep 0.2; rmdir "$group/perfshim.$$"' EXIT
rm -rf rec
(echo "$BASHPID" >"$group/perfshim.$$/cgroup.procs" && run_shim PERFSHIM_ALERT="$rules" PERFSHIM_ALERT_TO=none "$T/leak" small)
equal 137 "$(<shim.status)" 'the status of a program that the kernel killed for its memory'
check cgroup $((60 << 20)) $((100 << 20))
