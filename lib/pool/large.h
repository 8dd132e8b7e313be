/* SPDX-License-Identifier: MIT */
/*
 * large - blocks above the pool's sizes, in the large range or outside of it
 *
 * Threads: any.
 */
#ifndef PS_POOL_LARGE_H
#define PS_POOL_LARGE_H

#include "base/base.h"

/* Once, when the range is known. */
void ps_large_init(void);

/*
 * A block above the pool's sizes; flags as je_mallocx (JE_ALIGN, JE_ZERO).
 * `hint` spreads threads over arenas.
 */
void *ps_large_alloc(size_t size, int flags, unsigned hint);

/*
 * For addresses in the large range and those that ps_outside_holds: whether a
 * block can start there.  Sure for blocks of 16 KiB and up.
 */
bool ps_large_is_start(const void *ptr);
/* Bytes that the program may use of such a block. */
size_t ps_large_usable(const void *ptr);
/* Free such a block; false: it was freed meanwhile. */
bool ps_large_free(void *ptr);

/* A block of the large range made larger or smaller, moved if need be. */
void *ps_large_realloc(void *ptr, size_t size, unsigned hint);

/* Let jemalloc give back what its clock says. */
void ps_large_decay(void);

/* The large range has become smaller: see ps_range_trim. */
void ps_large_trim(void);

#endif /* PS_POOL_LARGE_H */
