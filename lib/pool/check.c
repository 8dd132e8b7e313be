/* SPDX-License-Identifier: MIT */
/*
 * check - walks everything a heap owns and asserts the pool's invariants
 *
 * For tests: every listed page's free list has as many blocks as its counts
 * say, all inside it and on block boundaries; every block in a bin lies in a
 * plain page of this heap; the counters explain how many there are.
 */
#include "pool/bin.h"

static void
check_block(const struct ps_page *page, const void *block)
{
	size_t offset = (uintptr_t)block - page->start;

	PS_ASSERT(offset / page->block_bytes < page->carved);
	PS_ASSERT(offset % page->block_bytes == 0);
}

static void
check_page(const struct ps_pool_heap *heap, const struct ps_page *page,
	   unsigned kind, unsigned cls)
{
	uint32_t free = 0;

	PS_ASSERT(ps_peek(&page->owner) == ((uintptr_t)heap | kind));
	PS_ASSERT(page->head == page && page->is_listed);
	PS_ASSERT(page->cls == cls);
	PS_ASSERT(page->used <= page->carved && page->carved <= page->blocks);
	PS_ASSERT(page->free != NULL || page->carved < page->blocks);
	for (uint32_t i = 1; i < page->units; i++)
		PS_ASSERT(ps_page_unit(page, i)->head == page);
	for (const void *b = page->free; b != NULL; b = ps_next_of(b)) {
		check_block(page, b);
		free++;
	}
	PS_ASSERT(free == page->carved - page->used);
}

static void
check_bin(const struct ps_pool_heap *heap, unsigned cls)
{
	int64_t expected =
	    heap->brought[cls] + (int64_t)(ps_peek(&heap->frees[cls]) -
					   ps_peek(&heap->allocations[cls]));
	int64_t count = 0;

	for (const void *b = heap->bin[cls]; b != NULL; b = ps_next_of(b)) {
		const struct ps_page *page = ps_page_of(b);

		PS_ASSERT(ps_peek(&page->owner) == (uintptr_t)heap);
		PS_ASSERT(page->cls == cls);
		PS_ASSERT(ps_bin_of(b) == &heap->bin[cls]);
		check_block(page->head, b);
		count++;
	}
	PS_ASSERT(count == expected);
}

void
ps_pool_check(struct ps_pool_heap *heap)
{
	for (unsigned cls = 0; cls < PS_POOL_CLASSES; cls++) {
		for (unsigned kind = 0; kind < PS_PAGE_KINDS; kind++)
			for (const struct ps_page *page =
				 heap->pages[kind][cls];
			     page != NULL; page = page->next)
				check_page(heap, page, kind, cls);
		check_bin(heap, cls);
	}
}
