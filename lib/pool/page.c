/* SPDX-License-Identifier: MIT */
/*
 * page - a page's life: taken, listed, carved, regained, given back
 *
 * A page is listed in its heap while it has blocks to give.  Blocks are cut off
 * its untouched end a few at a time (twice as many each time, up to 32 KiB), so
 * that a class that is used once touches 4 KiB, not 64.
 *
 * One empty page of each list stays with the heap, so that a program that sits
 * at the edge of a page does not take and give it with each pair of malloc and
 * free; all others go back at once, and jemalloc's decay decides when their
 * memory goes back to the system.
 */
#include "pool/page.h"
#include "pool/segment.h"

enum {
	SMALL_UNITS = 1,
	MEDIUM_UNITS = 8,
	CARVE_FIRST_BYTES = 4096,
	CARVE_MAX_BYTES = 32768, /* what is carved is touched: a page a block */
	CARVE_ANY_BLOCKS = 8,	 /* ... but so many in any case */
	CARVE_BLOCKS_MAX = 512,
};
_Static_assert((int)PS_POOL_UNIT_BLOCK_MAX <= SMALL_UNITS << PS_UNIT_SHIFT,
	       "a page has room for a block of its class");
_Static_assert((int)PS_POOL_SMALL_MAX <= MEDIUM_UNITS << PS_UNIT_SHIFT,
	       "a page has room for a block of its class");
_Static_assert(MEDIUM_UNITS <= (int)PS_SEGMENT_UNITS,
	       "a page is of one segment");

static _Atomic uint64_t mapped_bytes;

/* ---- the list of a heap's pages that have blocks to give ---------------- */

void
ps_page_list(struct ps_page **list, struct ps_page *page)
{
	PS_ASSERT(!page->is_listed && page->head == page);
	PS_DEBUG_ASSERT(ps_page_has_blocks(page));
	page->prev = NULL;
	page->next = *list;
	if (*list != NULL)
		(*list)->prev = page;
	*list = page;
	page->is_listed = 1;
}

void
ps_page_unlist(struct ps_page **list, struct ps_page *page)
{
	PS_ASSERT(page->is_listed);
	PS_ASSERT(page->prev != NULL || *list == page);
	if (page->prev != NULL)
		page->prev->next = page->next;
	else
		*list = page->next;
	if (page->next != NULL)
		page->next->prev = page->prev;
	page->next = page->prev = NULL;
	page->is_listed = 0;
}

bool
ps_page_has_blocks(const struct ps_page *page)
{
	return page->free != NULL || page->carved < page->blocks;
}

/* ---- pages come and go -------------------------------------------------- */

struct ps_page **
ps_page_list_of(struct ps_pool_heap *heap, enum ps_page_kind kind, unsigned cls)
{
	return &heap->pages[kind][cls];
}

void
ps_page_set_owner(struct ps_page *page, uintptr_t owner)
{
	_Atomic uintptr_t *bin = &ps_range.bins[ps_range.pages - page];
	bool is_plain =
	    owner != 0 && (owner & PS_PAGE_KIND_MASK) == PS_PAGE_PLAIN;

	for (uint32_t i = 0; i < page->units; i++) {
		atomic_store_explicit(&ps_page_unit(page, i)->owner, owner,
				      memory_order_release);
		ps_poke(&bin[i],
			is_plain
			    ? (uintptr_t)&ps_page_heap(owner)->bin[page->cls]
			    : PS_NO_BIN);
	}
}

static void
describe_page(struct ps_page *page, void *start, unsigned cls, uint32_t units)
{
	struct ps_page head = {
	    .head = page,
	    .start = (uintptr_t)start,
	    .cls = cls,
	    .block_bytes = ps_class_bytes(cls),
	    .units = units,
	};

	head.blocks = (units << PS_UNIT_SHIFT) / head.block_bytes;
	head.carve_step =
	    PS_MAX(1u, CARVE_FIRST_BYTES / (unsigned)head.block_bytes);
	for (uint32_t i = 0; i < units; i++) {
		head.segment = ps_page_unit(page, i)->segment;
		*ps_page_unit(page, i) = head;
	}
}

struct ps_page *
ps_page_take(struct ps_pool_heap *heap, enum ps_page_kind kind, unsigned cls)
{
	uint32_t units = ps_class_bytes(cls) <= PS_POOL_UNIT_BLOCK_MAX
			     ? SMALL_UNITS
			     : MEDIUM_UNITS;
	void *start = ps_segment_take(units);
	struct ps_page *page;

	if (start == NULL)
		return NULL;
	if (kind == PS_PAGE_SAMPLED && !ps_range_marks_commit(start, units)) {
		ps_segment_give(start, units);
		return NULL;
	}
	page = ps_page_of(start);
	PS_ASSERT(ps_peek(&page->owner) == 0);
	describe_page(page, start, cls, units);
	ps_page_set_owner(page, (uintptr_t)heap | kind);
	ps_page_list(ps_page_list_of(heap, kind, cls), page);
	atomic_fetch_add_explicit(&mapped_bytes, units << PS_UNIT_SHIFT,
				  memory_order_relaxed);
	ps_bump(&heap->pages_held, 1);
	return page;
}

void
ps_page_give(struct ps_pool_heap *heap, struct ps_page **list,
	     struct ps_page *page)
{
	PS_ASSERT(page->used == 0 && page->head == page);
	PS_ASSERT(ps_peek(&heap->pages_held) > 0);
	ps_page_unlist(list, page);
	ps_page_set_owner(page, 0);
	atomic_fetch_sub_explicit(&mapped_bytes, page->units << PS_UNIT_SHIFT,
				  memory_order_relaxed);
	ps_bump(&heap->pages_held, (uint64_t)-1);
	ps_segment_give((void *)page->start, page->units);
}

/* Cut new blocks off the untouched end of a page; returns how many. */
uint32_t
ps_page_carve(struct ps_page *page)
{
	uint32_t count = PS_MIN(page->carve_step, page->blocks - page->carved);
	char *block =
	    (char *)page->start + (size_t)page->carved * page->block_bytes;
	void *free = page->free;
	uint32_t i;

	PS_DEBUG_ASSERT(page->carved < page->blocks && count > 0);
	for (i = count; i-- > 0;) {
		ps_set_next(block + (size_t)i * page->block_bytes, free);
		free = block + (size_t)i * page->block_bytes;
	}
	page->free = free;
	page->carved += count;
	if (page->carve_step * 2 <= CARVE_ANY_BLOCKS ||
	    (page->carve_step * 2 * page->block_bytes <= CARVE_MAX_BYTES &&
	     page->carve_step * 2 <= CARVE_BLOCKS_MAX))
		page->carve_step *= 2;
	return count;
}

/* A block is back on its page: list the page, or let it go when empty. */
static void
page_regained(struct ps_pool_heap *heap, struct ps_page *page,
	      enum ps_page_kind kind)
{
	struct ps_page **list = ps_page_list_of(heap, kind, page->cls);

	if (!page->is_listed)
		ps_page_list(list, page);
	/* One empty page a class stays, so that a pair of malloc and free at
	 * the edge of a page does not take and give it each time. */
	if (page->used == 0 && (*list != page || page->next != NULL))
		ps_page_give(heap, list, page);
}

void
ps_page_return(struct ps_pool_heap *heap, struct ps_page *page, void *block,
	       enum ps_page_kind kind)
{
	page = page->head;
	PS_ASSERT(page->used > 0);
	ps_set_next(block, page->free);
	page->free = block;
	page->used--;
	if (page->used == 0 || !page->is_listed)
		page_regained(heap, page, kind);
}

/* A run of blocks of one page, put in front of its free blocks. */
static void
return_run(struct ps_pool_heap *heap, struct ps_page *page, void *free,
	   uint32_t count)
{
	PS_ASSERT(page->used >= count);
	page->free = free;
	page->used -= count;
	if (page->used == 0 || !page->is_listed)
		page_regained(heap, page, PS_PAGE_PLAIN);
}

int64_t
ps_page_return_list(struct ps_pool_heap *heap, void *block)
{
	struct ps_page *page = NULL;
	void *free = NULL;
	uint32_t run = 0;
	int64_t count = 0;

	for (void *next; block != NULL; block = next) {
		struct ps_page *of_block = ps_page_of(block)->head;

		next = ps_checked_next(block);
		if (ps_unlikely(!ps_page_is_start(of_block, block)))
			ps_die_of_free(block, "not the start of a block");
		if (of_block != page) {
			if (page != NULL)
				return_run(heap, page, free, run);
			page = of_block;
			free = page->free;
			run = 0;
		}
		ps_set_next(block, free);
		free = block;
		run++;
		count++;
	}
	if (page != NULL)
		return_run(heap, page, free, run);
	return count;
}

uint64_t
ps_heap_mapped_bytes(void)
{
	return ps_peek(&mapped_bytes);
}
