/* SPDX-License-Identifier: MIT */
/*
 * capture - allocates from stacks of 30 frames that are all known, between two
 * calls of getpriority, and says what happened meanwhile besides
 *
 * Its own malloc is in front of every other: whoever allocates while a stack is
 * captured is counted, too.
 */
#include <dirent.h>
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { DEPTH = 30, BLOCKS = 10000 };

static unsigned long calls;

void *
malloc(size_t size)
{
	static void *(*next)(size_t);

	if (next == NULL)
		next = (void *(*)(size_t))dlsym(RTLD_NEXT, "malloc");
	calls++;
	return next(size);
}

static int
count_descriptors(void)
{
	DIR *directory = opendir("/proc/self/fd");
	int count = 0;

	while (readdir(directory) != NULL)
		count++;
	closedir(directory);
	return count;
}

__attribute__((noinline)) static int
allocate(int depth, int blocks)
{
	int below = 0;

	if (depth > 1)
		below = allocate(depth - 1, blocks);
	for (int i = 0; depth == 1 && i < blocks; i++) {
		void *block = malloc(48);

		__asm__ volatile("" : : "r"(block) : "memory");
		free(block);
	}
	__asm__ volatile("" : "+r"(below));
	return below + 1;
}

/* From one place, so that the second time every frame is known. */
__attribute__((noinline)) static void
both_times(void)
{
	unsigned long before = 0;

	for (volatile int i = 0; i < 2; i++) {
		if (i == 1) {
			before = calls;
			syscall(SYS_getpriority, 0, 0);
		}
		allocate(DEPTH, BLOCKS);
	}
	syscall(SYS_getpriority, 0, 0);
	printf("%lu allocations besides\n", calls - before - BLOCKS);
}

int
main(void)
{
	int descriptors = count_descriptors();

	both_times();
	printf("%d descriptors more\n", count_descriptors() - descriptors);
	return 0;
}
