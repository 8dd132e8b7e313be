/* SPDX-License-Identifier: MIT */
/*
 * page - a page's life: taken, listed, carved, regained, given back
 *
 * Inside lib/pool only.  Everything is for the owner of the heap, or for who
 * holds the pool's lock over a heap without a thread.
 */
#ifndef PS_POOL_PAGE_H
#define PS_POOL_PAGE_H

#include "pool/bin.h"

/* A heap that belongs to no thread; NULL: no memory. */
struct ps_pool_heap *ps_heap_create(void);

/* Blocks that other threads freed go to the bin and their pages. */
void ps_heap_collect(struct ps_pool_heap *heap, unsigned cls);

/* The list of pages of a kind and class that have blocks to give. */
struct ps_page **ps_page_list_of(struct ps_pool_heap *heap,
				 enum ps_page_kind kind, unsigned cls);
void ps_page_list(struct ps_page **list, struct ps_page *page);
void ps_page_unlist(struct ps_page **list, struct ps_page *page);

/* A free block, or room to carve one. */
bool ps_page_has_blocks(const struct ps_page *page);

/* Write the owner into the record of every unit. */
void ps_page_set_owner(struct ps_page *page, uintptr_t owner);

/* A new, listed page, or NULL; and an empty one given back. */
struct ps_page *ps_page_take(struct ps_pool_heap *heap, enum ps_page_kind kind,
			     unsigned cls);
void ps_page_give(struct ps_pool_heap *heap, struct ps_page **list,
		  struct ps_page *page);

/* Cut new blocks off the untouched end; returns how many. */
uint32_t ps_page_carve(struct ps_page *page);

/* A block comes back to its page (any unit's record will do). */
void ps_page_return(struct ps_pool_heap *heap, struct ps_page *page,
		    void *block, enum ps_page_kind kind);

/* The same for a list of plain blocks of the heap's; returns how many. */
int64_t ps_page_return_list(struct ps_pool_heap *heap, void *block);

#endif /* PS_POOL_PAGE_H */
