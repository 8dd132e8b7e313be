/* SPDX-License-Identifier: MIT */
/*
 * truth - sections whose figures are known, and ends that do not match
 *
 * Spins for a given time by the TSC, whose rate it measures itself first, so
 * that a reading of the clock and nothing else is added.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "shim/perfshim.h"

static double ticks_per_ns;
static void *volatile sink;

static double
now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void
measure_rate(void)
{
	double begun = now_ns();
	unsigned long long ticks = __builtin_ia32_rdtsc();

	while (now_ns() - begun < 100e6)
		;
	ticks = __builtin_ia32_rdtsc() - ticks;
	ticks_per_ns = (double)ticks / (now_ns() - begun);
}

static void
spin(double ns)
{
	unsigned long long begun = __builtin_ia32_rdtsc();
	unsigned long long until =
	    begun + (unsigned long long)(ns * ticks_per_ns);

	while (__builtin_ia32_rdtsc() < until)
		;
}

/* The same of this thread's CPU time, however busy the machine is. */
static void
compute(double ns)
{
	struct timespec t;
	double until;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	until = (double)t.tv_sec * 1e9 + (double)t.tv_nsec + ns;
	while ((double)t.tv_sec * 1e9 + (double)t.tv_nsec < until)
		clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
}

static int
spins(void)
{
	for (int i = 0; i < 20000; i++)
		PERFSHIM_SECTION ("spin_1us")
			spin(1e3);
	for (int i = 0; i < 100; i++)
		PERFSHIM_SECTION ("spin_1ms")
			spin(1e6);
	PERFSHIM_SECTION ("spin_1s")
		spin(1e9);
	return 0;
}

/* 0.5 to 64 us, most of them short. */
static int
random_spins(void)
{
	unsigned state = 12345;

	for (int i = 0; i < 20000; i++) {
		state = state * 1103515245u + 12345u;
		PERFSHIM_SECTION ("random")
			spin(500.0 * (1u << ((state >> 16) % 6)) *
			     (1 + (state >> 20) % 100 / 100.0));
	}
	return 0;
}

/* Marks are all that is in one, and little of the other. */
static int
marks_inside(void)
{
	PERFSHIM_SECTION ("thin") {
		for (int i = 0; i < 200000; i++) {
			PERFSHIM_BEGIN("tick");
			PERFSHIM_END("tick");
		}
	}
	PERFSHIM_SECTION ("thick") {
		for (int i = 0; i < 20000; i++) {
			spin(1000);
			PERFSHIM_BEGIN("tick");
			PERFSHIM_END("tick");
		}
	}
	return 0;
}

static jmp_buf back;

static __attribute__((noinline)) void
leaves_by_longjmp(int depth)
{
	PERFSHIM_SECTION ("jumped_out_of") {
		if (depth > 1)
			leaves_by_longjmp(depth - 1);
		longjmp(back, 1);
	}
}

static int
longjmps(void)
{
	for (volatile int i = 0; i < 10; i++) {
		PERFSHIM_SECTION ("around") {
			if (setjmp(back) == 0)
				leaves_by_longjmp(3);
			PERFSHIM_SECTION ("after") {
				sink = &back;
			}
		}
	}
	return 0;
}

static void *
sleeps(void *argument)
{
	PERFSHIM_SECTION ("cancelled") {
		for (;;)
			usleep(1000);
	}
	return argument;
}

static int
cancels(void)
{
	for (int i = 0; i < 5; i++) {
		pthread_t thread;

		pthread_create(&thread, NULL, sleeps, NULL);
		usleep(5000);
		pthread_cancel(thread);
		pthread_join(thread, NULL);
	}
	PERFSHIM_SECTION ("after")
		sink = &back;
	return 0;
}

static int
unbalanced(void)
{
	PERFSHIM_BEGIN("a");
	PERFSHIM_END("never_begun");
	PERFSHIM_BEGIN("b");
	PERFSHIM_END("a"); /* closes b, too */
	PERFSHIM_END("b"); /* is closed */
	for (int i = 0; i < 300; i++)
		PERFSHIM_BEGIN("deep"); /* 128 are timed */
	for (int i = 0; i < 300; i++)
		PERFSHIM_END("deep");
	PERFSHIM_SECTION ("after")
		sink = &back;
	return 0;
}

static int
forks(void)
{
	int status = 1;
	pid_t child;

	PERFSHIM_SECTION ("around") {
		child = fork();
		PERFSHIM_SECTION ("both")
			usleep(1000);
	}
	if (child == 0) {
		sink = malloc(10); /* too small to matter, else */
		exit(0);
	}
	waitpid(child, &status, 0);
	printf("child %d\n", status);
	return status;
}

static int
waits(void)
{
	for (int i = 0; i < 3; i++) {
		PERFSHIM_SECTION ("computes")
			compute(30e6);
		PERFSHIM_SECTION ("sleeps")
			usleep(30000);
	}
	PERFSHIM_SECTION ("keeps") {
		for (int i = 0; i < 100; i++)
			sink = malloc(1000);
	}
	PERFSHIM_SECTION ("copies") {
		char *from = calloc(1, 1 << 20);
		char *to = malloc(1 << 20);

		for (int i = 0; i < 100; i++) {
			memcpy(to, from, 1 << 20);
			sink = to;
			PERFSHIM_BYTES(2u << 20);
			PERFSHIM_ITEMS(1);
		}
		PERFSHIM_FLOPS(12345);
		free(from);
		free(to);
	}
	return 0;
}

int
main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*run)(void);
	} modes[] = {
	    {"spins", spins},	     {"random", random_spins},
	    {"marks", marks_inside}, {"longjmp", longjmps},
	    {"cancel", cancels},     {"unbalanced", unbalanced},
	    {"fork", forks},	     {"waits", waits},
	};

	measure_rate();
	for (unsigned i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
		if (argc == 2 && strcmp(argv[1], modes[i].name) == 0)
			return modes[i].run();
	return 2;
}
