#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Names that would take over a terminal, a line or a document: of the program,
# its directory, its threads, sections and modules, and of rules.  In no output
# they come through as they are.
. "$E2E/lib.sh"

# hazard: R6 Terminal escape injection
# hazard: S6 Path traversal via process name in file name
mkdir $'dir \e]0;d\a\n"<b>;'
program=$PWD/$'dir \e]0;d\a\n"<b>;/..\n\e[31mevil"\\;<x> 12 34'
module=$PWD/$'dir \e]0;d\a\n"<b>;/lib\n\e[31mevil"\\;<y> 12 34.so'
cp "$T/names" "$program" && cp "$T/libplugin.so" "$module"
rules='info: section(line*).p99 > 1ns over 1s; info: heap > 1K; info: section(\e]0;r\a).calls > 1/s'
# shellcheck disable=SC2059 # escapes are wanted
printf -v rules "${rules//%/%%}"
run_shim PERFSHIM_SAMPLE=all PERFSHIM_EVENTS=1000 PERFSHIM_ALERT="$rules" PERFSHIM_ALERT_TO=stderr \
	PERFSHIM_METRICS="$PWD/exit.prom" "$program" "$module"
equal 0 "$(<shim.status)" 'the status of the program'
cp shim.err alert.txt
files=(rec/*)
equal 1 "${#files[@]}" 'recordings'
has "${files[0]##*/}" '^[A-Za-z0-9._+-]+\.[0-9]+\.[0-9a-f]+\.perfshim$' 'the name of the recording'
file=${files[0]}

# neutral KIND FILE...
neutral()
{
	python3 "$E2E/neutral.py" "$@" || fail "nothing but text in ${*:2}"
}
# made FILE KIND OPTION...: perfreport with the options, looked at.
made()
{
	"$B/perfreport" "${@:3}" -o "$1" "$file" 2>made.err ||
		fail "perfreport ${*:3} to work" "$(<made.err)"
	neutral "$2" "$1"
}
made report.txt text --text --no-color
made report.ansi terminal --text --color --top 100
made report.json json --json
python "$E2E/expect.py" validate report.json || exit 1
for what in peak allocated live count temporary time; do made "folded.$what" folded --folded=$what; done
made heap.pb.gz pprof --pprof
made time.pb.gz pprof --pprof=time
made out.callgrind callgrind --callgrind
made out.massif massif --massif
made trace.json json --trace
for how in --alerts --alerts=text --tree; do
	"$B/perfreport" $how rec >"out$how" || fail "perfreport $how to work"
done
neutral lines out--alerts
neutral text out--alerts=text out--tree alert.txt
"$B/perfreport" --diff --no-color rec rec >diff.txt || fail 'perfreport --diff to work'
neutral text diff.txt
"$B/perfreport" --diff --folded "$file" "$file" >diff.folded
"$B/perfreport" --merge --no-color rec >merge.txt || fail 'perfreport --merge to work'
neutral text merge.txt
"$B/perfreport" --hgrm $'\e]0;owned\a' "$file" >hgrm.txt || fail 'perfreport --hgrm to work'
neutral text hgrm.txt
"$B/perfreport" --metrics out.prom rec || fail 'perfreport --metrics to work'
neutral prometheus out.prom exit.prom
if type -P promtool >/dev/null; then
	promtool check metrics <out.prom >promtool.out 2>&1 || fail 'promtool to accept it' "$(<promtool.out)"
fi
# What is said when something is wrong with a file of such a name.
head -c 100 "$file" >"$program.perfshim"
"$B/perfreport" --text "$program.perfshim" >damaged.txt 2>&1
equal 1 $? 'the status for a damaged file'
neutral text damaged.txt

# The report at exit, of the program itself; and a bad value of a variable.
LD_PRELOAD=$LIB PERFSHIM_SAMPLE=all PERFSHIM_DEPTH=$'\e]0;v\a\nx' "$program" "$module" >out 2>exit.txt
neutral text exit.txt
has "$(<exit.txt)" 'MOST ALLOCATIONS' 'the report at exit'
LD_PRELOAD=$LIB PERFSHIM_SAMPLE=all PERFSHIM_FORMAT=json "$program" "$module" >out 2>exit.json
neutral json exit.json
"$WRAP" --library "$LIB" "$program" "$module" >out 2>wrap.txt || fail 'perfwrap.sh to work' "$(<wrap.txt)"
neutral text wrap.txt

# What is said of an option's value, and of a program that is none of ours.
value=$'/nowhere/\e]0;v\a\n\e[31mx'
harmless()
{
	[ -s said.txt ] || fail "a complaint about $(printf %q "$1")"
	! grep -q $'[\x01-\x09\x0b-\x1f\x7f]' said.txt || fail "a harmless complaint about $(printf %q "$1")" "$(cat -v said.txt)"
}
for option in "-o$value" "--main=$value" "--metrics=$value" "--serve=$value" "--leak-suppressions=$value" \
	"--check-rules=$value" "--folded=$value"; do
	"$B/perfreport" "$option" rec >out 2>said.txt
	harmless "$option"
done
cp "$(type -P true)" $'x\e]0;p\a' && printf '\1' | dd of=$'x\e]0;p\a' bs=1 seek=4 conv=notrunc status=none
for words in "$value" $'./x\e]0;p\a' "--sample $value true" "--report $value true" "-o $value true" \
	"--baseline $value true" "--runs 1 --save $value true" "--runs $value true" "--alert $value true"; do
	IFS=' ' read -r -d '' -a words <<<"$words"
	timeout 30 "$WRAP" --library "$LIB" "${words[@]}" >out 2>said.txt
	harmless "${words[*]}"
done

# From outside, while it runs.
if type -P curl >/dev/null; then
	rm -rf rec && mkdir rec
	env LD_PRELOAD="$LIB" PERFSHIM_OUT="$PWD/rec" PERFSHIM_REPORT=none "$program" "$module" 30 &
	host=$!
	"$B/perfreport" --serve 0 rec 2>serve.err &
	server=$!
	trap 'kill $host $server 2>/dev/null' EXIT
	for ((i = 0; i < 200; i++)); do
		grep -q 'http://' serve.err && compgen -G 'rec/*' >/dev/null && break
		sleep 0.05
	done
	base=$(grep -o 'http://[^ /]*' serve.err) || fail 'perfreport --serve to say where' "$(<serve.err)"
	sleep 0.5
	curl -s "$base/metrics" >serve.prom && neutral prometheus serve.prom
	curl -s "$base/report/$host" >serve.txt && neutral text serve.txt
	curl -s "$base/report/$host.json" >serve.json && neutral json serve.json
	if type -P tmux >/dev/null; then
		tmux -L "hostile$$" -f /dev/null new-session -d -x 110 -y 40 \
			"$B/perfreport --watch rec"
		sleep 1.5
		tmux -L "hostile$$" capture-pane -p >screen.txt
		tmux -L "hostile$$" kill-server
		neutral text screen.txt
		has "$(<screen.txt)" "$host" 'the screen'
	fi
fi
