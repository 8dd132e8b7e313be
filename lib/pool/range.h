/* SPDX-License-Identifier: MIT */
/*
 * range - reserved address ranges that jemalloc fills
 *
 * Two ranges are reserved without memory behind them.  The first holds all
 * pages of the pool, so that "is this block the pool's?" is one subtract and
 * one compare, and the page of a block is an index.  The second holds all
 * larger blocks, so that "is this block ours at all?" is as cheap and never
 * touches memory.  jemalloc arenas with extent hooks take addresses from the
 * ranges by bumping; which pages to keep, purge or reuse stays jemalloc's.
 *
 * Threads: all calls after ps_range_init from any thread; those on segments
 * under segment.c's lock.
 */
#ifndef PS_POOL_RANGE_H
#define PS_POOL_RANGE_H

#include "pool/jemalloc.h"

enum {
	PS_UNIT_SHIFT = 16,
	PS_UNIT_BYTES = 1 << PS_UNIT_SHIFT, /* smallest page, 64 KiB */
	PS_SEGMENT_UNITS = 32,
	PS_PAGE_RECORD_BYTES = 128,
	PS_MARK_BYTES = 16, /* beside each sampled block */
};

struct ps_page;

/* Read-only after ps_range_init, but for the sizes (ps_range_trim); what the
 * fast paths read in one cache line. */
struct ps_range {
	uintptr_t base; /* of the pool's range; 0 size: no pool */
	size_t bytes;	/* 0 when nothing could be reserved */
	/* The bin of the unit at address a is word a / 64 KiB from here. */
	uintptr_t bins_from_zero;
	uintptr_t link_key;	 /* free blocks' links are xor'ed with it */
	_Atomic uintptr_t *bins; /* of the unit at base + i * 64 KiB; heap.h */
	struct ps_page *pages;	 /* its record: pages - i */
	uintptr_t large_base;
	size_t large_bytes;
	uintptr_t marks; /* 64 KiB of marks for each unit; see ps_page_mark */
} PS_ALIGNED(PS_CACHE_LINE);
_Static_assert(offsetof(struct ps_range, marks) == PS_CACHE_LINE,
	       "what the fast paths read is one line");
extern struct ps_range ps_range;

/*
 * Reserve; smaller when RLIMIT_AS is set.  Failure is no error: ps_range.bytes
 * stays 0 and everything comes from jemalloc's own mappings.
 */
void ps_range_init(void);

/*
 * The process has a limit of address space: what is reserved beyond what it may
 * use is unmapped, for good.  Any thread; while one trims, others return.
 */
void ps_range_trim(uint64_t limit);

/*
 * jemalloc begins at the first block that is its own; here at the latest.
 * Again, it does nothing.  On the stack that ps_range_begin_on gives it, if
 * that is set: it needs 10 KiB.
 */
void ps_range_begin_jemalloc(void);
bool ps_range_has_jemalloc(void);
typedef void ps_range_call(intptr_t unused);
extern void (*ps_range_begin_on)(ps_range_call *call, intptr_t unused);

/* A segment's units in one piece, 64 KiB aligned; NULL when there is none.
 * Their ps_page records are readable and writable.  See segment.h. */
void *ps_range_take_segment(void);
/* An empty one; false: it is one of the first, which stay the caller's. */
bool ps_range_give_segment(void *start);

/* Make the marks of all blocks in a page usable; false: no memory. */
bool ps_range_marks_commit(void *start, size_t units);
/* Units hold nothing any more: their memory, marks included, goes back. */
void ps_range_discard(void *start, size_t units);

/* An arena over such hooks: its index, or UINT32_MAX. */
unsigned ps_range_create_arena(je_extent_hooks *hooks);
/* For arenas over the large range. */
je_extent_hooks *ps_range_large_hooks(void);

static inline bool
ps_range_is_pool(const void *ptr)
{
	return (uintptr_t)ptr - ps_range.base < ps_range.bytes;
}

static inline bool
ps_range_is_large(const void *ptr)
{
	return (uintptr_t)ptr - ps_range.large_base < ps_range.large_bytes;
}

/* Let jemalloc give back what its clock says; any thread, now and then. */
void ps_range_decay(void);
void ps_range_decay_arena(unsigned arena);

void ps_range_prefork(void);
void ps_range_postfork_parent(void);
void ps_range_postfork_child(void);

/* Bytes of address range taken so far and bytes reserved. */
size_t ps_range_taken_bytes(void);

#endif /* PS_POOL_RANGE_H */
