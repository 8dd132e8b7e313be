/* SPDX-License-Identifier: MIT */
/*
 * region - a reserved piece of address space, and jemalloc's hooks over it
 *
 * Threads: any, once it is initialised.
 */
#ifndef PS_POOL_REGION_H
#define PS_POOL_REGION_H

#include "pool/jemalloc.h"

struct ps_region {
	je_extent_hooks hooks; /* first: the hooks get its address */
	uintptr_t base;
	_Atomic size_t bytes;
	_Atomic size_t taken;
	/* What lies beyond `taken` is not reserved, but mapped when it is
	 * taken. */
	_Atomic bool is_mapped_late;
	/* What must be made writable along with addresses; NULL: nothing. */
	bool (*commit_along)(uintptr_t start, size_t bytes);
};

void ps_region_init(struct ps_region *r, uintptr_t base, size_t bytes,
		    bool (*commit_along)(uintptr_t start, size_t bytes));

/* Addresses that may be read and written; 0: no room, or no memory. */
uintptr_t ps_region_take(struct ps_region *r, size_t bytes, size_t align);

/*
 * From now on it ends `room` bytes after what is taken, or where it did; the
 * bytes that it has now.  What lies beyond is the caller's to unmap, and what
 * lies beyond `taken` too if it is to be mapped late.  One thread at a time.
 */
size_t ps_region_trim(struct ps_region *r, size_t room, bool is_mapped_late);

/* An arena's hooks, but for where its addresses come from. */
void ps_region_fill_hooks(je_extent_hooks *hooks, ps_extent_alloc *alloc);

#endif /* PS_POOL_REGION_H */
