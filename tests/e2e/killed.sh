#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# SIGKILL, abort, SIGTERM, a fault: the recording tells what was until then.
. "$E2E/lib.sh"

declare -A expected=([kill]=137 [term]=143 [abort]=134 [segv]=139)
ulimit -c 0
for how in kill term abort segv; do
	run_both PERFSHIM_SAMPLE=64K "$T/die" "$how"
	equal "${expected[$how]}" "$(<shim.status)" "the status of a program ended by $how"
	json
	expect 'heap["allocations"] >= 5000' 'heap["live_bytes"] >= 5000000'
	report
	report_has last_will
done

# With the wrapper, how it ended is known too.
"$WRAP" --library "$LIB" --json wrap.json -- "$T/die" kill >wrap.out 2>wrap.err
equal 137 $? 'the status of perfwrap.sh after SIGKILL'
has "$(<wrap.err)" 'signal 9|SIGKILL|Killed|killed' 'the report'
mv wrap.json report.json
expect 'process["exit"]["code"] == 9' 'heap["allocations"] >= 5000'
