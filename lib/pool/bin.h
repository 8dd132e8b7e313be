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
 * Where in the heap is the bin of a pool's block: class * sizeof(void *), or,
 * when the block is not a plain one of this heap, PS_BINS_END or more.
 */
enum { PS_BINS_END = PS_POOL_CLASSES * sizeof(void *) };
static inline size_t
ps_heap_bin_at(const struct ps_pool_heap *heap, const void *block)
{
	return ps_peek(&ps_range.bins[ps_unit_of(block)]) - (uintptr_t)heap;
}

/*
 * Links of free blocks are xor'ed with a random key, so that what a program
 * writes into a freed block does not come back as an address of its choice.
 * Where blocks move between bin and pages, links and starts are checked; in the
 * fast paths that costs a fifth of them (measured), and is left out.
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

/* Take from the bin of the class; NULL when it is empty. */
static inline void *
ps_heap_pop(struct ps_pool_heap *heap, size_t cls)
{
	void *block = heap->bin[cls];

	if (ps_likely(block != NULL))
		heap->bin[cls] = ps_next_of(block);
	return block;
}

/* Whether the block was the last one to be put into that bin. */
static inline bool
ps_heap_is_last(const struct ps_pool_heap *heap, size_t at, const void *block)
{
	return *(void *const *)((const char *)heap + at) == block;
}

/* Put a block into its bin; at as ps_heap_bin_at gave it. */
static inline void
ps_heap_push(struct ps_pool_heap *heap, size_t at, void *block)
{
	void **bin = (void **)((char *)heap + at);

	ps_set_next(block, *bin);
	*bin = block;
}

#endif /* PS_POOL_BIN_H */
