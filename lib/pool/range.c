/* SPDX-License-Identifier: MIT */
/*
 * range - reserved address ranges that jemalloc fills
 *
 * Idea: reserve once with PROT_NONE, hand addresses to jemalloc in the order it
 * asks (a bump, never taken back: jemalloc retains), and let it manage what
 * lies below the mark.  The record of a page and the marks of its blocks are
 * found by arithmetic from the address, in tables reserved the same way and
 * made writable together with the addresses they describe.
 *
 * jemalloc grows an arena by doubling pieces; a piece is made writable as a
 * whole, which costs no memory until it is touched.  When the kernel counts it
 * against a limit and refuses, the hook fails and jemalloc asks for less.
 *
 * jemalloc itself begins late.  Its start touches a hundred pages (arena 0, the
 * pool's arena, the table of its settings), which is a third of a small
 * program's start-up where a fault costs 3 us; most processes that a build
 * starts never need it.  So the pool's first segments are taken from the range
 * directly, and go back to a list of their own.
 *
 * The obvious alternative, pages by mmap of our own with a free list of units,
 * was left because decay, purging and coalescing would have to be built again.
 */
#include <sys/resource.h>

#include "base/lock.h"
#include "base/os.h"
#include "pool/jemalloc.h"
#include "pool/large.h"
#include "pool/outside.h"
#include "pool/range.h"

#define PROBE_BYTES ((size_t)1 << 30)

enum { SEGMENT_BYTES = PS_SEGMENT_UNITS << PS_UNIT_SHIFT, EARLY_SEGMENTS = 4 };

/* One reserved range as its arenas' hooks see it. */
struct region {
	je_extent_hooks hooks; /* first: the hooks get its address */
	uintptr_t base;
	size_t bytes;
	_Atomic size_t taken;
	bool has_pages; /* page records go along */
};

struct ps_range ps_range;

static struct region pool_region;
static struct region large_region;
static unsigned pool_arena; /* has_pool_arena */
static bool has_pool_arena;

/* Segments that are not jemalloc's; segment.c's lock guards them. */
static struct {
	void *start;
	bool is_free;
} early[EARLY_SEGMENTS];

static struct ps_lock beginning;
static _Atomic bool has_begun;
void (*ps_range_begin_on)(ps_range_call *call, intptr_t unused);

/* The entries of a table for the units of [start, start + bytes). */
static bool
commit_entries(const void *table, size_t entry_bytes, uintptr_t start,
	       size_t bytes)
{
	uintptr_t first = (start - ps_range.base) >> PS_UNIT_SHIFT;
	uintptr_t last = (start + bytes - 1 - ps_range.base) >> PS_UNIT_SHIFT;
	uintptr_t low = (uintptr_t)table + first * entry_bytes;
	uintptr_t high = (uintptr_t)table + (last + 1) * entry_bytes;

	low &= ~(uintptr_t)4095;
	high = PS_ROUND_UP(high, (uintptr_t)4096);
	return ps_os_commit((void *)low, high - low) == 0;
}

/* Addresses for `bytes`, aligned; 0 when the region is used up. */
static uintptr_t
bump(struct region *r, size_t bytes, size_t align)
{
	size_t taken = ps_peek(&r->taken);
	size_t start;

	do {
		start = PS_ROUND_UP(r->base + taken, align) - r->base;
		if (bytes > r->bytes || start > r->bytes - bytes)
			return 0;
	} while (
	    !atomic_compare_exchange_weak(&r->taken, &taken, start + bytes));
	return r->base + start;
}

/*
 * Whether the kernel would give that much to a program that simply maps it: in
 * a reservation it does not look (overcommit_memory 0 refuses one mapping
 * larger than all memory).
 */
static bool
is_obvious_overcommit(size_t bytes)
{
	void *probe;

	if (bytes < PROBE_BYTES)
		return false;
	if (ps_os_map(bytes, &probe) != 0)
		return true;
	(void)ps_os_unmap(probe, bytes);
	return false;
}

/* Addresses that may be read and written, with their page records. */
static uintptr_t
take(struct region *r, size_t bytes, size_t align)
{
	uintptr_t start = bump(r, bytes, align);

	if (start == 0 || ps_os_commit((void *)start, bytes) != 0)
		return 0;
	if (r->has_pages &&
	    !commit_entries(ps_range.pages, PS_PAGE_RECORD_BYTES, start, bytes))
		return 0;
	return start;
}

static void *
hook_alloc(je_extent_hooks *hooks, void *at, size_t bytes, size_t align,
	   bool *is_zeroed, bool *is_committed, unsigned arena)
{
	struct region *r = (struct region *)hooks;
	uintptr_t start;

	(void)arena;
	if (at != NULL || is_obvious_overcommit(bytes))
		return NULL;
	start = take(r, bytes, PS_MAX(align, (size_t)PS_UNIT_BYTES));
	if (start == 0)
		return NULL;
	*is_zeroed = true;
	*is_committed = true;
	return (void *)start;
}

/* true: no, keep it.  Addresses are never given back. */
static bool
hook_dalloc(je_extent_hooks *hooks, void *at, size_t bytes, bool is_committed,
	    unsigned arena)
{
	(void)hooks;
	(void)at;
	(void)bytes;
	(void)is_committed;
	(void)arena;
	return true;
}

static void
hook_destroy(je_extent_hooks *hooks, void *at, size_t bytes, bool is_committed,
	     unsigned arena)
{
	(void)hooks;
	(void)is_committed;
	(void)arena;
	(void)ps_os_discard(at, bytes);
}

static bool
hook_commit(je_extent_hooks *hooks, void *at, size_t bytes, size_t offset,
	    size_t length, unsigned arena)
{
	(void)hooks;
	(void)bytes;
	(void)arena;
	return ps_os_commit((char *)at + offset, length) != 0;
}

static bool
hook_refuse(je_extent_hooks *hooks, void *at, size_t bytes, size_t offset,
	    size_t length, unsigned arena)
{
	(void)hooks;
	(void)at;
	(void)bytes;
	(void)offset;
	(void)length;
	(void)arena;
	return true;
}

static bool
hook_purge_lazy(je_extent_hooks *hooks, void *at, size_t bytes, size_t offset,
		size_t length, unsigned arena)
{
	(void)hooks;
	(void)bytes;
	(void)arena;
	return ps_os_discard_lazy((char *)at + offset, length) != 0;
}

static bool
hook_purge_forced(je_extent_hooks *hooks, void *at, size_t bytes, size_t offset,
		  size_t length, unsigned arena)
{
	(void)hooks;
	(void)bytes;
	(void)arena;
	return ps_os_discard((char *)at + offset, length) != 0;
}

static bool
hook_split(je_extent_hooks *hooks, void *at, size_t bytes, size_t first,
	   size_t second, bool is_committed, unsigned arena)
{
	(void)hooks;
	(void)at;
	(void)bytes;
	(void)first;
	(void)second;
	(void)is_committed;
	(void)arena;
	return false;
}

static bool
hook_merge(je_extent_hooks *hooks, void *first, size_t first_bytes,
	   void *second, size_t second_bytes, bool is_committed, unsigned arena)
{
	(void)hooks;
	(void)first;
	(void)first_bytes;
	(void)second;
	(void)second_bytes;
	(void)is_committed;
	(void)arena;
	return false;
}

void
ps_range_fill_hooks(je_extent_hooks *hooks, ps_extent_alloc *alloc)
{
	*hooks = (je_extent_hooks){
	    .alloc = alloc,
	    .dalloc = hook_dalloc,
	    .destroy = hook_destroy,
	    .commit = hook_commit,
	    .decommit = hook_refuse,
	    .purge_lazy = hook_purge_lazy,
	    .purge_forced = hook_purge_forced,
	    .split = hook_split,
	    .merge = hook_merge,
	};
}

static void
init_region(struct region *r, uintptr_t base, size_t bytes, bool has_pages)
{
	ps_range_fill_hooks(&r->hooks, hook_alloc);
	r->base = base;
	r->bytes = bytes;
	r->has_pages = has_pages;
}

static void
begin(intptr_t unused)
{
	(void)unused;
	ps_lock_take(&beginning);
	if (!ps_peek(&has_begun)) {
		ps_outside_init();
		/* release: jemalloc's handlers of fork are known */
		atomic_store_explicit(&has_begun, true, memory_order_release);
	}
	ps_lock_give(&beginning);
}

void
ps_range_begin_jemalloc(void)
{
	if (ps_likely(ps_range_has_jemalloc()))
		return;
	if (ps_range_begin_on != NULL)
		ps_range_begin_on(begin, 0);
	else
		begin(0);
}

bool
ps_range_has_jemalloc(void)
{
	return atomic_load_explicit(&has_begun, memory_order_acquire);
}

unsigned
ps_range_create_arena(je_extent_hooks *hooks)
{
	unsigned index;
	size_t bytes = sizeof(index);

	ps_range_begin_jemalloc();
	if (je_mallctl("arenas.create", &index, &bytes, &hooks,
		       sizeof(hooks)) != 0)
		return UINT32_MAX;
	return index;
}

/*
 * Pool range of `pool` bytes, its page records, its marks and the large
 * range in one reservation, so that one RLIMIT_AS check covers them.
 */
static bool
reserve(size_t pool, size_t large)
{
	size_t records = (pool >> PS_UNIT_SHIFT) * PS_PAGE_RECORD_BYTES;
	size_t segments = (pool >> PS_UNIT_SHIFT) * sizeof(uint16_t);
	size_t bins = (pool >> PS_UNIT_SHIFT) * sizeof(uintptr_t);
	void *memory;
	uintptr_t start;

	if (ps_os_reserve(2 * pool + large + records + bins + segments +
			      3 * PS_UNIT_BYTES,
			  &memory) != 0)
		return false;
	start = PS_ROUND_UP((uintptr_t)memory, (uintptr_t)PS_UNIT_BYTES);
	ps_range.large_base = start + pool;
	ps_range.large_bytes = large;
	ps_range.pages = (struct ps_page *)(start + pool + large);
	ps_range.bins = (_Atomic uintptr_t *)(start + pool + large + records);
	ps_range.bins_from_zero = (uintptr_t)ps_range.bins -
				  (start >> PS_UNIT_SHIFT) * sizeof(uintptr_t);
	ps_range.segments = (uint16_t *)((char *)ps_range.bins + bins);
	if (ps_os_commit(ps_range.bins, bins + segments) != 0)
		return false;
	ps_range.marks = PS_ROUND_UP((uintptr_t)ps_range.segments + segments,
				     (uintptr_t)PS_UNIT_BYTES);
	ps_range.base = start;
	ps_range.bytes = pool;
	if (ps_os_random(&ps_range.link_key, sizeof(ps_range.link_key)) != 0)
		ps_range.link_key = ps_os_monotonic_ns() * (start | 1);
	/* So that a word of zeros is no link: no address has the top bit. */
	ps_range.link_key |= (uintptr_t)1 << 63;
	init_region(&pool_region, start, pool, true);
	init_region(&large_region, start + pool, large, false);
	return true;
}

/*
 * 64 GiB of small blocks and 1 TiB of large ones, which costs nothing until it
 * is used.  Under RLIMIT_AS every reserved byte counts: a twelfth of it or,
 * when that is little, none; large blocks are left to jemalloc's own mappings.
 */
void
ps_range_init(void)
{
	uint64_t limit = ps_os_limit(RLIMIT_AS);
	size_t pool = (size_t)64 << 30;
	size_t large = (size_t)1 << 40;

	if (limit != UINT64_MAX) {
		pool = (size_t)(limit / 12) & ~((size_t)PS_UNIT_BYTES * 16 - 1);
		large = 0;
	}
	while (pool >= (size_t)8 << 20 && !reserve(pool, large)) {
		pool /= 4;
		large /= 4;
	}
	if (ps_range.bytes == 0)
		return;
	ps_large_init();
}

static void *
take_early(void)
{
	for (unsigned i = 0; i < EARLY_SEGMENTS; i++) {
		if (early[i].start == NULL)
			early[i].start = (void *)take(
			    &pool_region, SEGMENT_BYTES, PS_UNIT_BYTES);
		else if (!early[i].is_free)
			continue;
		early[i].is_free = false;
		return early[i].start;
	}
	return NULL;
}

static bool
give_early(void *start)
{
	for (unsigned i = 0; i < EARLY_SEGMENTS; i++) {
		if (early[i].start != start)
			continue;
		PS_ASSERT(!early[i].is_free);
		ps_range_discard(start, PS_SEGMENT_UNITS);
		early[i].is_free = true;
		return true;
	}
	return false;
}

void *
ps_range_take_segment(void)
{
	void *start = ps_range.bytes == 0 ? NULL : take_early();

	if (start != NULL || ps_range.bytes == 0)
		return start;
	if (!has_pool_arena) {
		pool_arena = ps_range_create_arena(&pool_region.hooks);
		has_pool_arena = pool_arena != UINT32_MAX;
	}
	if (!has_pool_arena)
		return NULL;
	start = je_mallocx(SEGMENT_BYTES, JE_ALIGN((size_t)PS_UNIT_BYTES) |
					      JE_ARENA(pool_arena) |
					      JE_TCACHE_NONE);
	PS_ASSERT(((uintptr_t)start & (PS_UNIT_BYTES - 1)) == 0);
	if (start == NULL || ps_range_is_pool(start))
		return start;
	/* The thread is one whose end jemalloc has seen. */
	je_dallocx(start, JE_TCACHE_NONE);
	return NULL;
}

void
ps_range_give_segment(void *start)
{
	PS_ASSERT(ps_range_is_pool(start));
	if (!give_early(start))
		je_dallocx(start, JE_TCACHE_NONE);
}

void
ps_range_prefork(void)
{
	ps_lock_take(&beginning);
}

void
ps_range_postfork_parent(void)
{
	ps_lock_give(&beginning);
}

void
ps_range_postfork_child(void)
{
	ps_lock_init(&beginning);
}

static void *
marks_of(const void *start)
{
	return (char *)ps_range.marks + ((uintptr_t)start - ps_range.base);
}

bool
ps_range_marks_commit(void *start, size_t units)
{
	PS_ASSERT(ps_range_is_pool(start));
	return ps_os_commit(marks_of(start), units << PS_UNIT_SHIFT) == 0;
}

void
ps_range_discard(void *start, size_t units)
{
	PS_ASSERT(ps_range_is_pool(start));
	(void)ps_os_discard(start, units << PS_UNIT_SHIFT);
	(void)ps_os_discard(marks_of(start), units << PS_UNIT_SHIFT);
}

je_extent_hooks *
ps_range_large_hooks(void)
{
	return &large_region.hooks;
}

void
ps_range_decay_arena(unsigned arena)
{
	static size_t mib[3];
	size_t length = PS_COUNT(mib);
	size_t name[3];

	if (mib[0] == 0 &&
	    je_mallctlnametomib("arena.0.decay", mib, &length) != 0)
		return;
	name[0] = mib[0];
	name[1] = arena;
	name[2] = mib[2];
	(void)je_mallctlbymib(name, PS_COUNT(name), NULL, NULL, NULL, 0);
}

void
ps_range_decay(void)
{
	if (has_pool_arena)
		ps_range_decay_arena(pool_arena);
	ps_large_decay();
}

size_t
ps_range_taken_bytes(void)
{
	return ps_peek(&pool_region.taken) + ps_peek(&large_region.taken);
}
