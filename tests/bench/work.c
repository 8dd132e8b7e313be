/* SPDX-License-Identifier: MIT */
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/bench/work.h"

enum { THREADS = 2 };

struct random {
	uint64_t state;
};

static uint64_t
draw(struct random *r)
{
	r->state ^= r->state << 13;
	r->state ^= r->state >> 7;
	r->state ^= r->state << 17;
	return r->state;
}

/* Each doubling of the size as likely as the next. */
static size_t
any_size(struct random *r, unsigned low_bits, unsigned high_bits)
{
	uint64_t x = draw(r);
	unsigned bits = low_bits + (unsigned)(x % (high_bits - low_bits));

	return ((size_t)1 << bits) + ((x >> 8) & (((size_t)1 << bits) - 1));
}

static void *
get(size_t size)
{
	char *block = malloc(size);

	if (block == NULL)
		abort();
	block[0] = 1;
	block[size - 1] = 1;
	return block;
}

static void
in_threads(int count, void *(*run)(void *))
{
	pthread_t threads[16];

	for (int i = 0; i < count; i++)
		if (pthread_create(&threads[i], NULL, run,
				   (void *)(intptr_t)(i + 1)) != 0)
			abort();
	for (int i = 0; i < count; i++)
		pthread_join(threads[i], NULL);
}

/* ---- one thread --------------------------------------------------------- */

/* Replace random ones of `slots` blocks. */
static void
replace(struct random *r, void **table, size_t slots, int steps, unsigned low,
	unsigned high)
{
	for (int i = 0; i < steps; i++) {
		size_t at = draw(r) % slots;

		free(table[at]);
		table[at] = get(any_size(r, low, high));
	}
}

static void
replace_all(size_t slots, int steps, unsigned low, unsigned high)
{
	struct random r = {88172645463325252u};
	void **table = calloc(slots, sizeof(void *));

	replace(&r, table, slots, steps, low, high);
	for (size_t i = 0; i < slots; i++)
		free(table[i]);
	free(table);
}

static void
steady_small(void)
{
	replace_all(1000, 12000000, 4, 8);
}

static void
mixed_sizes(void)
{
	replace_all(20000, 3000000, 4, 15);
}

struct node {
	struct node *left;
	struct node *right;
};

static struct node *
grow_tree(int depth)
{
	struct node *n = get(sizeof(*n));

	n->left = depth == 0 ? NULL : grow_tree(depth - 1);
	n->right = depth == 0 ? NULL : grow_tree(depth - 1);
	return n;
}

static void
fell_tree(struct node *n)
{
	if (n == NULL)
		return;
	fell_tree(n->left);
	fell_tree(n->right);
	free(n);
}

static void
trees(void)
{
	for (int i = 0; i < 40; i++)
		fell_tree(grow_tree(16));
}

static void
growing_buffers(void)
{
	enum { BUFFERS = 16 };
	struct random r = {1234567};

	for (int round = 0; round < 600; round++) {
		char *buffer[BUFFERS] = {0};
		size_t size[BUFFERS] = {0};

		for (int step = 0; step < 300; step++) {
			int i = (int)(draw(&r) % BUFFERS);

			size[i] += 32 + size[i] / 3;
			if (size[i] > 1 << 20)
				size[i] = 64;
			buffer[i] = realloc(buffer[i], size[i]);
			buffer[i][size[i] - 1] = 1;
		}
		for (int i = 0; i < BUFFERS; i++)
			free(buffer[i]);
	}
}

/* 64 KiB to 8 MiB, the first byte of each page written. */
static void
large_blocks(void)
{
	enum { SLOTS = 30 };
	struct random r = {99};
	char *table[SLOTS] = {0};

	for (int i = 0; i < 4000; i++) {
		size_t at = draw(&r) % SLOTS;
		size_t size = any_size(&r, 16, 23);

		free(table[at]);
		table[at] = get(size);
		for (size_t k = 0; k < size; k += 4096 * 4)
			table[at][k] = 1;
	}
	for (int i = 0; i < SLOTS; i++)
		free(table[i]);
}

static void
batches_32k(void)
{
	enum { BATCH = 400 };
	static char *table[BATCH];

	for (int round = 0; round < 500; round++) {
		for (int i = 0; i < BATCH; i++)
			table[i] = get(32768);
		for (int i = 0; i < BATCH; i++)
			free(table[i]);
	}
}

/* Every other block of one size stays while the next size comes. */
static void
fragmentation(void)
{
	enum { BLOCKS = 60000 };
	static void *table[2 * BLOCKS];

	for (size_t size = 32; size <= 1024; size = size * 5 / 4) {
		for (int i = 0; i < BLOCKS; i++) {
			free(table[2 * i]);
			table[2 * i] = get(size);
		}
		for (int i = 0; i < BLOCKS; i += 2) {
			free(table[2 * i + 1]);
			table[2 * i + 1] = table[2 * i];
			table[2 * i] = NULL;
		}
	}
	for (int i = 0; i < 2 * BLOCKS; i++)
		free(table[i]);
}

/* ---- threads ------------------------------------------------------------ */

static void *
mix_in_thread(void *number)
{
	enum { SLOTS = 5000 };
	struct random r = {(uintptr_t)number * 2654435761u};
	void **table = calloc(SLOTS, sizeof(void *));

	replace(&r, table, SLOTS, 2500000, 4, 12);
	for (int i = 0; i < SLOTS; i++)
		free(table[i]);
	free(table);
	return NULL;
}

static void
threads_mixed(void)
{
	in_threads(THREADS, mix_in_thread);
}

/* A server: each request replaces some blocks of a session; now and then the
 * sessions go to a new thread, which frees what the one that ends allocated. */
enum { SESSIONS = 1000, GENERATIONS = 12, REQUESTS = 500000 };

struct server {
	struct random random;
	void *session[SESSIONS];
	int generation;
	sem_t done;
};

static void *
serve(void *argument)
{
	struct server *s = argument;
	pthread_t next;

	replace(&s->random, s->session, SESSIONS, REQUESTS, 3, 9);
	if (++s->generation == GENERATIONS)
		sem_post(&s->done);
	else if (pthread_create(&next, NULL, serve, s) != 0)
		abort();
	pthread_detach(pthread_self());
	return NULL;
}

static void
server(void)
{
	static struct server servers[THREADS];
	pthread_t thread;

	for (int i = 0; i < THREADS; i++) {
		servers[i].random.state = 77 + (uint64_t)i;
		sem_init(&servers[i].done, 0, 0);
		if (pthread_create(&thread, NULL, serve, &servers[i]) != 0)
			abort();
	}
	for (int i = 0; i < THREADS; i++) {
		sem_wait(&servers[i].done);
		for (int k = 0; k < SESSIONS; k++)
			free(servers[i].session[k]);
	}
}

/* One thread allocates, another frees: bundles pass through a ring. */
enum { RING = 64, BUNDLE = 256, BUNDLES = 16000 };

static _Atomic(void **) ring[RING];

static void *
produce(void *unused)
{
	struct random r = {4711};

	(void)unused;
	for (int i = 0; i < BUNDLES; i++) {
		void **bundle = get(BUNDLE * sizeof(void *));

		for (int k = 0; k < BUNDLE; k++)
			bundle[k] = get(any_size(&r, 4, 10));
		while (atomic_load(&ring[i % RING]) != NULL)
			sched_yield();
		atomic_store(&ring[i % RING], bundle);
	}
	return NULL;
}

static void *
consume(void *unused)
{
	(void)unused;
	for (int i = 0; i < BUNDLES; i++) {
		void **bundle;

		while ((bundle = atomic_load(&ring[i % RING])) == NULL)
			sched_yield();
		atomic_store(&ring[i % RING], NULL);
		for (int k = 0; k < BUNDLE; k++)
			free(bundle[k]);
		free(bundle);
	}
	return NULL;
}

static void *
one_end(void *number)
{
	return (intptr_t)number == 1 ? produce(NULL) : consume(NULL);
}

static void
producer_consumer(void)
{
	in_threads(2, one_end);
}

static void *
live_shortly(void *number)
{
	void *table[100];
	struct random r = {(uintptr_t)number * 40503};

	for (int i = 0; i < 100; i++)
		table[i] = get(any_size(&r, 4, 11));
	for (int i = 0; i < 100; i++)
		free(table[i]);
	return NULL;
}

static void
short_threads(void)
{
	for (int i = 0; i < 8000; i++)
		in_threads(1, live_shortly);
}

/* Threads that die leave their blocks to others. */
enum { LEFT = 2000 };

static void *left_behind[LEFT];

static void *
bleed(void *number)
{
	struct random r = {(uintptr_t)number + 5};

	for (int i = 0; i < LEFT; i++) {
		free(left_behind[i]);
		left_behind[i] = get(any_size(&r, 4, 11));
	}
	return NULL;
}

static void
bleeding_threads(void)
{
	for (int i = 0; i < 1200; i++)
		in_threads(1, bleed);
	for (int i = 0; i < LEFT; i++)
		free(left_behind[i]);
}

const struct work work_table[] = {
    {"steady small", steady_small},
    {"mixed sizes", mixed_sizes},
    {"trees", trees},
    {"growing buffers", growing_buffers},
    {"large blocks", large_blocks},
    {"batches of 32 KiB", batches_32k},
    {"fragmentation", fragmentation},
    {"threads, mixed", threads_mixed},
    {"server", server},
    {"producer, consumer", producer_consumer},
    {"short threads", short_threads},
    {"bleeding threads", bleeding_threads},
    {NULL, NULL},
};
