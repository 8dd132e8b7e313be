#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# perfreport where memory runs out: it goes on without what it has no room for,
# or ends with a line; and what a part of it had is given back.
. "$E2E/lib.sh"

need gcc objcopy
# Places in an order that is not that of their addresses, and without an index of them.
cat >places.c <<'END'
#include <stdlib.h>
void *volatile kept[3000];
__attribute__((noinline)) void high(int i) { kept[i] = malloc(1000); }
__attribute__((noinline, section(".text.unlikely"))) void low(int i) { kept[i] = malloc(1000); }
int main(void)
{
	for (int i = 0; i < 3000; i += 2) { high(i); low(i + 1); }
	return 0;
}
END
gcc -O2 -g -o places places.c || fail 'to build places.c'
objcopy --remove-section .debug_aranges places
run_shim PERFSHIM_SAMPLE=all ./places
file=$(recording)
told=''
for n in {1..12}; do
	LD_PRELOAD="$T/libfail.so" FAIL_REALLOC=$n "$B/perfreport" --no-color "$file" >out 2>err
	status=$?
	if [ "$status" != 0 ]; then
		equal 1 "$status" "the status when realloc $n fails"
		has "$(<err)" 'Cannot allocate memory' "what is said when realloc $n fails"
		continue
	fi
	# Whoever gets more of it tells no less.
	lines=$(sed -nE 's/.* (high|low|main)  at places\.c:[0-9].*/\1/p' out | sort -u)
	lost=$(comm -13 <(echo "$lines") <(echo "$told"))
	equal '' "$lost" "what has no line any more when realloc $n fails, not an earlier one"
	told=$lines
done
equal $'high\nlow\nmain' "$told" 'what has a line at last'

# Views that cannot be built give back what they had.
setarch -R strace -o /dev/null -e inject=close:error=EIO:when=1000 true 2>/dev/null ||
	skip 'strace cannot trace here'
rm -rf rec
mkdir -p rec merge
"$B/fuzz/seed" full rec/full.perfshim
for i in 1 2; do run_shim PERFSHIM_SAMPLE=all "$T/exact"; done
"$B/fuzz/seed" full merge/full.perfshim
cp "$(recording)" merge

# mapped COMMAND...: the bytes of scratch that are left at its end, the numbers of the
# first mapping of that kind and of the last of all, and the status.
mapped()
{
	strace -o trace -e trace=mmap,munmap "$@" >out 2>err
	local status=$?
	awk '/^mmap/ { n++ }
		/^mmap\(NULL, [0-9]+, PROT_READ\|PROT_WRITE, MAP_PRIVATE\|MAP_ANONYMOUS, -1, 0\) += 0x/ {
			split($0, a, /[(), ]+/); at[$NF] = a[3]; sum += a[3]; if (!first && a[3] == 262144) first = n }
		/^munmap\(0x/ { split($0, a, /[(), ]+/); if (a[2] in at) { sum -= at[a[2]]; delete at[a[2]] } }
		END { print sum + 0, first, n, '"$status"' }' trace
}
for what in '--tree rec' '--merge merge'; do
	# shellcheck disable=SC2086 # two words
	read -r left first last _ < <(mapped "$B/perfreport" --no-color $what)
	[ "$last" -gt $((first + 20)) ] || fail 'mappings of views' "$first to $last"
	rows=$(wc -l <out)
	for ((n = first; n <= last; n += 7)); do
		# shellcheck disable=SC2086
		read -r kept _ _ status < <(mapped -e inject=mmap:error=ENOMEM:when=$n "$B/perfreport" --no-color $what)
		[ "$status" -le 1 ] || fail "an end of $what when mapping $n fails" "$status $(<err)"
		[ "$status" -eq 1 ] || equal "$rows" "$(wc -l <out)" "lines of $what when mapping $n fails"
		[ "$status" -eq 1 ] || [ "$kept" -le "$left" ] || fail "at most $left bytes left by $what when mapping $n fails" "$kept"
	done
done
