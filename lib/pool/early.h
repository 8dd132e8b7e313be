/* SPDX-License-Identifier: MIT */
/*
 * early - a few large blocks before jemalloc has begun
 *
 * Threads: any, signal handlers that may call malloc included; a fork's child
 * goes on with its copy.
 */
#ifndef PS_POOL_EARLY_H
#define PS_POOL_EARLY_H

#include "pool/region.h"

enum { PS_EARLY_BLOCKS = 8, PS_EARLY_BLOCK_MAX = 256 << 10 };

/* Where the blocks are to lie. */
void ps_early_init(struct ps_region *region);

/* A block aligned to 4 KiB or more; NULL: too large, too many, no memory. */
void *ps_early_alloc(size_t size, size_t align, bool is_zeroed);
void ps_early_free(void *block);

/* Whether the address is in one of them, or where one could be. */
bool ps_early_holds(const void *ptr);

size_t ps_early_usable(const void *block);
/* Made larger or smaller where it is; false: it has no room for that. */
bool ps_early_resize(void *block, size_t size);

/* What was free at two calls in turn goes back to the system. */
void ps_early_decay(void);

#endif /* PS_POOL_EARLY_H */
