#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# stacks that unwinders have died of, every allocation sampled: the program ends
# as it would without the shim, and what was recorded of it is right.
. "$E2E/lib.sh"

need gcc
# survives KIND [FILE...]: bare, and under the shim.
survives()
{
	rm -rf rec
	run_both PERFSHIM_SAMPLE=all PERFSHIM_CHILDREN=all timeout 100 "$T/stacks" "$@"
	equal 0 "$(<shim.status)" "the status of stacks $1"
	file=$(compgen -G 'rec/stacks.*.perfshim') || fail "a recording of stacks $1" "$(ls rec)"
	"$B/perfreport" --json -o report.json "$file" 2>report.err || fail 'perfreport' "$(<report.err)"
}
# below COUNT FUNCTION...: allocations whose stack has these, the outermost first.
below()
{
	local count=$1
	shift
	"$B/perfreport" --folded=count -o folded "$file" 2>report.err || fail 'perfreport' "$(<report.err)"
	equal "$count" "$(awk -v names="$(printf '%s[^;]*;.*' "$@")" '
		BEGIN { names = substr(names, 1, length(names) - 8) }
		$0 ~ names { sum += $NF }
		END { print sum + 0 }' folded)" "allocations below $*"
}

# Libraries with one function that calls back, each with a frame of its own size.
for ((i = 0; i < 8; i++)); do
	printf 'void plug_call(void (*back)(void)) { volatile char room[%d]; room[0] = 1; back(); room[1] = 2; }\n' \
		$((40 + 104 * i)) | gcc -O1 -shared -fPIC -o "plug$i.so" -x c - || fail 'to compile'
done

# hazard: U1 dl_iterate_phdr lock inversion: two threads load and unload, four allocate
survives modules "$PWD"/plug?.so

# hazard: U2 the unwinder waits for a lock that the thread holds (pthread_getattr_np, as in the JVM)
survives asking
below 40 start_thread ask_at_once allocate_here
expect 'any("pthread_getattr_np" in f for s in heap["sites"] for f in s["stack"])' \
	'not any("libperfshim" in f for s in heap["sites"] for f in s["stack"])'

# hazard: U3 strict seccomp kills the shim, not the program
survives seccomp
below 1 allocate_here
expect 'heap["allocations"] >= 51' 'sampling["dropped"] == 50'

# A filter that kills for what glibc's malloc does not call: what was counted is there,
# and so are stacks that were new under it.
for how in filter filter-raw; do
	survives "$how"
	expect 'heap["allocations"] >= 20000' 'sampling["dropped"] == 0'
	"$B/perfreport" --folded=count -o folded "$file" || fail 'perfreport'
	has "$(<folded)" 'main;.*under_filter;another_place;allocate_here' "stacks of stacks $how"
done

# hazard: U4 no unwind information, JIT frames: eight values of rbp that lead nowhere
survives jit
below 8 allocate_here
expect 'all(f.strip() for s in heap["sites"] for f in s["stack"])'

# hazard: U5 rbp is a register like others: nothing is read along it, the stack is whole
survives rbp
below 2 main outer_with_rbp inner_with_rbp allocate_here

# hazard: U6 a signal stack of 8192 bytes, a thread of 16384: nothing faults, and the thread's stack is whole
survives small
below 11 allocate_here
below 1 start_thread small_thread allocate_here

# The end is on such a stack, too, where programs report their own crashes.
for where in signal thread; do
	for setting in PERFSHIM_SAMPLE=all PERFSHIM_METRICS="$PWD/end.prom" PERFSHIM_HARDEN=full; do
		rm -rf rec end.report
		run_both "$setting" PERFSHIM_REPORT="$PWD/end.report" "$T/stacks" "end-in-$where"
		equal 3 "$(<shim.status)" "the status after an end in a $where"
		has "$(<end.report)" 'HOW FAR TO TRUST THIS' "the report of an end in a $where"
		recorded
	done
done

# hazard: U7 coroutines: stacks whose bounds are not the thread's
survives coroutines
below 250 allocate_here

# hazard: U8 what is remembered of a library, and dlclose
survives libraries "$PWD"/plug?.so
below 600 main through_libraries plug_call allocate_here

# hazard: U9 from a handler through the signal's frame to what it interrupted
survives handler
below 1 main interrupted handler allocate_here

# hazard: U10 a million frames: cut, said so, and no dearer than a short stack
survives deep
below 200 recurse recurse allocate_here
has "$("$B/perfreport" --no-color "$file")" 'cut short 200' 'the report'

# hazard-untested: U12 Go and cgo: no Go here; that static programs are told is in kinds.sh
# hazard-untested: U13 return addresses that are signed: the preload is for x86-64

# hazard: U14 no .eh_frame at all
cat >bare.c <<'END'
#include <stdlib.h>
void *volatile sink;
__attribute__((noinline)) void keep(void)
{
	sink = malloc(100);
}
int main(void)
{
	for (int i = 0; i < 1000; i++)
		keep();
	return sink == NULL;
}
END
gcc -O2 -fno-asynchronous-unwind-tables -fno-unwind-tables -fomit-frame-pointer -o bare bare.c || fail 'to compile'
rm -rf rec
run_both PERFSHIM_SAMPLE=all ./bare
file=$(recording)
below 1000 keep

# The same where code and tables are segments with a gap between them, as in node.
gcc -O2 -no-pie -Wl,-z,max-page-size=0x200000 -Wl,-z,separate-code -o apart bare.c || fail 'to compile'
rm -rf rec
run_both PERFSHIM_SAMPLE=all ./apart
file=$(recording)
below 1000 main keep

# hazard: U15 errno, and callers whose stack is misaligned
survives misaligned
below 8 allocate_here
# Nor does it see our arithmetic: no flag, no trap, no rounding of its own.
for sample in 4K auto all; do
	rm -rf rec end.report
	run_both PERFSHIM_SAMPLE="$sample" PERFSHIM_REPORT="$PWD/end.report" PERFSHIM_METRICS="$PWD/end.prom" \
		PERFSHIM_ALERT='heap > 1K' PERFSHIM_ALERT_TO=none "$T/stacks" float
	equal 0 "$(<shim.status)" "the status of a program with a floating-point state, PERFSHIM_SAMPLE=$sample"
	has "$(<end.report)" 'HOW FAR TO TRUST THIS' 'its report'
done
