#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# ^C on a terminal ends every mode with what there is, and status 130; progress
# says what is left.
. "$E2E/lib.sh"

# typed TEXT OPTIONS...: ^C is typed when TEXT has come; "": never.
typed()
{
	local text=$1
	shift
	NO_COLOR=1 python "$E2E/terminal.py" "$text" "$WRAP" --library "$LIB" "$@" >out 2>err
}

# The number of runs is known before, or found out.
typed 'run 3/50' --runs 50 --save saved.json sleep 0.05
equal 130 $? 'the status of --runs after ^C'
has "$(<out)" 'run 2/50  [0-9.]+ m?s left' 'the progress'
has "$(<out)" '[3-5] runs after 1 not counted' 'the report of --runs'
equal True "$(python -c 'import json; r = json.load(open("saved.json"))["results"][0]
print(3 <= len(r["times"]) <= 5 and len(r["times"]) == len(r["exit_codes"]))')" 'the file that was saved'
typed 'run 3/' --vs 'sleep 0.03' sleep 0.05
equal 130 $? 'the status of --vs after ^C'
has "$(<out)" 'B against A.*time +B is .*x faster than A.* [3-5] pairs' 'the report of --vs'
typed 'run 3/' --vs 'sleep 0.03' --fail-above 5% sleep 0.05
equal 130 $? 'the status of the gate after ^C'
has "$(<out)" 'inconclusive: stopped early' 'the verdict of the gate'
hasnt "$(<out)" 'no regression|REGRESSION' 'the verdict of the gate'
typed 'warm-up 0/' --runs 50 sleep 1
equal 130 $? 'the status after ^C in the warm-up'
has "$(<out)" 'no run was finished' 'the report after ^C in the warm-up'
hasnt "$(<out)" 'nan|inf ' 'the report after ^C in the warm-up'

typed '1 s  ' --load 2 --rate 50 --duration 60s --save load.json true
equal 130 $? 'the status of --load after ^C'
has "$(<out)" '1 s  [0-9]+/s  p50 [0-9.]+ [mu]s  p99 [0-9.]+ [mu]s  errors 0  late [0-9]+  2 workers  5[89] s left' \
	'the live line'
has "$(<out)" 'stopped early.*corrected .*service .*LATENCY BY PERCENTILE' 'the report of --load'
equal True "$(python -c 'import json; l = json.load(open("load.json"))["load"]; print(0 < l["done"] < 3000)')" \
	'the file that was saved'

# --quiet draws nothing, and neither does a run whose output is shown.
typed '' --runs 3 --quiet true
equal 0 $? 'the status with --quiet'
hasnt "$(<out)" ' left|run 1/3' 'a terminal with --quiet'
typed '' --runs 3 --show-output echo shown
hasnt "$(<out)" 'run 1/3' 'a terminal with --show-output'
