/* SPDX-License-Identifier: MIT */
/*
 * inherited - what a fork's child has of its parent: blocks and their counts
 *
 * Blocks of before the fork live on in the child.  Its rows have them as
 * allocated, so that freeing them does not make the sums negative.
 */
#ifndef PS_SHIM_INHERITED_H
#define PS_SHIM_INHERITED_H

#include "pool/heap.h"
#include "record/layout.h"

/* Live blocks by class, and the bytes of large ones. */
struct ps_inherited_blocks {
	uint64_t live[PS_CLASS_SLOTS];
	uint64_t large_bytes;
};

/*
 * What there is when the process forks.  The recording is shared with the
 * parent, which goes on: the child cannot look it up there.
 */
extern struct ps_inherited {
	struct ps_inherited_blocks own; /* by the row of the thread that forks
					 */
	struct ps_inherited_blocks others;
	void *heads[PS_POOL_CLASSES]; /* of its bins */
	uint64_t live_bytes;
	uint64_t bytes_left; /* to the thread's next sample */
} ps_inherited;

/* Before the fork; or, in a child that ran no handler, as good as can be. */
void ps_inherited_note(void);

/* Into an empty row; and the heap's level, without a peak beyond it. */
void ps_inherit(struct ps_record_thread *row,
		const struct ps_inherited_blocks *blocks);
void ps_inherit_level(void);

#endif /* PS_SHIM_INHERITED_H */
