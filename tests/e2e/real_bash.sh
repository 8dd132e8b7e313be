#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# real programs: bash scripts with pipes, subshells, traps and many processes.
. "$E2E/lib.sh"

cat >work.sh <<'END'
set -u
trap 'echo leaving' EXIT
declare -A count
while read -r word; do
	count[$word]=$((${count[$word]:-0} + 1))
done < <(seq 2000 | awk '{ print $1 % 37 }')
for word in $(printf '%s\n' "${!count[@]}" | sort -n); do echo "$word ${count[$word]}"; done
seq 100 | while read -r i; do echo $((i * i)); done | tail -n 1
for i in $(seq 50); do (exit $((i % 3))) || echo "$i failed with $?"; done
coproc cat
echo through the coprocess >&"${COPROC[1]}" && read -r line <&"${COPROC[0]}" && echo "$line"
(kill -TERM $BASHPID) || echo "killed: $?"
find /usr/share/doc -maxdepth 1 -name 'lib*' | sort | head -n 20 | xargs -n 3 echo
exit 9
END
run_both PERFSHIM_CHILDREN=all bash work.sh
equal 9 "$(<shim.status)" 'the status of the script'
plausible
expect 'process["exe"].endswith("bash")' 'heap["allocations"] > 1000'
files=$(find rec -name '*.perfshim' | wc -l)
[ "$files" -gt 50 ] || fail 'a recording for each of more than 50 processes' "$files"
