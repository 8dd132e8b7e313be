#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# every format of perfreport, opened by somebody else's reader.
. "$E2E/lib.sh"

need node callgrind_annotate ms_print
READ=$E2E/../npm/read.js

# as FORMAT FILE [OPTION...]: the recording in that format.
as()
{
	local format=$1 file=$2
	shift 2
	"$B/perfreport" "--$format" -o "$file" "$@" "$(recording)" 2>report.err ||
		fail "perfreport --$format to write $file" "$(<report.err)"
}

# read_by READER FILE...: what it found, in `found`.
read_by()
{
	found=$(node "$READ" "$@" 2>read.err) || fail "$1 to read $2" "$(<read.err)"
}

found_has()
{
	local line
	for line; do
		grep -qxE -- "$line" <<<"$found" || fail "a line '$line'" "$(head -n 40 <<<"$found")"
	done
}

run_shim PERFSHIM_SAMPLE=all "$T/exact"
for what in 'peak 24000' 'allocated 24000' 'live 24000' 'count 1000'; do
	read -r key value <<<"$what"
	as "folded=$key" "$key.folded"
	read_by speedscope "$key.folded"
	found_has "keep_small $value $value none" 'exact 0 [0-9]+ none' 'main 0 [0-9]+ none'
done
as folded=temporary temporary.folded
read_by speedscope temporary.folded
found_has 'churn 500 500 none'
equal 0 "$(grep -cv '^exact;.* [0-9]*$' peak.folded)" 'lines of the folded stacks of another form'

as pprof p.pb.gz
for what in 'alloc_objects 1000 500' 'alloc_space 24000 50000' 'inuse_space 24000 0' \
	'inuse_objects 1000 0' 'temporary_objects 0 500' 'peak_space 24000 0' 'peak_objects 1000 0'; do
	read -r type kept churned <<<"$what"
	read_by pprof p.pb.gz "$type"
	found_has "keep_small $kept" "churn $churned"
done
id=$(readelf -n "$T/exact" | sed -n 's/.*Build ID: //p')
found_has 'types .*peak_space/bytes.*' "mapping .*/exact $id" 'labels process=exact thread=exact' \
	'function keep_small in /.*/exact.c'
read_by speedscope p.pb.gz
found_has 'keep_small 24000 24000 bytes'

as callgrind callgrind.out
callgrind_annotate --inclusive=yes callgrind.out >annotated 2>read.err ||
	fail 'callgrind_annotate to read it' "$(<read.err)"
equal '' "$(<read.err)" 'complaints of callgrind_annotate'
grep -qE '^ *24,000 .* 1,000 .*exact\.c:keep_small' annotated ||
	fail 'keep_small with 24,000 bytes in 1,000 blocks' "$(<annotated)"
total=$(sed -n 's/^ *\([0-9,]*\) (100.*PROGRAM TOTALS$/\1/p' annotated)
grep -qE "^ *$total .*exact\.c:main" annotated || fail "main with $total, all of it" "$(<annotated)"

as massif massif.out
ms_print massif.out >printed 2>read.err || fail 'ms_print to read it' "$(<read.err)"
equal '' "$(<read.err)" 'complaints of ms_print'
has "$(<printed)" '\(24,000B\) 0x[0-9a-f]+: keep_small \(exact\.c:[0-9]+\)' 'the tree of ms_print'
has "$(<printed)" '\(peak\)' 'the snapshots of ms_print'

# Inlined functions, in every format that knows them.
run_shim PERFSHIM_SAMPLE=all "$T/inlined"
report
report_has 'innermost +inlined at inlined.cc:11' 'app::Store::put\(unsigned long\) +inlined at inlined.cc:20' \
	'outer_function\(app::Store&\) +at inlined.cc:31'
as folded=allocated f.folded
has "$(<f.folded)" 'main;outer_function\(app::Store&\);app::Store::put\(unsigned long\);innermost 10000' 'the folded stacks'
as pprof p.pb.gz
read_by pprof p.pb.gz alloc_space
found_has 'innermost 10000' 'app::Store::put\(unsigned long\) 10000' 'inlined 3'
as callgrind callgrind.out
callgrind_annotate --inclusive=yes callgrind.out >annotated 2>&1
grep -qE '^10,000 .*inlined.cc:app::Store::put' annotated || fail 'app::Store::put in callgrind_annotate' "$(<annotated)"
