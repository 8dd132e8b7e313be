/* SPDX-License-Identifier: MIT */
/*
 * sections - marked regions: nested, recursive, left early, in threads
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "shim/perfshim.h"

enum { THREADS = 4 };

static void *volatile sink;

static void
sleep_ms(int ms)
{
	struct timespec t = {0, ms * 1000000L};

	nanosleep(&t, NULL);
}

static int
recursive(int depth)
{
	int result = 0;

	PERFSHIM_BEGIN("recursive");
	sleep_ms(2);
	if (depth > 1)
		result = recursive(depth - 1);
	PERFSHIM_END("recursive");
	return result + depth;
}

static int
leaves_early(int i)
{
	PERFSHIM_SECTION ("early") {
		if (i % 3 == 0)
			return i;
		if (i % 3 == 1)
			break;
		if (i % 3 == 2)
			goto out;
	}
	return 1;
out:
	return 2;
}

static int
whole_function(void)
{
	PERFSHIM_FUNCTION();
	return 7;
}

/* Its last act is to leave the section. */
__attribute__((noinline)) static void
ends_with_it(void)
{
	PERFSHIM_SECTION ("ends_with_it") {
		sink = NULL;
	}
}

static void *
in_thread(void *argument)
{
	for (int i = 0; i < 100; i++) {
		PERFSHIM_SECTION ("in_threads") {
			sink = malloc(1000);
			free(sink);
		}
	}
	return argument;
}

int
main(void)
{
	pthread_t thread[THREADS];
	int sum = 0;

	for (int i = 0; i < 5; i++) {
		PERFSHIM_SECTION ("outer") {
			sleep_ms(4);
			PERFSHIM_SECTION ("inner") {
				sleep_ms(6);
			}
		}
	}
	for (int i = 0; i < 10; i++)
		sum += recursive(3);
	for (int i = 0; i < 30; i++)
		sum += leaves_early(i);
	for (int i = 0; i < 12; i++)
		sum += whole_function();
	for (int i = 0; i < 7; i++)
		ends_with_it();
	PERFSHIM_SECTION ("allocates") {
		for (int i = 0; i < 50; i++) {
			sink = malloc(200);
			free(sink);
		}
	}
	for (int i = 0; i < THREADS; i++)
		pthread_create(&thread[i], NULL, in_thread, NULL);
	for (int i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
	printf("%d\n", sum);
	return 0;
}
