/* SPDX-License-Identifier: MIT */
/*
 * heap - the pool: one heap a thread, pages of one size class each
 *
 * Idea: the fast paths touch one list a class (the bin), as tcmalloc's do, so
 * that a malloc and a free are a pop and a push; the pages behind it keep the
 * blocks of a class together, as mimalloc's do, so that memory returns page by
 * page.  Blocks move between bin and pages in bulk: a refill takes a page's
 * whole free list in one step, a flush gives back the older half of a bin that
 * has grown past its limit.
 *
 * How many blocks a bin holds is never stored: it is what refills brought,
 * less what allocations took, plus what frees put, and the last two are
 * counted anyway.  So a free has one comparison to do for it and a malloc none.
 *
 * Remote frees are one list a class and heap, taken by the owner with one
 * exchange.  Freeing threads never look at the page beyond its owner, so a page
 * may change hands at any time: a block that arrives at a former owner is sent
 * on to the present one.  Heaps are never unmapped; an ended thread's heap goes
 * to the next thread that starts, and while it waits, threads that need a page
 * drain and adopt its pages first.
 *
 * Costs: refill O(blocks carved or collected), flush O(blocks flushed).
 */
#include <string.h>

#include "base/os.h"
#include "pool/kind.h"
#include "pool/page.h"
#include "pool/segment.h"
#include "base/lock.h"

enum {
	BIN_BYTES = 524288, /* a bin may hold about this much ... */
	BIN_BLOCKS_MIN = 4,
	BIN_BLOCKS_MAX = 1024,
	HEAP_CHUNK_BYTES = 65536,
};

/* Guards the lists below; held for a few instructions, or while a waiting
 * heap is drained. */
static struct ps_lock pool_lock;
/* Heaps without a thread; looked at without the lock, too. */
static struct ps_pool_heap *_Atomic waiting;
static char *chunk; /* where new heaps are cut from */
static size_t chunk_left;

void
ps_heap_init(void)
{
	PS_ASSERT(ps_class_sizes[0] == PS_POOL_GRAIN);
	PS_ASSERT(waiting == NULL);
}

/* ---- bins --------------------------------------------------------------- */

static int64_t
bin_max(unsigned cls)
{
	int64_t blocks = BIN_BYTES / ps_class_bytes(cls);

	return PS_MIN(PS_MAX(blocks, BIN_BLOCKS_MIN), BIN_BLOCKS_MAX);
}

/* How many blocks the bin holds. */
static int64_t
bin_count(const struct ps_pool_heap *heap, unsigned cls)
{
	return heap->brought[cls] + (int64_t)(ps_peek(&heap->frees[cls]) -
					      ps_peek(&heap->allocations[cls]));
}

/* Look again when `frees` more blocks were freed. */
static void
look_after(struct ps_pool_heap *heap, unsigned cls, int64_t frees)
{
	heap->look_in[cls] = frees;
}

static void
bin_gained(struct ps_pool_heap *heap, unsigned cls, int64_t blocks)
{
	heap->brought[cls] += blocks;
	look_after(heap, cls, bin_max(cls));
}

void
ps_heap_free_remote(struct ps_page *page, void *block)
{
	uintptr_t owner =
	    atomic_load_explicit(&page->owner, memory_order_acquire);
	struct ps_remote *remote = &ps_page_heap(owner)->remote[page->cls];
	void *head = ps_peek(&remote->head);

	/* Release: the owner's exchange in take_remote sees the link. */
	do
		ps_set_next(block, head);
	while (!atomic_compare_exchange_weak_explicit(
	    &remote->head, &head, block, memory_order_release,
	    memory_order_relaxed));
}

static void *
take_remote(struct ps_pool_heap *heap, unsigned cls)
{
	struct ps_remote *remote = &heap->remote[cls];

	if (ps_peek(&remote->head) == NULL)
		return NULL;
	return atomic_exchange_explicit(&remote->head, NULL,
					memory_order_acquire);
}

/*
 * Sort a remote list: plain blocks of ours go to the bin, sampled ones to
 * their page, and what belongs to another heap by now is sent on.  Returns how
 * many reached the bin.
 */
static int64_t
collect_remote(struct ps_pool_heap *heap, unsigned cls)
{
	void *block = take_remote(heap, cls);
	int64_t count = 0;

	while (block != NULL) {
		void *next = ps_checked_next(block);
		struct ps_page *page = ps_page_of(block);
		uintptr_t owner = ps_peek(&page->owner);

		PS_ASSERT(page->cls == cls);
		if (owner == (uintptr_t)heap) {
			ps_bin_push(&heap->bin[cls], block);
			count++;
		} else if (ps_page_heap(owner) == heap) {
			ps_page_return(heap, page, block,
				       owner & PS_PAGE_KIND_MASK);
		} else {
			ps_heap_free_remote(page, block);
		}
		block = next;
	}
	return count;
}

void
ps_heap_collect(struct ps_pool_heap *heap, unsigned cls)
{
	if (ps_peek(&heap->remote[cls].head) != NULL)
		bin_gained(heap, cls, collect_remote(heap, cls));
}

/* All free blocks of a page into the (empty) bin, in one step. */
static void
fill_from_page(struct ps_pool_heap *heap, unsigned cls, struct ps_page *page)
{
	uint32_t count;

	PS_ASSERT(page->cls == cls && page->head == page);
	if (page->free == NULL)
		(void)ps_page_carve(page);
	count = page->carved - page->used;
	PS_ASSERT(count > 0 && heap->bin[cls] == NULL);
	heap->bin[cls] = page->free;
	page->free = NULL;
	page->used += count;
	if (!ps_page_has_blocks(page))
		ps_page_unlist(ps_page_list_of(heap, PS_PAGE_PLAIN, cls), page);
	bin_gained(heap, cls, count);
}

/* Cut the bin after `keep` blocks and return the rest of the list. */
static void *
cut_bin(struct ps_pool_heap *heap, unsigned cls, int64_t keep)
{
	void *block = heap->bin[cls];
	const void *seen = block; /* Brent: a cycle comes back to it */
	int64_t step = 0;
	int64_t move_at = 1;
	void *rest;

	ps_heap_check_bin(heap, cls);
	if (keep <= 0 || block == NULL) {
		heap->bin[cls] = NULL;
		return block;
	}
	while (++step < keep && ps_checked_next(block) != NULL) {
		block = ps_next_of(block);
		if (ps_unlikely(block == seen))
			ps_die_of_cycle(block);
		if (step == move_at) {
			seen = block;
			move_at *= 2;
		}
	}
	rest = ps_checked_next(block);
	ps_set_next(block, NULL);
	return rest;
}

/* ---- heaps without a thread --------------------------------------------- */

static void
adopt_list(struct ps_pool_heap *from, struct ps_pool_heap *to,
	   enum ps_page_kind kind, unsigned cls)
{
	struct ps_page **list = ps_page_list_of(from, kind, cls);
	struct ps_page *page;

	while ((page = *list) != NULL) {
		ps_page_unlist(list, page);
		ps_page_set_owner(page, (uintptr_t)to | kind);
		ps_page_list(ps_page_list_of(to, kind, cls), page);
		ps_bump(&from->pages_held, (uint64_t)-1);
		ps_bump(&to->pages_held, 1);
	}
}

/* Blocks freed to a waiting heap go back to its pages, which get listed. */
static void
drain_waiting(struct ps_pool_heap *from, unsigned cls)
{
	(void)collect_remote(from, cls);
	(void)ps_page_return_list(from, cut_bin(from, cls, 0));
}

/* Pages of the class with free blocks, from heaps that have no thread. */
static bool
adopt(struct ps_pool_heap *heap, unsigned cls)
{
	struct ps_pool_heap *from;

	if (ps_peek(&waiting) == NULL)
		return false;
	ps_lock_take(&pool_lock);
	for (from = waiting; from != NULL; from = from->next) {
		drain_waiting(from, cls);
		adopt_list(from, heap, PS_PAGE_PLAIN, cls);
	}
	ps_lock_give(&pool_lock);
	return *ps_page_list_of(heap, PS_PAGE_PLAIN, cls) != NULL;
}

void *
ps_heap_refill(struct ps_pool_heap *heap, unsigned cls)
{
	struct ps_page **list = ps_page_list_of(heap, PS_PAGE_PLAIN, cls);
	int64_t count;

	PS_ASSERT(cls < PS_POOL_CLASSES);
	ps_heap_check_bin(heap, cls);
	PS_ASSERT(heap->bin[cls] == NULL);
	count = collect_remote(heap, cls);
	if (count > 0) {
		bin_gained(heap, cls, count);
	} else {
		if (*list == NULL && !adopt(heap, cls))
			(void)ps_page_take(heap, PS_PAGE_PLAIN, cls);
		if (*list == NULL)
			return NULL;
		fill_from_page(heap, cls, *list);
	}
	return ps_heap_pop(heap, cls);
}

static void
flush_to(struct ps_pool_heap *heap, unsigned cls, int64_t keep)
{
	heap->brought[cls] -=
	    ps_page_return_list(heap, cut_bin(heap, cls, keep));
}

void
ps_heap_look(struct ps_pool_heap *heap, unsigned cls)
{
	int64_t most = bin_max(cls);
	int64_t count = bin_count(heap, cls);

	PS_ASSERT(cls < PS_POOL_CLASSES);
	if (count >= most) {
		flush_to(heap, cls, most / 2);
		count = most / 2;
	}
	look_after(heap, cls, most - count);
}

void
ps_heap_trim(struct ps_pool_heap *heap)
{
	for (unsigned cls = 0; cls < PS_POOL_CLASSES; cls++) {
		if (heap->bin[cls] == NULL)
			continue;
		flush_to(heap, cls, bin_count(heap, cls) / 2);
		look_after(heap, cls, bin_max(cls));
	}
}

/* ---- heaps -------------------------------------------------------------- */

static struct ps_pool_heap *
create_heap_locked(void)
{
	size_t bytes =
	    PS_ROUND_UP(sizeof(struct ps_pool_heap), (size_t)PS_CACHE_LINE);
	struct ps_pool_heap *heap;

	_Static_assert(sizeof(*heap) <= HEAP_CHUNK_BYTES, "a chunk has room");
	if (chunk_left < bytes) {
		void *memory;

		if (ps_os_map(HEAP_CHUNK_BYTES, &memory) != 0)
			return NULL;
		chunk = memory;
		chunk_left = HEAP_CHUNK_BYTES;
	}
	heap = (struct ps_pool_heap *)chunk;
	chunk += bytes;
	chunk_left -= bytes;
	return heap;
}

struct ps_pool_heap *
ps_heap_create(void)
{
	struct ps_pool_heap *heap;

	ps_lock_take(&pool_lock);
	heap = create_heap_locked();
	ps_lock_give(&pool_lock);
	return heap;
}

struct ps_pool_heap *
ps_heap_attach(_Atomic uint64_t *allocations, _Atomic uint64_t *frees)
{
	struct ps_pool_heap *heap;

	ps_lock_take(&pool_lock);
	heap = waiting;
	if (heap != NULL)
		waiting = heap->next;
	else
		heap = create_heap_locked();
	ps_lock_give(&pool_lock);
	if (heap == NULL)
		return NULL;
	heap->next = NULL;
	ps_heap_recount(heap, allocations, frees, NULL);
	return heap;
}

static int64_t
walk_bin(const struct ps_pool_heap *heap, unsigned cls)
{
	int64_t count = 0;

	for (const void *block = heap->bin[cls]; block != NULL;
	     block = ps_next_of(block))
		count++;
	return count;
}

void
ps_heap_recount(struct ps_pool_heap *heap, _Atomic uint64_t *allocations,
		_Atomic uint64_t *frees, void *const *heads)
{
	heap->allocations = allocations;
	heap->frees = frees;
	for (unsigned cls = 0; cls < PS_POOL_CLASSES; cls++) {
		if (heads != NULL && heap->bin[cls] == heads[cls])
			continue;
		heap->brought[cls] =
		    walk_bin(heap, cls) - (int64_t)(ps_peek(&frees[cls]) -
						    ps_peek(&allocations[cls]));
		look_after(heap, cls, bin_max(cls));
	}
}

void
ps_heap_detach(struct ps_pool_heap *heap)
{
	for (unsigned cls = 0; cls < PS_POOL_CLASSES; cls++) {
		int64_t count = collect_remote(heap, cls);

		heap->brought[cls] += count;
		flush_to(heap, cls, 0);
		PS_DEBUG_ASSERT(bin_count(heap, cls) == 0);
		for (int kind = 0; kind < PS_PAGE_KINDS; kind++) {
			struct ps_page **list =
			    ps_page_list_of(heap, kind, cls);

			if (*list != NULL && (*list)->used == 0)
				ps_page_give(heap, list, *list);
		}
	}
	ps_lock_take(&pool_lock);
	heap->next = waiting;
	waiting = heap;
	ps_lock_give(&pool_lock);
}

void *
ps_page_block(const struct ps_page *page, const void *ptr)
{
	size_t offset = (uintptr_t)ptr - page->start;

	return (char *)page->start +
	       offset / page->block_bytes * (size_t)page->block_bytes;
}

void
ps_heap_prefork(void)
{
	ps_kind_prefork();
	ps_lock_take(&pool_lock);
	ps_segment_prefork();
}

void
ps_heap_postfork_parent(void)
{
	ps_segment_postfork_parent();
	ps_lock_give(&pool_lock);
	ps_kind_postfork_parent();
}

void
ps_heap_postfork_child(void)
{
	ps_segment_postfork_child();
	ps_lock_init(&pool_lock);
	ps_kind_postfork_child();
}
