/* SPDX-License-Identifier: MIT */
/*
 * early - a few large blocks before jemalloc has begun
 *
 * cat, grep and their like take one or two buffers of 96 or 128 KiB in their
 * lives, and for those jemalloc would begin, which touches a hundred pages.  So
 * the first large blocks, up to eight at a time of up to 256 KiB, come from
 * slots in the large range.  When they do not suffice, jemalloc begins, and all
 * later ones are its own; a block stays where it is.
 *
 * A slot is its taker's from the bit in `taken` on; all else about it follows
 * that bit.  `dirty` slots hold memory; those of `idle` were free at the last
 * ps_early_decay.
 */
#include <string.h>

#include "base/os.h"
#include "pool/early.h"

enum { ALL = (1 << PS_EARLY_BLOCKS) - 1, GRAIN = 4096 };
_Static_assert(PS_EARLY_BLOCKS < 32, "a bit a slot");
_Static_assert(PS_EARLY_BLOCK_MAX % GRAIN == 0, "slots are whole pages");

static struct ps_region *region;
static _Atomic uintptr_t base; /* 0: no slots yet */
static _Atomic uint32_t taken;
static _Atomic uint32_t dirty;
static _Atomic uint32_t idle;
static _Atomic uint32_t usable[PS_EARLY_BLOCKS];

void
ps_early_init(struct ps_region *of)
{
	region = of;
}

/* Another thread may be at it, too: then one piece of addresses is lost. */
static uintptr_t
slots(void)
{
	uintptr_t known = atomic_load_explicit(&base, memory_order_acquire);
	uintptr_t fresh;

	if (known != 0 || region == NULL)
		return known;
	fresh =
	    ps_region_take(region, (size_t)PS_EARLY_BLOCKS * PS_EARLY_BLOCK_MAX,
			   PS_EARLY_BLOCK_MAX);
	if (fresh == 0 || atomic_compare_exchange_strong(&base, &known, fresh))
		return fresh;
	return known;
}

static unsigned
slot_of(const void *ptr)
{
	return (unsigned)(((uintptr_t)ptr - ps_peek(&base)) /
			  PS_EARLY_BLOCK_MAX);
}

static char *
start_of(unsigned slot)
{
	return (char *)ps_peek(&base) + (size_t)slot * PS_EARLY_BLOCK_MAX;
}

/* Take the bit of a free slot of `among`; -1: there is none. */
static int
take(uint32_t among)
{
	uint32_t now = ps_peek(&taken);
	uint32_t free;

	do {
		free = among & ~now;
		if (free == 0)
			return -1;
		/* acquire: pairs with the release in give */
	} while (!atomic_compare_exchange_weak_explicit(
	    &taken, &now, now | (free & -free), memory_order_acquire,
	    memory_order_relaxed));
	return __builtin_ctz(free);
}

static void
give(unsigned slot)
{
	(void)atomic_fetch_and_explicit(&taken, ~(UINT32_C(1) << slot),
					memory_order_release);
}

void *
ps_early_alloc(size_t size, size_t align, bool is_zeroed)
{
	uint32_t bit;
	int slot;

	PS_ASSERT(size > 0);
	if (size > PS_EARLY_BLOCK_MAX || align > PS_EARLY_BLOCK_MAX ||
	    slots() == 0)
		return NULL;
	slot = take(ALL);
	if (slot < 0)
		return NULL;
	bit = UINT32_C(1) << slot;
	ps_poke(&usable[slot], (uint32_t)PS_ROUND_UP(size, (size_t)GRAIN));
	if ((atomic_fetch_or(&dirty, bit) & bit) != 0 && is_zeroed)
		memset(start_of((unsigned)slot), 0, size);
	return start_of((unsigned)slot);
}

bool
ps_early_holds(const void *ptr)
{
	uintptr_t start = atomic_load_explicit(&base, memory_order_acquire);

	return start != 0 && (uintptr_t)ptr - start <
				 (size_t)PS_EARLY_BLOCKS * PS_EARLY_BLOCK_MAX;
}

size_t
ps_early_usable(const void *block)
{
	PS_ASSERT(ps_early_holds(block));
	return ps_peek(&usable[slot_of(block)]);
}

bool
ps_early_resize(void *block, size_t size)
{
	PS_ASSERT(ps_early_holds(block) && size > 0);
	if (size > PS_EARLY_BLOCK_MAX)
		return false;
	ps_poke(&usable[slot_of(block)],
		(uint32_t)PS_ROUND_UP(size, (size_t)GRAIN));
	return true;
}

void
ps_early_free(void *block)
{
	unsigned slot = slot_of(block);

	PS_ASSERT(ps_early_holds(block) && block == start_of(slot));
	PS_ASSERT((ps_peek(&taken) >> slot & 1) != 0);
	give(slot);
}

void
ps_early_decay(void)
{
	uint32_t was_idle = ps_peek(&idle);
	int slot;

	if (ps_peek(&dirty) == 0)
		return;
	while ((slot = take(was_idle & ps_peek(&dirty))) >= 0) {
		uint32_t bit = UINT32_C(1) << slot;

		was_idle &= ~bit;
		if (ps_os_discard(start_of((unsigned)slot),
				  PS_EARLY_BLOCK_MAX) == 0)
			(void)atomic_fetch_and(&dirty, ~bit);
		give((unsigned)slot);
	}
	ps_poke(&idle, ps_peek(&dirty) & ~ps_peek(&taken));
}
