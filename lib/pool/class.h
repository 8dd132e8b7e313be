/* SPDX-License-Identifier: MIT */
/*
 * class - the pool's size classes
 *
 * Steps of 16 bytes up to 128, then four classes to each doubling up to
 * 32 KiB: 40 classes, at most 25 % (from 128 bytes on 20 %) of a block unused.
 * They are jemalloc's classes too, so that a block counts in the same class
 * whether the pool or jemalloc served it.
 */
#ifndef PS_POOL_CLASS_H
#define PS_POOL_CLASS_H

#include "base/base.h"

enum {
	PS_POOL_CLASSES = 40,
	PS_POOL_GRAIN = 16,
	PS_POOL_SMALL_MAX = 32768,     /* larger blocks are jemalloc's */
	PS_POOL_UNIT_BLOCK_MAX = 4096, /* larger ones get pages of 512 KiB */
};
_Static_assert(PS_POOL_SMALL_MAX % PS_POOL_GRAIN == 0, "the table ends there");
_Static_assert(PS_POOL_CLASSES <= UINT8_MAX + 1, "a byte each in the table");

/* Class of ceil(size / 16); filled by ps_class_init. */
extern uint8_t ps_class_table[PS_POOL_SMALL_MAX / PS_POOL_GRAIN + 1];
extern uint32_t ps_class_sizes[PS_POOL_CLASSES];

/* Once, before any other call; no system call. */
void ps_class_init(void);

/* Class of a size <= PS_POOL_SMALL_MAX; size 0 is served as 1. */
static inline unsigned
ps_class_of(size_t size)
{
	PS_DEBUG_ASSERT(size <= PS_POOL_SMALL_MAX);
	return ps_class_table[(size + PS_POOL_GRAIN - 1) / PS_POOL_GRAIN];
}

static inline uint32_t
ps_class_bytes(unsigned cls)
{
	PS_DEBUG_ASSERT(cls < PS_POOL_CLASSES);
	return ps_class_sizes[cls];
}

/*
 * The smallest class with blocks of at least `size` that all lie on multiples
 * of `align` (a power of two) in a page that does; PS_POOL_CLASSES when there
 * is none.
 */
unsigned ps_class_of_aligned(size_t size, size_t align);

#endif /* PS_POOL_CLASS_H */
