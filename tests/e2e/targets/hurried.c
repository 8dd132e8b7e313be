/* SPDX-License-Identifier: MIT */
/*
 * hurried - asks for a GiB every few milliseconds: each block is worth a sample
 *
 *   hurried BLOCKS
 *
 * Prints how many bytes that were and how many seconds it took.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { BLOCK_BYTES = 1 << 20 };

static void *volatile block;

static double
seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

__attribute__((noinline)) static void
site_hurried(long blocks)
{
	for (long i = 0; i < blocks; i++) {
		block = malloc(BLOCK_BYTES);
		if (block == NULL)
			abort();
		free(block);
	}
	__asm__ volatile("");
}

int
main(int argc, char **argv)
{
	long blocks = argc > 1 ? atol(argv[1]) : 0;
	double start = seconds();

	site_hurried(blocks);
	printf("%ld %f\n", blocks * BLOCK_BYTES, seconds() - start);
	return 0;
}
