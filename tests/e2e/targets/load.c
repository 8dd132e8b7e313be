/* SPDX-License-Identifier: MIT */
/*
 * load - everything at once: threads that allocate, free what others did, are
 * in sections, load and unload a module, fork, and are interrupted by signals
 * whose handlers mark sections
 *
 *   load LIBRARY SECONDS [THREADS]
 *
 * Prints one line at the end, when all is quiet: calls of malloc and of free,
 * calls of each section, and how many KiB the process grew in the second half.
 */
#include <dlfcn.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "shim/perfshim.h"

enum { THREADS_MOST = 256, SHELVES = 4096, BATCH = 100, SIGNAL_US = 2000 };

static _Atomic(void *) shelf[SHELVES];
static _Atomic int is_over;
static _Atomic unsigned long allocations;
static _Atomic unsigned long frees;
static _Atomic unsigned long works;
static _Atomic unsigned long inner_works;
static _Atomic unsigned long handled;
static _Atomic unsigned long loads;
static _Atomic unsigned long forks;
static const char *library;

static void *
take(size_t size)
{
	char *block = malloc(size);

	if (block == NULL)
		abort();
	block[0] = block[size - 1] = 1;
	atomic_fetch_add(&allocations, 1);
	return block;
}

static void
give(void *block)
{
	if (block == NULL)
		return;
	free(block);
	atomic_fetch_add(&frees, 1);
}

/* What stood there goes: mostly what another thread has put there. */
static void
swap(unsigned *seed)
{
	unsigned r = (unsigned)rand_r(seed);
	size_t size = r % 1000 == 0 ? 200000 : r % 50 == 0 ? 9000 : 1 + r % 600;

	give(atomic_exchange(&shelf[rand_r(seed) % SHELVES], take(size)));
}

static void
work(unsigned *seed)
{
	PERFSHIM_SECTION ("work") {
		swap(seed);
		if (rand_r(seed) % 4 == 0) {
			PERFSHIM_SECTION ("inner") {
				swap(seed);
			}
			atomic_fetch_add(&inner_works, 1);
		}
	}
	atomic_fetch_add(&works, 1);
}

/* No allocation: a handler may not. */
static void
on_signal(int number)
{
	PERFSHIM_SECTION ("handler") {
		atomic_fetch_add(&handled, 1);
	}
}

static void
load_and_unload(void)
{
	void *handle = dlopen(library, RTLD_NOW);
	int (*plugin_work)(int) =
	    handle == NULL ? NULL : (int (*)(int))dlsym(handle, "plugin_work");

	if (plugin_work == NULL)
		abort();
	(void)plugin_work(3);
	dlclose(handle);
	atomic_fetch_add(&loads, 1);
}

static void
fork_one(unsigned *seed)
{
	pid_t child = fork();
	int status = 0;

	if (child == 0) {
		for (int i = 0; i < BATCH; i++)
			work(seed);
		_exit(7);
	}
	if (child < 0)
		return;
	while (waitpid(child, &status, 0) < 0)
		;
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 7)
		abort();
	atomic_fetch_add(&forks, 1);
}

static void *
worker(void *argument)
{
	unsigned number = (unsigned)(uintptr_t)argument;
	unsigned seed = number * 7919 + 1;

	while (!atomic_load(&is_over)) {
		for (int i = 0; i < BATCH; i++)
			work(&seed);
		if (number % 16 == 1)
			load_and_unload();
		if (number % 32 == 2)
			fork_one(&seed);
		if (number % 8 == 3)
			sched_yield();
	}
	return NULL;
}

static long
resident_kib(void)
{
	FILE *file = fopen("/proc/self/statm", "re");
	long pages = 0;

	if (file == NULL || fscanf(file, "%*s %ld", &pages) != 1)
		exit(1);
	fclose(file);
	return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

/* Signals go to whichever thread the kernel picks. */
static void
start_signals(timer_t *timer)
{
	struct itimerspec every = {{0, SIGNAL_US * 1000},
				   {0, SIGNAL_US * 1000}};
	struct sigaction action = {.sa_handler = on_signal,
				   .sa_flags = SA_RESTART};
	struct sigevent event = {.sigev_notify = SIGEV_SIGNAL,
				 .sigev_signo = SIGUSR1};

	sigaction(SIGUSR1, &action, NULL);
	if (timer_create(CLOCK_MONOTONIC, &event, timer) != 0 ||
	    timer_settime(*timer, 0, &every, NULL) != 0)
		exit(1);
}

static void
wait_for(double seconds)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += (time_t)seconds;
	until.tv_nsec += (long)((seconds - (double)(time_t)seconds) * 1e9);
	if (until.tv_nsec >= 1000000000) {
		until.tv_nsec -= 1000000000;
		until.tv_sec++;
	}
	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) !=
	       0)
		;
}

int
main(int argc, char **argv)
{
	static pthread_t thread[THREADS_MOST];
	int threads = argc > 3 ? atoi(argv[3]) : 64;
	double seconds = argc > 2 ? atof(argv[2]) : 1;
	timer_t timer;
	long half;
	long full;

	library = argv[1];
	start_signals(&timer);
	for (int i = 0; i < threads; i++)
		pthread_create(&thread[i], NULL, worker, (void *)(uintptr_t)i);
	wait_for(seconds / 2);
	half = resident_kib();
	wait_for(seconds / 2);
	full = resident_kib();
	atomic_store(&is_over, 1);
	for (int i = 0; i < threads; i++)
		pthread_join(thread[i], NULL);
	timer_delete(timer);
	for (int i = 0; i < SHELVES; i++)
		give(atomic_exchange(&shelf[i], NULL));
	printf("%lu %lu %lu %lu %lu %lu %lu %ld\n", allocations, frees, works,
	       inner_works, handled, loads, forks, full - half);
	return 0;
}
