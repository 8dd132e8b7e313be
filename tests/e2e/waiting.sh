#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# waiting: children of a process with one thread have no recording until they
# need one; what they did meanwhile is in it.
. "$E2E/lib.sh"

run_shim "$T/waiting"
lines=rec/small-processes.tsv

# pid_of NAME: what the program printed.
pid_of()
{
	awk -v name="$1" '$1 == name { print $2 }' shim.out
}

# figure NAME FIELD: of the one line that the child left.
figure()
{
	awk -F '\t' -v pid="$(pid_of "$1")" -v field="$2" \
		'$2 == pid { print $field; n++ } END { if (n != 1) print n + 0, "lines" }' "$lines"
}

# child NAME PARENT STATUS ALLOCATIONS
child()
{
	equal "$2" "$(figure "$1" 3)" "the parent of the child $1"
	equal "$3" "$(figure "$1" 4)" "the status of the child $1"
	equal "$4" "$(figure "$1" 11)" "the allocations of the child $1"
}

parent=$(<shim.pid)
child idle "$parent" 3 1
[ "$(figure idle 6)" -ge 300000000 ] || fail 'its time from the fork on' "$(figure idle 6) ns"
child vfork "$parent" 5 1
child parent "$parent" 7 0
child grandchild "$(pid_of parent)" 6 2

# counted NAME LEAST: allocations, a few of libc's own besides.
counted()
{
	local allocations
	allocations=$(figure "$1" 11)
	if [ "$allocations" -lt "$2" ] || [ "$allocations" -gt $(($2 + 10)) ]; then
		fail "all threads of the child $1 to be counted" "$allocations"
	fi
}
counted threads 3000
counted another 1001
equal 0 "$(figure limited 4)" 'the status of a child that limits its addresses'
equal 4 "$(figure another 4)" 'the status of the child that another thread ended'
equal '0 lines' "$(figure killed 2)" 'what a killed child that did nothing leaves'
equal "$(pid_of execs)" "$(figure execs 2)" 'the line of what a child has become'
equal /usr/bin/true "$(readlink -f "$(figure execs 13)")" 'its name'
equal 1 "$(find rec -name '*.perfshim' | wc -l)" 'recordings, the parent'"'"'s alone'

# Threads that a waiting child starts come to a slow path all at once: one of
# them begins the recording, the others may not touch it until it has.
cat >crowd.c <<'END_C'
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
enum { THREADS = 8, CHILDREN = 100, KEPT = 16 };
static pthread_barrier_t all;
static void *allocate(void *unused)
{
	pthread_barrier_wait(&all);
	free(malloc(100));
	return unused;
}
static void warm(size_t bytes)
{
	void *block[KEPT];
	for (int i = 0; i < KEPT; i++)
		block[i] = malloc(bytes);
	for (int i = 0; i < KEPT; i++)
		free(block[i]);
}
int main(void)
{
	pthread_t thread[THREADS];
	int status = 0, sum = 0;
	/* So that pthread_create finds what it allocates in the bins. */
	for (size_t bytes = 16; bytes < 4096; bytes += 16)
		warm(bytes);
	for (int i = 0; i < CHILDREN; i++) {
		if (fork() == 0) {
			pthread_barrier_init(&all, NULL, THREADS);
			for (int k = 0; k < THREADS; k++)
				pthread_create(&thread[k], NULL, allocate, NULL);
			for (int k = 0; k < THREADS; k++)
				pthread_join(thread[k], NULL);
			_exit(0);
		}
		wait(&status);
		sum += status != 0;
	}
	printf("%d failed\n", sum);
	return 0;
}
END_C
gcc -w -pthread -o crowd crowd.c || fail 'to compile'
run_shim timeout -s KILL 120 ./crowd
equal '0 failed' "$(<shim.out)" 'what became of the children'
