#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# An alert on a section tells the stack and the thread of a call that was slow,
# not of whoever noticed, however the section is marked.
. "$E2E/lib.sh"

for kind in scope name span; do
	rm -rf rec
	run_shim PERFSHIM_ALERT='section(request).max > 250ms; section(request).p99 > 900ms; section(request).calls > 100/s over 1s' \
		PERFSHIM_ALERT_TO=none "$T/slowcall" "$kind"
	equal 0 "$(<shim.status)" "the status of $kind"
	json
	python - report.json "$(<shim.out)" "$(<shim.pid)" <<'END' || fail 'the stack of the slow call' "$kind"
import json, sys
r = json.load(open(sys.argv[1]))
slow, quick = int(sys.argv[2]), int(sys.argv[3])
alerts = {a["rule"]: a for a in r["alerts"]}
longest = alerts["section(request).max > 250ms"]
assert longest["thread"] == slow != quick, longest
assert longest["section"] == "request" and longest["value"] > 0.25, longest
stack = [frame.split(" ")[0] for frame in longest["stack"]]
assert "request" in stack and "stall" in stack and "hurry" not in stack, stack
# A rule that did not come true has none; one on the number of calls has one of any.
assert "section(request).p99 > 900ms" not in alerts, alerts
often = alerts["section(request).calls > 100/s over 1s"]
assert any(f.startswith("request ") for f in often["stack"]), often
END
	report
	report_has "section\(request\)\.max > 250ms.*a call by thread $(<shim.out).*request .*stall"
	hasnt "$text" 'perfshim_scope_end_' 'the report'
done

# Without stacks there is an alert all the same.
rm -rf rec
run_shim PERFSHIM_SAMPLE=off PERFSHIM_ALERT='section(request).max > 250ms' PERFSHIM_ALERT_TO=none "$T/slowcall" scope
json
expect 'len(r["alerts"]) == 1' 'r["alerts"][0]["section"] == "request"'
