#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Recordings that are damaged, through all that perfreport does with one: each is
# told or refused, none ends it by a signal.  The one of a sanitizer build,
# which sees more, is tried by PERFREPORT=build-address-undefined/perfreport.
# hazard: S5 Malformed profile given to the reader
. "$E2E/lib.sh"

report=${PERFREPORT:-$B/perfreport}
[[ $report == /* ]] || report=$E2E/../../$report
# The status of a finding is none of perfreport's; what it had not freed when it
# gave up is no finding.
export ASAN_OPTIONS=exitcode=99:detect_leaks=0
mkdir damaged
"$B/fuzz/seed" damaged damaged || fail 'damaged recordings'
: >empty

# ends OPTION...: with a status of perfreport's own, without a finding.
ends()
{
	local status
	timeout 60 "$report" "$@" >out 2>err </dev/null
	status=$?
	[ "$status" -le 1 ] || fail "an end of perfreport $*" "$status $(tail -n 20 err)"
	! grep -E 'runtime error|AddressSanitizer|assertion failed' err || fail "no finding of perfreport $*"
}

page=(--html -o page)
"$report" --html damaged/0.perfshim >out 2>&1 || page=(--text)
formats=(--text '--hgrm outer' --json '--hgrm inner' --trace '--pprof=time' "${page[*]}" --callgrind '--diff damaged/0.perfshim'
	--massif --folded=time "${page[*]}" --pprof --folded '--diff --folded=time damaged/0.perfshim'
	'--leak-suppressions empty' '--section o* --top 100')
# Every file in three of the formats, each format with files of all kinds.
n=0
for file in damaged/*; do
	for i in 0 6 11; do
		read -ra options <<<"${formats[(n + i) % ${#formats[@]}]}"
		ends "${options[@]}" "$file"
	done
	n=$((n + 1))
done
# All at once.
cp -r damaged tidy
for options in --tree '--tree --text' --alerts --alerts=text '--metrics -' --merge '--merge --folded' '--merge --pprof=time' \
	'--merge --json' "--merge ${page[*]}" "${page[*]}" '--diff damaged' '--diff --pprof damaged' '--diff --folded damaged' \
	"--diff ${page[*]} damaged"; do
	read -ra words <<<"$options"
	ends "${words[@]}" damaged
done
for again in 1 2; do ends --tidy --tree --json tidy tidy; done
[ "$(find tidy -name '*.perfshim' | wc -l)" -lt "$(find damaged -name '*.perfshim' | wc -l)" ] ||
	fail 'images that became lines' "$again"
if type -P python3 >/dev/null; then
	timeout 60 python3 "$E2E/terminal.py" 'MEMORY IN USE' env TERM=xterm "$report" --watch damaged >out 2>err
	status=$?
	[ "$status" -le 1 ] || [ "$status" = 130 ] || fail 'an end of perfreport --watch' "$status $(tail -n 20 out)"
fi
