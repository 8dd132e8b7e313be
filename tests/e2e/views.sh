#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# perfreport --diff, --merge, filters and suppressions.
. "$E2E/lib.sh"

# view OPTION...: what perfreport prints, in `text`.
view()
{
	text=$("$B/perfreport" --no-color "$@" 2>report.err) || fail "perfreport $*" "$(<report.err)"
}

run_shim PERFSHIM_SAMPLE=all "$T/exact"
old=$(recording)
view --folded=allocated --function 'keep_*' "$old"
has "$text" '^exact;[^[:space:]]*;keep_small 24000$' 'the stacks with such a function'
view --module 'libnone*' "$old"
report_has 'left out by the filters: ([0-9]+) of \1 rows?' 'no stack passes the filters' \
	'no[[:space:]]+stack[[:space:]]+of[[:space:]]+it[[:space:]]+passes' 'totals[[:space:]]+are[[:space:]]+of[[:space:]]+all'
printf '# known\nleak:keep_*all$\n' >suppressions
view --leak-suppressions suppressions "$old"
report_has 'suppressed: 1 stack with 23.4 KiB in 1000 blocks'
has "${text#*MEMORY LEAKS}" 'aligned_blocks' 'the leaks that are left'
hasnt "$(sed -n '/^MEMORY LEAKS/,/^MOST TEMP/p' <<<"$text")" keep_small 'the leaks that are left'
printf 'leak:\n' >suppressions
"$B/perfreport" --leak-suppressions suppressions "$old" >out 2>err
equal 2 $? 'the status of a bad suppression'
has "$(<err)" 'suppressions: line 1' 'the complaint'
# None at all, and more lines than there is memory for.
: >suppressions
MALLOC_PERTURB_=85 view --leak-suppressions suppressions "$old"
has "${text#*MEMORY LEAKS}" 'keep_small' 'the leaks without suppressions'
head -c 20000000 /dev/zero | tr '\0' '\n' >suppressions
(ulimit -S -v 150000 && exec "$B/perfreport" --leak-suppressions suppressions "$old") >out 2>err
equal 1 $? 'the status without memory for the suppressions'
has "$(<err)" 'suppressions: Cannot allocate memory$' 'the complaint'

# Nothing changed; then another program, all of which did.
run_shim PERFSHIM_SAMPLE=all "$T/exact"
view --diff "$old" "$(recording)"
report_has 'allocations +([0-9.k ]+) +\1 +\+0' 'PEAK MEMORY, MORE THAN NOISE  none'
run_shim PERFSHIM_SAMPLE=all "$T/inlined"
view --diff "$old" "$(recording)"
report_has '-23.4 KiB  from 23.4 KiB to 0 B' '\+9.77 KiB  from 0 B to 9.77 KiB'
view --diff --folded=allocated "$old" "$(recording)"
has "$text" ';keep_small 24000 0' 'the folded difference'

# The three children of family as one, and what is said of it.
rm -r rec
run_shim PERFSHIM_SAMPLE=all "$T/family"
view --merge rec
report_has 'MERGED  4 processes of family: pid [0-9]+ [0-9]+ [0-9]+ [0-9]+' '90000|90.0 k' 'EXECUTABLES' ' +4 +0  family '
view --merge --folded=count rec
has "$text" 'child_allocate 90000' 'the merged stacks'

# Two trees: merged by executable, then compared.
mv rec tree
run_shim PERFSHIM_SAMPLE=all "$T/family"
run_shim PERFSHIM_SAMPLE=all "$T/family"
run_shim PERFSHIM_SAMPLE=all "$T/exact"
# Small processes, of a program that has a recording on the other side, and of one that has none.
printf '1\t7\t1\t0\t1\t1000\t1\t1\t4096\t2048\t5\t1024\t/bin/%s\n' nothing exact >tree/small-processes.tsv
view --diff tree rec
report_has 'MERGED  4 processes of family.*MERGED  8 processes of family' \
	'allocations +120 k +240 k +\+120 k \(\+100%\)' \
	'\+90.0 k  from 90.0 k to 180 k' $'\n  old  family  4 processes\n  new  family  8 processes\n' \
	$'\nfamily +4 .* 8 ' $'\nexact +1 +1.00 KiB +2.00 KiB +1 ' $'\nnothing +1 +1.00 KiB +2.00 KiB +- +- +-\n'
view --diff --main family --folded=count tree rec
has "$text" ';child_allocate 90000 180000' 'the folded difference of trees'
has "$text" ';keep_small 0 1000' 'the folded difference of trees'
view --diff --folded=count rec tree
has "$text" ';keep_small 1000 0' 'the folded difference of trees, the other way'
"$B/perfreport" --diff --main exact tree rec >out 2>err
equal 2 $? 'the status where a side has no such program'

# A program of the same path is the same one; else one of that name that was moved, once.
mkdir v1 v2 && cp "$T/exact" v1/app && cp "$T/exact" v2/app
rm -rf rec
run_shim PERFSHIM_SAMPLE=all v1/app
cp -r rec first
run_shim PERFSHIM_SAMPLE=all v2/app
mv rec both
run_shim PERFSHIM_SAMPLE=all v2/app
view --diff first rec
report_has $'\n  old  app  pid [0-9]+\n  new  app  pid [0-9]+\n' 'PEAK MEMORY, MORE THAN NOISE +none'
view --diff both rec
report_has $'\napp +1 [^\n]* KiB +1 +[^\n]* KiB' $'\napp +1 [^\n]* - +- +-\n'

# Clocks that do not fit make two groups of one program: each has another match.
rm -r rec tree
run_shim PERFSHIM_SAMPLE=all PERFSHIM_CLOCK=monotonic "$T/exact"
cp -r rec tree
run_shim PERFSHIM_SAMPLE=all PERFSHIM_CLOCK=tsc "$T/exact"
view --diff --folded=count rec tree
# Without a TSC that can be used, both have the same clock.
if [ "$(grep -c ';keep_small ' <<<"$text")" = 2 ]; then
	equal '2000 1000' "$(awk '/;keep_small / { old += $(NF - 1); new += $NF } END { print old, new }' <<<"$text")" \
		'what both sides have of it'
	view --diff --folded=count tree rec
	equal '1000 2000' "$(awk '/;keep_small / { old += $(NF - 1); new += $NF } END { print old, new }' <<<"$text")" \
		'what both sides have of it, the other way'
	printf '1\t7\t1\t0\t1\t1000\t1\t1\t4096\t2048\t5\t1024\t%s\n' "$(realpath "$T/exact")" >rec/small-processes.tsv
	view --merge rec
	has "${text#*EXECUTABLES}" $'\n +2 +1  exact [^\n]*\n +1 +0  exact ' 'the table with a small process'
fi
