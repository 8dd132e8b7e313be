#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# hazard_interop: beside sanitizers, debuggers, tracers, other preloads and
# runtimes that have a memory of their own.
. "$E2E/rows.sh"
need gcc python3

long=${LONG:-0}
sandbox=$T/hazard_sandbox

# ---- sanitizers -----------------------------------------------------------------

cat >san.c <<'END_C'
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <pthread.h>
static void *(*volatile make)(size_t) = malloc;
static void *work(void *x) { for (int i = 0; i < 1000; i++) free(make(i)); return x; }
int main(int argc, char **argv)
{
	pthread_t t;
	char *p = make(10);
	pthread_create(&t, 0, work, 0);
	pthread_join(t, 0);
	if (argc > 1)
		p[10] = 1;
	free(p);
	puts("ok");
	return 0;
}
END_C
for san in address thread; do
	gcc -g -O1 -fsanitize=$san -o san_$san san.c -lpthread 2>compile.log || continue
	runtime=$(ldd ./san_$san | awk '/lib[at]san/ { print $3; exit }')
	[ -n "$runtime" ] || continue
	# Its runtime first: it has the allocations, and ours are none.
	row_before=$runtime row_leaves=nothing row_seconds=20
	row I1 ASAN_OPTIONS=detect_leaks=0 ./san_$san
	# The wrapper finds out, says so and leaves it alone.
	"$WRAP" --library "$LIB" --quiet -- ./san_$san >out 2>err
	equal '0 ok' "$? $(<out)" "a program with $san sanitizer under perfwrap.sh"
	has "$(<err)" 'sanitizer' 'the line about it'
done

# ---- debuggers, tracers ---------------------------------------------------------

if type -P valgrind >/dev/null; then
	compile gcc -g -O0 -o leak san.c -lpthread
	for how in '' overrun; do
		errors()
		{
			env ${1:+LD_PRELOAD="$1"} PERFSHIM_REPORT=none \
				valgrind ./leak $how 2>&1 |
				grep -oE 'ERROR SUMMARY: [0-9]+|Invalid write of size [0-9]+'
		}
		equal "$(errors '')" "$(errors "$LIB")" 'what valgrind finds'
	done
	note_row I2 shim 'as without'
fi
if type -P gdb >/dev/null; then
	got=$(gdb -q -nx -batch -ex "set environment LD_PRELOAD $LIB" -ex 'set environment PERFSHIM_REPORT none' \
		-ex 'set startup-with-shell off' -ex run -ex 'info inferiors' "$T/exact" 2>&1 | grep -c 'exited normally')
	equal 1 "$got" 'programs that gdb saw end normally'
fi
row_leaves=nothing
row I3 strace -f -o strace.log "$T/hazard_api" matrix
# hazard: I4 other preloads, before and after us (hazard_early.sh, A9)
# hazard: I5 static programs (kinds.sh)

# A 32-bit program: the loader says on stderr that we do not fit, and runs it.
if gcc -m32 -o narrow san.c -lpthread 2>compile.log; then
	row_leaves=nothing
	row I6 ./narrow
else
	cp "$(type -P true)" narrow && printf '\1' | dd of=narrow bs=1 seek=4 conv=notrunc status=none
	row_leaves=nothing
	row I6 ./narrow
fi
newest=$(objdump -T "$LIB" | grep -oE 'GLIBC_[0-9.]+' | sort -uV | tail -n 1)
newest=${newest#GLIBC_}
[ "$(printf '%s\n' "$newest" 2.34 | sort -V | tail -n 1)" = 2.34 ] ||
	fail 'no need of a libc newer than 2.34' "$newest"
note_row I7 shim "needs glibc $newest"

# ---- what it looks like from inside ----------------------------------------------

row I10 "$sandbox" look
row_leaves=nothing
row I10 unshare -U true
row I13 "$sandbox" limited

# ---- runtimes --------------------------------------------------------------------

if type -P java >/dev/null && type -P javac >/dev/null && [ "$long" = 1 ]; then
	cat >H.java <<'END_J'
import java.util.*;
public class H {
    public static void main(String[] a) throws Exception {
        List<Thread> all = new ArrayList<>();
        for (int t = 0; t < 8; t++) {
            Thread th = new Thread(() -> { for (int i = 0; i < 20000; i++) new byte[i % 3000].hashCode(); });
            th.start(); all.add(th);
        }
        for (Thread th : all) th.join();
        Process p = new ProcessBuilder("true").start();
        System.out.println("done " + p.waitFor());
    }
}
END_J
	compile javac H.java
	for flags in -Xint -XX:NativeMemoryTracking=detail -Xcomp; do
		row_seconds=120 row_compare_seconds=120
		row I8 java $flags -cp . H
	done
elif type -P java >/dev/null; then
	row_seconds=120
	row I8 java -Xshare:auto -version
fi
# As Java's threads begin: it allocates with the lock of the thread held.
cat >asks.c <<'END_C'
#define _GNU_SOURCE
#include <pthread.h>
#include <stdio.h>
static void *ask(void *arg)
{
	pthread_attr_t a;
	return pthread_getattr_np(pthread_self(), &a) == 0 && pthread_attr_destroy(&a) == 0 ? arg : NULL;
}
int main(void)
{
	pthread_t t;
	void *got = NULL;
	pthread_create(&t, NULL, ask, &got);
	pthread_join(t, &got);
	puts(got != NULL ? "ok" : "failed");
}
END_C
compile gcc -o asks asks.c
row I8 ./asks
if type -P w3m >/dev/null; then # has Boehm's collector
	printf '<h1>Title</h1><p>%s' "$(seq 2000)" >page.html
	row I11 w3m -dump page.html
fi

# A core is what it is without us.
if [ "$(</proc/sys/kernel/core_pattern)" = core ]; then
	ulimit -c unlimited
	row I12 "$sandbox" dump
fi
