/* SPDX-License-Identifier: MIT */
/*
 * poison - freed blocks that wait, full of a pattern, before they are used
 * again
 *
 * For hunting bugs (PERFSHIM_HARDEN=full): what was written to a block after it
 * was freed shows when it comes to be used again.  And the mark on bytes around
 * live blocks, which shows when something ran over them.
 *
 * Threads: any.
 */
#ifndef PS_POOL_POISON_H
#define PS_POOL_POISON_H

#include "base/base.h"

/* Bytes around a block: fill, and find the first that is not as filled. */
void ps_fence_put(void *at, size_t bytes);
const void *ps_fence_damage(const void *at, size_t bytes);

/* The caller's words on who made and freed it come back with a block. */
struct ps_poisoned {
	void *block;
	size_t bytes;
	uint32_t made_at;
	uint32_t freed_at;
	uint32_t epoch;
};

/*
 * Fill the block and put it last.  true: there are more than should wait, and
 * *oldest is the first of them, which is out.
 */
bool ps_poison_put(const struct ps_poisoned *p, struct ps_poisoned *oldest);
/* The first byte of it that was written to since; NULL: none. */
const void *ps_poison_damage(const struct ps_poisoned *p);
/* One that waits; false: that block does not. */
bool ps_poison_find(const void *block, struct ps_poisoned *out);

/* Take the oldest one out; false: none waits. */
bool ps_poison_take(struct ps_poisoned *out);

/* See ps_lock_comes_free. */
bool ps_poison_comes_free(void);
void ps_poison_prefork(void);
void ps_poison_postfork(void);

#endif /* PS_POOL_POISON_H */
