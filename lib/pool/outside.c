/* SPDX-License-Identifier: MIT */
/*
 * outside - jemalloc's blocks that lie in neither range
 *
 * Three arenas have them: one for blocks that no range has room for, one for
 * those that are nobody's to count, and jemalloc's first, from which it serves
 * a thread whose own data it has taken down already, whatever arena was asked
 * for (hazards T1).
 *
 * jemalloc grows an arena by pieces that double, and keeps what it got, so that
 * a short table holds them all; it is only ever appended to and read without a
 * lock.  When it is full, the arena gets no more.
 */
#include "base/lock.h"
#include "pool/jemalloc.h"
#include "pool/outside.h"
#include "pool/range.h"
#include "pool/region.h"

enum { PIECES_MAX = 4096 };

struct piece {
	uintptr_t start;
	size_t bytes;
	bool is_counted;
	struct ps_starts starts;
};

static struct ps_lock lock;
static struct piece *pieces;
static _Atomic uint32_t piece_count;
/* For blocks that are not counted, and for those that are. */
static je_extent_hooks hooks[2];
static _Atomic unsigned arena_plus_one[2]; /* 0: not created yet */
/* When memory is too short for an arena of our own, jemalloc's own is asked,
 * and from then on every address may be its. */
static _Atomic bool has_untracked;
static const struct ps_starts untracked; /* covers nothing: all is believed */

/* Anonymous memory at a multiple of `align`. */
static void *
map_aligned(size_t bytes, size_t align)
{
	size_t slack = align > 4096 ? align : 0;
	uintptr_t start;
	size_t after;
	void *memory;

	if (bytes > SIZE_MAX - slack || ps_os_map(bytes + slack, &memory) != 0)
		return NULL;
	start = PS_ROUND_UP((uintptr_t)memory, align);
	after = slack - (start - (uintptr_t)memory);
	if (start != (uintptr_t)memory)
		(void)ps_os_unmap(memory, start - (uintptr_t)memory);
	if (after != 0)
		(void)ps_os_unmap((void *)(start + bytes), after);
	return (void *)start;
}

static bool
write_down(const void *start, size_t bytes, bool is_counted)
{
	uint32_t count;
	bool has_room;
	void *memory;

	ps_lock_take(&lock);
	if (pieces == NULL &&
	    ps_os_map(PIECES_MAX * sizeof(*pieces), &memory) == 0)
		pieces = memory;
	count = ps_peek(&piece_count);
	has_room = pieces != NULL && count < PIECES_MAX;
	if (has_room) {
		pieces[count] = (struct piece){
		    .start = (uintptr_t)start,
		    .bytes = bytes,
		    .is_counted = is_counted,
		};
		ps_starts_init(&pieces[count].starts, (uintptr_t)start, bytes);
		/* pairs with the acquire in piece_of */
		atomic_store_explicit(&piece_count, count + 1,
				      memory_order_release);
	}
	ps_lock_give(&lock);
	return has_room;
}

static void *
hook_alloc(je_extent_hooks *self, void *at, size_t bytes, size_t align,
	   bool *is_zeroed, bool *is_committed, unsigned arena)
{
	void *start;

	(void)arena;
	if (at != NULL)
		return NULL;
	start = map_aligned(bytes, align);
	if (start == NULL)
		return NULL;
	if (!write_down(start, bytes, self == &hooks[true])) {
		(void)ps_os_unmap(start, bytes);
		return NULL;
	}
	PS_ASSERT(((uintptr_t)start & (align - 1)) == 0);
	*is_zeroed = true;
	*is_committed = true;
	return start;
}

void
ps_outside_init(void)
{
	je_extent_hooks *ours = &hooks[false];

	PS_ASSERT(hooks[false].alloc == NULL);
	ps_region_fill_hooks(&hooks[false], hook_alloc);
	ps_region_fill_hooks(&hooks[true], hook_alloc);
	(void)je_mallctl("arena.0.extent_hooks", NULL, NULL, &ours,
			 sizeof(ours));
}

static unsigned
arena_index(bool is_counted)
{
	_Atomic unsigned *slot = &arena_plus_one[is_counted];
	unsigned known = atomic_load_explicit(slot, memory_order_acquire);
	unsigned made;

	if (ps_likely(known != 0))
		return known - 1;
	made = ps_range_create_arena(&hooks[is_counted]);
	/* A second arena made by a racing thread stays empty; it is small. */
	if (made != UINT32_MAX &&
	    !atomic_compare_exchange_strong(slot, &known, made + 1))
		made = known - 1;
	return made;
}

void
ps_outside_adopt(void *block)
{
	const struct ps_starts *starts = ps_outside_starts(block);

	if (starts != NULL)
		ps_starts_add(starts, block);
	else
		ps_poke(&has_untracked, true);
}

void *
ps_outside_alloc(size_t size, int flags, bool is_counted)
{
	unsigned arena = arena_index(is_counted);
	void *block = NULL;

	if (size > PTRDIFF_MAX)
		return NULL;
	if (arena != UINT32_MAX)
		block =
		    je_mallocx(size, flags | JE_ARENA(arena) | JE_TCACHE_NONE);
	if (block == NULL)
		block = je_mallocx(size, flags);
	if (block != NULL)
		ps_outside_adopt(block);
	return block;
}

static const struct piece *
piece_of(const void *ptr)
{
	uint32_t count =
	    atomic_load_explicit(&piece_count, memory_order_acquire);

	for (uint32_t i = 0; i < count; i++)
		if ((uintptr_t)ptr - pieces[i].start < pieces[i].bytes)
			return &pieces[i];
	return NULL;
}

const struct ps_starts *
ps_outside_starts(const void *ptr)
{
	const struct piece *piece = piece_of(ptr);

	if (piece != NULL)
		return &piece->starts;
	return ps_peek(&has_untracked) ? &untracked : NULL;
}

bool
ps_outside_is_counted(const void *ptr)
{
	const struct piece *piece = piece_of(ptr);

	return piece != NULL && piece->is_counted;
}

/* In a fork child: a thread that is not there may have had the lock. */
void
ps_outside_postfork_child(void)
{
	ps_lock_init(&lock);
}
