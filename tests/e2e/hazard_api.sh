#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# hazard_api: the allocation functions answer as glibc's do, and blocks that
# others made or that others free do no harm.
. "$E2E/rows.sh"
need gcc

api=$T/hazard_api
# hazard: B1 the exported set (scripts/check-exports.sh)
row B1 "$api" matrix
row B5 "$api" matrix
row B6 "$api" overflow
row F9 "$api" overcommit
row F10 "$api" mappings
# A limit that the process gives itself, and its child, by the shell's ulimit.
cat >limited.py <<'END_PY'
import resource, subprocess, sys, threading
kept = [bytearray(3 << 20) for _ in range(10)]
resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))
work = lambda out: out.append(sum(len(str(i) * 50) for i in range(20000)))
outs = []
threads = [threading.Thread(target=work, args=(outs,)) for _ in range(8)]
[t.start() for t in threads]
[t.join() for t in threads]
more = [bytearray(5 << 20) for _ in range(20)]
for i in range(200):
    more[i % 20] = bytearray((i % 9 + 1) << 20)
kept.append([str(i) * 20 for i in range(200000)])
def deep(n):
    return n and 1 + deep(n - 1)
sys.setrecursionlimit(5000)
try:
    bytearray(4 << 30)
except MemoryError:
    print("MemoryError")
print(outs, deep(3000), subprocess.check_output(["echo", "child"]))
END_PY
row F9 python3 limited.py
row F9 bash -c 'ulimit -v 200000; f() { [ "$1" = 0 ] || f $(($1 - 1)); }; f 800; ls / | wc -l; x=$(seq 100000); echo ${#x}'
# One that comes from outside, past our setrlimit: seen a moment later.
cat >outside.py <<'END_PY'
import os, subprocess, threading, time
subprocess.run(["prlimit", "--pid", str(os.getpid()), "--as=%d" % (1 << 30)], check=True)
end = time.monotonic() + 1.5
while time.monotonic() < end:
    kept = [str(i) * 1000 for i in range(3000)]
threads = [threading.Thread(target=time.sleep, args=(0.1,)) for _ in range(8)]
[t.start() for t in threads]
[t.join() for t in threads]
print(len(kept))
END_PY
row F9 env PYTHONMALLOC=malloc python3 outside.py
# A process that may lock less than is reserved: its second try comes without.
cat >lock.py <<'END_PY'
import ctypes, re
ctypes.CDLL(None).mlockall(1)
print(int(re.search(r"VmSize:\s*(\d+)", open("/proc/self/status").read()).group(1)) < 1 << 20)
END_PY
need strace
run_shim strace -f -o lock.strace -e inject=mlockall:error=ENOMEM:when=1 python3 lock.py
equal '0 True' "$(<shim.status) $(<shim.out)" 'a process that locks its memory has nothing reserved'
equal 2 "$(grep -c 'mlockall(' lock.strace)" 'two tries to lock all memory'
# hazard: B14 what misuse is found, and how (see damage.sh)
row B7 "$api" alignment
row B8 "$api" zero
row B9 "$api" zero
row B10 "$api" usable
row B11 "$api" statistics
row B12 "$api" libc
row B12 "$api" obstack
row B15 "$api" large
row B16 "$api" zeroed
row B17 "$api" frees
row B18 "$api" frees

# ---- another allocator in the program ---------------------------------------

cat >own.c <<'END_C'
#include <jemalloc/jemalloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
int main(void)
{
	for (int i = 1; i < 20000; i++) {
		char *a = malloc(i), *b = mallocx(i, 0);
		memset(a, 1, i);
		memset(b, 1, i);
		free(a);
		dallocx(b, 0);
		b = rallocx(mallocx(10, 0), i, 0);
		sdallocx(b, i, 0);
		free(strdup("of libc"));
	}
	puts("ok");
	return 0;
}
END_C
# Linked in, its malloc comes first in the program, and ours is not called.
row_leaves=nothing
if gcc -O1 -o own own.c -Wl,-Bstatic -ljemalloc -Wl,-Bdynamic -lstdc++ -lm -lpthread 2>compile.log; then
	row_leaves=nothing
	row B2 ./own
fi
# It has its malloc, and not all that gives back what that gave out.
cat >bring.cc <<'END_C'
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>
#include <string>
static char heap[1 << 22];
static std::size_t used;
static long freed;
extern "C" {
void *malloc(std::size_t n)
{
	std::size_t at = used;
	used += (n + 47) / 16 * 16;
	if (used > sizeof(heap))
		abort();
	memcpy(heap + at, &n, sizeof(n));
	return heap + at + 16;
}
void free(void *p) { freed += p != nullptr; }
void *calloc(std::size_t n, std::size_t size) { return malloc(n * size); }
void *realloc(void *p, std::size_t n)
{
	void *block = malloc(n);
	if (p != nullptr)
		memcpy(block, p, n < ((std::size_t *)p)[-2] ? n : ((std::size_t *)p)[-2]);
	return block;
}
}
int main()
{
	volatile std::size_t n = 10;
	char *text = static_cast<char *>(reallocarray(strdup("text"), n, 20));
	long before = freed;
	::operator delete(malloc(n), n);
	free(::operator new(n));
	::operator delete[](::operator new[](n));
	delete new std::string(100, 'x');
	std::printf("%s %ld\n", text, freed - before);
}
END_C
if [ -n "$(command -v g++)" ]; then
	compile g++ -O1 -w -o bring bring.cc
	row_leaves=nothing
	row B2 ./bring
	run_shim ./bring
	report
	report_has 'brings a malloc of its own (.*bring)'
	# What the demangler allocates is the program's, too.
	compile g++ -O1 -w -finstrument-functions -rdynamic -o bring bring.cc
	LD_PRELOAD=$LIB PERFSHIM_REPORT=stderr ./bring >got 2>err
	equal 0 $? 'the status of a program with a malloc of its own and C++ names'
	has "$(<err)" 'brings a malloc of its own'
fi
# As a library, its malloc comes after ours and its mallocx is its own.
if gcc -O1 -o own_so own.c -ljemalloc 2>compile.log; then
	row B2 ./own_so
fi

# ---- libraries that do not see us --------------------------------------------

cat >deep.c <<'END_C'
#include <stdlib.h>
#include <string.h>
#include <stdio.h>
static char *made;
__attribute__((constructor)) static void first(void) { made = strdup("early"); free(strdup("x")); }
char *deep_make(void) { return strcpy(malloc(100), "made below"); }
char *deep_dup(const char *text) { return strdup(text); }
void deep_end(void *block) { free(block); }
void *deep_grow(void *block) { return realloc(block, 5000); }
__attribute__((destructor)) static void last(void) { free(made); }
END_C
cat >deep_main.c <<'END_C'
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
int main(int argc, char **argv)
{
	void *deep = strcmp(argv[1], "dlmopen") == 0
			 ? dlmopen(LM_ID_NEWLM, "./deep.so", RTLD_NOW)
		     : strcmp(argv[1], "base") == 0
			 ? dlmopen(LM_ID_BASE, "./deep.so", RTLD_NOW | RTLD_DEEPBIND)
			 : dlopen("./deep.so", RTLD_NOW | RTLD_DEEPBIND);
	char *(*make)(void) = (char *(*)(void))dlsym(deep, "deep_make");
	char *(*dup)(const char *) = (char *(*)(const char *))dlsym(deep, "deep_dup");
	void (*end)(void *) = (void (*)(void *))dlsym(deep, "deep_end");
	void *(*grow)(void *) = (void *(*)(void *))dlsym(deep, "deep_grow");
	for (int i = 0; i < 1000; i++) {
		if (strstr(argv[2], "up")) {
			free(make());
			free(dup("up"));
			free(realloc(make(), 3000));
		}
		if (strstr(argv[2], "down")) {
			end(strdup("down"));
			end(grow(malloc(10)));
		}
		end(make());
		end(dup("inside"));
	}
	dlclose(deep);
	puts("ok");
	return 0;
}
END_C
compile gcc -O1 -shared -fPIC -o deep.so deep.c
compile gcc -O1 -o deep_main deep_main.c -ldl
row B3 ./deep_main deep up
row B3 ./deep_main deep up,down
row B3 ./deep_main base up,down
# Blocks that cross to or from another libc kill a program without us, too.
row B4 ./deep_main dlmopen inside

# ---- glibc's own switches ----------------------------------------------------

row B13 MALLOC_PERTURB_=165 MALLOC_CHECK_=3 GLIBC_TUNABLES=glibc.malloc.check=3 "$api" libc
debug=$(find /lib/*-linux-gnu /usr/lib/*-linux-gnu -name libc_malloc_debug.so.0 2>/dev/null | head -n 1)
if [ -n "$debug" ]; then
	row_after=$debug
	row B13 MALLOC_CHECK_=3 "$api" libc
	row_before=$debug row_leaves=nothing
	row B13 MALLOC_CHECK_=3 "$api" libc
fi
