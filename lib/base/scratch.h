/* SPDX-License-Identifier: MIT */
/*
 * scratch - memory for work that ends all at once
 *
 * A bump allocator on pages of its own, for building a report: nothing is
 * freed singly, and no malloc is entered, so it works while the host's heap is
 * locked.  One thread per scratch.
 */
#ifndef PS_SCRATCH_H
#define PS_SCRATCH_H

#include "base/base.h"

struct ps_scratch_block;

struct ps_scratch {
	struct ps_scratch_block *blocks; /* newest first */
	size_t used;			 /* in the newest block */
	size_t total_bytes;		 /* taken from the system */
	size_t limit_bytes;		 /* 0: none */
};

void ps_scratch_init(struct ps_scratch *s, size_t limit_bytes);
/* Zeroed, 16-byte aligned; NULL when the system or the limit says no. */
void *ps_scratch_alloc(struct ps_scratch *s, size_t bytes);
/* The same for `count` items and one more, so that none is no failure. */
void *ps_scratch_array(struct ps_scratch *s, uint64_t count, size_t item_bytes);
char *ps_scratch_strdup(struct ps_scratch *s, const char *text);
/*
 * These bytes of an allocation are not needed any more: the whole pages in them
 * go back to the system.  They must not be touched again.
 */
void ps_scratch_release(void *at, size_t bytes);
void ps_scratch_fini(struct ps_scratch *s);

#endif /* PS_SCRATCH_H */
