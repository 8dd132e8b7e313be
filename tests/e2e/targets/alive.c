/* SPDX-License-Identifier: MIT */
/*
 * alive - a tide of 64 MiB that goes out again, then three threads that
 * allocate from ever new stacks, in sections, start and end other threads, and
 * fork now and then, until they are killed
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "shim/perfshim.h"

enum { KEPT = 4096, DEPTH = 24, TIDE_BLOCKS = 16, TIDE_BYTES = 4 << 20 };

static unsigned
next(unsigned long *seed)
{
	*seed = *seed * 6364136223846793005ul + 1442695040888963407ul;
	return (unsigned)(*seed >> 33);
}

static void *left(int depth, unsigned long *seed);

__attribute__((noinline)) static void *
right(int depth, unsigned long *seed)
{
	void *block;

	if (depth == 0)
		return malloc(1 + next(seed) % 5000);
	block = next(seed) % 2 ? left(depth - 1, seed) : right(depth - 1, seed);
	__asm__ volatile("" : "+r"(block));
	return block;
}

__attribute__((noinline)) static void *
left(int depth, unsigned long *seed)
{
	void *block;

	if (depth == 0)
		return calloc(1, 1 + next(seed) % 300);
	block = next(seed) % 2 ? left(depth - 1, seed) : right(depth - 1, seed);
	__asm__ volatile("" : "+r"(block));
	return block;
}

static void *
end_at_once(void *block)
{
	free(block);
	return strdup("from a thread that ends");
}

static void
start_another(void)
{
	pthread_t thread;
	void *block;

	if (pthread_create(&thread, NULL, end_at_once, malloc(10)) != 0)
		return;
	pthread_join(thread, &block);
	free(block);
}

static void *
churn(void *number)
{
	static __thread void *kept[KEPT];
	unsigned long seed = (unsigned long)number;

	for (unsigned i = 0;; i++) {
		void **slot = &kept[next(&seed) % KEPT];

		PERFSHIM_SECTION ("turn") {
			free(*slot);
			*slot = left((int)(i / 64 % DEPTH), &seed);
		}
		if (i % 1000 == 0)
			start_another();
	}
	return NULL;
}

/* Far more than the threads ever keep. */
__attribute__((noinline)) static void
tide(void)
{
	char *volatile blocks[TIDE_BLOCKS];

	for (int i = 0; i < TIDE_BLOCKS; i++)
		blocks[i] = malloc(TIDE_BYTES);
	for (int i = 0; i < TIDE_BLOCKS; i++)
		free(blocks[i]);
}

int
main(void)
{
	pthread_t thread;

	tide();
	for (unsigned long i = 1; i <= 3; i++)
		if (pthread_create(&thread, NULL, churn, (void *)i) != 0)
			return 1;
	for (;;) {
		usleep(100000);
		if (fork() == 0)
			_exit(0);
		wait(NULL);
	}
}
