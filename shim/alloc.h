/* SPDX-License-Identifier: MIT */
/*
 * alloc - the slow side of every allocation function
 *
 * What the exported functions tail-call when their one test fails, and the
 * whole of those that have no fast path.  errno is set to ENOMEM on failure and
 * is otherwise the caller's.
 */
#ifndef PS_SHIM_ALLOC_H
#define PS_SHIM_ALLOC_H

#include "pool/outside.h"
#include "pool/range.h"
#include "shim/unwind.h"

/*
 * A block of at least `size` bytes at a multiple of `align` (a power of two,
 * 16 or more), zeroed when asked; counted, and sampled when it is its turn.
 * NULL: no memory.
 */
void *ps_alloc(size_t size, size_t align, bool is_zeroed,
	       const struct ps_unwind_context *caller);
void *ps_realloc(void *ptr, size_t size,
		 const struct ps_unwind_context *caller);
void ps_free(void *ptr);
size_t ps_usable_size(const void *ptr);

/* Before, nothing of libc may be called, nor errno asked for. */
bool ps_is_relocated(void);
/* Made before: static, never freed. */
bool ps_is_bootstrap(const void *ptr);
/* realloc of such a block before; NULL when there is no room. */
void *ps_bootstrap_realloc(const void *ptr, size_t size);

/*
 * Blocks that are nobody's to count come from an arena of their own, so that
 * their address tells.  Nor are those counted that jemalloc had to take from
 * where no address tells.
 */
static inline bool
ps_is_counted_large(const void *ptr)
{
	return ps_range_is_large(ptr) || ps_outside_is_counted(ptr);
}

#endif /* PS_SHIM_ALLOC_H */
