/* SPDX-License-Identifier: MIT */
/*
 * storm - allocates, frees across threads, marks sections, ends and begins
 * threads, until it is killed; keeps a ledger of it in a file
 *
 *   storm LEDGER [SECONDS]
 *
 * An entry's `begun` is written before the act and `done` after it, so that
 * whoever reads the file of a killed process knows bounds of what happened.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "shim/perfshim.h"

enum { WORKERS = 4, SHELVES = 256, LIFE_MAX = 200 };

/* All uint64_t: storm.py reads them by place. */
struct entry {
	_Atomic uint64_t begun;
	_Atomic uint64_t done;
};
struct ledger {
	struct entry allocations;
	struct entry bytes;
	struct entry frees;
	struct entry sections;
	struct entry threads;
};

static struct ledger *ledger;
static _Atomic(void *) shelf[SHELVES];
static _Atomic int is_over;

static void
begin(struct entry *e, uint64_t n)
{
	atomic_fetch_add(&e->begun, n);
}

static void
end(struct entry *e, uint64_t n)
{
	atomic_fetch_add(&e->done, n);
}

static size_t
random_size(unsigned *seed)
{
	unsigned r = (unsigned)rand_r(seed);

	if (r % 500 == 0)
		return 1000000 + r % 1000000;
	return r % 20 == 0 ? 5000 + r % 50000 : 1 + r % 1000;
}

__attribute__((noinline)) static void
take_and_give(unsigned *seed)
{
	size_t size = random_size(seed);
	unsigned at = (unsigned)rand_r(seed) % SHELVES;
	char *block;
	void *old;

	begin(&ledger->allocations, 1);
	begin(&ledger->bytes, size);
	block = malloc(size);
	end(&ledger->allocations, 1);
	end(&ledger->bytes, size);
	if (block == NULL)
		abort();
	block[0] = block[size - 1] = 1;
	old = atomic_exchange(&shelf[at], block);
	if (old == NULL)
		return;
	begin(&ledger->frees, 1);
	free(old);
	end(&ledger->frees, 1);
}

static void
marked(unsigned *seed)
{
	begin(&ledger->sections, 1);
	PERFSHIM_SECTION ("storm") {
		take_and_give(seed);
	}
	end(&ledger->sections, 1);
}

static void *
live(void *argument)
{
	unsigned seed = (unsigned)(uintptr_t)argument;
	int life = 1 + rand_r(&seed) % LIFE_MAX;

	for (int i = 0; i < life; i++) {
		if (rand_r(&seed) % 2)
			marked(&seed);
		else
			take_and_give(&seed);
	}
	return NULL;
}

/* Threads that live one after the other. */
static void *
lives(void *argument)
{
	unsigned seed = (unsigned)(uintptr_t)argument;

	while (!atomic_load(&is_over)) {
		pthread_t thread;
		void *next = (void *)(uintptr_t)rand_r(&seed);

		begin(&ledger->threads, 1);
		if (pthread_create(&thread, NULL, live, next) != 0)
			abort();
		pthread_join(thread, NULL);
		end(&ledger->threads, 1);
	}
	return NULL;
}

int
main(int argc, char **argv)
{
	pthread_t thread[WORKERS];
	int fd = open(argv[1], O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	struct timespec wait = {argc > 2 ? atoi(argv[2]) : 60, 0};

	if (fd < 0 || ftruncate(fd, sizeof(*ledger)) != 0)
		return 1;
	ledger = mmap(NULL, sizeof(*ledger), PROT_READ | PROT_WRITE, MAP_SHARED,
		      fd, 0);
	close(fd);
	if (ledger == MAP_FAILED)
		return 1;
	for (int i = 0; i < WORKERS; i++)
		pthread_create(&thread[i], NULL, lives,
			       (void *)(uintptr_t)(getpid() * 31 + i));
	nanosleep(&wait, NULL);
	atomic_store(&is_over, 1);
	for (int i = 0; i < WORKERS; i++)
		pthread_join(thread[i], NULL);
	return 0;
}
