/* SPDX-License-Identifier: MIT */
/*
 * count - how the slow side counts blocks in the thread's row
 *
 * The fast paths count what they take from and put into a bin.  Everything else
 * that changes a class's counters must tell the heap (ps_heap_adjust), which
 * reads from the same counters how many blocks its bin holds.
 */
#ifndef PS_SHIM_COUNT_H
#define PS_SHIM_COUNT_H

#include "pool/heap.h"
#include "shim/thread.h"

_Static_assert((int)PS_POOL_CLASSES == (int)PS_CLASSES, "one set of classes");

/* Larger blocks are told to the recording at once, smaller ones in sum. */
enum { PS_PUBLISH_BYTES = 65536 };

static inline unsigned
ps_class_of_usable(size_t usable)
{
	return usable <= PS_POOL_SMALL_MAX ? ps_class_of(usable)
					   : (unsigned)PS_CLASS_LARGE;
}

/* A block that did not come from the bin; `usable` matters above the pool. */
static inline void
ps_count_allocated(struct ps_thread *self, unsigned cls, size_t usable)
{
	struct ps_record_thread *row = self->row;

	ps_bump(&row->allocations, 1);
	ps_bump(&row->class_allocations[cls], 1);
	if (cls == PS_CLASS_LARGE)
		ps_bump(&row->large_bytes, usable);
	else
		ps_heap_adjust(self->heap, cls, 1);
	if (usable >= PS_PUBLISH_BYTES)
		ps_thread_publish(self);
}

/* A block that does not go to the bin. */
static inline void
ps_count_freed(struct ps_thread *self, unsigned cls, size_t usable)
{
	struct ps_record_thread *row = self->row;

	if (self->heap == NULL) {
		ps_thread_count_stray(
		    cls, -1, cls == PS_CLASS_LARGE ? (int64_t)usable : 0);
		return;
	}
	ps_bump(&row->class_frees[cls], 1);
	if (cls == PS_CLASS_LARGE)
		ps_bump(&row->large_freed_bytes, usable);
	else
		ps_heap_adjust(self->heap, cls, -1);
	if (usable >= PS_PUBLISH_BYTES)
		ps_thread_publish(self);
}

#endif /* PS_SHIM_COUNT_H */
