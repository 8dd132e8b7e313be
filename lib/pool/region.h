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
	size_t bytes;
	_Atomic size_t taken;
	/* What must be made writable along with addresses; NULL: nothing. */
	bool (*commit_along)(uintptr_t start, size_t bytes);
};

void ps_region_init(struct ps_region *r, uintptr_t base, size_t bytes,
		    bool (*commit_along)(uintptr_t start, size_t bytes));

/* Addresses that may be read and written; 0: no room, or no memory. */
uintptr_t ps_region_take(struct ps_region *r, size_t bytes, size_t align);

/* An arena's hooks, but for where its addresses come from. */
void ps_region_fill_hooks(je_extent_hooks *hooks, ps_extent_alloc *alloc);

#endif /* PS_POOL_REGION_H */
