/* SPDX-License-Identifier: MIT */
/*
 * labels - blocks of 1000 bytes by known threads in known sections
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

int
main(void)
{
	void *(*const start[])(void *) = {read_all, write_all};
	pthread_t thread;

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
