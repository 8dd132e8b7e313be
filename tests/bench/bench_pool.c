/* SPDX-License-Identifier: MIT */
/*
 * bench_pool - the typed pool of lib/pool/typed.h against malloc and free
 *
 * The same program with objects from a pool (last column, nothing preloaded)
 * and from each allocator:
 *
 * pair:   an object is freed before the next one is asked for
 * batch:  a thousand, then a thousand frees
 * list:   a list of 100 000 that loses random members and gains new ones, all
 *         of which are visited now and then: how close together they lie counts
 * two:    one thread allocates and another one frees, by hundreds
 */
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pool/typed.h"
#include "tests/bench/rivals.h"

enum { BATCH = 1000, LIST = 100000, HANDED = 100, RING = 16 };

#define MIN_S 0.06

static struct perfshim_pool pool;

static void
use(void *object)
{
	__asm__ volatile("" : : "r"(object) : "memory");
}

/* Each loop twice, from one text: no call and no test stands between. */
#define LOOPS(kind, GET, PUT)                                                  \
	static void pairs_##kind(size_t size, int count)                       \
	{                                                                      \
		(void)size;                                                    \
		for (int i = 0; i < count; i++) {                              \
			void *object = GET;                                    \
                                                                               \
			use(object);                                           \
			PUT(object);                                           \
		}                                                              \
	}                                                                      \
                                                                               \
	static void batches_##kind(size_t size, int count)                     \
	{                                                                      \
		static void *objects[BATCH];                                   \
                                                                               \
		(void)size;                                                    \
		for (int i = 0; i < count; i += BATCH) {                       \
			for (int k = 0; k < BATCH; k++) {                      \
				objects[k] = GET;                              \
				*(char *)objects[k] = 1;                       \
			}                                                      \
			for (int k = 0; k < BATCH; k++)                        \
				PUT(objects[k]);                               \
		}                                                              \
	}                                                                      \
                                                                               \
	static void lists_##kind(size_t size, int count)                       \
	{                                                                      \
		static uint64_t *members[LIST];                                \
		static uint64_t random = 88172645463325252u;                   \
		uint64_t sum = 0;                                              \
                                                                               \
		(void)size;                                                    \
		for (int i = 0; i < count; i++) {                              \
			size_t at;                                             \
                                                                               \
			random ^= random << 13;                                \
			random ^= random >> 7;                                 \
			random ^= random << 17;                                \
			at = random % LIST;                                    \
			if (members[at] != NULL)                               \
				PUT(members[at]);                              \
			members[at] = GET;                                     \
			*members[at] = random;                                 \
		}                                                              \
		for (size_t i = 0; i < LIST; i++)                              \
			sum += members[i] != NULL ? *members[i] : 0;           \
		use((void *)sum);                                              \
	}                                                                      \
                                                                               \
	static void *free_handed_##kind(void *count)                           \
	{                                                                      \
		for (int i = 0; i < *(int *)count; i++) {                      \
			void **handed;                                         \
                                                                               \
			while ((handed = atomic_load(&ring[i % RING])) ==      \
			       NULL)                                           \
				sched_yield();                                 \
			atomic_store(&ring[i % RING], NULL);                   \
			for (int k = 1; k < HANDED; k++)                       \
				PUT(handed[k]);                                \
			free(handed);                                          \
		}                                                              \
		return NULL;                                                   \
	}                                                                      \
                                                                               \
	static void twos_##kind(size_t size, int count)                        \
	{                                                                      \
		int bundles = count / HANDED;                                  \
		pthread_t thread;                                              \
                                                                               \
		(void)size;                                                    \
		pthread_create(&thread, NULL, free_handed_##kind, &bundles);   \
		for (int i = 0; i < bundles; i++) {                            \
			void **handed = malloc(HANDED * sizeof(void *));       \
                                                                               \
			for (int k = 1; k < HANDED; k++) {                     \
				handed[k] = GET;                               \
				*(char *)handed[k] = 1;                        \
			}                                                      \
			while (atomic_load(&ring[i % RING]) != NULL)           \
				sched_yield();                                 \
			atomic_store(&ring[i % RING], handed);                 \
		}                                                              \
		pthread_join(thread, NULL);                                    \
	}

static _Atomic(void **) ring[RING];

#define FREE_TO_POOL(object) perfshim_pool_free(&pool, object)
LOOPS(malloc, malloc(size), free)
LOOPS(pool, perfshim_pool_alloc(&pool), FREE_TO_POOL)

static const struct {
	const char *name;
	void (*by_malloc)(size_t, int);
	void (*by_pool)(size_t, int);
} kinds[] = {
    {"pair", pairs_malloc, pairs_pool},
    {"batch", batches_malloc, batches_pool},
    {"list", lists_malloc, lists_pool},
    {"two", twos_malloc, twos_pool},
};

/* Nanoseconds of one, after a warm-up, over at least MIN_S. */
static void
work(void (*loop)(size_t, int), size_t size)
{
	double begun;
	double elapsed;
	double count = 0;

	loop(size, 200 * BATCH);
	begun = bench_now_s();
	do {
		loop(size, 100 * BATCH);
		count += 100 * BATCH;
		elapsed = bench_now_s() - begun;
	} while (elapsed < MIN_S);
	printf("%.4f\n", elapsed * 1e9 / count);
}

static int
work_on(const char *kind, size_t size, bool is_pool)
{
	if (is_pool && perfshim_pool_init(&pool, size, 0, 0) != 0)
		return 1;
	for (size_t i = 0; i < PS_COUNT(kinds); i++)
		if (strcmp(kind, kinds[i].name) == 0)
			work(is_pool ? kinds[i].by_pool : kinds[i].by_malloc,
			     size);
	return 0;
}

int
main(int argc, char **argv)
{
	static const char *const sizes[] = {"24", "64", "200", "1024"};
	static char names[PS_COUNT(kinds) * PS_COUNT(sizes)][24];
	struct bench_case cases[PS_COUNT(names)];

	if (argc >= 3)
		return work_on(argv[1], strtoul(argv[2], NULL, 10), argc == 4);
	for (size_t i = 0; i < PS_COUNT(names); i++) {
		const char *kind = kinds[i / PS_COUNT(sizes)].name;
		const char *size = sizes[i % PS_COUNT(sizes)];

		snprintf(names[i], sizeof(names[i]), "%s %s B", kind, size);
		cases[i] =
		    (struct bench_case){names[i], {NULL, kind, size, NULL}};
	}
	rivals_add_own("typed pool", "pool");
	rivals_compare(cases, PS_COUNT(cases), 7, FIGURE_VALUE,
		       "one object, ns", FIGURES);
	return 0;
}
