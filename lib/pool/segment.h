/* SPDX-License-Identifier: MIT */
/*
 * segment - the pool's pages are cut from segments of 2 MiB
 *
 * jemalloc adds a page of its own to each large block, so that pieces of 64 KiB
 * with the alignment of 64 KiB would waste more address space than they use.
 * A segment is one block of jemalloc; units of 64 KiB are handed out of it, the
 * lowest first, and an empty segment goes back.
 *
 * Threads: any; a lock inside.
 */
#ifndef PS_POOL_SEGMENT_H
#define PS_POOL_SEGMENT_H

#include "pool/range.h"

/*
 * `units` (1 to 32) contiguous units, 64 KiB aligned; NULL: no memory.  Their
 * ps_page records are readable and writable.
 */
void *ps_segment_take(unsigned units);
void ps_segment_give(void *start, unsigned units);

/* Units handed out, and free ones whose memory is still held. */
size_t ps_segment_units_used(void);
size_t ps_segment_units_dirty(void);

/* A step of time went by: memory of units that were not needed goes back.
 * true: some of it did, but the rest should go soon. */
bool ps_segment_decay(void);

void ps_segment_prefork(void);
void ps_segment_postfork_parent(void);
void ps_segment_postfork_child(void);

#endif /* PS_POOL_SEGMENT_H */
