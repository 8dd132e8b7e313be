/* SPDX-License-Identifier: MIT */
/*
 * large - blocks above the pool's sizes, in the large range or outside of it
 *
 * A few arenas of jemalloc's share the range, so that threads do not wait for
 * each other.  An arena is asked for by number, but jemalloc has its own way
 * with a thread whose data it has taken down already: what comes back is
 * looked at, not believed.
 */
#include <string.h>

#include "pool/early.h"
#include "pool/jemalloc.h"
#include "pool/large.h"
#include "pool/outside.h"
#include "pool/range.h"
#include "pool/starts.h"

enum { LARGE_ARENAS = 8 };

static struct ps_starts large_starts;
/* 0: not created yet, else index + 1. */
static _Atomic unsigned large_arena[LARGE_ARENAS];

void
ps_large_init(void)
{
	ps_starts_init(&large_starts, ps_range.large_base,
		       ps_range.large_bytes);
}

void
ps_large_trim(void)
{
	ps_starts_trim(&large_starts, ps_range.large_bytes);
}

static unsigned
large_arena_index(unsigned hint)
{
	_Atomic unsigned *slot = &large_arena[hint % LARGE_ARENAS];
	unsigned known = atomic_load_explicit(slot, memory_order_acquire);
	unsigned expected = 0;
	unsigned made;

	if (ps_likely(known != 0))
		return known - 1;
	made = ps_range_create_arena(ps_range_large_hooks());
	if (made == UINT32_MAX)
		return UINT32_MAX;
	/* A second arena made by a racing thread stays empty; it is small. */
	if (atomic_compare_exchange_strong(slot, &expected, made + 1))
		return made;
	return expected - 1;
}

static void *
block_of_range(size_t size, int flags, unsigned hint)
{
	void *block = NULL;
	unsigned arena;

	if (!ps_range_has_jemalloc())
		block = ps_early_alloc(size, JE_ALIGN_OF(flags),
				       (flags & JE_ZERO) != 0);
	if (block != NULL)
		return block;
	arena = large_arena_index(hint);
	return arena == UINT32_MAX
		   ? NULL
		   : je_mallocx(size, flags | JE_ARENA(arena) | JE_TCACHE_NONE);
}

void *
ps_large_alloc(size_t size, int flags, unsigned hint)
{
	void *block = NULL;

	PS_DEBUG_ASSERT((flags & ~(0x3f | JE_ZERO)) == 0);
	if (size > PTRDIFF_MAX)
		return NULL;
	if (ps_range.large_bytes != 0)
		block = block_of_range(size, flags, hint);
	if (block == NULL)
		return ps_outside_alloc(size, flags, true);
	if (ps_likely(ps_range_is_large(block)))
		ps_starts_add(&large_starts, block);
	else
		ps_outside_adopt(block);
	return block;
}

/* Of the range, or of the mapping outside that holds the address. */
static const struct ps_starts *
starts_of(const void *ptr)
{
	return ps_range_is_large(ptr) ? &large_starts : ps_outside_starts(ptr);
}

bool
ps_large_is_start(const void *ptr)
{
	return (uintptr_t)ptr % 16 == 0 && ps_starts_has(starts_of(ptr), ptr);
}

bool
ps_large_free(void *ptr)
{
	if (!ps_starts_drop(starts_of(ptr), ptr))
		return false;
	if (ps_unlikely(ps_early_holds(ptr)))
		ps_early_free(ptr);
	else
		je_dallocx(ptr, JE_TCACHE_NONE);
	return true;
}

size_t
ps_large_usable(const void *ptr)
{
	return ps_unlikely(ps_early_holds(ptr)) ? ps_early_usable(ptr)
						: je_sallocx(ptr, 0);
}

static void *
realloc_early(void *ptr, size_t size, unsigned hint)
{
	void *block;

	if (ps_early_resize(ptr, size))
		return ptr;
	block = ps_large_alloc(size, 0, hint);
	if (block == NULL)
		return NULL;
	memcpy(block, ptr, PS_MIN(size, ps_early_usable(ptr)));
	(void)ps_large_free(ptr);
	return block;
}

void *
ps_large_realloc(void *ptr, size_t size, unsigned hint)
{
	unsigned arena;
	void *block;

	PS_ASSERT(ps_range_is_large(ptr) && size > 0);
	if (ps_early_holds(ptr))
		return realloc_early(ptr, size, hint);
	arena = large_arena_index(hint);
	/* Before: another thread may get the old address at once. */
	(void)ps_starts_drop(&large_starts, ptr);
	block = je_rallocx(ptr, size,
			   arena == UINT32_MAX
			       ? JE_TCACHE_NONE
			       : (JE_ARENA(arena) | JE_TCACHE_NONE));
	if (block == NULL || ps_likely(ps_range_is_large(block)))
		ps_starts_add(&large_starts, block != NULL ? block : ptr);
	else
		ps_outside_adopt(block);
	return block;
}

void
ps_large_decay(void)
{
	ps_early_decay();
	for (unsigned i = 0; i < LARGE_ARENAS; i++)
		if (ps_peek(&large_arena[i]) != 0)
			ps_range_decay_arena(ps_peek(&large_arena[i]) - 1);
}
