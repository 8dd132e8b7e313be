#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# perfwrap.sh --baseline: its five statuses, and baselines that are none.
. "$E2E/lib.sh"

bench()
{
	"$WRAP" --library "$LIB" "$@" >out 2>err
}
# gate STATUS WHAT OPTIONS...
gate()
{
	local wanted=$1 what=$2
	shift 2
	bench "$@"
	equal "$wanted" $? "the status of $what ($(tail -n 8 out) $(<err))"
}

gate 0 'saving' --runs 20 --save base.json -- "$T/slower" 3000 100
mkfifo pipe && { timeout 60 cat pipe >piped.json & }
gate 0 'saving to a pipe' --runs 2 --save pipe -- "$T/slower" 30 10
wait $!
if [ ! -p pipe ] || [ ! -s piped.json ]; then fail 'the pipe to be filled and still there'; fi
# The same again: heap figures are exact, so they are sure; time may be uncertain.
gate 0 'no change' --runs 10 --baseline base.json --metric peak-heap,allocations -- "$T/slower" 3000 100
has "$(<out)" 'no regression \(exit 0\)' 'the verdict'
equal 1 "$(grep -c '10 runs after' out)" 'runs when it is clear at once'
bench --baseline base.json --max-runs 30 -- "$T/slower" 3000 100
hasnt "$?" '^[123]$' 'the status of the same program on a busy machine'
# Fatter by 4 % is allowed, by 6 % is not.
gate 0 'a little fatter' --baseline base.json --metric peak-heap -- "$T/slower" 3000 104
gate 3 'fatter' --baseline base.json --metric peak-heap -- "$T/slower" 3000 107
has "$(<out)" 'peak-heap +1\.0[67][0-9]x .*REGRESSION' 'the verdict on memory'
gate 0 'fatter, and allowed' --baseline base.json --metric peak-heap --fail-above 10% -- "$T/slower" 3000 107
# Seven times as slow: no noise hides that, in time and in the section.
gate 3 'slower' --baseline base.json -- "$T/slower" 20000 100
has "$(<out)" 'regression proven \(exit 3\)' 'the verdict on time'
has "$(<out)" 'the machine itself since the baseline: reference workload [0-9.]+x' 'the machine in the verdict'
has "$(<err)" 'the baseline is of another command' 'stderr'
gate 3 'a slower section' --baseline base.json --metric section:work -- "$T/slower" 20000 100
gate 3 'more CPU time' --baseline base.json --metric cpu -- "$T/slower" 20000 100
gate 0 'less CPU time' --baseline base.json --metric cpu -- "$T/slower" 10 100
gate 1 'a command that fails' --baseline base.json -- "$T/slower" 3000 100 9
# Noise that 10 runs cannot tell from 5 %: not decided, and it says so.
cat >noisy.sh <<'END'
case $(($(cat turn) % 2)) in 0) sleep 0.002 ;; 1) sleep 0.02 ;; esac
echo $(($(cat turn) + 1)) >turn
END
echo 0 >turn
gate 0 'saving noise' --runs 10 --no-shim --save noise.json -- sh noisy.sh
gate 4 'noise' --runs 5 --max-runs 12 --no-shim --baseline noise.json -- sh noisy.sh
has "$(<out)" '12 runs after.*inconclusive \(exit 4\)' 'the verdict on noise'

# Against A in the same run.
gate 3 '--vs with a slower one' --vs "$T/slower 20000" --fail-above 5% -- "$T/slower" 2000
has "$(<out)" 'GATE  against A' 'the verdict of --vs'
has "$(<out)" 'B is [0-9.]+x slower than A' 'the comparison beside it'
gate 0 '--vs with a thinner one' --vs "$T/slower 3000 50" --fail-above 5% --metric peak-heap -- "$T/slower" 3000 100

# What is no baseline is 2, whatever it is, and the command is not even run.
refused()
{
	local why=$1
	shift
	rm -f touched
	gate 2 "a baseline with $why" --baseline bad.json "$@" -- touch touched
	has "$(<err)" "bad.json: .*$why|$why" 'stderr'
	[ ! -e touched ] || fail 'the command not to be run' "$why"
}
change()
{
	python - "$1" <<'END'
import json, sys
f = json.load(open("base.json")); r = f["results"][0]; s = r["series"]
exec(sys.argv[1])
json.dump(f, open("bad.json", "w"))
END
}
rm -f bad.json && refused 'No such file'
: >bad.json && refused 'line 1'
head -c 300 base.json >bad.json && refused 'line [0-9]+'
echo '[]' >bad.json && refused 'not written by perfwrap'
echo '{"results": [{"command": "x", "times": [1, 2]}]}' >bad.json && refused 'not written by perfwrap'
change 'f["perfshim"]["schema"] = "perfshim-bench/2"' && refused 'schema perfshim-bench/2'
change 'f["results"] = []' && refused 'no results'
change 'f["perfshim"]["shim"] = False' && refused 'made with --no-shim'
change 'del r["series"]["time"]' && refused 'no times'
change 's["time"]["values"][3] = -1' && refused 'not a number'
change 's["time"]["values"][3] = "1"' && refused 'not a number'
change 's["time"]["values"] = s["time"]["values"][:3]' && refused 'different length'
change 's["time"]["unit"] = "h"' && refused 'no known unit'
change 's.clear()' && refused 'no times'
change 'for x in s.values(): x["values"] = x["values"][:1]' && refused 'too few'
change 'del s["peak-heap"]' && refused 'no peak-heap' --metric peak-heap
change 'f["results"].append(dict(r, command="other"))' && refused 'several commands'
change 's["section:" + "x" * 600] = s["time"]' && refused 'too long'
change 's["peak-heap"]["unit"] = "s"' && gate 4 'another unit' --runs 2 --max-runs 2 --baseline bad.json --metric peak-heap -- "$T/slower" 1 100
has "$(<out)" 'peak-heap +inconclusive: in another unit' 'the verdict on another unit'
# Its words are the file's: no terminal obeys them.
change 'f["perfshim"]["cpu"] = "\x1b]0;owned\x07"'
bench --runs 2 --max-runs 2 --baseline bad.json --metric peak-heap -- "$T/slower" 1 100
has "$(<out)" 'of another machine: .x1b]0;owned.x07' 'the machine of the baseline'
hasnt "$(<out)" $'[\e\a]' 'the report'
mkfifo pipe && gate 2 'a pipe as baseline' --baseline pipe -- true
cp base.json bad.json && refused 'no such section|has no section:nosuch' --metric section:nosuch

# Damage of any kind is 2 as well, or is no damage to what is read.
python - <<'END'
import random
data = open("base.json", "rb").read()
random.seed(7)
for i in range(40):
    d = bytearray(data)
    for _ in range(3):
        d[random.randrange(len(d))] = random.randrange(256)
    open("damaged.%d.json" % i, "wb").write(d)
END
for file in damaged.*.json; do
	bench --runs 2 --max-runs 2 --warmup 0 --baseline "$file" --metric peak-heap -- "$T/slower" 1 100
	status=$?
	[[ $status =~ ^[0234]$ ]] || fail 'a status of 0, 2, 3 or 4 with damage' "$status $(<err)"
done
