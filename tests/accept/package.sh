#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# package: configure && make of a real source package under perfwrap.sh
#
#   tests/accept/package.sh BUILD SOURCE [ROUNDS]
#
# In turn without and with, at one path.  config.status, config.h and the objects
# must be the same, and each run under perfwrap.sh ends with one table.  Prints one
# line: wall time without, with, and the ratio of the medians; the ratio is told,
# not judged, since that depends on who else uses the machine.
set -u
build=$(realpath -- "$1") source=$(realpath -- "$2") rounds=${3:-3}
wrap=$(realpath -- "$(dirname -- "$0")/../../scripts/perfwrap.sh")
place=$build/accept/package
export LC_ALL=C
unset LD_PRELOAD "${!PERFSHIM_@}"

fail()
{
	printf 'package: %s\n' "$*" >&2
	exit 1
}

# one NAME PREFIX...: configures and makes, leaves NAME.ms and NAME.sums
one()
{
	local name=$1 begun
	shift
	rm -rf "$place/work"
	cp -a "$source" "$place/work" || fail 'cannot copy the source'
	begun=$(date +%s%3N)
	(cd "$place/work" && "$@" sh -c './configure -q && make -s -j2') >"$place/$name.out" 2>"$place/$name.err" ||
		fail "$name: configure && make failed, see $place/$name.err"
	echo $(($(date +%s%3N) - begun)) >>"$place/$name.ms"
	(cd "$place/work" && find . \( -name config.status -o -name config.h -o -name '*.o' -o -perm -100 \) -type f |
		sort | xargs sha1sum) >"$place/$name.sums"
	grep -q 'config.status' "$place/$name.sums" || fail 'no config.status was made'
}

median()
{
	sort -n "$1" | awk '{ v[NR] = $1 } END { print (v[int((NR + 1) / 2)] + v[int(NR / 2) + 1]) / 2 }'
}

rm -rf "$place" && mkdir -p "$place" || exit 1
for ((i = 0; i < rounds; i++)); do
	one bare env
	rm -rf "$place/rec"
	one wrapped "$wrap" --library "$build/libperfshim.so" -o "$place/rec"
	cmp -s "$place/bare.sums" "$place/wrapped.sums" ||
		fail "not the same files: $(diff "$place/bare.sums" "$place/wrapped.sums" | head -n 4)"
	cmp -s "$place/bare.out" "$place/wrapped.out" || fail 'not the same output'
	tables=$(grep -c '^PROCESSES' "$place/wrapped.err")
	[ "$tables" -eq 1 ] || fail "$tables tables of processes"
done
bare=$(median "$place/bare.ms") wrapped=$(median "$place/wrapped.ms")
files=$(find "$place/rec" -name '*.perfshim' | wc -l)
lines=$(find "$place/rec" -name small-processes.tsv -exec cat {} + | wc -l)
awk -v bare="$bare" -v wrapped="$wrapped" -v name="${source##*/}" -v files="$files" -v lines="$lines" -v n="$rounds" \
	'BEGIN { printf "package\t%s\t%.0f ms\t%.0f ms\tratio %.3f\t%d rounds\t%d recordings and %d lines\n",
		name, bare, wrapped, wrapped / bare, n, files, lines }'
