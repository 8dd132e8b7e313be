/* SPDX-License-Identifier: MIT */
/*
 * thread - what the shim keeps for each thread
 *
 * The fast paths find a thread's counters at (ps_thread_base + row_offset).
 * A row_offset of 0 leads to a static fallback row whose countdown is always
 * 0, so that malloc's one test of the countdown also catches "thread not known
 * yet" (TLS starts as zero), "inside the shim" (parked) and "library not
 * relocated yet" (see the assert below).
 */
#ifndef PS_SHIM_THREAD_H
#define PS_SHIM_THREAD_H

#include "record/layout.h"

struct ps_pool_heap;
struct ps_section_thread;

struct ps_thread {
	struct ps_pool_heap *heap; /* NULL: not registered, or thread ended */
	struct ps_section_thread *sections; /* NULL until a first section */
	struct ps_record_thread *row;	    /* in the recording; NULL: none */
	uint32_t row_index;
	/* How deep in the shim: > 0 means nothing is counted or sampled.  A
	 * stack address, not a flag, says who parked (siglongjmp heals it). */
	volatile uint32_t depth;
	ptrdiff_t row_offset; /* of the row from ps_thread_base; 0 = parked */
	ptrdiff_t row_offset_saved;
	uint64_t random; /* state of the sampler's generator */
	uintptr_t stack_low;
	uintptr_t stack_high;
	uint32_t has_ended; /* its destructors ran; late frees still come */
	int32_t tid;
};
/*
 * An unrelocated GOT makes our initial-exec offset 0, and then row_offset is
 * read from the C library's thread block, where glibc keeps 0 at offset 32.
 */
_Static_assert(offsetof(struct ps_thread, row_offset) == 32,
	       "falls on a field of tcbhead_t that is always 0");

extern PS_TLS struct ps_thread ps_self;
extern struct ps_record_thread ps_thread_fallback;

/*
 * Make this thread known: row, heap, destructor.  Returns false when it cannot
 * (no recording, no memory, or already inside the shim); then nothing of this
 * thread is counted.  Cold; preserves errno.
 */
bool ps_thread_register(struct ps_thread *self);

/*
 * Between enter and leave, this thread's allocations are neither counted nor
 * sampled.  They nest.  enter returns false when the thread is not known.
 */
bool ps_thread_enter(struct ps_thread *self);
void ps_thread_leave(struct ps_thread *self);

#endif /* PS_SHIM_THREAD_H */
