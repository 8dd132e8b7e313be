/* SPDX-License-Identifier: MIT */
/*
 * picked - blocks that the sampler picked: where they were made, when they end
 *
 * Callers are inside the shim (ps_thread_enter) for what takes a site.
 */
#ifndef PS_SHIM_PICKED_H
#define PS_SHIM_PICKED_H

#include "pool/heap.h"
#include "profile/sample.h"
#include "shim/thread.h"
#include "shim/unwind.h"

/* Site of the caller's stack; UINT32_MAX when the tables are full. */
uint32_t ps_picked_site(struct ps_thread *self,
			const struct ps_unwind_context *caller);

/* A block of a sampled page, which is on no list; its mark is set.  It counts
 * in class `cls`, which need not be its page's. */
void ps_picked_pool(struct ps_thread *self, uint32_t site, size_t size,
		    unsigned cls, const void *block);
/* A block outside the pool. */
void ps_picked_large(struct ps_thread *self, uint32_t site, size_t size,
		     const void *block);

/* The countdown ran out at a block outside the pool, which the caller counted:
 * take a sample, if sampling is on, and draw the next countdown. */
void ps_picked_its_turn(struct ps_thread *self, size_t size, const void *block,
			const struct ps_unwind_context *caller);

/* The block is freed, its sample ends.  One of the pool that has none is one
 * that is free already.  Returns the class that it counts in. */
unsigned ps_picked_end_pool(struct ps_thread *self, const struct ps_page *page,
			    const void *block);
void ps_picked_end_large(struct ps_thread *self, const void *block);
void ps_picked_end(struct ps_thread *self, const struct ps_birth *birth);

#endif /* PS_SHIM_PICKED_H */
