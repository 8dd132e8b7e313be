/* SPDX-License-Identifier: MIT */
/*
 * guard - blocks in pages of their own, up against a page that nobody may touch
 *
 * For hunting bugs (PERFSHIM_HARDEN=full).  A block ends at the end of its
 * pages, as far as its alignment lets it; the bytes around it are marked and
 * looked at when it is freed.  A freed block's pages are taken away and its
 * place is used again late, so that what still reads or writes it faults.
 *
 * Threads: any.  Records are changed by who allocates and frees the block.
 */
#ifndef PS_POOL_GUARD_H
#define PS_POOL_GUARD_H

#include "base/base.h"

enum ps_guard_state {
	PS_GUARD_UNUSED,
	PS_GUARD_LIVE,
	PS_GUARD_LOOKED_AT, /* live, and whoever frees it has to wait */
	PS_GUARD_FREED
};

/* What is known of a place and the block that is or was last in it. */
struct ps_guard {
	uintptr_t start; /* of the block */
	size_t bytes;	 /* as asked for */
	uintptr_t place; /* first page */
	uint32_t order;	 /* it has 2^order pages, then the guard page */
	_Atomic uint32_t state;
	uint32_t next;	  /* in a queue of freed ones */
	uint32_t made_at; /* the last three are the caller's */
	uint32_t freed_at;
	uint32_t epoch;
};

struct ps_guard_range {
	uintptr_t base;
	size_t bytes; /* 0: off */
};
extern struct ps_guard_range ps_guard_range;

/*
 * Reserve addresses, as many as RLIMIT_AS lets us; at most `live_max` blocks
 * at a time.  0 or -errno.
 */
int ps_guard_init(uint32_t live_max);

static inline bool
ps_guard_holds(const void *ptr)
{
	return ps_unlikely((uintptr_t)ptr - ps_guard_range.base <
			   ps_guard_range.bytes);
}

/*
 * A zeroed block and its record, or NULL: there are too many already (of the
 * last quarter, every 64th request gets one), it is too large, or no memory.
 */
void *ps_guard_alloc(size_t size, size_t align, struct ps_guard **out);

/* The record of the place that an address lies in, its guard page included;
 * NULL when nothing was ever there. */
struct ps_guard *ps_guard_find(const void *ptr);

/* The same for an access that faulted: of two blocks around a guard page, the
 * nearer one.  NULL: none was ever near. */
const struct ps_guard *ps_guard_nearest(const void *ptr);

/* Claim it for freeing; false: it is not live (any more). */
bool ps_guard_claim(struct ps_guard *g);
/* The first byte around the block that was written to; NULL: none. */
const void *ps_guard_damage(const struct ps_guard *g);
/* A claimed one goes into quarantine. */
void ps_guard_free(struct ps_guard *g);

/*
 * Live blocks one after the other, NULL first and last; for the end of the
 * program, while its threads go on.  Each stays what it is until the next call.
 */
struct ps_guard *ps_guard_next(struct ps_guard *after);

/* See ps_lock_comes_free. */
bool ps_guard_comes_free(void);
void ps_guard_prefork(void);
void ps_guard_postfork(void);

#endif /* PS_POOL_GUARD_H */
