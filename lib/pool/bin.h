/* SPDX-License-Identifier: MIT */
/*
 * bin - a heap's free blocks of one class: what the fast paths push and pop
 *
 * The bins are the first thing in a heap, one word a class, and ps_range.bins
 * has the address of one of them for each unit, so that a difference tells free
 * whose block it is and where it goes.  Owner only.
 */
#ifndef PS_POOL_BIN_H
#define PS_POOL_BIN_H

#include "pool/damage.h"
#include "pool/heap.h"

/* What ps_range.bins has for a unit without a bin (0 where never was a page):
 * far from every heap, and from the NULL of a thread without one. */
#define PS_NO_BIN ((uintptr_t)1 << 63)

/*
 * The bin that a pool's block goes to when it is a plain one; else no address
 * of a bin.  The shortest way there: the chain from a block's address over its
 * bin to the next malloc is what a pair of malloc and free waits for.
 */
static inline void **
ps_bin_of(const void *block)
{
	const _Atomic uintptr_t *words =
	    (const _Atomic uintptr_t *)ps_range.bins_from_zero;

	return (void **)ps_peek(&words[(uintptr_t)block >> PS_UNIT_SHIFT]);
}

/*
 * Where in the heap is that bin: class * sizeof(void *), or, when it is none of
 * this heap, PS_BINS_END or more.
 */
enum { PS_BINS_END = PS_POOL_CLASSES * sizeof(void *) };
static inline size_t
ps_heap_bin_at(const struct ps_pool_heap *heap, void *const *bin)
{
	return (uintptr_t)bin - (uintptr_t)heap;
}

/*
 * Links of free blocks are xor'ed with a random key, so that what a program
 * writes into a freed block does not come back as an address of its choice.
 * Where blocks move between bin and pages, links and starts are checked; in the
 * fast paths that costs a fifth of them (measured), and only a link's sign is.
 */
static inline void *
ps_next_of(const void *block)
{
	return (void *)(*(const uintptr_t *)block ^ ps_range.link_key);
}

static inline void
ps_set_next(void *block, void *next)
{
	*(uintptr_t *)block = (uintptr_t)next ^ ps_range.link_key;
}

/* The same, or the end of the program when it leads out of the pool. */
static inline void *
ps_checked_next(const void *block)
{
	void *next = ps_next_of(block);

	if (ps_unlikely(!ps_range_is_pool(next)) && next != NULL)
		ps_die_of_overwritten_link(block);
	return next;
}

/*
 * Take from the bin of the class; NULL when it is empty, or when it leads out
 * of the pool.  The key has the top bit, so what a program writes over a link
 * (text, a number, a pointer) reads as a negative one, and is told from a block
 * by the test that tells an empty bin.
 */
static inline void *
ps_heap_pop(struct ps_pool_heap *heap, size_t cls)
{
	void *block = heap->bin[cls];

	PS_DEBUG_ASSERT(cls < PS_POOL_CLASSES);
	if (ps_unlikely((intptr_t)block <= 0))
		return NULL;
	heap->bin[cls] = ps_next_of(block);
	return block;
}

/* The bin is empty or leads into the pool, or the program ends. */
static inline void
ps_heap_check_bin(const struct ps_pool_heap *heap, unsigned cls)
{
	if (ps_unlikely((intptr_t)heap->bin[cls] < 0))
		ps_die_of_link(heap->bin[cls], ps_class_bytes(cls));
}

/* A bin's look_in: its word is as far behind as there are bins. */
_Static_assert(offsetof(struct ps_pool_heap, look_in) == PS_BINS_END,
	       "right behind the bins");
_Static_assert(sizeof(int64_t) == sizeof(void *), "one step for both");
static inline int64_t *
ps_bin_look_in(void **bin)
{
	return (int64_t *)(bin + PS_POOL_CLASSES);
}

/* Put a block into its bin. */
static inline void
ps_bin_push(void **bin, void *block)
{
	PS_DEBUG_ASSERT(ps_range_is_pool(block));
	ps_set_next(block, *bin);
	*bin = block;
}

#endif /* PS_POOL_BIN_H */
