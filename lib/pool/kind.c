/* SPDX-License-Identifier: MIT */
/*
 * kind - sampled and internal pages
 *
 * Sampled blocks come once in 512 KiB, of any size and in any thread, so they
 * share a heap behind a lock: pages of 40 classes for each thread would hold a
 * block or two each.  Where every block is sampled, each heap has its own.
 */
#include "base/lock.h"
#include "pool/kind.h"
#include "pool/page.h"

/* Has no thread and no plain pages; the lock is taken before the pool's.  A
 * handler may have interrupted its own thread with it: then it is served from
 * elsewhere, and what it frees is collected later. */
static struct ps_pool_heap *shared;
static struct ps_lock shared_lock;
static PS_TLS volatile bool is_mine; /* about to have it, or has it */

static bool
take_shared(void)
{
	if (is_mine)
		return false;
	is_mine = true;
	atomic_signal_fence(memory_order_seq_cst);
	ps_lock_take(&shared_lock);
	return true;
}

static void
give_shared(void)
{
	ps_lock_give(&shared_lock);
	atomic_signal_fence(memory_order_seq_cst);
	is_mine = false;
}

void *
ps_heap_alloc_kind(struct ps_pool_heap *heap, unsigned cls,
		   enum ps_page_kind kind)
{
	struct ps_page **list = ps_page_list_of(heap, kind, cls);
	struct ps_page *page = *list;
	void *block;

	PS_ASSERT(kind != PS_PAGE_PLAIN && cls < PS_POOL_CLASSES);
	if (page == NULL) {
		ps_heap_collect(heap, cls);
		page = *list;
	}
	if (page == NULL)
		page = ps_page_take(heap, kind, cls);
	if (page == NULL)
		return NULL;
	if (page->free == NULL)
		(void)ps_page_carve(page);
	block = page->free;
	page->free = ps_checked_next(block);
	page->used++;
	if (!ps_page_has_blocks(page))
		ps_page_unlist(list, page);
	return block;
}

void *
ps_heap_alloc_shared(unsigned cls, enum ps_page_kind kind)
{
	void *block = NULL;

	if (!take_shared())
		return NULL;
	if (shared == NULL)
		shared = ps_heap_create();
	if (shared != NULL)
		block = ps_heap_alloc_kind(shared, cls, kind);
	give_shared();
	return block;
}

/* Only pages of the shared heap are of an odd kind and never change hands. */
bool
ps_heap_free_kind(struct ps_pool_heap *mine, struct ps_page *page, void *block)
{
	uintptr_t owner = ps_peek(&page->owner);
	struct ps_pool_heap *heap = ps_page_heap(owner);

	PS_ASSERT((owner & PS_PAGE_KIND_MASK) != PS_PAGE_PLAIN);
	if (heap == shared) {
		if (!take_shared())
			return false;
		ps_page_return(heap, page, block, owner & PS_PAGE_KIND_MASK);
		give_shared();
		return true;
	}
	if (heap != mine)
		return false;
	ps_page_return(heap, page, block, owner & PS_PAGE_KIND_MASK);
	return true;
}

void
ps_kind_prefork(void)
{
	ps_lock_take(&shared_lock);
}

void
ps_kind_postfork_parent(void)
{
	ps_lock_give(&shared_lock);
}

void
ps_kind_postfork_child(void)
{
	ps_lock_init(&shared_lock);
}
