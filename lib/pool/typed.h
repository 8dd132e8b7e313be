/* SPDX-License-Identifier: MIT */
/*
 * typed - objects of one size, for C programs: perfshim_pool_*
 *
 * A program that makes many objects of one type keeps them in a pool of that
 * type: chunks of memory, each cut into objects, and for each thread a small
 * store of free ones, so that an allocation and a free are a pop and a push
 * that touch nothing shared.  An object is in exactly one place: the program's
 * hands, a thread's store, or the pool's depot.
 *
 *	static struct perfshim_pool nodes;
 *
 *	perfshim_pool_init(&nodes, sizeof(struct node), 0, 0);
 *	struct node *n = perfshim_pool_alloc(&nodes);
 *	perfshim_pool_free(&nodes, n);
 *	perfshim_pool_fini(&nodes);
 *
 * Threads: any thread may free what any other allocated.  init and fini are for
 * one thread while no other uses the pool.  Not for signal handlers.  After a
 * fork, the child has the pool as it was; what other threads had in their
 * stores is of no use to it any more.
 */
#ifndef PS_POOL_TYPED_H
#define PS_POOL_TYPED_H

#include <string.h>

#include "base/lock.h"

enum {
	PERFSHIM_POOL_SLOTS = 128, /* pools that threads keep stores for */
	PERFSHIM_POOL_ALIGN_MAX = 65536,
	PERFSHIM_POOL_COUNT_BITS = 16, /* of `state` below */
};
#define PERFSHIM_POOL_BYTES_MAX ((size_t)1 << 30) /* of an object, a chunk */

/*
 * A thread's store for one pool.  `state` has the number of objects on `loaded`
 * in its low 16 bits and the thread's allocations above them, so that one
 * addition keeps both.  All zero, with a limit of 0, sends every call to the
 * slow path: a thread that is new to the pool, or a pool without a slot.
 */
struct perfshim_pool_store {
	void *loaded;
	_Atomic uint64_t state;
	_Atomic uint64_t limit; /* objects that `loaded` may hold */
	_Atomic(void *) behind; /* NULL, or a list of `limit` objects */
};
_Static_assert(sizeof(struct perfshim_pool_store) == 32, "two a cache line");

struct perfshim_pool_chunk;

/* Private, but for its address.  What the fast paths read is never written
 * after init; what the depot's lock guards has a cache line of its own. */
struct perfshim_pool {
	uint32_t slot;	     /* in each thread's array of stores */
	uint32_t batch;	     /* objects that move between store and depot */
	uintptr_t link_key;  /* links of free objects are xor'ed with it */
	size_t object_bytes; /* as asked for: what is zeroed */
	size_t stride;	     /* from one object to the next */
	size_t first;	     /* offset of the first one in a chunk */
	size_t chunk_bytes;  /* a power of two, and the chunk's alignment */
	uint32_t per_chunk;

	struct ps_lock lock PS_ALIGNED(PS_CACHE_LINE);
	void *batches; /* lists of `batch` objects; see typed.c */
	void *loose;   /* a list of `loose_count` objects */
	uint64_t loose_count;
	uint64_t depot_count;		    /* objects on both */
	struct perfshim_pool_chunk *chunks; /* the newest first */
	uint64_t chunk_count;
	uint64_t carved; /* objects that were ever cut, in all chunks */
	uint64_t
	    unstored_allocations;   /* of ended threads, or without a store */
	struct perfshim_pool *next; /* of all pools */
	struct perfshim_pool *prev;
};
_Static_assert(offsetof(struct perfshim_pool, lock) == PS_CACHE_LINE,
	       "the depot's line is not the fast paths'");

struct perfshim_pool_stats {
	size_t object_bytes; /* with what alignment adds */
	uint64_t objects_per_chunk;
	uint64_t chunks;
	uint64_t bytes; /* of all chunks */
	uint64_t allocations;
	uint64_t frees;
	uint64_t live;	 /* objects in the program's hands */
	uint64_t cached; /* free ones in threads' stores */
	uint64_t free;	 /* free ones in the depot */
};

/* This thread's stores, by slot; points at zeros until it has some. */
extern PS_TLS struct perfshim_pool_store *perfshim_pool_stores;

/*
 * Make a pool of objects of `object_bytes` at multiples of `align` (a power of
 * two; 0: 16, or 8 when the size is less).  A chunk holds `objects_per_chunk`
 * or the few more that fill its power of two (0: about 64 KiB of them).  No
 * memory is taken yet.
 *
 * 0; -EINVAL for a size of 0, a bad alignment or a chunk of over 1 GiB; -EAGAIN
 * when the C library has no key for thread ends left.
 */
int perfshim_pool_init(struct perfshim_pool *pool, size_t object_bytes,
		       size_t align, size_t objects_per_chunk);

/* All its memory goes, with what is still in the program's hands. */
void perfshim_pool_fini(struct perfshim_pool *pool);

/* Cold sides of the two below. */
void *ps_typed_alloc_slow(struct perfshim_pool *pool);
void ps_typed_free_slow(struct perfshim_pool *pool, void *object);

/*
 * An object, with whatever it holds; NULL: no memory.  Ten instructions and one
 * branch while the thread has free ones.
 */
static inline void *
perfshim_pool_alloc(struct perfshim_pool *pool)
{
	struct perfshim_pool_store *store = &perfshim_pool_stores[pool->slot];
	void *object = store->loaded;

	if (ps_unlikely(object == NULL))
		return ps_typed_alloc_slow(pool);
	store->loaded = (void *)(*(uintptr_t *)object ^ pool->link_key);
	ps_bump(&store->state, (1 << PERFSHIM_POOL_COUNT_BITS) - 1);
	return object;
}

/* The same, zeroed. */
static inline void *
perfshim_pool_alloc_zeroed(struct perfshim_pool *pool)
{
	void *object = perfshim_pool_alloc(pool);

	return object == NULL ? NULL : memset(object, 0, pool->object_bytes);
}

/* NULL is allowed.  An object that was freed just now, or that is no object of
 * this pool where that is looked at, ends the program with one line. */
static inline void
perfshim_pool_free(struct perfshim_pool *pool, void *object)
{
	struct perfshim_pool_store *store = &perfshim_pool_stores[pool->slot];
	void *loaded = store->loaded;

	if (ps_unlikely((uint16_t)ps_peek(&store->state) ==
			    ps_peek(&store->limit) ||
			object == loaded || object == NULL)) {
		ps_typed_free_slow(pool, object);
		return;
	}
	*(uintptr_t *)object = (uintptr_t)loaded ^ pool->link_key;
	store->loaded = object;
	ps_bump(&store->state, 1);
}

/*
 * Give the calling thread's store back to the depot and every chunk without an
 * object in use back to the system; returns its bytes.  O(free objects), under
 * the pool's lock.
 */
size_t perfshim_pool_drain(struct perfshim_pool *pool);

/* Exact when no other thread is inside a call. */
void perfshim_pool_snapshot(struct perfshim_pool *pool,
			    struct perfshim_pool_stats *out);

/* Walk the depot and the calling thread's store and assert the invariants. */
void perfshim_pool_check(struct perfshim_pool *pool);

#endif /* PS_POOL_TYPED_H */
