/* SPDX-License-Identifier: MIT */
/*
 * sites - allocation sites by their stacks alone, for tests
 */
#ifndef PS_TEST_SITES_H
#define PS_TEST_SITES_H

#include "profile/site.h"
#include "profile/stack.h"
#include "shim/unwind_memo.h"

/* Row of the stack, known or new; UINT32_MAX when a table is full. */
static inline uint32_t
site_of(const uintptr_t *pcs, uint32_t depth, uint32_t flags)
{
	struct ps_stack_key key = {
	    .stack = ps_unwind_hash(pcs, depth),
	    .depth = depth,
	    .flags = flags,
	    .section = UINT32_MAX,
	};
	uint32_t row = ps_stack_find(&key);

	return row != UINT32_MAX ? row : ps_stack_enter(&key, pcs);
}

/* A sample of that size, at the recording's own distance. */
static inline void
site_allocated(uint32_t site, uint64_t size)
{
	struct ps_weight w;

	ps_site_weigh(size, 0, &w);
	ps_site_allocated(site, &w);
}

static inline void
site_freed(uint32_t site, uint64_t size, bool is_temporary)
{
	struct ps_weight w;

	ps_site_weigh(size, 0, &w);
	ps_site_freed(site, &w, is_temporary);
}

#endif /* PS_TEST_SITES_H */
