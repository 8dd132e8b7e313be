/* SPDX-License-Identifier: MIT */
/*
 * pool_user - a thread of a program that uses the pool, for tests
 *
 * The fast paths live in the shim; here they are spelled out once more in their
 * plainest form, so that the pool is tested without being preloaded.
 */
#ifndef PS_TEST_POOL_USER_H
#define PS_TEST_POOL_USER_H

#include <check.h>
#include <string.h>

#include "pool/bin.h"

struct user {
	struct ps_pool_heap *heap;
	_Atomic uint64_t allocations[PS_POOL_CLASSES];
	_Atomic uint64_t frees[PS_POOL_CLASSES];
	uint64_t random;
};

static inline uint64_t
draw(struct user *u)
{
	u->random ^= u->random << 13;
	u->random ^= u->random >> 7;
	u->random ^= u->random << 17;
	return u->random;
}

static inline void
start_user(struct user *u, uint64_t seed)
{
	memset(u, 0, sizeof(*u));
	u->random = seed * 2654435761u + 1;
	u->heap = ps_heap_attach(u->allocations, u->frees);
	ck_assert_ptr_nonnull(u->heap);
}

static inline void *
take(struct user *u, size_t size)
{
	unsigned cls = ps_class_of(size);
	void *block = ps_heap_pop(u->heap, cls);

	if (block == NULL)
		block = ps_heap_refill(u->heap, cls);
	if (block == NULL)
		ck_abort_msg("no block of %zu", size);
	ps_bump(&u->allocations[cls], 1);
	return block;
}

static inline void
give(struct user *u, void *block)
{
	unsigned cls = ps_page_of(block)->cls;
	void **bin = ps_bin_of(block);
	size_t at = ps_heap_bin_at(u->heap, bin);

	ps_bump(&u->frees[cls], 1);
	if (at >= PS_BINS_END) {
		ps_heap_adjust(u->heap, cls, -1);
		ps_heap_free_remote(ps_page_of(block), block);
		return;
	}
	ps_bin_push(bin, block);
	if (--u->heap->look_in[cls] < 0)
		ps_heap_look(u->heap, cls);
}

static inline void
start_pool(void)
{
	ps_class_init();
	ps_range_init();
	ps_heap_init();
	ck_assert_uint_gt(ps_range.bytes, 0);
}

#endif /* PS_TEST_POOL_USER_H */
