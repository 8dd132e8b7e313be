#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# fork: each child has a recording of its own, and the parent keeps its.
. "$E2E/lib.sh"

run_both PERFSHIM_SAMPLE=16K "$T/family"
json
expect 'heap["allocations"] >= 30000' 'heap["allocations"] < 31000'
report
report_has parent_allocate
equal 4 "$(find rec -name '*.perfshim' | wc -l)" 'recordings of a parent and three children'

parent=$(<shim.pid)
for file in rec/*.perfshim; do
	[[ $file == *".$parent."* ]] && continue
	"$B/perfreport" --json -o report.json "$file" || fail "perfreport to read $file"
	expect "process[\"ppid\"] == $parent" 'heap["allocations"] >= 30000' \
		'heap["allocations"] < 31000' 'sites("child_allocate")' \
		'not sites("parent_allocate")'
	# It frees what its parent allocated: the figures add up with what it began with.
	"$B/perfreport" -o text "$file" || fail "perfreport to read $file"
	has "$(<text)" '  inherited by fork: 30\.[0-9] k blocks of the parent' "of $file"
done
hasnt "$(<report)" 'inherited' 'the report of the parent'

# Children that are to be left alone leave nothing.
rm -r rec
run_shim PERFSHIM_CHILDREN=off "$T/family"
same_output
equal 1 "$(find rec -name '*.perfshim' | wc -l)" 'recordings with PERFSHIM_CHILDREN=off'

# On a kernel that empties no page in children (its madvise says no).
if setarch -R strace -o /dev/null -e inject=close:error=EIO:when=1000 true 2>/dev/null; then
	rm -r rec && mkdir rec
	timeout 60 setarch -R strace -f -o /dev/null -e trace=madvise -e inject=madvise:error=EINVAL \
		-E LD_PRELOAD="$LIB" -E PERFSHIM_OUT="$PWD/rec" -E PERFSHIM_REPORT=none -E PERFSHIM_SAMPLE=all "$T/family" >got
	equal 0 $? 'the status without MADV_WIPEONFORK'
	equal 4 "$(find rec -name '*.perfshim' | wc -l)" 'recordings without MADV_WIPEONFORK'
fi

# Constructors that took keys of thread-specific data before anyone allocated:
# some of glibc's first 32, all of them.
cat >keys.c <<'END_C'
#include <pthread.h>
__attribute__((constructor)) static void take(void)
{
	pthread_key_t key;
	for (int i = 0; i < KEYS; i++)
		pthread_key_create(&key, 0);
}
END_C
cat >forks.c <<'END_C'
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
static void *leave(void *p) { return malloc(100); }
int main(void)
{
	void *p = NULL;
	pthread_t thread;
	int status = 0, sum = 0;
	for (int i = 0; i < 20; i++) {
		pthread_create(&thread, NULL, leave, NULL);
		pthread_join(thread, &p);
		free(p);
		if (fork() == 0)
			_exit(malloc(i) == NULL);
		wait(&status);
		sum += status;
	}
	printf("%d\n", sum);
	return 0;
}
END_C
for keys in 1 20 31 32 33 100; do
	gcc -w -shared -fPIC -DKEYS=$keys -o libkeys.so keys.c || fail 'to compile'
	gcc -w -o forks forks.c -L. -Wl,--no-as-needed -lkeys -Wl,-rpath,"$PWD" || fail 'to compile'
	run_bare ./forks
	run_shim timeout -s KILL 60 ./forks
	same_output
done

# 256 forks in a row: what the first allocated is freed by the last.
cat >chain.c <<'END_C'
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
enum { BLOCKS = 100 };
static void *block[BLOCKS];
__attribute__((noinline)) static void *deep(int depth, size_t bytes)
{
	void *volatile made = depth > 0 ? deep(depth - 1, bytes) : malloc(bytes);
	return made;
}
int main(void)
{
	for (int i = 0; i < BLOCKS; i++)
		block[i] = deep(i, 1000);
	for (int i = 0; i < 256; i++) {
		int status = 0;
		if (fork() == 0)
			continue;
		wait(&status);
		if (i == 0)
			printf("%d\n", status);
		fflush(stdout);
		_exit(status != 0);
	}
	for (int i = 0; i < BLOCKS; i++)
		free(block[i]);
	_exit(0);
}
END_C
gcc -w -o chain chain.c || fail 'to compile'
rm -rf rec
run_bare ./chain
PERFSHIM_SAMPLE=all run_shim timeout -s KILL 120 ./chain
same_output
