#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# hazard_early: what happens before main, and before our own constructor.
. "$E2E/rows.sh"
need gcc

# A library whose constructor comes before ours, as every library's does.
cat >first.c <<'END_C'
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
extern char **environ;
static void *(*volatile make)(size_t) = malloc;
void *kept[6000];
static pthread_key_t keys[40];
static int ended;
static void *ask(void *unused)
{
	for (int i = 0; i < 500; i++) {
		dlsym(RTLD_NEXT, "no_such_symbol");
		dlerror();
		free(make(i));
	}
	return unused;
}
/* Each thread has a value of each key, and so memory that libc made for them. */
void set_keys(void)
{
	for (int i = 0; i < 40 && keys[39] != 0; i++)
		pthread_setspecific(keys[i], make(i));
}
static void at_end(void) { ended++; }
static void last(void) { if (ended != 100) _exit(9); }
__attribute__((constructor)) static void first(void)
{
	pthread_t thread[4];
	const char *what = getenv("FIRST");
	if (what == NULL)
		return;
	if (strstr(what, "atexit")) {
		atexit(last);
		for (int i = 0; i < 100; i++)
			atexit(at_end);
	}
	if (strstr(what, "malloc"))
		for (int i = 0; i < 6000; i++)
			kept[i] = calloc(1, i % 300);
	if (strstr(what, "keys"))
		for (int i = 0; i < 40; i++) {
			pthread_key_create(&keys[i], free);
			pthread_setspecific(keys[i], make(i));
		}
	if (strstr(what, "dlsym")) {
		for (int i = 0; i < 4; i++)
			pthread_create(&thread[i], NULL, ask, NULL);
		for (int i = 0; i < 4; i++)
			pthread_join(thread[i], NULL);
	}
	if (strstr(what, "environ"))
		environ = NULL;
}
int first_is_linked(void) { return 1; }
END_C
cat >first_main.c <<'END_C'
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
int first_is_linked(void);
void set_keys(void);
static void *(*volatile make)(size_t) = malloc;
static void *work(void *unused)
{
	set_keys();
	for (int i = 0; i < 1000; i++)
		free(make(i));
	return unused;
}
int main(void)
{
	pthread_t thread[8];
	for (int i = 0; i < 8; i++)
		pthread_create(&thread[i], NULL, work, NULL);
	for (int i = 0; i < 8; i++)
		pthread_join(thread[i], NULL);
	printf("%d\n", first_is_linked());
	return 0;
}
END_C
compile gcc -O2 -shared -fPIC -o libfirst.so first.c
compile gcc -O2 -o first_main first_main.c -L. -lfirst "-Wl,-rpath,$PWD"

row A1 FIRST=malloc ./first_main
run_shim FIRST=malloc ./first_main
json
expect 'heap["allocations"] >= 14000'
row A2 FIRST=dlsym ./first_main

# Nothing of this program's allocates: what is counted would be our own start,
# which opens a library inside the guard.
cat >nothing.c <<'END_C'
int main(void) { return 0; }
END_C
compile gcc -O2 -o nothing nothing.c
row A3 ./nothing
run_shim PERFSHIM_SAMPLE=all ./nothing
json
expect 'heap["allocations"] == 0'

ulimit -S -s 256
row A4 "$T/hazard_api" stack
ulimit -S -s 8192
calls=$(readelf -rW "$LIB" | grep -E 'JUMP_SLO|GLOB_DAT' |
	grep -wE 'malloc|calloc|realloc|free|memalign|posix_memalign|aligned_alloc' | awk '{ print $5 }')
equal '' "$calls" 'calls of our own allocation functions through the loader'

# A resolver of an indirect function runs before we are relocated.
cat >resolver.c <<'END_C'
#include <errno.h>
#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
enum { EARLY = 10000 };
static const volatile size_t none = SIZE_MAX;
static char *early[EARLY];
static void *aligned, *zeroed, *asked;
static char *grown, *copied, *spread;
static int refused;
static int answer(void) { return 42; }
static void *resolve(void)
{
	for (int i = 0; i < EARLY; i++) {
		early[i] = malloc(20);
		if (early[i] != NULL)
			early[i][0] = early[i][19] = (char)i;
	}
	aligned = memalign(256, 10);
	zeroed = calloc(10, 10);
	free(malloc(30));
	grown = malloc(10);
	for (int i = 0; i < 10; i++)
		grown[i] = (char)i;
	grown = realloc(grown, 3000);
	copied = strdup("early");
	spread = reallocarray(NULL, 10, 10);
	refused = posix_memalign(&asked, 3, 10) == EINVAL && posix_memalign(&asked, 64, 10) == 0 &&
		  calloc(none, 3) == NULL && malloc(none) == NULL && memalign(none / 2 + 2, 10) == NULL &&
		  memalign(none / 2 + 1, 10) == NULL && memalign(none / 2 + 1, 10) == NULL && malloc(10) != NULL;
	return answer;
}
/* Within the library, so that it is asked for when the library is relocated. */
static int chosen(void) __attribute__((ifunc("resolve")));
int indirect(void) { return chosen(); }
int check_early(void)
{
	for (int i = 0; i < EARLY; i++) {
		if (early[i] == NULL || malloc_usable_size(early[i]) < 20 || (uintptr_t)early[i] % 16 != 0)
			return 1;
		if (i % 3 == 0)
			early[i] = realloc(early[i], 5000);
		if (early[i][0] != (char)i || early[i][19] != (char)i)
			return 2;
		free(early[i]);
	}
	for (int i = 0; i < 10; i++)
		if (grown[i] != (char)i)
			return 3;
	if (strcmp(copied, "early") != 0 || (uintptr_t)asked % 64 != 0 || !refused)
		return 4;
	copied = realloc(copied, 100000);
	if (strcmp(copied, "early") != 0)
		return 5;
	free(aligned);
	free(zeroed);
	free(asked);
	free(grown);
	free(copied);
	free(spread);
	return (uintptr_t)aligned % 256 == 0 ? 0 : 6;
}
END_C
cat >resolver_main.c <<'END_C'
#include <stdio.h>
int indirect(void);
int check_early(void);
int main(void) { printf("%d %d\n", indirect(), check_early()); return 0; }
END_C
compile gcc -O1 -shared -fPIC -Wl,-z,lazy -o libresolver.so resolver.c
compile gcc -O1 -Wl,-z,lazy -o resolver_main resolver_main.c -L. -lresolver "-Wl,-rpath,$PWD"
readelf -rW libresolver.so | grep -q R_X86_64_IRELATIVE ||
	fail 'a library whose resolver runs when it is relocated' "$(readelf -rW libresolver.so)"
row_modes+=(PERFSHIM_HARDEN=full)
row A5 ./resolver_main
row A5 LD_BIND_NOW=1 ls /usr
row_modes+=(PERFSHIM_HARDEN=full)
row A8 ./resolver_main

# Settings are there before any constructor, and survive a program without any.
row A6 FIRST=malloc,environ ./first_main
for what in malloc malloc,environ; do
	run_shim FIRST=$what PERFSHIM_SAMPLE=all PERFSHIM_DEPTH=7 ./first_main
	json
	expect 'sampling["mode"] == "all"' 'heap["allocations"] >= 14000'
done

row A7 "$T/hazard_threads" small
row A7 python3 -c 'import ctypes, sys
try: ctypes.CDLL(sys.argv[1])
except OSError: pass
print("goes on")' "$LIB"
# hazard: A12 bound at load (scripts/check-exports.sh)

for order in before after; do
	for library in /usr/lib/*-linux-gnu/faketime/libfaketime.so.1 /usr/lib/*-linux-gnu/libfakeroot/libfakeroot-0.so \
		/usr/lib/*-linux-gnu/libeatmydata.so; do
		[ -e "$library" ] || continue
		for command in 'date +%Y' 'id -u' 'sh -c "ls /usr | sort"'; do
			eval "set -- $command"
			declare "row_$order=$library"
			row_seconds=10 row_compare_seconds=3
			row A9 FAKETIME='@2020-01-02 00:00:00' "$@"
		done
	done
done

row A10 FIRST=atexit ./first_main
row A11 FIRST=keys ./first_main

# The library is replaced while programs start with it.
cp "$LIB" libperfshim.so
installer()
{
	local i
	for ((i = 0; i < 15; i++)); do
		B=$B DESTDIR=$PWD/dest PREFIX=/p "$E2E/../../scripts/install.sh" >/dev/null || return 1
	done
}
installer_once=$(B=$B DESTDIR=$PWD/dest PREFIX=/p "$E2E/../../scripts/install.sh" 2>&1) ||
	fail 'install.sh to succeed' "$installer_once"
installer &
here=$PWD
while kill -0 $! 2>/dev/null; do
	LD_PRELOAD=$here/dest/p/lib/libperfshim.so PERFSHIM_REPORT=none /bin/true 2>replaced.err ||
		fail 'a program to start while the library is replaced' "$(<replaced.err)"
	equal '' "$(<replaced.err)" 'what the loader says while the library is replaced'
done
wait $! || fail 'install.sh to succeed again and again'
note_row A13 shim 'as without'
