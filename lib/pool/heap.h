/* SPDX-License-Identifier: MIT */
/*
 * heap - the pool: one heap a thread, pages of one size class each
 *
 *   block   what the program gets; free blocks are linked through their first
 *           word
 *   page    64 KiB (classes up to 4 KiB) or 512 KiB of blocks of one class; its
 *           record lies outside it, in ps_range.pages
 *   bin     a heap's free blocks of one class, from any of its pages: what the
 *           fast paths push and pop.  For each unit of a plain page
 *           ps_range.bins has the address of the bin that its blocks go to, so
 *           that free learns from one word whether the block is this thread's
 *           and where it belongs
 *   remote  list, one a class, on which other threads put a heap's blocks
 *
 * A page belongs to one heap at a time.  A block is in exactly one of: the
 * program's hands, its heap's bin, its page's free list, a remote list.
 * `used` of a page counts the first two and the last.
 *
 * Pages come in three kinds, told apart by the low bits of `owner`.  Units of
 * all but plain pages have no bin, so that the one comparison in free fails:
 * sampled pages hold blocks with a sample each (its mark beside the page);
 * internal pages hold what the shim itself allocates.
 *
 * Threads: functions taking a heap are for its owner, unless said otherwise.
 */
#ifndef PS_POOL_HEAP_H
#define PS_POOL_HEAP_H

#include "pool/class.h"
#include "pool/range.h"

enum ps_page_kind {
	PS_PAGE_PLAIN = 0,
	PS_PAGE_SAMPLED = 1,
	PS_PAGE_INTERNAL = 2
};
enum { PS_PAGE_KINDS = 3, PS_PAGE_KIND_MASK = 3 };
_Static_assert(PS_PAGE_KINDS <= PS_PAGE_KIND_MASK + 1,
	       "in an owner's low bits");
_Static_assert((int)PS_MARK_BYTES <= (int)PS_POOL_GRAIN, "room for each mark");

/*
 * The first cache line is read by every free of any thread and written only
 * when the page changes hands; all units of a page have a copy of it.  The
 * second is the owner's, and only the record of the first unit uses it.
 */
struct ps_page {
	_Atomic uintptr_t owner; /* heap | kind; 0: not in use */
	struct ps_page *head;	 /* record of the page's first unit */
	uintptr_t start;
	uint32_t cls;
	uint32_t block_bytes;
	uint32_t blocks; /* in the whole page */
	uint32_t units;
	uint32_t segment; /* that its unit is of; segment.c */
	uint32_t reserved[5];

	void *free PS_ALIGNED(PS_CACHE_LINE);
	uint32_t used;	      /* blocks not on `free` and below `carved` */
	uint32_t carved;      /* blocks that were ever made: [0, carved) */
	struct ps_page *next; /* pages of the class with blocks to give */
	struct ps_page *prev;
	uint32_t is_listed;
	uint32_t carve_step; /* how many to carve next */
};
_Static_assert(sizeof(struct ps_page) == PS_PAGE_RECORD_BYTES, "indexing");
_Static_assert(offsetof(struct ps_page, free) == PS_CACHE_LINE,
	       "what the owner writes is away from what everybody reads");

/* Frees of a class's blocks by other threads; a line of its own each. */
struct ps_remote {
	_Atomic(void *) head;
} PS_ALIGNED(PS_CACHE_LINE);

struct ps_pool_heap {
	void *bin[PS_POOL_CLASSES]; /* first: see bin.h */
	/* How many frees to a bin from now its length is looked at, and maybe
	 * blocks are given back to their pages.  Below zero: now. */
	int64_t look_in[PS_POOL_CLASSES];
	/* The owner's counters: (allocations - frees) of plain blocks from and
	 * to bins; see ps_heap_attach. */
	_Atomic uint64_t *allocations;
	_Atomic uint64_t *frees;
	struct ps_pool_heap *next; /* in the list of heaps without a thread */
	_Atomic uint64_t pages_held;
	/* Blocks brought into the bin by refills, less those flushed. */
	int64_t brought[PS_POOL_CLASSES];
	struct ps_page *pages[PS_PAGE_KINDS][PS_POOL_CLASSES];
	struct ps_remote remote[PS_POOL_CLASSES];
};
_Static_assert(offsetof(struct ps_pool_heap, bin) == 0, "see bin.h");
_Static_assert(_Alignof(struct ps_pool_heap) > PS_PAGE_KIND_MASK,
	       "an owner's low bits are the kind");

/* Before any other call, after ps_class_init and ps_range_init. */
void ps_heap_init(void);

/*
 * A heap for the calling thread: one left by an ended thread if there is one,
 * with its pages.  `allocations` and `frees` are PS_POOL_CLASSES counters that
 * the fast paths bump.  NULL when memory is short.
 */
struct ps_pool_heap *ps_heap_attach(_Atomic uint64_t *allocations,
				    _Atomic uint64_t *frees);
/* The thread ends: flush the bins, hand the heap on. */
void ps_heap_detach(struct ps_pool_heap *heap);
/*
 * The counters moved (fork child).  `heads` is where the bins began when the
 * new counters had the difference of the old ones: a bin that still begins
 * there is as long as it was, others are walked.  NULL: all are.
 */
void ps_heap_recount(struct ps_pool_heap *heap, _Atomic uint64_t *allocations,
		     _Atomic uint64_t *frees, void *const *heads);

/*
 * A block when the bin is empty: collects remote frees, then the free blocks
 * of a page, then carves, then takes a page.  The caller counts it.  NULL: no
 * page to be had.
 */
void *ps_heap_refill(struct ps_pool_heap *heap, unsigned cls);
/* When look_in fell below zero: when the bin holds more than it should, the
 * older half goes to the pages. */
void ps_heap_look(struct ps_pool_heap *heap, unsigned cls);
/* Time went by: half of each bin goes to the pages.  Empty bins stay empty. */
void ps_heap_trim(struct ps_pool_heap *heap);

/* Any thread: put a block on its owner's remote list. */
void ps_heap_free_remote(struct ps_page *page, void *block);

/*
 * A class's counters changed by `n` allocations (or -n frees) that the bin had
 * no part in.
 */
static inline void
ps_heap_adjust(struct ps_pool_heap *heap, unsigned cls, int64_t n)
{
	heap->brought[cls] += n;
}

static inline size_t
ps_unit_of(const void *block)
{
	return ((uintptr_t)block - ps_range.base) >> PS_UNIT_SHIFT;
}

/* Record of the page that a block of the pool lies in. */
static inline struct ps_page *
ps_page_of(const void *block)
{
	return ps_range.pages - ps_unit_of(block);
}

/* Of unit `i` of a page: the records of a page's units lie downwards. */
static inline struct ps_page *
ps_page_unit(const struct ps_page *page, uint32_t i)
{
	return (struct ps_page *)page - i;
}

static inline struct ps_pool_heap *
ps_page_heap(uintptr_t owner)
{
	return (struct ps_pool_heap *)(owner & ~(uintptr_t)PS_PAGE_KIND_MASK);
}

static inline bool
ps_page_is_start(const struct ps_page *page, const void *ptr)
{
	return ((uintptr_t)ptr - page->start) % page->block_bytes == 0;
}

/* The PS_MARK_BYTES that go with a block of a sampled page; zero at first. */
static inline void *
ps_page_mark(const struct ps_page *page, const void *block)
{
	uint32_t number =
	    (uint32_t)((uintptr_t)block - page->start) / page->block_bytes;

	PS_DEBUG_ASSERT(number < page->blocks);
	return (char *)ps_range.marks + (page->start - ps_range.base) +
	       (size_t)number * PS_MARK_BYTES;
}

/* Start of the block that holds ptr. */
void *ps_page_block(const struct ps_page *page, const void *ptr);

/* Walk everything a heap owns and assert its invariants; owner only. */
void ps_pool_check(struct ps_pool_heap *heap);

/* Around fork: the pool's lock is taken, released, or made new. */
void ps_heap_prefork(void);
void ps_heap_postfork_parent(void);
void ps_heap_postfork_child(void);

/* Bytes in pages that hold blocks now, all threads. */
uint64_t ps_heap_mapped_bytes(void);

#endif /* PS_POOL_HEAP_H */
