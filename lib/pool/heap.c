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
#include "pool/heap.h"
#include "base/lock.h"

enum {
	SMALL_PAGE_BLOCK_MAX = 4096, /* larger blocks get 512 KiB pages */
	SMALL_UNITS = 1,
	MEDIUM_UNITS = 8,
	BIN_BYTES = 65536, /* a bin may hold about this much ... */
	BIN_BLOCKS_MIN = 4,
	BIN_BLOCKS_MAX = 1024,
	CARVE_FIRST_BYTES = 4096,
	CARVE_MAX_BYTES = 32768,
	CARVE_BLOCKS_MAX = 512,
	HEAP_CHUNK_BYTES = 65536,
};

/* Guards the lists below; held for a few instructions, or while a waiting
 * heap is drained. */
static struct ps_lock pool_lock;
static struct ps_pool_heap *waiting; /* heaps without a thread */
static char *chunk;		     /* where new heaps are cut from */
static size_t chunk_left;
static _Atomic uint64_t mapped_bytes;

void
ps_heap_init(void)
{
	PS_ASSERT(ps_class_sizes[0] == PS_POOL_GRAIN);
	PS_ASSERT(waiting == NULL);
}

static inline void *
next_of(const void *block)
{
	return *(void *const *)block;
}

static inline void
set_next(void *block, void *next)
{
	*(void **)block = next;
}

/* ---- the list of a heap's pages that have blocks to give ---------------- */

static void
list_page(struct ps_page **list, struct ps_page *page)
{
	PS_ASSERT(!page->is_listed && page->head == page);
	page->prev = NULL;
	page->next = *list;
	if (*list != NULL)
		(*list)->prev = page;
	*list = page;
	page->is_listed = 1;
}

static void
unlist_page(struct ps_page **list, struct ps_page *page)
{
	PS_ASSERT(page->is_listed);
	if (page->prev != NULL)
		page->prev->next = page->next;
	else
		*list = page->next;
	if (page->next != NULL)
		page->next->prev = page->prev;
	page->next = page->prev = NULL;
	page->is_listed = 0;
}

static bool
has_blocks(const struct ps_page *page)
{
	return page->free != NULL || page->carved < page->blocks;
}

/* ---- pages come and go -------------------------------------------------- */

static struct ps_page **
list_of(struct ps_pool_heap *heap, enum ps_page_kind kind, unsigned class)
{
	return &heap->pages[kind][class];
}

static void
set_owner(struct ps_page *page, uintptr_t owner)
{
	for (uint32_t i = 0; i < page->units; i++)
		atomic_store_explicit(&page[i].owner, owner,
				      memory_order_release);
}

static void
describe_page(struct ps_page *page, void *start, unsigned class, uint32_t units)
{
	struct ps_page head = {
	    .head = page,
	    .start = (uintptr_t)start,
	    .class = class,
	    .block_bytes = ps_class_bytes(class),
	    .units = units,
	};

	head.blocks = (units << PS_UNIT_SHIFT) / head.block_bytes;
	head.carve_step =
	    PS_MAX(1u, CARVE_FIRST_BYTES / (unsigned)head.block_bytes);
	for (uint32_t i = 0; i < units; i++)
		page[i] = head;
}

static struct ps_page *
take_page(struct ps_pool_heap *heap, enum ps_page_kind kind, unsigned class)
{
	uint32_t units = ps_class_bytes(class) <= SMALL_PAGE_BLOCK_MAX
			     ? SMALL_UNITS
			     : MEDIUM_UNITS;
	void *start = ps_range_take(units);
	struct ps_page *page;

	if (start == NULL)
		return NULL;
	if (kind == PS_PAGE_SAMPLED && !ps_range_aux_commit(start, units)) {
		ps_range_give(start);
		return NULL;
	}
	page = ps_page_of(start);
	describe_page(page, start, class, units);
	set_owner(page, (uintptr_t)heap | kind);
	list_page(list_of(heap, kind, class), page);
	atomic_fetch_add_explicit(&mapped_bytes, units << PS_UNIT_SHIFT,
				  memory_order_relaxed);
	ps_bump(&heap->pages_held, 1);
	return page;
}

static void
give_page(struct ps_pool_heap *heap, struct ps_page **list,
	  struct ps_page *page)
{
	PS_ASSERT(page->used == 0 && page->head == page);
	unlist_page(list, page);
	set_owner(page, 0);
	atomic_fetch_sub_explicit(&mapped_bytes, page->units << PS_UNIT_SHIFT,
				  memory_order_relaxed);
	ps_bump(&heap->pages_held, (uint64_t)-1);
	ps_range_give((void *)page->start);
}

/* Cut new blocks off the untouched end of a page; returns how many. */
static uint32_t
carve(struct ps_page *page)
{
	uint32_t count = PS_MIN(page->carve_step, page->blocks - page->carved);
	char *block =
	    (char *)page->start + (size_t)page->carved * page->block_bytes;
	void *free = page->free;
	uint32_t i;

	for (i = count; i-- > 0;) {
		set_next(block + (size_t)i * page->block_bytes, free);
		free = block + (size_t)i * page->block_bytes;
	}
	page->free = free;
	page->carved += count;
	if (page->carve_step * 2 * page->block_bytes <= CARVE_MAX_BYTES &&
	    page->carve_step * 2 <= CARVE_BLOCKS_MAX)
		page->carve_step *= 2;
	return count;
}

/* A block is back on its page: list the page, or let it go when empty. */
static void
page_regained(struct ps_pool_heap *heap, struct ps_page *page,
	      enum ps_page_kind kind)
{
	struct ps_page **list = list_of(heap, kind, page->class);

	if (!page->is_listed)
		list_page(list, page);
	/* One empty page a class stays, so that a pair of malloc and free at
	 * the edge of a page does not take and give it each time. */
	if (page->used == 0 && (*list != page || page->next != NULL))
		give_page(heap, list, page);
}

static void
return_block(struct ps_pool_heap *heap, struct ps_page *page, void *block,
	     enum ps_page_kind kind)
{
	page = page->head;
	PS_ASSERT(page->used > 0);
	set_next(block, page->free);
	page->free = block;
	page->used--;
	if (page->used == 0 || !page->is_listed)
		page_regained(heap, page, kind);
}

/* ---- bins --------------------------------------------------------------- */

static int64_t
bin_max(unsigned class)
{
	int64_t blocks = BIN_BYTES / ps_class_bytes(class);

	return PS_MIN(PS_MAX(blocks, BIN_BLOCKS_MIN), BIN_BLOCKS_MAX);
}

/* Let the bin grow to `count` blocks before a free calls for a flush. */
static void
set_bin_limit(struct ps_pool_heap *heap, unsigned class, int64_t count)
{
	heap->bin[class].limit = count - heap->brought[class];
}

static void
bin_gained(struct ps_pool_heap *heap, unsigned class, int64_t blocks)
{
	heap->brought[class] += blocks;
	set_bin_limit(heap, class, blocks + bin_max(class));
}

void
ps_heap_free_remote(struct ps_page *page, void *block)
{
	uintptr_t owner =
	    atomic_load_explicit(&page->owner, memory_order_acquire);
	struct ps_remote *remote = &ps_page_heap(owner)->remote[page->class];
	void *head = ps_peek(&remote->head);

	/* Release: the owner's exchange in take_remote sees the link. */
	do
		set_next(block, head);
	while (!atomic_compare_exchange_weak_explicit(
	    &remote->head, &head, block, memory_order_release,
	    memory_order_relaxed));
}

static void *
take_remote(struct ps_pool_heap *heap, unsigned class)
{
	struct ps_remote *remote = &heap->remote[class];

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
collect_remote(struct ps_pool_heap *heap, unsigned class)
{
	void *block = take_remote(heap, class);
	struct ps_bin *bin = &heap->bin[class];
	int64_t count = 0;

	while (block != NULL) {
		void *next = next_of(block);
		struct ps_page *page = ps_page_of(block);
		uintptr_t owner = ps_peek(&page->owner);

		PS_ASSERT(page->class == class);
		if (owner == (uintptr_t)heap) {
			set_next(block, bin->head);
			bin->head = block;
			count++;
		} else if (ps_page_heap(owner) == heap) {
			return_block(heap, page, block,
				     owner & PS_PAGE_KIND_MASK);
		} else {
			ps_heap_free_remote(page, block);
		}
		block = next;
	}
	return count;
}

/* All free blocks of a page into the (empty) bin, in one step. */
static void
fill_from_page(struct ps_pool_heap *heap, unsigned class, struct ps_page *page)
{
	struct ps_bin *bin = &heap->bin[class];
	uint32_t count;

	if (page->free == NULL)
		(void)carve(page);
	count = page->carved - page->used;
	PS_ASSERT(count > 0 && bin->head == NULL);
	bin->head = page->free;
	page->free = NULL;
	page->used += count;
	if (!has_blocks(page))
		unlist_page(list_of(heap, PS_PAGE_PLAIN, class), page);
	bin_gained(heap, class, count);
}

/* ---- heaps without a thread --------------------------------------------- */

static void
adopt_list(struct ps_pool_heap *from, struct ps_pool_heap *to,
	   enum ps_page_kind kind, unsigned class)
{
	struct ps_page **list = list_of(from, kind, class);
	struct ps_page *page;

	while ((page = *list) != NULL) {
		unlist_page(list, page);
		set_owner(page, (uintptr_t)to | kind);
		list_page(list_of(to, kind, class), page);
		ps_bump(&from->pages_held, (uint64_t)-1);
		ps_bump(&to->pages_held, 1);
	}
}

/* Blocks freed to a waiting heap go back to its pages, which get listed. */
static void
drain_waiting(struct ps_pool_heap *from, unsigned class)
{
	int64_t count = collect_remote(from, class);
	struct ps_bin *bin = &from->bin[class];

	while (bin->head != NULL) {
		void *block = bin->head;

		bin->head = next_of(block);
		return_block(from, ps_page_of(block), block, PS_PAGE_PLAIN);
		count--;
	}
	PS_ASSERT(count == 0);
}

/* Pages of the class with free blocks, from heaps that have no thread. */
static bool
adopt(struct ps_pool_heap *heap, unsigned class)
{
	struct ps_pool_heap *from;

	if (waiting == NULL)
		return false;
	ps_lock_take(&pool_lock);
	for (from = waiting; from != NULL; from = from->next) {
		drain_waiting(from, class);
		adopt_list(from, heap, PS_PAGE_PLAIN, class);
	}
	ps_lock_give(&pool_lock);
	return *list_of(heap, PS_PAGE_PLAIN, class) != NULL;
}

void *
ps_heap_refill(struct ps_pool_heap *heap, unsigned class)
{
	struct ps_page **list = list_of(heap, PS_PAGE_PLAIN, class);
	struct ps_bin *bin = &heap->bin[class];
	int64_t count;
	void *block;

	PS_ASSERT(bin->head == NULL && class < PS_POOL_CLASSES);
	count = collect_remote(heap, class);
	if (count > 0) {
		bin_gained(heap, class, count);
	} else {
		if (*list == NULL && !adopt(heap, class) &&
		    take_page(heap, PS_PAGE_PLAIN, class) == NULL)
			return NULL;
		fill_from_page(heap, class, *list);
	}
	block = bin->head;
	bin->head = next_of(block);
	return block;
}

/* Cut the bin after `keep` blocks and return the rest of the list. */
static void *
cut_bin(struct ps_bin *bin, int64_t keep)
{
	void *block = bin->head;
	void *rest;

	if (keep <= 0 || block == NULL) {
		bin->head = NULL;
		return block;
	}
	while (--keep > 0 && next_of(block) != NULL)
		block = next_of(block);
	rest = next_of(block);
	set_next(block, NULL);
	return rest;
}

static void
flush_to(struct ps_pool_heap *heap, unsigned class, int64_t keep)
{
	void *block = cut_bin(&heap->bin[class], keep);
	int64_t count = 0;

	while (block != NULL) {
		void *next = next_of(block);

		return_block(heap, ps_page_of(block), block, PS_PAGE_PLAIN);
		count++;
		block = next;
	}
	heap->brought[class] -= count;
	set_bin_limit(heap, class, keep + bin_max(class));
}

void
ps_heap_flush(struct ps_pool_heap *heap, unsigned class)
{
	PS_ASSERT(class < PS_POOL_CLASSES);
	flush_to(heap, class, bin_max(class) / 2);
}

/* ---- sampled and internal pages ----------------------------------------- */

void *
ps_heap_alloc_kind(struct ps_pool_heap *heap, unsigned class,
		   enum ps_page_kind kind)
{
	struct ps_page **list = list_of(heap, kind, class);
	struct ps_page *page = *list;
	void *block;

	PS_ASSERT(kind != PS_PAGE_PLAIN && class < PS_POOL_CLASSES);
	if (page == NULL && ps_peek(&heap->remote[class].head) != NULL) {
		int64_t count = collect_remote(heap, class);

		bin_gained(heap, class, count);
		page = *list;
	}
	if (page == NULL)
		page = take_page(heap, kind, class);
	if (page == NULL)
		return NULL;
	if (page->free == NULL)
		(void)carve(page);
	block = page->free;
	page->free = next_of(block);
	page->used++;
	if (!has_blocks(page))
		unlist_page(list, page);
	return block;
}

void
ps_heap_free_kind(struct ps_page *page, void *block)
{
	uintptr_t owner = ps_peek(&page->owner);

	PS_ASSERT((owner & PS_PAGE_KIND_MASK) != PS_PAGE_PLAIN);
	return_block(ps_page_heap(owner), page, block,
		     owner & PS_PAGE_KIND_MASK);
}

/* ---- heaps -------------------------------------------------------------- */

static struct ps_pool_heap *
create_heap(void)
{
	size_t bytes =
	    PS_ROUND_UP(sizeof(struct ps_pool_heap), (size_t)PS_CACHE_LINE);
	struct ps_pool_heap *heap;

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
ps_heap_attach(_Atomic uint64_t *allocations, _Atomic uint64_t *frees)
{
	struct ps_pool_heap *heap;

	ps_lock_take(&pool_lock);
	heap = waiting;
	if (heap != NULL)
		waiting = heap->next;
	else
		heap = create_heap();
	ps_lock_give(&pool_lock);
	if (heap == NULL)
		return NULL;
	heap->next = NULL;
	ps_heap_recount(heap, allocations, frees);
	return heap;
}

static int64_t
count_bin(const struct ps_bin *bin)
{
	int64_t count = 0;

	for (const void *block = bin->head; block != NULL;
	     block = next_of(block))
		count++;
	return count;
}

void
ps_heap_recount(struct ps_pool_heap *heap, _Atomic uint64_t *allocations,
		_Atomic uint64_t *frees)
{
	heap->allocations = allocations;
	heap->frees = frees;
	for (unsigned class = 0; class < PS_POOL_CLASSES; class ++) {
		int64_t count = count_bin(&heap->bin[class]);

		heap->brought[class] =
		    count - (int64_t)(ps_peek(&frees[class]) -
				      ps_peek(&allocations[class]));
		set_bin_limit(heap, class, count + bin_max(class));
	}
}

void
ps_heap_detach(struct ps_pool_heap *heap)
{
	for (unsigned class = 0; class < PS_POOL_CLASSES; class ++) {
		int64_t count = collect_remote(heap, class);

		heap->brought[class] += count;
		flush_to(heap, class, 0);
		for (int kind = 0; kind < PS_PAGE_KINDS; kind++) {
			struct ps_page **list = list_of(heap, kind, class);

			if (*list != NULL && (*list)->used == 0)
				give_page(heap, list, *list);
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
	ps_lock_take(&pool_lock);
}

void
ps_heap_postfork_parent(void)
{
	ps_lock_give(&pool_lock);
}

void
ps_heap_postfork_child(void)
{
	ps_lock_init(&pool_lock);
}

uint64_t
ps_heap_mapped_bytes(void)
{
	return ps_peek(&mapped_bytes);
}
