#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# perfwrap.sh --runs: how often it runs what, what it says, and what it saves.
. "$E2E/lib.sh"

bench()
{
	"$WRAP" --library "$LIB" "$@" >out 2>err
}
# query EXPRESSION: Python over the saved file; r is the first result.
query()
{
	python - "$1" <<'END'
import json, sys
f = json.load(open("saved.json")); r = f["results"][0]
s = {n: v["values"] for n, v in r["series"].items()}
print(eval(sys.argv[1]))
END
}

# Runs and warm-up, each after --prepare; its output goes nowhere, its input is a file.
echo 'a line' >input
cat >counts.sh <<'END'
echo run >>ran
cat >>ran
echo to stdout; echo to stderr >&2
END
bench --runs 4 --warmup 2 --prepare 'echo prepare >>ran' --input input -- bash counts.sh
equal 0 $? 'the status of --runs'
equal "$(for ((i = 0; i < 6; i++)); do printf 'prepare\nrun\na line\n'; done)" "$(<ran)" 'what was run'
has "$(<out)" '4 runs after 2 not counted, under perfshim' 'the report'
hasnt "$(<out)$(<err)" 'to std' 'the report'
equal '' "$(<err)" 'stderr, which is no terminal'
bench --runs 1 --warmup 0 --show-output --input input -- bash counts.sh
has "$(<out)" 'to stdout' 'the output with --show-output'
hasnt "$(<out)" 'nan|inf ' 'the report of one run'

# Allocations and peak are exact, and so they are in every run.
bench --runs 5 --save saved.json -- "$T/exact"
equal 0 $? 'the status of --save'
for word in 'mean ± sd' '95 % CI' median 'time ' 'user ' 'system ' 'peak RSS' 'peak heap' 'allocs' \
	'each run   [▁▂▃▄▅▆▇█]{5}' 'machine  ' 'vector add L1' 'drift: vector add'; do
	has "$(<out)" "$word" 'the report'
done
while read -r line; do
	[ "${#line}" -le 96 ] || fail 'lines of 80 columns' "$line"
done < <(LC_ALL=C.UTF-8 cat out)
equal '[1525.0, 1525.0, 1525.0, 1525.0, 1525.0]' "$(query 's["allocations"]')" 'allocations of exact'
equal True "$(query 'len(set(s["peak-heap"])) == 1 and s["peak-heap"][0] > 300000')" 'one peak in every run'
equal True "$(query 'r["mean"] == sum(r["times"]) / 5 or abs(r["mean"] * 5 / sum(r["times"]) - 1) < 1e-6')" 'the mean'
equal True "$(query 'r["min"] <= r["median"] <= r["max"] and r["stddev"] >= 0')" 'the order of the figures'
equal '[0, 0, 0, 0, 0]' "$(query 'r["exit_codes"]')" 'exit codes'
equal True "$(query 'all(isinstance(m, int) and m > 500000 for m in r["memory_usage_byte"])')" 'memory in bytes'
equal perfshim-bench/1 "$(query 'f["perfshim"]["schema"]')" 'the schema'
equal True "$(query 'f["perfshim"]["calibration"]["vector_add_l1_bytes_per_s"] > 1e9')" 'the calibration'
equal 5 "$(query 'len(f["perfshim"]["reference_times"])')" 'reference runs'
# The drift that is printed is that of the reference runs that were saved: of few the last by the first.
has "$(<out)" "drift: .*reference workload \\$(query '"%+.1f" % (100 * (f["perfshim"]["reference_times"][-1] / f["perfshim"]["reference_times"][0] - 1))') %" \
	'the drift of the machine'

# A small command after a large one has its own peak.
bench --runs 2 --no-shim --save saved.json --vs "$T/slower 1 1" -- "$T/slower" 1 50000
equal 0 $? 'the status of a large command and a small one'
equal True "$(query 'r["memory_usage_byte"][0] > 5e7 and f["results"][1]["memory_usage_byte"][0] < 1e7')" \
	'peak memory of each command'
equal False "$(query '"peak-heap" in s')" 'a heap figure without the shim'

# Sections, each run: the work is 2 ms and more, once.
bench --runs 4 --save saved.json -- "$T/slower" 2000
has "$(<out)" 'sections, in all of a run' 'the report'
equal True "$(query 'len(s["section:work"]) == 4 and all(5e-4 < t < 1 for t in s["section:work"])')" 'the section'

# Sections of any name: one that reads like another's allocations, and one that differs in its 100th byte.
long=$(printf '%0100d' 0)
bench --runs 2 --warmup 0 --save saved.json -- "$T/marks" x x:allocations x:allocations:time :allocations '' "$long" "$long"1 $'line\nfeed \xff'
equal 0 $? "the status with odd names of sections ($(<err))"
equal '[1.0, 2.0, 3.0, 4.0, 6.0, 7.0, 8.0]' "$(query "[s['section:%s:allocations' % n][0] for n in ('x', 'x:allocations', 'x:allocations:time', \
	':allocations', '$long', '${long}1', r'line\x0afeed \xff')]")" 'allocations of each'
equal '1 s s s s' "$(query "' '.join(r['series']['section:' + n]['unit'] for n in ('x:allocations', 'x:allocations:time', \
	'x:allocations:time:time', '$long', r'line\x0afeed \xff'))")" 'units of each'

# Of more sections than have series, those that have one have it in every run.
mapfile -t many < <(seq 150)
bench --runs 6 --warmup 0 --save saved.json -- "$T/marks" "${many[@]}"
equal 64 "$(query 'len([n for n in s if n.startswith("section:") and n.endswith(":allocations")])')" 'sections with a series'
equal '[]' "$(query '[n for n, v in s.items() if n.endswith(":allocations") and len(set(v)) > 1]')" 'series that differ between runs'

# A command whose first word sets a variable needs the shell, with a blank before it, too.
bench --runs 1 --no-shim --vs ' A=1 true' true
equal 0 $? "the status of --vs ' A=1 true' ($(<err))"
has "$(<out)" 'through sh' 'the report'
# One that is no UTF-8 is saved all the same, and found again as a baseline.
bench --runs 2 --no-shim --save saved.json -- sh -c $': \xff'
equal "sh -c ': \\xff'" "$(query 'r["command"]')" 'a command that is no UTF-8'
bench --runs 2 --max-runs 2 --no-shim --baseline saved.json -- sh -c $': \xff'
equal '' "$(<err)" 'stderr of the same again'
# Nothing is written through what others have put in the way.
echo kept >victim
# shellcheck disable=SC2016
bash -c 'ln -s victim linked.json.$$ && exec "$0" --no-shim --runs 1 --save linked.json true' "$B/perfbench" >out 2>err
equal '0 kept' "$? $(<victim)" "the file behind a link in the way of --save ($(<err))"
[ -s linked.json ] || fail 'results in linked.json'

# Of several processes allocations add up.
bench --runs 2 --save saved.json -- "$T/family"
equal True "$(query 's["allocations"][0] > 4')" 'allocations of a family'

# A run that fails.
bench --runs 3 -- "$T/slower" 1 1 7
equal 1 $? 'the status when the command fails'
has "$(<err)" 'run 1 ended with status 7' 'stderr when the command fails'
equal '' "$(<out)" 'no report of a command that fails'
bench --runs 3 --ignore-failure -- "$T/slower" 1 1 7
equal 0 $? 'the status with --ignore-failure'
has "$(<out)" '3 of 3 runs failed' 'the report with --ignore-failure'
bench --runs 2 nosuchcommand
equal 1 $? 'the status when there is no such command'
bench --runs 2 --prepare 'exit 3' true
equal 1 $? 'the status when --prepare fails'
has "$(<err)" 'prepare failed.*status 3' 'stderr when --prepare fails'

# Bad values are named with what is allowed.
bad()
{
	local wanted=$1
	shift
	bench "$@"
	equal 2 $? "the status of $*"
	has "$(<err)" "$wanted" "stderr of $*"
	equal 1 "$(wc -l <err)" "lines on stderr of $*"
}
bad '--runs 0: expected a whole number from 1 to' --runs 0 true
bad '--runs 1.5: expected' --runs 1.5 true
bad '--runs needs a value' --runs
bad 'no command' --runs 3
bad '--fail-above 5: expected a percentage' --vs true --fail-above 5 true
bad '--fail-above needs --baseline or --vs' --runs 3 --fail-above 5% true
bad '--metric speed: allowed are time, cpu' --vs true --metric speed true
bad '--metric peak-heap: not known with --no-shim' --vs true --no-shim --metric peak-heap true
bad '--rate needs --load' --runs 3 --rate 5 true
bad '--duration soon: expected a time such as' --load 2 --duration soon true
bad '--load goes with none of' --load 2 --runs 3 true
bad '--vs and --baseline' --vs true --baseline x true
bad '--sample often: expected' --runs 2 --sample often true
bad '--sample 0: expected' --runs 2 --sample 0 true
bad '--nosuch' --runs 2 --nosuch true
# Before the first run, which may be one of many.
for option in save html hgrm; do
	mode=(--runs 2)
	[ "$option" != hgrm ] || mode=(--load 2)
	bad "--$option /nonexistent/file: No such file" "${mode[@]}" "--$option" /nonexistent/file touch began
done
bad "--save $PWD: Is a directory" --runs 2 --save "$PWD" touch began
[ ! -e began ] || fail 'no run with a file that cannot be written'

base=/tmp
equal '' "$(find "$base" /dev/shm -maxdepth 1 -name 'perfbench.*' -user "$(id -un)" -mmin +3 2>/dev/null)" \
	'directories left behind'
