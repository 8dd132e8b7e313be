/* SPDX-License-Identifier: MIT */
/*
 * sampled - enough allocations of many sizes to test the estimates
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { SLOTS = 1000 };

static void *volatile slot[SLOTS];
static uint32_t state = 12345;

static uint32_t
next(void)
{
	state ^= state << 13;
	state ^= state >> 17;
	state ^= state << 5;
	return state;
}

/* n blocks of 1..2*mean bytes; returns the bytes. */
__attribute__((noinline)) static uint64_t
site_small(int n)
{
	uint64_t bytes = 0;

	for (int i = 0; i < n; i++) {
		size_t size = 1 + next() % 256;

		free(slot[i % SLOTS]);
		slot[i % SLOTS] = malloc(size);
		bytes += size;
	}
	__asm__ volatile("");
	return bytes;
}

__attribute__((noinline)) static uint64_t
site_medium(int n)
{
	uint64_t bytes = 0;

	for (int i = 0; i < n; i++) {
		size_t size = 1 + next() % 8192;

		free(slot[i % SLOTS]);
		slot[i % SLOTS] = malloc(size);
		bytes += size;
	}
	__asm__ volatile("");
	return bytes;
}

int
main(void)
{
	uint64_t small = site_small(400000);
	uint64_t medium = site_medium(20000);

	printf("%llu %llu\n", (unsigned long long)small,
	       (unsigned long long)medium);
	return 0;
}
