/* SPDX-License-Identifier: MIT */
/*
 * bench_malloc - what a malloc and its free cost, in one thread, by size
 *
 * pair:  a block is freed before the next one is asked for, so that nothing but
 *        the fast paths runs.
 * batch: a thousand blocks, then a thousand frees in the same order, so that
 *        free lists grow and shrink and blocks leave the first-level cache.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/bench/rivals.h"

enum { BATCH = 1000 };

#define MIN_S 0.06

static void
use(void *block)
{
	__asm__ volatile("" : : "r"(block) : "memory");
}

static void
pairs(size_t size, int count)
{
	for (int i = 0; i < count; i++) {
		void *block = malloc(size);

		use(block);
		free(block);
	}
}

static void
batches(size_t size, int count)
{
	static void *blocks[BATCH];

	for (int i = 0; i < count; i += BATCH) {
		for (int k = 0; k < BATCH; k++) {
			blocks[k] = malloc(size);
			*(char *)blocks[k] = 1;
		}
		for (int k = 0; k < BATCH; k++)
			free(blocks[k]);
	}
}

/* Nanoseconds of one, after a warm-up, over at least MIN_S. */
static void
work(const char *kind, size_t size)
{
	void (*loop)(size_t, int) = kind[0] == 'p' ? pairs : batches;
	double begun;
	double elapsed;
	double count = 0;

	loop(size, 20 * BATCH);
	begun = bench_now_s();
	do {
		loop(size, 10 * BATCH);
		count += 10 * BATCH;
		elapsed = bench_now_s() - begun;
	} while (elapsed < MIN_S);
	printf("%.4f\n", elapsed * 1e9 / count);
}

int
main(int argc, char **argv)
{
	static const char *const sizes[] = {"16", "64", "256", "1024", "32768"};
	static const char *const kinds[] = {"pair", "batch"};
	enum { SIZES = 5, CASES = 2 * SIZES };
	static char names[CASES][24];
	struct bench_case cases[CASES];

	if (argc == 3) {
		work(argv[1], strtoul(argv[2], NULL, 10));
		return 0;
	}
	for (int i = 0; i < CASES; i++) {
		const char *kind = kinds[i / SIZES];
		const char *size = sizes[i % SIZES];

		snprintf(names[i], sizeof(names[i]), "%s %s B", kind, size);
		cases[i] =
		    (struct bench_case){names[i], {NULL, kind, size, NULL}};
	}
	rivals_compare(cases, CASES, 9, FIGURE_VALUE, "malloc + free, ns",
		       FIGURES);
	return 0;
}
