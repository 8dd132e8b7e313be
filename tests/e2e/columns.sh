#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# 80 columns hold, and colour is for terminals only, unless NO_COLOR.
. "$E2E/lib.sh"

run_shim "$T/sections"
run_shim python3 -c 'import json; print(len(json.dumps({str(i): [i] * 5 for i in range(50000)})))'
for file in rec/*.perfshim; do
	"$B/perfreport" --text "$file" >text || fail "perfreport to read $file"
	grep -q $'\033' text && fail 'no colour in a file' "$(grep -m 1 $'\033' text)"
	long=$(python3 -c '
import sys
print(*[l for l in open("text", encoding="utf-8").read().splitlines() if len(l) > 80][:3], sep="\n")')
	equal '' "$long" "no line of more than 80 columns"
done

# tty COMMAND...: its output on a terminal.
tty()
{
	python3 -c '
import os, pty, sys
sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))' "$@"
}
tty "$B/perfreport" --text "$file" </dev/null >on
tty env NO_COLOR=1 "$B/perfreport" --text "$file" </dev/null >off
[ -s off ] || fail 'a report on a terminal with NO_COLOR'
grep -q $'\033\[' on || fail 'colour on a terminal' "$(head -n 3 on)"
grep -q $'\033\[' off && fail 'no colour with NO_COLOR' "$(grep -m 1 $'\033' off)"
"$B/perfreport" --text --color "$file" | grep -q $'\033\[' || fail 'colour with --color'
"$B/perfreport" --text --no-color "$file" | grep -q $'\033' && fail 'no colour with --no-color'
exit 0
