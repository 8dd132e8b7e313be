/* SPDX-License-Identifier: MIT */
/*
 * labels - blocks of 1000 bytes by known threads in known sections
 *
 * labels N: N threads at once, 10 blocks each, then one more.
 */
#include <pthread.h>
#include <stdlib.h>

#include "shim/perfshim.h"

static void *volatile sink;

__attribute__((noinline)) static void
keep(int blocks)
{
	for (int i = 0; i < blocks; i++)
		sink = malloc(1000);
	__asm__ volatile("");
}

static void *
read_all(void *unused)
{
	pthread_setname_np(pthread_self(), "reader");
	PERFSHIM_SECTION ("parse")
		keep(100);
	keep(50);
	return unused;
}

static void *
write_all(void *unused)
{
	pthread_setname_np(pthread_self(), "writer");
	PERFSHIM_SECTION ("build")
		keep(30);
	return unused;
}

static pthread_barrier_t all_are_there;

static void *
work(void *barrier)
{
	pthread_setname_np(pthread_self(), "worker");
	PERFSHIM_SECTION ("work")
		keep(10);
	if (barrier != NULL)
		pthread_barrier_wait(barrier);
	return NULL;
}

static int
many(unsigned count)
{
	pthread_t thread[256];

	if (count > 256 || pthread_barrier_init(&all_are_there, NULL, count))
		return 1;
	for (unsigned i = 0; i < count; i++)
		if (pthread_create(&thread[i], NULL, work, &all_are_there) != 0)
			return 1;
	for (unsigned i = 0; i < count; i++)
		pthread_join(thread[i], NULL);
	if (pthread_create(&thread[0], NULL, work, NULL) != 0)
		return 1;
	pthread_join(thread[0], NULL);
	return 0;
}

int
main(int argc, char **argv)
{
	void *(*const start[])(void *) = {read_all, write_all};
	pthread_t thread;

	if (argc > 1)
		return many((unsigned)atoi(argv[1]));
	/* The second begins when the first has left everything to others. */
	for (int i = 0; i < 2; i++) {
		if (pthread_create(&thread, NULL, start[i], NULL) != 0)
			return 1;
		pthread_join(thread, NULL);
	}
	PERFSHIM_SECTION ("parse")
		keep(10);
	return 0;
}
