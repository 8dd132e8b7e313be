# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# lib: what every story uses.  A story is a bash script that run.sh starts in
# an empty directory with B (absolute) and E2E set; it ends at the first
# expectation that does not hold, saying what was expected and what came.
set -u

LIB=$B/libperfshim.so
WRAP=$E2E/../../scripts/perfwrap.sh
T=$B/targets
export LC_ALL=C PAGER= # nobody is there to turn pages
unset LD_PRELOAD "${!PERFSHIM_@}"

fail()
{
	printf 'EXPECTED %s\n' "$1"
	shift
	if [ $# -gt 0 ]; then printf 'GOT      %s\n' "$*"; fi
	exit 1
}

skip()
{
	printf 'SKIP %s\n' "$*"
	exit 77
}

# need COMMAND...: the story is skipped when one is not installed.
need()
{
	local tool
	for tool; do
		type -P "$tool" >/dev/null || skip "$tool is not installed"
	done
}

# equal EXPECTED GOT WHAT
equal()
{
	[ "$1" = "$2" ] || fail "$3: $1" "$2"
}

# has TEXT REGEX WHAT
has()
{
	[[ $1 =~ $2 ]] || fail "$3 to match: $2" "$1"
}

hasnt()
{
	[[ ! $1 =~ $2 ]] || fail "$3 not to match: $2" "$1"
}

# run NAME COMMAND...: leaves NAME.out, NAME.err, NAME.status, NAME.pid.
run()
{
	local name=$1
	shift
	"$@" >"$name.out" 2>"$name.err" <&0 &
	echo $! >"$name.pid"
	# The shell's own word on a job that a signal ended.
	{ wait $!; } 2>/dev/null
	echo $? >"$name.status"
}

# run_bare [VAR=VALUE...] COMMAND...: without the shim.
run_bare()
{
	run bare env "$@"
}

# run_shim [VAR=VALUE...] COMMAND...: under the shim, silent, recording into rec/.
run_shim()
{
	mkdir -p rec
	run shim env LD_PRELOAD="$LIB" PERFSHIM_OUT="$PWD/rec" PERFSHIM_REPORT=none "$@"
}

# same_output [stderr]: both runs printed the same and ended the same.
same_output()
{
	equal "$(<bare.status)" "$(<shim.status)" 'the same status as without the shim'
	cmp -s bare.out shim.out ||
		fail 'the same stdout as without the shim' "$(diff bare.out shim.out | head -n 8)"
	if [ "${1-}" = stderr ] && ! cmp -s bare.err shim.err; then
		fail 'the same stderr as without the shim' "$(diff bare.err shim.err | head -n 8)"
	fi
}

# run_both COMMAND...: without, with, and the same.
run_both()
{
	run_bare "$@" && run_shim "$@" && same_output
}

# recording [PID]: the file that a process left, by default the last run_shim's;
# of several images of one process (exec), the last.
recording()
{
	local pid=${1:-$(<shim.pid)} file start found='' latest=''
	for file in rec/*."$pid".*.perfshim; do
		start=${file%.perfshim} && start=${start##*.}
		[[ $start > $latest ]] && latest=$start found=$file
	done
	[ -e "$found" ] || fail "a recording of process $pid in rec" "$(ls rec)"
	printf '%s' "$found"
}

# recorded: the last run_shim was indeed under the shim.
recorded()
{
	local file
	file=$(recording) || { echo "$file" && exit 1; }
}

# report [PID]: the text report, in `text`, from the recording.
report()
{
	local file
	file=$(recording "$@") || { echo "$file" && exit 1; }
	text=$("$B/perfreport" --text --no-color "$file" 2>report.err) ||
		fail "perfreport to read $file" "$(<report.err)"
	hasnt "$text" 'nan|-nan|inf ' 'the report'
}

report_has()
{
	local word
	for word; do has "$text" "$word" 'the report'; done
}

# Python with the validator: the distribution's, when another comes first.
python()
{
	local candidate
	for candidate in python3 /usr/bin/python3; do
		"$candidate" -c 'import jsonschema' 2>/dev/null && break
	done
	"$candidate" "$@"
}

# json [PID]: the JSON report in report.json, checked against the schema.
json()
{
	local file
	file=$(recording "$@") || { echo "$file" && exit 1; }
	"$B/perfreport" --json -o report.json "$file" 2>report.err ||
		fail "perfreport --json to read $file" "$(<report.err)"
	python "$E2E/expect.py" validate report.json || exit 1
}

# expect EXPRESSION...: Python over the JSON report; see expect.py for the names.
expect()
{
	python "$E2E/expect.py" expect report.json "$@" || exit 1
}

# value EXPRESSION: printed.
value()
{
	python "$E2E/expect.py" value report.json "$1" || exit 1
}

# plausible [NAME]: a report that says something: a heap, and a known function.
plausible()
{
	json
	expect 'heap["allocations"] > 0' 'heap["requested_bytes"] > 0' \
		'heap["peak_bytes"] > 0' 'process["wall_s"] > 0' \
		'heap["frees"] <= heap["allocations"]'
	report
	report_has 'MOST ALLOCATIONS' 'PEAK MEMORY CONSUMERS'
	if [ $# -gt 0 ]; then report_has "$1"; fi
}
