/* SPDX-License-Identifier: MIT */
/*
 * kind - sampled and internal pages; see heap.h for what they are
 */
#ifndef PS_POOL_KIND_H
#define PS_POOL_KIND_H

#include "pool/heap.h"

/* A block from the heap's own pages of another kind; not counted in bins. */
void *ps_heap_alloc_kind(struct ps_pool_heap *heap, unsigned cls,
			 enum ps_page_kind kind);
/* The same from pages that all threads share; any thread, also in a handler
 * that interrupted one which is at it: NULL. */
void *ps_heap_alloc_shared(unsigned cls, enum ps_page_kind kind);
/* Free such a block; false: it is another heap's, or its own is not to be had
 * now: free it remotely. */
bool ps_heap_free_kind(struct ps_pool_heap *mine, struct ps_page *page,
		       void *block);

void ps_kind_prefork(void);
void ps_kind_postfork_parent(void);
void ps_kind_postfork_child(void);

#endif /* PS_POOL_KIND_H */
