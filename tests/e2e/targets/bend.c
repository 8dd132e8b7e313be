/* SPDX-License-Identifier: MIT */
/*
 * bend - a program at the limits: no memory, odd requests, forks and threads at
 * the worst moment.  Named on the command line; prints what the shell compares.
 */
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int
wrong(const char *what)
{
	printf("wrong: %s (errno %d)\n", what, errno);
	return 1;
}

/* Fill memory up with blocks of a size, until NULL; returns how many. */
static long
fill_up(size_t size, void **list)
{
	void **block;
	long count = 0;

	*list = NULL;
	errno = 0;
	while ((block = malloc(size)) != NULL) {
		*block = *list;
		*list = block;
		count++;
	}
	return errno == ENOMEM ? count : -1;
}

static void
free_all(void *list)
{
	while (list != NULL) {
		void *next = *(void **)list;

		free(list);
		list = next;
	}
}

/* Under a limit: NULL and ENOMEM, and memory that is freed can be had again. */
static int
at_limit(long unused)
{
	static const size_t sizes[] = {64, 1000, 5000, 100000, 3000000};

	(void)unused;
	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < 5; i++) {
			void *list;
			long count = fill_up(sizes[i], &list);

			if (count < 0)
				return wrong("NULL without ENOMEM");
			free_all(list);
			if (count == 0 && sizes[i] <= 1000)
				return wrong("no memory for small blocks");
		}
	}
	puts("bent");
	return 0;
}

static volatile size_t huge = PTRDIFF_MAX;

static int
odd_requests(long unused)
{
	char *block = malloc(100);
	void *out = block;

	(void)unused;
	memset(block, 'x', 100);
	for (size_t size = huge - 4; size >= huge - 4; size++) {
		errno = 0;
		if (malloc(size) != NULL || errno != ENOMEM)
			return wrong("malloc of PTRDIFF_MAX");
		if (size == huge + 100)
			break;
	}
	errno = 0;
	if (malloc(huge * 2 + 1) != NULL || errno != ENOMEM)
		return wrong("malloc of SIZE_MAX");
	errno = 0;
	if (calloc(huge, 3) != NULL || errno != ENOMEM)
		return wrong("calloc overflow");
	errno = 0;
	if (reallocarray(block, huge, 3) != NULL || errno != ENOMEM)
		return wrong("reallocarray overflow");
	errno = 0;
	if (realloc(block, huge + 1) != NULL || errno != ENOMEM)
		return wrong("realloc of too much");
	if (block[0] != 'x' || block[99] != 'x')
		return wrong("a failed realloc changed the block");
	errno = 0;
	if (pvalloc(SIZE_MAX) != NULL || errno != ENOMEM)
		return wrong("pvalloc of SIZE_MAX");
	if (posix_memalign(&out, 24, 8) != EINVAL || out != block)
		return wrong("posix_memalign of no power of two");
	for (size_t align = 16; align <= 1 << 21; align *= 2) {
		for (size_t size = 0; size < 300000; size = size * 3 + 1) {
			char *aligned = aligned_alloc(align, size);

			if (aligned == NULL || (uintptr_t)aligned % align != 0)
				return wrong("an alignment");
			memset(aligned, 1, malloc_usable_size(aligned));
			aligned = realloc(aligned, size + 50000);
			memset(aligned, 1, size + 50000);
			free(aligned);
		}
	}
	free(block);
	puts("as glibc");
	return 0;
}

static void *
churn(void *stop)
{
	void *kept[50] = {0};
	unsigned random = (unsigned)(uintptr_t)&kept;

	while (!atomic_load((_Atomic int *)stop)) {
		random = random * 1103515245 + 12345;
		free(kept[random / 65536 % 50]);
		kept[random / 65536 % 50] = malloc(random % 3000);
	}
	for (int i = 0; i < 50; i++)
		free(kept[i]);
	return NULL;
}

static int
in_child(void)
{
	void *blocks[100];

	for (int i = 0; i < 100; i++)
		blocks[i] = malloc(16 + (size_t)i * 37);
	for (int i = 0; i < 100; i++)
		if (blocks[i] == NULL)
			return 1;
		else
			free(blocks[i]);
	free(malloc(200000));
	return 0;
}

/* Fork while threads are anywhere in malloc and free. */
static int
forks(long count)
{
	static _Atomic int stop;
	pthread_t thread[3];
	int bad = 0;

	for (int i = 0; i < 3; i++)
		pthread_create(&thread[i], NULL, churn, &stop);
	for (long i = 0; i < count && bad == 0; i++) {
		int status = -1;
		pid_t child = fork();

		if (child == 0) {
			alarm(20); /* a lock that nobody will give back */
			_exit(in_child());
		}
		bad += child < 0 || waitpid(child, &status, 0) != child ||
		       status != 0;
	}
	stop = 1;
	for (int i = 0; i < 3; i++)
		pthread_join(thread[i], NULL);
	printf("%d bad\n", bad);
	return bad;
}

static long
resident_kib(void)
{
	FILE *f = fopen("/proc/self/statm", "r");
	long pages = 0;

	if (f == NULL || fscanf(f, "%*d %ld", &pages) != 1)
		return -1;
	fclose(f);
	return pages * 4;
}

static long
mappings(void)
{
	FILE *f = fopen("/proc/self/maps", "r");
	long lines = 0;

	for (int c; f != NULL && (c = getc(f)) != EOF;)
		lines += c == '\n';
	if (f != NULL)
		fclose(f);
	return lines;
}

static void *
live_shortly(void *unused)
{
	void *blocks[20];

	(void)unused;
	for (int i = 0; i < 20; i++)
		blocks[i] = malloc(16 + (size_t)i * 50);
	for (int i = 0; i < 20; i++)
		free(blocks[i]);
	return NULL;
}

/* Threads that come and go leave nothing: KiB and mappings that were added. */
static int
short_threads(long count)
{
	long kib = 0;
	long maps = 0;

	for (long i = 0; i < count; i++) {
		pthread_t thread[2];

		for (int k = 0; k < 2; k++)
			if (pthread_create(&thread[k], NULL, live_shortly,
					   NULL) != 0)
				return wrong("pthread_create");
		for (int k = 0; k < 2; k++)
			pthread_join(thread[k], NULL);
		if (i == count / 10) {
			kib = resident_kib();
			maps = mappings();
		}
	}
	printf("%ld %ld\n", resident_kib() - kib, mappings() - maps);
	return 0;
}

enum { OPERATIONS = 3000000 };

static void *
work(void *unused)
{
	static const size_t sizes[] = {24, 64, 200, 1000};
	void *kept[64] = {0};

	(void)unused;
	for (unsigned i = 0; i < OPERATIONS; i++) {
		free(kept[i * 7 % 64]);
		kept[i * 7 % 64] = malloc(sizes[i % 4]);
	}
	for (int i = 0; i < 64; i++)
		free(kept[i]);
	return NULL;
}

static double
seconds_of(int threads)
{
	struct timespec begun;
	struct timespec ended;
	pthread_t thread[16];

	clock_gettime(CLOCK_MONOTONIC, &begun);
	for (int i = 0; i < threads; i++)
		pthread_create(&thread[i], NULL, work, NULL);
	for (int i = 0; i < threads; i++)
		pthread_join(thread[i], NULL);
	clock_gettime(CLOCK_MONOTONIC, &ended);
	return (double)(ended.tv_sec - begun.tv_sec) +
	       (double)(ended.tv_nsec - begun.tv_nsec) * 1e-9;
}

/* Operations a second of all cores' threads, in percent of one thread's. */
static int
scaling(long unused)
{
	int cores = (int)sysconf(_SC_NPROCESSORS_ONLN);
	int threads = cores < 2 ? 2 : cores > 16 ? 16 : cores;
	double best = 0;

	(void)unused;
	for (int round = 0; round < 5; round++) {
		double ratio = threads * seconds_of(1) / seconds_of(threads);

		best = ratio > best ? ratio : best;
	}
	printf("%d\n", (int)(best * 100));
	return 0;
}

static void *
ask_for_all_sizes(void *unused)
{
	for (size_t i = 0; i < 3000; i++) {
		size_t bytes = i * 37 % 90000;
		char *block = malloc(bytes);

		if (block != NULL)
			memset(block, 1, bytes);
		free(block);
	}
	return unused;
}

/* Threads of little memory: a block or none, to each. */
static int
crowd(long count)
{
	pthread_attr_t small_stacks;
	pthread_t thread[16];
	int started = 0;

	if (count > 16 || pthread_attr_init(&small_stacks) != 0 ||
	    pthread_attr_setstacksize(&small_stacks, 65536) != 0)
		return wrong("pthread_attr");
	while (started < count &&
	       pthread_create(&thread[started], &small_stacks,
			      ask_for_all_sizes, NULL) == 0)
		started++;
	for (int i = 0; i < started; i++)
		pthread_join(thread[i], NULL);
	puts("bent");
	return 0;
}

static pthread_barrier_t together;

static void *
drink(void *size)
{
	void *list;

	pthread_barrier_wait(&together);
	(void)fill_up((size_t)size, &list);
	pthread_barrier_wait(&together);
	free_all(list);
	return NULL;
}

/* The child's threads take all there is, each from its first block on. */
static int
drink_all(size_t size, int count)
{
	pthread_attr_t small_stacks;
	pthread_t thread[16];

	pthread_attr_init(&small_stacks);
	pthread_attr_setstacksize(&small_stacks, 1 << 18);
	pthread_barrier_init(&together, NULL, (unsigned)count);
	for (int i = 0; i < count; i++)
		if (pthread_create(&thread[i], &small_stacks, drink,
				   (void *)size) != 0)
			return 1;
	for (int i = 0; i < count; i++)
		pthread_join(thread[i], NULL);
	return 0;
}

/* Waits for it; says so if it did not end with 0. */
static bool
is_child_well(void)
{
	int status = 0;

	wait(&status);
	if (status != 0)
		printf("a child's status %d\n", status);
	return status == 0;
}

/* A limit that the program sets itself, reached by all threads at once. */
static int
dry(long count)
{
	static const size_t sizes[] = {144, 4096, 69632};
	struct rlimit limit = {200 << 20, 200 << 20};

	if (count > 16 || setrlimit(RLIMIT_AS, &limit) != 0)
		return wrong("setrlimit");
	for (int i = 0; i < 12; i++) {
		if (fork() == 0)
			_exit(drink_all(sizes[i % 3], (int)count));
		if (!is_child_well())
			return 1;
	}
	puts("bent");
	return 0;
}

static void *(*volatile do_malloc)(size_t) = malloc;

/* A limit that the program sets itself, reached by large blocks: each of them
 * goes, from wherever it was taken, and a realloc that fails is one. */
static int
own_limit(long unused)
{
	struct rlimit limit = {1200 << 20, RLIM_INFINITY};
	char *block = malloc(100000);
	void *list;

	(void)unused;
	if (setrlimit(RLIMIT_AS, &limit) != 0 || block == NULL)
		return wrong("setrlimit");
	(void)fill_up(1000000, &list);
	if (realloc(block, (size_t)1 << 40) != NULL)
		return wrong("realloc");
	free_all(list);
	free(block);
	limit.rlim_cur = RLIM_INFINITY;
	(void)setrlimit(RLIMIT_AS, &limit);
	puts("bent");
	return 0;
}

/* As a shell's ulimit may, a limit that leaves nothing at all. */
static int
tight(long unused)
{
	static const int resources[] = {RLIMIT_AS, RLIMIT_DATA};

	(void)unused;
	for (int i = 0; i < 32; i++) {
		rlim_t bytes = (rlim_t)(i / 2 + 1) << 23;
		struct rlimit limit = {bytes, bytes};

		if (fork() == 0) {
			setrlimit(resources[i % 2], &limit);
			for (size_t k = 0; k < 100; k++)
				free(do_malloc(k * 50000));
			_exit(0);
		}
		if (!is_child_well())
			return 1;
	}
	puts("bent");
	return 0;
}

static const struct {
	const char *name;
	int (*run)(long count);
} ways[] = {
    {"limit", at_limit},
    {"odd", odd_requests},
    {"forks", forks},
    {"short", short_threads},
    {"scaling", scaling},
    {"crowd", crowd},
    {"dry", dry},
    {"tight", tight},
    {"own-limit", own_limit},
};

int
main(int argc, char **argv)
{
	for (size_t i = 0; i < sizeof(ways) / sizeof(*ways) && argc > 1; i++)
		if (strcmp(argv[1], ways[i].name) == 0)
			return ways[i].run(argc > 2 ? atol(argv[2]) : 0);
	return 2;
}
