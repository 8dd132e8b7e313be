/* SPDX-License-Identifier: MIT */
/*
 * bench_layout - what it is worth that hot and cold fields of the pool lie on
 * different cache lines
 *
 * An owner does what refills and flushes do to a page's record (its free list
 * and counts) and what malloc does to its bin, while another thread does what
 * remote frees do: read the record's owner and class, push on the heap's remote
 * list.  Once with the pool's own structures, and once with the same fields in
 * the order of their use, without regard to lines.  Nothing else differs.
 */
#include <pthread.h>
#include <stdio.h>

#include "measure/stat.h"
#include "pool/heap.h"
#include "tests/bench/rivals.h"

enum { OPERATIONS = 4000000, ROUNDS = 9 };

/* As struct ps_page, with what the owner writes among what all read. */
struct mixed_page {
	_Atomic uintptr_t owner;
	void *free;
	uint32_t used;
	uint32_t carved;
	uint32_t cls;
	uint32_t block_bytes;
};

/* As struct ps_pool_heap: the bin and the remote list of a class together. */
struct mixed_class {
	void *bin;
	int64_t look_in;
	_Atomic(void *) remote;
};

static struct ps_page page PS_ALIGNED(PS_CACHE_LINE);
static struct ps_pool_heap heap PS_ALIGNED(PS_CACHE_LINE);
static struct mixed_page mixed_page PS_ALIGNED(PS_CACHE_LINE);
static struct mixed_class mixed_class PS_ALIGNED(PS_CACHE_LINE);

struct fields {
	_Atomic uintptr_t *owner;
	uint32_t *cls;
	void **free;
	uint32_t *used;
	void **bin;
	int64_t *look_in;
	_Atomic(void *) *remote;
	_Atomic bool stop;
	uint64_t freed; /* by the other thread */
};

enum { CLASS = 3 };

static void *
free_remotely(void *fields)
{
	struct fields *f = fields;
	uint64_t freed = 0;
	char block[16];

	while (!ps_peek(&f->stop)) {
		void *head = ps_peek(f->remote);

		if (ps_peek(f->owner) == 0 || *f->cls != CLASS)
			break;
		(void)atomic_compare_exchange_strong_explicit(
		    f->remote, &head, head == NULL ? block : NULL,
		    memory_order_release, memory_order_relaxed);
		freed++;
	}
	f->freed = freed;
	return NULL;
}

/* The owner's side; nanoseconds an operation. */
static double
own(struct fields *f)
{
	double begun = bench_now_s();

	for (int i = 0; i < OPERATIONS; i++) {
		void *block = *(void *volatile *)f->bin;

		*(void *volatile *)f->bin = (char *)block + 16;
		--*(volatile int64_t *)f->look_in;
		if (i % 8 != 0)
			continue;
		*(void *volatile *)f->free = block;
		++*(volatile uint32_t *)f->used;
	}
	return (bench_now_s() - begun) * 1e9 / OPERATIONS;
}

static double
measure(struct fields *f, double *remote_ns)
{
	pthread_t thread;
	double ns;

	f->stop = false;
	ps_poke(f->owner, 1);
	*f->cls = CLASS;
	if (pthread_create(&thread, NULL, free_remotely, f) != 0)
		return 0;
	(void)own(f);
	ns = own(f);
	ps_poke(&f->stop, true);
	pthread_join(thread, NULL);
	*remote_ns = 2 * ns * OPERATIONS / (double)f->freed;
	return ns;
}

static double
median(double *values)
{
	double result = 0;

	(void)ps_stat_median(values, ROUNDS, &result);
	return result;
}

int
main(void)
{
	struct fields apart = {
	    .owner = &page.owner,
	    .cls = &page.cls,
	    .free = &page.free,
	    .used = &page.used,
	    .bin = &heap.bin[CLASS],
	    .look_in = &heap.look_in[CLASS],
	    .remote = &heap.remote[CLASS].head,
	};
	struct fields mixed = {
	    .owner = &mixed_page.owner,
	    .cls = &mixed_page.cls,
	    .free = &mixed_page.free,
	    .used = &mixed_page.used,
	    .bin = &mixed_class.bin,
	    .look_in = &mixed_class.look_in,
	    .remote = &mixed_class.remote,
	};
	double ns[2][ROUNDS];
	double remote_ns[2][ROUNDS];

	for (int i = 0; i < ROUNDS; i++) {
		ns[0][i] = measure(&apart, &remote_ns[0][i]);
		ns[1][i] = measure(&mixed, &remote_ns[1][i]);
	}
	printf("%-28s %10s %10s %8s\n", "ns, two threads at once", "apart",
	       "mixed", "ratio");
	printf("%-28s %10.2f %10.2f %8.2f\n", "owner: malloc and refill",
	       median(ns[0]), median(ns[1]), median(ns[1]) / median(ns[0]));
	printf("%-28s %10.2f %10.2f %8.2f\n", "other: remote free",
	       median(remote_ns[0]), median(remote_ns[1]),
	       median(remote_ns[1]) / median(remote_ns[0]));
	return 0;
}
