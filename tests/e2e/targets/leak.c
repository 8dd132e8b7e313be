/* SPDX-License-Identifier: MIT */
/*
 * leak - forgets what it allocates, until there is nothing left to be had
 *
 *   leak small|large [PAUSE_US]
 *
 * Beside the leak it keeps a working set and allocates and frees as programs
 * do.  When an allocation fails it aborts, as programs do.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shim/perfshim.h"

enum { WORKING_SET = 1000 };

static void *kept[WORKING_SET];

__attribute__((noinline)) static void *
must_have(void *block)
{
	if (block == NULL)
		abort();
	return block;
}

__attribute__((noinline)) static void
forget(size_t bytes)
{
	void *block = must_have(malloc(bytes));

	memset(block, 1, bytes);
	__asm__ volatile("" : : "r"(block) : "memory");
}

__attribute__((noinline)) static void
work(unsigned i)
{
	free(kept[i % WORKING_SET]);
	kept[i % WORKING_SET] = must_have(malloc(64 + i % 1000));
}

int
main(int argc, char **argv)
{
	size_t bytes =
	    argc > 1 && strcmp(argv[1], "large") == 0 ? 300000 : 1000;
	useconds_t pause_us = argc > 2 ? (useconds_t)atoi(argv[2]) : 0;

	for (unsigned i = 0;; i++) {
		PERFSHIM_SECTION ("round") {
			work(i);
			if (i % 10 == 0)
				PERFSHIM_ERROR("round");
			forget(bytes);
		}
		if (pause_us != 0)
			usleep(pause_us);
	}
}
