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
 * jemalloc itself begins late.  Its start touches a hundred pages (arena 0, the
 * pool's arena, the table of its settings), which is a third of a small
 * program's start-up where a fault costs 3 us; most processes that a build
 * starts never need it, and a second one for its arena.  So the pool's first
 * segments, 32 MiB, are taken from the range directly, for good; segment.c
 * gives their memory back.
 *
 * Pages by mmap of our own would need decay, purging, coalescing built again.
 */
#include <sys/resource.h>

#include "base/lock.h"
#include "base/os.h"
#include "pool/early.h"
#include "pool/jemalloc.h"
#include "pool/large.h"
#include "pool/outside.h"
#include "pool/range.h"
#include "pool/region.h"

#define TABLES_ALIGN ((uintptr_t)1 << 30)
#define TABLES_AT ((uintptr_t)9 << 20)
#define POOL_AT ((uintptr_t)18 << 20)
#define POOL_BYTES ((size_t)64 << 30)

enum {
	SEGMENT_BYTES = PS_SEGMENT_UNITS << PS_UNIT_SHIFT,
	EARLY_SEGMENTS = 16,
	SMALL_BYTES = 8 << 20, /* of the pool, in small pages always */
	LIMIT_SHARE = 12, /* of RLIMIT_AS goes to the pool; its marks as much */
};

struct ps_range ps_range;

/* What is reserved besides: before, between, behind.  0: no more. */
static struct {
	uintptr_t low;
	uintptr_t gap;
	uintptr_t high;
} spare;

static struct ps_region pool_region;
static struct ps_region large_region;
static unsigned pool_arena; /* has_pool_arena */
static bool has_pool_arena;

/* Segments that are not jemalloc's; segment.c's lock guards them. */
static void *early[EARLY_SEGMENTS];
static unsigned early_count;

static struct ps_lock trimming;
static struct ps_lock beginning;
static _Atomic bool has_begun;
void (*ps_range_begin_on)(ps_range_call *call, intptr_t unused);

/* Where the records of the pool's first `bytes` begin. */
static uintptr_t
records_of(size_t bytes)
{
	return (uintptr_t)ps_range.bins -
	       (bytes >> PS_UNIT_SHIFT) * PS_PAGE_RECORD_BYTES;
}

/* The page records for the units of [start, start + bytes). */
static bool
commit_records(uintptr_t start, size_t bytes)
{
	size_t first = start - ps_range.base;
	uintptr_t low = records_of(first + bytes);
	uintptr_t high = records_of(first);

	low &= ~(uintptr_t)4095;
	high = PS_ROUND_UP(high, (uintptr_t)4096);
	return ps_os_commit((void *)low, high - low) == 0;
}

static void
begin(intptr_t unused)
{
	(void)unused;
	ps_lock_take(&beginning);
	if (!ps_peek(&has_begun)) {
		/* It ends the process where it finds no addresses. */
		ps_range_trim(ps_os_limit(RLIMIT_AS));
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
 * The records end where the bins begin, which end where the pool begins, so
 * that what a small process touches of the two tables shares a page of the
 * kernel's, which a fork copies, as it shares a gigabyte with its first blocks.
 */
static uintptr_t
place_tables(uintptr_t low, size_t bins, bool is_roomy, uintptr_t *pool)
{
	uintptr_t at;

	if (is_roomy) {
		at = PS_ROUND_UP(low - TABLES_AT, TABLES_ALIGN) + TABLES_AT;
		*pool = at - TABLES_AT + POOL_AT;
	} else {
		at = PS_ROUND_UP(low, (uintptr_t)4096);
		*pool = PS_ROUND_UP(at + bins, (uintptr_t)PS_UNIT_BYTES);
	}
	PS_ASSERT(at >= low && at + bins <= *pool);
	return at;
}

/*
 * Marks, large range, records, bins and pool range in one reservation, so that
 * one RLIMIT_AS check covers them.
 */
static bool
reserve(size_t pool, size_t large)
{
	size_t records = (pool >> PS_UNIT_SHIFT) * PS_PAGE_RECORD_BYTES;
	size_t bins = (pool >> PS_UNIT_SHIFT) * sizeof(uintptr_t);
	bool is_roomy = pool >= TABLES_ALIGN;
	size_t pad = is_roomy ? TABLES_ALIGN + POOL_AT : 2 * PS_UNIT_BYTES;
	size_t all = 2 * pool + large + records + bins + pad;
	void *memory;
	uintptr_t start;

	PS_ASSERT(bins <= POOL_AT - TABLES_AT);
	if (ps_os_reserve(all, &memory) != 0)
		return false;
	ps_range.marks =
	    PS_ROUND_UP((uintptr_t)memory, (uintptr_t)PS_UNIT_BYTES);
	ps_range.large_base = ps_range.marks + pool;
	ps_range.bins = (_Atomic uintptr_t *)place_tables(
	    ps_range.large_base + large + records, bins, is_roomy, &start);
	ps_range.bins_from_zero = (uintptr_t)ps_range.bins -
				  (start >> PS_UNIT_SHIFT) * sizeof(uintptr_t);
	ps_range.pages = (struct ps_page *)records_of(PS_UNIT_BYTES);
	spare.low = (uintptr_t)memory;
	spare.gap = ps_range.large_base + large;
	spare.high = (uintptr_t)memory + all;
	if (ps_os_commit(ps_range.bins, start - (uintptr_t)ps_range.bins) !=
	    0) {
		(void)ps_os_unmap(memory, all);
		return false;
	}
	/* Where huge pages are for all, the first block would clear 2 MiB. */
	(void)ps_os_no_huge(ps_range.bins,
			    start - (uintptr_t)ps_range.bins +
				PS_MIN(pool, (size_t)SMALL_BYTES));
	ps_range.base = start;
	ps_range.bytes = pool;
	ps_range.large_bytes = large;
	if (ps_os_random(&ps_range.link_key, sizeof(ps_range.link_key)) != 0)
		ps_range.link_key = ps_os_monotonic_ns() * (start | 1);
	/* So that a word of zeros is no link: no address has the top bit. */
	ps_range.link_key |= (uintptr_t)1 << 63;
	ps_region_init(&pool_region, start, pool, commit_records);
	ps_region_init(&large_region, ps_range.large_base, large, NULL);
	ps_early_init(&large_region);
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
	size_t pool = POOL_BYTES;
	size_t large = (size_t)1 << 40;

	if (limit != UINT64_MAX) {
		pool = (size_t)PS_MIN(limit / LIMIT_SHARE, POOL_BYTES) &
		       ~((size_t)PS_UNIT_BYTES * 16 - 1);
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

/* Unmap [from, to), which begins and ends within pages that stay. */
static void
unmap_between(uintptr_t from, uintptr_t to)
{
	from = PS_ROUND_UP(from, (uintptr_t)4096);
	to &= ~(uintptr_t)4095;
	if (from < to)
		(void)ps_os_unmap((void *)from, to - from);
}

/* Once: somebody else's mapping may be there later. */
static void
trim_spare(void)
{
	uintptr_t low = spare.low;

	if (low == 0)
		return;
	/* First: a child of a fork meanwhile would do it again. */
	spare.low = 0;
	unmap_between(low, ps_range.marks);
	unmap_between(spare.gap, records_of(ps_range.bytes));
	unmap_between(ps_range.base + ps_range.bytes, spare.high);
}

static void
trim_pool(uint64_t limit)
{
	size_t before = ps_range.bytes;
	size_t after = ps_region_trim(&pool_region, limit / LIMIT_SHARE, false);

	/* First: nobody else's block may be taken for one of the pool's. */
	__atomic_store_n(&ps_range.bytes, after, __ATOMIC_SEQ_CST);
	unmap_between(ps_range.base + after, ps_range.base + before);
	unmap_between(ps_range.marks + after, ps_range.marks + before);
	unmap_between(records_of(before), records_of(after));
	unmap_between((uintptr_t)(ps_range.bins + (after >> PS_UNIT_SHIFT)),
		      (uintptr_t)(ps_range.bins + (before >> PS_UNIT_SHIFT)));
}

/*
 * Large blocks have to lie in their range to be counted, so it keeps as many
 * addresses as the limit lets the process have, but unmapped.  The kernel looks
 * for free addresses from the top, and the limit is reached before it comes
 * down to them; where it does not, what is there stays, and the block is taken
 * from elsewhere.
 */
static void
trim_large(uint64_t limit)
{
	size_t before = ps_range.large_bytes;
	size_t after = ps_region_trim(&large_region, limit, true);

	__atomic_store_n(&ps_range.large_bytes, after, __ATOMIC_SEQ_CST);
	ps_large_trim();
	unmap_between(ps_range.large_base + ps_peek(&large_region.taken),
		      ps_range.large_base + before);
}

void
ps_range_trim(uint64_t limit)
{
	if (limit >= ps_range.bytes + ps_range.large_bytes ||
	    !ps_lock_try(&trimming))
		return;
	trim_spare();
	trim_pool(limit);
	if (limit < ps_range.large_bytes &&
	    !ps_peek(&large_region.is_mapped_late))
		trim_large(limit);
	ps_lock_give(&trimming);
}

static void *
take_early(void)
{
	uintptr_t start;

	if (early_count == EARLY_SEGMENTS)
		return NULL;
	start = ps_region_take(&pool_region, SEGMENT_BYTES, PS_UNIT_BYTES);
	if (start != 0)
		early[early_count++] = (void *)start;
	return (void *)start;
}

static bool
is_early(const void *start)
{
	for (unsigned i = 0; i < early_count; i++)
		if (early[i] == start)
			return true;
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

bool
ps_range_give_segment(void *start)
{
	PS_ASSERT(ps_range_is_pool(start));
	if (is_early(start))
		return false;
	je_dallocx(start, JE_TCACHE_NONE);
	return true;
}

void
ps_range_prefork(void)
{
	ps_lock_take(&beginning);
	/* A handler that forks may have interrupted its own thread's. */
	(void)ps_lock_comes_free(&trimming);
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
	ps_lock_init(&trimming);
	ps_outside_postfork_child();
}

static void *
marks_of(const void *start)
{
	return (char *)ps_range.marks + ((uintptr_t)start - ps_range.base);
}

/* Those of the first segments all at once, where they may be: each call splits
 * a mapping, and a short run has sampled blocks of all classes. */
bool
ps_range_marks_commit(void *start, size_t units)
{
	static _Atomic bool have_early;
	size_t early_bytes = (size_t)EARLY_SEGMENTS * SEGMENT_BYTES;
	size_t offset = (uintptr_t)start - ps_range.base;

	PS_ASSERT(ps_range_is_pool(start));
	if (offset < early_bytes && early_bytes <= ps_range.bytes) {
		if (ps_peek(&have_early))
			return true;
		if (ps_os_commit((void *)ps_range.marks, early_bytes) == 0) {
			ps_poke(&have_early, true);
			return true;
		}
	}
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
