/* SPDX-License-Identifier: MIT */
/*
 * bench_remote - blocks that another thread frees, by size
 *
 * One thread allocates bundles and hands them through a ring to another one,
 * which frees them: what a malloc and a remote free cost together, with the
 * cache misses of the hand-over, which are the same for all.  `touch` writes
 * the first byte on both sides, as a program would.
 */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/bench/rivals.h"

enum { BUNDLE = 100, RING = 16, BYTES = 1 << 30, BLOCKS_MAX = 3000000 };

static _Atomic(char **) ring[RING];
static char *bundles[RING][BUNDLE];

static void
wait_until(_Atomic(char **) *slot, bool is_full)
{
	while ((atomic_load(slot) != NULL) != is_full)
		sched_yield();
}

static void *
free_all(void *count)
{
	long bundle_count = *(const long *)count;

	for (long i = 0; i < bundle_count; i++) {
		_Atomic(char **) *slot = &ring[i % RING];
		char **bundle;

		wait_until(slot, true);
		bundle = atomic_load(slot);
		for (int k = 0; k < BUNDLE; k++) {
			bundle[k][0]++;
			free(bundle[k]);
		}
		atomic_store(slot, NULL);
	}
	return NULL;
}

static void
allocate_all(size_t size, long bundle_count)
{
	for (long i = 0; i < bundle_count; i++) {
		_Atomic(char **) *slot = &ring[i % RING];
		char **bundle = bundles[i % RING];

		wait_until(slot, false);
		for (int k = 0; k < BUNDLE; k++) {
			bundle[k] = malloc(size);
			bundle[k][0] = 1;
		}
		atomic_store(slot, bundle);
	}
}

/* Nanoseconds a block. */
static double
hand_over(size_t size, long blocks)
{
	long count = blocks / BUNDLE;
	double begun = bench_now_s();
	pthread_t thread;

	if (pthread_create(&thread, NULL, free_all, &count) != 0)
		abort();
	allocate_all(size, count);
	pthread_join(thread, NULL);
	return (bench_now_s() - begun) * 1e9 / (double)(count * BUNDLE);
}

int
main(int argc, char **argv)
{
	static const char *const sizes[] = {"16",   "32",   "64",    "128",
					    "256",  "512",  "1024",  "2048",
					    "4096", "8192", "16384", "32768"};
	enum { CASES = sizeof(sizes) / sizeof(*sizes) };
	struct bench_case cases[CASES];
	static char names[CASES][24];

	if (argc == 2) {
		size_t size = strtoul(argv[1], NULL, 10);
		long blocks = BYTES / (long)size;

		blocks = blocks > BLOCKS_MAX ? BLOCKS_MAX : blocks * 4;
		(void)hand_over(size, blocks / 20);
		printf("%.3f\n", hand_over(size, blocks));
		return 0;
	}
	for (int i = 0; i < CASES; i++) {
		snprintf(names[i], sizeof(names[i]), "%s B", sizes[i]);
		cases[i] =
		    (struct bench_case){names[i], {NULL, sizes[i], NULL}};
	}
	rivals_compare(cases, CASES, 7, FIGURE_VALUE,
		       "malloc + remote free, ns", FIGURE_RSS);
	return 0;
}
