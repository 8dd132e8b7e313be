#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# hazard_process: forks, ends and modules.  LONG=1 (make check-long): more of them.
. "$E2E/rows.sh"
need gcc python3

process=$T/hazard_process
long=${LONG:-0}
times() { echo $((long ? $1 : $2)); }
here=$PWD

row P1 PERFSHIM_CHILDREN=off "$process" loading "$(times 2000 150)"
row P1 PERFSHIM_CHILDREN=off "$process" streams "$(times 1000 60)"
row P2 PERFSHIM_CHILDREN=off "$process" handlers
row P4 PERFSHIM_CHILDREN=off "$process" raw "$(times 1000 100)"
row P11 "$process" signals

# Fork, and exit, from a handler that interrupts malloc: of what must not
# depend on luck, that it is no worse than jemalloc is for check-long.
if [ "$long" = 1 ]; then
	row_seconds=30 row_modes=(PERFSHIM_SAMPLE=auto)
	row P3 PERFSHIM_CHILDREN=off "$process" in-handler 200
fi
row_modes=(PERFSHIM_SAMPLE=all PERFSHIM_SAMPLE=1K)
row P3 PERFSHIM_CHILDREN=off "$process" go-on "$(times 2000 400)"
for how in exit _exit; do
	row_modes=(PERFSHIM_SAMPLE=auto PERFSHIM_HARDEN=full)
	row P9 PERFSHIM_CHILDREN=off "$process" "$how" "$(times 1000 150)"
done

# Forked children have a recording each, and the parent's is as without them.
cat >children.py <<'END_PY'
import os, sys
kept = [str(i) * 50 for i in range(2000)]
for i in range(int(sys.argv[1])):
    if os.fork() == 0:
        more = [str(i) * 1000 for i in range(2000)] # too much for a brief process
        sys.exit(0)
    os.wait()
print(len(kept))
END_PY
row P5 PERFSHIM_CHILDREN=all python3 children.py 20
equal 21 "$(compgen -G 'rec/python3*.perfshim' | wc -l)" 'recordings of 20 children and their parent'
parent_figures()
{
	rm -rf rec && run_shim PYTHONMALLOC=malloc PERFSHIM_SAMPLE=all python3 children.py "$1"
	json
	value '[heap["allocations"], heap["requested_bytes"]]'
}
alone=$(parent_figures 0) with=$(parent_figures 20)
# The loop itself allocates a little.
python3 - "$alone" "$with" <<'END_PY' || fail 'the figures of a parent as without children' "$alone $with"
import ast, sys
a, b = map(ast.literal_eval, sys.argv[1:])
sys.exit(not all(0 <= y - x < x * 0.01 + 20000 for x, y in zip(a, b)))
END_PY

# hazard: P6 a vfork child writes into our memory (see vfork.sh)
row P6 "$T/spawn"
row P7 sh -c 'exec python3 -c "print(sum(map(len, map(str, range(1000)))))"'
pids=$(for file in rec/*.perfshim; do
	file=${file##*/rec/} && file=${file#rec/} && echo "${file%%.*}"
done | sort -u | grep -cxE 'sh|dash|bash|python3.*')
[ "$pids" -ge 1 ] || fail 'a recording of what a shell became' "$(ls rec)"

# Images of one process: each has its recording with all that it did, and the
# last one's status is the process's.
row P7 PERFSHIM_DEPTH=8 "$process" images "$(times 100 9)"
rm -rf rec && run_shim "$process" images 4
equal '0 the last image' "$(<shim.status) $(<shim.out)" 'the end of five images'
for file in rec/hazard_process."$(<shim.pid)".*.perfshim; do
	"$B/perfreport" --json -o report.json "$file" || fail 'a recording of an image before exec'
	expect 'heap["allocations"] >= 4000' 'heap["live_bytes"] >= 4000000'
	expect 'process["exe"].endswith("/hazard_process")'
done
ends=$("$B/perfreport" --tree --no-color rec | awk -v pid="$(<shim.pid)" '$1 == pid { print $3, $4 }')
equal 'exec 4 exit 1' "$(cut -d ' ' -f 1 <<<"$ends" | sort | uniq -c | awk '{ printf "%s%s %s", s, $2, $1; s = " " }')" 'how the images ended'

# ---- the end ------------------------------------------------------------------

cat >late.c <<'END_C'
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
static char *kept[2000];
__attribute__((noinline)) void keep(void)
{
	for (int i = 0; i < 2000; i++)
		kept[i] = strdup("freed by a destructor after our handlers");
}
__attribute__((destructor)) static void last(void)
{
	for (int i = 0; i < 2000; i++)
		free(kept[i]);
	printf("freed\n");
}
END_C
printf 'void keep(void);\nint main(void) { keep(); return 0; }\n' >late_main.c
compile gcc -O1 -shared -fPIC -o liblate.so late.c
compile gcc -O1 -o late_main late_main.c -L. -llate "-Wl,-rpath,$PWD"
row P10 ./late_main
run_shim PERFSHIM_SAMPLE=all ./late_main
json
expect 'heap["frees"] >= 2000' 'heap["live_blocks"] < 20'

# ---- daemons, titles ----------------------------------------------------------

row P13 PERFSHIM_OUT=rec "$process" daemon
equal '' "$(find rec -name '*.perfshim' ! -perm 600)" "a daemon's recordings that others may read"
row P17 "$process" clobber
row P17 perl -e '$0 = "x" x 4000; my @a = map { "y" x $_ } 1 .. 2000; print scalar(@a), "\n"'
equal '' "$(find . -maxdepth 1 -name 'xx*' -o -name 'ZZ*')" 'files named by what overwrote the settings'

# ---- modules ------------------------------------------------------------------

cat >one.c <<'END_C'
#include <stdlib.h>
#include <string.h>
char *NAME(int n) { char *block = malloc(1000); memset(block, n, 1000); return block; }
END_C
cat >reload.c <<'END_C'
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
int main(int argc, char **argv)
{
	long same = 0;
	void *at[2] = {0};
	for (int i = 0; i < atoi(argv[1]); i++) {
		void *module = dlopen(i % 2 ? "./two.so" : "./one.so", RTLD_NOW);
		char *(*make)(int) = (char *(*)(int))dlsym(module, i % 2 ? "make_two" : "make_one");
		same += at[!(i % 2)] == (void *)make;
		at[i % 2] = (void *)make;
		for (int k = 0; k < 3; k++)
			free(make(i));
		dlclose(module);
	}
	fprintf(stderr, "%ld times at the other's address\n", same);
	return 0;
}
END_C
compile gcc -g -O1 -fno-builtin -DNAME=make_one -shared -fPIC -Wl,--build-id -o one.so one.c
compile gcc -g -O1 -fno-builtin -DNAME=make_two -shared -fPIC -Wl,--build-id -o two.so one.c
compile gcc -O1 -o reload reload.c -ldl
row P14 ./reload "$(times 1000 200)"
run_shim PERFSHIM_SAMPLE=all ./reload 100
json
expect 'site("make_one", "allocations") == 150' 'site("make_two", "allocations") == 150'

# The loader looks beside who called dlopen, which must not be us.
mkdir -p sub
printf 'int below(void) { return 7; }\n' >below.c
cat >beside.c <<'END_C'
#include <dlfcn.h>
int ask(int mode)
{
	void *below = dlopen("libbelow.so", RTLD_NOW | mode);
	int (*f)(void) = below ? (int (*)(void))dlsym(below, "below") : 0;
	return f ? f() : -1;
}
END_C
cat >beside_main.c <<'END_C'
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
int ask(int mode);
int main(void) { printf("%d %d\n", ask(0), ask(RTLD_DEEPBIND)); return 0; }
END_C
compile gcc -shared -fPIC -o sub/libbelow.so below.c
compile gcc -shared -fPIC -o libbeside.so beside.c -Wl,--enable-new-dtags '-Wl,-rpath,$ORIGIN/sub'
compile gcc -o beside_main beside_main.c -L. -lbeside "-Wl,-rpath,$here"
row P15 ./beside_main
equal 7 "$(under '' ./beside_main | head -n 1 | cut -d' ' -f1)" 'what a library beside the caller returns'

row P16 python3 -c 'import _ctypes, sys, threading
for i in range(20):
    try: _ctypes.dlclose(_ctypes.dlopen(sys.argv[1]))
    except OSError: pass # too much static TLS, for one that is not preloaded
    t = threading.Thread(target=lambda: [str(i) for i in range(1000)])
    t.start(); t.join()
print("goes on")' "$LIB"
# hazard: P18 set-user-ID, static and foreign programs are told of (kinds.sh)

# Wrappers are processes of their own, and may be left out.
rm -rf rec
run_shim PERFSHIM_CHILDREN=off "$T/spawn"
equal 1 "$(compgen -G 'rec/*.perfshim' | wc -l)" 'recordings with PERFSHIM_CHILDREN=off'
note_row P20 shim 'as asked'
