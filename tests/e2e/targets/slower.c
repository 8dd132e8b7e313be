/* SPDX-License-Identifier: MIT */
/*
 * slower - a program that is made slower and fatter on purpose
 *
 *	slower [THOUSANDS [KIB [STATUS]]]
 *
 * Does so many thousands of dependent multiplications (1000: some 1 ms) in a
 * section "work", keeps so many KiB of heap, exits with STATUS.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "shim/perfshim.h"

int
main(int argc, char **argv)
{
	long thousands = argc > 1 ? atol(argv[1]) : 1000;
	long kib = argc > 2 ? atol(argv[2]) : 100;
	volatile uint64_t seed = 88172645463325252u;
	uint64_t x = seed;
	char **blocks = calloc((size_t)kib + 1, sizeof(*blocks));

	PERFSHIM_SECTION ("work") {
		for (long i = 0; i < thousands * 1000; i++)
			x = x * 6364136223846793005u + 1442695040888963407u;
	}
	for (long i = 0; i < kib; i++) {
		blocks[i] = malloc(1024);
		memset(blocks[i], (int)x, 1024);
		__asm__ volatile("" : : "r"(blocks) : "memory");
	}
	seed = x;
	return argc > 3 ? atoi(argv[3]) : 0;
}
