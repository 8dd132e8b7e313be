#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# perfwrap.sh --load: a pause that a closed loop hides and an open one shows,
# limits, files, a command as load.
. "$E2E/lib.sh"

load()
{
	"$WRAP" --library "$LIB" "$@" >out 2>err
}
# at PERCENTILE: the value in ms from the .hgrm file.
at()
{
	awk -v q="$1" 'NR > 2 && $2 >= q { print $1; exit }' pause.hgrm
}
start_server()
{
	rm -f port
	"$T/server" port "$@" &
	server=$!
	trap 'kill -KILL $server 2>/dev/null' EXIT
	for ((i = 0; i < 100; i++)); do [ -s port ] && break; sleep 0.02; done
	ASK_PORT=$(<port) && export ASK_PORT
}
# with_pause OPTIONS...: for 3 s, the second one of which the server is stopped.
with_pause()
{
	(sleep 1 && kill -STOP "$server" && sleep 1 && kill -CONT "$server") &
	load --load 4 --duration 3s --hgrm pause.hgrm "$@" --scenario "$T/libask.so"
}

start_server
with_pause
equal 0 $? 'the status of a closed loop'
has "$(<out)" '4 workers, closed loop' 'the report'
[ "$(printf '%.0f' "$(at 0.98)")" -lt 100 ] || fail 'a 98th percentile that hides the pause' "$(at 0.98)"
[ "$(printf '%.0f' "$(at 1)")" -gt 800 ] || fail 'a maximum of the pause' "$(at 1)"

with_pause --rate 300 --max-p99 100ms --save load.json
equal 3 $? 'the status when --max-p99 is broken'
has "$(<out)" 'LIMIT BROKEN  p99 is .*--max-p99 100 ms' 'the report'
has "$(tr '\n' ' ' <out)" 'of 300/s +errors 0 +late [0-9]+' 'the counts'
has "$(<out)" 'corrected .*service ' 'both latencies'
has "$(<out)" 'LATENCY BY PERCENTILE' 'the plot'
has "$(<out)" 'machine .*vector add' 'the machine'
# A third of the steps fell due in the pause; the last tenth waited 0.7 s and more.
[ "$(printf '%.0f' "$(at 0.9)")" -gt 500 ] || fail 'a 90th percentile that shows the pause' "$(at 0.9)"
[ "$(printf '%.0f' "$(at 0.7)")" -gt 20 ] || fail 'a 70th percentile that shows the pause' "$(at 0.7)"
python - <<'END' || exit 1
import json
f = json.load(open("load.json")); l = f["load"]
assert f["perfshim"]["schema"] == "perfshim-bench/1" and f["perfshim"]["calibration"]["vector_add_l1_bytes_per_s"] > 1e9
assert l["due"] == 900 == l["done"] + l["dropped"] and l["workers"] == 4 and l["rate"] == 300, l
assert l["corrected"]["p90"] > 0.5 > l["service"]["p90"] and l["corrected"]["max"] > 0.8, l
assert 2 <= len(l["seconds"]) <= 4 and sum(s["done"] for s in l["seconds"]) <= 900, l["seconds"]
# The pause in the series: a second with nothing done, or with what had waited.
assert any(s["done"] == 0 or s["max"] > 0.5 for s in l["seconds"]), l["seconds"]
END
equal '       Value     Percentile TotalCount 1/(1-Percentile)' "$(head -n 1 pause.hgrm)" 'the head of .hgrm'
has "$(tail -n 3 pause.hgrm | tr '\n' ' ')" '#\[Mean .*#\[Max .*Total count +=  +[0-9]+\] #\[Buckets' 'its end'
while read -r line; do
	[ "${#line}" -le 80 ] || fail 'lines of 80 columns' "$line"
done <out
kill "$server"

start_server 5
load --load 2 --duration 300ms --max-errors 1% --scenario "$T/libask.so"
equal 3 $? 'the status when --max-errors is broken'
has "$(<out)" 'LIMIT BROKEN  errors are 5\.[0-9]+ %, --max-errors 1\.00%' 'the report'
load --load 2 --duration 300ms --max-errors 10% --max-p99 1s --scenario "$T/libask.so"
equal 0 $? 'the status when the limits hold'
# A ramp of the whole second: half of the steps.
load --load 2 --duration 1s --ramp-up 1s --rate 400 --scenario "$T/libask.so"
has "$(<out)" 'done (19[0-9]|20[0-9]) in' 'steps with a ramp-up'

# Ended early by a signal: what there was.
"$WRAP" --library "$LIB" --load 2 --duration 60s --rate 100 --scenario "$T/libask.so" >out 2>err &
sleep 1
kill -TERM $!
wait $!
equal 143 $? 'the status after SIGTERM'
has "$(<out)" 'stopped early' 'the report after SIGTERM'
kill "$server"
load --load 2 --duration 300ms --scenario "$T/libask.so"
equal 1 $? 'the status when the set-up fails'
has "$(<err)" 'Connection refused' 'stderr when the set-up fails'

# A command as load.
load --load 2 --duration 500ms --rate 40 -- true
equal 0 $? 'the status of a command as load'
has "$(<out)" 'done (19|20|21) in .*errors 0 ' 'the counts of a command'
load --load 2 --duration 200ms -- false
equal 1 $? 'the status when every step fails'
load --load 2 --duration 200ms --scenario "$T/libplugin.so"
equal 2 $? 'the status of a file without a scenario'
load --load 2 --duration 200ms --scenario nosuch.so
equal 2 $? 'the status without the file'
