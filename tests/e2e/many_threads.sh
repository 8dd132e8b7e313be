#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# 100 000 short threads leave nothing behind, and threads on all cores do at
# least what one does.
. "$E2E/lib.sh"

run_shim "$T/bend" short 50000
equal 0 "$(<shim.status)" 'the status of 100 000 threads'
read -r kib maps <shim.out
[ "$kib" -le 1024 ] || fail 'at most 1 MiB more after 90 000 threads than after 10 000' "$kib KiB"
[ "$maps" -le 20 ] || fail 'no mappings that stay' "$maps more"
json
expect 'process["threads"] >= 100000'

run_shim "$T/bend" scaling
percent=$(<shim.out)
[ "$percent" -ge 90 ] || fail "all cores' threads to do what one does" "$percent %"

# More threads at a time than the recording has rows for: each that has none is
# told once, however often it allocates, and so is each row.
cat >crowd.c <<'END_C'
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
enum { THREADS = 2300, PAIRS = 200, STACK_BYTES = 65536 };
static pthread_barrier_t all;
static pthread_t thread[THREADS];
static void *allocate(void *unused)
{
	pthread_barrier_wait(&all);
	for (int i = 0; i < PAIRS; i++) {
		void *volatile block = malloc(100 + i);
		free(block);
	}
	pthread_barrier_wait(&all);
	return unused;
}
int main(void)
{
	pthread_attr_t attributes;
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK_BYTES);
	pthread_barrier_init(&all, NULL, THREADS);
	for (int i = 0; i < THREADS; i++)
		if (pthread_create(&thread[i], &attributes, allocate, NULL) != 0)
			exit(77);
	for (int i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
	puts("done");
	return 0;
}
END_C
gcc -w -pthread -o crowd crowd.c || fail 'to compile'
rm -rf rec
run_shim ./crowd
[ "$(<shim.status)" = 77 ] && skip 'no 2300 threads here'
equal 'done' "$(<shim.out)" 'what it prints'
report
for lost in 'threads that found no row' 'rows that found no room in a table'; do
	has "$text" "  [1-9][0-9]?[0-9]? $lost" 'the report'
done
