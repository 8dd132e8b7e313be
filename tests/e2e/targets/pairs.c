/* SPDX-License-Identifier: MIT */
/*
 * pairs COUNT - mallocs and frees from stacks of up to 20 frames; prints the
 * CPU seconds they took
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { KEPT = 1024 };

__attribute__((noinline)) static void *
allocate(int depth, size_t size)
{
	void *block = depth == 0 ? malloc(size) : allocate(depth - 1, size);

	__asm__ volatile("" : "+r"(block));
	return block;
}

static double
cpu_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

int
main(int argc, char **argv)
{
	static void *kept[KEPT];
	int count = argc == 2 ? atoi(argv[1]) : 0;
	double begun = cpu_now();

	for (int i = 0; i < count; i++) {
		void **slot = &kept[(unsigned)i * 7919u % KEPT];

		free(*slot);
		*slot = allocate(i % 20, 16 + (size_t)i % 200);
	}
	printf("%.6f\n", cpu_now() - begun);
	return 0;
}
