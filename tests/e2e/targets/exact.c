/* SPDX-License-Identifier: MIT */
/*
 * exact - allocations whose counts and bytes are known to the last one
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *volatile sink;

/* 1000 blocks of 24 bytes, all kept. */
__attribute__((noinline)) void
keep_small(void)
{
	for (int i = 0; i < 1000; i++) {
		void **p = malloc(24);

		*p = sink;
		sink = p;
	}
	__asm__ volatile("");
}

/* 500 blocks of 100 bytes, each freed at once. */
__attribute__((noinline)) void
churn(void)
{
	for (int i = 0; i < 500; i++) {
		void *volatile p = malloc(100);

		free(p);
	}
	__asm__ volatile("");
}

/* 7 blocks of 300000 bytes through calloc, all freed. */
__attribute__((noinline)) static void
large_blocks(void)
{
	for (int i = 0; i < 7; i++) {
		void *volatile p = calloc(3, 100000);

		free(p);
	}
	__asm__ volatile("");
}

/* 64 + 128 + ... + 8192 bytes in 8 steps; only the last is freed. */
__attribute__((noinline)) static void
grow(void)
{
	void *volatile p = NULL;

	for (size_t bytes = 64; bytes <= 8192; bytes *= 2)
		p = realloc(p, bytes);
	free(p);
	__asm__ volatile("");
}

/* 10 aligned blocks of 640 bytes, kept. */
__attribute__((noinline)) static void
aligned_blocks(void)
{
	for (int i = 0; i < 10; i++)
		sink = aligned_alloc(64, 640);
	__asm__ volatile("");
}

int
main(void)
{
	keep_small();
	churn();
	large_blocks();
	grow();
	aligned_blocks();
	return sink == NULL;
}
