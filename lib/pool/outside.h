/* SPDX-License-Identifier: MIT */
/*
 * outside - jemalloc's blocks that lie in neither range
 *
 * Blocks that the shim makes for itself, and all large ones where no range
 * could be reserved (RLIMIT_AS).  They come from an arena whose mappings are
 * written down, because jemalloc's own look-up may only be asked about
 * addresses that it knows.
 *
 * Threads: any.
 */
#ifndef PS_POOL_OUTSIDE_H
#define PS_POOL_OUTSIDE_H

#include "pool/starts.h"

/* Once, as jemalloc begins; for ps_range_begin_jemalloc only. */
void ps_outside_init(void);

/* A block that jemalloc chose to take from elsewhere than it was told to. */
void ps_outside_adopt(void *block);

/* As je_mallocx; NULL: no memory. */
void *ps_outside_alloc(size_t size, int flags, bool is_counted);
/* Whether the address is one of a block for which that was so, from an arena of
 * ours. */
bool ps_outside_is_counted(const void *ptr);

/*
 * Where in the mapping that holds the address blocks begin; NULL when it lies
 * in none of that arena's.  O(mappings), a few.  Once memory was too short for
 * an arena of our own, it is never NULL.
 */
const struct ps_starts *ps_outside_starts(const void *ptr);

void ps_outside_postfork_child(void);

static inline bool
ps_outside_holds(const void *ptr)
{
	return ps_outside_starts(ptr) != NULL;
}

#endif /* PS_POOL_OUTSIDE_H */
