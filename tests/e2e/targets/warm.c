/* SPDX-License-Identifier: MIT */
/*
 * warm - what marks ask of the kernel and what memory they take
 *
 *	warm calls		two threads; getsid() stands around the warm
 *loop warm memory THREADS SECTIONS CALLS
 *
 * Both print one line.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "shim/perfshim.h"

enum { PAIRS = 400000, THREADS_MAX = 64, SECTIONS_MAX = 512 };

static double
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

static void
pairs(int count)
{
	for (int i = 0; i < count; i++) {
		PERFSHIM_SECTION ("outer") {
			PERFSHIM_BEGIN("inner");
			__asm__ volatile("" : : : "memory");
			PERFSHIM_END("inner");
		}
	}
}

/* Milliseconds of the warm loop. */
static void *
marks(void *ms)
{
	double begun;

	pairs(1000);
	begun = now_ms();
	syscall(SYS_getsid, 0);
	pairs(PAIRS);
	syscall(SYS_getsid, 0);
	*(double *)ms = now_ms() - begun;
	return NULL;
}

static int
calls(void)
{
	pthread_t thread;
	double first;
	double second;

	pthread_create(&thread, NULL, marks, &first);
	marks(&second);
	pthread_join(thread, NULL);
	printf("%d %.0f\n", PAIRS, first > second ? first : second);
	return 0;
}

/* ---- memory ------------------------------------------------------------- */

typedef void mark_function(const char *name);

static mark_function *begin, *end;
static char names[SECTIONS_MAX][24];
static int sections, repeats;
static pthread_barrier_t started, marked, measured;

static void *
marks_all(void *nothing)
{
	pthread_barrier_wait(&started);
	for (int k = 0; k < repeats; k++) {
		for (int i = 0; i < sections; i++) {
			begin(names[i]);
			/* From nothing to a microsecond: many buckets. */
			for (volatile int spin = 0; spin < k * 8; spin++)
				;
			end(names[i]);
		}
	}
	pthread_barrier_wait(&marked);
	pthread_barrier_wait(&measured);
	return nothing;
}

static long
resident_bytes(void)
{
	long pages = 0;
	FILE *statm = fopen("/proc/self/statm", "r");

	if (statm == NULL || fscanf(statm, "%*d %ld", &pages) != 1)
		abort();
	fclose(statm);
	return pages * sysconf(_SC_PAGESIZE);
}

static int
memory(int threads)
{
	pthread_t thread[THREADS_MAX];
	long before;

	pthread_barrier_init(&started, NULL, (unsigned)threads + 1);
	pthread_barrier_init(&marked, NULL, (unsigned)threads + 1);
	pthread_barrier_init(&measured, NULL, (unsigned)threads + 1);
	for (int i = 0; i < threads; i++)
		pthread_create(&thread[i], NULL, marks_all, NULL);
	before = resident_bytes();
	pthread_barrier_wait(&started);
	pthread_barrier_wait(&marked);
	printf("%ld\n", resident_bytes() - before);
	pthread_barrier_wait(&measured);
	for (int i = 0; i < threads; i++)
		pthread_join(thread[i], NULL);
	return 0;
}

/* By name, because a mark in the source is one section. */
static int
find_marks(void)
{
	*(void **)&begin = perfshim_find_(NULL, "perfshim_begin");
	*(void **)&end = perfshim_find_(NULL, "perfshim_end");
	for (int i = 0; i < SECTIONS_MAX; i++)
		snprintf(names[i], sizeof(names[i]), "section %d", i);
	return begin != NULL && end != NULL;
}

int
main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "calls") == 0)
		return calls();
	if (argc != 5 || strcmp(argv[1], "memory") != 0 || !find_marks())
		return 2;
	sections = atoi(argv[3]);
	repeats = atoi(argv[4]);
	return memory(atoi(argv[2]));
}
